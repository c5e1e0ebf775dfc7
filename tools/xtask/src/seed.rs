//! Which tests show what the system promises.
//!
//! In: `docs/seed-rows.txt`, which names for each id its tests, or a reason why there are none; `docs/rule-ids.txt`; and
//! every file that the list names.
//! Out: `docs/seed-map.md`, and a finding for each id without a row, each row that says nothing, and each test that is
//! not there.
//! Always: whether a test shows what its row says is for people to judge; that the test exists is judged here.

mod map;
mod presence;
mod rows;

#[cfg(test)]
mod tests;

use std::{collections::BTreeSet, error::Error};

use crate::{Outcome, finding::Finding, source::Repository};

use self::rows::Section;

const ROWS: &str = "docs/seed-rows.txt";
const IDS: &str = "docs/rule-ids.txt";
const MAP: &str = "docs/seed-map.md";

/// Families of `docs/rule-ids.txt` that are promises; all others are rules of the protocol.
const FAMILIES: [&str; 7] = ["ADV", "CAP", "CON", "DEP", "INT", "PERF", "REQ"];

/// Places where a host plugs in. They have letters, so the list of ids does not hold them.
const SURFACES: [&str; 7] = ["SURF-A", "SURF-B", "SURF-C", "SURF-D", "SURF-E", "SURF-F", "SURF-G"];

/// Writes the map. Findings are about the list; see [`check()`].
pub(crate) fn write(repository: &Repository) -> Outcome {
    let (sections, findings) = read(repository)?;
    repository.write(MAP, &map::markdown(&sections))?;
    Ok(findings)
}

/// Findings are what is wrong with the list, and a map that is not what [`write()`] would write.
pub(crate) fn check(repository: &Repository) -> Outcome {
    let (sections, mut findings) = read(repository)?;
    if repository.find(MAP).is_none_or(|file| file.text != map::markdown(&sections)) {
        findings.push(Finding::new(MAP, 0, "not current; run `cargo xtask seed`"));
    }
    Ok(findings)
}

fn read(repository: &Repository) -> Result<(Vec<Section>, Vec<Finding>), Box<dyn Error>> {
    let text = |path: &str| repository.find(path).map(|file| &file.text).ok_or_else(|| format!("{path} is missing"));
    let promised = promised(text(IDS)?);
    let (sections, mut findings) = rows::parse(text(ROWS)?);
    findings.extend(accounted(&promised, &sections));
    findings.extend(presence::absent(&sections, |path| repository.find(path)));
    Ok((sections, findings))
}

/// The ids that need a row.
fn promised(ids: &str) -> BTreeSet<&str> {
    let is_promise = |id: &&str| id.rsplit_once('-').is_some_and(|(family, _)| FAMILIES.contains(&family));
    ids.lines().filter(is_promise).chain(SURFACES).collect()
}

/// Every promised id has one row, and every row a promised id.
fn accounted(promised: &BTreeSet<&str>, sections: &[Section]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut seen = BTreeSet::new();
    for row in sections.iter().flat_map(|section| &section.rows) {
        let id = row.id.as_str();
        if !promised.contains(id) {
            findings.push(Finding::new(ROWS, row.line, format!("{id} is not in {IDS}")));
        }
        if !seen.insert(id) {
            findings.push(Finding::new(ROWS, row.line, format!("{id} has a row already")));
        }
    }
    findings.extend(promised.difference(&seen).map(|id| Finding::new(ROWS, 0, format!("{id} has no row"))));
    findings
}
