//! Reading passive-client vectors: ours, the official ones, or anyone's.
//!
//! In: files in the passive-client format. Out: for each case whether we join and follow as it says.
//! Always: a case whose suite we do not have is reported as skipped, never as passed.

use std::{fs, io, path::PathBuf};

use mls_crypto::{CipherSuite, CryptoProvider};
use serde::Serialize;
use testkit::vectors::passive_client::{self, Case};

/// What became of the cases of some files.
#[derive(Debug, Default, Serialize)]
pub struct PassiveReport {
    /// How many we joined and followed.
    pub passed: usize,
    /// How many we did not.
    pub failed: usize,
    /// How many are of a suite that we do not have.
    pub skipped: usize,
    /// Every case in order.
    pub cases: Vec<PassiveCase>,
}

/// What became of one case.
#[derive(Debug, Serialize)]
pub struct PassiveCase {
    /// The file.
    pub file: PathBuf,
    /// The case's place in it.
    pub case: usize,
    /// The suite.
    pub cipher_suite: u16,
    /// How it ended.
    pub result: PassiveResult,
    /// Why, unless it passed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// How a case ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
#[expect(clippy::exhaustive_enums, reason = "a case ends in one of these ways")]
pub enum PassiveResult {
    /// We joined, and agreed in every epoch.
    Passed,
    /// We did not.
    Failed,
    /// We do not have the suite.
    Skipped,
}

/// Why a file was not read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PassiveError {
    /// It is not there.
    #[error("{file}: {error}")]
    Unreadable {
        /// Which.
        file: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// It is not in the format.
    #[error("{file}: not passive-client vectors: {error}")]
    Malformed {
        /// Which.
        file: PathBuf,
        /// What is wrong.
        error: serde_json::Error,
    },
}

impl PassiveReport {
    /// Reads a file and checks its cases. `after_each` is told of each case done.
    ///
    /// # Errors
    /// [`PassiveError`]; what was checked before stays in the report.
    pub fn check(
        &mut self,
        file: &PathBuf,
        provider: &dyn CryptoProvider,
        after_each: &dyn Fn(),
    ) -> Result<(), PassiveError> {
        let text = fs::read(file).map_err(|error| PassiveError::Unreadable { file: file.clone(), error })?;
        let cases: Vec<Case> =
            serde_json::from_slice(&text).map_err(|error| PassiveError::Malformed { file: file.clone(), error })?;
        for (number, case) in cases.iter().enumerate() {
            let (result, reason) = check_case(case, provider);
            let count = match result {
                PassiveResult::Passed => &mut self.passed,
                PassiveResult::Failed => &mut self.failed,
                PassiveResult::Skipped => &mut self.skipped,
            };
            *count = count.saturating_add(1);
            let cipher_suite = case.cipher_suite;
            self.cases.push(PassiveCase { file: file.clone(), case: number, cipher_suite, result, reason });
            after_each();
        }
        Ok(())
    }
}

fn check_case(case: &Case, provider: &dyn CryptoProvider) -> (PassiveResult, Option<String>) {
    if provider.suite(CipherSuite(case.cipher_suite)).is_err() {
        return (PassiveResult::Skipped, Some(format!("cipher suite {:#06x} is not here", case.cipher_suite)));
    }
    match passive_client::check(case, provider) {
        Ok(()) => (PassiveResult::Passed, None),
        Err(failure) => (PassiveResult::Failed, Some(failure.message().to_owned())),
    }
}
