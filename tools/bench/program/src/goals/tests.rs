use super::{Measure, Outcome, of};
use crate::workload::Workload;

#[test]
fn a_peer_that_is_just_so_far_behind_is_enough_and_a_floor_just_so_near() {
    let outcome = |measure, got| Outcome { workload: Workload::Join, members: None, measure, goal: 2.0, got };
    assert!(outcome(Measure::BestPeer, 2.0).reached() && !outcome(Measure::BestPeer, 1.9).reached());
    assert!(outcome(Measure::Floor, 2.0).reached() && !outcome(Measure::Floor, 2.1).reached());
}

#[test]
fn goals_are_those_of_the_size() {
    let goals = |members| of(Workload::Process, members).collect::<Vec<_>>();
    assert_eq!(goals(1_000), [(Measure::BestPeer, 10.0), (Measure::Floor, 2.0)]);
    assert_eq!(goals(10_000), [(Measure::BestPeer, 50.0), (Measure::Floor, 2.0)]);
    assert_eq!(goals(7), [(Measure::Floor, 2.0)]);
}
