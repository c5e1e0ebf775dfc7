//! Who watches a client sees what happens in it, and nothing of what is said or by whom.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects, reason = "tests")]

use std::{
    fmt,
    sync::{Arc, Mutex, OnceLock},
    thread::{self, ThreadId},
};

use spacepanda_core::core_mls::{
    Client, Counter, GroupChange, Measure, MemoryRecorder, MlsConfig, MlsError, MlsHandle, TrustOnFirstUse,
};
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};

const WORDS: &[u8] = b"attack at dawn, says nobody";
const NAMES: [&[u8]; 3] = [b"alice of wonderland", b"bob the builder", b"carol of the bells"];
const TITLE: &str = "the secret garden";

fn open(name: &[u8], recorder: &Arc<MemoryRecorder>) -> Client {
    let builder = Client::builder(name, Arc::new(TrustOnFirstUse::new())).config(MlsConfig::interop());
    builder.recorder(recorder.clone()).open().unwrap()
}

/// Everything that is counted happens: alice's numbers, and her group.
fn scenario(recorder: &Arc<MemoryRecorder>) -> MlsHandle {
    let alice = open(NAMES[0], recorder);
    let [bob, carol] = [1, 2].map(|number| open(NAMES[number], &Arc::default()));
    let group = alice.create_group(Some(TITLE)).unwrap();
    let add = |client: &Client| GroupChange::Add(client.generate_key_package().unwrap());
    let (_, welcomes) = group.commit_changes(&[add(&bob), add(&carol)]).unwrap();
    let joined: Vec<_> =
        [&bob, &carol].iter().zip(&welcomes).map(|(who, welcome)| who.join_group(welcome).unwrap()).collect();
    let said = joined[0].send_message(WORDS).unwrap();
    group.receive_message(&said).unwrap();
    assert!(matches!(group.receive_message(&said), Err(MlsError::ReplayDetected { .. })));
    let mut forged = joined[0].send_message(WORDS).unwrap().payload().to_vec();
    *forged.last_mut().unwrap() ^= 1;
    let forged = spacepanda_core::core_mls::MlsEnvelope::wrap_application(forged).unwrap();
    assert!(matches!(group.receive_message(&forged), Err(MlsError::CryptoError(_))));
    group.send_message(WORDS).unwrap();
    let rotation = joined[0].rotate().unwrap();
    group.receive_commit(&rotation).unwrap();
    joined[1].receive_commit(&rotation).unwrap();
    // Bob goes a way of his own, and says so.
    joined[0].rotate().unwrap();
    group.commit_changes(&[GroupChange::Remove(2), GroupChange::Rename(format!("{TITLE}, closed"))]).unwrap();
    group.hear_beacon(&joined[0].beacon().unwrap()).unwrap();
    assert!(group.send_message(&vec![0; 2 << 20]).is_err());
    // Another group is joined, and both are left.
    let other = carol.create_group(None).unwrap();
    let (_, welcomes) = other.commit_changes(&[add(&alice)]).unwrap();
    let there = alice.join_group(&welcomes[0]).unwrap();
    let (removal, _) = other.commit_changes(&[GroupChange::Remove(1)]).unwrap();
    assert!(there.receive_commit(&removal).is_err());
    group
}

/// DEP-20, DEP-54: each series moves, by as much as happened.
#[test]
fn every_series_moves() {
    let recorder = Arc::new(MemoryRecorder::new());
    scenario(&recorder);
    let expected = [
        (Counter::GroupsCreated, 1),
        (Counter::GroupsJoined, 1),
        (Counter::GroupsLeft, 1),
        (Counter::MessagesSealed, 1),
        (Counter::MessagesOpened, 1),
        (Counter::CommitsMade, 2),
        (Counter::EpochsAdvanced, 3),
        (Counter::MembersAdded, 2),
        (Counter::MembersRemoved, 1),
        (Counter::Replays, 1),
        (Counter::FailedDecryptions, 1),
        (Counter::Forks, 1),
        (Counter::Errors("replay_detected"), 1),
        (Counter::Errors("crypto_error"), 1),
        (Counter::Errors("too_large"), 1),
    ];
    for (counter, count) in expected {
        assert_eq!(recorder.counted(counter), count, "{counter:?}");
    }
    for measure in [Measure::SealMicros, Measure::OpenMicros, Measure::CommitMicros, Measure::GroupSize] {
        assert!(recorder.measured(measure).count > 0, "{measure:?}");
    }
    // Sizes: 1 created, 3, 3, 2, and 2 of the group that was joined.
    let sizes = recorder.measured(Measure::GroupSize);
    assert_eq!((sizes.count, sizes.sum, sizes.within[0]), (5, 11, 3));
    let page = recorder.to_prometheus();
    for line in
        ["spacepanda_replays_total 1", "spacepanda_errors_total{code=\"too_large\"} 1", "spacepanda_group_size_sum 11"]
    {
        assert!(page.lines().any(|known| known == line), "{line} is not in\n{page}");
    }
}

/// A group that is not open counts as one that is.
#[test]
fn a_closed_group_counts() {
    let recorder = Arc::new(MemoryRecorder::new());
    let store = Arc::new(spacepanda_core::core_mls::store::MemoryStore::new());
    let policy = Arc::new(TrustOnFirstUse::new());
    let open = || Client::builder(NAMES[0], policy.clone()).config(MlsConfig::interop()).store(store.clone());
    let bob = Client::builder(NAMES[1], policy.clone()).config(MlsConfig::interop()).open().unwrap();
    let group = open().open().unwrap().create_group(None).unwrap();
    let (_, welcomes) = group.commit_changes(&[GroupChange::Add(bob.generate_key_package().unwrap())]).unwrap();
    let bobs = bob.join_group(&welcomes[0]).unwrap();
    let alice = open().recorder(recorder.clone()).open().unwrap();
    alice.send_message(&bobs.group_id(), WORDS).unwrap();
    alice.handle_incoming(&bobs.send_message(WORDS).unwrap()).unwrap();
    assert_eq!((recorder.counted(Counter::MessagesSealed), recorder.counted(Counter::MessagesOpened)), (1, 1));
}

/// Every event with all its fields, as text.
#[derive(Clone, Default)]
struct Capture(Arc<Mutex<Vec<(ThreadId, String)>>>);

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0 += &format!(" {}={value:?}", field.name());
    }
}

impl Subscriber for Capture {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut line = Line(span.metadata().name().to_owned());
        span.record(&mut line);
        self.0.lock().unwrap().push((thread::current().id(), line.0));
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        let mut line = Line(String::new());
        values.record(&mut line);
        self.0.lock().unwrap().push((thread::current().id(), line.0));
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut line = Line(format!("{} {}", event.metadata().level(), event.metadata().target()));
        event.record(&mut line);
        self.0.lock().unwrap().push((thread::current().id(), line.0));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// What was told on this thread meanwhile. One subscriber for all tests: what one of them is told to leave out, all would.
fn told_by<T>(work: impl FnOnce() -> T) -> (T, Vec<String>) {
    static CAPTURE: OnceLock<Capture> = OnceLock::new();
    let capture = CAPTURE.get_or_init(|| {
        let capture = Capture::default();
        tracing::subscriber::set_global_default(capture.clone()).unwrap();
        capture
    });
    let value = work();
    let lines = capture.0.lock().unwrap();
    let own = lines.iter().filter(|(told_on, _)| *told_on == thread::current().id());
    (value, own.map(|(_, line)| line.clone()).collect())
}

/// DEP-22: lifecycle, changes of members, what concerns security, and errors are told; at TRACE too nothing is told of what
/// was said, by whom, in which group, or with which key.
#[test]
fn logs_tell_what_happened_and_no_more() {
    let (group, lines) = told_by(|| scenario(&Arc::default()));
    let told = |what: &str| lines.iter().any(|line| line.contains(what));
    let expected = [
        "group created",
        "group joined",
        "group left",
        "epoch began",
        "member added",
        "member removed",
        "group context changed",
        "message sealed",
        "message opened",
        "replay",
        "not decrypted or not authentic",
        "fork",
        "failed:",
    ];
    for what in expected {
        assert!(told(what), "no event says {what:?}:\n{}", lines.join("\n"));
    }
    let exported = group.export_secret("test", b"", 32).unwrap();
    let mut hidden: Vec<Vec<u8>> = NAMES.map(<[u8]>::to_vec).into();
    hidden.extend([WORDS.to_vec(), TITLE.as_bytes().to_vec(), group.group_id(), exported.as_slice().to_vec()]);
    hidden.push(group.epoch_authenticator().unwrap());
    hidden.push(group.client().signature_private_key().secret().as_slice().to_vec());
    hidden.push(group.client().signature_key().to_vec());
    for secret in hidden {
        let hex: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
        let list = secret[..4].iter().map(|byte| byte.to_string()).collect::<Vec<_>>().join(", ");
        for form in [String::from_utf8_lossy(&secret).into_owned(), hex[..12].to_owned(), list] {
            assert!(!told(&form), "{form:?} is in a log");
        }
    }
}

/// The name of a group in a log is another one on another day, and at another client.
#[test]
fn groups_cannot_be_followed_through_logs() {
    #[derive(Debug, Default)]
    struct Day(std::sync::atomic::AtomicU64);
    impl spacepanda_core::core_mls::Clock for Day {
        fn now(&self) -> u64 {
            self.0.load(std::sync::atomic::Ordering::SeqCst)
        }
    }
    let clock = Arc::new(Day::default());
    let open = || Client::builder(NAMES[0], Arc::new(TrustOnFirstUse::new())).clock(clock.clone()).open().unwrap();
    let ((), lines) = told_by(|| {
        let group = open().create_group(None).unwrap();
        for day in [0, 1, 86_400] {
            clock.0.store(day, std::sync::atomic::Ordering::SeqCst);
            group.send_message(b"").unwrap();
        }
    });
    let tags: Vec<_> = lines.iter().filter(|line| line.contains("sealed")).collect();
    assert_eq!(tags[0], tags[1]);
    assert_ne!(tags[1], tags[2]);
}
