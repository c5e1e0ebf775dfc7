//! Costs as a table of text, and which of them grew.

use std::{fmt, str::FromStr};

/// What one step costs in a group of one size.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Row {
    pub(crate) workload: String,
    pub(crate) members: u32,
    /// Operations of cryptography.
    pub(crate) operations: usize,
    /// Bytes those touch.
    pub(crate) touched: usize,
    /// Bytes to be made durable.
    pub(crate) durable: usize,
    pub(crate) allocations: usize,
    /// Bytes allocated, whether freed again or not.
    pub(crate) allocated: usize,
    /// Bytes held by the result.
    pub(crate) held: usize,
}

/// All rows.
#[derive(Debug)]
pub(crate) struct Table {
    rows: Vec<Row>,
}

const NAMES: [&str; 6] = ["operations", "touched", "durable", "allocations", "allocated", "held"];

impl Row {
    const fn costs(&self) -> [usize; 6] {
        [self.operations, self.touched, self.durable, self.allocations, self.allocated, self.held]
    }
}

impl Table {
    pub(crate) const fn new(rows: Vec<Row>) -> Self {
        Self { rows }
    }

    pub(crate) fn row(&self, workload: &str, members: u32) -> Option<&Row> {
        self.rows.iter().find(|row| row.workload == workload && row.members == members)
    }

    /// One line for every cost above that of `before`, and for every row that is not in both.
    pub(crate) fn grown_from(&self, before: &Self) -> Vec<String> {
        let mut lines = Vec::new();
        for row in &self.rows {
            let name = format!("{} of {}", row.workload, row.members);
            match before.row(&row.workload, row.members) {
                None => lines.push(format!("{name}: not written down")),
                Some(old) => {
                    let costs = NAMES.iter().zip(row.costs().into_iter().zip(old.costs()));
                    let grown = costs.filter(|(cost, (now, old))| *now > most(cost, *old));
                    lines.extend(grown.map(|(cost, (now, old))| format!("{name}: {cost} {now}, was {old}")));
                }
            }
        }
        let gone = before.rows.iter().filter(|old| self.row(&old.workload, old.members).is_none());
        lines.extend(gone.map(|old| format!("{} of {}: not measured", old.workload, old.members)));
        lines
    }
}

/// The most a cost may be where it was `old`. Maps that hash with a random seed make allocations vary a little; all else
/// is the same in every run.
fn most(cost: &str, old: usize) -> usize {
    match cost {
        "operations" | "touched" | "durable" => old,
        "allocations" => old + old / 20 + 16,
        _ => old + old / 20 + 2_048,
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<22} {:>7}", "workload", "members")?;
        NAMES.iter().try_for_each(|name| write!(f, " {name:>11}"))?;
        writeln!(f)?;
        for row in &self.rows {
            write!(f, "{:<22} {:>7}", row.workload, row.members)?;
            row.costs().iter().try_for_each(|cost| write!(f, " {cost:>11}"))?;
            writeln!(f)?;
        }
        Ok(())
    }
}

impl FromStr for Table {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.lines().skip(1).map(row).collect::<Result<_, _>>().map(Self::new)
    }
}

fn row(line: &str) -> Result<Row, String> {
    let bad = || format!("no row of costs: {line}");
    let words: Vec<_> = line.split_whitespace().collect();
    let [workload, members, costs @ ..] = words.as_slice() else { return Err(bad()) };
    let costs: Vec<usize> = costs.iter().map(|cost| cost.parse()).collect::<Result<_, _>>().map_err(|_| bad())?;
    let [operations, touched, durable, allocations, allocated, held] = *costs.as_slice() else { return Err(bad()) };
    let (workload, members) = ((*workload).to_owned(), members.parse().map_err(|_| bad())?);
    Ok(Row { workload, members, operations, touched, durable, allocations, allocated, held })
}
