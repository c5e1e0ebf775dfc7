//! What a step costs does not depend on how many members there are, or only by the height of the tree.
//!
//! Costs are counted: operations of cryptography and the bytes they touch, bytes of changes, allocations and the bytes
//! allocated. A step that looked at every member would show in at least one of them, since it would hash, collect or
//! copy. Two full trees, of 1,000 and of 16,000 members, are compared.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests"
)]

mod cost;

use std::collections::BTreeMap;

use cost::{Cost, Meter};
use mls_crypto::CipherSuite;
use mls_crypto_rust::RustCrypto;
use mls_engine::{
    group::{CommitOptions, PathChoice, Processed, ProposalKind},
    math::LeafIndex,
};
use testkit::{
    counting::{Counter, CountingCrypto},
    forge::FullTree,
    network::{Host, Member, NewMember},
};

const SUITE: CipherSuite = CipherSuite::X25519_AES128;
/// Height of the tree of 1,000 members, and of that of 16,000.
const HEIGHTS: [usize; 2] = [10, 14];

/// Costs by step.
type Costs = BTreeMap<&'static str, Cost>;

fn host(seed: u64, counter: &Counter) -> Host {
    let mut host = Host::with_crypto(seed, Box::new(CountingCrypto::new(Box::new(RustCrypto::default()), counter)));
    host.limits.max_members = 1 << 20;
    host
}

/// Two members of a full tree, and what their steps cost.
struct Pair {
    meter: Meter,
    ours: Member,
    theirs: Member,
    costs: Costs,
}

impl Pair {
    fn new(members: u32) -> Self {
        let meter = Meter::default();
        let mut plan = FullTree::new(members, SUITE);
        plan.epoch = 7;
        let forged = plan.forge(&host(1, &meter.counter));
        // Two leaves whose paths meet at the root only.
        let ours = forged.member(5, host(2, &meter.counter)).unwrap();
        let theirs = forged.member(members - 3, host(3, &meter.counter)).unwrap();
        Self { meter, ours, theirs, costs: Costs::new() }
    }

    fn message(&mut self, [send, open, record]: [&'static str; 3]) {
        let Self { meter, ours, theirs, costs } = self;
        let (message, cost) = meter.measure(|| {
            let sealed = ours.group.send(&ours.host.env(), b"hello", &Default::default()).unwrap();
            let bytes = sealed.step.bytes();
            let _ = ours.group.adopt(&ours.host.env(), sealed.step).unwrap();
            (sealed.message, bytes)
        });
        costs.insert(send, cost);
        let (opened, cost) = meter.measure(|| match theirs.group.process(&theirs.host.env(), &message).unwrap() {
            Processed::Application(opened) => (opened, 0),
            _ => panic!("not an application message"),
        });
        costs.insert(open, cost);
        let ((), cost) = meter.measure(|| {
            let step = theirs.group.record(&theirs.host.env(), opened.spent).unwrap();
            let bytes = step.bytes();
            let _ = theirs.group.adopt(&theirs.host.env(), step).unwrap();
            ((), bytes)
        });
        costs.insert(record, cost);
    }

    fn commit(&mut self, [create, accept, process, adopt]: [&'static str; 4], options: CommitOptions) {
        let Self { meter, ours, theirs, costs } = self;
        let ((id, commit), cost) = meter.measure(|| {
            let pending = ours.group.commit(&ours.host.env(), options).unwrap();
            let bytes = pending.step.bytes();
            let _ = ours.group.adopt(&ours.host.env(), pending.step).unwrap();
            ((pending.commit_id, pending.commit), bytes)
        });
        costs.insert(create, cost);
        let ((), cost) = meter.measure(|| {
            let accepted = ours.group.accept(&ours.host.env(), &id).unwrap();
            let bytes = accepted.step.bytes();
            let _ = ours.group.adopt(&ours.host.env(), accepted.step).unwrap();
            ((), bytes)
        });
        costs.insert(accept, cost);
        let (staged, cost) = meter.measure(|| match theirs.group.process(&theirs.host.env(), &commit).unwrap() {
            Processed::Commit(staged) => {
                let bytes = staged.step.bytes();
                (staged, bytes)
            }
            _ => panic!("not a commit"),
        });
        costs.insert(process, cost);
        let ((), cost) =
            meter.measure(|| (theirs.group.adopt(&theirs.host.env(), staged.step).map(|_| ()).unwrap(), 0));
        costs.insert(adopt, cost);
        assert_eq!(ours.view(), theirs.view());
    }

    fn update(&mut self) {
        let Self { meter, ours, theirs, costs } = self;
        let kind = ProposalKind::Update(Box::default());
        let (message, cost) = meter.measure(|| {
            let proposed = theirs.group.propose(&theirs.host.env(), kind, Default::default()).unwrap();
            let bytes = proposed.step.bytes();
            let _ = theirs.group.adopt(&theirs.host.env(), proposed.step).unwrap();
            (proposed.message, bytes)
        });
        costs.insert("propose", cost);
        let ((), cost) = meter.measure(|| match ours.group.process(&ours.host.env(), &message).unwrap() {
            Processed::Proposal(proposal) => {
                let bytes = proposal.step.bytes();
                let _ = ours.group.adopt(&ours.host.env(), proposal.step).unwrap();
                ((), bytes)
            }
            _ => panic!("not a proposal"),
        });
        costs.insert("take proposal", cost);
    }
}

/// Every step of a group's life, in a full tree of this many members.
fn costs(members: u32) -> Costs {
    let mut pair = Pair::new(members);
    pair.message(["send first", "open first", "record first"]);
    pair.message(["send", "open", "record"]);
    pair.commit(["commit", "accept", "process", "adopt"], CommitOptions::default());
    // More epochs than are kept, so that every commit also ends an old one.
    for _ in 0..4 {
        pair.commit(["commit late", "accept late", "process late", "adopt late"], CommitOptions::default());
    }
    pair.update();
    pair.commit(["commit update", "accept update", "process update", "adopt update"], CommitOptions::default());
    let remove = vec![ProposalKind::Remove(LeafIndex::new(members / 2))];
    let remove = CommitOptions { by_value: remove, ..CommitOptions::default() };
    pair.commit(["remove", "accept remove", "process remove", "adopt remove"], remove);
    let newcomer = NewMember::with_host("newcomer", host(4, &Counter::default()), SUITE);
    let by_value = vec![ProposalKind::Add(newcomer.key_package().message().unwrap())];
    let add =
        CommitOptions { by_value, tree_in_welcome: false, path: PathChoice::WhenRequired, ..CommitOptions::default() };
    pair.commit(["add", "accept add", "process add", "adopt add"], add);
    pair.costs
}

/// One test only: allocations are counted for the whole process.
#[test]
fn costs_of_steps() {
    let [small, large] = [costs(1_000), costs(16_000)];
    println!("{:15} {:>9} {:>9} {:>9} {:>9}", "step", "operations", "changes", "allocs", "bytes");
    for (step, cost) in small.iter().flat_map(|(step, cost)| [(step, cost), (step, &large[step])]) {
        let (operations, changes) = (cost.counts.operations(), cost.changes);
        println!("{step:15} {operations:>9} {changes:>9} {:>9} {:>9}", cost.allocations, cost.allocated);
    }
    for (step, large) in &large {
        let small = &small[step];
        match *step {
            "send" | "open" | "record" => check_constant(step, small, large),
            "send first" | "open first" | "record first" => check_first(step, small, large),
            _ => check_logarithmic(step, small, large),
        }
    }
}

/// A message costs the same in a group of any size, and stores less than a kilobyte.
fn check_constant(step: &str, small: &Cost, large: &Cost) {
    assert_eq!(small.counts, large.counts, "{step}: operations");
    assert_eq!(small.changes, large.changes, "{step}: bytes of changes");
    assert!(large.changes <= 1_024, "{step}: {} bytes of changes", large.changes);
    assert!(large.allocated <= 32 * 1_024, "{step}: {} bytes allocated", large.allocated);
}

/// The first message of a sender walks down the secret tree once.
fn check_first(step: &str, small: &Cost, large: &Cost) {
    for (cost, height) in [(small, HEIGHTS[0]), (large, HEIGHTS[1])] {
        assert!(cost.counts.operations() <= 2 * height + 48, "{step}: {:?}", cost.counts);
        assert!(cost.changes <= 1_024, "{step}: {} bytes of changes", cost.changes);
        assert!(cost.allocated <= 1_024 * height, "{step}: {} bytes allocated", cost.allocated);
        assert!(cost.allocations <= 32 * height, "{step}: {} allocations", cost.allocations);
    }
    let levels = HEIGHTS[1] - HEIGHTS[0];
    assert!(grown(small.counts.operations(), large.counts.operations()) <= 2 * levels, "{step}");
}

/// A handshake costs a fixed amount for each level of the tree. Update, Remove and Add blank or unmerge a path each,
/// and the commit after it seals to a key more per level.
fn check_logarithmic(step: &str, small: &Cost, large: &Cost) {
    for (cost, height) in [(small, HEIGHTS[0]), (large, HEIGHTS[1])] {
        assert!(cost.counts.operations() <= 16 * height + 80, "{step}: {:?}", cost.counts);
        assert!(cost.counts.hpke_seals <= 3 * height + 2, "{step}: {:?}", cost.counts);
        assert!(cost.counts.bytes <= 2_048 * height, "{step}: {:?}", cost.counts);
        assert!(cost.changes <= 8 * 1_024, "{step}: {} bytes of changes", cost.changes);
        assert!(cost.allocated <= 12 * 1_024 * height, "{step}: {} bytes allocated", cost.allocated);
        assert!(cost.allocations <= 128 * height, "{step}: {} allocations", cost.allocations);
    }
    let levels = HEIGHTS[1] - HEIGHTS[0];
    assert!(grown(small.counts.operations(), large.counts.operations()) <= 16 * levels, "{step}");
    assert!(grown(small.changes, large.changes) <= 512 * levels, "{step}");
    assert!(grown(small.allocated, large.allocated) <= 16 * 1_024 * levels, "{step}");
}

fn grown(small: usize, large: usize) -> usize {
    large.saturating_sub(small)
}
