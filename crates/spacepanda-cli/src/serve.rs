//! `panda serve`: a delivery service in one folder.
//!
//! In: settings. Out: where it listens, and the key by which clients know it; then nothing, until it is asked to end.
//! Always: the keys are made once and stay; one process has the folder; what was acknowledged is on disk.
//!
//! ```text
//! DATA/lock          locked by the process that serves
//! DATA/receipt.key   32 bytes, the seed of the key that signs receipts
//! DATA/gate.key      32 bytes, the secret of challenges and tokens
//! DATA/service/      the database, unless it is elsewhere
//! DATA/directory.db  groups that can be found
//! ```

mod directory;
mod settings;
#[cfg(unix)]
mod stop;
#[cfg(not(unix))]
#[path = "serve/stop_elsewhere.rs"]
mod stop;
mod store;
mod tls;

use std::{
    fs::{self, File, TryLockError},
    future::pending,
    io::{self, Write},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use etcetera::{BaseStrategy, choose_base_strategy};
use mls_crypto::{Secret, SignaturePrivateKey};
use mls_crypto_aws_lc::{AwsLc, OsRandom};
use mls_delivery::{
    Clock, Limits, ServiceCrypto, SystemClock,
    auth::Gate,
    receipt::ServiceKey,
    rules::{Rules, StructurePolicy},
};
use mls_delivery_server::{App, Listen, Quotas, Scrape, Server};
use serde_json::json;

pub(crate) use settings::ServeOptions;

use crate::home;
use directory::Public;
use settings::Settings;
use store::Store;

/// Serves until it is asked to end.
pub(crate) fn run(options: &ServeOptions) -> ExitCode {
    match serve(options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(trouble) => {
            // If even that cannot be written, there is still the exit status.
            let _told = writeln!(io::stderr(), "panda: {trouble}");
            ExitCode::FAILURE
        }
    }
}

/// Why there is no service, and what to do about it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Trouble {
    #[error("no folder for data is known here; give --data DIR")]
    NoFolder,
    #[error("others can connect, so the service needs a name of its own; give --name, mostly the host's name")]
    NoName,
    #[error("TLS needs both --tls-certificate FILE and --tls-key FILE")]
    HalfTls,
    #[error("cannot read the settings: {0}; check --config FILE")]
    Config(#[source] io::Error),
    #[error("the settings are not understood; correct the file, `panda serve --print-config` shows one:\n{0}")]
    ConfigText(#[source] Box<toml::de::Error>),
    #[error("the settings cannot be printed: a path is not UTF-8; use another path")]
    Unprintable,
    #[error("cannot use {file} for TLS: {reason}; check that it is PEM, and that key and certificate belong together")]
    Tls { file: String, reason: String },
    #[error("another process serves from {0}; end it, or choose another --data DIR")]
    InUse(String),
    #[error("others can read a password on the command line; give it in PANDA_SERVE_DATABASE, or in --config FILE")]
    PasswordShown,
    #[error("{0}; check --database and --database-ca")]
    Database(#[from] mls_delivery_postgres::OpenError),
    #[error("{0}; check --database")]
    Shards(#[from] mls_delivery::shards::ShardsError),
    #[error("cannot use the folder: {0}; check its rights, or choose another --data DIR")]
    Folder(#[source] io::Error),
    #[error("{0} is damaged; put back a copy of it: clients know the service by its keys")]
    Key(String),
    #[error("the service key of the peer {0} is not 64 hexadecimal digits; `panda serve` prints it when it begins")]
    PeerKey(String),
    #[error("{0}; move directory.db away, and it is made anew")]
    Directory(#[from] mls_discovery_sqlite::OpenError),
    #[error("{0}; restore the folder from a copy, or choose another --data DIR")]
    Store(#[from] mls_delivery_sqlite::OpenError),
    #[error("the cryptography does not work on this machine: {0}")]
    Crypto(#[from] mls_crypto::CryptoError),
    #[error("{0}")]
    Serve(#[from] mls_delivery_server::ServeError),
    #[error("cannot write the output: {0}")]
    Output(#[source] io::Error),
    #[error("the system does not say when to end: {0}; raise its limits")]
    Signals(#[source] io::Error),
    #[error("the system gives no threads: {0}; raise its limits")]
    Threads(#[source] io::Error),
}

fn serve(options: &ServeOptions) -> Result<(), Trouble> {
    let settings = Settings::gather(options, folder)?;
    if options.print_config {
        return write!(io::stdout(), "{}", settings.to_toml()?).map_err(Trouble::Output);
    }
    let listen = listen(&settings)?;
    home::make_dir(&settings.data).map_err(Trouble::Folder)?;
    let _lock = lock(&settings.data)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(Trouble::Threads)?;
    runtime.block_on(answer(&settings, listen, options.json))
}

async fn answer(settings: &Settings, listen: Listen, json: bool) -> Result<(), Trouble> {
    let scheme = if listen.tls.is_some() { "https" } else { "http" };
    let crypto = ServiceCrypto::new(Arc::new(AwsLc::default()))?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let receipt = SignaturePrivateKey::new(key(&settings.data, "receipt.key")?);
    let witness = receipt.duplicate();
    let rules = Rules {
        service_key: Arc::new(ServiceKey::new(&crypto, receipt)?),
        crypto: crypto.clone(),
        limits: Limits::default(),
        enrolment: settings.enrolment(),
        policy: StructurePolicy::shared(),
        shares: mls_delivery::quota::Shares::usual(),
    };
    let store = Store::open(settings, rules, clock.clone()).await?;
    let service = store.service();
    let gate = Gate::new(crypto, settings.name.as_bytes(), key(&settings.data, "gate.key")?);
    let public = Public::open(settings, service.capabilities().service_key.as_slice())?;
    let app = App::new(service.clone(), gate, (clock, Arc::new(OsRandom)), Quotas::default());
    let app = app.with_directory(public.desk(witness)?);
    let scrape = match settings.metrics {
        Some(address) => Some(Scrape::bind(address, app.metrics().clone()).await?),
        None => None,
    };
    let server = Server::bind(listen, Arc::new(app)).await?;
    // Before anybody learns that it serves: from then on it is ended in order.
    let stop = stop::watch().map_err(Trouble::Signals)?;
    let service_key = hex(service.capabilities().service_key.as_slice());
    let metrics = scrape.as_ref().map(Scrape::address);
    announce(settings, &format!("{scheme}://{}", server.address()), (&service_key, metrics), json)?;
    let sweeper = tokio::spawn(sweep(store));
    public.follow();
    if let Some(scrape) = scrape {
        // Its numbers are of use until the very end, which is that of the runtime.
        tokio::spawn(scrape.run(pending()));
    }
    server.run(stop).await;
    sweeper.abort();
    Ok(())
}

fn announce(
    settings: &Settings,
    address: &str,
    (service_key, metrics): (&str, Option<SocketAddr>),
    json: bool,
) -> Result<(), Trouble> {
    let metrics = metrics.map(|metrics| format!("http://{metrics}/metrics"));
    let line = if json {
        let name = &settings.name;
        let line = json!({
            "event": "serving", "address": address, "name": name, "service_key": service_key, "metrics": metrics,
        });
        line.to_string()
    } else {
        let metrics = metrics.map(|metrics| format!("\nmetrics at {metrics}")).unwrap_or_default();
        format!("serving at {address}\nservice key {service_key}{metrics}")
    };
    let mut out = io::stdout();
    writeln!(out, "{line}").and_then(|()| out.flush()).map_err(Trouble::Output)?;
    if settings.enrolment == settings::EnrolmentKind::Closed {
        // Not reading it is the reader's choice.
        let _told = writeln!(io::stderr(), "nobody can enrol a device; --enrolment says who may");
    }
    Ok(())
}

/// Deletes what has had its time, now and then. What fails is tried again the next time.
async fn sweep(store: Store) {
    loop {
        tokio::time::sleep(SWEEP).await;
        let _later = store.sweep().await;
    }
}

fn listen(settings: &Settings) -> Result<Listen, Trouble> {
    let tls = match (&settings.tls_certificate, &settings.tls_key) {
        (Some(certificate), Some(key)) => Some(tls::load(certificate, key)?),
        _ => None,
    };
    let count = |n: u32| usize::try_from(n).unwrap_or(usize::MAX);
    Ok(Listen {
        tls,
        behind_proxy: settings.behind_proxy,
        connections: count(settings.connections),
        connections_per_address: count(settings.connections_per_address),
        ..Listen::plain(settings.listen)
    })
}

fn folder() -> Option<PathBuf> {
    Some(choose_base_strategy().ok()?.data_dir().join("spacepanda-delivery"))
}

fn lock(data: &Path) -> Result<File, Trouble> {
    let open = File::options().create(true).truncate(false).write(true).open(data.join("lock"));
    let file = open.map_err(Trouble::Folder)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Trouble::InUse(data.display().to_string())),
        Err(TryLockError::Error(error)) => Err(Trouble::Folder(error)),
    }
}

/// A key of the service, made the first time. One that is missing beside a database is not made anew.
fn key(data: &Path, name: &str) -> Result<Secret, Trouble> {
    let file = data.join(name);
    if !file.exists() {
        if data.join("service").join("delivery.db").exists() && name == "receipt.key" {
            return Err(Trouble::Key(file.display().to_string()));
        }
        home::make_key(data, &file).map_err(Trouble::Folder)?;
    }
    let key = Secret::new(fs::read(&file).map_err(Trouble::Folder)?);
    if key.len() == KEY_LEN { Ok(key) } else { Err(Trouble::Key(file.display().to_string())) }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

const KEY_LEN: usize = 32;

const SWEEP: Duration = Duration::from_secs(600);
