//! The interop matrix, with all the servers it takes.
//!
//! In: options for `interop-peers matrix`. Out: `docs/interop.md` and `target/interop.json`, unless the options name
//! other files.
//! Always: the servers are stopped before this returns; without the system's OpenSSL there are none, and it says so.

mod server;

#[cfg(test)]
mod tests;

use std::{
    error::Error,
    fs,
    path::Path,
    process::{Command, Stdio},
};

use crate::{Outcome, source};

use server::Server;

/// Plays the matrix and writes it. An error is a server that does not come up, or a matrix with unexplained failures.
pub(crate) fn write(options: &[&str]) -> Outcome {
    let root = source::root()?;
    fs::create_dir_all(root.join("target"))?;
    let servers = if has_openssl() {
        start(&root)?
    } else {
        eprintln!("{WITHOUT_OPENSSL}");
        Vec::new()
    };
    let status = Command::new("cargo").current_dir(&root).args(matrix(&servers, options)).status()?;
    if status.success() { Ok(Vec::new()) } else { Err(format!("interop-peers matrix: {status}").into()) }
}

fn has_openssl() -> bool {
    Command::new("pkg-config").args(["--exists", "openssl"]).status().is_ok_and(|status| status.success())
}

/// Builds the servers over OpenSSL, and starts them on free ports.
fn start(root: &Path) -> Result<Vec<Server>, Box<dyn Error>> {
    let built = Command::new("cargo").current_dir(root).args(BUILD).stderr(Stdio::inherit()).output()?;
    if !built.status.success() {
        return Err(format!("the servers over OpenSSL: {}", built.status).into());
    }
    let messages = String::from_utf8(built.stdout)?;
    let mut servers = Vec::new();
    for (example, option, serve) in SERVERS {
        let program = server::executable(&messages, example).ok_or(format!("cargo built no example {example}"))?;
        servers.push(Server::start(&program, option, serve)?);
    }
    Ok(servers)
}

/// What cargo is to do. What `options` name is not named twice.
fn matrix(servers: &[Server], options: &[&str]) -> Vec<String> {
    let named = |name: &str| options.iter().any(|option| option.split('=').next() == Some(name));
    let mut arguments: Vec<String> = MATRIX.map(str::to_owned).into();
    for [name, file] in FILES {
        if !named(name) {
            arguments.extend([name.to_owned(), file.to_owned()]);
        }
    }
    for server in servers {
        arguments.extend([server.option.to_owned(), server.address.clone()]);
    }
    arguments.extend(options.iter().map(|option| (*option).to_owned()));
    arguments
}

const WITHOUT_OPENSSL: &str = "\
!!!!! pkg-config finds no OpenSSL (Debian: libssl-dev).
!!!!! LEFT OUT: suites 4, 5 and 6 with mls-rs, suites 4 and 6 with ours. What is written has fewer suites than it could.";

const BUILD: [&str; 11] = [
    "build",
    "--release",
    "-p",
    "mls-crypto-openssl",
    "--features=system",
    "--example",
    "interop",
    "--example",
    "mls_rs",
    "--message-format",
    "json-render-diagnostics",
];

/// The example, the matrix's option for it, and how to make it serve on a free port.
const SERVERS: [(&str, &str, &[&str]); 2] =
    [("interop", "--also-ours", &["serve", "--port", "0"]), ("mls_rs", "--also-mls-rs", &["--port", "0"])];

const MATRIX: [&str; 6] = ["run", "--release", "-p", "interop-peers", "--", "matrix"];

const FILES: [[&str; 2]; 2] = [["--markdown", "docs/interop.md"], ["--json", "target/interop.json"]];
