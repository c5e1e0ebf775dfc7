//! `panda demo`, run as a program: what goes in, what comes out, and the exit status.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects, reason = "tests")]

use std::{
    collections::BTreeSet,
    env,
    fs::{self, File},
    io::{BufRead, BufReader, Write},
    path::PathBuf,
    process::{self, Command, Output, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    thread,
};

use serde_json::Value;

/// A folder that is gone when the test ends.
struct Home(PathBuf);

impl Home {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::SeqCst);
        Self(env::temp_dir().join(format!("panda-demo-{}-{number}", process::id())))
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn panda(arguments: &[&str], input: &[u8]) -> Output {
    panda_at(&Home::new(), arguments, input)
}

fn panda_at(home: &Home, arguments: &[&str], input: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_panda"))
        .args(arguments)
        .env("PANDA_HOME", &home.0)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    // A program that stops early closes its input, which is no concern of the test.
    let writer = thread::spawn(move || drop(stdin.write_all(&input)));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    output
}

/// Runs the demo with `--json`, expects success, and reads its lines.
fn events(members: usize, input: &[u8]) -> Vec<Value> {
    events_at(&Home::new(), &["--members", &members.to_string()], input)
}

fn events_at(home: &Home, options: &[&str], input: &[u8]) -> Vec<Value> {
    let output = panda_at(home, &[&["demo", "--json"], options].concat(), input);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn of<'a>(events: &'a [Value], kind: &str) -> Vec<&'a Value> {
    events.iter().filter(|event| event["event"] == kind).collect()
}

fn names(list: &Value) -> BTreeSet<String> {
    list.as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect()
}

/// Each message is read by the members of its epoch except its sender, and epochs differ in their authenticators.
fn assert_read_by_all_others(events: &[Value]) {
    let mut roster = BTreeSet::new();
    let mut epoch = 0;
    let mut authenticators = BTreeSet::new();
    for event in events {
        if event["event"] == "epoch" {
            assert_eq!(event["epoch"].as_u64().unwrap(), epoch + 1);
            epoch += 1;
            roster = names(&event["members"]);
            assert!(authenticators.insert(event["authenticator"].as_str().unwrap().to_owned()));
        }
        if event["event"] == "message" {
            let mut others = roster.clone();
            assert!(others.remove(event["from"].as_str().unwrap()));
            assert_eq!((event["epoch"].as_u64().unwrap(), names(&event["read_by"])), (epoch, others));
        }
    }
}

#[test]
fn two_lines_are_read_by_all_others() {
    let events = events(5, b"hello\nworld\n");
    let said: Vec<_> = of(&events, "message").iter().map(|event| (&event["from"], &event["text"])).collect();
    assert_eq!(said, [(&"alice".into(), &"hello".into()), (&"bob".into(), &"world".into())]);
    assert_read_by_all_others(&events);
    let epochs = of(&events, "epoch");
    assert_eq!(names(&epochs[0]["members"]).len(), 5);
    // Both that raced for an epoch got one.
    assert_eq!(epochs.len(), 4);
    let removed = of(&events, "removed");
    assert_eq!((&removed[0]["who"], &removed[0]["could_read"]), (&"dave".into(), &false.into()));
    assert!(removed[0]["attempts"].as_u64().unwrap() > 0);
    assert!(!names(&epochs.last().unwrap()["members"]).contains("dave"));
    let done = events.last().unwrap();
    assert_eq!((&done["event"], &done["messages"], &done["agreed"]), (&"done".into(), &2.into(), &true.into()));
}

#[test]
fn the_built_in_conversation_needs_no_input() {
    let events = events(4, b"");
    assert_read_by_all_others(&events);
    let messages = of(&events, "message");
    assert_eq!(messages.len(), 12);
    // Removed half-way: six lines with four members, six with three.
    let readers: Vec<_> = messages.iter().map(|event| names(&event["read_by"]).len()).collect();
    assert_eq!(readers, [3, 3, 3, 3, 3, 3, 2, 2, 2, 2, 2, 2]);
    assert_eq!(of(&events, "removed").len(), 1);
}

#[test]
fn two_members_remove_nobody() {
    let events = events(2, b"a\n\nb\n");
    assert_read_by_all_others(&events);
    let texts: Vec<_> = of(&events, "message").iter().map(|event| event["text"].as_str().unwrap()).collect();
    assert_eq!(texts, ["a", "", "b"]);
    assert!(of(&events, "removed").is_empty());
}

#[test]
fn many_lines_and_members() {
    let input: String = (0..300).map(|line| format!("line {line}\n")).collect();
    let events = events_at(&Home::new(), &["--members", "8", "--memory"], input.as_bytes());
    assert_read_by_all_others(&events);
    let texts: Vec<_> = of(&events, "message").iter().map(|event| event["text"].as_str().unwrap()).collect();
    assert_eq!(texts, input.lines().collect::<Vec<_>>());
    assert!(names(&of(&events, "epoch")[0]["members"]).contains("member-8"));
}

#[test]
fn people_get_text_without_control_characters() {
    let output = panda(&["demo", "--members", "3", "--suite", "interop"], b"a\x1b[31m\xff\n");
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("  alice      a\u{fffd}[31m\u{fffd}  read by 2\n"), "{text}");
    assert!(text.contains("1 commit came second and went again; all members agreed on everything."), "{text}");
    assert!(!text.contains('\u{1b}'));
    assert!(String::from_utf8_lossy(&output.stderr).contains("not UTF-8: 1"));
}

#[test]
fn a_line_that_is_too_long_ends_it_with_an_error() {
    let output = panda(&["demo", "--json"], &[b'x'; (1 << 20) + 1]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("line 1 is longer than 1048576 bytes; split it"));
    let done: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&done["event"], &done["agreed"]), (&"done".into(), &false.into()));
}

#[test]
fn arguments_that_make_no_sense_are_explained() {
    for arguments in
        [&["demo", "--members", "1"][..], &["demo", "--members", "65"], &["demo", "--suite", "0x9999"], &["dmeo"]]
    {
        let output = panda(arguments, b"");
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(!output.stderr.is_empty());
    }
    let help = panda(&[], b"");
    assert!(String::from_utf8_lossy(&help.stderr).contains("demo"));
    assert!(String::from_utf8_lossy(&panda(&["--version"], b"").stdout).starts_with("panda 0.1"));
}

fn authenticator(event: &Value) -> &str {
    event["authenticator"].as_str().unwrap()
}

#[test]
fn the_next_run_goes_on_where_the_first_stopped() {
    let home = Home::new();
    let first = events_at(&home, &[], b"hello\nworld\n");
    let second = events_at(&home, &[], b"again\n");
    let (before, after) = (of(&first, "epoch"), of(&second, "epoch"));
    // The same group without the removed member, then with it again.
    assert_eq!(after[0], *before.last().unwrap());
    assert_eq!(names(&after[0]["members"]).len(), 4);
    assert_eq!(names(&after[1]["members"]).len(), 5);
    assert_eq!(names(&of(&second, "message")[0]["read_by"]).len(), 4);
    assert_eq!(of(&second, "removed")[0]["who"], "dave");
    // A third one begins anew, and a fourth goes on with that.
    let third = events_at(&home, &["--fresh"], b"anew\n");
    assert_eq!(of(&third, "epoch")[0]["epoch"], 1);
    assert_eq!(of(&events_at(&home, &[], b"on\n"), "epoch")[0], *of(&third, "epoch").last().unwrap());
}

#[test]
fn in_memory_nothing_is_left() {
    let home = Home::new();
    let run = || events_at(&home, &["--memory", "--members", "2"], b"hello\n");
    let (first, second) = (run(), run());
    assert_eq!(of(&second, "epoch")[0]["epoch"], 1);
    assert_ne!(authenticator(of(&first, "epoch")[0]), authenticator(of(&second, "epoch")[0]));
    assert!(!home.0.exists());
}

#[test]
fn a_home_opens_only_as_it_was_made() {
    let (home, other) = (Home::new(), Home::new());
    fs::create_dir_all(&other.0).unwrap();
    let write = |name: &str, text: &str| {
        let path = other.0.join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (right, wrong) = (write("right", "correct horse battery\n"), write("wrong", "incorrect horse battery"));
    let run = |home: &Home, options: &[&str]| {
        let output = panda_at(home, &[&["demo", "--members", "2"], options].concat(), b"hello\n");
        (output.status.success(), String::from_utf8(output.stderr).unwrap())
    };
    assert!(run(&home, &["--passphrase-file", &right]).0);
    assert!(!home.0.join("key").exists());
    let (done, why) = run(&home, &["--passphrase-file", &wrong]);
    assert!(!done && why.contains("wrong passphrase or key; give the passphrase"), "{why}");
    let (done, why) = run(&home, &[]);
    assert!(!done && why.contains("--passphrase-file FILE"), "{why}");
    assert!(run(&home, &["--passphrase-file", &right]).0);
    // The other way round.
    let home = Home::new();
    assert!(run(&home, &[]).0);
    let (done, why) = run(&home, &["--passphrase-file", &right]);
    assert!(!done && why.contains("has a key file and no passphrase"), "{why}");
}

#[test]
fn a_home_may_be_there_or_deep_in_folders_that_are_not() {
    let home = Home::new();
    fs::create_dir_all(&home.0).unwrap();
    assert!(panda_at(&home, &["demo", "--members", "3", "--json"], b"hello\n").status.success());
    let deep = home.0.join("not/yet/there");
    let output = panda_at(&home, &["demo", "--members", "3", "--json", "--home", deep.to_str().unwrap()], b"hello\n");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(deep.join("key").exists());
}

#[test]
fn whoever_uses_the_home_is_waited_for() {
    let home = Home::new();
    fs::create_dir_all(&home.0).unwrap();
    let lock = File::create(home.0.join("lock")).unwrap();
    lock.lock().unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_panda"))
        .args(["demo", "--members", "3", "--json"])
        .env("PANDA_HOME", &home.0)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = String::new();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    while !said.contains("waiting until it ends") {
        assert_ne!(stderr.read_line(&mut said).unwrap(), 0, "it did not wait: {said}");
    }
    assert!(child.try_wait().unwrap().is_none());
    assert!(!home.0.join("demo").exists());
    drop(lock);
    assert!(child.wait().unwrap().success());
}

#[test]
fn the_same_over_a_real_service() {
    let home = Home::new();
    let output = panda_at(&home, &["demo", "--network", "--members", "3", "--json"], b"one\n--two\nthree\nfour\n");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let events: Vec<Value> = output.stdout.lines().map(|line| serde_json::from_str(&line.unwrap()).unwrap()).collect();
    let of = |kind: &str| events.iter().filter(|event| event["event"] == kind).collect::<Vec<_>>();
    let readers: Vec<usize> = of("message").iter().map(|said| said["read_by"].as_array().unwrap().len()).collect();
    assert_eq!(readers, [2, 2, 1, 1]);
    assert_eq!(of("message")[1]["text"], "--two");
    let removed = of("removed")[0];
    assert_eq!((removed["who"].as_str(), removed["could_read"].as_bool()), (Some("carol"), Some(false)));
    assert_eq!(removed["attempts"], 2);
    assert_eq!(of("done")[0]["agreed"], true);
    assert!(!home.0.exists());
}
