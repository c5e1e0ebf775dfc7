//! The matrix as Markdown.

use std::{collections::BTreeMap, fmt::Write};

use super::{Matrix, Meeting};
use crate::report::{Case, Counts, Outcome, Report};

pub(super) fn document(matrix: &Matrix) -> String {
    let mut text = matrix.preface.to_owned();
    for (meeting, report) in &matrix.meetings {
        section(matrix, meeting, report, &mut text);
    }
    text
}

fn section(matrix: &Matrix, meeting: &Meeting, report: &Report, text: &mut String) {
    let Counts { passed, unsupported, failed } = report.counts();
    // Writing to a string does not fail; so below.
    let _ = write!(text, "\n## {}\n\n{}\n\n{}", meeting.title, meeting.about, report.markdown());
    let _ = writeln!(text, "\n{passed} passed, {failed} failed, {unsupported} not in a stack's interface.");
    failures(matrix, report, text);
    gaps(report, text);
}

/// What failed, by explanation.
fn failures(matrix: &Matrix, report: &Report, text: &mut String) {
    let mut explained: BTreeMap<&str, Vec<&Case>> = BTreeMap::new();
    for case in report.failures() {
        let why = matrix.explain(report, case).map_or(UNEXPLAINED, |explanation| explanation.text);
        explained.entry(why).or_default().push(case);
    }
    if explained.is_empty() {
        return;
    }
    text.push_str("\nFailures:\n");
    for (why, cases) in explained {
        let _ = writeln!(text, "\n- {why} {} cases: {}.", cases.len(), scripts(&cases));
        if let (UNEXPLAINED, Some(case)) = (why, cases.first()) {
            let _ = writeln!(text, "  First: {:?}.", case.error);
        }
    }
}

/// What a stack cannot do, by its own words.
fn gaps(report: &Report, text: &mut String) {
    let mut gaps: BTreeMap<String, Vec<&Case>> = BTreeMap::new();
    for case in report.cases.iter().filter(|case| case.outcome == Outcome::Unsupported) {
        gaps.entry(case.error.as_deref().map(without_actor).unwrap_or_default()).or_default().push(case);
    }
    if gaps.is_empty() {
        return;
    }
    text.push_str("\nNot in an interface:\n\n");
    for (gap, cases) in gaps {
        let _ = writeln!(text, "- {gap}; {} cases: {}.", cases.len(), scripts(&cases));
    }
}

/// The scripts of some cases, each once.
fn scripts(cases: &[&Case]) -> String {
    let mut names: Vec<String> = cases.iter().map(|case| format!("{}/{}", case.config, case.script)).collect();
    names.sort();
    names.dedup();
    names.join(", ")
}

/// `Call at actor (stack): text` as `stack, Call: text`.
fn without_actor(error: &str) -> String {
    let parts = error.split_once(" at ").and_then(|(call, rest)| {
        let (_, rest) = rest.split_once(" (")?;
        let (stack, why) = rest.split_once("): ")?;
        Some(format!("{stack}, {call}: {why}"))
    });
    parts.unwrap_or_else(|| error.to_owned())
}

/// Stands where an explanation is missing.
const UNEXPLAINED: &str = "**Not explained.**";
