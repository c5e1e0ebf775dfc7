//! What stands for each epoch of a group, and what others say about theirs: how a fork is found (RFC 9420, Section 8.7).
//!
//! In: epochs as they begin, and the signed words of members. Out: where the group stands among its members.
//! Always: an epoch is named by a hash of its authenticator, which tells nobody anything but whether two are equal; what a
//! member says is evidence and no verdict: only what the group agrees on, as its delivery side has it, settles it.

use std::collections::BTreeMap;

use mls_crypto::{Hash, Secret, SuiteCrypto};
use mls_engine::group::{Group, Status};
use tls_codec::{DeserializeBytes, Serialize, TlsDeserializeBytes, TlsSerialize, TlsSize};

use super::{
    audit::AuditHead,
    beacon::Claims,
    error::{MlsError, MlsResult},
    records::{EVIDENCE, HISTORY, key},
    store::{Key, Space, StateStore},
    times::Notes,
};

/// Where a group stands, as far as this member knows.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Health {
    /// Nothing says otherwise.
    InSync,
    /// Somebody is in a later epoch: what is between has to be fetched.
    Behind {
        /// The latest epoch that anybody was heard of in.
        epoch: u64,
    },
    /// A member has another epoch of the same number: since then, one of the two is not where the group is.
    Forked {
        /// The first epoch that is known to differ.
        first_bad_epoch: u64,
    },
    /// We were removed.
    Removed,
    /// We are about to join again, because the group went on without us.
    RejoinPending {
        /// How often it was tried.
        attempt: u32,
        /// When to try next, in seconds since 1970.
        next_at: u64,
    },
}

/// Epochs of one group that can be compared, and what came of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Chronicle {
    epochs: BTreeMap<u64, Hash>,
    pub(crate) evidence: Evidence,
    /// Where the log of who did what ends.
    pub(crate) audit: AuditHead,
}

/// What others said, as it is stored.
#[derive(Clone, Debug, Default, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub(crate) struct Evidence {
    /// The first epoch that a member has otherwise.
    first_bad: Option<u64>,
    /// The last epoch that another member has as we do.
    pub(crate) agreed: Option<u64>,
    /// The latest epoch that anybody was heard of in.
    heard: u64,
    /// Up to here our epochs are known to be the group's, and `heard` from then is no news.
    confirmed: Option<Confirmed>,
    rejoin: Option<Rejoin>,
}

#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
struct Confirmed {
    epoch: u64,
    heard: u64,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
struct Rejoin {
    attempt: u32,
    next_at: u64,
}

impl Chronicle {
    /// As stored. The present epoch is known from the group itself.
    pub(crate) fn load(
        store: &dyn StateStore,
        space: &Space,
        suite: &dyn SuiteCrypto,
        group: &Group,
    ) -> MlsResult<Self> {
        let mut epochs = BTreeMap::new();
        for (key, record) in store.scan(space, HISTORY, None)? {
            let epoch = epoch_of(&key).ok_or(MlsError::InvalidRecord)?;
            epochs.insert(epoch, Hash::from_slice(record.as_slice()).ok_or(MlsError::InvalidRecord)?);
        }
        let evidence = match store.get(space, &key(EVIDENCE, &[]))? {
            Some(record) => {
                Evidence::tls_deserialize_exact_bytes(record.as_slice()).map_err(|_| MlsError::InvalidRecord)?
            }
            None => Evidence::default(),
        };
        while epochs.len() > MAX_EPOCHS {
            epochs.pop_first();
        }
        let mut chronicle = Self { epochs, evidence, audit: AuditHead::load(store, space)? };
        chronicle.take_up(suite, group);
        Ok(chronicle)
    }

    /// The present epoch, for the batch that ends it.
    pub(crate) fn ending(&self) -> Option<(Key, Secret)> {
        self.epochs.last_key_value().map(|(epoch, name)| (history_key(*epoch), Secret::copy_from(name.as_slice())))
    }

    /// An epoch began. What falls out of the bounds is deleted with the next batch.
    pub(crate) fn note(&mut self, suite: &dyn SuiteCrypto, group: &Group, notes: &mut Notes) {
        self.take_up(suite, group);
        while self.epochs.len() > MAX_EPOCHS {
            let Some((oldest, _)) = self.epochs.pop_first() else { break };
            notes.delete(history_key(oldest));
        }
    }

    fn take_up(&mut self, suite: &dyn SuiteCrypto, group: &Group) {
        if *group.status() != Status::Removed {
            self.epochs.insert(group.epoch(), name_of(suite, group));
        }
    }

    /// The latest epochs, to be told to others.
    pub(crate) fn latest(&self) -> Vec<(u64, Hash)> {
        self.epochs.iter().rev().take(MAX_TOLD).map(|(epoch, name)| (*epoch, *name)).collect()
    }

    /// What is known after a member has said this.
    pub(crate) fn hear(&self, claims: &Claims) -> Evidence {
        let mut evidence = self.evidence.clone();
        let confirmed = evidence.confirmed.map(|confirmed| confirmed.epoch);
        for (epoch, name) in &claims.epochs {
            match self.epochs.get(epoch) {
                Some(own) if own == name => evidence.agreed = evidence.agreed.max(Some(*epoch)),
                Some(_) if confirmed.is_none_or(|confirmed| *epoch > confirmed) => {
                    evidence.first_bad = Some(evidence.first_bad.map_or(*epoch, |bad| bad.min(*epoch)));
                }
                _ => {}
            }
        }
        evidence.heard = evidence.heard.max(claims.current());
        evidence
    }

    /// Where a group at `epoch` stands; `waiting` is the latest epoch of a message that waits for it.
    pub(crate) fn health(&self, epoch: u64, waiting: Option<u64>) -> Health {
        let Evidence { first_bad, agreed: _, heard, confirmed, rejoin } = &self.evidence;
        let heard = waiting.map_or(*heard, |waiting| waiting.max(*heard));
        let old_news = confirmed.map_or(0, |confirmed| confirmed.heard);
        match (rejoin, first_bad) {
            (Some(Rejoin { attempt, next_at }), _) => Health::RejoinPending { attempt: *attempt, next_at: *next_at },
            (None, Some(first_bad_epoch)) => Health::Forked { first_bad_epoch: *first_bad_epoch },
            (None, None) if heard > epoch && heard > old_news => Health::Behind { epoch: heard },
            (None, None) => Health::InSync,
        }
    }
}

impl Evidence {
    /// The group's delivery side has the same epoch: all of ours up to it are the group's, whoever says otherwise.
    pub(crate) fn confirm(&self, epoch: u64, waiting: Option<u64>) -> Self {
        let heard = waiting.map_or(self.heard, |waiting| waiting.max(self.heard));
        let agreed = self.agreed.max(Some(epoch));
        Self { first_bad: None, agreed, heard, confirmed: Some(Confirmed { epoch, heard }), rejoin: None }
    }

    /// We join again; if that does not work, not before `next_at`.
    pub(crate) fn rejoining(&self, now: u64, spread: u64) -> Self {
        let attempt = self.rejoin.map_or(1, |rejoin| rejoin.attempt.saturating_add(1));
        let pause = FIRST_PAUSE.saturating_mul(1_u64.checked_shl(attempt.min(16)).unwrap_or(u64::MAX)).min(LAST_PAUSE);
        let spread = spread.checked_rem(pause.max(1)).unwrap_or(0);
        let next_at = now.saturating_add(pause).saturating_add(spread);
        Self { rejoin: Some(Rejoin { attempt, next_at }), ..self.clone() }
    }

    /// When joining again may be tried next; `None` if it was not tried.
    pub(crate) fn next_rejoin(&self) -> Option<u64> {
        self.rejoin.map(|rejoin| rejoin.next_at)
    }

    /// The first epoch that a member has otherwise.
    pub(crate) const fn first_bad(&self) -> Option<u64> {
        self.first_bad
    }

    /// As a record.
    pub(crate) fn record(&self) -> MlsResult<(Key, Option<Secret>)> {
        let record = self.tls_serialize_detached().map_err(|_| MlsError::InvalidRecord)?;
        Ok((key(EVIDENCE, &[]), Some(Secret::new(record))))
    }
}

/// What stands for the present epoch of a group.
fn name_of(suite: &dyn SuiteCrypto, group: &Group) -> Hash {
    let authenticator = group.epoch_authenticator().as_secret();
    suite.hash(&[b"SpacePanda epoch 1", &group.epoch().to_be_bytes(), authenticator.as_slice(), group.group_id()])
}

fn history_key(epoch: u64) -> Key {
    key(HISTORY, &epoch.to_be_bytes())
}

/// The epoch, or another number, that a record is named by.
pub(crate) fn epoch_of(key: &Key) -> Option<u64> {
    key.id.as_slice().try_into().ok().map(u64::from_be_bytes)
}

/// A number that differs between members, so that they do not all do the same at once.
pub(crate) fn spread_of(suite: &dyn SuiteCrypto, parts: &[&[u8]]) -> u64 {
    let hash = suite.hash(parts);
    hash.as_slice().first_chunk().map_or(0, |first| u64::from_be_bytes(*first))
}

/// Epochs that are remembered, each in about 40 bytes.
const MAX_EPOCHS: usize = 64;
/// Epochs that are told at once.
pub(crate) const MAX_TOLD: usize = 16;
/// Seconds before a second attempt to join again, doubled each time.
const FIRST_PAUSE: u64 = 5;
/// Seconds between attempts, at most, before they are spread.
const LAST_PAUSE: u64 = 3_600;
