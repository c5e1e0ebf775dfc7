//! Several homes and one service, as processes: what people do, programs that are killed at any moment, and the same history at
//! all of them in the end. Rounds: `PANDA_ROUNDS`, 3 otherwise.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "tests"
)]

#[path = "shared/people.rs"]
mod people;

use std::{
    env, fs,
    io::{BufRead, BufReader},
    process::{self, Command, Stdio},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use serde_json::Value;

use people::{Person, Place, Service, invite, settle};

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

/// A device is lost; its home is made anew out of a backup, and is let in again in place of the lost one.
#[test]
fn a_lost_home_is_restored() {
    let place = Place::new();
    let service = Service::start(&place.0.join("service"), "127.0.0.1:0");
    let [alice, bob, anew] = ["alice", "bob", "anew"].map(|home| Person::new(&place, home));
    for (person, name) in [(&alice, "alice"), (&bob, "bob")] {
        person.run(&["init", name, "--service", &service.address]);
    }
    alice.run(&["group", "create", "tea"]);
    invite(&alice, &bob, "tea");
    alice.run(&["send", "tea", "before"]);
    bob.run(&["read", "tea"]);
    let [backup, passphrase] = ["backup", "passphrase"].map(|file| place.0.join(file).to_str().unwrap().to_owned());
    fs::write(&passphrase, "correct horse battery staple\n").unwrap();
    bob.run(&["export-backup", &backup, "--backup-passphrase-file", &passphrase]);
    fs::remove_dir_all(&bob.home).unwrap();
    alice.run(&["send", "tea", "meanwhile"]);
    let restored = anew.run(&["restore", &backup, "--backup-passphrase-file", &passphrase]);
    assert_eq!((&restored[0]["name"], &restored[0]["groups"]), (&"bob".into(), &serde_json::json!(["tea"])));
    assert_eq!(anew.status(&["doctor"]), Some(1));
    invite(&alice, &anew, "tea");
    anew.run(&["send", "tea", "here again"]);
    settle(&[&alice, &anew], "tea");
    let texts = |person: &Person| person.history("tea").into_iter().map(|(_, _, text)| text).collect::<Vec<_>>();
    assert_eq!(texts(&anew), ["before", "here again"]);
    assert_eq!(texts(&alice), ["before", "meanwhile", "here again"]);
    assert_eq!(anew.info("tea")["safety"], alice.info("tea")["safety"]);
    anew.run(&["doctor"]);
}

/// The last two leave at the same time: neither has to wait for somebody who never comes.
#[test]
fn the_last_two_leave() {
    let place = Place::new();
    let service = Service::start(&place.0.join("service"), "127.0.0.1:0");
    let [alice, bob] = ["alice", "bob"].map(|home| Person::new(&place, home));
    for (person, name) in [(&alice, "alice"), (&bob, "bob")] {
        person.run(&["init", name, "--service", &service.address]);
    }
    alice.run(&["group", "create", "tea"]);
    invite(&alice, &bob, "tea");
    let leave = |person: &Person| person.command(&["group", "leave", "tea"]).spawn().unwrap();
    for leaver in [leave(&alice), leave(&bob)] {
        assert!(leaver.wait_with_output().unwrap().status.success());
    }
    for _ in 0..3 {
        [&alice, &bob].into_iter().for_each(|person| drop(person.run(&["doctor"])));
    }
    for person in [&alice, &bob] {
        let groups = person.run(&["group", "list"]);
        assert!(groups.iter().all(|group| group["state"] == "left"), "{groups:?}");
    }
}

/// Whoever has a code of an open group joins while nobody else is there: no command of theirs runs.
#[test]
fn somebody_joins_while_nobody_is_there() {
    let place = Place::new();
    let service = Service::start(&place.0.join("service"), "127.0.0.1:0");
    let [alice, bob, carol] = ["alice", "bob", "carol"].map(|home| Person::new(&place, home));
    for (person, name) in [(&alice, "alice"), (&bob, "bob"), (&carol, "carol")] {
        person.run(&["init", name, "--service", &service.address]);
    }
    alice.run(&["group", "create", "tea"]);
    assert_eq!(alice.status(&["group", "invite", "tea", "--open"]), Some(1), "it has no roles");
    alice.run(&["group", "roles", "tea", "--introduce"]);
    let invited = alice.run(&["group", "invite", "tea", "--open"])[0].clone();
    let file = place.0.join("code");
    fs::write(&file, invited["code"].as_str().unwrap()).unwrap();
    let code = file.to_str().unwrap();
    let joined = bob.run(&["group", "join", code]);
    assert_eq!(joined[0]["members"], serde_json::json!(["alice", "bob"]));
    bob.run(&["send", "tea", "anybody here?"]);
    assert_eq!(carol.status(&["group", "join", code]), Some(4), "it was for one");
    let texts: Vec<_> = alice.history("tea").into_iter().map(|(_, _, text)| text).collect();
    assert_eq!(texts, ["anybody here?"]);
    agree(&[&alice, &bob], "tea", 0);
    assert_eq!(alice.status(&["group", "invite", "tea", "--revoke", invited["id"].as_str().unwrap()]), Some(0));
}
