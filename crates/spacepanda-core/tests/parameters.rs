//! What the members of a group are set to, by agreement (CAP-29): each setting at the member that applies it.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects, reason = "tests")]

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use spacepanda_core::core_mls::{
    Client, Clock, MlsConfig, MlsEnvelope, MlsError, MlsHandle, Padding, TrustOnFirstUse,
    roles::{Denied, GroupParameters, GroupPolicy, Right, Role},
    store::MemoryStore,
};

/// A clock that tests move.
#[derive(Debug, Default)]
struct Hands(AtomicU64);

impl Clock for Hands {
    fn now(&self) -> u64 {
        1_000_000 + self.0.load(Ordering::SeqCst)
    }
}

/// Alice's group with Bob in it; Bob's store and clock.
struct Scene {
    alice: MlsHandle,
    bob: MlsHandle,
    store: Arc<MemoryStore>,
    clock: Arc<Hands>,
}

fn agreed(change: impl FnOnce(&mut GroupParameters)) -> GroupPolicy {
    let mut parameters = GroupParameters::default();
    change(&mut parameters);
    let mut policy = GroupPolicy::new(b"alice");
    policy.parameters = Some(parameters);
    policy
}

impl Scene {
    fn new(policy: &GroupPolicy, bobs: impl FnOnce(&mut MlsConfig)) -> Self {
        let (store, clock) = (Arc::new(MemoryStore::new()), Arc::new(Hands::default()));
        let alice = open("alice", Arc::new(MemoryStore::new()), clock.clone(), MlsConfig::interop());
        let alice = alice.create_group_with_policy(None, policy).unwrap();
        let mut config = MlsConfig::interop();
        bobs(&mut config);
        let bob = open("bob", store.clone(), clock.clone(), config);
        alice.propose_add(&bob.generate_key_package().unwrap(), b"bob").unwrap();
        let bob = bob.join_group(&alice.commit().unwrap().1[0]).unwrap();
        Self { alice, bob, store, clock }
    }

    fn agree(change: impl FnOnce(&mut GroupParameters)) -> Self {
        Self::new(&agreed(change), |_| {})
    }

    fn say(&self, times: usize) -> Vec<MlsEnvelope> {
        (0..times).map(|_| self.alice.send_message(b"hello").unwrap()).collect()
    }

    /// Both go on to the next epoch.
    fn next(&self) {
        self.bob.receive_commit(&self.alice.rotate().unwrap()).unwrap();
    }

    /// Bob after a restart.
    fn again(&self) -> Client {
        open("bob", self.store.clone(), self.clock.clone(), MlsConfig::interop())
    }
}

fn open(name: &str, store: Arc<MemoryStore>, clock: Arc<Hands>, config: MlsConfig) -> Client {
    let builder = Client::builder(name.as_bytes(), Arc::new(TrustOnFirstUse::new())).config(config);
    builder.store(store).clock(clock).open().unwrap()
}

const TOO_LATE: &str = "the key of a message that came too late is gone";

/// EPO-03
#[test]
fn past_epochs_are_as_many_as_agreed() {
    let scene = Scene::agree(|agreed| agreed.max_past_epochs = 1);
    let early = scene.say(2);
    scene.next();
    scene.bob.receive_message(&early[0]).unwrap();
    scene.next();
    assert!(matches!(scene.bob.receive_message(&early[1]), Err(MlsError::EpochMismatch { .. })));
    // Alone she reads three epochs back.
    let scene = Scene::new(&GroupPolicy::new(b"alice"), |_| {});
    let early = scene.say(1);
    (0..3).for_each(|_| scene.next());
    scene.bob.receive_message(&early[0]).unwrap();
}

/// EPO-03
#[test]
fn past_epochs_end_as_early_as_agreed() {
    let scene = Scene::agree(|agreed| agreed.max_past_epoch_age = 100);
    let early = scene.say(2);
    scene.next();
    scene.clock.0.store(100, Ordering::SeqCst);
    assert!(!scene.bob.expire().unwrap());
    scene.bob.receive_message(&early[0]).unwrap();
    scene.clock.0.store(101, Ordering::SeqCst);
    assert!(scene.bob.expire().unwrap());
    assert!(matches!(scene.bob.receive_message(&early[1]), Err(MlsError::EpochMismatch { .. })));
}

/// PM-12, CAP-23: at an open group, and at one that is not.
#[test]
fn late_messages_are_as_few_as_agreed() {
    let scene = Scene::agree(|agreed| agreed.out_of_order_window = 2);
    let said = scene.say(10);
    scene.bob.receive_message(&said[4]).unwrap();
    assert!(scene.bob.receive_message(&said[1]).is_err(), "{TOO_LATE}");
    scene.bob.receive_message(&said[2]).unwrap();
    let closed = scene.again();
    closed.handle_incoming(&said[9]).unwrap();
    assert!(closed.handle_incoming(&said[6]).is_err(), "{TOO_LATE}");
    closed.handle_incoming(&said[7]).unwrap();
}

/// PM-11, CAP-23: at an open group, and at one that is not.
#[test]
fn nobody_runs_further_ahead_than_agreed() {
    let scene = Scene::agree(|agreed| agreed.max_forward_distance = 2);
    let said = scene.say(10);
    assert!(matches!(scene.bob.receive_message(&said[3]), Err(MlsError::TooFarAhead { .. })));
    scene.bob.receive_message(&said[2]).unwrap();
    let closed = scene.again();
    assert!(matches!(closed.handle_incoming(&said[6]), Err(MlsError::TooFarAhead { .. })));
    closed.handle_incoming(&said[5]).unwrap();
}

/// Keys are renewed as often as agreed, or more often.
#[test]
fn keys_are_renewed_as_often_as_agreed() {
    let scene = Scene::agree(|agreed| agreed.rotation_interval = 1_000);
    let begun = scene.bob.metadata().created_at;
    assert!((begun + 1_000..=begun + 1_125).contains(&scene.bob.next_rotation()));
    scene.clock.0.store(999, Ordering::SeqCst);
    assert!(!scene.bob.rotation_due());
    scene.clock.0.store(1_000, Ordering::SeqCst);
    assert!(scene.bob.rotation_due());
}

/// Section 15.1: messages, handshakes and beacons, of an open group and of one that is not.
#[test]
fn lengths_are_hidden_as_agreed() {
    let scene = Scene::agree(|agreed| agreed.padding = Padding::Step(2_000));
    let len = |envelope: &MlsEnvelope| envelope.payload().len();
    let said = scene.bob.send_message(b"yes").unwrap();
    assert!(len(&said) >= 2_000);
    assert_eq!(len(&scene.bob.send_message(&[7; 1_500]).unwrap()), len(&said));
    assert_eq!(len(&scene.again().send_message(&scene.bob.group_id(), b"no").unwrap()), len(&said));
    assert!(len(&scene.bob.send_beacon().unwrap()) >= 2_000);
    assert!(len(&scene.bob.propose_update().unwrap()) >= 2_000);
    assert!(len(&scene.alice.rotate().unwrap()) >= 2_000);
}

/// A client that is set stricter stays so, and one that is set looser does not: setting by setting.
#[test]
fn the_stricter_of_two_settings_counts() {
    let strict = |config: &mut MlsConfig| {
        (config.max_past_epochs, config.max_past_epoch_age) = (1, 50);
        (config.out_of_order_window, config.max_forward_distance) = (5, 6);
        (config.rotation_interval, config.padding) = (70, Padding::Step(64));
    };
    let agreed = |agreed: &mut GroupParameters| {
        *agreed = GroupParameters {
            max_past_epochs: 2,
            max_past_epoch_age: 60,
            out_of_order_window: 7,
            max_forward_distance: 8,
            rotation_interval: 90,
            padding: Padding::Step(32),
        }
    };
    let stricter = Scene::new(&self::agreed(agreed), strict).bob.parameters();
    let own = GroupParameters {
        max_past_epochs: 1,
        max_past_epoch_age: 50,
        out_of_order_window: 5,
        max_forward_distance: 6,
        rotation_interval: 70,
        padding: Padding::Step(64),
    };
    assert_eq!(stricter, own);
    let policy = self::agreed(agreed);
    assert_eq!(Scene::new(&policy, |_| {}).bob.parameters(), policy.parameters.unwrap());
    let strictly = |config: &mut MlsConfig| config.strict_epoch_check = true;
    assert_eq!(Scene::new(&policy, strictly).bob.parameters().max_past_epochs, 0);
    // Where the group asks for none, each pads as it likes; where it asks for another kind, as the group does.
    let none = self::agreed(|agreed| agreed.padding = Padding::None);
    assert_eq!(Scene::new(&none, |_| {}).bob.parameters().padding, Padding::Bucketed);
    assert_eq!(Scene::new(&policy, |_| {}).bob.parameters().padding, Padding::Step(32));
}

/// They change by commit, for everybody at once, by whoever may configure the group, and stay after a restart.
#[test]
fn settings_change_with_the_commit() {
    let scene = Scene::new(&GroupPolicy::new(b"alice"), |_| {});
    let before = scene.bob.parameters();
    let tight = GroupParameters { out_of_order_window: 3, ..GroupParameters::default() };
    let denied = Err(MlsError::Denied(Denied::Right(Right::Configure)));
    assert_eq!(scene.bob.propose_parameters(Some(tight)), denied);
    let unbound = GroupParameters { max_past_epochs: 65, ..GroupParameters::default() };
    assert_eq!(scene.alice.propose_parameters(Some(unbound)), Err(MlsError::Denied(Denied::Policy)));
    assert!(scene.alice.pending_proposals().unwrap().is_empty());

    let proposal = scene.alice.propose_parameters(Some(tight)).unwrap();
    scene.bob.receive_proposal(&proposal).unwrap();
    assert_eq!(scene.bob.parameters(), before);
    scene.bob.receive_commit(&scene.alice.commit().unwrap().0).unwrap();
    for group in [&scene.alice, &scene.bob, &scene.again().group(&scene.bob.group_id()).unwrap()] {
        assert_eq!(group.policy().unwrap().unwrap().parameters, Some(tight));
        assert_eq!(group.parameters().out_of_order_window, 3);
    }
    assert_eq!(scene.bob.policy().unwrap().unwrap().role(b"alice"), Role::Owner);
    let proposal = scene.alice.propose_parameters(None).unwrap();
    scene.bob.receive_proposal(&proposal).unwrap();
    scene.bob.receive_commit(&scene.alice.commit().unwrap().0).unwrap();
    assert_eq!(scene.bob.parameters(), before);
    // Without a policy there is nothing to agree in.
    let loose = scene.again().create_group(None).unwrap();
    assert_eq!(loose.propose_parameters(Some(tight)), Err(MlsError::Denied(Denied::Policy)));
}
