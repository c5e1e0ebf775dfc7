//! The direction of the engine's modules.
//!
//! In: the sources of `crates/mls-engine`. Out: each path that names a module to its left in
//! `group → framing → { tree, schedule } → policy → message → math`, with codec, error and limits at the far right.
//! Always: `lib.rs`, which only lists modules, and test modules are free to name what they like.

mod order;
mod paths;

#[cfg(test)]
mod tests;

use std::error::Error;

use crate::{
    finding::Finding,
    layers::{
        order::{Verdict, judge},
        paths::{Named, named_paths},
    },
    source::{Repository, SourceFile},
};

const ENGINE: &str = "crates/mls-engine/src/";

/// Every path of the engine that points the wrong way. An error is a file that does not parse.
pub(crate) fn check(repository: &Repository) -> Result<Vec<Finding>, Box<dyn Error>> {
    let engine: Vec<&SourceFile> =
        repository.rust().filter(|file| file.path.starts_with(ENGINE) && !file.is_test()).collect();
    if engine.is_empty() {
        return Err(format!("no sources under {ENGINE}").into());
    }
    let mut findings = Vec::new();
    for file in engine {
        findings.extend(check_file(file)?);
    }
    Ok(findings)
}

fn check_file(file: &SourceFile) -> Result<Vec<Finding>, Box<dyn Error>> {
    let module = module_of(&file.path);
    let Some(layer) = module.first() else { return Ok(Vec::new()) };
    let named = named_paths(&file.parse()?, &module);
    Ok(named.iter().filter_map(|named| wrong_way(file, layer, named)).collect())
}

fn wrong_way(file: &SourceFile, layer: &str, named: &Named) -> Option<Finding> {
    let what = match judge(layer, named.module.as_deref()) {
        Verdict::Allowed => return None,
        Verdict::WrongWay { from, to } => format!("`{from}` must not use `{to}`: the arrow points the other way"),
        Verdict::Root => "names the crate root; name the module instead".to_owned(),
        Verdict::Unknown(module) => format!("`{module}` has no place in the order of layers"),
    };
    Some(Finding::new(&file.path, named.line, what))
}

/// `crates/mls-engine/src/message/psk.rs` is the module `message::psk`; `lib.rs` is the root.
fn module_of(path: &str) -> Vec<String> {
    let inside = path.strip_prefix(ENGINE).unwrap_or(path);
    let inside = inside.strip_suffix(".rs").unwrap_or(inside);
    inside.split('/').filter(|part| !matches!(*part, "lib" | "mod")).map(str::to_owned).collect()
}
