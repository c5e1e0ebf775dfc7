//! Starts the comparison with other implementations, with the same arguments; measures spacepanda-core itself.
//!
//! The comparison is a workspace of its own, in `program`: one peer pins an aws-lc that is older than ours, another one a
//! SQLite, and a build has one of each. Build outputs go where this program's are.
#![allow(clippy::print_stderr, clippy::print_stdout, reason = "a command-line tool")]

use std::{
    env,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

use indicatif::ProgressBar;
use mls_bench::facade;

/// What is measured here.
const FACADE: &str = "facade";

fn main() -> ExitCode {
    let mut arguments: Vec<OsString> = env::args_os().skip(1).collect();
    let named = arguments.iter().position(|argument| argument == FACADE);
    if let Some(place) = named {
        arguments.remove(place);
    }
    let records = arguments.iter().any(|argument| argument.to_string_lossy().starts_with("--record"));
    let mut results = None;
    if named.is_some() || records {
        let progress = ProgressBar::new_spinner();
        let figures = facade::run(|what| progress.set_message(format!("spacepanda-core: {what}")));
        progress.finish_and_clear();
        println!("{}", facade::markdown(&figures));
        if arguments.is_empty() {
            return ExitCode::SUCCESS;
        }
        let file = env::temp_dir().join(format!("mls-bench-facade-{}.json", std::process::id()));
        if let Err(error) = fs::write(&file, facade::json(&figures)) {
            eprintln!("cannot write {}: {error}", file.display());
            return ExitCode::FAILURE;
        }
        results = Some(file);
    }
    let code = compare(&arguments, results.as_ref());
    if let Some(file) = results {
        // A file that stays does no harm.
        let _ = fs::remove_file(file);
    }
    code
}

fn compare(arguments: &[OsString], facade: Option<&PathBuf>) -> ExitCode {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("program/Cargo.toml");
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["run", "--release", "--locked", "--quiet", "--manifest-path"]).arg(manifest);
    // target/release/mls-bench stands two levels under the folder of outputs.
    if let Some(target) = env::current_exe().ok().as_deref().and_then(Path::parent).and_then(Path::parent) {
        cargo.arg("--target-dir").arg(target);
    }
    cargo.arg("--").args(arguments);
    if let Some(file) = facade {
        cargo.arg("--facade").arg(file);
    }
    match cargo.status() {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("cannot start cargo: {error}; run it by hand in tools/bench/program");
            ExitCode::FAILURE
        }
    }
}
