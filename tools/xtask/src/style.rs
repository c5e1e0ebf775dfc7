//! House rules that no compiler lint checks.
//!
//! In: every text file of the repository. Out: each place that breaks a rule.
//! Always: rules about code look at code, not at comments; functions that are too long are left to clippy.

mod syntax;

#[cfg(test)]
mod tests;

use std::error::Error;

use crate::{
    Outcome,
    finding::Finding,
    source::{Repository, SourceFile},
};

const MAX_CODE_LINES: usize = 400;

/// Words that mark unfinished work, spelled so that this file does not contain them.
const MARKS: [&str; 6] = [
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("XX", "X"),
    concat!("HA", "CK"),
    concat!("to", "do!"),
    concat!("unimpl", "emented!"),
];

/// Beginnings of paths that exist on one machine only.
const MACHINE_PATHS: [&str; 3] = [concat!("/wo", "rk/"), concat!("/t", "mp/"), concat!("/ho", "me/")];

/// All findings. An error is a file that does not parse.
pub(crate) fn check(repository: &Repository) -> Outcome {
    let mut findings = Vec::new();
    for file in repository.files() {
        findings.extend(check_file(file)?);
    }
    Ok(findings)
}

fn check_file(file: &SourceFile) -> Result<Vec<Finding>, Box<dyn Error>> {
    let mut findings = machine_paths(file);
    if file.path.ends_with(".rs") {
        findings.extend(unfinished(file));
        if !file.is_test() {
            findings.extend(too_long(file));
            findings.extend(syntax::check(file)?);
        }
    }
    Ok(findings)
}

fn machine_paths(file: &SourceFile) -> Vec<Finding> {
    let starts_here = |line: &str, at: usize| {
        // `a/tmp/b` is relative; only a path that begins here is absolute.
        line.get(..at).and_then(|before| before.chars().next_back()).is_none_or(|c| !c.is_alphanumeric() && c != '.')
    };
    let names_one = |line: &str| {
        MACHINE_PATHS.iter().any(|path| line.match_indices(path).any(|(position, _)| starts_here(line, position)))
    };
    lines_where(file, names_one, "a path of one machine")
}

fn unfinished(file: &SourceFile) -> Vec<Finding> {
    let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '!');
    let marked = |line: &str| line.split(|c| !is_word(c)).any(|word| MARKS.contains(&word));
    lines_where(file, marked, "unfinished work is an issue, not a mark")
}

fn lines_where(file: &SourceFile, chosen: impl Fn(&str) -> bool, what: &str) -> Vec<Finding> {
    file.lines().filter(|(_, line)| chosen(line)).map(|(number, _)| Finding::new(&file.path, number, what)).collect()
}

fn too_long(file: &SourceFile) -> Option<Finding> {
    let count = code_lines(&file.text);
    let what = || format!("{count} lines of code; split it, the bar is {MAX_CODE_LINES}");
    (count > MAX_CODE_LINES).then(|| Finding::new(&file.path, 0, what()))
}

/// Lines that are neither blank nor only a comment.
fn code_lines(text: &str) -> usize {
    let is_code = |line: &&str| !line.is_empty() && !line.starts_with("//");
    text.lines().map(str::trim_start).filter(is_code).count()
}
