//! A table for a terminal: scripts in rows; in columns what passed of each suite and framing.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use super::{Column, Counts, Report, Row, grid, suite_name};

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let grid = grid(&self.cases);
        let columns: BTreeSet<Column> = grid.values().flat_map(|row| row.keys().copied()).collect();
        writeln!(f, "clients: {}", self.clients.join(", "))?;
        write!(f, "{:<48}", "script")?;
        for (suite, _) in &columns {
            write!(f, " {:>9}", suite_name(*suite))?;
        }
        write!(f, "\n{:<48}", "")?;
        for (_, encrypted) in &columns {
            write!(f, " {:>9}", if *encrypted { "private" } else { "public" })?;
        }
        writeln!(f)?;
        for (row, cells) in &grid {
            write_row(f, row, cells, &columns)?;
        }
        let Counts { passed, unsupported, failed } = self.counts();
        writeln!(f, "{passed} passed, {failed} failed, {unsupported} not in a stack's interface")?;
        self.write_troubles(f)
    }
}

impl Report {
    /// Each trouble once, with how often it came and where first.
    fn write_troubles(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut troubles: BTreeMap<_, (usize, _)> = BTreeMap::new();
        for case in &self.cases {
            let Some(error) = &case.error else { continue };
            let (count, _) = troubles.entry((case.outcome, error)).or_insert((0, case));
            *count = count.saturating_add(1);
        }
        for ((outcome, error), (count, case)) in troubles {
            let (suite, step) = (suite_name(case.cipher_suite), case.step.unwrap_or_default());
            let framing = if case.encrypt_handshake { "private" } else { "public" };
            writeln!(f, "{outcome:?} {count} times: {error}")?;
            writeln!(f, "    first in {}/{} {suite} {framing}, step {step}: {}", case.config, case.script, case.roles)?;
        }
        Ok(())
    }
}

fn write_row(
    f: &mut fmt::Formatter<'_>,
    (config, script): &Row<'_>,
    cells: &BTreeMap<Column, Counts>,
    columns: &BTreeSet<Column>,
) -> fmt::Result {
    write!(f, "{:<48}", format!("{config}/{script}"))?;
    for column in columns {
        let cell = cells.get(column).map_or_else(String::new, |counts| format!("{}/{}", counts.passed, counts.all()));
        write!(f, " {cell:>9}")?;
    }
    writeln!(f)
}
