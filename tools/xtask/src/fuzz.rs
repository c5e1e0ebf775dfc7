//! The fuzz targets under libFuzzer, each for so long; as many at a time as there are processors.
//!
//! In: how long, and names of targets. Out: a table of what each did, also in `target/fuzz/report.md`.
//! Always: a crash fails, and says how to see it again. What is found to reach new code stays in `target/fuzz/corpus`.

mod campaign;
mod corpus;
mod options;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::{Mutex, PoisonError},
    thread,
    time::Instant,
};

use self::{
    campaign::{Campaign, Outcome as Ran},
    options::Options,
};
use crate::{Outcome, finding::Finding, source};

/// The instrumentation that libFuzzer reads: counters, their places, and compared values.
const FLAGS: &str = "--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares";

const MANIFEST: &str = "tools/fuzz/program/Cargo.toml";

/// Runs the targets that are named; all, if none is.
pub(crate) fn run(words: &[&str]) -> Outcome {
    let options = Options::read(words)?;
    let root = source::root()?;
    let program = build(&root)?;
    let names = options.choose(&targets(&program)?)?;
    let queue = Mutex::new(names.iter().rev().cloned().collect::<Vec<_>>());
    let ran = Mutex::new(Vec::new());
    let lanes = thread::available_parallelism().map_or(1, usize::from).min(names.len());
    let begun = Instant::now();
    thread::scope(|scope| {
        for _ in 0..lanes {
            scope.spawn(|| {
                while let Some(name) = take(&queue) {
                    println!("{name}: running for {} s", options.seconds);
                    let outcome = Campaign { root: &root, program: &program, name, options: &options }.run();
                    println!("{outcome}");
                    ran.lock().unwrap_or_else(PoisonError::into_inner).push(outcome);
                }
            });
        }
    });
    let mut ran = ran.into_inner().unwrap_or_else(PoisonError::into_inner);
    ran.sort_by(|one, other| one.name.cmp(&other.name));
    report(&root, &ran, begun.elapsed().as_secs())?;
    Ok(ran.iter().filter_map(|outcome| crash(&program, outcome)).collect())
}

fn take(queue: &Mutex<Vec<String>>) -> Option<String> {
    queue.lock().unwrap_or_else(PoisonError::into_inner).pop()
}

/// Builds the program with its instrumentation, away from all other builds; where it is.
fn build(root: &Path) -> Result<PathBuf, Box<dyn std::error::Error>> {
    let host = host()?;
    let folder = root.join("target/fuzz/build");
    // With `--target`, what runs while building is not instrumented.
    let mut cargo = Command::new("cargo");
    cargo.current_dir(root).env("RUSTFLAGS", FLAGS).env("CARGO_TARGET_DIR", &folder).env_remove("CARGO_INCREMENTAL");
    let status =
        cargo.args(["build", "--release", "--locked", "--manifest-path", MANIFEST, "--target", &host]).status()?;
    if !status.success() {
        return Err(format!("the fuzz program does not build: {status}; it needs a C++ compiler").into());
    }
    Ok(folder.join(host).join("release/fuzz-program"))
}

fn host() -> Result<String, Box<dyn std::error::Error>> {
    let version = String::from_utf8(Command::new("rustc").arg("-vV").output()?.stdout)?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.ok_or("rustc -vV names no host")?.to_owned())
}

/// The names that the program knows.
fn targets(program: &Path) -> Result<Vec<String>, Box<dyn std::error::Error>> {
    let output = Command::new(program).env("FUZZ_LIST", "1").output()?;
    Ok(String::from_utf8(output.stdout)?.lines().map(str::to_owned).collect())
}

fn report(root: &Path, ran: &[Ran], seconds: u64) -> std::io::Result<()> {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let mut text = format!("# Fuzzing\n\n{cores} processors, {seconds} s in all.\n\n");
    text.push_str(
        "| target | runs | runs a second | code reached | inputs kept | crash |\n|---|---:|---:|---:|---:|---|\n",
    );
    for outcome in ran {
        let crash = outcome.crash.as_ref().map_or_else(|| "none".to_owned(), |path| path.display().to_string());
        let Ran { name, runs, speed, reached, kept, .. } = outcome;
        text.push_str(&format!("| {name} | {runs} | {speed} | {reached} | {kept} | {crash} |\n"));
    }
    fs::write(root.join("target/fuzz/report.md"), text)
}

fn crash(program: &Path, outcome: &Ran) -> Option<Finding> {
    let (name, input) = (&outcome.name, outcome.crash.as_ref()?);
    let again = format!(
        "{name} broke; see it again: FUZZ_TARGET={name} {} {input}; keep it: xxd -p -c0 {input} >> \
         tools/fuzz/regressions/{name}.hex",
        program.display(),
        input = input.display(),
    );
    Some(Finding::new(&input.display().to_string(), 0, again))
}
