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

mod charts;
mod derivation;
mod floor;
mod goals;
mod machine;
mod memory;
mod mls_rs;
mod openmls;
mod ours;
mod peer;
mod profile;
mod report;
mod row;
mod run;
mod sample;
mod scene;
mod threads;
mod workload;

use std::{
    fmt::Write,
    fs,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
    time::Duration,
};

use clap::{Parser, ValueEnum};
use mls_crypto::CipherSuite;
use peer::Impl;
use row::{Facade, Results};
use run::Plan;
use scene::Scene;
use workload::Workload;

/// Slower than this share of the best peer is an alarm.
const ALARM: f64 = 0.7;
/// What the short form measures, and for how long.
const SHORT: [Workload; 8] = [
    Workload::Process,
    Workload::Update,
    Workload::Add,
    Workload::Join,
    Workload::Build,
    Workload::Send32,
    Workload::Receive32,
    Workload::SendDurable,
];
const SHORT_BUDGET: u64 = 40;
/// Size of groups whose peak of memory is taken, each in a process of its own.
const PEAK_MEMBERS: u32 = 1_000;
const PEAKS: [Workload; 3] = [Workload::Join, Workload::Update, Workload::Build];

/// Measures this engine beside OpenMLS 0.9.2 and mls-rs 0.57, each with its own threads, and prints tables. `facade`
/// among the workloads measures spacepanda-core over SQLite.
#[derive(Debug, Parser)]
#[command(name = "mls-bench")]
struct Arguments {
    /// What to measure; everything, if nothing is named.
    workloads: Vec<Workload>,
    /// Sizes of groups.
    #[arg(long, value_delimiter = ',', default_value = "100,1000,10000")]
    members: Vec<u32>,
    /// Numbers of suites: 1 and 78 (0x004E, hybrid).
    #[arg(long, value_delimiter = ',', default_value = "1,78")]
    suites: Vec<u16>,
    /// The most turns of each implementation in one workload.
    #[arg(long, default_value_t = 15)]
    rounds: usize,
    /// Seconds that everything should take; slow steps are repeated less, but every one is taken once.
    #[arg(long, default_value_t = 720)]
    budget: u64,
    /// An implementation that needs more seconds than this for one step is left out, and named.
    #[arg(long, default_value_t = 150)]
    patience: u64,
    /// Few workloads of groups up to 1,000; fails if ours has less than 0.7 of the best peer's speed.
    #[arg(long)]
    short: bool,
    /// Where to write the results as JSON.
    #[arg(long)]
    json: Option<PathBuf>,
    /// Where to write the tables as Markdown; they are printed as well.
    #[arg(long)]
    markdown: Option<PathBuf>,
    /// The folder to draw charts in.
    #[arg(long)]
    charts: Option<PathBuf>,
    /// The folder to write results.md, results.json and charts into: docs/performance.
    #[arg(long)]
    record: Option<PathBuf>,
    /// Instead of measuring, shows where the time of ours goes, by samples.
    #[arg(long)]
    profile: bool,
    /// Results of spacepanda-core, as JSON.
    #[arg(long, hide = true)]
    facade: Option<PathBuf>,
    /// Takes one step of this implementation and prints the most memory there was, in KiB.
    #[arg(long, hide = true)]
    peak: Option<Impl>,
}

impl Arguments {
    fn plan(&self) -> Plan {
        let workloads = match self.workloads.as_slice() {
            [] if self.short => SHORT.to_vec(),
            [] => Workload::value_variants().to_vec(),
            chosen => chosen.to_vec(),
        };
        let budget = Duration::from_secs(if self.short { SHORT_BUDGET } else { self.budget });
        let (suites, sizes) =
            if self.short { (vec![1], vec![100, 1_000]) } else { (self.suites.clone(), self.members.clone()) };
        let patience = Duration::from_secs(self.patience);
        let suites = suites.into_iter().map(CipherSuite).collect();
        Plan { suites, workloads, sizes, rounds: self.rounds, budget, patience }
    }
}

fn main() -> Result<ExitCode, Box<dyn std::error::Error>> {
    let arguments = Arguments::parse();
    if let Some(kind) = arguments.peak {
        print_peak(kind, arguments.workloads[0], arguments.members[0]);
        return Ok(ExitCode::SUCCESS);
    }
    if arguments.profile {
        print_profiles(&arguments.plan());
        return Ok(ExitCode::SUCCESS);
    }
    let machine = machine::describe();
    let results = run::run(&arguments.plan());
    let facade: Facade = match &arguments.facade {
        Some(file) => serde_json::from_slice(&fs::read(file)?)?,
        None => Facade::default(),
    };
    let bounds = arguments.record.as_ref().map(|folder| fs::read_to_string(folder.join("bounds.md")));
    let bounds = bounds.transpose()?.unwrap_or_default();
    let mut text = format!("{machine}\n\n{}", report::markdown(&results, &bounds));
    text.push_str(&facade.markdown);
    text.push('\n');
    if let Some(folder) = &arguments.record {
        text.push_str(&peaks()?);
        record_profiles(&results, folder)?;
    }
    println!("{text}");
    write(&arguments, &results, &facade.rows, text)?;
    Ok(if arguments.short && alarms(&results) { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn write(
    arguments: &Arguments,
    results: &Results,
    facade: &[row::JsonRow],
    mut text: String,
) -> Result<(), Box<dyn std::error::Error>> {
    let within = |name| arguments.record.as_ref().map(|folder| folder.join(name));
    let folder = arguments.charts.clone().or_else(|| within("charts"));
    if let Some(folder) = folder {
        fs::create_dir_all(&folder)?;
        let drawn = charts::draw(&results.rows, &folder)?;
        text.push_str("## Charts\n\nWall time against the size of the group, both logarithmic.\n\n");
        drawn.iter().for_each(|name| writeln!(text, "- [{name}](charts/{name}.svg)").unwrap_or_default());
    }
    for file in [&arguments.json, &within("results.json")].into_iter().flatten() {
        let rows: Vec<_> = results.json().into_iter().chain(facade.iter().cloned()).collect();
        fs::write(file, serde_json::to_string_pretty(&rows)?)?;
    }
    if let Some(file) = &arguments.markdown {
        fs::write(file, &text)?;
    }
    if let Some(file) = within("results.md") {
        let head =
            "# Results\n\nWritten by the run itself; [how to read them](README.md), [what bounds them](bounds.md).\n";
        fs::write(file, format!("{head}\n{text}"))?;
    }
    Ok(())
}

fn print_profiles(plan: &Plan) {
    let suites: Vec<_> = plan.suites.iter().map(|suite| suite.0).collect();
    let of_suite = |suite: &u16| {
        let suite = *suite;
        let of_workload = move |workload: &Workload| {
            let workload = *workload;
            plan.sizes.iter().map(move |members| (suite, workload, *members))
        };
        plan.workloads.iter().flat_map(of_workload)
    };
    let subjects: Vec<_> = suites.iter().flat_map(of_suite).collect();
    println!("{}", profile::markdown(&suites, &plan.workloads, &profile::take(&subjects)));
}

/// Profiles of what misses a goal, as a page and charts beside the results.
fn record_profiles(results: &Results, folder: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let profiles = profile::take(&report::missed(results));
    let suites: Vec<_> = results.primitives.iter().map(|(suite, _)| *suite).collect();
    fs::create_dir_all(folder.join("charts"))?;
    for suite in &suites {
        profile::chart(*suite, &profiles, folder)?;
    }
    fs::write(folder.join("profiles.md"), profile::markdown(&suites, Workload::value_variants(), &profiles))?;
    Ok(())
}

/// Says which rows are too slow; whether there are any.
fn alarms(results: &Results) -> bool {
    let ours = results.rows.iter().filter(|row| row.kind == Impl::Ours);
    let slow: Vec<_> = ours.filter(|row| row.ratio_best_peer < ALARM).collect();
    for row in &slow {
        let (name, members) = (row.workload.name(), row.members);
        eprintln!("alarm: {name} at {members} members: {:.2} of the best peer's speed", row.ratio_best_peer);
    }
    !slow.is_empty()
}

/// The most memory of one step and everything it needs, each in a process of its own.
fn peaks() -> Result<String, Box<dyn std::error::Error>> {
    let program = std::env::current_exe()?;
    let kinds = Impl::all(CipherSuite::X25519_AES128);
    let names: Vec<_> = kinds.iter().map(|kind| kind.name()).collect();
    let mut text = format!("## Memory of a process, at {PEAK_MEMBERS} members, suite 0x0001\n\n| step | ");
    writeln!(text, "{} |\n|---|{}", names.join(" | "), "---:|".repeat(names.len()))?;
    for workload in PEAKS {
        write!(text, "| {} |", workload.name())?;
        for name in &names {
            text.push_str(&peak_of(&program, name, workload)?);
        }
        text.push('\n');
    }
    text.push('\n');
    Ok(text)
}

fn peak_of(program: &Path, kind: &str, workload: Workload) -> Result<String, Box<dyn std::error::Error>> {
    let members = PEAK_MEMBERS.to_string();
    let output = Command::new(program).args([&workload.name(), "--peak", kind, "--members", &members]).output()?;
    Ok(match String::from_utf8_lossy(&output.stdout).trim().parse::<u64>() {
        Ok(kib) => format!(" {:.1} MiB |", kib as f64 / 1_024.0),
        Err(_) => " ? |".to_owned(),
    })
}

fn print_peak(kind: Impl, workload: Workload, members: u32) {
    let suite = CipherSuite::X25519_AES128;
    let make = move |seed| kind.client(seed, suite);
    let mut scene = Scene::new(workload.is_cold(), kind.group(suite, members), &make);
    scene.prepare(workload);
    scene.step(workload);
    println!("{}", machine::peak_kib().unwrap_or_default());
}
