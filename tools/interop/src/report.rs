//! What a plan showed.
//!
//! In: cases. Out: a table for people, JSON for programs, Markdown for the documentation.
//! Always: what a stack cannot do is counted by itself, never as passed.

mod markdown;
mod table;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use testkit::vectors::passive_client;

/// Every case of a plan.
#[derive(Debug, Default, Deserialize, Serialize)]
pub struct Report {
    /// The clients' names.
    pub clients: Vec<String>,
    /// The cases in order.
    pub cases: Vec<Case>,
    /// What listening members went through, if it was to be recorded.
    #[serde(skip)]
    pub recording: Vec<passive_client::Case>,
}

/// One script, with one suite, framing and assignment of roles.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Case {
    /// The script's file.
    pub config: String,
    /// The script.
    pub script: String,
    /// The suite to begin with.
    pub cipher_suite: u32,
    /// Whether handshakes were encrypted.
    pub encrypt_handshake: bool,
    /// Who played, in the order of the actors' names.
    pub roles: String,
    /// Who played whom, if they are few.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub actors: BTreeMap<String, String>,
    /// How it ended.
    pub outcome: Outcome,
    /// The step that it did not get past.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<usize>,
    /// What happened there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// How a case ended.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
#[expect(clippy::exhaustive_enums, reason = "a case ends in one of these ways")]
pub enum Outcome {
    /// All agreed to the end.
    Passed,
    /// A stack's interface cannot do what a step asks for.
    Unsupported,
    /// A stack refused or disagreed.
    Failed,
}

/// How many cases ended how.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Counts {
    /// Passed.
    pub passed: usize,
    /// Unsupported.
    pub unsupported: usize,
    /// Failed.
    pub failed: usize,
}

impl Report {
    /// How many cases ended how.
    pub fn counts(&self) -> Counts {
        Counts::of(&self.cases)
    }

    /// Cases that failed.
    pub fn failures(&self) -> impl Iterator<Item = &Case> {
        self.cases.iter().filter(|case| case.outcome == Outcome::Failed)
    }

    /// The counts and all cases, as JSON.
    ///
    /// # Errors
    /// If it cannot be written as JSON, which has no known cause.
    pub fn json(&self) -> serde_json::Result<String> {
        #[derive(Serialize)]
        struct WithCounts<'a> {
            #[serde(flatten)]
            counts: Counts,
            #[serde(flatten)]
            report: &'a Report,
        }
        serde_json::to_string_pretty(&WithCounts { counts: self.counts(), report: self })
    }
}

impl Counts {
    fn of<'a>(cases: impl IntoIterator<Item = &'a Case>) -> Self {
        let mut counts = Self::default();
        for case in cases {
            let count = match case.outcome {
                Outcome::Passed => &mut counts.passed,
                Outcome::Unsupported => &mut counts.unsupported,
                Outcome::Failed => &mut counts.failed,
            };
            *count = count.saturating_add(1);
        }
        counts
    }

    /// All of them.
    pub fn all(&self) -> usize {
        self.passed.saturating_add(self.unsupported).saturating_add(self.failed)
    }
}

/// A column of a table: suite and framing.
type Column = (u32, bool);
/// A row of a table: file and script.
type Row<'a> = (&'a str, &'a str);

/// Cases by row and column.
fn grid(cases: &[Case]) -> BTreeMap<Row<'_>, BTreeMap<Column, Counts>> {
    let mut sorted: BTreeMap<Row<'_>, BTreeMap<Column, Vec<&Case>>> = BTreeMap::new();
    for case in cases {
        let column = (case.cipher_suite, case.encrypt_handshake);
        let row = (case.config.as_str(), case.script.as_str());
        sorted.entry(row).or_default().entry(column).or_default().push(case);
    }
    let counted = |columns: BTreeMap<Column, Vec<&Case>>| {
        columns.into_iter().map(|(column, cases)| (column, Counts::of(cases))).collect()
    };
    sorted.into_iter().map(|(row, columns)| (row, counted(columns))).collect()
}

/// A suite's number as the registry writes it.
fn suite_name(suite: u32) -> String {
    format!("{suite:#06x}")
}
