//! What happens in a client, counted.
//!
//! In: what happened. Out: numbers for whoever watches.
//! Always: a number tells of no group, no member and no content; a recorder is asked nothing, and cannot make a call fail.

use core::fmt::{self, Write};
use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Something that is counted.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Counter {
    /// Groups that were created.
    GroupsCreated,
    /// Groups that were joined, by Welcome or external commit.
    GroupsJoined,
    /// Groups that we were removed from, or deleted.
    GroupsLeft,
    /// Messages that were encrypted.
    MessagesSealed,
    /// Messages that were decrypted.
    MessagesOpened,
    /// Commits of ours that were accepted.
    CommitsMade,
    /// Epochs that began.
    EpochsAdvanced,
    /// Members that came.
    MembersAdded,
    /// Members that went.
    MembersRemoved,
    /// Messages that had been opened before (CAP-22).
    Replays,
    /// Messages that could not be decrypted or verified.
    FailedDecryptions,
    /// Members that were heard to be in another epoch of the same number.
    Forks,
    /// Calls that failed, by the error's code.
    Errors(&'static str),
}

/// Something that is measured.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Measure {
    /// Microseconds to encrypt a message and make it durable.
    SealMicros,
    /// Microseconds to decrypt a message and make that durable.
    OpenMicros,
    /// Microseconds to follow a commit and make that durable.
    CommitMicros,
    /// Members of a group whose epoch began.
    GroupSize,
}

/// Takes numbers. Called from any thread, in the middle of the client's work: it must be quick, and must not call back.
pub trait Recorder: Send + Sync + fmt::Debug {
    /// One more.
    fn count(&self, counter: Counter);

    /// A value.
    fn measure(&self, measure: Measure, value: u64);
}

/// Takes nothing: what a client has unless it is given another.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoRecorder;

impl Recorder for NoRecorder {
    fn count(&self, _: Counter) {}

    fn measure(&self, _: Measure, _: u64) {}
}

/// Keeps numbers in memory, to be read or scraped.
#[derive(Debug, Default)]
pub struct MemoryRecorder {
    counters: Mutex<BTreeMap<Counter, u64>>,
    measures: Mutex<BTreeMap<Measure, Distribution>>,
}

/// How values are spread.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Distribution {
    /// How many there were.
    pub count: u64,
    /// All together.
    pub sum: u64,
    /// Of each bound in [`Distribution::BOUNDS`], how many values were no larger.
    pub within: [u64; 8],
}

impl Distribution {
    /// Upper bounds that values are counted under.
    pub const BOUNDS: [u64; 8] = [2, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000];

    fn take(&mut self, value: u64) {
        self.count = self.count.saturating_add(1);
        self.sum = self.sum.saturating_add(value);
        for (bound, within) in Self::BOUNDS.iter().zip(&mut self.within) {
            *within = within.saturating_add(u64::from(value <= *bound));
        }
    }
}

impl MemoryRecorder {
    /// Has counted nothing.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use spacepanda_core::core_mls::{Client, Counter, MemoryRecorder, TrustOnFirstUse};
    ///
    /// let recorder = Arc::new(MemoryRecorder::new());
    /// let builder = Client::builder(b"alice", Arc::new(TrustOnFirstUse::new()));
    /// builder.recorder(recorder.clone()).open()?.create_group(None)?;
    /// assert_eq!(recorder.counted(Counter::GroupsCreated), 1);
    /// # Ok::<(), spacepanda_core::core_mls::MlsError>(())
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// How often something happened.
    ///
    /// ```
    /// # use spacepanda_core::core_mls::{Counter, MemoryRecorder, Recorder};
    /// let recorder = MemoryRecorder::new();
    /// recorder.count(Counter::Replays);
    /// assert_eq!(recorder.counted(Counter::Replays), 1);
    /// ```
    pub fn counted(&self, counter: Counter) -> u64 {
        lock(&self.counters).get(&counter).copied().unwrap_or(0)
    }

    /// How values are spread.
    ///
    /// ```
    /// # use spacepanda_core::core_mls::{Measure, MemoryRecorder, Recorder};
    /// let recorder = MemoryRecorder::new();
    /// recorder.measure(Measure::GroupSize, 5);
    /// assert_eq!(recorder.measured(Measure::GroupSize).sum, 5);
    /// ```
    pub fn measured(&self, measure: Measure) -> Distribution {
        lock(&self.measures).get(&measure).cloned().unwrap_or_default()
    }

    /// All numbers in the text format of Prometheus, for a page that is scraped.
    ///
    /// ```
    /// # use spacepanda_core::core_mls::{Counter, MemoryRecorder, Recorder};
    /// let recorder = MemoryRecorder::new();
    /// recorder.count(Counter::Errors("too_large"));
    /// assert!(recorder.to_prometheus().contains("spacepanda_errors_total{code=\"too_large\"} 1"));
    /// ```
    pub fn to_prometheus(&self) -> String {
        let mut text = String::new();
        for (counter, count) in lock(&self.counters).iter() {
            let (name, label) = counter.series();
            // Writing into a string does not fail.
            let _ = writeln!(text, "{name}{label} {count}");
        }
        for (measure, Distribution { count, sum, within }) in lock(&self.measures).iter() {
            let name = measure.series();
            for (bound, within) in Distribution::BOUNDS.iter().zip(within) {
                let _ = writeln!(text, "{name}_bucket{{le=\"{bound}\"}} {within}");
            }
            let _ = writeln!(text, "{name}_bucket{{le=\"+Inf\"}} {count}\n{name}_sum {sum}\n{name}_count {count}");
        }
        text
    }
}

impl Recorder for MemoryRecorder {
    fn count(&self, counter: Counter) {
        let mut counters = lock(&self.counters);
        let count = counters.entry(counter).or_default();
        *count = count.saturating_add(1);
    }

    fn measure(&self, measure: Measure, value: u64) {
        lock(&self.measures).entry(measure).or_default().take(value);
    }
}

impl Counter {
    /// The name of its series, and its label.
    fn series(self) -> (&'static str, String) {
        let name = match self {
            Self::GroupsCreated => "spacepanda_groups_created_total",
            Self::GroupsJoined => "spacepanda_groups_joined_total",
            Self::GroupsLeft => "spacepanda_groups_left_total",
            Self::MessagesSealed => "spacepanda_messages_sealed_total",
            Self::MessagesOpened => "spacepanda_messages_opened_total",
            Self::CommitsMade => "spacepanda_commits_made_total",
            Self::EpochsAdvanced => "spacepanda_epochs_advanced_total",
            Self::MembersAdded => "spacepanda_members_added_total",
            Self::MembersRemoved => "spacepanda_members_removed_total",
            Self::Replays => "spacepanda_replays_total",
            Self::FailedDecryptions => "spacepanda_failed_decryptions_total",
            Self::Forks => "spacepanda_forks_total",
            Self::Errors(code) => return ("spacepanda_errors_total", format!("{{code=\"{code}\"}}")),
        };
        (name, String::new())
    }
}

impl Measure {
    const fn series(self) -> &'static str {
        match self {
            Self::SealMicros => "spacepanda_seal_microseconds",
            Self::OpenMicros => "spacepanda_open_microseconds",
            Self::CommitMicros => "spacepanda_commit_microseconds",
            Self::GroupSize => "spacepanda_group_size",
        }
    }
}

/// Every change is complete before anything can panic.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
