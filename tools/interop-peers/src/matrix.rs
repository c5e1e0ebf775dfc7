//! `matrix`: all scripts in groups of ours and theirs.
//!
//! In: what to leave out; servers beside those of this process. Out: `docs/interop.md`, and JSON if asked for.
//! Always: every call goes over gRPC, also within this process.

mod explained;

use std::{error::Error, fs, path::PathBuf, process::ExitCode, sync::Arc};

use clap::Args;
use interop::{
    Assignments, Client, Plan, Server, Stack,
    cli::Exit,
    matrix::Matrix,
    ours::Ours,
    report::Report,
    script::{default_folder, load},
    serve,
};
use interop_peers::{MlsRs, OpenMls};
use mls_crypto_aws_lc::AwsLc;

use explained::{EXPLANATIONS, MEETINGS, PREFACE};

/// What to play, and where to write it.
#[derive(Args, Debug)]
pub(crate) struct MatrixArgs {
    /// A file of scripts, or a folder of them [default: MLS_INTEROP_CONFIGS].
    #[arg(long)]
    config: Option<PathBuf>,
    /// Only scripts with this name.
    #[arg(long)]
    script: Vec<String>,
    /// Only these suites.
    #[arg(long)]
    suite: Vec<u32>,
    /// A slice of it all: suite 1, all taking turns in the roles, no long script.
    #[arg(long)]
    slice: bool,
    /// Another server of ours, as host:port, for suites that this program does not have.
    #[arg(long, value_name = "CLIENT")]
    also_ours: Vec<String>,
    /// Another server of mls-rs, as host:port, for suites that this program does not have.
    #[arg(long, value_name = "CLIENT")]
    also_mls_rs: Vec<String>,
    /// How many cases may be under way at once.
    #[arg(long, default_value_t = 4)]
    jobs: usize,
    /// Write the matrix to this file.
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,
    /// Write every case to this file.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Play nothing: take the cases from a file that `--json` wrote.
    #[arg(long, value_name = "FILE", conflicts_with = "json")]
    from: Option<PathBuf>,
}

/// What can go wrong before anything is played.
type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

impl MatrixArgs {
    /// Plays, writes, and fails if there is a failure that nobody has explained.
    pub(crate) async fn run(self) -> Exit {
        let reports = match &self.from {
            Some(file) => serde_json::from_slice(&fs::read(file)?)?,
            None => self.play().await?,
        };
        let matrix = Matrix::new(PREFACE, EXPLANATIONS, MEETINGS.into_iter().zip(reports).collect());
        match &self.markdown {
            Some(file) => fs::write(file, matrix.markdown())?,
            None => print!("{}", matrix.markdown()),
        }
        if let Some(file) = &self.json {
            fs::write(file, matrix.json()?)?;
        }
        let unexplained = matrix.unexplained();
        for case in &unexplained {
            let framing = if case.encrypt_handshake { "private" } else { "public" };
            let (config, script, suite) = (&case.config, &case.script, case.cipher_suite);
            let error = case.error.as_deref().unwrap_or_default();
            eprintln!("not explained: {config}/{script} {suite:#06x} {framing} ({}): {error}", case.roles);
        }
        Ok(if unexplained.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    fn plan(&self) -> Result<Plan> {
        let mut scripts = load(&self.config.clone().unwrap_or_else(default_folder))?;
        scripts.retain(|script| self.script.is_empty() || self.script.contains(&script.name));
        let (mut suites, mut assignments) = (self.suite.clone(), Assignments::All);
        if self.slice {
            scripts.retain(|script| script.config != LONG);
            (suites, assignments) = (vec![1], Assignments::Turns);
        }
        Ok(Plan { suites, assignments, jobs: self.jobs, ..Plan::new(scripts) })
    }

    /// A report of each of [`MEETINGS`].
    async fn play(&self) -> Result<Vec<Report>> {
        let plan = self.plan()?;
        let mut ours = vec![start(Ours::new("ours", Arc::new(AwsLc::default()))).await?];
        for address in &self.also_ours {
            ours.push(Client::connect(address).await?.named("ours"));
        }
        let mut with_mls_rs = ours.clone();
        with_mls_rs.push(start(MlsRs::default()).await?.named("mls-rs"));
        for address in &self.also_mls_rs {
            with_mls_rs.push(Client::connect(address).await?.named("mls-rs"));
        }
        let plain = start(Ours::new("ours", Arc::new(AwsLc::default())).without_grease_extensions()).await?;
        let with_openmls = vec![plain, start(OpenMls::default()).await?.named("OpenMLS")];
        let mut reports = Vec::new();
        for (meeting, clients) in MEETINGS.iter().zip([ours, with_mls_rs, with_openmls]) {
            eprintln!("{}", meeting.title);
            reports.push(plan.clone().run(&clients).await);
        }
        Ok(reports)
    }
}

/// A server in this process, for as long as it lives.
async fn start<S: Stack>(stack: S) -> Result<Client> {
    let running = serve(([127, 0, 0, 1], 0).into(), Server::new(stack)).await?;
    let address = running.address.to_string();
    tokio::spawn(running.wait());
    Ok(Client::connect(&address).await?)
}

/// The scripts that take as long as all others together.
const LONG: &str = "deep_random";
