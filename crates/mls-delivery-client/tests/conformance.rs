//! The contract holds through both ends: client, loopback, server, SQLite.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::{
    collections::BTreeMap,
    fmt,
    path::PathBuf,
    sync::{Arc, Mutex},
};

use delivery_conformance::{Bench, Device, block_on, delivery_conformance};
use mls_crypto::{CipherSuite, Secret};
use mls_crypto_aws_lc::OsRandom;
use mls_delivery::{
    BoxFuture, Capabilities, Clock, DeliveryService, DeviceId, DeviceKey, Rejection, ServiceCrypto, Watch, auth::Gate,
    hub::Topic, quota::Rate, reply::Reply, request::Request, rules::Rules,
};
use mls_delivery_client::{Backoff, Connect, Identity, Remote};
use mls_delivery_server::{App, Listen, Quotas, Server};
use mls_delivery_sqlite::SqliteService;
use tokio::{
    runtime::{Handle, Runtime},
    sync::oneshot,
};
use tokio_rustls::rustls::{self, ClientConfig};

/// Devices' keys, by name.
type Keys = Arc<Mutex<BTreeMap<DeviceId, Identity>>>;

/// A service in a directory, served on a free port, and a client for each device.
struct Loopback {
    runtime: Runtime,
    root: PathBuf,
    count: u32,
    keys: Keys,
    open: Option<Open>,
}

struct Open {
    service: Arc<SqliteService>,
    rules: Rules,
    clock: Arc<dyn Clock>,
    end: oneshot::Sender<()>,
    ended: tokio::task::JoinHandle<()>,
}

/// Hands each device's request to the client of that device.
struct Clients {
    handle: Handle,
    connect: Connect,
    keys: Keys,
    remotes: Mutex<BTreeMap<DeviceId, Remote>>,
    order: Mutex<Vec<DeviceId>>,
    capabilities: Capabilities,
}

impl Clients {
    fn remote(&self, device: DeviceId) -> impl Future<Output = Remote> + use<> {
        let known = self.remotes.lock().unwrap().get(&device).cloned();
        let (connect, keys) = (self.connect.clone(), self.keys.clone());
        async move {
            match known {
                Some(remote) => remote,
                None => Remote::connect(connect, identity(&keys, device)).await.unwrap(),
            }
        }
    }
}

fn identity(keys: &Keys, device: DeviceId) -> Identity {
    let keys = keys.lock().unwrap();
    let Identity { key, private_key } = keys.get(&device).unwrap();
    Identity { key: key.clone(), private_key: private_key.duplicate() }
}

impl fmt::Debug for Clients {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clients")
    }
}

impl DeliveryService for Clients {
    fn call(&self, caller: DeviceId, request: Request) -> BoxFuture<'_, Result<Reply, Rejection>> {
        let remote = self.remote(caller);
        let asked = self.handle.spawn(async move {
            let remote = remote.await;
            (remote.call(caller, request).await, remote)
        });
        Box::pin(async move {
            let (result, remote) = asked.await.unwrap();
            self.order.lock().unwrap().push(caller);
            self.remotes.lock().unwrap().entry(caller).or_insert(remote);
            result
        })
    }

    fn watch(&self, topics: Vec<Topic>) -> Box<dyn Watch> {
        // A mailbox is watched by its device; a log, in this suite, by whoever asked first.
        let asker = match topics.first() {
            Some(Topic::Mailbox(device)) => *device,
            _ => *self.order.lock().unwrap().first().unwrap(),
        };
        let remote = self.remotes.lock().unwrap().get(&asker).cloned().unwrap();
        Box::new(Spawned { handle: self.handle.clone(), watch: Some(remote.watch(topics)) })
    }

    fn capabilities(&self) -> Capabilities {
        self.capabilities.clone()
    }
}

/// A watch that waits on the runtime's threads.
#[derive(Debug)]
struct Spawned {
    handle: Handle,
    watch: Option<Box<dyn Watch>>,
}

impl Watch for Spawned {
    fn next(&mut self) -> BoxFuture<'_, Vec<Topic>> {
        let mut watch = self.watch.take().unwrap();
        let waited = self.handle.spawn(async move { (watch.next().await, watch) });
        Box::pin(async move {
            let (topics, watch) = waited.await.unwrap();
            self.watch = Some(watch);
            topics
        })
    }
}

impl Loopback {
    fn serve(&mut self, rules: Rules, clock: Arc<dyn Clock>) -> Arc<dyn DeliveryService> {
        let here = self.root.join(self.count.to_string());
        let crypto = rules.crypto.clone();
        let service = Arc::new(SqliteService::open(&here, rules.clone(), clock.clone()).unwrap());
        let gate = Gate::new(crypto.clone(), b"loopback", Secret::copy_from(&[3; 32]));
        let app = App::new(service.clone(), gate, (clock.clone(), Arc::new(OsRandom)), unlimited());
        let listen = Listen { connections_per_address: 4_096, ..Listen::plain(([127, 0, 0, 1], 0).into()) };
        let server = self.runtime.block_on(Server::bind(listen, Arc::new(app))).unwrap();
        let address = format!("http://{}", server.address());
        let (end, told) = oneshot::channel();
        let ended = self.runtime.spawn(server.run(async {
            let _told = told.await;
        }));
        self.open = Some(Open { service, rules, clock, end, ended });
        Arc::new(self.clients(address, crypto))
    }

    fn clients(&self, address: String, crypto: ServiceCrypto) -> Clients {
        let (private_key, public_key) = crypto.own().signature_generate(&OsRandom).unwrap();
        let nobody = Identity { key: DeviceKey { cipher_suite: CipherSuite::X25519_AES128, public_key }, private_key };
        let connect = Connect {
            address,
            service: b"loopback".to_vec(),
            service_key: None,
            tls: no_roots(),
            crypto,
            random: Arc::new(OsRandom),
            backoff: Backoff::default(),
        };
        let first = self.runtime.block_on(Remote::connect(connect.clone(), nobody)).unwrap();
        Clients {
            handle: self.runtime.handle().clone(),
            connect,
            keys: self.keys.clone(),
            remotes: Mutex::default(),
            order: Mutex::default(),
            capabilities: first.capabilities(),
        }
    }

    /// Ends the service as an operator would, and waits until it has let go of its directory.
    fn end(&mut self) -> Option<(Rules, Arc<dyn Clock>)> {
        let Open { service, rules, clock, end, ended } = self.open.take()?;
        end.send(()).unwrap();
        self.runtime.block_on(ended).unwrap();
        while Arc::strong_count(&service) > 1 {
            std::thread::yield_now();
        }
        drop(service);
        Some((rules, clock))
    }
}

/// The suite asks as fast as it can; how often a device may ask has tests of its own.
fn unlimited() -> Quotas {
    let rate = Rate { count: 1_000_000, period_ms: 1_000, burst: 1_000_000 };
    Quotas { requests: rate, commits: rate, group_commits: rate, claimed: rate, claims: rate, logins: rate }
}

/// Plain HTTP needs no certificates.
fn no_roots() -> ClientConfig {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    builder.with_root_certificates(rustls::RootCertStore::empty()).with_no_client_auth()
}

impl fmt::Debug for Loopback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Loopback").field("count", &self.count).finish_non_exhaustive()
    }
}

impl Bench for Loopback {
    fn open(&mut self, rules: Rules, clock: Arc<dyn Clock>) -> Arc<dyn DeliveryService> {
        let _before = self.end();
        self.count = self.count.wrapping_add(1);
        self.serve(rules, clock)
    }

    fn meet(&self, device: &Device) {
        let identity = Identity { key: device.key.clone(), private_key: device.private_key.duplicate() };
        self.keys.lock().unwrap().insert(device.id, identity);
    }

    fn reopen(&mut self) -> Arc<dyn DeliveryService> {
        let (rules, clock) = self.end().unwrap();
        self.serve(rules, clock)
    }

    fn sweep(&self) {
        block_on(self.open.as_ref().unwrap().service.sweep()).unwrap();
    }
}

impl Drop for Loopback {
    fn drop(&mut self) {
        let _ended = self.end();
        let _gone = std::fs::remove_dir_all(&self.root);
    }
}

#[test]
fn service_conforms_through_both_ends() {
    let root = std::env::temp_dir().join(format!("mls-delivery-loopback-{}", std::process::id()));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    delivery_conformance(&mut Loopback { runtime, root, count: 0, keys: Keys::default(), open: None });
}
