//! `panda chat` in a terminal: a pseudo terminal that `script` of util-linux makes, and what a person sees and types there.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

#[path = "shared/people.rs"]
mod people;

use std::{
    io::{Read, Write},
    process::{Child, ChildStdin, Command, Stdio},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use people::{Person, Place, Service, invite};

/// A terminal in which `panda chat` runs.
struct Terminal {
    child: Child,
    keys: ChildStdin,
    /// Everything that was written to it.
    written: Arc<Mutex<Vec<u8>>>,
}

impl Terminal {
    fn open(person: &Person, group: &str) -> Self {
        let (panda, home) = (env!("CARGO_BIN_EXE_panda"), person.home.display());
        let line = format!("stty rows 24 cols 100; exec '{panda}' chat {group} --home '{home}'");
        let mut child = Command::new("script")
            .args(["--quiet", "--flush", "--return", "--command", &line, "/dev/null"])
            .env("TERM", "xterm")
            .env("NO_COLOR", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let (keys, mut out) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let written = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&written);
        thread::spawn(move || {
            let mut bytes = [0; 4_096];
            while let Ok(read @ 1..) = out.read(&mut bytes) {
                seen.lock().unwrap().extend_from_slice(&bytes[..read]);
            }
        });
        Self { child, keys, written }
    }

    fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    /// Waits until this was written. Of a screen only cells that change are: so it is a word, and not a sentence.
    fn sees(&self, text: &str) {
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(60) {
            if String::from_utf8_lossy(&self.written.lock().unwrap()).contains(text) {
                return;
            }
            thread::sleep(Duration::from_millis(50));
        }
        let written = String::from_utf8_lossy(&self.written.lock().unwrap()).into_owned();
        panic!("{text:?} is not in {written:?}");
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ended = self.child.kill().and_then(|()| self.child.wait());
    }
}

#[test]
fn two_people_chat() {
    let place = Place::new();
    let service = Service::start(&place.0.join("service"), "127.0.0.1:0");
    let [alice, bob] = ["alice", "bob"].map(|home| Person::new(&place, home));
    for (person, name) in [(&alice, "alice"), (&bob, "bob")] {
        person.run(&["init", name, "--service", &service.address]);
    }
    alice.run(&["group", "create", "tea"]);
    invite(&alice, &bob, "tea");
    let mut terminal = Terminal::open(&alice, "tea");
    let safety = bob.info("tea")["safety"].as_str().unwrap().to_owned();
    safety.split(' ').for_each(|digits| terminal.sees(digits));
    terminal.press("Milk?\r");
    // Another program of the same home is not kept out.
    let said = || bob.history("tea").iter().any(|(_, from, text)| from == "alice" && text == "Milk?");
    let begun = Instant::now();
    while !said() && begun.elapsed() < Duration::from_secs(60) {
        thread::sleep(Duration::from_millis(100));
    }
    bob.run(&["send", "tea", "Please\u{1b}[2J."]);
    terminal.sees("Please\u{fffd}[2J.");
    assert_eq!(alice.history("tea").len(), 2);
    terminal.press("\u{3}");
    assert!(terminal.child.wait().unwrap().success());
    // The terminal is given back.
    terminal.sees("\u{1b}[?1049l");
}
