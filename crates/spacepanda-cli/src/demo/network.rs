//! `panda demo --network`: the conversation as people have it, with a service and a program for each step.
//!
//! In: lines. Out: the same events as without a network.
//! Always: what runs are real processes of this program, over a real service on a free port of this machine; all of it is gone
//! when the demo ends.

use std::{
    env, fs,
    io::{self, BufRead, BufReader},
    path::PathBuf,
    process::{self, Child, Command, Stdio},
};

use serde_json::Value;

use super::{Tally, event::Event, screen::Screen, script::Script, trouble::Trouble};
use crate::home::make_dir;

/// A service, and homes; gone when it is dropped.
struct Stage {
    program: PathBuf,
    folder: PathBuf,
    service: Child,
    address: String,
}

impl Stage {
    fn set_up() -> Result<Self, Trouble> {
        let program = env::current_exe().map_err(failed)?;
        let folder = env::temp_dir().join(format!("panda-demo-network-{}", process::id()));
        make_dir(&folder).map_err(failed)?;
        let mut serve = Command::new(&program);
        serve.args(["serve", "--json", "--listen", "127.0.0.1:0", "--data"]).arg(folder.join("service"));
        serve.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let service = serve.spawn().map_err(failed)?;
        let mut stage = Self { program, folder, service, address: String::new() };
        let out = stage.service.stdout.take().ok_or_else(|| failed(io::ErrorKind::BrokenPipe.into()))?;
        let mut line = String::new();
        BufReader::new(out).read_line(&mut line).map_err(failed)?;
        stage.address = field(&line, "address").ok_or_else(|| failed(io::ErrorKind::UnexpectedEof.into()))?;
        Ok(stage)
    }

    /// Runs a command as this person, and returns the objects that it printed.
    fn run(&self, person: &str, arguments: &[&str]) -> Result<Vec<String>, Trouble> {
        let mut command = Command::new(&self.program);
        // What comes after two dashes is text, whatever it looks like.
        let text = arguments.iter().position(|argument| *argument == "--").unwrap_or(arguments.len());
        let (options, text) = arguments.split_at_checked(text).ok_or(Trouble::Confused)?;
        command.args(options).arg("--json").arg("--home").arg(self.folder.join(person)).args(text);
        command.stdin(Stdio::null());
        let output = command.output().map_err(failed)?;
        if !output.status.success() {
            let talk = String::from_utf8_lossy(&output.stderr);
            return Err(Trouble::Network(talk.lines().last().unwrap_or_default().to_owned()));
        }
        Ok(String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect())
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        // What cannot be ended or removed is in a folder for temporary things.
        let _ended = self.service.kill().and_then(|()| self.service.wait());
        let _removed = fs::remove_dir_all(&self.folder);
    }
}

/// The whole conversation.
pub(crate) fn hold(members: usize, script: &mut Script, screen: &mut Screen, tally: &mut Tally) -> Result<(), Trouble> {
    let names: Vec<String> = (1..=members).map(super::cast::name).collect();
    let stage = Stage::set_up()?;
    screen.notice(&format!("a service at {}, and {members} homes beside it", stage.address));
    for name in &names {
        stage.run(name, &["init", name, "--service", &stage.address])?;
    }
    let (founder, others) = names.split_first().ok_or(Trouble::Confused)?;
    stage.run(founder, &["group", "create", GROUP])?;
    for name in others {
        stage.run(founder, &["group", "add", GROUP, name])?;
    }
    let mut present: Vec<&str> = names.iter().map(String::as_str).collect();
    let halfway = script.known().0.div_euclid(2).max(1);
    let (mut said, mut removed, mut since) = (0_usize, None, 0_u64);
    while let Some(line) = script.next_line().map_err(Trouble::Input)? {
        let speaker = said.checked_rem(present.len()).and_then(|turn| present.get(turn)).ok_or(Trouble::Confused)?;
        say(&stage, (speaker, &line), &present, (screen, tally))?;
        said = said.saturating_add(1);
        since = since.saturating_add(u64::from(removed.is_some()));
        screen.progress(said);
        if said == halfway && present.len() > 2 {
            let who = present.pop().ok_or(Trouble::Confused)?;
            stage.run(founder, &["group", "remove", GROUP, who])?;
            tally.epochs = tally.epochs.saturating_add(1);
            removed = Some((who, said));
        }
    }
    match removed {
        Some((who, said_until)) => confess(&stage, (who, said_until, since), (screen, tally)),
        None => Ok(()),
    }
}

/// One line, and whether all others have it as it was said.
fn say(
    stage: &Stage,
    (speaker, line): (&str, &str),
    present: &[&str],
    (screen, tally): (&mut Screen, &mut Tally),
) -> Result<(), Trouble> {
    if line.is_empty() {
        return Ok(());
    }
    let sent = stage.run(speaker, &["send", GROUP, "--", line])?;
    let epoch = sent.first().and_then(|sent| serde_json::from_str::<Value>(sent).ok());
    let epoch = epoch.and_then(|sent| sent.get("epoch").and_then(Value::as_u64)).ok_or(Trouble::Confused)?;
    let mut read_by = Vec::new();
    for reader in present.iter().filter(|reader| **reader != speaker) {
        let last = stage.run(reader, &["read", GROUP, "--last", "1"])?;
        let last = last.first().map(String::as_str).unwrap_or_default();
        if field(last, "text").as_deref() == Some(line) && field(last, "from").as_deref() == Some(speaker) {
            read_by.push(*reader);
        }
    }
    tally.agreed &= read_by.len() == present.len().saturating_sub(1);
    tally.messages = tally.messages.saturating_add(1);
    screen.show(&Event::Message { epoch, from: speaker, text: line, read_by })
}

/// What the removed one has: what was said before, and nothing since.
fn confess(
    stage: &Stage,
    (who, said_until, attempts): (&str, usize, u64),
    (screen, tally): (&mut Screen, &mut Tally),
) -> Result<(), Trouble> {
    let has = stage.run(who, &["read", GROUP])?.len();
    let could_read = has > said_until;
    tally.agreed &= !could_read;
    screen.show(&Event::Removed { who, could_read, attempts })
}

fn field(line: &str, name: &str) -> Option<String> {
    let value: Value = serde_json::from_str(line).ok()?;
    value.get(name)?.as_str().map(str::to_owned)
}

fn failed(error: io::Error) -> Trouble {
    Trouble::Network(error.to_string())
}

const GROUP: &str = "panda demo";
