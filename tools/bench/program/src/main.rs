//! The engine beside OpenMLS and mls-rs: the same work, in one run, taking turns.
//!
//! `cargo run --release -p mls-bench -- --help` from the root of the repository.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::cast_precision_loss,
    reason = "a tool that measures"
)]

mod floor;
mod mls_rs;
mod openmls;
mod ours;
mod peer;
mod report;
mod run;
mod workload;

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, ValueEnum};
use mls_crypto::CipherSuite;
use workload::Workload;

/// The suite that is measured.
const SUITE: CipherSuite = CipherSuite::X25519_AES128;
/// Slower than this share of the best peer is an alarm.
const ALARM: f64 = 0.7;

/// Measures this engine beside OpenMLS 0.9.2 and mls-rs 0.57, one thread each, and prints a table.
#[derive(Debug, Parser)]
#[command(name = "mls-bench")]
struct Arguments {
    /// What to measure; everything, if nothing is named.
    workloads: Vec<Workload>,
    /// Sizes of groups.
    #[arg(long, value_delimiter = ',', default_value = "10,100,1000")]
    members: Vec<u32>,
    /// How often each implementation gets its turn.
    #[arg(long, default_value_t = 7)]
    rounds: usize,
    /// Where to write the results as JSON.
    #[arg(long)]
    json: Option<PathBuf>,
    /// Where to write the table as Markdown; it is printed as well.
    #[arg(long)]
    markdown: Option<PathBuf>,
    /// The folder to draw charts in, for instance docs/performance.
    #[arg(long)]
    charts: Option<PathBuf>,
}

fn main() -> Result<ExitCode, Box<dyn std::error::Error>> {
    let arguments = Arguments::parse();
    let workloads = match arguments.workloads.as_slice() {
        [] => Workload::value_variants(),
        chosen => chosen,
    };
    let (primitives, rows) = run::run(workloads, &arguments.members, arguments.rounds);
    let table = report::markdown(&primitives, &rows);
    println!("{table}");
    if let Some(file) = arguments.json {
        std::fs::write(file, serde_json::to_string_pretty(&rows)?)?;
    }
    if let Some(file) = arguments.markdown {
        std::fs::write(file, table)?;
    }
    if let Some(folder) = arguments.charts {
        report::charts(&rows, &folder)?;
    }
    let slow: Vec<_> = rows.iter().filter(|row| row.kind == "ours" && row.ratio_best_peer < ALARM).collect();
    for row in &slow {
        eprintln!("alarm: {} at {} members: {:.2} of the best peer", row.workload, row.members, row.ratio_best_peer);
    }
    Ok(if slow.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
