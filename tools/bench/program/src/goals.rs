//! The goals, as data, and whether a run reached them.
//!
//! In: rows of a run. Out: for each goal that was measured what it asks for and what there is.

use crate::{report::exponent_of, run::Row, workload::Workload};

/// What a goal is about; the figure of ours in all of them.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Measure {
    /// Wall time of the best peer divided by ours; at least the goal.
    BestPeer,
    /// Time of processors divided by the floor's; at most the goal.
    Floor,
    /// Bytes of records handed to the store; at most the goal.
    Stored,
    /// Bytes of records read; at most the goal.
    Read,
    /// Median in microseconds; at most the goal.
    Micros,
    /// Bytes of heap for each member; at most the goal.
    HeapPerMember,
    /// The power of the group's size that the time grows with; at most the goal.
    Growth,
}

/// Sizes of groups that goals are for.
pub const SIZES: [u32; 3] = [100, 1_000, 10_000];

/// No goal.
const NONE: f64 = 0.0;

/// By how much the best peer is to be behind, for each size, and how far from the floor ours may be.
const SPEED: [(Workload, [f64; 3], f64); 20] = [
    (Workload::Process, [3.0, 10.0, 50.0], 2.0),
    (Workload::Update, [2.0, 6.0, 30.0], 1.4),
    (Workload::Remove, [2.0, 6.0, 30.0], NONE),
    (Workload::Add, [1.5, 4.0, 5.0], 1.4),
    (Workload::AddByHash, [NONE, 6.0, 30.0], NONE),
    (Workload::Join, [2.0, 2.5, 3.0], 1.4),
    (Workload::ExternalJoin, [2.0, 2.5, 3.0], NONE),
    (Workload::Build, [2.0, 3.0, 15.0], 1.5),
    (Workload::UpdateCold, [1.3, 1.5, 1.5], 1.2),
    (Workload::Send32, [1.0, 1.0, 1.0], 1.15),
    (Workload::Send1K, [1.0, 1.0, 1.0], 1.15),
    (Workload::SendDurable, [2.0, 10.0, 50.0], NONE),
    (Workload::Receive32, [1.1, 1.1, 1.1], 1.1),
    (Workload::Receive1K, [1.1, 1.1, 1.1], 1.1),
    (Workload::CatchUp, [3.0, 3.0, 3.0], NONE),
    (Workload::CatchUpOne, [5.0, 5.0, 5.0], NONE),
    (Workload::Send64K, [1.2, 1.2, 1.2], 1.1),
    (Workload::Receive64K, [1.2, 1.2, 1.2], 1.1),
    (Workload::Send1M, [1.2, 1.2, 1.2], 1.1),
    (Workload::Receive1M, [1.2, 1.2, 1.2], 1.1),
];

/// At most so much, for each size.
const AMOUNTS: [(Workload, Measure, [f64; 3]); 6] = [
    (Workload::SendDurable, Measure::Stored, [1_000.0, 1_000.0, 1_000.0]),
    (Workload::Receive32, Measure::Stored, [1_000.0, 1_000.0, 1_000.0]),
    (Workload::ProcessDurable, Measure::Stored, [8_000.0, 12_000.0, 16_000.0]),
    (Workload::OpenAndRead, Measure::Micros, [NONE, NONE, 5_000.0]),
    (Workload::OpenAndRead, Measure::Read, [NONE, NONE, 1_048_576.0]),
    (Workload::Heap, Measure::HeapPerMember, [NONE, 800.0, 800.0]),
];

/// The most that the time may grow with the size: not at all, as a logarithm does, linearly.
const GROWTH: [(Workload, f64); 9] = [
    (Workload::Send32, 0.05),
    (Workload::SendDurable, 0.05),
    (Workload::Receive32, 0.05),
    (Workload::CatchUp, 0.05),
    (Workload::Process, 0.25),
    (Workload::Update, 0.25),
    (Workload::Remove, 0.25),
    (Workload::Join, 1.1),
    (Workload::Build, 1.1),
];

/// A goal, and what was measured.
#[derive(Clone, Copy, Debug)]
pub struct Outcome {
    /// Of which workload.
    pub workload: Workload,
    /// In groups of which size; none if it is about all sizes.
    pub members: Option<u32>,
    /// About what.
    pub measure: Measure,
    /// What is asked for.
    pub goal: f64,
    /// What there is.
    pub got: f64,
}

impl Outcome {
    /// Whether the goal is reached.
    pub fn reached(&self) -> bool {
        match self.measure {
            Measure::BestPeer => self.got >= self.goal,
            _ => self.got <= self.goal,
        }
    }
}

/// Every goal that these rows, of ours and of one suite, tell something about.
pub fn outcomes(ours: &[&Row]) -> Vec<Outcome> {
    let mut outcomes = Vec::new();
    for row in ours {
        let members = Some(row.members);
        for (measure, goal) in of(row.workload, row.members) {
            let got = figure(row, measure);
            outcomes.extend(got.map(|got| Outcome { workload: row.workload, members, measure, goal, got }));
        }
    }
    for (workload, goal) in GROWTH {
        let got = exponent_of(ours.iter().copied().filter(|row| row.workload == workload));
        let growth = |got| Outcome { workload, members: None, measure: Measure::Growth, goal, got };
        outcomes.extend(got.map(growth));
    }
    outcomes.sort_by_key(|outcome| (outcome.workload, outcome.measure, outcome.members));
    outcomes
}

/// The goals of a workload in groups of a size.
fn of(workload: Workload, members: u32) -> impl Iterator<Item = (Measure, f64)> {
    let size = SIZES.iter().position(|size| *size == members);
    let speeds = SPEED.into_iter().filter(move |speed| speed.0 == workload);
    let speeds = speeds.flat_map(move |(_, ratios, floor)| {
        let ratio = size.and_then(|size| ratios.get(size).copied()).unwrap_or(NONE);
        [(Measure::BestPeer, ratio), (Measure::Floor, floor)]
    });
    let amounts = AMOUNTS.into_iter().filter(move |amount| amount.0 == workload);
    let amounts =
        amounts.map(move |(_, measure, most)| (measure, size.and_then(|size| most.get(size).copied()).unwrap_or(NONE)));
    speeds.chain(amounts).filter(|(_, goal)| *goal != NONE)
}

fn figure(row: &Row, measure: Measure) -> Option<f64> {
    let figure = match measure {
        Measure::BestPeer => row.ratio_best_peer,
        Measure::Floor => row.ratio_floor,
        Measure::Stored => row.stored?,
        Measure::Read => row.read?,
        Measure::Micros => row.median_us,
        Measure::HeapPerMember => row.bytes as f64 / f64::from(row.members),
        Measure::Growth => return None,
    };
    figure.is_finite().then_some(figure)
}

#[cfg(test)]
mod tests;
