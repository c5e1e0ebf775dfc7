//! Many messages opened in one call say what they say one by one, and leave the same records.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::panic,
    reason = "tests"
)]

use std::collections::BTreeMap;

use mls_crypto::{CipherSuite, Opaque, Parallel};
use mls_engine::{
    error::{DecodeError, ProcessError, Signed},
    group::{CommitOptions, MessageOptions, Opened, Processed, ProposalKind, RecordClass},
    math::LeafIndex,
    message::{Content, ContentType, Sender, WireFormat},
    policy::Env,
};
use proptest::{
    collection::vec,
    prelude::{Just, Strategy, any, prop_oneof, proptest},
};
use testkit::{
    counting::{Counter, CountingCrypto},
    forge::{FullTree, insider::Insider},
    network::{Host, Member},
};

const SUITE: CipherSuite = CipherSuite::X25519_AES128;
/// Members that send; the next leaf receives.
const SENDERS: u32 = 3;

/// Pieces for three, done last first.
struct Backwards;

impl Parallel for Backwards {
    fn width(&self) -> usize {
        3
    }

    fn run(&self, pieces: usize, work: &(dyn Fn(usize) + Sync)) {
        (0..pieces).rev().for_each(work);
    }
}

/// A message, with who is said to have sent it, and in which epoch and generation.
#[derive(Clone, Debug)]
struct Posted {
    authentic: bool,
    place: (u64, u32, u32),
    bytes: Vec<u8>,
}

/// Senders, and the same receiver twice.
struct Scene {
    senders: Vec<Member>,
    /// Opens all at once.
    eager: Member,
    /// Opens one by one.
    patient: Member,
    /// By epoch and sender, the generation behind the last that was opened.
    heads: BTreeMap<(u64, u32), u32>,
}

impl Scene {
    fn new() -> Self {
        let forged = FullTree::new(SENDERS + 1, SUITE).forge(&Host::new(1));
        let member = |leaf| forged.member(leaf, Host::new(2 + u64::from(leaf))).unwrap();
        Self {
            senders: (0..SENDERS).map(member).collect(),
            eager: member(SENDERS),
            patient: member(SENDERS),
            heads: BTreeMap::new(),
        }
    }

    /// Limits of both receivers.
    fn limit(&mut self, set: impl Fn(&mut mls_engine::limits::Limits)) {
        [&mut self.eager, &mut self.patient].into_iter().for_each(|member| set(&mut member.host.limits));
    }

    fn send(&mut self, sender: u32) -> Posted {
        let member = &mut self.senders[usize::try_from(sender).unwrap()];
        let text = format!("{sender} says");
        let sealed = member.group.send(&member.host.env(), text.as_bytes(), &MessageOptions::default()).unwrap();
        member.adopt(sealed.step).unwrap();
        Posted { authentic: true, place: (member.group.epoch(), sender, sealed.generation), bytes: sealed.message }
    }

    /// The last sender says something in the name of another, whose key it has not.
    fn forge(&self, sender: u32, generation: u32) -> Posted {
        let insider = Insider::of(self.senders.last().unwrap());
        let leaf = LeafIndex::new(sender);
        let content = insider.content(Sender::Member(leaf), Content::Application(Opaque::from(&b"forged"[..])));
        let plaintext = Insider::plaintext(&insider.sign(WireFormat::PRIVATE_MESSAGE, content));
        let envelope = insider.envelope(ContentType::Application, leaf, generation);
        let place = (insider.public.context().epoch, sender, generation);
        Posted { authentic: false, place, bytes: insider.seal_bytes(&envelope, plaintext) }
    }

    fn commit(&mut self) {
        let (commit, _) = self.senders[0].commit_now(CommitOptions::default()).unwrap();
        let [_, others @ ..] = self.senders.as_mut_slice() else { return };
        for member in others.iter_mut().chain([&mut self.eager, &mut self.patient]) {
            member.receive(&commit).unwrap();
        }
    }

    /// Both receivers get these. Returns what they were.
    fn deliver(&mut self, posted: &[Posted]) -> Vec<Said> {
        let eager = open_all(&mut self.eager, posted);
        let patient = open_each(&mut self.patient, posted, &self.heads);
        for (position, posted) in posted.iter().enumerate() {
            if posted.authentic {
                assert_eq!(eager[position], patient[position], "message {position} of {:?}", posted.place);
            } else {
                // Which of several reasons is named first may differ.
                assert!(eager[position].is_err() && patient[position].is_err());
            }
        }
        assert!(self.eager.records.rows == self.patient.records.rows, "other records");
        for (_, sender, epoch, generation) in eager.iter().flatten() {
            let head = self.heads.entry((*epoch, *sender)).or_default();
            *head = (*head).max(generation + 1);
        }
        eager
    }
}

/// What a message was: plaintext, sender, epoch, generation.
type Said = Result<(Vec<u8>, u32, u64, u32), ProcessError>;

fn said(opened: &Opened) -> Said {
    Ok((opened.plaintext.clone(), opened.sender.get(), opened.epoch, opened.generation))
}

fn open_all(member: &mut Member, posted: &[Posted]) -> Vec<Said> {
    let messages: Vec<_> = posted.iter().map(|posted| posted.bytes.as_slice()).collect();
    let env = Env { parallel: &Backwards, ..member.host.env() };
    let opened = member.group.open_all(&env, &messages);
    let all =
        opened.iter().map(|opened| opened.as_ref().map_err(Clone::clone).and_then(|it| said(it.as_ref().unwrap())));
    let all = all.collect();
    let spent = opened.into_iter().filter_map(|opened| Some(opened.ok()??.spent)).collect();
    let step = member.group.record_all(&env, spent).unwrap();
    member.adopt(step).unwrap();
    all
}

/// One by one: late ones, then the others, by sender and generation.
fn open_each(member: &mut Member, posted: &[Posted], heads: &BTreeMap<(u64, u32), u32>) -> Vec<Said> {
    let mut order: Vec<_> = (0..posted.len()).collect();
    order.sort_by_key(|position| {
        let (epoch, sender, generation) = posted[*position].place;
        let in_time = generation >= heads.get(&(epoch, sender)).copied().unwrap_or(0);
        (in_time, posted[*position].place)
    });
    let mut all: Vec<Said> = posted.iter().map(|_| Err(ProcessError::NotForUs)).collect();
    for position in order {
        all[position] = match member.group.process(&member.host.env(), &posted[position].bytes) {
            Ok(Processed::Application(opened)) => {
                let said = said(&opened);
                let step = member.group.record(&member.host.env(), opened.spent).unwrap();
                member.adopt(step).unwrap();
                said
            }
            Ok(other) => panic!("no application message: {other:?}"),
            Err(error) => Err(error),
        };
    }
    all
}

#[derive(Clone, Debug)]
enum Event {
    Send(u32),
    /// In the name of this sender, with a generation of its last few or next ones.
    Forge(u32, u32),
    Commit,
    /// These of all that were posted, by any numbers, are delivered.
    Deliver(Vec<usize>),
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        8 => (0..SENDERS).prop_map(Event::Send),
        2 => (0..SENDERS - 1, 0..9u32).prop_map(|(sender, generation)| Event::Forge(sender, generation)),
        1 => Just(Event::Commit),
        2 => vec(any::<usize>(), 0..12).prop_map(Event::Deliver),
    ]
}

proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]

    #[test]
    fn all_at_once_is_as_one_by_one(events in vec(event(), 1..40)) {
        let mut scene = Scene::new();
        scene.limit(|limits| {
            limits.max_forward_generations = 4;
            limits.max_skipped_keys_per_sender = 3;
            limits.max_skipped_keys = 5;
        });
        let mut posted = Vec::new();
        for event in events {
            match event {
                Event::Send(sender) => posted.push(scene.send(sender)),
                Event::Forge(sender, generation) => posted.push(scene.forge(sender, generation)),
                Event::Commit => scene.commit(),
                Event::Deliver(which) if !posted.is_empty() => {
                    let chosen: Vec<_> = which.into_iter().map(|it| posted[it % posted.len()].clone()).collect();
                    scene.deliver(&chosen);
                }
                Event::Deliver(_) => {}
            }
        }
        scene.deliver(&posted);
    }
}

/// X-AUTH-03
#[test]
fn a_bad_signature_is_found_among_good_ones() {
    let mut scene = Scene::new();
    let mut posted: Vec<_> = (0..9).map(|number| scene.send(number % 2)).collect();
    posted.insert(2, scene.forge(1, 1));
    posted.insert(0, scene.forge(0, 3));
    let said = scene.deliver(&posted);
    let bad: Vec<_> = (0..said.len()).filter(|position| said[*position].is_err()).collect();
    assert_eq!(bad, [0, 3]);
    assert!(bad.into_iter().all(|bad| said[bad] == Err(ProcessError::BadSignature(Signed::Message))));
}

/// PM-10
#[test]
fn the_second_use_of_a_key_is_a_replay() {
    let mut scene = Scene::new();
    let [first, second] = [scene.send(0), scene.send(0)];
    let said = scene.deliver(&[second.clone(), first.clone(), second.clone()]);
    let replay = |generation| Err(ProcessError::ReplayDetected { leaf: LeafIndex::new(0), generation });
    assert!(said[0].is_ok() && said[1].is_ok());
    assert_eq!(said[2], replay(1));
    assert_eq!(scene.deliver(&[first, second]), [replay(0), replay(1)]);
}

/// PM-10: a step that was made before another use of one of its keys changes nothing.
#[test]
fn a_step_that_lost_a_race_is_refused_whole() {
    let mut scene = Scene::new();
    let [first, second] = [scene.send(0), scene.send(0)];
    let member = &mut scene.eager;
    let env = member.host.env();
    let opened = member.group.open_all(&env, &[&first.bytes, &second.bytes]);
    let spent = opened.into_iter().map(|opened| opened.unwrap().unwrap().spent).collect();
    let late = member.group.record_all(&env, spent).unwrap();
    member.open(&second.bytes).unwrap();
    let lost = ProcessError::ReplayDetected { leaf: LeafIndex::new(0), generation: 1 };
    assert_eq!(member.group.adopt(&member.host.env(), late).unwrap_err(), lost.into());
    assert_eq!(member.open(&first.bytes).unwrap().0, b"0 says");
}

/// PM-12: keys that other messages of the same call pass over do not take the room of one that is used.
#[test]
fn a_late_message_is_read_before_its_key_is_evicted() {
    let mut scene = Scene::new();
    scene.limit(|limits| limits.max_skipped_keys = 2);
    let [late, first] = [scene.send(1), scene.send(1)];
    scene.deliver(&[first]);
    let last = (0..3).map(|_| scene.send(0)).last().unwrap();
    let said = scene.deliver(&[last, late]);
    assert!(said.iter().all(Result::is_ok), "{said:?}");
}

/// X-DOS-05: how far a message may move a ratchet is counted from the last one that was authentic.
#[test]
fn a_forged_message_is_no_step_on_the_way() {
    let mut scene = Scene::new();
    scene.limit(|limits| limits.max_forward_generations = 4);
    let forged = scene.forge(0, 4);
    let last = (0..8).map(|_| scene.send(0)).last().unwrap();
    let said = scene.deliver(&[forged, last]);
    assert_eq!(said[1], Err(ProcessError::GenerationTooFar { leaf: LeafIndex::new(0), generation: 7 }));
}

/// X-DOS-05: nothing is derived for a message that is too far behind the one before it.
#[test]
fn a_walk_goes_only_so_far() {
    let mut scene = Scene::new();
    scene.limit(|limits| limits.max_forward_generations = 4);
    let forged = scene.forge(0, 6);
    let first = scene.send(0);
    let said = scene.deliver(&[first, forged]);
    assert_eq!(said[1], Err(ProcessError::GenerationTooFar { leaf: LeafIndex::new(0), generation: 6 }));
}

#[test]
fn handshakes_are_left_for_their_turn() {
    let mut scene = Scene::new();
    let (proposal, _) = scene.senders[0].propose(ProposalKind::Remove(LeafIndex::new(1))).unwrap();
    let first = scene.send(1);
    let member = &scene.eager;
    let opened = member.group.open_all(&member.host.env(), &[&proposal, &first.bytes, b"\0\x01\0\x09"]);
    assert!(matches!(opened.as_slice(), [Ok(None), Ok(Some(_)), Err(ProcessError::Decode(_))]), "{opened:?}");
}

/// FRM-20
#[test]
fn our_own_message_is_not_opened() {
    let mut scene = Scene::new();
    let other = scene.send(1);
    let member = &mut scene.eager;
    let own = member.send(b"hello").unwrap();
    let opened = member.group.open_all(&member.host.env(), &[&own, &other.bytes]);
    assert!(matches!(opened.as_slice(), [Err(ProcessError::OwnMessage), Ok(Some(_))]), "{opened:?}");
}

/// X-DOS-02
#[test]
fn a_message_over_the_limit_is_refused_alone() {
    let mut scene = Scene::new();
    let [first, second] = [scene.send(0), scene.send(0)];
    let member = &mut scene.eager;
    member.host.limits.max_message = first.bytes.len() - 1;
    let opened = member.group.open_all(&member.host.env(), &[&first.bytes]);
    assert!(matches!(opened[0], Err(ProcessError::Decode(DecodeError::OverLimit { .. }))));
    member.host.limits.max_message = first.bytes.len();
    let opened = member.group.open_all(&member.host.env(), &[&first.bytes, &second.bytes]);
    assert!(opened.iter().all(|opened| matches!(opened, Ok(Some(_)))));
}

/// One walk along the ratchet, one batch of signatures, and one record written, however many messages there are.
#[test]
fn costs_are_those_of_one_walk() {
    let mut scene = Scene::new();
    let counter = Counter::default();
    let crypto = CountingCrypto::new(Box::new(mls_crypto_rust::RustCrypto::default()), &counter);
    let posted: Vec<_> = (0..201).map(|_| scene.send(0)).collect();
    scene.eager.host.crypto = Box::new(crypto);
    let [warm, posted @ ..] = posted.as_slice() else { return };
    let records = scene.eager.records.clone();
    scene.eager.group = mls_engine::group::Group::load(&scene.eager.host.env(), &records).unwrap();
    open_all(&mut scene.eager, std::slice::from_ref(warm));
    let _ = counter.take();
    let messages: Vec<_> = posted.iter().map(|posted| posted.bytes.as_slice()).collect();
    let opened = scene.eager.group.open_all(&scene.eager.host.env(), &messages);
    let spent = opened.into_iter().map(|opened| opened.unwrap().unwrap().spent).collect();
    let step = scene.eager.group.record_all(&scene.eager.host.env(), spent).unwrap();
    let counts = counter.take();
    assert_eq!((counts.verifies, counts.batched), (200, 200));
    // Key and nonce of the sender data, key and nonce of the content, the next secret.
    assert_eq!(counts.kdf, 5 * 200);
    assert_eq!(step.changes().len(), 1);
    scene.eager.adopt(step).unwrap();
    assert_eq!(scene.eager.records.count(RecordClass::Ratchet), 2);
}
