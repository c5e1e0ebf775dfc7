//! Which points to try, if not all can be, or if there is time for more than all.

use super::Plan;
use crate::{
    disk::state::Step,
    fault::{Failure, Lost},
    random::{Random, seed_of},
};

/// What is tried after a run that has met an error.
pub(super) const AFTER_ERRORS: [Lost; 3] = [Lost::Nothing, Lost::Everything, Lost::Sectors(0)];

/// In rounds, the operations at which power is lost, in order; `steps` is the end of the run.
pub(super) fn crashes(plan: &Plan, steps: usize) -> Vec<Vec<usize>> {
    let places: Vec<usize> = (0..=steps).collect();
    let share = if plan.failures.is_empty() { plan.points } else { plan.points.saturating_sub(of_errors(plan)) };
    let drawing = plan.losses.iter().filter(|lost| lost.draws()).count();
    let first_round = u64::try_from(places.len().saturating_mul(plan.losses.len())).unwrap_or(u64::MAX);
    let count = match share.checked_sub(first_round) {
        None => per(share, plan.losses.len()),
        Some(0) => places.len(),
        Some(_) if drawing == 0 => places.len(),
        Some(more) => places.len().saturating_add(per(more, drawing)),
    };
    let mut rounds = rounds(plan, &places, count);
    for round in &mut rounds {
        round.sort_unstable();
    }
    rounds
}

/// The failures that are tried, and where: only where they make a difference.
pub(super) fn errors(plan: &Plan, steps: &[Step]) -> Vec<(usize, Failure)> {
    let applies = |failure, step: &Step| match failure {
        Failure::DiskFull | Failure::NoSpace => step.grows(),
        Failure::ShortWrite => matches!(step, Step::Write { .. }),
        Failure::SyncForgets => matches!(step, Step::Sync { .. }),
        Failure::Io | Failure::IoForever | Failure::PowerLoss => true,
    };
    let mut places = Vec::new();
    for failure in &plan.failures {
        let hit = steps.iter().enumerate().filter(|(_, step)| applies(*failure, step));
        places.extend(hit.map(|(at, _)| (at, *failure)));
    }
    rounds(plan, &places, per(of_errors(plan), AFTER_ERRORS.len())).concat()
}

/// A quarter.
const fn of_errors(plan: &Plan) -> u64 {
    plan.points.wrapping_div(4)
}

fn per(points: u64, each: usize) -> usize {
    let each = u64::try_from(each).unwrap_or(u64::MAX);
    usize::try_from(points.div_ceil(each.max(1))).unwrap_or(usize::MAX)
}

/// `count` places: all of them again and again, and then a sample.
fn rounds<P: Clone>(plan: &Plan, places: &[P], count: usize) -> Vec<Vec<P>> {
    let mut rounds = Vec::new();
    let mut left = count;
    while left > 0 && !places.is_empty() {
        let mut round = places.to_vec();
        if left < places.len() {
            Random::new(seed_of(&[plan.seed, SAMPLE])).shuffle(&mut round);
            round.truncate(left);
        }
        left = left.saturating_sub(round.len());
        rounds.push(round);
    }
    rounds
}

/// Names a stream of numbers: which places are in the sample.
const SAMPLE: u64 = u64::MAX - 2;
