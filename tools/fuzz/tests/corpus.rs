//! Every target on its seeds, on the corpus that campaigns have found, and on what once broke it.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::{fs, path::Path};

use fuzz::{TARGETS, Target, Verdict};

/// Runs the inputs of a file, one a line in hexadecimal digits; how many there were.
fn run_file(target: &Target, folder: &str) -> usize {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder).join(target.name).with_extension("hex");
    let lines = fs::read_to_string(file).unwrap_or_default();
    for line in lines.lines() {
        (target.run)(&hex::decode(line).unwrap());
    }
    lines.lines().count()
}

/// DEP-10: an oracle that nothing passes, or that refuses nothing, shows nothing.
#[test]
fn seeds_are_accepted_and_refused() {
    for target in &TARGETS {
        let verdicts: Vec<_> = (target.seeds)().iter().map(|seed| (target.run)(seed)).collect();
        assert_eq!(verdicts[0], Verdict::Accepted, "{}", target.name);
        assert_eq!((target.run)(b""), (target.run)(b""), "{}", target.name);
        let bent: Vec<_> = (target.seeds)().iter().map(|seed| (target.run)(&bend(seed))).collect();
        assert!(verdicts.iter().chain(&bent).any(|verdict| *verdict == Verdict::Refused), "{}", target.name);
    }
}

/// All decisions taken otherwise.
fn bend(seed: &[u8]) -> Vec<u8> {
    seed.iter().map(|byte| !byte).collect()
}

/// REQ-6: what campaigns have found.
#[test]
fn corpus_holds() {
    for target in &TARGETS {
        assert!(run_file(target, "corpus") > 0, "{} has no corpus", target.name);
        run_file(target, "regressions");
    }
}
