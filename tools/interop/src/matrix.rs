//! The documentation's matrix: which stacks were in groups with which, and what came of it.
//!
//! In: meetings of clients, and explanations of what goes wrong in them. Out: Markdown.
//! Always: a failure that nobody has explained is shown as such, and [`Matrix::unexplained`] counts it.

mod render;

use crate::report::{Case, Report};

/// Some clients that meet in every script.
#[derive(Clone, Copy, Debug)]
pub struct Meeting {
    /// The heading.
    pub title: &'static str,
    /// Who they are and how they are set up; Markdown.
    pub about: &'static str,
}

/// Why something fails, for those who read the matrix.
#[derive(Clone, Copy, Debug)]
pub struct Explanation {
    /// A part of the errors it is about.
    pub part: &'static str,
    /// Why that is so, and what to do; Markdown.
    pub text: &'static str,
}

/// What all meetings showed.
#[derive(Debug)]
pub struct Matrix {
    /// Text before the tables.
    preface: &'static str,
    explanations: &'static [Explanation],
    meetings: Vec<(Meeting, Report)>,
}

impl Matrix {
    /// A matrix of meetings that are over.
    pub fn new(preface: &'static str, explanations: &'static [Explanation], meetings: Vec<(Meeting, Report)>) -> Self {
        Self { preface, explanations, meetings }
    }

    /// The document.
    pub fn markdown(&self) -> String {
        render::document(self)
    }

    /// Everything that was played, meeting by meeting, as JSON.
    ///
    /// # Errors
    /// If it cannot be written as JSON, which has no known cause.
    pub fn json(&self) -> serde_json::Result<String> {
        let reports: Vec<&Report> = self.meetings.iter().map(|(_, report)| report).collect();
        serde_json::to_string_pretty(&reports)
    }

    /// Cases that failed for a reason that no explanation covers.
    pub fn unexplained(&self) -> Vec<&Case> {
        let failures = self.meetings.iter().flat_map(|(_, report)| report.failures().map(move |case| (report, case)));
        failures.filter(|(report, case)| self.explain(report, case).is_none()).map(|(_, case)| case).collect()
    }

    /// Why a case failed. Explanations are about differences: nothing explains a failure where one stack met only itself.
    fn explain(&self, report: &Report, case: &Case) -> Option<&'static Explanation> {
        let first = report.clients.first()?;
        if report.clients.iter().all(|client| client == first) {
            return None;
        }
        let error = case.error.as_ref()?;
        self.explanations.iter().find(|explanation| error.contains(explanation.part))
    }
}
