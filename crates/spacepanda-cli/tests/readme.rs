//! README's second example, typed exactly as it is shown there. Only where the service listens, and where it keeps its data, is
//! told to it by the environment, so that tests do not meet.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::{
    env, fs,
    io::{BufRead, BufReader},
    net::TcpListener,
    path::Path,
    process::{self, Child, Command, Stdio},
};

const README: &str = include_str!("../../../README.md");
const HEADING: &str = "## Two homes, one service\n";

/// The fenced blocks below the heading, up to the next one.
fn blocks() -> Vec<String> {
    let (_, section) = README.split_once(HEADING).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let mut blocks = Vec::new();
    let mut rest = section;
    while let Some((_, after)) = rest.split_once("```") {
        let (block, after) = after.split_once("\n```").unwrap();
        let (_language, text) = block.split_once('\n').unwrap();
        blocks.push(text.to_owned());
        rest = after;
    }
    blocks
}

fn shell(place: &Path, address: &str, script: &str) -> Command {
    let programs = Path::new(env!("CARGO_BIN_EXE_panda")).parent().unwrap();
    let path = format!("{}:{}", programs.display(), env::var("PATH").unwrap());
    let mut command = Command::new("sh");
    command.args(["-e", "-c", script]).current_dir(place).env("PATH", path).env("NO_COLOR", "1");
    command.env("PANDA_SERVE_LISTEN", address).env("PANDA_SERVE_DATA", place.join("service"));
    command.env("PANDA_SERVICE", format!("http://{address}")).stdin(Stdio::null()).stdout(Stdio::piped());
    command
}

struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ended = self.0.kill().and_then(|()| self.0.wait());
    }
}

#[test]
fn two_terminals_as_the_readme_shows_them() {
    let blocks = blocks();
    let [first, second, seen] = blocks.as_slice() else { panic!("three blocks, not {}", blocks.len()) };
    let place = env::temp_dir().join(format!("panda-readme-{}", process::id()));
    fs::create_dir(&place).unwrap();
    // Free now; the next moment it is the service's.
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let served = first.strip_prefix("cargo install --path crates/spacepanda-cli\n").unwrap();
    // Instead of the shell, so that it is the service that is ended.
    let mut service = Ended(shell(&place, &address, &format!("exec {served}")).spawn().unwrap());
    let mut line = String::new();
    // Kept, so that the service has somebody to write to.
    let mut lines = BufReader::new(service.0.stdout.take().unwrap());
    lines.read_line(&mut line).unwrap();
    assert_eq!(line, format!("serving at http://{address}\n"));
    let output = shell(&place, &address, second).output().unwrap();
    let _gone = fs::remove_dir_all(&place);
    assert!(output.status.success());
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(printed.ends_with(&format!("{seen}\n")), "{printed}");
}
