use std::collections::BTreeSet;

use super::{Assignments, assignments};

#[test]
fn plays_every_assignment_once() {
    let all = assignments(3, 5, Assignments::All);
    let different: BTreeSet<_> = all.iter().map(|assignment| assignment.players.clone()).collect();
    assert_eq!((all.len(), different.len()), (243, 243));
    assert!(different.iter().all(|players| players.len() == 5 && players.iter().all(|player| *player < 3)));
}

#[test]
fn samples_large_casts() {
    let sample = assignments(2, 836, Assignments::All);
    let labels: Vec<_> = sample.iter().map(|assignment| assignment.label(&["a", "b"])).collect();
    let expected = [
        "all a",
        "all b",
        "taking turns from client 0",
        "taking turns from client 1",
        "drawn with seed 0",
        "drawn with seed 1",
    ];
    assert_eq!(labels, expected);
    for drawn in &sample[4..] {
        let of_a = drawn.players.iter().filter(|player| **player == 0).count();
        assert!((300..536).contains(&of_a), "{of_a} of 836");
    }
}

#[test]
fn one_client_plays_alone() {
    for actors in [1, 5, 836] {
        assert_eq!(assignments(1, actors, Assignments::All).len(), 1);
        assert_eq!(assignments(1, actors, Assignments::Turns).len(), 1);
    }
}
