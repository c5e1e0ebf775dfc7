//! PostgreSQL of tests: private servers in temporary folders, reached through a socket in there, gone afterwards.
//!
//! In: Debian's package `postgresql`, 15 or newer. Out: servers to connect to, to copy, to kill, to promote.
//! Always: a server ends with the thread that started it, however that ends; it listens on no network. PostgreSQL refuses to
//! run as root: then it runs as the user `postgres` of the package, or else as `nobody`.
//!
//! Where the package is missing, tests are to be counted as ignored, unless [`REQUIRED`] is set in the environment.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "tests")]

mod tools;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    thread,
    time::{Duration, Instant},
};

pub use tools::{REQUIRED, Tools};

/// A server of its own. Dropping it kills it and deletes what it has.
#[derive(Debug)]
pub struct Server {
    tools: Tools,
    folder: PathBuf,
    running: Option<Child>,
}

impl Server {
    /// A new one, empty, that keeps what it acknowledges.
    pub fn start(tools: &Tools) -> Self {
        let folder = folder(tools);
        tools.run(
            "initdb",
            &["-D", &text(&folder.join("data")), "-U", USER, "-A", "trust", "--no-locale", "-E", "UTF8", "-N"],
        );
        let mut server = Self { tools: tools.clone(), folder, running: None };
        server.run();
        server
    }

    /// The address of one of its databases, which is made if it is not there.
    pub fn database(&self, name: &str) -> String {
        let found = self.sql("postgres", &format!("SELECT 1 FROM pg_database WHERE datname = '{name}'"));
        if found.trim().is_empty() {
            self.sql("postgres", &format!("CREATE DATABASE {name}"));
        }
        self.address(name)
    }

    /// Where its socket is, for programs that are told a host.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The address of a database, there or not.
    pub fn address(&self, name: &str) -> String {
        format!("postgres://{USER}@{}/{name}", text(&self.folder).replace('/', "%2F"))
    }

    /// Both addresses in one: whichever of the two servers takes writes is meant.
    pub fn address_with(&self, other: &Self, name: &str) -> String {
        let host = |server: &Self| text(&server.folder).replace('/', "%2F");
        format!("postgres://{USER}@{},{}/{name}", host(self), host(other))
    }

    /// A copy that follows this server, which from now on acknowledges nothing that the copy does not have.
    pub fn standby(&self) -> Self {
        let folder = folder(&self.tools);
        let (here, there) = (text(&self.folder), text(&folder.join("data")));
        self.tools.run("pg_basebackup", &["-h", &here, "-U", USER, "-D", &there, "-R", "-X", "stream", "-c", "fast"]);
        let mut standby = Self { tools: self.tools.clone(), folder, running: None };
        standby.run();
        self.sql("postgres", "ALTER SYSTEM SET synchronous_standby_names = '*'");
        self.sql("postgres", "SELECT pg_reload_conf()");
        wait("the standby is not in step", || {
            self.sql("postgres", "SELECT sync_state FROM pg_stat_replication").trim() == "sync"
        });
        standby
    }

    /// Kills it and all its processes, at once: SIGKILL.
    pub fn kill(&mut self) {
        let Some(mut child) = self.running.take() else { return };
        let id = child.id();
        let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap_or_default();
        child.kill().unwrap();
        child.wait().unwrap();
        for process in children.split_whitespace() {
            // One that has ended by itself is as good.
            let _ended = Command::new("kill").args(["-9", process]).stderr(Stdio::null()).status();
        }
    }

    /// Makes a standby the one that takes writes.
    pub fn promote(&self) {
        self.sql("postgres", "SELECT pg_promote()");
        wait("the standby is not promoted", || self.sql("postgres", "SELECT pg_is_in_recovery()").trim() == "f");
    }

    /// Runs a statement, and returns what `psql` prints, without headings.
    pub fn sql(&self, database: &str, statement: &str) -> String {
        self.try_sql(database, statement).unwrap_or_else(|message| panic!("{statement}: {message}"))
    }

    fn try_sql(&self, database: &str, statement: &str) -> Result<String, String> {
        let here = text(&self.folder);
        self.tools.try_run("psql", &["-h", &here, "-U", USER, "-d", database, "-XAtq", "-c", statement])
    }

    fn run(&mut self) {
        let log = self.folder.join("log");
        let mut command = self.tools.command("postgres");
        command.args(["-D", &text(&self.folder.join("data")), "-k", &text(&self.folder), "-c", "listen_addresses="]);
        command.args(["-c", "max_connections=200", "-c", "autovacuum_naptime=5s"]);
        let file = fs::File::create(&log).unwrap();
        command.stdout(Stdio::null()).stderr(file).stdin(Stdio::null());
        self.running = Some(command.spawn().unwrap());
        let ready = || self.try_sql("postgres", "SELECT 1").is_ok();
        wait(&format!("PostgreSQL does not start: {}", log.display()), ready);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
        let _gone = fs::remove_dir_all(&self.folder);
    }
}

/// An empty folder that belongs to who runs the server. Its name is short: sockets have short ones.
fn folder(tools: &Tools) -> PathBuf {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let folder = tools.place().join(format!("spds-pg-{}-{count}", std::process::id()));
    let made = tools.plain("mkdir").args(["-m", "700", &text(&folder)]).status().unwrap();
    assert!(made.success(), "no folder at {}", folder.display());
    folder
}

fn wait(what: &str, done: impl Fn() -> bool) {
    let began = Instant::now();
    while !done() {
        assert!(began.elapsed() < PATIENCE, "{what}");
        thread::sleep(Duration::from_millis(50));
    }
}

fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

const USER: &str = "delivery";

const PATIENCE: Duration = Duration::from_secs(60);
