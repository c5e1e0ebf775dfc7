use mls_crypto::Hash;

use super::Duplicates;

fn id(n: u8) -> Hash {
    Hash::from_slice(&[n; 32]).unwrap()
}

#[test]
fn forgets_the_oldest_first() {
    let mut duplicates = Duplicates::new(2);
    for n in [1, 1, 2] {
        duplicates.insert(id(n));
    }
    assert!(duplicates.contains(&id(1)) && duplicates.contains(&id(2)));
    duplicates.insert(id(3));
    assert!(!duplicates.contains(&id(1)));
    assert!(duplicates.contains(&id(2)) && duplicates.contains(&id(3)));
    assert_eq!(duplicates.known.len(), 2);
}

#[test]
fn can_be_off() {
    let mut duplicates = Duplicates::new(0);
    duplicates.insert(id(1));
    assert!(!duplicates.contains(&id(1)));
}

/// Those of many at once are those that would be there after one by one.
#[test]
fn many_at_once_are_the_records_of_one_by_one() {
    for (before, now) in [(0, 1), (3, 20), (16, 40), (15, 1), (5, 70)] {
        let (mut one_by_one, mut duplicates) = (Duplicates::new(100), Duplicates::new(100));
        for n in 0..before {
            one_by_one.insert(id(n));
            duplicates.insert(id(n));
        }
        // Some are known, and one comes twice.
        let ids: Vec<_> = (0..before + now).chain([before]).map(id).collect();
        let mut records = std::collections::BTreeMap::new();
        for id in &ids {
            records.extend(one_by_one.block_with(id));
            one_by_one.insert(*id);
        }
        assert_eq!(duplicates.blocks_with(&ids), records);
    }
}
