//! `passive`: vectors of clients that only listen.

use std::path::PathBuf;

use clap::Args;
use indicatif::ProgressBar;
use mls_crypto::CryptoProvider;

use super::{Exit, status};
use crate::passive::PassiveReport;

/// Which vectors to check.
#[derive(Args, Clone, Debug)]
pub struct PassiveArgs {
    /// Files in the passive-client format.
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// Report as JSON.
    #[arg(long)]
    pub json: bool,
}

impl PassiveArgs {
    /// Checks and reports. Fails if a case did, or if no case was checked.
    ///
    /// # Errors
    /// If a file is not in the format.
    pub fn run(self, provider: &dyn CryptoProvider) -> Exit {
        let progress = ProgressBar::new_spinner().with_message("cases");
        let mut report = PassiveReport::default();
        for file in &self.files {
            report.check(file, provider, &|| progress.inc(1))?;
        }
        progress.finish_and_clear();
        if self.json {
            println!("{}", serde_json::to_string_pretty(&report)?);
        } else {
            print_text(&report);
        }
        Ok(status(report.failed > 0 || report.passed == 0))
    }
}

fn print_text(report: &PassiveReport) {
    for case in &report.cases {
        let reason = case.reason.as_ref().map_or_else(String::new, |reason| format!(": {reason}"));
        let (file, suite) = (case.file.display(), case.cipher_suite);
        println!("{:?} {file}[{}] suite {suite:#06x}{reason}", case.result, case.case);
    }
    println!("{} passed, {} failed, {} skipped", report.passed, report.failed, report.skipped);
}
