//! Caps that the conformance suite does not reach: each at n, and at n + 1.
#![allow(clippy::unwrap_used, clippy::arithmetic_side_effects, reason = "tests")]

use std::sync::Arc;

use delivery_conformance::{Bench, Device, Group, World};
use mls_crypto::Opaque;
use mls_delivery::{
    Clock, DeliveryService, DeviceId, GroupId, Limits, MemoryService, Rejection, UserId,
    request::{ClaimKeyPackages, CommitBundle, CreateGroup, DeliverDirect, Enrol, Invitation, PublishKeyPackages},
    rules::Rules,
};

#[derive(Debug, Default)]
struct Memory(Option<Arc<dyn DeliveryService>>);

impl Bench for Memory {
    fn open(&mut self, rules: Rules, clock: Arc<dyn Clock>) -> Arc<dyn DeliveryService> {
        let service: Arc<dyn DeliveryService> = Arc::new(MemoryService::new(rules, clock));
        self.0 = Some(service.clone());
        service
    }

    fn reopen(&mut self) -> Arc<dyn DeliveryService> {
        self.0.clone().unwrap()
    }

    fn sweep(&self) {}
}

fn with(limits: Limits, test: fn(&World<'_>)) {
    let mut bench = Memory::default();
    test(&World::open(&mut bench, limits));
}

fn length(bytes: &Opaque) -> u64 {
    u64::try_from(bytes.as_slice().len()).unwrap()
}

fn commit(world: &World<'_>, device: &Device, group: &Group, bundle: CommitBundle) -> Result<(), Rejection> {
    world.submit(device, group, 0, bundle).map(|_| ())
}

#[test]
fn a_commit_is_as_long_as_a_handshake_may_be() {
    with(Limits { max_handshake: 80, ..Limits::default() }, |world| {
        let alice = world.device("alice");
        let group = world.group(&alice, "g");
        let short = length(&world.bundle(&group, 0, "").commit);
        let filled = |len: u64| world.bundle(&group, 0, &"x".repeat(usize::try_from(len - short).unwrap()));
        assert_eq!(length(&filled(80).commit), 80);
        let long = commit(world, &alice, &group, filled(81));
        assert_eq!(long, Err(Rejection::TooLarge { len: 81, limit: 80 }));
        let tree = |len| CommitBundle {
            next: mls_delivery::request::EpochStart {
                ratchet_tree: Some(vec![0; len].into()),
                ..world.bundle(&group, 0, "").next
            },
            ..filled(80)
        };
        assert_eq!(commit(world, &alice, &group, tree(81)), Err(Rejection::TooLarge { len: 81, limit: 80 }));
        assert_eq!(commit(world, &alice, &group, tree(80)), Ok(()));
    });
}

#[test]
fn a_bundle_is_as_long_as_a_bundle_may_be() {
    with(Limits { max_bundle: 200, ..Limits::default() }, |world| {
        let alice = world.device("alice");
        let group = world.group(&alice, "g");
        let short = length(&world.bundle(&group, 0, "").commit);
        let with_tree = |total: u64| {
            let mut bundle = world.bundle(&group, 0, "");
            bundle.next.ratchet_tree = Some(vec![0; usize::try_from(total - short).unwrap()].into());
            commit(world, &alice, &group, bundle)
        };
        assert_eq!(with_tree(201), Err(Rejection::TooLarge { len: 201, limit: 200 }));
        assert_eq!(with_tree(200), Ok(()));
    });
}

#[test]
fn a_commit_invites_and_removes_so_many() {
    with(Limits { max_recipients: 2, ..Limits::default() }, |world| {
        let alice = world.device("alice");
        let group = world.group(&alice, "g");
        let others = ["bob", "carol", "dave"].map(|user| world.device(user));
        let many: Vec<DeviceId> = others.iter().map(|device| device.id).collect();
        let refused = Err(Rejection::TooMany { count: 3, limit: 2 });
        let invited = CommitBundle { ..world.inviting(&group, 0, &[&others[0], &others[1], &others[2]]) };
        assert_eq!(commit(world, &alice, &group, invited), refused);
        let removed = CommitBundle { removed: many.clone(), ..world.bundle(&group, 0, "remove") };
        assert_eq!(commit(world, &alice, &group, removed), refused);
        let mut twice = world.inviting(&group, 0, &[&others[0], &others[0]]);
        assert_eq!(commit(world, &alice, &group, twice.clone()), Err(Rejection::Malformed));
        twice.invitations = vec![Invitation { recipients: many[..2].to_vec(), welcome: twice.commit.clone() }];
        assert_eq!(commit(world, &alice, &group, twice), Err(Rejection::WrongKind));
        let fits = CommitBundle { removed: many[..2].to_vec(), ..world.inviting(&group, 0, &[&others[0], &others[1]]) };
        assert_eq!(commit(world, &alice, &group, fits), Ok(()));
    });
}

#[test]
fn names_keys_and_tokens_are_as_long_as_names_may_be() {
    with(Limits { max_name: 40, ..Limits::default() }, |world| {
        let alice = world.device("alice");
        let long = Err(Rejection::TooLarge { len: 41, limit: 40 });
        let group = |len| Group { id: GroupId::new(vec![b'g'; len]) };
        let create = |len| CreateGroup { ..world.create(&group(len)) };
        assert_eq!(world.ask(&alice, create(41)), long);
        assert_eq!(world.ask(&alice, create(40)), Ok(()));
        let epoch = CreateGroup { epoch: 1 << 62, ..create(39) };
        assert_eq!(world.ask(&alice, epoch), Err(Rejection::Malformed));
        let suite = alice.key.cipher_suite;
        let claim = |len| ClaimKeyPackages { user: UserId::new(vec![b'u'; len]), cipher_suite: suite };
        assert_eq!(world.ask(&alice, claim(41)).map(|_| ()), long);
        assert_eq!(world.ask(&alice, claim(40)).map(|_| ()), Err(Rejection::Forbidden));
        let bob = world.stranger("bob");
        let enrol = |user, invite| Enrol {
            user: UserId::new(vec![b'u'; user]),
            key: bob.key.clone(),
            invite: vec![0; invite].into(),
            voucher: None,
        };
        for (user, invite) in [(41, 0), (1, 41)] {
            assert_eq!(world.ask(&bob, enrol(user, invite)).map(|_| ()), long);
        }
        assert_eq!(world.ask(&bob, enrol(40, 40)), Ok(bob.id));
    });
}

#[test]
fn key_packages_and_direct_messages_are_capped() {
    with(Limits { max_key_package: 50, max_message: 60, ..Limits::default() }, |world| {
        let (alice, bob) = (world.device("alice"), world.device("bob"));
        let publish = |len| PublishKeyPackages { key_packages: vec![vec![0; len].into()], last_resort: None };
        let publish = |len| world.ask(&alice, publish(len)).map(|_| ());
        assert_eq!(publish(51), Err(Rejection::TooLarge { len: 51, limit: 50 }));
        assert_eq!(publish(50), Err(Rejection::Malformed));
        let direct = |len: usize| DeliverDirect { recipient: bob.id, message: vec![0; len].into() };
        let direct = |len| world.ask(&alice, direct(len)).map(|_| ());
        assert_eq!(direct(61), Err(Rejection::TooLarge { len: 61, limit: 60 }));
        assert_eq!(direct(60), Err(Rejection::Malformed));
    });
}

#[test]
fn a_user_has_so_many_devices() {
    with(Limits { max_devices: 1, ..Limits::default() }, |world| {
        world.device("alice");
        let second = world.stranger("alice");
        let refused = world.enrol(&second, None, b"");
        assert_eq!(refused, Err(Rejection::TooMany { count: 2, limit: 1 }));
    });
}

#[test]
fn a_mailbox_has_so_many_bytes() {
    with(Limits { max_mailbox_bytes: 40, ..Limits::default() }, |world| {
        let (alice, bob) = (world.device("alice"), world.device("bob"));
        let group = world.group(&alice, "g");
        let welcome = world.inviting(&group, 0, &[&bob]).invitations.remove(0).welcome;
        assert_eq!(length(&welcome), 18);
        // What comes directly has half of it: 20 bytes.
        let direct = || DeliverDirect { recipient: bob.id, message: welcome.clone() };
        world.ask(&alice, direct()).unwrap();
        assert_eq!(world.ask(&alice, direct()), Err(Rejection::MailboxFull { recipient: 0 }));
        world.submit(&alice, &group, 0, world.inviting(&group, 0, &[&bob])).unwrap();
        let second = world.group(&alice, "h");
        let full = commit(world, &alice, &second, world.inviting(&second, 0, &[&bob]));
        assert_eq!(full, Err(Rejection::MailboxFull { recipient: 0 }));
    });
}
