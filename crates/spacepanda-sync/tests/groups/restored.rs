//! A device is lost, and a home is made anew out of its backup.

use std::sync::{Arc, Mutex};

use mls_crypto_aws_lc::OsRandom;
use spacepanda_core::core_mls::{
    Client,
    store::{FileKey, MemoryStore, StateStore},
};
use spacepanda_sync::{Account, InviteCode, News};

use crate::world::{Line, Person, World, agree, builder, group_of, now};

fn restored(world: &World, backup: &[u8], key: &FileKey) -> Person {
    let store: Arc<dyn StateStore> = Arc::new(MemoryStore::new());
    assert_eq!(Client::identity_in_backup(backup, key).unwrap(), b"bob");
    let client = builder("bob", &store).restore_backup(backup, key).unwrap();
    let line = Arc::new(Line { service: Mutex::new(Some(world.service.clone())), ..Line::default() });
    let account = Account::new(client, line.clone(), world.crypto.clone(), Arc::new(OsRandom)).unwrap();
    Person { account, line, store, name: "bob", crypto: world.crypto.clone() }
}

/// Whoever is in the group lets the new state in, in place of the one that is lost; what was said before the backup is there.
#[test]
fn a_restored_device_takes_the_place_of_the_lost_one() {
    let world = World::new();
    let mut people = group_of(&world, &["bob", "carol"]);
    let [alice, bob, carol] = people.as_mut_slice() else { panic!("three") };
    alice.say("before the backup");
    alice.sync();
    bob.sync();
    let key = FileKey::passphrase("correct horse battery staple".to_owned());
    let backup = bob.account.client().export_backup(&key).unwrap();
    alice.say("after the backup");
    alice.sync();
    let bob = restored(&world, &backup, &key);
    assert_eq!(bob.account.client().groups_to_rejoin().unwrap().len(), 1);
    assert_eq!(bob.sync(), []);
    let expires = crate::world::wall().saturating_add(60);
    let (_, code) = alice.account.invite(&alice.group(), 1, expires, Some(b"bob")).unwrap();
    let code = InviteCode::from_text(&code.to_text().unwrap()).unwrap();
    now(bob.account.ask_to_join(&code)).unwrap();
    let before = alice.group().epoch();
    alice.sync();
    alice.sync();
    assert_eq!(alice.group().epoch(), before.saturating_add(1), "once");
    assert!(bob.sync().contains(&News::Joined));
    assert_eq!(bob.account.client().groups_to_rejoin().unwrap(), []);
    bob.say("here again");
    bob.sync();
    alice.sync();
    carol.sync();
    assert_eq!(carol.members().len(), 3);
    assert_eq!(bob.texts(), ["before the backup", "here again"]);
    assert_eq!(carol.texts(), ["before the backup", "after the backup", "here again"]);
    agree(&[alice, carol]);
    assert_eq!(bob.group().epoch_authenticator(), alice.group().epoch_authenticator());
}

/// The process that lets it in ends at any request.
#[test]
fn a_cut_while_letting_in_loses_nothing() {
    for done in [false, true] {
        for requests in 0..8 {
            let world = World::new();
            let mut people = group_of(&world, &["bob"]);
            let [alice, bob] = people.as_mut_slice() else { panic!("two") };
            let key = FileKey::passphrase("correct horse battery staple".to_owned());
            let backup = bob.account.client().export_backup(&key).unwrap();
            let bob = restored(&world, &backup, &key);
            let (_, code) =
                alice.account.invite(&alice.group(), 1, crate::world::wall().saturating_add(60), None).unwrap();
            now(bob.account.ask_to_join(&code)).unwrap();
            alice.cut_after(requests, done);
            let _cut = now(alice.account.sync());
            alice.restart();
            alice.mend();
            alice.sync();
            bob.sync();
            bob.say("here again");
            bob.sync();
            alice.sync();
            assert_eq!(alice.texts(), ["here again"], "cut after {requests}, done: {done}");
            assert_eq!(alice.members(), ["alice", "bob"]);
        }
    }
}
