//! A watch pushes where it can, asks where it cannot, and misses nothing when the line breaks.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use delivery_conformance::{private_message, rules};
use mls_crypto::{CipherSuite, Secret};
use mls_crypto_aws_lc::OsRandom;
use mls_delivery::{
    Clock, DeliveryService, DeviceKey, GroupId, Limits, MemoryService, SystemClock, UserId, Watch, ask,
    auth::Gate,
    hub::Topic,
    request::{AcknowledgeMailbox, DeliverDirect, Enrol},
};
use mls_delivery_client::{Backoff, Connect, Identity, Remote};
use mls_delivery_server::{App, Listen, Metrics, Quotas, Server};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional},
    net::{TcpListener, TcpStream},
    sync::watch,
    time::timeout,
};
use tokio_rustls::rustls::{self, ClientConfig};

const LONG: Duration = Duration::from_secs(20);

/// A proxy that lets no WebSocket through if it is told so, and can cut all lines.
struct Proxy {
    address: SocketAddr,
    no_push: Arc<AtomicBool>,
    cut: watch::Sender<u32>,
}

async fn proxy(target: SocketAddr) -> Proxy {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (no_push, cut) = (Arc::new(AtomicBool::new(false)), watch::Sender::new(0));
    let (refuses, cuts) = (no_push.clone(), cut.clone());
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let (refuses, mut cut) = (refuses.clone(), cuts.subscribe());
            tokio::spawn(async move {
                let mut first = [0; 4_096];
                let count = stream.read(&mut first).await.unwrap_or_default();
                let first = first.get(..count).unwrap();
                if refuses.load(Ordering::SeqCst) && first.starts_with(b"GET /v1/push") {
                    let _sent = stream.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n").await;
                    return;
                }
                let mut onward = TcpStream::connect(target).await.unwrap();
                onward.write_all(first).await.unwrap();
                tokio::select! {
                    _ended = copy_bidirectional(&mut stream, &mut onward) => {}
                    _cut = cut.changed() => {}
                }
            });
        }
    });
    Proxy { address, no_push, cut }
}

/// A service behind a proxy, and an enrolled device.
struct World {
    service: Arc<MemoryService>,
    metrics: Arc<Metrics>,
    proxy: Proxy,
    alice: Remote,
}

impl World {
    async fn new() -> Self {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let rules = rules(Limits::default());
        let crypto = rules.crypto.clone();
        let service = Arc::new(MemoryService::new(rules, clock.clone()));
        let gate = Gate::new(crypto.clone(), b"push", Secret::copy_from(&[3; 32]));
        let app = Arc::new(App::new(service.clone(), gate, (clock, Arc::new(OsRandom)), Quotas::default()));
        let metrics = app.metrics().clone();
        let server = Server::bind(Listen::plain(([127, 0, 0, 1], 0).into()), app).await.unwrap();
        let proxy = proxy(server.address()).await;
        tokio::spawn(server.run(std::future::pending()));
        let (private_key, public_key) = crypto.own().signature_generate(&OsRandom).unwrap();
        let key = DeviceKey { cipher_suite: CipherSuite::X25519_AES128, public_key };
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let connect = Connect {
            address: format!("http://{}", proxy.address),
            service: b"push".to_vec(),
            service_key: None,
            tls: builder.with_root_certificates(rustls::RootCertStore::empty()).with_no_client_auth(),
            crypto,
            random: Arc::new(OsRandom),
            backoff: Backoff { first: Duration::from_millis(1), ..Backoff::default() },
        };
        let alice = Remote::connect(connect, Identity { key: key.clone(), private_key }).await.unwrap();
        let enrol = Enrol { user: UserId::new(b"alice"), key, invite: b"".into(), voucher: None };
        ask(&alice, alice.device(), enrol).await.unwrap();
        Self { service, metrics, proxy, alice }
    }

    /// Puts something into the mailbox, past the proxy.
    async fn deliver(&self) {
        let recipient = self.alice.device();
        let message = private_message(&GroupId::new(b"x"), 0, "direct").into();
        ask(self.service.as_ref(), recipient, DeliverDirect { recipient, message }).await.unwrap();
    }

    async fn told(&self, watch: &mut Box<dyn Watch>) {
        let topics = timeout(LONG, watch.next()).await.expect("nothing is told");
        assert_eq!(topics, [Topic::Mailbox(self.alice.device())]);
    }

    fn count(&self, series: &str) -> u64 {
        let text = self.metrics.render();
        let line = text.lines().find(|line| line.starts_with(series)).unwrap();
        line.rsplit(' ').next().unwrap().parse().unwrap()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watch_is_pushed() {
    let world = World::new().await;
    let mut watch = world.alice.watch(vec![Topic::Mailbox(world.alice.device())]);
    world.told(&mut watch).await;
    for _ in 0..3 {
        world.deliver().await;
        world.told(&mut watch).await;
    }
    assert_eq!((world.count("delivery_pushes_total"), world.count("delivery_watches_total")), (1, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_no_socket_gets_through_it_is_asked() {
    let world = World::new().await;
    world.proxy.no_push.store(true, Ordering::SeqCst);
    let mut watch = world.alice.watch(vec![Topic::Mailbox(world.alice.device())]);
    world.told(&mut watch).await;
    world.deliver().await;
    world.told(&mut watch).await;
    assert_eq!((world.count("delivery_pushes_total"), world.count("delivery_watches_total")), (0, 2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_missed_when_the_line_breaks() {
    let world = World::new().await;
    let mut watch = world.alice.watch(vec![Topic::Mailbox(world.alice.device())]);
    world.told(&mut watch).await;
    for _ in 0..3 {
        world.proxy.cut.send_modify(|cut| *cut = cut.wrapping_add(1));
        world.deliver().await;
        world.told(&mut watch).await;
    }
    // And once for each: what is known is not told again.
    let acknowledge = AcknowledgeMailbox { seq: mls_delivery::Seq::new(3) };
    ask(&world.alice, world.alice.device(), acknowledge).await.unwrap();
    assert!(timeout(Duration::from_millis(200), watch.next()).await.is_err());
}
