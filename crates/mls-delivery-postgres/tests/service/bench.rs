//! Services on one PostgreSQL, each in a database of its own, and asked through any number of nodes.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use delivery_conformance::{Bench, block_on};
use mls_crypto_aws_lc::OsRandom;
use mls_delivery::{
    BoxFuture, Capabilities, Clock, DeliveryService, DeviceId, Rejection, Watch, hub::Topic, reply::Reply,
    request::Request, rules::Rules,
};
use mls_delivery_postgres::{Database, PostgresService};
use postgres_lab::{Server, Tools};
use tokio::runtime::Runtime;
use tokio_rustls::rustls::{self, ClientConfig};

/// Databases on one server.
pub(crate) struct Databases {
    pub(crate) runtime: Runtime,
    server: Server,
    nodes: usize,
    count: u32,
    open: Option<(Arc<Nodes>, Rules, Arc<dyn Clock>)>,
}

impl Databases {
    pub(crate) fn new(tools: &Tools, nodes: usize) -> Self {
        Self { runtime: runtime(), server: Server::start(tools), nodes, count: 0, open: None }
    }

    fn service(&mut self, rules: Rules, clock: Arc<dyn Clock>) -> Arc<dyn DeliveryService> {
        let address = self.server.database(&format!("service{}", self.count));
        let open = || self.runtime.block_on(node(&address, &rules, &clock));
        let nodes = core::iter::repeat_with(open).take(self.nodes).collect();
        let service = Arc::new(Nodes { nodes, turn: AtomicUsize::new(0) });
        self.open = Some((service.clone(), rules, clock));
        service
    }
}

pub(crate) fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// A node that rarely polls: hints have to arrive.
pub(crate) async fn node(address: &str, rules: &Rules, clock: &Arc<dyn Clock>) -> Arc<PostgresService> {
    let database = Database::new(address, no_roots(), 8).unwrap();
    Arc::new(PostgresService::open(database, rules.clone(), (clock.clone(), Arc::new(OsRandom))).await.unwrap())
}

/// A socket needs no certificates.
pub(crate) fn no_roots() -> ClientConfig {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    builder.with_root_certificates(rustls::RootCertStore::empty()).with_no_client_auth()
}

impl fmt::Debug for Databases {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Databases").field("count", &self.count).finish_non_exhaustive()
    }
}

impl Bench for Databases {
    fn open(&mut self, rules: Rules, clock: Arc<dyn Clock>) -> Arc<dyn DeliveryService> {
        self.open = None;
        self.count += 1;
        self.service(rules, clock)
    }

    fn reopen(&mut self) -> Arc<dyn DeliveryService> {
        let (service, rules, clock) = self.open.take().unwrap();
        assert_eq!(Arc::strong_count(&service), 1, "somebody still holds the service");
        drop(service);
        self.service(rules, clock)
    }

    fn sweep(&self) {
        block_on(self.open.as_ref().unwrap().0.nodes.first().unwrap().sweep()).unwrap();
    }
}

/// Some nodes, asked in turn.
#[derive(Debug)]
pub(crate) struct Nodes {
    pub(crate) nodes: Vec<Arc<PostgresService>>,
    turn: AtomicUsize,
}

impl Nodes {
    fn next(&self) -> &PostgresService {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        self.nodes.get(turn % self.nodes.len()).unwrap()
    }
}

impl DeliveryService for Nodes {
    fn call(&self, caller: DeviceId, request: Request) -> BoxFuture<'_, Result<Reply, Rejection>> {
        self.next().call(caller, request)
    }

    fn watch(&self, topics: Vec<Topic>) -> Box<dyn Watch> {
        self.next().watch(topics)
    }

    fn capabilities(&self) -> Capabilities {
        self.next().capabilities()
    }
}
