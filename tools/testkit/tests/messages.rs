//! A group opened for messages alone does, message by message and record by record, what the whole group does.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects, reason = "tests")]

use mls_crypto::CipherSuite;
use mls_engine::{
    error::{OperationError, ProcessError},
    group::{CommitOptions, Group, MessageOptions, Messenger, Opened, ProposalKind, RecordClass, RecordSource, Step},
    math::LeafIndex,
    message::{Extensions, ProtocolVersion, ReInit},
};
use proptest::prelude::{Just, Strategy, any, prop_oneof, proptest};
use testkit::{
    forge::FullTree,
    network::{Host, Member, Records},
};

const SUITE: CipherSuite = CipherSuite::X25519_AES128;

/// With caps so small that keys are evicted.
fn host(seed: u64) -> Host {
    let mut host = Host::new(seed);
    (host.limits.max_skipped_keys, host.limits.max_skipped_keys_per_sender) = (4, 3);
    host.limits.generation_block = 3;
    host
}

/// Three members of a tree of six: two in one half, one in the other.
fn three() -> [Member; 3] {
    let forged = FullTree::new(6, SUITE).forge(&host(1));
    [0, 1, 4].map(|leaf| forged.member(leaf, host(2 + u64::from(leaf))).unwrap())
}

/// The first member once more, without its group.
struct Light {
    host: Host,
    records: Records,
    messenger: Messenger,
}

impl Light {
    fn new(member: Member) -> Self {
        let Member { host, records, .. } = member;
        let messenger = Messenger::open(&host.env(), &records).unwrap();
        Self { host, records, messenger }
    }

    fn reopen(&mut self) {
        self.messenger = Messenger::open(&self.host.env(), &self.records).unwrap();
    }

    fn adopt(&mut self, step: Step) {
        self.records.apply(step.changes());
        self.messenger.adopt(step).unwrap();
    }

    fn send(&mut self, plaintext: &[u8]) -> Result<Vec<u8>, OperationError> {
        let options = MessageOptions::default();
        let sealed = self.messenger.send(&self.host.env(), &self.records, plaintext, &options)?;
        self.adopt(sealed.step);
        Ok(sealed.message)
    }

    fn open(&mut self, message: &[u8]) -> Result<(Vec<u8>, LeafIndex), OperationError> {
        let (env, reader) = (self.host.env(), self.messenger.reader(&self.records));
        let Opened { plaintext, sender, spent, .. } = reader.read(&env, message)?.unwrap();
        let step = reader.record(&env, spent)?;
        self.adopt(step);
        Ok((plaintext, sender))
    }

    /// What only the whole group can do.
    fn whole<T>(&mut self, act: impl FnOnce(&mut Member) -> T) -> T {
        let host = std::mem::replace(&mut self.host, Host::new(0));
        let group = Group::load(&host.env(), &self.records).unwrap();
        let mut member = Member { name: String::new(), group, records: std::mem::take(&mut self.records), host };
        let result = act(&mut member);
        Member { host: self.host, records: self.records, .. } = member;
        self.reopen();
        result
    }
}

#[derive(Clone, Copy, Debug)]
enum Event {
    /// One of them says something.
    Send(usize),
    /// The first hears the message at this place among all that were sent, maybe for a second time.
    Hear(usize),
    /// The second commits.
    Commit,
    /// The first is closed and opened again.
    Reopen,
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        6 => (0..3usize).prop_map(Event::Send),
        6 => any::<usize>().prop_map(Event::Hear),
        1 => Just(Event::Commit),
        1 => Just(Event::Reopen),
    ]
}

proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { cases: 48, ..Default::default() })]

    #[test]
    fn does_what_the_group_does(events in proptest::collection::vec(event(), 1..48)) {
        let [mut whole, mut second, mut third] = three();
        let [same, ..] = three();
        let mut light = Light::new(same);
        let mut sent: Vec<Vec<u8>> = Vec::new();
        for event in events {
            match event {
                Event::Send(0) => {
                    let message = whole.send(b"mine").unwrap();
                    assert_eq!(light.send(b"mine").unwrap(), message);
                    sent.push(message);
                }
                Event::Send(by) => {
                    let sender = if by == 1 { &mut second } else { &mut third };
                    sent.push(sender.send(b"theirs").unwrap());
                }
                Event::Hear(place) if !sent.is_empty() => {
                    let message = &sent[place % sent.len()];
                    let expected = whole.open(message).map_err(OperationError::from);
                    assert_eq!(light.open(message), expected);
                }
                Event::Hear(_) => {}
                Event::Commit => {
                    let (commit, _) = second.commit_now(CommitOptions::default()).unwrap();
                    whole.receive(&commit).unwrap();
                    third.receive(&commit).unwrap();
                    light.whole(|member| member.receive(&commit).unwrap());
                }
                Event::Reopen => {
                    whole.reopen();
                    light.reopen();
                }
            }
            assert_eq!(light.records, whole.records);
            let reader = light.messenger.reader(&light.records);
            assert_eq!(reader.reserved_generations().unwrap(), whole.group.reserved_generations());
            assert_eq!((light.messenger.epoch(), light.messenger.own_index()), (whole.group.epoch(), LeafIndex::FIRST));
        }
    }
}

#[test]
fn what_the_group_would_not_send_is_not_sent() {
    let [first, ..] = three();
    let mut light = Light::new(first);
    // PM-19
    light.whole(|member| member.propose(ProposalKind::Remove(LeafIndex::new(2))).unwrap());
    assert_eq!(light.send(b"late"), Err(OperationError::CommitRequired));
    let too_long = vec![0; light.host.limits.max_application_data + 1];
    let [second, ..] = three();
    let limit = light.host.limits.max_application_data;
    assert_eq!(Light::new(second).send(&too_long), Err(OperationError::PayloadTooLarge { len: limit + 1, limit }));
}

#[test]
fn who_was_removed_neither_sends_nor_reads() {
    let [first, mut second, mut third] = three();
    let mut light = Light::new(first);
    let hello = third.send(b"hello").unwrap();
    let opened = light.messenger.reader(&light.records).read(&light.host.env(), &hello).unwrap().unwrap();
    let (commit, _) = second.commit_by_value(vec![ProposalKind::Remove(LeafIndex::FIRST)]).unwrap();
    light.whole(|member| member.receive(&commit).unwrap());
    assert_eq!(light.send(b"still there"), Err(ProcessError::NotAMember.into()));
    assert_eq!(light.open(&hello), Err(ProcessError::NotAMember.into()));
    let stale = ProcessError::StaleEpoch { got: 6, current: 6 };
    let recorded = light.messenger.reader(&light.records).record(&light.host.env(), opened.spent);
    assert_eq!(recorded.map(|step| step.bytes()), Err(stale.into()));
}

/// COM-23
#[test]
fn a_group_that_ended_is_not_sent_to() {
    let [first, ..] = three();
    let mut light = Light::new(first);
    let reinit = ReInit {
        group_id: b"next".to_vec().into(),
        version: ProtocolVersion::MLS10,
        cipher_suite: SUITE,
        extensions: Extensions::new(),
    };
    light.whole(|member| member.commit_by_value(vec![ProposalKind::ReInit(reinit)]).unwrap());
    assert_eq!(light.send(b"late"), Err(ProcessError::GroupReInitialized.into()));
}

/// Of two messages worked out from one state, the second to come is refused, as far as it can be told.
#[test]
fn one_generation_is_adopted_once() {
    let [first, ..] = three();
    let mut light = Light::new(first);
    let options = MessageOptions::default();
    let [one, two] =
        [b"one", b"two"].map(|text| light.messenger.send(&light.host.env(), &light.records, text, &options).unwrap());
    light.adopt(one.step);
    let replay = ProcessError::ReplayDetected { leaf: LeafIndex::FIRST, generation: 0 };
    assert_eq!(light.messenger.adopt(two.step), Err(replay));
}

/// X-STATE-05
#[test]
fn records_that_do_not_belong_together_are_refused() {
    let [first, second, _] = three();
    let Light { host, mut records, .. } = Light::new(first);
    for class in [RecordClass::Header, RecordClass::Epoch, RecordClass::Node] {
        let mut without = records.clone();
        without.rows.retain(|key, _| key.class != class);
        assert_eq!(Messenger::open(&host.env(), &without).err(), Some(OperationError::InvalidRecord));
    }
    // Another member's signature key.
    let header = |records: &Records| records.scan(RecordClass::Header, None).pop().unwrap();
    let (key, theirs) = header(&second.records);
    let (_, mut ours) = header(&records);
    let keep = ours.len() - 32;
    ours.truncate(keep);
    ours.extend(&theirs[theirs.len() - 32..]);
    records.rows.insert(key, ours);
    assert_eq!(Messenger::open(&host.env(), &records).err(), Some(OperationError::InvalidRecord));
}
