//! Where each rule id is cited.
//!
//! In: `docs/rule-ids.txt`, which lists every id, and all Rust sources but this crate's.
//! Out: `docs/rfc9420-map.md`, and a finding for each citation of an id that is not listed.
//! Always: files named `error.rs` name rules and enforce none, so they count for neither column, nor do tools'
//! sources outside tests; the map names files without lines, so that it changes only when a citation moves house.

mod ids;
mod map;

#[cfg(test)]
mod tests;

use std::{collections::BTreeSet, error::Error};

use crate::{
    Outcome,
    finding::Finding,
    rfc::{
        ids::ids_in,
        map::{Map, Role},
    },
    source::{Repository, SourceFile},
};

const IDS: &str = "docs/rule-ids.txt";
const MAP: &str = "docs/rfc9420-map.md";
const OURSELVES: &str = "tools/xtask/";

/// Prints each id with the lines that cite it, and writes the map. Findings are citations of unknown ids.
pub(crate) fn write(repository: &Repository) -> Outcome {
    let (map, findings) = read(repository)?;
    println!("{}", map.listing());
    repository.write(MAP, &map.markdown())?;
    Ok(findings)
}

/// Findings are citations of unknown ids, and a map that is not what [`write()`] would write.
pub(crate) fn check(repository: &Repository) -> Outcome {
    let (map, mut findings) = read(repository)?;
    if repository.find(MAP).is_none_or(|file| file.text != map.markdown()) {
        findings.push(Finding::new(MAP, 0, "not current; run `cargo xtask rfc`"));
    }
    Ok(findings)
}

fn read(repository: &Repository) -> Result<(Map, Vec<Finding>), Box<dyn Error>> {
    let list = repository.find(IDS).ok_or_else(|| format!("{IDS} is missing"))?;
    let known: BTreeSet<String> = list.text.lines().map(str::to_owned).collect();
    let sources = repository.rust().filter(|file| !file.path.starts_with(OURSELVES));
    Ok(collect(known, sources))
}

fn collect<'a>(known: BTreeSet<String>, sources: impl Iterator<Item = &'a SourceFile>) -> (Map, Vec<Finding>) {
    let mut map = Map::new(known);
    let mut findings = Vec::new();
    for file in sources {
        let role = role_of(file);
        for (line, text) in file.lines() {
            for id in ids_in(text) {
                if !map.cite(&id, role, &file.path, line) {
                    findings.push(Finding::new(&file.path, line, format!("{id} is not in {IDS}")));
                }
            }
        }
    }
    (map, findings)
}

fn role_of(file: &SourceFile) -> Role {
    let in_tools = file.path.starts_with("tools/");
    if file.is_test() {
        Role::Tests
    } else if in_tools || file.path.ends_with("/error.rs") {
        Role::Names
    } else {
        Role::Production
    }
}
