//! Groups that can be found, and joined by whoever found them.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, dead_code, reason = "tests")]

#[path = "groups/world.rs"]
mod world;

use std::sync::Arc;

use mls_crypto::{Secret, SignaturePrivateKey};
use mls_crypto_aws_lc::{AwsLc, OsRandom};
use mls_delivery::{DeliveryService, GroupId, Rejection, access::Access, ask, request::FetchGroupInfo};
use mls_discovery::{
    Bounds, Directory, DirectoryCrypto, DiscoveryError, DiscoveryQuery, GroupPublicInfo, MemoryDirectory, Trust,
    wire::Publish,
};
use mls_engine::codec::decode_exact;
use spacepanda_core::core_mls::{
    Client, MlsConfig, MlsHandle,
    store::{MemoryStore, StateStore},
};
use spacepanda_sync::{Account, DeviceTrust, Listing, SyncError};
use world::{World, now};

fn crypto() -> DirectoryCrypto {
    DirectoryCrypto::new(&AwsLc::default()).unwrap()
}

fn account(world: &World, name: &str, external_joins: bool) -> Account {
    let store: Arc<dyn StateStore> = Arc::new(MemoryStore::new());
    let policy = Arc::new(DeviceTrust::open(store.clone()).unwrap());
    let mut config = MlsConfig::interop();
    (config.external_joins, config.own_echo) = (external_joins, false);
    (config.key_package_target, config.key_package_low_water) = (4, 1);
    let client = Client::builder(name.as_bytes(), policy).config(config).store(store).open().unwrap();
    let account = Account::new(client, world.service.clone(), world.crypto.clone(), Arc::new(OsRandom)).unwrap();
    now(account.enrol(b"", None)).unwrap();
    account
}

fn sync(account: &Account) {
    for report in now(account.sync()).unwrap() {
        report.end.unwrap();
    }
}

fn trust(world: &World) -> Trust {
    Trust::nobody().in_service(world.service.capabilities().service_key.as_slice())
}

fn directory(world: &World) -> MemoryDirectory {
    MemoryDirectory::new(crypto(), trust(world), Bounds::default(), &OsRandom).unwrap()
}

/// As the service does it: who may read the GroupInfo may publish, and the service gives its word.
fn publish(world: &World, by: &Account, directory: &MemoryDirectory, publish: Publish) -> GroupPublicInfo {
    let access: Access = decode_exact(publish.access.as_slice()).unwrap();
    let Access::Member { epoch, public_key, .. } = &access else { panic!("no member") };
    assert_eq!((*epoch, public_key.as_slice()), (publish.record.epoch(), publish.record.publisher()));
    let fetch = FetchGroupInfo { group_id: GroupId::new(publish.record.group_id()), access };
    let answer = now(ask(world.service.as_ref(), by.device(), fetch));
    assert!(matches!(answer, Ok(_) | Err(Rejection::NoGroupInfo)));
    let key = SignaturePrivateKey::new(Secret::copy_from(&[7; 32]));
    let record = publish.record.witnessed(&crypto(), &key).unwrap();
    assert!(directory.publish(record.clone()).unwrap());
    record
}

fn said(account: &Account, group: &MlsHandle) -> Vec<Vec<u8>> {
    account.history(group).unwrap().into_iter().map(|said| said.text.as_slice().to_vec()).collect()
}

/// INT-08, INT-09: a live group is published, found by somebody else, and joined; then they talk.
#[test]
fn a_group_is_published_found_and_joined() {
    let world = World::new();
    let (alice, bob) = (account(&world, "alice", true), account(&world, "bob", true));
    let tea = alice.create_group("Tea at five").unwrap();
    sync(&alice);
    let directory = directory(&world);
    let listing = Listing { readable_name: true, joinable: true };
    publish(&world, &alice, &directory, alice.publication(&tea, listing).unwrap());
    let query =
        DiscoveryQuery { name_pattern: Some("tea*".into()), max_members: Some(10), ..DiscoveryQuery::default() };
    let found = directory.query(&query, None, 10).unwrap().records.into_iter().next().unwrap();
    assert_eq!((found.members(), found.group_id()), (1, &tea.group_id()[..]));
    let bobs = now(bob.join_found(&found)).unwrap();
    assert_eq!((bobs.member_count(), bobs.group_name().as_deref()), (2, Some("Tea at five")));
    bob.queue_message(&bobs, b"I found you").unwrap();
    sync(&bob);
    sync(&alice);
    alice.queue_message(&tea, b"Welcome").unwrap();
    sync(&alice);
    sync(&bob);
    assert_eq!(said(&alice, &tea), [&b"I found you"[..], b"Welcome"]);
    assert_eq!(said(&bob, &bobs), said(&alice, &tea));
    assert_eq!(bobs.epoch_authenticator().unwrap(), tea.epoch_authenticator().unwrap());
    // Who joined publishes as well, and the record lets the next one in.
    let carol = account(&world, "carol", true);
    let record = publish(&world, &bob, &directory, bob.publication(&bobs, listing).unwrap());
    assert_eq!(now(carol.join_found(&record)).unwrap().member_count(), 3);
    // The first one is of an epoch that is over.
    let dave = account(&world, "dave", true);
    assert!(matches!(now(dave.join_found(&found)), Err(SyncError::Service(_))));
    assert!(dave.client().groups().unwrap().is_empty());
    // And taken back by whoever is in.
    sync(&alice);
    publish(&world, &alice, &directory, alice.withdrawal(&tea).unwrap());
    assert!(directory.query(&query, None, 10).unwrap().records.is_empty());
}

/// INT-08: nothing is published but what was asked for.
#[test]
fn a_listing_says_what_is_told() {
    let world = World::new();
    let (alice, bob) = (account(&world, "alice", true), account(&world, "bob", true));
    let tea = alice.create_group("Tea at five").unwrap();
    sync(&alice);
    let directory = directory(&world);
    let record = publish(&world, &alice, &directory, alice.publication(&tea, Listing::default()).unwrap());
    let text = String::from_utf8_lossy(&record.to_bytes().unwrap()).into_owned();
    assert!(!text.contains("Tea") && !text.contains("alice"));
    assert_eq!((record.group_info(), record.join_token(), record.name().readable()), (None, None, None));
    assert_eq!(alice.published_name(&tea, &record).unwrap().as_deref(), Some("Tea at five"));
    let refused = now(bob.join_found(&record)).unwrap_err();
    assert_eq!(refused, SyncError::Discovery(DiscoveryError::Mismatch("way in")));
    // A record that no service of ours has seen is not followed, whatever it says.
    let listing = Listing { readable_name: true, joinable: true };
    let bare = alice.publication(&tea, listing).unwrap().record;
    assert_eq!(now(bob.join_found(&bare)).unwrap_err(), SyncError::Discovery(DiscoveryError::Untrusted));
    // A client that allows no external commits opens no group to them.
    let closed = account(&world, "carol", false);
    let other = closed.create_group("closed").unwrap();
    sync(&closed);
    assert!(matches!(closed.publication(&other, listing), Err(SyncError::Group(_))));
}
