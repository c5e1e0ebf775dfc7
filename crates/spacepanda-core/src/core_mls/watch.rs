//! What happens in a client, told to whoever watches: numbers to a recorder, words to `tracing`.
//!
//! In: what happened, once it is durable. Out: counts, and events of the target `spacepanda`.
//! Always: an event names a group by a keyed hash that another day, or another run, nobody can link to it; it holds no
//! identity, no name, no key and no content.

use core::fmt;
use std::{sync::Arc, time::Instant};

use mls_crypto::{Secret, SuiteCrypto};
use mls_engine::group::Event;
use tracing::{debug, info, trace, warn};

use super::{
    clock::Clock,
    error::{MlsError, MlsResult},
    recorder::{Counter, Measure, Recorder},
};

/// Whoever watches.
pub(crate) struct Watch {
    recorder: Arc<dyn Recorder>,
    clock: Arc<dyn Clock>,
    suite: Arc<dyn SuiteCrypto>,
    /// Of this run.
    key: Secret,
}

/// A group in a log.
struct Tag([u8; 8]);

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// How a group began for us.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Began {
    Created,
    Joined,
}

impl Watch {
    pub(crate) fn new(
        recorder: Arc<dyn Recorder>,
        clock: Arc<dyn Clock>,
        suite: Arc<dyn SuiteCrypto>,
        key: Secret,
    ) -> Self {
        Self { recorder, clock, suite, key }
    }

    fn tag(&self, group_id: &[u8]) -> Tag {
        const DAY: u64 = 24 * 3_600;
        let day = (self.clock.now() / DAY).to_be_bytes();
        let hash = self.suite.hash(&[self.key.as_slice(), &day, group_id]);
        Tag(hash.as_slice().first_chunk().copied().unwrap_or_default())
    }

    pub(crate) fn began(&self, group_id: &[u8], how: Began, members: u32) {
        let group = self.tag(group_id);
        match how {
            Began::Created => {
                self.recorder.count(Counter::GroupsCreated);
                info!(target: "spacepanda", %group, "group created");
            }
            Began::Joined => {
                self.recorder.count(Counter::GroupsJoined);
                info!(target: "spacepanda", %group, members, "group joined");
            }
        }
        self.recorder.measure(Measure::GroupSize, members.into());
    }

    pub(crate) fn left(&self, group_id: &[u8]) {
        self.recorder.count(Counter::GroupsLeft);
        info!(target: "spacepanda", group = %self.tag(group_id), "group left");
    }

    /// What a step did.
    pub(crate) fn adopted(&self, group_id: &[u8], members: u32, events: &[Event]) {
        let Some(epoch) = events.iter().find_map(|event| match event {
            Event::EpochAdvanced(epoch) => Some(*epoch),
            _ => None,
        }) else {
            if events.contains(&Event::SelfRemoved) {
                self.left(group_id);
            }
            return;
        };
        let group = self.tag(group_id);
        self.recorder.count(Counter::EpochsAdvanced);
        self.recorder.measure(Measure::GroupSize, members.into());
        debug!(target: "spacepanda", %group, epoch, members, "epoch began");
        for event in events {
            match event {
                Event::Added(leaf) | Event::JoinedExternally(leaf) => {
                    self.recorder.count(Counter::MembersAdded);
                    info!(target: "spacepanda", %group, epoch, leaf = leaf.get(), "member added");
                }
                Event::Removed(leaf) => {
                    self.recorder.count(Counter::MembersRemoved);
                    info!(target: "spacepanda", %group, epoch, leaf = leaf.get(), "member removed");
                }
                Event::ExtensionsChanged => debug!(target: "spacepanda", %group, epoch, "group context changed"),
                Event::ReInitialized(_) => info!(target: "spacepanda", %group, epoch, "group re-initialized"),
                _ => {}
            }
        }
    }

    pub(crate) fn committed(&self) {
        self.recorder.count(Counter::CommitsMade);
    }

    pub(crate) fn sealed(&self, group_id: &[u8], begun: Instant) {
        self.recorder.count(Counter::MessagesSealed);
        self.recorder.measure(Measure::SealMicros, micros(begun));
        trace!(target: "spacepanda", group = %self.tag(group_id), "message sealed");
    }

    pub(crate) fn opened(&self, group_id: &[u8], begun: Instant) {
        self.recorder.count(Counter::MessagesOpened);
        self.recorder.measure(Measure::OpenMicros, micros(begun));
        trace!(target: "spacepanda", group = %self.tag(group_id), "message opened");
    }

    pub(crate) fn followed(&self, begun: Instant) {
        self.recorder.measure(Measure::CommitMicros, micros(begun));
    }

    /// A member is in another epoch of the same number.
    pub(crate) fn forked(&self, group_id: &[u8], epoch: u64) {
        self.recorder.count(Counter::Forks);
        warn!(target: "spacepanda", group = %self.tag(group_id), epoch, "fork");
    }

    /// A call on a group that failed.
    pub(crate) fn outcome<T>(&self, group_id: &[u8], result: MlsResult<T>) -> MlsResult<T> {
        result.inspect_err(|error| self.failed(group_id, error))
    }

    fn failed(&self, group_id: &[u8], error: &MlsError) {
        let (group, code) = (self.tag(group_id), error.code());
        self.recorder.count(Counter::Errors(code));
        match error {
            MlsError::ReplayDetected { .. } => {
                self.recorder.count(Counter::Replays);
                warn!(target: "spacepanda", %group, code, "replay");
            }
            MlsError::CryptoError(_) => {
                self.recorder.count(Counter::FailedDecryptions);
                warn!(target: "spacepanda", %group, code, "not decrypted or not authentic");
            }
            MlsError::Unauthorized { .. } | MlsError::Denied(_) => {
                warn!(target: "spacepanda", %group, code, "not allowed");
            }
            _ => debug!(target: "spacepanda", %group, code, "failed: {error}"),
        }
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").field("recorder", &self.recorder).finish_non_exhaustive()
    }
}

fn micros(begun: Instant) -> u64 {
    u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX)
}
