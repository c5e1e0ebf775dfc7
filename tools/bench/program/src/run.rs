//! A run: every workload at every size, the implementations taking turns, within a budget of time.
//!
//! In: workloads, sizes, suites and a budget. Out: a [`Row`] for each, and for each implementation.
//! Always: in a turn every implementation takes its steps once, so that a slow moment of the machine meets all. Every
//! implementation has the same share of the time of a workload; one that needs more for one step has one sample.

use std::{
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
    thread,
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressStyle};
use mls_crypto::CipherSuite;

use crate::{
    floor::{Primitives, counts},
    peer::{Impl, Peer},
    row::{Missing, summarize},
    sample::Sample,
    scene::Scene,
    workload::Workload,
};

pub use crate::row::{Results, Row};

/// What to measure, and how long.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Suites.
    pub suites: Vec<CipherSuite>,
    /// Workloads.
    pub workloads: Vec<Workload>,
    /// Sizes of groups.
    pub sizes: Vec<u32>,
    /// The most turns of each implementation.
    pub rounds: usize,
    /// How long everything should take. Steps are not interrupted: the last may take longer.
    pub budget: Duration,
    /// An implementation that will need longer for one step is left out.
    pub patience: Duration,
}

/// Time for idle threads of the one before to fall asleep.
const PAUSE: Duration = Duration::from_millis(2);
/// What each implementation has for its steps whatever is left: enough for short ones.
const LEAST: Duration = Duration::from_millis(80);
/// The most that is spent on one workload in groups of one size, where steps are short.
const ENOUGH: Duration = Duration::from_secs(20);

type Participants<'a> = Vec<(Impl, Option<Scene<'a>>)>;

/// Groups of one size in one suite.
#[derive(Clone, Copy)]
struct Place {
    suite: CipherSuite,
    members: u32,
}

struct Runner<'a> {
    plan: &'a Plan,
    progress: ProgressBar,
    started: Instant,
    left: usize,
    /// The size and the seconds of the last step of each.
    history: BTreeMap<(u16, Workload, Impl), (u32, f64)>,
    results: Results,
}

/// Measures everything.
pub fn run(plan: &Plan) -> Results {
    let slots = plan.suites.len() * plan.workloads.len() * plan.sizes.len();
    let progress = ProgressBar::new(slots as u64);
    let style = ProgressStyle::with_template("{elapsed_precise} {bar:30} {pos}/{len} {msg}");
    progress.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    let (started, history, results) = (Instant::now(), BTreeMap::new(), Results::default());
    let mut runner = Runner { plan, progress, started, left: slots, history, results };
    // What an implementation cannot do is reported in the results.
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    for &suite in &plan.suites {
        runner.progress.set_message("measuring primitives");
        let primitives = Primitives::measure(suite);
        runner.results.primitives.push((suite.0, primitives));
        for &members in &plan.sizes {
            for cold in [false, true] {
                runner.groups(Place { suite, members }, cold, &primitives);
            }
        }
    }
    std::panic::set_hook(hook);
    runner.progress.finish_and_clear();
    runner.results
}

impl Runner<'_> {
    fn groups(&mut self, place: Place, cold: bool, primitives: &Primitives) {
        let Place { suite, members } = place;
        let mut workloads = self.plan.workloads.clone();
        workloads.retain(|workload| workload.is_cold() == cold);
        workloads.sort_by_key(|workload| workload.order());
        if workloads.is_empty() {
            return;
        }
        self.progress.set_message(format!("{:#06x}, {members} members: setting up", suite.0));
        let counted = attempt(|| counts(cold, &workloads, suite, members));
        let counted = counted.unwrap_or_else(|why| {
            self.progress.println(format!("counting at {members} members: {why}"));
            BTreeMap::new()
        });
        let makers: Vec<_> = Impl::all(suite)
            .iter()
            .map(|kind| (*kind, move |seed| -> Box<dyn Peer> { kind.client(seed, suite) }))
            .collect();
        let mut participants = Participants::new();
        for (kind, make) in &makers {
            match attempt(|| Scene::new(cold, kind.group(suite, members), make)) {
                Ok(scene) => participants.push((*kind, Some(scene))),
                Err(why) => workloads.iter().for_each(|workload| self.miss(place, *workload, *kind, &why)),
            }
        }
        for &workload in &workloads {
            let name = workload.name();
            self.progress.set_message(format!("{:#06x}, {members} members: {name}", suite.0));
            let samples = self.measure(place, workload, &mut participants);
            let floor = counted.get(&workload).map(|counts| primitives.floor(workload, counts));
            self.results.rows.extend(summarize((suite.0, workload, members), &samples, floor));
            self.progress.inc(1);
            self.left = self.left.saturating_sub(1);
        }
    }

    /// How long this workload may take, of what is left of the budget.
    fn allowance(&self) -> Duration {
        let left = self.plan.budget.saturating_sub(self.started.elapsed());
        (left / u32::try_from(self.left.max(1)).unwrap_or(1)).min(ENOUGH)
    }

    fn measure(
        &mut self,
        place: Place,
        workload: Workload,
        participants: &mut Participants<'_>,
    ) -> BTreeMap<Impl, Vec<Sample>> {
        let share = self.allowance() / u32::try_from(participants.len().max(1)).unwrap_or(1);
        let share = share.max(LEAST);
        let mut samples: BTreeMap<Impl, Vec<Sample>> = BTreeMap::new();
        // What each has spent, and what one step takes.
        let mut spent: BTreeMap<Impl, (Duration, Duration)> = BTreeMap::new();
        for (kind, scene) in participants.iter_mut() {
            let Some((sample, time)) = self.first(place, workload, *kind, scene) else { continue };
            samples.insert(*kind, vec![sample]);
            spent.insert(*kind, (time, time));
        }
        let turns = self.plan.rounds.min(workload.turns());
        for turn in 0..turns {
            for (kind, scene) in participants.iter_mut() {
                let (Some(scene), Some(spent)) = (scene, spent.get_mut(kind)) else { continue };
                let (all, step) = *spent;
                if all + step > share {
                    continue;
                }
                thread::sleep(PAUSE);
                let into = samples.entry(*kind).or_default();
                if turn == 0 {
                    // The first one filled caches, and its heap was counted.
                    into[0].time = Duration::MAX;
                }
                let start = Instant::now();
                for _ in 0..workload.repeats() {
                    into.push(scene.step(workload));
                    if all + start.elapsed() > share {
                        break;
                    }
                }
                spent.0 += start.elapsed();
            }
        }
        samples
    }

    /// The step for the first time: caches, lazily made tables; its heap and store are counted.
    fn first(
        &mut self,
        place: Place,
        workload: Workload,
        kind: Impl,
        scene: &mut Option<Scene<'_>>,
    ) -> Option<(Sample, Duration)> {
        let group = scene.as_mut()?;
        let expected = self.expected(place, workload, kind);
        if expected > self.plan.patience {
            let why = format!("left out: one step would take about {} s", expected.as_secs());
            self.miss(place, workload, kind, &why);
            return None;
        }
        let sample = attempt(|| {
            group.prepare(workload);
            let start = Instant::now();
            (group.step_counting(workload), start.elapsed())
        });
        match sample {
            Ok((sample, time)) => {
                let key = (place.suite.0, workload, kind);
                self.history.insert(key, (place.members, sample.time.as_secs_f64()));
                Some((sample, time))
            }
            Err(why) => {
                self.miss(place, workload, kind, &why);
                // Whatever it was doing is half done.
                *scene = None;
                None
            }
        }
    }

    /// What one step will take, by the one in the last size.
    fn expected(&self, place: Place, workload: Workload, kind: Impl) -> Duration {
        let of = |workload: Workload| match self.history.get(&(place.suite.0, workload, kind)) {
            Some((members, _)) if *members == place.members => 0.0,
            Some((members, seconds)) => {
                let times = f64::from(place.members) / f64::from(*members);
                seconds * times.max(1.0).powi(workload.worst_growth())
            }
            None => 0.0,
        };
        let seconds = match workload {
            // Its group has to be built first.
            Workload::UpdateCold => of(Workload::Build).max(of(workload)),
            _ => of(workload),
        };
        Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
    }

    fn miss(&mut self, place: Place, workload: Workload, kind: Impl, why: &str) {
        let Place { suite, members } = place;
        let why = why.to_owned();
        self.results.missing.push(Missing { suite: suite.0, workload, members, kind, why });
    }
}

/// What a panic says, as an error.
pub fn attempt<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        text.unwrap_or_else(|| "it panicked".to_owned())
    })
}
