//! The long forms of every test that a group is never lost: hours of loss of power, kills, restarts and rival processes.
//!
//! In: nothing, or names of parts. Out: what each part says; the first that fails ends it.
//! Always: each part is one command that can be given by hand, and is printed so.

use std::{process::Command, time::Instant};

use crate::{Outcome, source};

/// A part: its name, settings, and what cargo is to run.
type Part = (&'static str, &'static [(&'static str, &'static str)], &'static [&'static str]);

/// More than 100,000 crash points; 200 kills; 10,000 operations of two processes; 5,000 restarts; each byte of a store.
const PARTS: [Part; 5] = [
    ("power", &[("STORE_LAB_POINTS", "20000")], &["-p", "store-lab"]),
    ("store", &[("MLS_STORE_LONG", "1")], &["-p", "mls-store"]),
    ("kills", &[("SPACEPANDA_KILLS", "200")], &["-p", "spacepanda-core", "--test", "kills"]),
    ("processes", &[("SPACEPANDA_OPERATIONS", "10000")], &["-p", "spacepanda-core", "--test", "processes"]),
    ("restarts", &[("SPACEPANDA_MODEL_STEPS", "5000")], &["-p", "spacepanda-core", "--test", "model"]),
];

/// Runs the parts that are named; all, if none is.
pub(crate) fn run(names: &[&str]) -> Outcome {
    if let Some(unknown) = names.iter().find(|name| !PARTS.iter().any(|(known, ..)| known == *name)) {
        let known = PARTS.map(|(name, ..)| name).join(", ");
        return Err(format!("no part is called {unknown}; there are: {known}").into());
    }
    let root = source::root()?;
    let chosen = PARTS.iter().filter(|(name, ..)| names.is_empty() || names.contains(name));
    for (number, (name, settings, arguments)) in chosen.enumerate() {
        let number = number.saturating_add(1);
        let shown: Vec<String> = settings.iter().map(|(name, value)| format!("{name}={value}")).collect();
        eprintln!("[{number}] {name}: {} cargo test --release {}", shown.join(" "), arguments.join(" "));
        let begun = Instant::now();
        let mut command = Command::new("cargo");
        command.current_dir(&root).args(["test", "--release"]).args(*arguments).args(["--", "--nocapture"]);
        let status = command.envs(settings.iter().copied()).status()?;
        if !status.success() {
            return Err(format!("{name}: {status}").into());
        }
        eprintln!("[{number}] {name}: held, {} s", begun.elapsed().as_secs());
    }
    Ok(Vec::new())
}
