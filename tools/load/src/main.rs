//! `load`: see `load --help`. Everything stays on this machine, and stops by itself.
#![allow(clippy::unwrap_used, reason = "a tool for measuring: what fails ends it")]

use std::{env, path::PathBuf, time::Duration};

use clap::{Parser, Subcommand};
use load::{abuse, child, child::Folder, idle, store, traffic};

/// Load on a delivery service, and abuse of it, on loopback.
#[derive(Debug, Parser)]
struct Cli {
    /// The address of a PostgreSQL, in place of SQLite in a temporary folder
    #[arg(long, env = "LOAD_DATABASE", global = true)]
    database: Option<String>,
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
    /// The service itself, until standard input ends
    #[command(hide = true)]
    Serve {
        /// A folder, or the address of a PostgreSQL
        data: String,
    },
}

fn main() {
    let Cli { database, seconds, what } = Cli::parse();
    let (program, time): (PathBuf, _) = (env::current_exe().unwrap(), Duration::from_secs(seconds));
    let folder = Folder::new("data");
    let data = database.unwrap_or_else(|| folder.path());
    match what {
        What::Commits { groups } => println!("{}", store::commits(&data, groups, time)),
        What::Traffic { groups, rate, readers, nodes } => {
            let traffic = traffic::Traffic { groups, members: (10, 100), readers, rate, time, churn: 50 };
            println!("{}", traffic::run(&program, &vec![data; nodes], traffic));
        }
        What::Idle { sockets } => println!("{}", idle::run(&program, &data, sockets)),
        What::Abuse { slow, noise } => {
            let (alone, abused) = abuse::run(&program, &data, abuse::Abuse { slow, noise, time });
            println!("{alone}\n{abused}");
        }
        What::Serve { data } => child::serve(&data),
    }
}
