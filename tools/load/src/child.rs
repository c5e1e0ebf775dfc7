//! The service that is under load, as a process of its own.

use std::{
    fs,
    future::Future,
    io::{BufRead, BufReader, Read, Write},
    path::{Path, PathBuf},
    pin::Pin,
    process::{Child, ChildStdin, Command, Stdio},
    sync::Arc,
};

use delivery_conformance::rules;
use mls_crypto::Secret;
use mls_crypto_aws_lc::OsRandom;
use mls_delivery::{Clock, DeliveryService, Limits, SystemClock, auth::Gate, quota::Rate};
use mls_delivery_postgres::{Database, PostgresService};
use mls_delivery_server::{App, Listen, Quotas, Server};
use mls_delivery_sqlite::SqliteService;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto::aws_lc_rs};

/// A service that runs. It ends when this is dropped.
#[derive(Debug)]
pub struct Service {
    child: Child,
    _alive: ChildStdin,
    /// Where it listens.
    pub address: String,
}

impl Service {
    /// Starts one: `program` is this tool, `data` a folder, or the address of a PostgreSQL.
    pub fn start(program: &Path, data: &str) -> Self {
        Self::start_at(program, data, 0)
    }

    /// The same at a port; at any for 0.
    pub fn start_at(program: &Path, data: &str, port: u16) -> Self {
        let mut child = Command::new(program)
            .args(["serve", data, &port.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the service does not start");
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let alive = child.stdin.take().unwrap();
        Self { child, _alive: alive, address: line.trim().to_owned() }
    }

    /// Its resident memory, in KiB.
    pub fn memory(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or_default()
    }

    /// The address without its scheme.
    pub fn socket(&self) -> std::net::SocketAddr {
        self.address.trim_start_matches("http://").parse().unwrap()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _waited = self.child.wait();
    }
}

/// Serves until standard input ends, which it does when whoever started this is gone.
pub fn serve(data: &str, port: u16) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let rules = rules(Limits::default());
        let crypto = rules.crypto.clone();
        let (service, sweeper) = open_swept(data, rules, clock.clone()).await;
        let gate = Gate::new(crypto, b"load", Secret::copy_from(&[3; 32]));
        let rate = Rate { count: 1_000_000, period_ms: 1_000, burst: 1_000_000 };
        let quotas =
            Quotas { requests: rate, commits: rate, group_commits: rate, claimed: rate, claims: rate, logins: rate };
        let app = App::new(service, gate, (clock, Arc::new(OsRandom)), quotas);
        // All of the load comes from one machine; abuse has addresses of its own, under the usual cap for each.
        let listen = Listen { connections_per_address: 4_096, ..Listen::plain(([127, 0, 0, 1], port).into()) };
        let server = Server::bind(listen, Arc::new(app)).await.unwrap();
        println!("http://{}", server.address());
        std::io::stdout().flush().unwrap();
        let (end, ended) = tokio::sync::oneshot::channel();
        std::thread::spawn(move || {
            let _all = std::io::stdin().read_to_end(&mut Vec::new());
            let _told = end.send(());
        });
        let sweeping = tokio::spawn(sweeper);
        server.run(async { drop(ended.await) }).await;
        sweeping.abort();
    });
}

/// The same with what deletes what has had its time, every few seconds.
async fn open_swept(
    data: &str,
    rules: mls_delivery::rules::Rules,
    clock: Arc<dyn Clock>,
) -> (Arc<dyn DeliveryService>, Pin<Box<dyn Future<Output = ()> + Send>>) {
    if data.starts_with("postgres") {
        return (open(data, rules, clock).await, Box::pin(std::future::pending()));
    }
    let service = Arc::new(SqliteService::open(Path::new(data), rules, clock).unwrap());
    let swept = service.clone();
    let sweeper = async move {
        loop {
            tokio::time::sleep(SWEEP).await;
            let _later = swept.sweep().await;
        }
    };
    (service, Box::pin(sweeper))
}

const SWEEP: std::time::Duration = std::time::Duration::from_secs(5);

/// A service in a folder, or one node on a PostgreSQL.
pub async fn open(data: &str, rules: mls_delivery::rules::Rules, clock: Arc<dyn Clock>) -> Arc<dyn DeliveryService> {
    if !data.starts_with("postgres") {
        return Arc::new(SqliteService::open(Path::new(data), rules, clock).unwrap());
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
    let versions = builder.with_safe_default_protocol_versions().unwrap();
    let tls = versions.with_root_certificates(RootCertStore::empty()).with_no_client_auth();
    let database = Database::new(data, tls, 16).unwrap();
    Arc::new(PostgresService::open(database, rules, (clock, Arc::new(OsRandom))).await.unwrap())
}

/// A folder that is gone when the run ends.
#[derive(Debug)]
pub struct Folder(pub PathBuf);

impl Folder {
    /// An empty one, not made yet.
    pub fn new(name: &str) -> Self {
        Self(std::env::temp_dir().join(format!("load-{name}-{}", std::process::id())))
    }

    /// Its path.
    pub fn path(&self) -> String {
        self.0.display().to_string()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _gone = fs::remove_dir_all(&self.0);
    }
}
