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
fn large_casts_take_turns() {
    let sample = assignments(2, 836, Assignments::All);
    let labels: Vec<_> = sample.iter().map(|assignment| assignment.label(&["a", "b"])).collect();
    assert_eq!(labels, ["taking turns from client 0", "taking turns from client 1"]);
    assert_eq!(sample[0].players[..4], [0, 1, 0, 1]);
    assert_eq!(sample[1].players[..4], [1, 0, 1, 0]);
}

#[test]
fn each_plays_alone_before_they_take_turns() {
    let turns = assignments(2, 3, Assignments::Turns);
    let labels: Vec<_> = turns.iter().map(|assignment| assignment.label(&["a", "b"])).collect();
    assert_eq!(labels, ["all a", "all b", "a, b, a", "b, a, b"]);
}

#[test]
fn a_seed_draws_one() {
    let drawn = assignments(2, 836, Assignments::Random(0));
    let of_a = drawn[0].players.iter().filter(|player| **player == 0).count();
    assert!((300..536).contains(&of_a), "{of_a} of 836");
    assert_eq!(drawn, assignments(2, 836, Assignments::Random(0)));
    assert_ne!(drawn, assignments(2, 836, Assignments::Random(1)));
}

#[test]
fn one_client_plays_alone() {
    for actors in [1, 5, 836] {
        assert_eq!(assignments(1, actors, Assignments::All).len(), 1);
        assert_eq!(assignments(1, actors, Assignments::Turns).len(), 1);
    }
}
