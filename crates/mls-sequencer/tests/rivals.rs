//! Rival commits in every order, with clients that end after every call.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects, reason = "tests")]

use std::sync::Arc;

use mls_sequencer::{Order, Sequencer, Verdict};
use spacepanda_core::core_mls::{
    Client, MlsConfig, MlsEnvelope, MlsError, MlsHandle, TrustOnFirstUse,
    store::{MemoryStore, Revision, Section, StateStore, Write},
};

const ORDER: Order = Order::Deterministic { window: 4 };
const NAMES: [&str; 5] = ["alice", "bob", "carol", "dave", "erin"];

/// Somebody whose client is opened anew for each call.
struct Person {
    name: &'static str,
    store: Arc<MemoryStore>,
}

impl Person {
    fn new(name: &'static str) -> Self {
        Self { name, store: Arc::default() }
    }

    fn client(&self) -> Client {
        let builder = Client::builder(self.name.as_bytes(), Arc::new(TrustOnFirstUse::new()));
        builder.config(MlsConfig::interop()).store(self.store.clone()).open().unwrap()
    }

    fn group(&self) -> MlsHandle {
        let client = self.client();
        client.group(&client.groups().unwrap()[0]).unwrap()
    }

    fn take(&self, commit: &MlsEnvelope) -> Verdict {
        Sequencer::new(self.group(), ORDER).take(commit).unwrap()
    }

    fn agrees_on(&self) -> (u64, Vec<u8>) {
        (self.group().epoch(), self.group().epoch_authenticator().unwrap())
    }

    /// The same person as of now, in another life.
    fn twin(&self) -> Self {
        let twin = Self::new(self.name);
        for (space, _) in self.store.spaces(None).unwrap() {
            let mut records = Vec::new();
            for class in 0..=u8::MAX {
                records.extend(self.store.scan(&space, class, None).unwrap());
            }
            let writes = records.iter().map(|(key, record)| Write::Put(key.clone(), record)).collect();
            twin.store.apply(&[Section { space, expected: Revision::NONE, writes }]).unwrap();
        }
        twin
    }
}

/// Five members in epoch 1.
fn members() -> Vec<Person> {
    let people: Vec<_> = NAMES.map(Person::new).into();
    let group = people[0].client().create_group(Some("tea")).unwrap();
    let adds: Vec<_> = people[1..]
        .iter()
        .map(|person| (person.client().generate_key_package().unwrap(), person.name.as_bytes().to_vec()))
        .collect();
    group.propose_add_batch(&adds).unwrap();
    let (_, welcomes) = group.commit().unwrap();
    for (person, welcome) in people[1..].iter().zip(&welcomes) {
        person.client().join_group(welcome).unwrap();
    }
    people
}

/// All orders of `0..len`.
fn permutations(len: usize) -> Vec<Vec<usize>> {
    if len == 0 {
        return vec![Vec::new()];
    }
    let shorter = permutations(len - 1);
    let insert = |order: &Vec<usize>, at: usize| {
        let mut longer = order.clone();
        longer.insert(at, len - 1);
        longer
    };
    shorter.iter().flat_map(|order| (0..len).map(move |at| insert(order, at))).collect()
}

/// The rivals of three epochs: in each all four commit at once, and each hears of the others in another order. Also what erin
/// was before, and what all agree on after.
struct Story {
    before: Person,
    rivals: Vec<Vec<MlsEnvelope>>,
    end: (u64, Vec<u8>),
}

fn story() -> Story {
    let people = members();
    let before = people[4].twin();
    let orders = permutations(4);
    let mut rivals = Vec::new();
    for round in 0..3 {
        let commits: Vec<_> =
            people[..4].iter().map(|person| person.group().stage_rotation().unwrap().commit).collect();
        for (number, person) in people.iter().enumerate() {
            // Each follows its own first, as who hears of no rival yet.
            commits.get(number).map(|own| person.take(own));
            for of in &orders[(number * 5 + round * 7) % orders.len()] {
                person.take(&commits[*of]);
            }
        }
        for person in &people[1..] {
            assert_eq!(person.agrees_on(), people[0].agrees_on(), "round {round}, {}", person.name);
        }
        rivals.push(commits);
    }
    let end = people[0].agrees_on();
    assert_eq!(end.0, 4);
    Story { before, rivals, end }
}

impl Story {
    /// Erin hears of the commits in this order, and comes to the same end.
    fn tell(&self, order: &[(usize, usize)]) {
        let erin = self.before.twin();
        for (round, of) in order {
            erin.take(&self.rivals[*round][*of]);
        }
        assert_eq!(erin.agrees_on(), self.end, "{order:?}");
        erin.group().verify_audit().unwrap();
    }
}

fn is_long() -> bool {
    std::env::var_os("SPACEPANDA_LONG").is_some()
}

/// CAP-26, SURF-A: four rivals in each of three epochs: every order of each epoch; with `SPACEPANDA_LONG` all of them together.
#[test]
fn every_order_of_rivals_comes_to_one_end() {
    let (story, orders) = (story(), permutations(4));
    let same = [0, 1, 2, 3];
    let mut told: Vec<[&[usize]; 3]> = Vec::new();
    if is_long() {
        for first in &orders {
            for second in &orders {
                told.extend(orders.iter().map(|third| [first.as_slice(), second, third]));
            }
        }
    } else {
        told.extend(orders.iter().map(|order| [order.as_slice(), &same, &same]));
        told.extend(orders.iter().map(|order| [&same, order.as_slice(), &same]));
        told.extend(orders.iter().map(|order| [&same, &same, order.as_slice()]));
    }
    for order in told {
        let rounds = order.iter().enumerate();
        let all: Vec<_> = rounds.flat_map(|(round, order)| order.iter().map(move |of| (round, *of))).collect();
        story.tell(&all);
    }
}

/// Commits of different epochs pass each other by: early ones wait, late ones that are lower take the group back.
#[test]
fn late_and_early_rivals_come_to_the_same_end() {
    let story = story();
    let mut dice = 0x9E37_79B9_7F4A_7C15_u64;
    for _ in 0..if is_long() { 2_000 } else { 24 } {
        let mut order: Vec<_> = (0..3).flat_map(|round| (0..4).map(move |of| (round, of))).collect();
        for at in (1..order.len()).rev() {
            dice ^= dice << 13;
            dice ^= dice >> 7;
            dice ^= dice << 17;
            let other = usize::try_from(dice % (u64::try_from(at).unwrap() + 1)).unwrap();
            order.swap(at, other);
        }
        story.tell(&order);
    }
}

/// What is said after going back uses no key of before; what was handled stays handled.
#[test]
fn going_back_uses_no_key_twice() {
    let people = members();
    let (low, high) = {
        let mut commits = [0, 1].map(|number| people[number].group().stage_rotation().unwrap().commit);
        let name = |commit: &MlsEnvelope| people[4].group().name_of(commit).as_slice().to_vec();
        commits.sort_by_key(name);
        let [low, high] = commits;
        (low, high)
    };
    let (erin, dave) = (&people[4], &people[3]);
    let read = dave.group().send_message(b"read before").unwrap();
    erin.group().receive_message(&read).unwrap();
    assert_eq!(erin.take(&high), Verdict::Followed { epoch: 2 });
    erin.group().send_message(b"on a way that does not count").unwrap();
    assert_eq!(erin.take(&low), Verdict::WentBack { epoch: 2 });
    assert_eq!(erin.take(&high), Verdict::Lost);
    dave.take(&low);
    assert_eq!(dave.agrees_on(), erin.agrees_on());
    assert!(matches!(erin.group().handle_incoming(&read).unwrap(), spacepanda_core::core_mls::Incoming::Duplicate));
    let said = erin.group().send_message(b"here").unwrap();
    assert_eq!(dave.group().receive_message(&said).unwrap().plaintext, b"here");
}

/// A commit that is no commit of this epoch takes nobody anywhere; nor does one that is too late.
#[test]
fn what_does_not_fit_changes_nothing() {
    let people = members();
    let (alice, erin) = (&people[0], &people[4]);
    let mut ended = Vec::new();
    for _ in 0..6 {
        let group = alice.group();
        ended.push(people[1].group().stage_rotation().unwrap().commit);
        let (commit, next) = (group.stage_rotation().unwrap().commit, group.epoch() + 1);
        for person in &people {
            assert_eq!(person.take(&commit), Verdict::Followed { epoch: next });
        }
    }
    let before = erin.agrees_on();
    assert_eq!(erin.take(&ended[0]), Verdict::TooLate);
    let mut broken = ended[5].payload().to_vec();
    let last = broken.len() - 1;
    broken[last] ^= 1;
    let broken = MlsEnvelope::wrap_commit(broken).unwrap();
    assert_eq!(erin.take(&broken), Verdict::Lost);
    assert_eq!(erin.agrees_on(), before);
    let message = alice.group().send_message(b"no commit").unwrap();
    let taken = Sequencer::new(erin.group(), ORDER).take(&message);
    assert!(matches!(taken, Err(MlsError::WrongMessageType { .. })));
}

/// States that cannot be taken back any more are gone, with their secrets.
#[test]
fn the_window_is_all_that_is_kept() {
    let people = members();
    let erin = &people[4];
    for _ in 0..7 {
        let commit = people[0].group().stage_rotation().unwrap().commit;
        people.iter().for_each(|person| assert!(matches!(person.take(&commit), Verdict::Followed { .. })));
    }
    assert_eq!(erin.group().epoch(), 8);
    assert!(erin.group().go_back(3).is_err());
    assert_eq!(erin.group().application_rows().unwrap().len(), 2 * 4);
    erin.group().go_back(4).unwrap();
    // In that epoch it may have sent before.
    assert_eq!(erin.group().send_message(b"again"), Err(MlsError::ReadOnly));
}

/// With a delivery side the first is the group's, and no later one is.
#[test]
fn the_first_wins_where_somebody_settles_it() {
    let people = members();
    let commits = [0, 1].map(|number| people[number].group().stage_rotation().unwrap().commit);
    for order in [[0, 1], [1, 0]] {
        let erin = people[4].twin();
        let take = |of: usize| Sequencer::new(erin.group(), Order::FirstWins).take(&commits[of]).unwrap();
        assert_eq!(order.map(take), [Verdict::Followed { epoch: 2 }, Verdict::Lost]);
    }
}
