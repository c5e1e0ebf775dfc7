//! Starts the comparison with other implementations, with the same arguments.
//!
//! It is a workspace of its own, in `program`: one peer pins an aws-lc that is older than ours, and a build has one of
//! them. Build outputs go where this program's are.
#![allow(clippy::print_stderr, reason = "a command-line tool")]

use std::{
    env,
    path::Path,
    process::{Command, ExitCode},
};

fn main() -> ExitCode {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("program/Cargo.toml");
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["run", "--release", "--locked", "--quiet", "--manifest-path"]).arg(manifest);
    // target/release/mls-bench stands two levels under the folder of outputs.
    if let Some(target) = env::current_exe().ok().as_deref().and_then(Path::parent).and_then(Path::parent) {
        cargo.arg("--target-dir").arg(target);
    }
    match cargo.arg("--").args(env::args_os().skip(1)).status() {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("cannot start cargo: {error}; run it by hand in tools/bench/program");
            ExitCode::FAILURE
        }
    }
}
