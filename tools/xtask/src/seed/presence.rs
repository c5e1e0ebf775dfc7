//! Whether the tests that rows name are there.

use crate::{finding::Finding, source::SourceFile};

use super::{
    ROWS,
    rows::{Section, Test},
};

/// Endings of files of which each is one case by itself.
const CASES: [&str; 1] = [".trycmd"];

/// A finding for each test that is not there.
pub(crate) fn absent<'a>(sections: &[Section], find: impl Fn(&str) -> Option<&'a SourceFile>) -> Vec<Finding> {
    let rows = sections.iter().flat_map(|section| &section.rows);
    let mut findings = Vec::new();
    for row in rows {
        for test in &row.tests {
            let fault = match find(&test.path) {
                None => Some("no such file"),
                Some(file) => fault(file, test),
            };
            let name = test.function.as_deref().unwrap_or_default();
            findings.extend(
                fault.map(|what| Finding::new(ROWS, test.line, format!("{}: {what} ({}::{name})", row.id, test.path))),
            );
        }
    }
    findings
}

fn fault(file: &SourceFile, test: &Test) -> Option<&'static str> {
    match &test.function {
        Some(function) if runs(file, function) => None,
        Some(_) => Some("no such test"),
        None if CASES.iter().any(|ending| file.path.ends_with(ending)) => None,
        None => Some("names a file and no function"),
    }
}

/// Whether cargo runs the function as a test: by an attribute above it, as the example in its documentation, as a trial
/// that the file lists by name, or as the `main` of a test without the usual harness.
fn runs(file: &SourceFile, function: &str) -> bool {
    let declared = |line: &str| {
        let line = line.trim_start();
        let rest = (!line.starts_with("//")).then(|| line.split_once("fn ")).flatten();
        rest.and_then(|(_, rest)| rest.strip_prefix(function)).is_some_and(|after| after.starts_with(['(', '<']))
    };
    let is_test = |line: &str| line == "#[test]" || line.starts_with("#[tokio::test");
    let marked = |head: &[&str]| head.iter().any(|line| is_test(line) || line.starts_with("/// ```"));
    let is_trial = file.is_test() && (function == "main" || file.text.contains(&format!("(\"{function}\", ")));
    let lines: Vec<&str> = file.text.lines().collect();
    let mut places = lines.iter().enumerate().filter(|(_, line)| declared(line)).map(|(at, _)| at);
    places.any(|at| is_trial || marked(&head(lines.get(..at).unwrap_or_default())))
}

/// The attributes and documentation that end the lines.
fn head<'a>(lines: &[&'a str]) -> Vec<&'a str> {
    let belongs = |line: &&str| line.starts_with("#[") || line.starts_with("//");
    lines.iter().rev().map(|line| line.trim()).take_while(belongs).collect()
}
