//! Playing scripts: every suite, framing and assignment of roles that was asked for.
//!
//! In: clients, scripts, and what to vary. Out: a [`Report`] of every case.
//! Always: cases are independent, so several are under way at once; the report keeps the order of the plan.

mod assign;

use std::{collections::BTreeSet, sync::Arc};

use indicatif::{ProgressBar, ProgressStyle};
use testkit::vectors::passive_client;
use tokio::{sync::Semaphore, task::JoinSet};

pub use assign::Assignments;
use assign::{Assignment, assignments};

use crate::{
    client::Client,
    play::{Cast, Play, Recording, Trouble},
    report::{Case, Outcome, Report},
    script::Script,
};

/// What to play and how.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The scripts.
    pub scripts: Vec<Script>,
    /// Suites; empty for all that any client has.
    pub suites: Vec<u32>,
    /// Framings: whether handshakes are encrypted.
    pub encrypt_handshake: Vec<bool>,
    /// Which assignments of clients to roles.
    pub assignments: Assignments,
    /// Whether to keep what listening members went through.
    pub record: bool,
    /// How many cases may be under way at once.
    pub jobs: usize,
}

/// One case of a plan.
#[derive(Debug)]
struct Job {
    script: Arc<Script>,
    cast: Cast,
    label: String,
}

impl Plan {
    /// These scripts with everything varied.
    pub fn new(scripts: Vec<Script>) -> Self {
        Self {
            scripts,
            suites: Vec::new(),
            encrypt_handshake: vec![false, true],
            assignments: Assignments::All,
            record: false,
            jobs: 4,
        }
    }

    /// Plays everything. Progress goes to the error stream, if that is a terminal.
    pub async fn run(self, clients: &[Client]) -> Report {
        let jobs = self.jobs(clients);
        let progress = progress(jobs.len());
        let places = Arc::new(Semaphore::new(self.jobs.max(1)));
        let mut under_way = JoinSet::new();
        for (number, job) in jobs.into_iter().enumerate() {
            let (places, progress) = (Arc::clone(&places), progress.clone());
            under_way.spawn(async move {
                // The semaphore is never closed.
                let _place = places.acquire_owned().await;
                progress.set_message(format!("{} {}", job.script.name, job.label));
                let done = job.play().await;
                progress.inc(1);
                (number, done)
            });
        }
        let mut done = Vec::new();
        while let Some(joined) = under_way.join_next().await {
            // A run that panicked is missing in the report, and its count says so.
            done.extend(joined);
        }
        progress.finish_and_clear();
        done.sort_by_key(|(number, _)| *number);
        self.report(clients, done.into_iter().map(|(_, case)| case).collect())
    }

    fn report(&self, clients: &[Client], done: Vec<(Case, Recording)>) -> Report {
        let mut report =
            Report { clients: clients.iter().map(|client| client.name.clone()).collect(), ..Report::default() };
        for (case, recording) in done {
            report.cases.push(case);
            if self.record {
                report.recording.extend(recording);
            }
        }
        report
    }

    fn jobs(&self, clients: &[Client]) -> Vec<Job> {
        let mut jobs = Vec::new();
        for script in &self.scripts {
            let script = Arc::new(script.clone());
            for suite in self.suites(clients) {
                let able: Vec<&Client> = clients.iter().filter(|client| client.suites.contains(&suite)).collect();
                for encrypt_handshake in &self.encrypt_handshake {
                    jobs.extend(self.casts(&script, &able, (suite, *encrypt_handshake)));
                }
            }
        }
        jobs
    }

    fn suites(&self, clients: &[Client]) -> BTreeSet<u32> {
        let all = clients.iter().flat_map(|client| client.suites.iter().copied());
        all.filter(|suite| self.suites.is_empty() || self.suites.contains(suite)).collect()
    }

    fn casts(
        &self,
        script: &Arc<Script>,
        clients: &[&Client],
        (cipher_suite, encrypt_handshake): (u32, bool),
    ) -> Vec<Job> {
        let actors = script.actors();
        let names: Vec<&str> = clients.iter().map(|client| client.name.as_str()).collect();
        let job = |assignment: Assignment| {
            let label = assignment.label(&names);
            let players = assignment.players.iter().filter_map(|player| clients.get(*player).copied().cloned());
            let clients = actors.iter().cloned().zip(players).collect();
            Job { script: Arc::clone(script), cast: Cast { clients, cipher_suite, encrypt_handshake }, label }
        };
        assignments(clients.len(), actors.len(), self.assignments).into_iter().map(job).collect()
    }
}

impl Job {
    async fn play(self) -> (Case, Recording) {
        let Self { script, cast, label } = self;
        let players = cast.clients.iter().map(|(actor, client)| (actor.clone(), client.name.clone()));
        let mut case = Case {
            config: script.config.clone(),
            script: script.name.clone(),
            cipher_suite: cast.cipher_suite,
            encrypt_handshake: cast.encrypt_handshake,
            roles: label,
            actors: if cast.clients.len() <= SMALL { players.collect() } else { Default::default() },
            outcome: Outcome::Passed,
            step: None,
            error: None,
        };
        let (result, recording) = Play::run(&script, cast).await;
        if let Err((step, trouble)) = result {
            let (outcome, text) = match trouble {
                Trouble::Unsupported(text) => (Outcome::Unsupported, text),
                Trouble::Failed(text) => (Outcome::Failed, text),
            };
            (case.outcome, case.step, case.error) = (outcome, Some(step), Some(text));
        }
        (case, recording)
    }
}

/// The cases of a recording, in the passive-client format.
///
/// # Errors
/// If they cannot be written as JSON, which has no known cause.
pub fn passive_vectors(recording: &[passive_client::Case]) -> serde_json::Result<String> {
    serde_json::to_string_pretty(recording)
}

fn progress(cases: usize) -> ProgressBar {
    let bar = ProgressBar::new(u64::try_from(cases).unwrap_or(u64::MAX));
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} {elapsed} (left: {eta}) {wide_msg}") {
        bar.set_style(style);
    }
    bar
}

/// Actors that are named one by one in a report.
const SMALL: usize = 16;
