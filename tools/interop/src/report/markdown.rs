//! A table for the documentation.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
};

use super::{Column, Counts, Report, grid, suite_name};

impl Report {
    /// Scripts in rows, suites in columns; each cell says for public and private handshakes what passed.
    pub fn markdown(&self) -> String {
        let grid = grid(&self.cases);
        let suites: BTreeSet<u32> = grid.values().flat_map(|row| row.keys().map(|(suite, _)| *suite)).collect();
        let mut text = String::from("| Script |");
        for suite in &suites {
            // Writing to a string does not fail; so below.
            let _ = write!(text, " {} |", suite_name(*suite));
        }
        text.push_str("\n|---|");
        text.push_str(&"---|".repeat(suites.len()));
        for ((config, script), cells) in &grid {
            let _ = write!(text, "\n| {config} / {script} |");
            for suite in &suites {
                let _ = write!(text, " {} |", cell(cells, *suite));
            }
        }
        text.push('\n');
        text
    }
}

/// What passed with public and with private handshakes.
fn cell(cells: &BTreeMap<Column, Counts>, suite: u32) -> String {
    let one = |encrypted| {
        let counts = cells.get(&(suite, encrypted))?;
        let Counts { passed, unsupported, failed } = *counts;
        Some(match (passed, unsupported, failed) {
            (passed, 0, 0) => format!("{passed}"),
            (0, _, 0) => "–".to_owned(),
            (passed, unsupported, 0) => format!("{passed} (–{unsupported})"),
            (passed, _, failed) => format!("**{passed}/{}**", passed.saturating_add(failed)),
        })
    };
    let framings: Vec<String> = [false, true].into_iter().filter_map(one).collect();
    framings.join(" · ")
}
