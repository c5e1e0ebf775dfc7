use std::collections::BTreeMap;

use super::{Change, KeyId, Places};
use crate::error::ProcessError;

fn key(number: u32) -> KeyId {
    let mut id = KeyId::default();
    // Neither in order of numbers nor far apart.
    id[4..8].copy_from_slice(&number.wrapping_mul(0x9e37_79b9).to_be_bytes());
    id
}

/// Numbers that look random.
fn numbers() -> impl FnMut(u32) -> u32 {
    let mut state = 1u32;
    move |below| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8).checked_rem(below).unwrap()
    }
}

/// Keys lost and gained in steps of all sizes are where a plain map has them.
#[test]
fn is_as_a_plain_map() {
    let mut number = numbers();
    let (mut places, mut plain) = (Places::<u32>::default(), BTreeMap::new());
    for step in 0..400 {
        let size = if step % 40 == 0 { 300 } else { 4 };
        let (mut changes, mut next) = (Vec::new(), plain.clone());
        for _ in 0..size {
            let key = key(number(600));
            if let Some(place) = next.remove(&key) {
                changes.push((key, place, Change::Lost));
            }
            if number(3) > 0 {
                let place = number(1_000);
                changes.push((key, place, Change::Gained));
                next.insert(key, place);
            }
        }
        places = places.apply(changes).unwrap();
        plain = next;
        for number in 0..600 {
            assert_eq!(places.get(&key(number)), plain.get(&key(number)).copied());
        }
    }
    assert!(!places.settled.is_empty());
}

#[test]
fn a_key_is_in_one_place() {
    let gained = |place: u32| (key(1), place, Change::Gained);
    let lost = |place: u32| (key(1), place, Change::Lost);
    let there = Places::default().apply(vec![gained(5)]).unwrap();
    assert_eq!(there.clone().apply(vec![gained(6)]).err(), Some(ProcessError::DuplicateKey));
    assert_eq!(Places::default().apply(vec![gained(5), gained(6)]).err(), Some(ProcessError::DuplicateKey));
    assert_eq!(there.clone().apply(vec![gained(6), lost(5)]).unwrap().get(&key(1)), Some(6));
    assert_eq!(there.clone().apply(vec![gained(5)]).unwrap().get(&key(1)), Some(5));
    assert_eq!(there.clone().apply(vec![lost(5), gained(5)]).unwrap().get(&key(1)), Some(5));
    assert_eq!(there.apply(vec![lost(5)]).unwrap().get(&key(1)), None);
}
