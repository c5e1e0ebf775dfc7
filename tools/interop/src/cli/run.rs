//! `run`: scripts on servers.

use std::{fs, path::PathBuf};

use clap::Args;

use super::{Exit, status};
use crate::{
    Assignments, Client, Plan, passive_vectors,
    script::{default_folder, load},
};

/// Which scripts to play on which servers.
#[derive(Args, Clone, Debug)]
pub struct RunArgs {
    /// A server, as host:port. Give it once for each.
    #[arg(long = "client", required = true)]
    pub clients: Vec<String>,
    /// A file of scripts, or a folder of them [default: MLS_INTEROP_CONFIGS].
    #[arg(long)]
    pub config: Option<PathBuf>,
    /// Only scripts with this name.
    #[arg(long)]
    pub script: Vec<String>,
    /// Only these suites, by number.
    #[arg(long, value_parser = suite)]
    pub suite: Vec<u32>,
    /// Only public handshakes.
    #[arg(long, conflicts_with = "private")]
    pub public: bool,
    /// Only private handshakes.
    #[arg(long)]
    pub private: bool,
    /// Each client alone and all taking turns, not every assignment of roles.
    #[arg(long, conflicts_with = "random")]
    pub turns: bool,
    /// One assignment of roles, drawn with this seed.
    #[arg(long, value_name = "SEED")]
    pub random: Option<u64>,
    /// How many cases may be under way at once.
    #[arg(long, default_value_t = 4)]
    pub jobs: usize,
    /// Report as JSON.
    #[arg(long)]
    pub json: bool,
    /// Write what listening members went through to this file, as passive-client vectors.
    #[arg(long, value_name = "FILE")]
    pub export: Option<PathBuf>,
}

impl RunArgs {
    /// Plays and reports. Fails if a case did.
    ///
    /// # Errors
    /// If a server or a script cannot be had, or a file not be written.
    pub async fn run(self) -> Exit {
        let mut clients = Vec::new();
        for address in &self.clients {
            clients.push(Client::connect(address).await?);
        }
        let report = self.plan()?.run(&clients).await;
        if let Some(file) = &self.export {
            fs::write(file, passive_vectors(&report.recording)?)?;
        }
        if self.json {
            println!("{}", report.json()?);
        } else {
            print!("{report}");
        }
        if report.cases.is_empty() {
            return Err("no script, suite and client fit together: nothing was played".into());
        }
        Ok(status(report.counts().failed > 0))
    }

    fn plan(&self) -> Result<Plan, crate::script::ScriptError> {
        let mut scripts = load(&self.config.clone().unwrap_or_else(default_folder))?;
        scripts.retain(|script| self.script.is_empty() || self.script.contains(&script.name));
        let encrypt_handshake = match (self.public, self.private) {
            (true, _) => vec![false],
            (_, true) => vec![true],
            _ => vec![false, true],
        };
        let assignments = match (self.turns, self.random) {
            (true, _) => Assignments::Turns,
            (_, Some(seed)) => Assignments::Random(seed),
            _ => Assignments::All,
        };
        let (suites, jobs, record) = (self.suite.clone(), self.jobs, self.export.is_some());
        Ok(Plan { suites, encrypt_handshake, assignments, record, jobs, ..Plan::new(scripts) })
    }
}

/// A suite's number, in decimal digits or as 0x and hexadecimal ones.
fn suite(text: &str) -> Result<u32, std::num::ParseIntError> {
    match text.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16),
        None => text.parse(),
    }
}
