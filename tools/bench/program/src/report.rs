//! Results as Markdown.
//!
//! In: what a run found out. Out: for each suite the goals, the times, the bytes and the growth; then what is missing.

use std::{collections::BTreeMap, fmt::Write};

use crate::{
    goals::{self, Measure, Outcome},
    peer::Impl,
    profile::Subject,
    row::{Missing, Results, Row},
};

/// Everything about one run. `bounds` is the text that says what bounds a workload, with a heading for each.
pub fn markdown(results: &Results, bounds: &str) -> String {
    let mut out = String::new();
    for (suite, primitives) in &results.primitives {
        let rows: Vec<_> = results.rows.iter().filter(|row| row.suite == *suite).collect();
        writeln!(out, "## Suite 0x{suite:04X}\n").unwrap_or_default();
        goals(&mut out, *suite, &rows, bounds);
        times(&mut out, *suite, &rows);
        floors(&mut out, &rows);
        bytes(&mut out, &rows);
        heap(&mut out, &rows);
        growth(&mut out, &rows);
        let primitives = serde_json::to_string_pretty(primitives).unwrap_or_default();
        writeln!(out, "### Primitives in this run, in µs\n\n```json\n{primitives}\n```\n").unwrap_or_default();
    }
    missing(&mut out, &results.missing);
    out
}

fn table(out: &mut String, columns: &[&str], lines: impl IntoIterator<Item = Vec<String>>) {
    writeln!(out, "| {} |", columns.join(" | ")).unwrap_or_default();
    writeln!(out, "|---|{}", "---:|".repeat(columns.len().saturating_sub(1))).unwrap_or_default();
    for line in lines {
        writeln!(out, "| {} |", line.join(" | ")).unwrap_or_default();
    }
    out.push('\n');
}

/// What goals a suite's rows of ours reach and miss.
fn outcomes(rows: &[&Row]) -> Vec<Outcome> {
    let ours: Vec<_> = rows.iter().copied().filter(|row| row.kind == Impl::Ours).collect();
    goals::outcomes(&ours)
}

/// Every workload and size that misses a goal; the largest size, if the goal is about all of them.
pub fn missed(results: &Results) -> Vec<Subject> {
    let mut missed = Vec::new();
    for (suite, _) in &results.primitives {
        let rows: Vec<_> = results.rows.iter().filter(|row| row.suite == *suite).collect();
        let largest = rows.iter().map(|row| row.members).max().unwrap_or_default();
        let short = outcomes(&rows).into_iter().filter(|outcome| !outcome.reached());
        missed.extend(short.map(|outcome| (*suite, outcome.workload, outcome.members.unwrap_or(largest))));
    }
    missed.sort_unstable();
    missed.dedup();
    missed
}

/// The heading of a workload's profile, as a link names it.
fn anchor(workload: crate::workload::Workload, suite: u16) -> String {
    crate::row::name(workload, suite).replace('@', "").to_lowercase()
}

fn goals(out: &mut String, suite: u16, rows: &[&Row], bounds: &str) {
    let outcomes = outcomes(rows);
    let reached = outcomes.iter().filter(|outcome| outcome.reached()).count();
    writeln!(out, "### Goals: {reached} of {} reached\n", outcomes.len()).unwrap_or_default();
    let lines = outcomes.iter().map(|outcome| {
        let name = outcome.workload.name();
        let members = outcome.members.map_or_else(|| "all".to_owned(), |members| members.to_string());
        let ([what, goal, got], explained) = (words(outcome), bounds.contains(&format!("\n## {name}\n")));
        let reached = match (outcome.reached(), explained) {
            (true, _) => "yes".to_owned(),
            (false, true) => {
                format!("no, [why](bounds.md#{name}), [profile](profiles.md#{})", anchor(outcome.workload, suite))
            }
            (false, false) => "no".to_owned(),
        };
        vec![name, members, what, goal, got, reached]
    });
    table(out, &["workload", "members", "what", "goal", "got", "reached"], lines);
}

fn words(outcome: &Outcome) -> [String; 3] {
    let (what, sign, show): (_, _, fn(f64) -> String) = match outcome.measure {
        Measure::BestPeer => ("best peer ÷ ours", "≥", |ratio| format!("{ratio:.2}")),
        Measure::Floor => ("processors ÷ floor", "≤", |ratio| format!("{ratio:.2}")),
        Measure::Stored => ("bytes of records", "≤", |bytes| format!("{bytes:.0}")),
        Measure::Read => ("bytes read", "≤", |bytes| format!("{bytes:.0}")),
        Measure::Micros => ("median", "≤", time),
        Measure::HeapPerMember => ("heap bytes a member", "≤", |bytes| format!("{bytes:.0}")),
        Measure::Growth => ("exponent of growth", "≤", |power| format!("{power:.2}")),
    };
    [what.to_owned(), format!("{sign} {}", show(outcome.goal)), show(outcome.got)]
}

type Grouped<'a> = BTreeMap<(crate::workload::Workload, u32), Vec<&'a Row>>;

fn grouped<'a>(rows: &[&'a Row]) -> Grouped<'a> {
    let mut groups = Grouped::new();
    rows.iter().for_each(|row| groups.entry((row.workload, row.members)).or_default().push(row));
    groups
}

/// One line for each workload and size, with a cell for each implementation.
fn lines(
    suite: u16,
    rows: &[&Row],
    cell: impl Fn(&Row) -> String,
    more: impl Fn(&Row) -> Vec<String>,
) -> Vec<Vec<String>> {
    let line = |((workload, members), rows): ((crate::workload::Workload, u32), Vec<&Row>)| {
        let of = |kind: &Impl| rows.iter().find(|row| row.kind == *kind).copied();
        let cells = kinds(suite).iter().map(|kind| of(kind).map_or_else(|| "–".to_owned(), &cell));
        let more = of(&Impl::Ours).map(&more).unwrap_or_default();
        [workload.name(), members.to_string()].into_iter().chain(cells).chain(more).collect()
    };
    grouped(rows).into_iter().map(line).collect()
}

const fn kinds(suite: u16) -> &'static [Impl] {
    Impl::all(mls_crypto::CipherSuite(suite))
}

fn columns<'a>(suite: u16, more: &[&'a str]) -> Vec<&'a str> {
    ["workload", "members"]
        .into_iter()
        .chain(kinds(suite).iter().map(|kind| kind.name()))
        .chain(more.to_vec())
        .collect()
}

fn times(out: &mut String, suite: u16, rows: &[&Row]) {
    out.push_str("### Times\n\nMedians of wall time; × the number of samples where there are fewer than three.\n\n");
    let cell = |row: &Row| match row.samples {
        few @ 0..3 => format!("{} ×{few}", time(row.median_us)),
        _ => time(row.median_us),
    };
    let more = |row: &Row| {
        let ratios = [row.ratio_best_peer, row.ratio_floor].map(|ratio| number(ratio, 2));
        [time(row.p95_us), time(row.cpu_us)].into_iter().chain(ratios).chain([row.bytes.to_string()]).collect()
    };
    let more_columns = ["ours, p95", "ours, processors", "best peer ÷ ours", "processors ÷ floor", "bytes"];
    table(out, &columns(suite, &more_columns), lines(suite, rows, cell, more));
}

/// Best peer ÷ floor is the most that best peer ÷ ours can be on one processor.
fn floors(out: &mut String, rows: &[&Row]) {
    out.push_str("### The floor of one step of ours, and what it consists of\n\n");
    let line = |row: &&Row| {
        let floor = row.floor?;
        let total = floor.total();
        let reachable = number(row.ratio_best_peer * row.median_us / total, 2);
        let share = |part: f64| format!("{:.0} %", part / total * 100.0);
        let head = [row.workload.name(), row.members.to_string(), time(total), reachable];
        Some(head.into_iter().chain(floor.parts().map(share)).collect())
    };
    let timed = |row: &&Row| row.kind == Impl::Ours && row.workload != crate::workload::Workload::Heap;
    let mut ours: Vec<_> = rows.iter().copied().filter(timed).collect();
    ours.sort_by_key(|row| (row.workload, row.members));
    let columns = ["workload", "members", "floor", "best peer ÷ floor", "sign", "verify", "HPKE", "hash", "AEAD"];
    table(out, &columns, ours.iter().filter_map(line));
}

fn bytes(out: &mut String, rows: &[&Row]) {
    use crate::workload::Workload;
    let Some(suite) = rows.first().map(|row| row.suite) else { return };
    out.push_str("### Bytes of records handed to the store\n\n");
    let cell = |row: &Row| row.stored.map_or_else(|| "?".to_owned(), |bytes| format!("{bytes:.0}"));
    let durable = [Workload::SendDurable, Workload::ProcessDurable, Workload::Receive32];
    let of: Vec<_> = rows.iter().copied().filter(|row| durable.contains(&row.workload)).collect();
    table(out, &columns(suite, &[]), lines(suite, &of, cell, |_| Vec::new()));
    out.push_str("### Bytes read to open a stored group and read one message\n\n");
    let cell = |row: &Row| row.read.map_or_else(|| "?".to_owned(), |bytes| format!("{bytes:.0}"));
    let of: Vec<_> = rows.iter().copied().filter(|row| row.workload == Workload::OpenAndRead).collect();
    table(out, &columns(suite, &[]), lines(suite, &of, cell, |_| Vec::new()));
    out.push_str("### Heap of a joined group, bytes a member\n\n");
    let cell = |row: &Row| format!("{:.0}", row.bytes as f64 / f64::from(row.members));
    let of: Vec<_> = rows.iter().copied().filter(|row| row.workload == Workload::Heap).collect();
    table(out, &columns(suite, &[]), lines(suite, &of, cell, |_| Vec::new()));
}

fn heap(out: &mut String, rows: &[&Row]) {
    let Some(suite) = rows.first().map(|row| row.suite) else { return };
    out.push_str("### Heap of one step: allocations, and bytes at the peak\n\n");
    let cell = |row: &Row| format!("{} / {}", row.memory.allocations, size(row.memory.peak));
    table(out, &columns(suite, &[]), lines(suite, rows, cell, |_| Vec::new()));
}

fn growth(out: &mut String, rows: &[&Row]) {
    let Some(suite) = rows.first().map(|row| row.suite) else { return };
    out.push_str("### Growth: the power of the group's size that fits best\n\n");
    let mut workloads: BTreeMap<_, Vec<&Row>> = BTreeMap::new();
    rows.iter().for_each(|row| workloads.entry(row.workload).or_default().push(row));
    let lines = workloads.into_iter().map(|(workload, rows)| {
        let of = |kind: &Impl| exponent_of(rows.iter().copied().filter(|row| row.kind == *kind));
        let cells = kinds(suite).iter().map(|kind| of(kind).map_or_else(|| "–".to_owned(), |power| number(power, 2)));
        [workload.name()].into_iter().chain(cells).collect()
    });
    let columns: Vec<_> = ["workload"].into_iter().chain(kinds(suite).iter().map(|kind| kind.name())).collect();
    table(out, &columns, lines);
}

fn missing(out: &mut String, missing: &[Missing]) {
    if missing.is_empty() {
        return;
    }
    out.push_str("## Not measured\n\n");
    let line = |missing: &Missing| {
        let Missing { suite, workload, members, kind, why } = missing;
        let why = why.replace(['\n', '|'], " ");
        vec![crate::row::name(*workload, *suite), members.to_string(), kind.name().to_owned(), why]
    };
    table(out, &["workload", "members", "implementation", "why"], missing.iter().map(line));
}

/// `b` of the `a · N^b` that fits the medians best; `None` for fewer than two sizes.
pub fn exponent_of<'a>(rows: impl Iterator<Item = &'a Row>) -> Option<f64> {
    let points: Vec<_> = rows.map(|row| (f64::from(row.members), row.median_us)).collect();
    exponent(&points)
}

fn exponent(points: &[(f64, f64)]) -> Option<f64> {
    let logs: Vec<_> = points.iter().map(|(size, cost)| (size.ln(), cost.ln())).collect();
    let count = logs.len() as f64;
    let mean = |pick: fn(&(f64, f64)) -> f64| logs.iter().map(pick).sum::<f64>() / count;
    let (x, y) = (mean(|log| log.0), mean(|log| log.1));
    let spread: f64 = logs.iter().map(|log| (log.0 - x).powi(2)).sum();
    let together: f64 = logs.iter().map(|log| (log.0 - x) * (log.1 - y)).sum();
    (logs.len() > 1 && spread > 0.0).then(|| together / spread)
}

fn number(number: f64, digits: usize) -> String {
    if number.is_finite() { format!("{number:.digits$}") } else { "–".to_owned() }
}

fn time(micros: f64) -> String {
    match micros {
        micros if micros.is_nan() => "–".to_owned(),
        micros if micros >= 1e6 => format!("{:.2} s", micros / 1e6),
        micros if micros >= 1e3 => format!("{:.2} ms", micros / 1e3),
        micros => format!("{micros:.1} µs"),
    }
}

fn size(bytes: i64) -> String {
    match bytes {
        bytes if bytes >= 10_000_000 => format!("{} MB", bytes / 1_000_000),
        bytes if bytes >= 10_000 => format!("{} kB", bytes / 1_000),
        bytes => format!("{bytes} B"),
    }
}

#[cfg(test)]
mod tests;
