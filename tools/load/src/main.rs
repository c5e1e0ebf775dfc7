//! `load`: see `load --help`. Everything stays on this machine, and stops by itself.
#![allow(
    clippy::as_conversions,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a tool for measuring: what fails ends it"
)]

use std::{env, path::PathBuf, process::ExitCode, time::Duration};

use clap::{Parser, Subcommand};
use load::{
    Report, abuse,
    attack::{self, Attack},
    child,
    child::Folder,
    idle,
    machine::{self, Threshold},
    soak, store, traffic,
};

/// Load on a delivery service, and abuse of it, on loopback.
#[derive(Debug, Parser)]
struct Cli {
    /// The address of a PostgreSQL, in place of SQLite in a temporary folder
    #[arg(long, env = "LOAD_DATABASE", global = true)]
    database: Option<String>,
    /// Print JSON: the machine, the numbers, and what they are held against
    #[arg(long, global = true)]
    json: bool,
    /// For how many seconds
    #[arg(long, default_value_t = 30, global = true)]
    seconds: u64,
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Commits of the service alone
    Commits {
        /// Groups at once
        #[arg(long, default_value_t = 64)]
        groups: usize,
    },
    /// Messages through the whole service, from sending to reading
    Traffic {
        /// Groups
        #[arg(long, default_value_t = 100)]
        groups: usize,
        /// Messages a second
        #[arg(long, default_value_t = 1_000)]
        rate: u64,
        /// Members that read, of each group
        #[arg(long, default_value_t = 2)]
        readers: usize,
        /// Service nodes; more than one needs --database
        #[arg(long, default_value_t = 1)]
        nodes: usize,
    },
    /// What a connection costs that waits
    Idle {
        /// How many
        #[arg(long, default_value_t = 8_000)]
        sockets: usize,
    },
    /// Slow connections and bad handshakes, and what honest ones notice
    Abuse {
        /// Slow connections
        #[arg(long, default_value_t = 10_000)]
        slow: usize,
        /// Bad handshakes
        #[arg(long, default_value_t = 100_000)]
        noise: usize,
    },
    /// What is replayed, bent, forged, guessed or too large
    Attack {
        /// How often each is tried, where that makes sense
        #[arg(long, default_value_t = 1_000)]
        times: u64,
    },
    /// A service that is killed and started again, and people who come and go: fails on growth or divergence
    Soak {
        /// For how long: 72h, 30m, 20s
        #[arg(long = "for", default_value = "5m", value_parser = duration)]
        time: Duration,
        /// Seconds between two kills
        #[arg(long, default_value_t = 600)]
        kill: u64,
        /// Groups
        #[arg(long, default_value_t = 16)]
        groups: usize,
    },
    /// The service itself, until standard input ends
    #[command(hide = true)]
    Serve {
        /// A folder, or the address of a PostgreSQL
        data: String,
        /// Where to listen; anywhere for 0
        #[arg(default_value_t = 0)]
        port: u16,
    },
}

fn main() -> ExitCode {
    let Cli { database, json, seconds, what } = Cli::parse();
    let (program, time): (PathBuf, _) = (env::current_exe().unwrap(), Duration::from_secs(seconds));
    let folder = Folder::new("data");
    let data = database.unwrap_or_else(|| folder.path());
    let (reports, attacks, thresholds) = match what {
        What::Commits { groups } => held(vec![store::commits(&data, groups, time)], |runs| {
            vec![Threshold::at_least("commits a second", runs[0].rate(), 10_000.0), errors(&runs[0])]
        }),
        What::Traffic { groups, rate, readers, nodes } => {
            let traffic = traffic::Traffic { groups, members: (10, 100), readers, rate, time, churn: 50 };
            held(vec![traffic::run(&program, &vec![data; nodes], traffic)], |runs| vec![errors(&runs[0])])
        }
        What::Idle { sockets } => held(vec![idle::run(&program, &data, sockets)], |runs| {
            let (before, after) = runs[0].memory.unwrap_or_default();
            let each = after.saturating_sub(before) as f64 / sockets.max(1) as f64;
            vec![Threshold::at_most("KiB for each idle socket", each, 8.0), errors(&runs[0])]
        }),
        What::Abuse { slow, noise } => {
            let (alone, abused) = abuse::run(&program, &data, abuse::Abuse { slow, noise, time });
            held(vec![alone, abused], |runs| {
                let rise = runs[1].permille(990).as_secs_f64() / runs[0].permille(990).as_secs_f64().max(1e-9);
                let memory = runs[1].memory.unwrap_or_default().1 as f64;
                vec![
                    Threshold::at_most("honest p99, times that without abuse", rise, 1.1),
                    Threshold::at_most("KiB of the service", memory, 1_048_576.0),
                    errors(&runs[1]),
                ]
            })
        }
        What::Attack { times } => {
            let attacks = attack::run(&program, &data, times);
            let succeeded: u64 = attacks.iter().map(|attack| attack.succeeded).sum();
            (Vec::new(), attacks, vec![Threshold::at_most("attacks that succeeded", succeeded as f64, 0.0)])
        }
        What::Soak { time, kill, groups } => {
            let soak = soak::Soak { time, kill: Duration::from_secs(kill), groups };
            held(vec![soak::run(&program, &data, soak)], |runs| {
                let grown = u32::from(soak::grows(runs[0].memory.unwrap_or_default()));
                vec![
                    Threshold::at_most("lost, doubled or out of order", runs[0].errors as f64, 0.0),
                    Threshold::at_most("growth of memory by a quarter", f64::from(grown), 0.0),
                ]
            })
        }
        What::Serve { data, port } => {
            child::serve(&data, port);
            return ExitCode::SUCCESS;
        }
    };
    print(json, &reports, &attacks, &thresholds);
    if thresholds.iter().all(Threshold::is_kept) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

type Held = (Vec<Report>, Vec<Attack>, Vec<Threshold>);

fn held(reports: Vec<Report>, thresholds: impl Fn(&[Report]) -> Vec<Threshold>) -> Held {
    let thresholds = thresholds(&reports);
    (reports, Vec::new(), thresholds)
}

fn errors(report: &Report) -> Threshold {
    Threshold::at_most("errors of 1,000", report.errors_per_thousand(), 1.0)
}

fn print(json: bool, reports: &[Report], attacks: &[Attack], thresholds: &[Threshold]) {
    if json {
        let command = env::args().skip(1).collect::<Vec<_>>().join(" ");
        println!("{:#}", machine::json(&command, reports, attacks, thresholds));
        return;
    }
    reports.iter().for_each(|report| println!("{report}"));
    for Attack { name, tried, succeeded } in attacks {
        println!("{succeeded} of {tried}: {name}");
    }
    for threshold in thresholds {
        let (verdict, bound) = (
            if threshold.is_kept() { "kept" } else { "BROKEN" },
            if threshold.at_least { "at least" } else { "at most" },
        );
        println!("{verdict}: {} {:.3}, {bound} {}", threshold.name, threshold.value, threshold.limit);
    }
}

/// A number with a unit: `h`, `m` or `s`.
fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{text} is no time; say 72h, 30m or 20s");
    let (number, unit) = text.split_at_checked(text.len().saturating_sub(1)).ok_or_else(wrong)?;
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let seconds = match unit {
        "h" => 3_600,
        "m" => 60,
        "s" => 1,
        _ => return Err(wrong()),
    };
    Ok(Duration::from_secs(number.saturating_mul(seconds)))
}
