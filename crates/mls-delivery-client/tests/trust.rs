//! A client believes no commit without a receipt, and asks again where that may help.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use delivery_conformance::{Bench, Device, Group, World};
use mls_crypto::{Secret, SignaturePrivateKey};
use mls_crypto_aws_lc::OsRandom;
use mls_delivery::{
    BoxFuture, Capabilities, Clock, DeliveryService, DeviceId, Digest, GroupId, Limits, MemoryService, Rejection, Seq,
    SystemClock, UserId, Watch, ask,
    auth::Gate,
    hub::Topic,
    receipt::ServiceKey,
    reply::{Committed, Reply},
    request::{Enrol, Request},
    rules::Rules,
};
use mls_delivery_client::{Backoff, Connect, Identity, Remote};
use mls_delivery_server::{App, Listen, Quotas, Server};
use tokio_rustls::rustls::{self, ClientConfig};

/// A service that is not available for some requests, and changes what it says of commits.
#[derive(Debug)]
struct Odd {
    inner: MemoryService,
    rules: Rules,
    away: AtomicU32,
    lie: AtomicU32,
}

impl Odd {
    fn distort(&self, committed: Committed) -> Committed {
        let crypto = &self.rules.crypto;
        let mut ruling = committed.receipt.ruling.clone();
        let mut seq = committed.seq;
        let mut key = Arc::clone(&self.rules.service_key);
        match self.lie.load(Ordering::SeqCst) {
            0 => return committed,
            1 => {
                let seed = SignaturePrivateKey::new(Secret::copy_from(&[8; 32]));
                key = Arc::new(ServiceKey::new(crypto, seed).unwrap());
            }
            2 => ruling.digest = Digest::new([9; 32]),
            3 => ruling.group_id = GroupId::new(b"another"),
            _ => seq = Seq::new(77),
        }
        Committed { seq, receipt: key.sign(crypto, ruling).unwrap() }
    }
}

impl DeliveryService for Odd {
    fn call(&self, caller: DeviceId, request: Request) -> BoxFuture<'_, Result<Reply, Rejection>> {
        Box::pin(async move {
            let left = self.away.load(Ordering::SeqCst);
            if left > 0 {
                self.away.store(left.saturating_sub(1), Ordering::SeqCst);
                return Err(Rejection::Unavailable);
            }
            match self.inner.call(caller, request).await? {
                Reply::Committed(committed) => Ok(Reply::Committed(self.distort(committed))),
                other => Ok(other),
            }
        })
    }

    fn watch(&self, topics: Vec<Topic>) -> Box<dyn Watch> {
        self.inner.watch(topics)
    }

    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }
}

/// Makes what is sent.
#[derive(Debug)]
struct Author;

impl Bench for Author {
    fn open(&mut self, rules: Rules, clock: Arc<dyn Clock>) -> Arc<dyn DeliveryService> {
        Arc::new(MemoryService::new(rules, clock))
    }

    fn reopen(&mut self) -> Arc<dyn DeliveryService> {
        panic!("not reopened here")
    }

    fn sweep(&self) {}
}

async fn connect(world: &World<'_>, device: &Device) -> (Arc<Odd>, Remote) {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let (rules, crypto) = (world.rules.clone(), world.rules.crypto.clone());
    let inner = MemoryService::new(rules.clone(), clock.clone());
    let odd = Arc::new(Odd { inner, rules, away: AtomicU32::new(0), lie: AtomicU32::new(0) });
    let gate = Gate::new(crypto.clone(), b"trust", Secret::copy_from(&[3; 32]));
    let app = App::new(odd.clone(), gate, (clock, Arc::new(OsRandom)), Quotas::default());
    let server = Server::bind(Listen::plain(([127, 0, 0, 1], 0).into()), Arc::new(app)).await.unwrap();
    let address = format!("http://{}", server.address());
    tokio::spawn(server.run(std::future::pending()));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let connect = Connect {
        address,
        service: b"trust".to_vec(),
        service_key: None,
        tls: builder.with_root_certificates(rustls::RootCertStore::empty()).with_no_client_auth(),
        crypto,
        random: Arc::new(OsRandom),
        backoff: Backoff { tries: 4, first: Duration::from_millis(1), longest: Duration::from_millis(4) },
    };
    let identity = Identity { key: device.key.clone(), private_key: device.private_key.duplicate() };
    let remote = Remote::connect(connect, identity).await.unwrap();
    let (user, key) = (UserId::new(b"alice"), device.key.clone());
    ask(&remote, device.id, Enrol { user, key, invite: b"".into(), voucher: None }).await.unwrap();
    (odd, remote)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_counts_with_a_receipt_of_it_only() {
    let mut author = Author;
    let world = World::open(&mut author, Limits::default());
    let alice = world.stranger("alice");
    let (odd, remote) = connect(&world, &alice).await;
    let group = Group { id: GroupId::new(b"trust") };
    ask(&remote, alice.id, world.create(&group)).await.unwrap();
    let commit = || world.sign(&group, 0, world.bundle(&group, 0, "commit"));
    for lie in 1..=4 {
        odd.lie.store(lie, Ordering::SeqCst);
        assert_eq!(ask(&remote, alice.id, commit()).await, Err(Rejection::BadSignature), "lie {lie}");
    }
    odd.lie.store(0, Ordering::SeqCst);
    assert_eq!(ask(&remote, alice.id, commit()).await.unwrap().seq, Seq::new(1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_may_do_better_later_is_asked_again_so_often() {
    let mut author = Author;
    let world = World::open(&mut author, Limits::default());
    let alice = world.stranger("alice");
    let (odd, remote) = connect(&world, &alice).await;
    let group = |name: &str| Group { id: GroupId::new(name.as_bytes()) };
    odd.away.store(3, Ordering::SeqCst);
    ask(&remote, alice.id, world.create(&group("three"))).await.unwrap();
    odd.away.store(5, Ordering::SeqCst);
    assert_eq!(ask(&remote, alice.id, world.create(&group("five"))).await, Err(Rejection::Unavailable));
    assert_eq!(odd.away.load(Ordering::SeqCst), 1, "four tries");
}
