//! Repository checks, run as `cargo xtask <name>`.
//!
//! In: the files of the repository (for `demo-check`, the demo's output on standard input).
//! Out: one line per finding, and an exit status that is not zero if there was any.
//! Always: a check reads what is there; `rfc` writes `docs/rfc9420-map.md`, `seed` `docs/seed-map.md`, `interop`
//! `docs/interop.md`, `fuzz --merge` the corpus, nothing else writes.

mod demo;
mod finding;
mod fuzz;
mod interop;
mod layers;
mod rfc;
mod seed;
mod source;
mod storage;
mod style;

use std::{env, error::Error, io, process::ExitCode};

use crate::{finding::Finding, source::Repository};

const USAGE: &str = "usage: cargo xtask <command>

  check        layers, style, rfc --check and seed --check
  layers       a `use` in the engine that points the wrong way
  style        file length, glob imports, inline tests, GREASE constants, unfinished work, machine paths
  rfc          where each rule id is cited; writes docs/rfc9420-map.md
  rfc --check  fails on an unknown id, or if docs/rfc9420-map.md is not current
  seed         which tests show each promise; writes docs/seed-map.md from docs/seed-rows.txt
  seed --check fails on a promise without a row, a test that is not there, or if docs/seed-map.md is not current
  demo-check --members N TEXT..
               reads the demo's JSON lines from standard input and checks what they claim
  interop [OPTION..]
               groups of ours with OpenMLS and mls-rs, in all suites; writes docs/interop.md and target/interop.json;
               options go to `interop-peers matrix`
  fuzz [--for TIME] [--merge] [TARGET..]
               the fuzz targets under libFuzzer, each for TIME (90s, 10m, 24h; a minute if not said); writes
               target/fuzz/report.md; with --merge, what reaches new code becomes tools/fuzz/corpus
  storage [PART..]
               the long forms of the tests of storage: power, store, kills, processes, restarts; hours";

type Outcome = Result<Vec<Finding>, Box<dyn Error>>;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match run(&words) {
        Ok(findings) if findings.is_empty() => ExitCode::SUCCESS,
        Ok(findings) => {
            for finding in &findings {
                eprintln!("{finding}");
            }
            eprintln!("{} finding(s)", findings.len());
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("xtask: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(words: &[&str]) -> Outcome {
    match words {
        ["check"] => check(),
        ["layers"] => layers::check(&Repository::open()?),
        ["style"] => style::check(&Repository::open()?),
        ["rfc"] => rfc::write(&Repository::open()?),
        ["rfc", "--check"] => rfc::check(&Repository::open()?),
        ["seed"] => seed::write(&Repository::open()?),
        ["seed", "--check"] => seed::check(&Repository::open()?),
        ["interop", options @ ..] => interop::write(options),
        ["fuzz", options @ ..] => fuzz::run(options),
        ["storage", parts @ ..] => storage::run(parts),
        ["demo-check", options @ ..] => demo::check(options, io::stdin().lock()),
        _ => Err(USAGE.into()),
    }
}

fn check() -> Outcome {
    let repository = Repository::open()?;
    let mut findings = layers::check(&repository)?;
    findings.extend(style::check(&repository)?);
    findings.extend(rfc::check(&repository)?);
    findings.extend(seed::check(&repository)?);
    Ok(findings)
}
