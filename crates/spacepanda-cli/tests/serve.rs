//! `panda serve`, run as a program: what it is told, what it says, and what is still there the next time.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::{
    env, fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    process::{self, Child, ChildStdout, Command, ExitStatus, Output, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use serde_json::Value;
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned, crypto::aws_lc_rs};

/// A folder that is gone when the test ends.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::SeqCst);
        let folder = env::temp_dir().join(format!("panda-serve-{}-{number}", process::id()));
        fs::create_dir(&folder).unwrap();
        Self(folder)
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }

    fn write(&self, name: &str, text: &str) -> String {
        fs::write(self.0.join(name), text).unwrap();
        self.path(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn panda(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_panda"));
    for (name, _) in env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("PANDA_")) {
        command.env_remove(name);
    }
    command.arg("serve").args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn run(arguments: &[&str]) -> Output {
    panda(arguments).output().unwrap()
}

/// It must not serve, and say this instead.
fn refused(arguments: &[&str], why: &str) {
    let mut child = panda(arguments).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    if !line.is_empty() {
        // It would go on for ever.
        child.kill().unwrap();
    }
    let Output { status, stderr, .. } = child.wait_with_output().unwrap();
    let said = String::from_utf8(stderr).unwrap();
    assert_eq!((status.code(), line.as_str()), (Some(1), ""), "{said}");
    assert!(said.contains(why), "{said}");
}

fn get(base: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(base.strip_prefix("http://").unwrap()).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

/// A service that runs.
struct Serving {
    child: Child,
    _out: BufReader<ChildStdout>,
    first: Value,
}

impl Serving {
    fn start(data: &str) -> Self {
        Self::start_with(data, &[])
    }

    fn start_with(data: &str, more: &[&str]) -> Self {
        let arguments = [&["--json", "--data", data, "--listen", "127.0.0.1:0"], more].concat();
        let mut child = panda(&arguments).spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        out.read_line(&mut line).unwrap();
        Self { child, _out: out, first: serde_json::from_str(&line).unwrap() }
    }

    fn get(&self, path: &str) -> String {
        get(self.first["address"].as_str().unwrap(), path)
    }

    fn terminate(mut self) -> ExitStatus {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        self.child.wait().unwrap()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn serves_until_it_is_asked_to_end_and_keeps_its_key() {
    let folder = Folder::new();
    let data = folder.path("data");
    let serving = Serving::start(&data);
    assert_eq!(serving.first["event"], "serving");
    assert_eq!(serving.first["name"], "localhost");
    let service_key = serving.first["service_key"].clone();
    assert_eq!(service_key.as_str().unwrap().len(), 64);
    assert!(serving.get("/ready").starts_with("HTTP/1.1 200 "));
    assert_eq!(serving.terminate().code(), Some(0));
    let again = Serving::start(&data);
    assert_eq!(again.first["service_key"], service_key);
    assert_eq!(again.terminate().code(), Some(0));
}

#[test]
fn numbers_are_at_an_address_of_their_own() {
    let folder = Folder::new();
    let serving = Serving::start_with(&folder.path("data"), &["--metrics", "127.0.0.1:0"]);
    assert!(serving.get("/v1/capabilities").starts_with("HTTP/1.1 200 "));
    assert!(serving.get("/metrics").starts_with("HTTP/1.1 404 "));
    let base = serving.first["metrics"].as_str().unwrap().strip_suffix("/metrics").unwrap();
    let numbers = get(base, "/metrics");
    assert!(numbers.starts_with("HTTP/1.1 200 "), "{numbers}");
    assert!(numbers.contains("\ndelivery_answers_total{code=\"ok\"} 1\n"), "{numbers}");
    assert!(get(base, "/v1/capabilities").starts_with("HTTP/1.1 404 "));
    assert_eq!(serving.terminate().code(), Some(0));
}

#[test]
fn with_a_certificate_it_speaks_tls_and_nothing_else() {
    let folder = Folder::new();
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (certificate, key) =
        (folder.write("cert.pem", &made.cert.pem()), folder.write("key.pem", &made.signing_key.serialize_pem()));
    let tls = ["--tls-certificate", &certificate, "--tls-key", &key];
    let serving = Serving::start_with(&folder.path("data"), &tls);
    let address = serving.first["address"].as_str().unwrap().strip_prefix("https://").unwrap();

    let mut roots = RootCertStore::empty();
    roots.add(made.cert.der().clone()).unwrap();
    let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
    let config =
        builder.with_safe_default_protocol_versions().unwrap().with_root_certificates(roots).with_no_client_auth();
    let client = ClientConnection::new(Arc::new(config), "localhost".try_into().unwrap()).unwrap();
    let mut stream = StreamOwned::new(client, TcpStream::connect(address).unwrap());
    stream.write_all(b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = [0; 13];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200 ");

    let mut plain = TcpStream::connect(address).unwrap();
    plain.write_all(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    let _reset = plain.read_to_end(&mut answer);
    assert!(!answer.starts_with(b"HTTP/"));
    assert_eq!(serving.terminate().code(), Some(0));
}

#[test]
fn what_it_keeps_is_for_its_owner_only() {
    let folder = Folder::new();
    let data = folder.path("data");
    let serving = Serving::start(&data);
    let mode = |name: &str| fs::metadata(folder.0.join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("data"), 0o700);
    for key in ["data/receipt.key", "data/gate.key"] {
        assert_eq!((mode(key), fs::read(folder.0.join(key)).unwrap().len()), (0o600, 32), "{key}");
    }
    assert_eq!(serving.terminate().code(), Some(0));
}

#[test]
fn one_process_has_the_folder() {
    let folder = Folder::new();
    let data = folder.path("data");
    let serving = Serving::start(&data);
    refused(&["--data", &data, "--listen", "127.0.0.1:0"], "another process serves from");
    assert_eq!(serving.terminate().code(), Some(0));
}

#[test]
fn keys_that_are_lost_or_cut_are_not_made_anew() {
    let folder = Folder::new();
    let data = folder.path("data");
    assert_eq!(Serving::start(&data).terminate().code(), Some(0));
    let receipt = folder.path("data/receipt.key");
    let arguments = ["--data", &data, "--listen", "127.0.0.1:0"];
    let key = fs::read(&receipt).unwrap();
    fs::write(&receipt, &key[..31]).unwrap();
    refused(&arguments, "receipt.key is damaged");
    fs::remove_file(&receipt).unwrap();
    refused(&arguments, "receipt.key is damaged");
    assert!(!fs::exists(&receipt).unwrap());
}

#[test]
fn a_public_address_needs_a_name_and_tls_or_a_proxy() {
    let folder = Folder::new();
    let data = folder.path("data");
    refused(&["--data", &data, "--listen", "0.0.0.0:0"], "give --name");
    refused(&["--data", &data, "--listen", "0.0.0.0:0", "--name", "example.org"], "configure TLS");
    refused(&["--data", &data, "--tls-key", "key.pem"], "both --tls-certificate FILE and --tls-key FILE");
    let pem = folder.write("not.pem", "no certificate");
    refused(&["--data", &data, "--tls-certificate", &pem, "--tls-key", &pem], "not.pem for TLS");
}

#[test]
fn options_win_over_the_environment_and_both_over_the_file() {
    let folder = Folder::new();
    let file =
        folder.write("serve.toml", "data = 'f'\nname = 'f'\nconnections = 1\nenrolment = 'users'\nusers = ['u']\n");
    let printed = panda(&["--config", &file, "--print-config", "--name", "option"])
        .env("PANDA_SERVE_NAME", "environment")
        .env("PANDA_SERVE_DATA", "environment")
        .output()
        .unwrap();
    let settings: toml::Table = toml::from_str(&String::from_utf8(printed.stdout).unwrap()).unwrap();
    assert_eq!(settings["name"].as_str(), Some("option"));
    assert_eq!(settings["data"].as_str(), Some("environment"));
    assert_eq!(settings["connections"].as_integer(), Some(1));
    assert_eq!(settings["enrolment"].as_str(), Some("users"));
    assert_eq!(settings["users"][0].as_str(), Some("u"));
}

#[test]
fn what_is_printed_can_be_used_as_a_file() {
    let folder = Folder::new();
    let token = "ab".repeat(32);
    let text = format!(
        "data = 'd'\nlisten = '[::]:1'\nname = 'n'\nbehind-proxy = true\nenrolment = 'invites'\n\
         [[invites]]\ntoken-sha256 = '{token}'\nuses = 2\nexpires = 3\n"
    );
    let file = folder.write("serve.toml", &text);
    let printed = String::from_utf8(run(&["--config", &file, "--print-config"]).stdout).unwrap();
    assert!(printed.contains(&token), "{printed}");
    let second = folder.write("printed.toml", &printed);
    assert_eq!(String::from_utf8(run(&["--config", &second, "--print-config"]).stdout).unwrap(), printed);
}

#[test]
fn the_file_in_the_documentation_is_understood() {
    let folder = Folder::new();
    let page = include_str!("../../../docs/deployment.md");
    let block = page.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    let file = folder.write("serve.toml", block);
    let printed = String::from_utf8(run(&["--config", &file, "--print-config"]).stdout).unwrap();
    let (said, understood): (toml::Table, toml::Table) =
        (toml::from_str(block).unwrap(), toml::from_str(&printed).unwrap());
    for (name, value) in said {
        assert_eq!(understood.get(&name), Some(&value), "{name}");
    }
}

#[test]
fn only_who_is_alone_on_the_machine_lets_everybody_enrol() {
    let enrolment = |arguments: &[&str]| {
        let printed = run(&[&["--print-config", "--data", "d", "--name", "n"], arguments].concat()).stdout;
        let settings: toml::Table = toml::from_str(&String::from_utf8(printed).unwrap()).unwrap();
        settings["enrolment"].as_str().unwrap().to_owned()
    };
    assert_eq!(enrolment(&[]), "open");
    assert_eq!(enrolment(&["--behind-proxy"]), "closed");
    assert_eq!(enrolment(&["--listen", "0.0.0.0:1"]), "closed");
    assert_eq!(enrolment(&["--listen", "0.0.0.0:1", "--enrolment", "open"]), "open");
}

#[test]
fn a_database_password_is_not_shown() {
    let folder = Folder::new();
    let database = |settings: Output| {
        let settings: toml::Table = toml::from_str(&String::from_utf8(settings.stdout).unwrap()).unwrap();
        settings.get("database").and_then(|value| value.as_str()).map(str::to_owned)
    };
    let data = folder.path("data");
    for secret in ["postgres://u:p@localhost/d", "postgres://u@localhost/d?password=p"] {
        refused(&["--data", &data, "--database", secret], "PANDA_SERVE_DATABASE");
        let file = folder.write("serve.toml", &format!("database = '{secret}'\n"));
        assert_eq!(database(run(&["--config", &file, "--print-config"])), None);
    }
    let plain = "postgres://u@localhost/d";
    let file = folder.write("serve.toml", &format!("database = '{plain}'\n"));
    assert_eq!(database(run(&["--config", &file, "--print-config"])).as_deref(), Some(plain));
    let environment = |arguments: &[&str]| {
        let other = "postgres://u@localhost/environment";
        database(panda(arguments).env("PANDA_SERVE_DATABASE", other).output().unwrap()).unwrap()
    };
    assert!(environment(&["--config", &file, "--print-config"]).ends_with("/environment"));
    assert!(environment(&["--database", plain, "--print-config"]).ends_with("/d"));
    let elsewhere = "postgres://u@db.example.org/d";
    refused(&["--data", &data, "--listen", "127.0.0.1:0", "--database", elsewhere], "sslmode=require");
}

#[test]
fn what_the_file_should_not_say_is_named() {
    let folder = Folder::new();
    let file = folder.write("serve.toml", "colour = 'red'\n");
    refused(&["--config", &file], "colour");
    refused(&["--config", &folder.path("none.toml")], "check --config FILE");
}
