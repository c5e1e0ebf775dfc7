//! Routers, stores and identities keep their contracts, and hosts over them talk.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, dead_code, reason = "tests")]

#[path = "../examples/chat.rs"]
mod chat;
#[path = "host/identity.rs"]
mod identity;

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use host_conformance::block_on;
use mls_crypto::{CipherSuite, Secret, SignaturePrivateKey, SignaturePublicKey};
use mls_crypto_aws_lc::{AwsLc, OsRandom};
use mls_delivery::{
    DeliveryService, DeviceKey, Enrolment, Limits, MemoryService, ServiceCrypto, SystemClock, UserId, ask,
    receipt::ServiceKey,
    request::Enrol,
    rules::{Rules, StructurePolicy},
};
use mls_discovery::{Bounds, DirectoryCrypto, MemoryDirectory, Trust};
use mls_discovery_sqlite::SqliteDirectory;
use spacepanda_core::core_mls::{
    Client, MlsError, TrustOnFirstUse,
    store::{MemoryStore, OpenOptions, StateStore, Unlock},
};
use spacepanda_host::{
    DeliveryRouter, Host, HostError, HostEvent, MESSAGE, MemoryHostStore, MemoryNetwork, PeerId, PinnedIdentity,
    Recorder, Router, RouterError, SealedHostStore, WELCOME,
};

/// Folders of stores, removed at the end.
struct Folders(PathBuf, AtomicU32);

impl Folders {
    fn new(name: &str) -> Self {
        Self(std::env::temp_dir().join(format!("spacepanda-host-{name}-{}", std::process::id())), AtomicU32::new(0))
    }

    fn next(&self) -> PathBuf {
        let path = self.0.join(self.1.fetch_add(1, Ordering::SeqCst).to_string());
        std::fs::create_dir_all(&path).unwrap();
        path
    }
}

impl Drop for Folders {
    fn drop(&mut self) {
        let _gone = std::fs::remove_dir_all(&self.0);
    }
}

fn crypto() -> DirectoryCrypto {
    DirectoryCrypto::new(&AwsLc::default()).unwrap()
}

fn sqlite(folders: &Folders) -> Arc<dyn StateStore> {
    let unlock = Unlock::raw_key(Secret::copy_from(&[7; 32])).unwrap();
    Arc::new(OpenOptions::new(unlock).open(&folders.next()).unwrap())
}

/// A delivery service in memory, with devices of these names.
fn service(limits: Limits) -> (Arc<MemoryService>, ServiceCrypto) {
    let crypto = ServiceCrypto::new(Arc::new(AwsLc::default())).unwrap();
    let key = SignaturePrivateKey::new(Secret::copy_from(&[7; 32]));
    let rules = Rules {
        service_key: Arc::new(ServiceKey::new(&crypto, key).unwrap()),
        crypto: crypto.clone(),
        limits,
        enrolment: Enrolment::Open,
        policy: StructurePolicy::shared(),
        shares: mls_delivery::quota::Shares::default(),
    };
    (Arc::new(MemoryService::new(rules, Arc::new(SystemClock))), crypto)
}

fn device(service: &Arc<MemoryService>, crypto: &ServiceCrypto, name: &str) -> DeliveryRouter {
    let seed = crypto.digest(name.as_bytes());
    let private = SignaturePrivateKey::new(Secret::copy_from(seed.as_slice()));
    let public_key: SignaturePublicKey = crypto.own().signature_public_key(&private).unwrap();
    let key = DeviceKey { cipher_suite: CipherSuite::X25519_AES128, public_key };
    let device = key.device(crypto).unwrap();
    let enrol = Enrol { user: UserId::new(name.as_bytes()), key, invite: Vec::new().into(), voucher: None };
    let shared: Arc<dyn DeliveryService> = service.clone();
    block_on(ask(shared.as_ref(), device, enrol)).unwrap();
    DeliveryRouter::new(shared, device)
}

#[test]
fn memory_router_conforms() {
    let network = MemoryNetwork::new();
    host_conformance::router(&|name| Arc::new(network.router(PeerId::new(name.as_bytes()))));
}

/// SURF-A: the router over a delivery service.
#[test]
fn delivery_router_conforms() {
    let (service, crypto) = service(Limits { max_direct_entries: 50, ..Limits::default() });
    host_conformance::router(&|name| Arc::new(device(&service, &crypto, name)));
}

#[test]
fn memory_host_store_conforms() {
    host_conformance::store(&|trust| Arc::new(MemoryHostStore::new(crypto(), trust)));
}

/// SURF-B: the store on SQLite, sealed, and the directory on SQLite.
#[test]
fn sqlite_host_store_conforms() {
    let folders = Folders::new("store");
    host_conformance::store(&|trust| {
        let file = folders.next().join("directory.db");
        let directory = SqliteDirectory::open(&file, (crypto(), trust), Bounds::default(), &OsRandom).unwrap();
        Arc::new(SealedHostStore::new(sqlite(&folders), Arc::new(directory)))
    });
}

#[test]
fn sealed_host_store_in_memory_conforms() {
    host_conformance::store(&|trust| {
        let directory = MemoryDirectory::new(crypto(), trust, Bounds::default(), &OsRandom).unwrap();
        Arc::new(SealedHostStore::new(Arc::new(MemoryStore::new()), Arc::new(directory)))
    });
}

#[test]
fn identities_conform() {
    host_conformance::identity(&|name| Arc::new(PinnedIdentity::new(name.as_bytes())));
    let folders = Folders::new("identity");
    host_conformance::identity(&|name| Arc::new(identity::stored(name, sqlite(&folders))));
}

/// SURF-A, SURF-G: three hosts over the router in this process.
#[test]
fn three_hosts_chat() {
    let heard = block_on(chat::chat()).unwrap();
    assert_eq!(heard[0], ["bob: On my way", "carol: Milk, please"]);
    assert_eq!(heard[1], ["(joined)", "alice: Tea is ready", "carol: Milk, please"]);
    assert_eq!(heard[2], ["(joined)", "alice: Tea is ready", "bob: On my way"]);
}

struct Seat {
    host: Host,
    heard: Arc<Recorder>,
    router: Arc<dyn Router>,
}

fn seat(router: impl Router + 'static, name: &str) -> Seat {
    let (router, heard): (Arc<dyn Router>, _) = (Arc::new(router), Arc::new(Recorder::new()));
    let client = Client::new(name.as_bytes(), Arc::new(TrustOnFirstUse::new())).unwrap();
    let records = Arc::new(MemoryHostStore::new(crypto(), Trust::nobody()));
    Seat { host: Host::new(client, router.clone(), records, heard.clone()), heard, router }
}

/// The same host over a delivery service; and what cannot be used is told once, and is in nobody's way.
#[test]
fn hosts_talk_over_a_delivery_service() {
    let (service, crypto) = service(Limits::default());
    let (alice, bob) =
        (seat(device(&service, &crypto, "alice"), "alice"), seat(device(&service, &crypto, "bob"), "bob"));
    alice.host.know(b"bob", bob.router.own());
    bob.host.know(b"alice", alice.router.own());
    let tea = alice.host.client().create_group(Some("tea")).unwrap();
    let package = bob.host.client().generate_key_package().unwrap();
    block_on(alice.host.invite(&tea, b"bob", &package)).unwrap();
    for (method, body) in [(MESSAGE, "no json"), (MESSAGE, "{}"), ("mls.other", "{}")] {
        block_on(alice.router.send_rpc(&bob.router.own(), method, body)).unwrap();
    }
    let welcome = tea.send_message(b"hello").unwrap().to_json().unwrap();
    block_on(alice.router.send_rpc(&bob.router.own(), WELCOME, &welcome)).unwrap();
    block_on(alice.host.send_waiting(&tea)).unwrap();
    while block_on(bob.host.receive()).unwrap() > 0 {}
    let told = bob.heard.take();
    let group_id = tea.group_id();
    assert_eq!(told[0], HostEvent::Joined { group_id: group_id.clone() });
    assert!(told[1..5].iter().all(|event| matches!(event, HostEvent::Refused(_))), "{told:?}");
    assert_eq!(told[4], HostEvent::Refused(MlsError::EnvelopeMismatch("verb")));
    let said = HostEvent::Said { group_id, sender: b"alice".to_vec(), text: b"hello".to_vec() };
    assert_eq!(told[5..], [said]);
}

/// What the router does not take waits, and is sent later: once.
#[test]
fn what_is_not_sent_waits() {
    let network = MemoryNetwork::new();
    let alice = seat(network.router(PeerId::new(b"alice")), "alice");
    let tea = alice.host.client().create_group(Some("tea")).unwrap();
    let bob = Client::new(b"bob", Arc::new(TrustOnFirstUse::new())).unwrap();
    let package = bob.generate_key_package().unwrap();
    assert_eq!(block_on(alice.host.invite(&tea, b"bob", &package)), Err(HostError::UnknownMember));
    assert_eq!((tea.member_count(), tea.pending_proposals().unwrap().len()), (1, 0));
    alice.host.know(b"bob", PeerId::new(b"bob"));
    alice.host.know(b"carol", PeerId::new(b"carol"));
    let mismatch = Err(HostError::Group(MlsError::IdentityMismatch));
    assert_eq!(block_on(alice.host.invite(&tea, b"carol", &package)), mismatch);
    assert_eq!(tea.member_count(), 1);
    let away = Err(HostError::Router(RouterError::UnknownPeer));
    assert_eq!(block_on(alice.host.invite(&tea, b"bob", &package)), away);
    assert_eq!(block_on(alice.host.say(&tea, b"hello")), away);
    assert_eq!(tea.member_count(), 2);
    // It is there now.
    let bobs = network.router(PeerId::new(b"bob"));
    block_on(alice.host.send_waiting(&tea)).unwrap();
    assert!(tea.outbox().unwrap().is_empty());
    block_on(alice.host.send_waiting(&tea)).unwrap();
    let methods: Vec<String> = block_on(bobs.receive()).unwrap().into_iter().map(|rpc| rpc.method).collect();
    assert_eq!(methods, [MESSAGE, WELCOME, MESSAGE]);
}
