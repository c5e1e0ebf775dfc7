//! What a run found out: rows, as they are printed and as JSON.

use std::collections::BTreeMap;

use crate::{
    floor::{Floor, Primitives},
    memory::Memory,
    peer::Impl,
    sample::Sample,
    workload::Workload,
};

/// What was measured of one implementation.
#[derive(Clone, Debug)]
pub struct Row {
    /// The suite's number.
    pub suite: u16,
    /// What was done.
    pub workload: Workload,
    /// Size of the group.
    pub members: u32,
    /// By whom.
    pub kind: Impl,
    /// How often.
    pub samples: usize,
    /// Median of all steps, in microseconds.
    pub median_us: f64,
    /// Of twenty steps, one is longer.
    pub p95_us: f64,
    /// Median of the time that all processors worked for a step.
    pub cpu_us: f64,
    /// Median of the best peer divided by this one's: over 1 is faster than every peer.
    pub ratio_best_peer: f64,
    /// Time of the processors divided by the floor of our own step.
    pub ratio_floor: f64,
    /// The floor of our own step.
    pub floor: Option<Floor>,
    /// Bytes on the wire; of `heap`, bytes of the group in memory.
    pub bytes: usize,
    /// Bytes of keys and values handed to the store, as a mean.
    pub stored: Option<f64>,
    /// Bytes read from the store, as a mean.
    pub read: Option<f64>,
    /// What the heap had to give.
    pub memory: Memory,
}

/// Something that was not measured.
#[derive(Clone, Debug)]
pub struct Missing {
    /// The suite's number.
    pub suite: u16,
    /// What was to be done.
    pub workload: Workload,
    /// Size of the group.
    pub members: u32,
    /// By whom.
    pub kind: Impl,
    /// Why not.
    pub why: String,
}

/// Everything that a run found out.
#[derive(Clone, Debug, Default)]
pub struct Results {
    /// Primitives of each suite.
    pub primitives: Vec<(u16, Primitives)>,
    /// What was measured.
    pub rows: Vec<Row>,
    /// What was not.
    pub missing: Vec<Missing>,
}

/// A row of the JSON.
#[derive(Clone, Debug, serde::Deserialize, serde::Serialize)]
pub struct JsonRow {
    /// Name of the workload; `@` and the number of the suite if that is not 0x0001.
    pub workload: String,
    /// Size of the group.
    pub members: u32,
    /// Name of the implementation.
    #[serde(rename = "impl")]
    pub kind: String,
    /// Median in microseconds.
    pub median_us: f64,
    /// 95 of 100 are shorter.
    pub p95_us: f64,
    /// The best peer's figure divided by this one's; null where no peer was measured.
    pub ratio_best_peer: Option<f64>,
    /// Time of the processors divided by the floor's; null where there is no floor.
    pub ratio_floor: Option<f64>,
    /// Bytes: on the wire, or those that the workload is about.
    pub bytes: u64,
}

/// What the measurement of spacepanda-core hands over.
#[derive(Clone, Debug, Default, serde::Deserialize)]
pub struct Facade {
    /// Its rows.
    pub rows: Vec<JsonRow>,
    /// Its table.
    pub markdown: String,
}

/// The name of a workload in a suite.
pub fn name(workload: Workload, suite: u16) -> String {
    match suite {
        1 => workload.name(),
        suite => format!("{}@0x{suite:04X}", workload.name()),
    }
}

impl Results {
    /// All rows as JSON has them. Bytes of records, and bytes read, are rows of their own: `record-message`,
    /// `record-commit`, `open-bytes`.
    pub fn json(&self) -> Vec<JsonRow> {
        let mut json: Vec<_> = self.rows.iter().map(|row| JsonRow::new(row, row.workload.name(), None)).collect();
        for (workload, called) in [
            (Workload::SendDurable, "record-message"),
            (Workload::ProcessDurable, "record-commit"),
            (Workload::OpenAndRead, "open-bytes"),
        ] {
            let bytes = |row: &Row| if workload == Workload::OpenAndRead { row.read } else { row.stored };
            for row in self.rows.iter().filter(|row| row.workload == workload) {
                let others = self.rows.iter().filter(|other| {
                    (other.suite, other.workload, other.members) == (row.suite, workload, row.members)
                        && other.kind != Impl::Ours
                });
                let best = others.filter_map(bytes).fold(f64::INFINITY, f64::min);
                json.extend(bytes(row).map(|bytes| JsonRow::new(row, called.to_owned(), Some((bytes, best)))));
            }
        }
        json
    }
}

impl JsonRow {
    fn new(row: &Row, workload: String, amount: Option<(f64, f64)>) -> Self {
        let suffix = if row.suite == 1 { String::new() } else { format!("@0x{:04X}", row.suite) };
        let finite = |ratio: f64| ratio.is_finite().then_some(ratio);
        let ratio = amount.map_or(row.ratio_best_peer, |(bytes, best)| best / bytes);
        Self {
            workload: workload + &suffix,
            members: row.members,
            kind: row.kind.name().to_owned(),
            median_us: row.median_us,
            p95_us: row.p95_us,
            ratio_best_peer: finite(ratio),
            ratio_floor: finite(row.ratio_floor),
            bytes: amount.map_or(row.bytes as u64, |(bytes, _)| bytes.round() as u64),
        }
    }
}

/// A row for each implementation. A sample of endless time gives its bytes and heap only.
pub fn summarize(
    (suite, workload, members): (u16, Workload, u32),
    samples: &BTreeMap<Impl, Vec<Sample>>,
    floor: Option<Floor>,
) -> Vec<Row> {
    let median = |samples: &[Sample]| quantile(&times(samples), 0.5);
    let peers = samples.iter().filter(|(kind, _)| **kind != Impl::Ours);
    let best = if workload == Workload::Heap {
        peers.map(|(_, taken)| last_bytes(taken) as f64).fold(f64::INFINITY, f64::min)
    } else {
        peers.map(|(_, taken)| median(taken)).fold(f64::INFINITY, f64::min)
    };
    let row = |kind: Impl, taken: &[Sample]| {
        let (times, bytes) = (times(taken), last_bytes(taken));
        let median_us = quantile(&times, 0.5);
        let counted: Vec<_> = taken.iter().filter(|sample| is_timed(sample)).collect();
        let cpu_us = quantile(&sorted(counted.iter().map(|sample| sample.cpu.as_secs_f64() * 1e6)), 0.5);
        Row {
            suite,
            workload,
            members,
            kind,
            samples: times.len(),
            median_us,
            p95_us: quantile(&times, 0.95),
            cpu_us,
            ratio_best_peer: best / if workload == Workload::Heap { bytes as f64 } else { median_us },
            ratio_floor: cpu_us / floor.map_or(f64::NAN, |floor| floor.total()),
            floor,
            bytes,
            stored: mean(taken.iter().filter_map(|sample| sample.stored)),
            read: mean(taken.iter().filter_map(|sample| sample.read)),
            memory: taken.iter().find_map(|sample| sample.memory).unwrap_or_default(),
        }
    };
    samples.iter().map(|(kind, taken)| row(*kind, taken)).collect()
}

fn last_bytes(samples: &[Sample]) -> usize {
    samples.last().map_or(0, |sample| sample.bytes)
}

fn is_timed(sample: &Sample) -> bool {
    sample.time != std::time::Duration::MAX
}

fn times(samples: &[Sample]) -> Vec<f64> {
    sorted(samples.iter().filter(|sample| is_timed(sample)).map(|sample| sample.time.as_secs_f64() * 1e6))
}

fn sorted(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    values
}

fn mean(values: impl Iterator<Item = usize>) -> Option<f64> {
    let values: Vec<_> = values.collect();
    (!values.is_empty()).then(|| values.iter().sum::<usize>() as f64 / values.len() as f64)
}

fn quantile(sorted: &[f64], part: f64) -> f64 {
    let place = (sorted.len().saturating_sub(1) as f64 * part).round() as usize;
    sorted.get(place).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests;
