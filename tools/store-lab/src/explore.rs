//! Stopping a program at every operation of its disk, and looking at what is left.
//!
//! In: a scenario, and how much to try. Out: a report: what was tried, and the first broken promise.
//! Always: the same plan tries the same points; a program that is deterministic breaks the same promise again.

use std::{
    error::Error,
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
};

use crate::{
    disk::{
        Disk,
        state::{State, Step},
    },
    fault::{Failure, Fault, Lost},
    history::History,
    random::{Random, seed_of},
    trace::Trace,
};

mod budget;

/// Why something went wrong, in words.
pub type BoxError = Box<dyn Error>;

/// A program, and what it promises. It may panic: that breaks a promise too.
pub trait Scenario {
    /// What can be read back.
    type State: Clone;

    /// Sets up a disk on which nothing goes wrong. All that is written is durable afterwards.
    ///
    /// # Errors
    /// The scenario itself is broken.
    fn prepare(&self, disk: &Disk) -> Result<Self::State, BoxError>;

    /// Does the work, and tells the history. Errors of the disk are part of it: the program goes on, or ends with `Ok`.
    ///
    /// # Errors
    /// A promise was broken while the machine was running.
    fn run(&self, disk: &Disk, history: &mut History<Self::State>) -> Result<(), BoxError>;

    /// Opens what is left and finds one of the allowed states. It may repair, but must not go on to another state, unless
    /// it does so on a copy, which is [`Disk::reboot`] with [`Lost::Nothing`].
    ///
    /// # Errors
    /// A promise was broken.
    fn check(&self, disk: &Disk, allowed: &[&Self::State]) -> Result<(), BoxError>;
}

/// How much to try.
#[derive(Clone, Debug)]
pub struct Plan {
    seed: u64,
    points: u64,
    losses: Vec<Lost>,
    failures: Vec<Failure>,
}

impl Plan {
    /// About so many points, of every kind.
    pub fn new(seed: u64, points: u64) -> Self {
        Self { seed, points, losses: Lost::all(seed).to_vec(), failures: Failure::ERRORS.to_vec() }
    }

    /// Only these ways to lose; their seeds are drawn anew.
    #[must_use]
    pub fn losses(self, losses: &[Lost]) -> Self {
        Self { losses: losses.to_vec(), ..self }
    }

    /// Only these failures besides the loss of power.
    #[must_use]
    pub fn failures(self, failures: &[Failure]) -> Self {
        Self { failures: failures.to_vec(), ..self }
    }
}

/// What was tried.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Report {
    /// Operations of the run without faults.
    pub operations: u64,
    /// Disks that were looked at after a crash.
    pub points: u64,
    /// The first broken promise.
    pub broken: Option<Broken>,
    /// The disk on which it was found, as it was before the check: for programs that do not do the same twice.
    pub left: Option<Disk>,
}

/// A crash after which a promise did not hold.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Broken {
    /// Of the plan.
    pub seed: u64,
    /// What went wrong during the run, and where.
    pub fault: Fault,
    /// What the power took with it; nothing, if the promise was broken while it was on.
    pub lost: Option<Lost>,
    /// The second loss of power, during repair.
    pub again: Option<(u64, Lost)>,
    /// What was found.
    pub message: String,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, fault, lost, again, message } = self;
        write!(f, "seed {seed}, {fault:?}, lost {lost:?}, again {again:?}: {message}")
    }
}

/// Tries the points of a plan, until a promise is broken. `progress` hears how many of how many are done.
///
/// Loss of power at operation `n` needs no second run: the disk was recorded, so it is what it was at `n`. For the other
/// failures the program runs again, and power is lost when it has ended.
///
/// # Errors
/// The scenario does not even work without faults.
pub fn explore<T: Scenario>(scenario: &T, plan: &Plan, progress: &mut dyn FnMut(u64, u64)) -> Result<Report, BoxError> {
    let (base, first) = prepared(scenario, plan.seed)?;
    let disk = base.reboot(Lost::Nothing);
    disk.record();
    let mut history = History::new(&disk, first.clone());
    guarded(|| scenario.run(&disk, &mut history))?;
    let trace = disk.recording().ok_or("the disk did not record")?;
    let report = Report { operations: disk.operations(), points: 0, broken: None, left: None };
    let mut explorer = Explorer { scenario, plan, report, progress };
    let tried = explorer.lose_power(&trace, &history).and_then(|()| explorer.fail(&trace, &base, &first));
    explorer.report.broken = tried.err().map(|broken| *broken);
    Ok(explorer.report)
}

/// Runs the program again into a broken promise. `Ok` means that it holds now, or that the program is not deterministic.
///
/// # Errors
/// What was found.
pub fn replay<T: Scenario>(scenario: &T, broken: &Broken) -> Result<(), BoxError> {
    let (base, first) = prepared(scenario, broken.seed)?;
    let disk = base.reboot(Lost::Nothing);
    disk.set_fault(Some(broken.fault));
    let mut history = History::new(&disk, first);
    guarded(|| scenario.run(&disk, &mut history))?;
    let allowed = history.allowed(u64::MAX);
    let Some(lost) = broken.lost else { return Ok(()) };
    let rebooted = disk.reboot(lost);
    let Some((at, lost)) = broken.again else { return Ok(guarded(|| scenario.check(&rebooted, &allowed))?) };
    rebooted.set_fault(Some(Fault { at, failure: Failure::PowerLoss }));
    // It cannot end well without power; what counts is what it leaves.
    drop(guarded(|| scenario.check(&rebooted, &allowed)));
    Ok(guarded(|| scenario.check(&rebooted.reboot(lost), &allowed))?)
}

struct Explorer<'a, T> {
    scenario: &'a T,
    plan: &'a Plan,
    report: Report,
    progress: &'a mut dyn FnMut(u64, u64),
}

/// A crash that is to be looked at.
#[derive(Clone, Copy)]
struct Point {
    fault: Fault,
    round: u64,
}

impl<T: Scenario> Explorer<'_, T> {
    /// Loses power at operations of the recorded run, in rounds from its beginning to its end.
    fn lose_power(&mut self, trace: &Trace, history: &History<T::State>) -> Result<(), Box<Broken>> {
        for (round, ats) in (0..).zip(budget::crashes(self.plan, trace.len())) {
            let mut state = trace.base();
            let mut done = 0;
            for at in ats {
                for step in trace.steps().iter().take(at).skip(done) {
                    state.apply(step);
                }
                done = at;
                let disk = Disk::holding(in_flight(&state, trace.steps().get(at)), self.plan.seed);
                let at = u64::try_from(at).unwrap_or(u64::MAX);
                let point = Point { fault: Fault { at, failure: Failure::PowerLoss }, round };
                let allowed = history.allowed(at);
                // What does not draw is the same in every round.
                for lost in self.plan.losses.iter().filter(|lost| round == 0 || lost.draws()) {
                    self.look(&disk, point, *lost, &allowed)?;
                }
            }
        }
        Ok(())
    }

    /// Runs the program with a failure that it survives, and loses power after it.
    fn fail(&mut self, trace: &Trace, base: &Disk, first: &T::State) -> Result<(), Box<Broken>> {
        for (round, (at, failure)) in (0..).zip(budget::errors(self.plan, trace.steps())) {
            let fault = Fault { at: u64::try_from(at).unwrap_or(u64::MAX), failure };
            let disk = base.reboot(Lost::Nothing);
            disk.set_fault(Some(fault));
            let mut history = History::new(&disk, first.clone());
            let point = Point { fault, round };
            let ran = guarded(|| self.scenario.run(&disk, &mut history));
            ran.map_err(|message| self.broken(point, None, None, message))?;
            for lost in budget::AFTER_ERRORS {
                self.look(&disk, point, lost, &history.allowed(u64::MAX))?;
            }
        }
        Ok(())
    }

    /// Reboots a disk and checks it; now and then, the power goes again during the check.
    fn look(&mut self, disk: &Disk, point: Point, lost: Lost, allowed: &[&T::State]) -> Result<(), Box<Broken>> {
        let seed = seed_of(&[self.plan.seed, point.round, point.fault.at]);
        let lost = lost.reseed(seed);
        let rebooted = disk.reboot(lost);
        let mut random = Random::new(seed_of(&[seed, self.report.points]));
        let twice = random.below(NESTED) == 0;
        if twice {
            rebooted.record();
        }
        if let Err(message) = guarded(|| self.scenario.check(&rebooted, allowed)) {
            self.report.left = Some(disk.reboot(lost));
            return Err(self.broken(point, Some(lost), None, message));
        }
        self.count();
        let repair = rebooted.recording().filter(|trace| !trace.is_empty());
        let Some(repair) = repair else { return Ok(()) };
        let at = random.below(repair.len());
        let mut state = repair.base();
        repair.steps().iter().take(at).for_each(|step| state.apply(step));
        let stopped = Disk::holding(in_flight(&state, repair.steps().get(at)), self.plan.seed);
        let drawn = random.below(self.plan.losses.len());
        let lost_again = self.plan.losses.get(drawn).copied().unwrap_or(Lost::Everything).reseed(random.next());
        if let Err(message) = guarded(|| self.scenario.check(&stopped.reboot(lost_again), allowed)) {
            self.report.left = Some(stopped.reboot(lost_again));
            let again = Some((u64::try_from(at).unwrap_or(u64::MAX), lost_again));
            return Err(self.broken(point, Some(lost), again, message));
        }
        self.count();
        Ok(())
    }

    fn count(&mut self) {
        self.report.points = self.report.points.saturating_add(1);
        (self.progress)(self.report.points, self.plan.points);
    }

    fn broken(&self, point: Point, lost: Option<Lost>, again: Option<(u64, Lost)>, message: String) -> Box<Broken> {
        Box::new(Broken { seed: self.plan.seed, fault: point.fault, lost, again, message })
    }
}

fn prepared<T: Scenario>(scenario: &T, seed: u64) -> Result<(Disk, T::State), BoxError> {
    let disk = Disk::new(seed);
    let first = scenario.prepare(&disk)?;
    disk.settle();
    Ok((disk, first))
}

/// The state while a step is under way: a change may get through, a sync has done nothing yet.
fn in_flight(state: &State, step: Option<&Step>) -> State {
    let mut state = state.clone();
    if let Some(step) = step.filter(|step| !step.is_sync()) {
        state.apply(step);
    }
    state
}

/// Turns errors and panics into words.
fn guarded(act: impl FnOnce() -> Result<(), BoxError>) -> Result<(), String> {
    match catch_unwind(AssertUnwindSafe(act)) {
        Ok(result) => result.map_err(|error| error.to_string()),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
            Err(format!("panicked: {}", text.unwrap_or("without words")))
        }
    }
}

/// Of so many checks, one is interrupted.
const NESTED: usize = 4;
