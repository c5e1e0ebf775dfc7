//! How many cases passed, failed and were left out, by family, provider and suite.

use core::fmt;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
};

/// What became of one case.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Verdict {
    /// Agreed with the file.
    Passed,
    /// Did not, or panicked.
    Failed,
    /// Not run.
    Ignored,
}

/// Numbers of one cell of the table.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
struct Count {
    passed: u32,
    failed: u32,
    ignored: u32,
}

/// Rows are (family, provider), columns are suites; `None` stands for "no suite".
type Table = BTreeMap<(&'static str, String), BTreeMap<Option<u16>, Count>>;

/// The table, shared by the trials that fill it.
#[derive(Clone, Debug, Default)]
pub(super) struct Ledger(Arc<Mutex<Table>>);

impl Ledger {
    /// Notes one case.
    pub(super) fn note(&self, row: (&'static str, &str), suite: Option<u16>, verdict: Verdict) {
        let mut table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = table.entry((row.0, row.1.to_owned())).or_default().entry(suite).or_default();
        match verdict {
            Verdict::Passed => count.passed += 1,
            Verdict::Failed => count.failed += 1,
            Verdict::Ignored => count.ignored += 1,
        }
    }
}

impl fmt::Display for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let suites: BTreeSet<_> = table.values().flat_map(BTreeMap::keys).copied().collect();
        write!(f, "passed cases by suite\n{:<31}{:<10}", "family", "provider")?;
        for suite in &suites {
            write!(f, "{:>5}", suite.map_or_else(|| "-".to_owned(), |suite| suite.to_string()))?;
        }
        writeln!(f, "{:>8}{:>9}", "failed", "ignored")?;
        for ((family, provider), row) in table.iter() {
            write!(f, "{family:<31}{provider:<10}")?;
            for suite in &suites {
                write!(f, "{:>5}", row.get(suite).map_or_else(String::new, |count| count.passed.to_string()))?;
            }
            let failed: u32 = row.values().map(|count| count.failed).sum();
            let ignored: u32 = row.values().map(|count| count.ignored).sum();
            writeln!(f, "{failed:>8}{ignored:>9}")?;
        }
        Ok(())
    }
}
