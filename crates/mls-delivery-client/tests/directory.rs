//! The directory over HTTP: publishing as a member, asking, and services that follow each other.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::{net::SocketAddr, sync::Arc, time::Duration};

use delivery_conformance::rules;
use discovery_conformance::{OTHER, SERVICE, crypto, key, metadata, public, witnessed};
use mls_crypto::{CipherSuite, Secret, SignaturePrivateKey};
use mls_crypto_aws_lc::OsRandom;
use mls_delivery::{
    DeviceKey, GroupId, Limits, MemoryService, Rejection, ServiceCrypto, SystemClock, UserId,
    access::WriteKey,
    ask,
    auth::Gate,
    quota::Rate,
    request::{CreateGroup, Enrol, EpochStart, FetchGroupInfo, Mode},
};
use mls_delivery_client::{Backoff, Connect, DirectoryClient, Identity, Remote, Replica};
use mls_delivery_server::{App, Desk, DeskQuotas, Listen, Quotas, Server};
use mls_discovery::{
    Bounds, Directory, DiscoveryQuery, GroupPublicInfo, MAX_PAGE, MemoryDirectory, Metadata, Since, Trust,
    wire::Publish,
};
use mls_engine::codec::encode;
use tokio::sync::oneshot;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto::aws_lc_rs};

const GROUP: &[u8] = b"the group of this test";

/// A service that runs.
struct Running {
    address: SocketAddr,
    directory: Arc<dyn Directory>,
    end: oneshot::Sender<()>,
    ended: tokio::task::JoinHandle<()>,
}

fn directory(trust: Trust) -> Arc<dyn Directory> {
    Arc::new(MemoryDirectory::new(crypto(), trust, Bounds::default(), &OsRandom).unwrap())
}

/// The key of the service that `rules` makes.
fn service_key() -> (SignaturePrivateKey, Vec<u8>) {
    (key(7), rules(Limits::default()).service_key.public_key().as_slice().to_vec())
}

async fn serve(port: u16, directory: Arc<dyn Directory>, quotas: DeskQuotas) -> Running {
    let rules = rules(Limits::default());
    let gate = Gate::new(rules.crypto.clone(), b"test", Secret::copy_from(&[9; 32]));
    let service = Arc::new(MemoryService::new(rules, Arc::new(SystemClock)));
    let desk = Desk::new(directory.clone(), (crypto(), service_key().0), quotas);
    let app = App::new(service, gate, (Arc::new(SystemClock), Arc::new(OsRandom)), Quotas::default());
    let listen = Listen { drain_time: Duration::from_secs(1), ..Listen::plain(([127, 0, 0, 1], port).into()) };
    let server = Server::bind(listen, Arc::new(app.with_directory(desk))).await.unwrap();
    let (address, (end, told)) = (server.address(), oneshot::channel());
    let ended = tokio::spawn(server.run(async {
        let _told = told.await;
    }));
    Running { address, directory, end, ended }
}

fn tls() -> ClientConfig {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    config.with_root_certificates(RootCertStore::empty()).with_no_client_auth()
}

fn client(address: SocketAddr) -> DirectoryClient {
    DirectoryClient::new(&format!("http://{address}"), tls())
}

fn write_key(seed: u8) -> (WriteKey, SignaturePrivateKey) {
    let crypto = rules(Limits::default()).crypto;
    (WriteKey::new(&crypto, Secret::copy_from(&[seed; 32])).unwrap(), key(seed))
}

/// A device that has founded [`GROUP`], whose write key is that of the seed.
async fn member(running: &Running, seed: u8) -> (Remote, ServiceCrypto) {
    let crypto = rules(Limits::default()).crypto;
    let (private_key, public_key) = crypto.own().signature_generate(&OsRandom).unwrap();
    let device = DeviceKey { cipher_suite: CipherSuite::X25519_AES128, public_key };
    let connect = Connect {
        address: format!("http://{}", running.address),
        service: b"test".to_vec(),
        service_key: None,
        tls: tls(),
        crypto: crypto.clone(),
        random: Arc::new(OsRandom),
        backoff: Backoff { tries: 1, ..Backoff::default() },
    };
    let remote = Remote::connect(connect, Identity { key: device.clone(), private_key }).await.unwrap();
    let enrol = Enrol { user: UserId::new(&[seed]), key: device, invite: Vec::new().into(), voucher: None };
    ask(&remote, remote.device(), enrol).await.unwrap();
    let write_key = write_key(seed).0.public_key().clone();
    let start = EpochStart { write_key, join_token: None, group_info: None, ratchet_tree: None };
    let create = CreateGroup { group_id: GroupId::new(GROUP), epoch: 3, mode: Mode::Private, start };
    let _there = ask(&remote, remote.device(), create).await;
    (remote, crypto)
}

/// A record by the write key of the seed, and what shows that it is the epoch's.
fn publication(crypto: &ServiceCrypto, seed: u8, metadata: &Metadata) -> Publish {
    let (write, private) = write_key(seed);
    let public = write.public_key().as_slice();
    let record = GroupPublicInfo::from_metadata(&self::crypto(), GROUP, metadata, (&private, public)).unwrap();
    let fetch = FetchGroupInfo::by_member(crypto, &write, GroupId::new(GROUP), metadata.epoch).unwrap();
    Publish { record, access: encode(&fetch.access).unwrap().into() }
}

#[tokio::test]
async fn members_publish_and_anybody_finds() {
    let trust = Trust::nobody().in_service(&service_key().1);
    let running = serve(0, directory(trust.clone()), DeskQuotas::default()).await;
    let (remote, crypto) = member(&running, 1).await;
    let published = remote.publish(&publication(&crypto, 1, &metadata("tea", 3))).await.unwrap();
    assert_eq!(published.changed, 1);
    let again = remote.publish(&publication(&crypto, 1, &metadata("tea", 3))).await.unwrap();
    assert_eq!(again.changed, 0);
    let anybody = client(running.address);
    let record = anybody.get(GROUP).await.unwrap().unwrap();
    record.verify(&self::crypto(), &trust).unwrap();
    assert_eq!(record, published.record);
    let query = DiscoveryQuery { name_pattern: Some("t*".into()), ..DiscoveryQuery::default() };
    assert_eq!(anybody.find(&query, None, 10).await.unwrap().records, std::slice::from_ref(&record));
    let query = DiscoveryQuery { name_pattern: Some("c*".into()), ..DiscoveryQuery::default() };
    assert!(anybody.find(&query, None, 10).await.unwrap().records.is_empty());
    let changes = anybody.since(Since::default(), 10).await.unwrap();
    assert_eq!((changes.records, changes.more), (vec![record], 0));
    // Unpublished by a member.
    let (write, private) = write_key(1);
    let mut end = publication(&crypto, 1, &metadata("tea", 3));
    end.record = GroupPublicInfo::tombstone(&self::crypto(), GROUP, 3, &private).unwrap();
    assert_eq!(end.record.publisher(), write.public_key().as_slice());
    assert_eq!(remote.publish(&end).await.unwrap().changed, 1);
    assert_eq!(anybody.get(GROUP).await.unwrap(), None);
}

/// The service vouches for nobody but who may write in the group.
#[tokio::test]
async fn strangers_do_not_publish() {
    let running = serve(0, directory(Trust::nobody().in_service(&service_key().1)), DeskQuotas::default()).await;
    let (_founder, crypto) = member(&running, 1).await;
    let (stranger, _) = member(&running, 2).await;
    let refused = async |publish: Publish| stranger.publish(&publish).await.unwrap_err();
    // A key that is none of the group's; an epoch that is not; a record by another key than the one that is shown.
    assert_eq!(refused(publication(&crypto, 2, &metadata("mine", 3))).await, Rejection::Forbidden);
    assert_eq!(refused(publication(&crypto, 1, &metadata("mine", 9))).await, Rejection::Forbidden);
    let by_founder = publication(&crypto, 1, &metadata("tea", 3));
    let swapped = Publish { record: publication(&crypto, 2, &metadata("mine", 3)).record, ..by_founder.clone() };
    assert_eq!(refused(swapped).await, Rejection::Forbidden);
    let later = Publish { record: publication(&crypto, 1, &metadata("mine", u64::MAX)).record, ..by_founder.clone() };
    assert_eq!(refused(later).await, Rejection::Forbidden);
    let mut changed = by_founder.clone();
    changed.access = b"no access".into();
    assert_eq!(refused(changed).await, Rejection::Malformed);
    // Shown by the founder's key, but not signed by it.
    let mut bytes = by_founder.record.to_bytes().unwrap();
    let at = bytes.windows(3).position(|bytes| bytes == b"tea").unwrap();
    bytes.get_mut(at..).unwrap().first_mut().map(|byte| *byte = b's').unwrap();
    let forged = Publish { record: GroupPublicInfo::from_bytes(&bytes).unwrap(), ..by_founder };
    assert_eq!(refused(forged).await, Rejection::BadSignature);
    assert_eq!(running.directory.since(&Since::default(), 10).unwrap().records, []);
}

#[tokio::test]
async fn questions_and_records_are_counted() {
    let once = Rate { count: 1, period_ms: 3_600_000, burst: 1 };
    let directory = directory(Trust::nobody().in_service(&service_key().1));
    let running = serve(0, directory, DeskQuotas { questions: once, records: once }).await;
    let (remote, crypto) = member(&running, 1).await;
    let limited = |rejection| matches!(rejection, Rejection::RateLimited { .. });
    remote.publish(&publication(&crypto, 1, &metadata("tea", 3))).await.unwrap();
    assert!(limited(remote.publish(&publication(&crypto, 1, &metadata("tea", 3))).await.unwrap_err()));
    let anybody = client(running.address);
    anybody.get(GROUP).await.unwrap();
    assert!(limited(anybody.get(GROUP).await.unwrap_err()));
    assert!(limited(anybody.find(&DiscoveryQuery::default(), None, 1).await.unwrap_err()));
    assert!(limited(anybody.since(Since::default(), 1).await.unwrap_err()));
}

/// Three services, of which two do not see each other for a while.
#[tokio::test]
async fn services_follow_each_other() {
    let trust = || Trust::nobody().in_peer(&public(SERVICE)).in_peer(&public(OTHER));
    let open = || async { serve(0, directory(trust()), DeskQuotas::default()).await };
    let (a, b, c) = (open().await, open().await, open().await);
    for id in 0..5_u8 {
        a.directory.publish(witnessed((&[id], &metadata("tea", 1)), 1, SERVICE)).unwrap();
        c.directory.publish(witnessed((&[id + 100], &metadata("tea", 1)), 1, OTHER)).unwrap();
    }
    let (mut b_of_a, mut b_of_c) = (Replica::new(client(a.address)), Replica::new(client(c.address)));
    let mut c_of_b = Replica::new(client(b.address));
    assert_eq!(b_of_a.round(&b.directory).await.unwrap().taken, 5);
    assert_eq!(b_of_c.round(&b.directory).await.unwrap().taken, 5);
    // What A has reaches C by B.
    assert_eq!(c_of_b.round(&c.directory).await.unwrap().taken, 5);
    assert_eq!(c_of_b.round(&c.directory).await.unwrap().taken, 0);
    // A is away, and both sides go on: one group forks, one ends.
    let Running { address, directory, end, ended } = a;
    end.send(()).unwrap();
    ended.await.unwrap();
    assert_eq!(b_of_a.round(&b.directory).await, Err(Rejection::Unavailable));
    directory.publish(witnessed((&[1], &metadata("left", 2)), 1, SERVICE)).unwrap();
    c.directory.publish(witnessed((&[1], &metadata("right", 2)), 1, OTHER)).unwrap();
    let gone = GroupPublicInfo::tombstone(&crypto(), &[2], 2, &key(1)).unwrap();
    c.directory.publish(gone.witnessed(&crypto(), &key(OTHER)).unwrap()).unwrap();
    b_of_c.round(&b.directory).await.unwrap();
    // It is back.
    let a = serve(address.port(), directory, DeskQuotas::default()).await;
    let mut a_of_b = Replica::new(client(b.address));
    for _ in 0..2 {
        a_of_b.round(&a.directory).await.unwrap();
        b_of_a.round(&b.directory).await.unwrap();
        c_of_b.round(&c.directory).await.unwrap();
    }
    for id in (0..5).chain(100..105) {
        let kept = [&a, &b, &c].map(|node| node.directory.contenders(&[id]).unwrap());
        assert!(kept.iter().all(|records| *records == *kept.first().unwrap()), "group {id}");
        assert_eq!(kept.first().unwrap().len(), if id == 1 { 2 } else { 1 }, "group {id}");
    }
    assert_eq!(a.directory.get(&[2]).unwrap(), None);
}

/// Who sends what is not valid changes nothing, and is soon not listened to.
#[tokio::test]
async fn bad_peers_do_no_harm() {
    // It believes somebody whom nobody else believes.
    let bad = serve(0, directory(Trust::nobody().in_service(&public(66))), DeskQuotas::default()).await;
    for id in 0..600_u16 {
        let by = u8::try_from(id % 250).unwrap();
        bad.directory.publish(witnessed((&id.to_be_bytes(), &metadata("spam", 9)), by, 66)).unwrap();
    }
    let own = directory(Trust::nobody().in_service(&public(SERVICE)).in_peer(&public(OTHER)));
    let good = witnessed((&[1], &metadata("tea", 1)), 1, SERVICE);
    own.publish(good.clone()).unwrap();
    let before = own.since(&Since::default(), 100).unwrap();
    let pulled = Replica::new(client(bad.address)).round(&own).await.unwrap();
    assert_eq!((pulled.taken, pulled.refused, pulled.whole), (0, MAX_PAGE, false));
    assert_eq!(own.since(&Since::default(), 100).unwrap(), before);
    assert_eq!(own.get(&[1]).unwrap(), Some(good));
}
