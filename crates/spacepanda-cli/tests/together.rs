//! Several homes and one service, as processes: what people do, programs that are killed at any moment, and the same history at
//! all of them in the end. Rounds: `PANDA_ROUNDS`, 3 otherwise.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "tests"
)]

use std::{
    env, fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{self, Child, Command, Output, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    thread,
    time::Duration,
};

use serde_json::Value;

/// A folder that is gone when the test ends.
struct Place(PathBuf);

impl Place {
    fn new() -> Self {
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
struct Service {
    data: PathBuf,
    child: Child,
    address: String,
}

impl Service {
    fn start(data: &Path, listen: &str) -> Self {
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
    fn kill_and_restart(&mut self) {
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
struct Person {
    home: PathBuf,
}

impl Person {
    fn new(place: &Place, home: &str) -> Self {
        Self { home: place.0.join(home) }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_panda"));
        command.args(arguments).arg("--json").arg("--home").arg(&self.home).stdin(Stdio::null());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn try_run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Expects success; the objects that were printed.
    fn run(&self, arguments: &[&str]) -> Vec<Value> {
        let output = self.try_run(arguments);
        let talk = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{arguments:?} of {}: {talk}", self.home.display());
        lines(&output)
    }

    fn status(&self, arguments: &[&str]) -> Option<i32> {
        self.try_run(arguments).status.code()
    }

    /// Runs a command, and kills it after a while if it has not ended.
    fn run_and_kill(&self, arguments: &[&str], after: Duration) {
        let mut child = self.command(arguments).spawn().unwrap();
        thread::sleep(after);
        let _it_may_have_ended = child.kill();
        child.wait().unwrap();
    }

    fn history(&self, group: &str) -> Vec<(u64, String, String)> {
        let said = self.run(&["read", group]);
        let text = |value: &Value, name: &str| value[name].as_str().unwrap().to_owned();
        said.iter().map(|line| (line["seq"].as_u64().unwrap(), text(line, "from"), text(line, "text"))).collect()
    }

    fn info(&self, group: &str) -> Value {
        self.run(&["group", "info", group])[0].clone()
    }

    fn device(&self) -> String {
        self.run(&["id"])[0]["device"].as_str().unwrap().to_owned()
    }
}

fn lines(output: &Output) -> Vec<Value> {
    output.stdout.lines().map(|line| serde_json::from_str(&line.unwrap()).unwrap()).collect()
}

/// Numbers that look random, and are the same each time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

fn rounds() -> u64 {
    env::var("PANDA_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(3)
}

fn invite(from: &Person, to: &Person, group: &str) {
    let code = from.run(&["group", "invite", group])[0]["code"].as_str().unwrap().to_owned();
    let file = to.home.with_extension("code");
    fs::write(&file, code).unwrap();
    to.run(&["group", "join", file.to_str().unwrap()]);
    from.run(&["read", group]);
    to.run(&["read", group]);
}

/// Until nobody has anything left to send, and nobody anything left to read.
fn settle(people: &[&Person], group: &str) {
    for _ in 0..3 {
        for person in people {
            person.run(&["read", group]);
        }
    }
}

/// All are in one epoch, and have said and read the same from where the last of them came in.
fn agree(people: &[&Person], group: &str, since: u64) {
    let first = people[0];
    let (expected, histories) = (first.info(group), first.history(group));
    let expected_since: Vec<_> = histories.iter().filter(|(seq, ..)| *seq > since).collect();
    for person in people {
        let info = person.info(group);
        for field in ["epoch", "members", "safety", "name"] {
            assert_eq!(info[field], expected[field], "{field} of {}", person.home.display());
        }
        assert_eq!(info["state"], "in step");
        let history = person.history(group);
        let since: Vec<_> = history.iter().filter(|(seq, ..)| *seq > since).collect();
        assert_eq!(since, expected_since, "history of {}", person.home.display());
    }
}

/// Every text that was accepted is there once.
fn all_there_once(person: &Person, group: &str, said: &[String]) {
    let mut there: Vec<String> = person.history(group).into_iter().map(|(_, _, text)| text).collect();
    there.sort();
    let mut said = said.to_vec();
    said.sort();
    let missing: Vec<_> = said.iter().filter(|text| there.binary_search(text).is_err()).collect();
    assert!(missing.is_empty(), "lost: {missing:?}");
    assert!(there.windows(2).all(|pair| pair[0] != pair[1]), "doubled in {there:?}");
}

#[test]
fn people_meet_talk_and_part() {
    let place = Place::new();
    let service = Service::start(&place.0.join("service"), "127.0.0.1:0");
    let [alice, bob, carol, laptop] = ["alice", "bob", "carol", "laptop"].map(|home| Person::new(&place, home));
    for (person, name) in [(&alice, "alice"), (&bob, "bob"), (&carol, "carol")] {
        person.run(&["init", name, "--service", &service.address]);
    }
    alice.run(&["group", "create", "tea"]);
    invite(&alice, &bob, "tea");
    alice.run(&["group", "add", "tea", "carol"]);
    for (person, text) in [(&alice, "milk?"), (&bob, "please"), (&carol, "no, thanks")] {
        person.run(&["send", "tea", text]);
    }
    settle(&[&alice, &bob, &carol], "tea");
    let since = alice.history("tea")[0].0 - 1;
    agree(&[&alice, &bob, &carol], "tea", since);

    // Carol is away for five epochs, and comes back.
    for n in 0..5 {
        let who = if n % 2 == 0 { &alice } else { &bob };
        who.run(&["group", "rotate", "tea"]);
        who.run(&["send", "tea", &format!("while carol is away {n}")]);
    }
    settle(&[&carol, &alice, &bob], "tea");
    agree(&[&alice, &bob, &carol], "tea", since);

    // Two commits at once: one is first, the other is made again by itself.
    let before = alice.info("tea")["epoch"].as_u64().unwrap();
    let racing: Vec<_> =
        [&alice, &bob].iter().map(|person| person.command(&["group", "rotate", "tea"]).spawn().unwrap()).collect();
    for racer in racing {
        assert!(racer.wait_with_output().unwrap().status.success());
    }
    settle(&[&alice, &bob, &carol], "tea");
    assert_eq!(alice.info("tea")["epoch"].as_u64(), Some(before + 2));
    agree(&[&alice, &bob, &carol], "tea", since);

    // A second device of Bob's.
    assert_eq!(laptop.status(&["init", "bob", "--service", &service.address]), Some(4));
    let voucher = bob.run(&["id", "vouch", &laptop.device()])[0]["voucher"].as_str().unwrap().to_owned();
    let file = place.0.join("voucher");
    fs::write(&file, voucher).unwrap();
    laptop.run(&["id", "enrol", file.to_str().unwrap()]);
    bob.run(&["group", "add", "tea", "bob"]);
    laptop.run(&["doctor"]);
    laptop.run(&["send", "tea", "from my laptop"]);
    settle(&[&alice, &bob, &carol, &laptop], "tea");
    assert_eq!(laptop.history("tea").len(), 1);
    let all = [&alice, &bob, &carol, &laptop];
    agree(&all, "tea", laptop.history("tea")[0].0 - 1);

    // Bob is removed by name, with both devices, and reads nothing more.
    alice.run(&["group", "remove", "tea", "bob"]);
    alice.run(&["send", "tea", "bob is out"]);
    for device in [&bob, &laptop] {
        assert!(!device.history("tea").iter().any(|(_, _, text)| text == "bob is out"));
        assert_eq!(device.status(&["send", "tea", "still here?"]), Some(4));
        assert_eq!(device.info("tea")["state"], "left");
    }
    settle(&[&carol], "tea");
    agree(&[&alice, &carol], "tea", since);

    // Carol leaves; that is done once Alice is there.
    carol.run(&["group", "leave", "tea"]);
    alice.run(&["read", "tea"]);
    assert_eq!(alice.info("tea")["members"], serde_json::json!(["alice"]));
    carol.run(&["read", "tea"]);
    assert_eq!(carol.info("tea")["state"], "left");
}

#[test]
fn what_was_said_without_a_service_is_sent_later() {
    let place = Place::new();
    let mut service = Service::start(&place.0.join("service"), "127.0.0.1:0");
    let [alice, bob] = ["alice", "bob"].map(|home| Person::new(&place, home));
    for (person, name) in [(&alice, "alice"), (&bob, "bob")] {
        person.run(&["init", name, "--service", &service.address]);
    }
    alice.run(&["group", "create", "tea"]);
    invite(&alice, &bob, "tea");
    service.child.kill().unwrap();
    service.child.wait().unwrap();
    assert_eq!(bob.status(&["send", "tea", "one"]), Some(3));
    assert_eq!(bob.status(&["group", "rename", "tea", "coffee"]), Some(3));
    assert_eq!(bob.status(&["send", "tea", "two"]), Some(3));
    assert_eq!(bob.status(&["read", "tea", "--offline"]), Some(0));
    service.kill_and_restart();
    bob.run(&["doctor"]);
    alice.run(&["doctor"]);
    let texts: Vec<_> = alice.history("coffee").into_iter().map(|(_, _, text)| text).collect();
    assert_eq!(texts, ["one", "two"]);
    agree(&[&alice, &bob], "coffee", 0);
}

/// Everybody talks, renews and renames at once; clients and the service are killed at any moment.
#[test]
fn nothing_is_lost_or_doubled_whatever_is_killed() {
    let place = Place::new();
    let service = Arc::new(Mutex::new(Service::start(&place.0.join("service"), "127.0.0.1:0")));
    let address = service.lock().unwrap().address.clone();
    let people = ["alice", "bob", "carol"].map(|home| Person::new(&place, home));
    for (person, name) in people.iter().zip(["alice", "bob", "carol"]) {
        person.run(&["init", name, "--service", &address]);
    }
    people[0].run(&["group", "create", "tea"]);
    for person in &people[1..] {
        invite(&people[0], person, "tea");
    }
    let everybody: Vec<&Person> = people.iter().collect();
    settle(&everybody, "tea");
    let mut dice = Dice(u64::from(process::id()));
    let mut said = Vec::new();
    for round in 0..rounds() {
        let spins: Vec<_> = people.iter().map(|_| (dice.roll(4), dice.roll(250), dice.roll(3))).collect();
        let service_dies = dice.roll(3) == 0;
        thread::scope(|scope| {
            if service_dies {
                scope.spawn(|| {
                    thread::sleep(Duration::from_millis(60));
                    service.lock().unwrap().kill_and_restart();
                });
            }
            for (index, (person, (what, after, killed))) in people.iter().zip(&spins).enumerate() {
                scope.spawn(move || {
                    let text = format!("round {round} of {index}");
                    let send: &[&str] = &["send", "tea", &text];
                    if *killed == 0 {
                        person.run_and_kill(send, Duration::from_millis(*after));
                    } else {
                        // Without the service it is queued, which is as good.
                        let status = person.status(send);
                        assert!(matches!(status, Some(0 | 3 | 5)), "{status:?}");
                    }
                    match what {
                        0 => person.run_and_kill(&["group", "rotate", "tea"], Duration::from_millis(*after)),
                        1 => drop(person.try_run(&["group", "rotate", "tea"])),
                        _ => drop(person.try_run(&["read", "tea"])),
                    }
                });
            }
        });
        for (index, (_, _, killed)) in spins.iter().enumerate() {
            said.extend((*killed != 0).then(|| format!("round {round} of {index}")));
        }
    }
    settle(&everybody, "tea");
    agree(&everybody, "tea", 0);
    all_there_once(&people[1], "tea", &said);
}

/// Whoever follows sees what is said at once, also after the service was killed and came back; others of the same home are not kept
/// out meanwhile.
#[test]
fn who_follows_sees_what_is_said() {
    let place = Place::new();
    let mut service = Service::start(&place.0.join("service"), "127.0.0.1:0");
    let [alice, bob] = ["alice", "bob"].map(|home| Person::new(&place, home));
    for (person, name) in [(&alice, "alice"), (&bob, "bob")] {
        person.run(&["init", name, "--service", &service.address]);
    }
    alice.run(&["group", "create", "tea"]);
    invite(&alice, &bob, "tea");
    let mut following = bob.command(&["read", "tea", "--follow"]).stderr(Stdio::null()).spawn().unwrap();
    let mut said = BufReader::new(following.stdout.take().unwrap()).lines();
    let mut next = || serde_json::from_str::<Value>(&said.next().unwrap().unwrap()).unwrap()["text"].clone();
    alice.run(&["send", "tea", "before"]);
    assert_eq!(next(), "before");
    bob.run(&["send", "tea", "from another terminal"]);
    assert_eq!(next(), "from another terminal");
    service.kill_and_restart();
    alice.run(&["send", "tea", "after"]);
    assert_eq!(next(), "after");
    // It ends by itself when there is nothing more to follow.
    alice.run(&["group", "remove", "tea", "bob"]);
    assert!(following.wait().unwrap().success());
}

/// A passphrase comes by a file descriptor, and by none of the ways that others can look at.
#[test]
fn a_passphrase_comes_by_a_file_descriptor() {
    let place = Place::new();
    fs::write(place.0.join("passphrase"), "correct horse battery staple\n").unwrap();
    let alice = Person::new(&place, "alice");
    let run = |arguments: &str| {
        let script = format!("\"$PANDA\" {arguments} --home alice --passphrase-fd 3 3< passphrase");
        let mut command = Command::new("sh");
        command.args(["-c", &script]).env("PANDA", env!("CARGO_BIN_EXE_panda")).current_dir(&place.0);
        command.stdin(Stdio::null()).output().unwrap().status.code()
    };
    assert_eq!(run("init alice --service http://127.0.0.1:9"), Some(3));
    assert_eq!(run("id"), Some(0));
    assert_eq!(alice.status(&["id"]), Some(6));
    assert!(!alice.home.join("key").exists());
}

#[test]
fn shells_and_readers_of_manuals_are_served() {
    for (arguments, expected) in [
        (["completions", "bash"].as_slice(), "_panda()"),
        (&["completions", "zsh"], "#compdef panda"),
        (&["man"], ".TH panda 1"),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_panda")).args(arguments).output().unwrap();
        assert!(output.status.success());
        assert!(String::from_utf8_lossy(&output.stdout).contains(expected), "{arguments:?}");
    }
}
