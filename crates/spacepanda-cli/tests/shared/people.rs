//! People with homes, and a service, as processes.
#![allow(dead_code, reason = "each file of tests uses its own part")]

use std::{
    env, fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{self, Child, Command, Output, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    thread,
    time::Duration,
};

use serde_json::Value;

/// A folder that is gone when the test ends.
pub(crate) struct Place(pub(crate) PathBuf);

impl Place {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let place =
            env::temp_dir().join(format!("panda-together-{}-{}", process::id(), NEXT.fetch_add(1, Ordering::SeqCst)));
        fs::create_dir(&place).unwrap();
        Self(place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _gone = fs::remove_dir_all(&self.0);
    }
}

/// A service that can be killed and started again at the same address.
pub(crate) struct Service {
    pub(crate) data: PathBuf,
    pub(crate) child: Child,
    pub(crate) address: String,
}

impl Service {
    pub(crate) fn start(data: &Path, listen: &str) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_panda"))
            .args(["serve", "--json", "--listen", listen, "--data"])
            .arg(data)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let serving: Value = serde_json::from_str(&line).unwrap();
        let address = serving["address"].as_str().unwrap().to_owned();
        Self { data: data.to_owned(), child, address }
    }

    /// `kill -9`, and a new process on what is left.
    pub(crate) fn kill_and_restart(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        let listen = self.address.trim_start_matches("http://").to_owned();
        *self = Self::start(&self.data.clone(), &listen);
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ended = self.child.kill().and_then(|()| self.child.wait());
    }
}

/// One home.
pub(crate) struct Person {
    pub(crate) home: PathBuf,
}

impl Person {
    pub(crate) fn new(place: &Place, home: &str) -> Self {
        Self { home: place.0.join(home) }
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_panda"));
        command.args(arguments).arg("--json").arg("--home").arg(&self.home).stdin(Stdio::null());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    pub(crate) fn try_run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Expects success; the objects that were printed.
    pub(crate) fn run(&self, arguments: &[&str]) -> Vec<Value> {
        let output = self.try_run(arguments);
        let talk = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{arguments:?} of {}: {talk}", self.home.display());
        lines(&output)
    }

    pub(crate) fn status(&self, arguments: &[&str]) -> Option<i32> {
        self.try_run(arguments).status.code()
    }

    /// Runs a command, and kills it after a while if it has not ended.
    pub(crate) fn run_and_kill(&self, arguments: &[&str], after: Duration) {
        let mut child = self.command(arguments).spawn().unwrap();
        thread::sleep(after);
        let _it_may_have_ended = child.kill();
        child.wait().unwrap();
    }

    pub(crate) fn history(&self, group: &str) -> Vec<(u64, String, String)> {
        let said = self.run(&["read", group]);
        let text = |value: &Value, name: &str| value[name].as_str().unwrap().to_owned();
        said.iter().map(|line| (line["seq"].as_u64().unwrap(), text(line, "from"), text(line, "text"))).collect()
    }

    pub(crate) fn info(&self, group: &str) -> Value {
        self.run(&["group", "info", group])[0].clone()
    }

    pub(crate) fn device(&self) -> String {
        self.run(&["id"])[0]["device"].as_str().unwrap().to_owned()
    }
}

pub(crate) fn lines(output: &Output) -> Vec<Value> {
    output.stdout.lines().map(|line| serde_json::from_str(&line.unwrap()).unwrap()).collect()
}

pub(crate) fn invite(from: &Person, to: &Person, group: &str) {
    let code = from.run(&["group", "invite", group])[0]["code"].as_str().unwrap().to_owned();
    let file = to.home.with_extension("code");
    fs::write(&file, code).unwrap();
    to.run(&["group", "join", file.to_str().unwrap()]);
    from.run(&["read", group]);
    to.run(&["read", group]);
}

/// Until nobody has anything left to send, and nobody anything left to read.
pub(crate) fn settle(people: &[&Person], group: &str) {
    for _ in 0..3 {
        for person in people {
            person.run(&["read", group]);
        }
    }
}
