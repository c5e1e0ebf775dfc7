//! Whether a group may use its own ratchets (RFC 9420, Section 9.1): not after an old copy of it was put back, for what it
//! would send next may have been sent before, under the same keys and nonces.
//!
//! In: what is known from outside the store. Out: whether to send, and how to commit.
//! Always: an old copy reads; it commits in public framing, which uses no ratchet; it sends again in an epoch whose keys no
//! earlier state can have used.

use core::ops::Deref;

use mls_crypto::{Hash, Opaque, Secret};
use mls_engine::group::{Framing, Group, MessageOptions};
use tls_codec::{DeserializeBytes, Serialize, TlsDeserializeBytes, TlsSerialize, TlsSize};

use super::{
    error::{MlsError, MlsResult},
    receipt::Receipt,
    records::{STANDING, key},
    store::{Space, StateStore},
    times::Notes,
};

/// Where a state stands among those that this group ever had.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) enum Standing {
    /// The newest, as far as anybody knows.
    #[default]
    Newest,
    /// Perhaps an older one.
    Old(Old),
}

/// What is known of the states that came after an old one.
#[derive(Clone, Debug, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub(crate) struct Old {
    /// The latest epoch they may have sent in; `u64::MAX` if nobody knows.
    beyond: u64,
    /// Commits of ours that waited, and that they may have followed.
    waiting: Vec<Opaque>,
}

impl Standing {
    /// As stored, and as the receipt says; the second value is what is to be stored.
    pub(crate) fn load(
        store: &dyn StateStore,
        space: &Space,
        group: &Group,
        mark: Option<&Receipt>,
    ) -> MlsResult<(Self, Notes)> {
        let mut notes = Notes::default();
        let mut standing = match store.get(space, &key(STANDING, &[]))? {
            Some(record) => {
                let old = Old::tls_deserialize_exact_bytes(record.as_slice()).map_err(|_| MlsError::InvalidRecord)?;
                Self::Old(old)
            }
            None => Self::Newest,
        };
        if standing.may_send(group.epoch())
            && let Some(mark) = mark
            && !Receipt::new(group).covers(mark)
        {
            standing = Self::behind(group, mark.epoch());
            standing.note(&mut notes)?;
        }
        Ok((standing, notes))
    }

    /// Of a state that is older than one that came to this epoch, and no further.
    pub(crate) fn behind(group: &Group, epoch: u64) -> Self {
        let waiting = group.pending_commits().iter().map(|id| id.as_slice().into()).collect();
        Self::Old(Old { beyond: epoch, waiting })
    }

    /// Of a state that was put back on purpose, and may have sent in this epoch.
    pub(crate) const fn until_after(epoch: u64) -> Self {
        Self::Old(Old { beyond: epoch, waiting: Vec::new() })
    }

    /// Of a state of which nobody knows whether it is the newest.
    pub(crate) fn unknown(group: &Group) -> Self {
        Self::behind(group, u64::MAX)
    }

    /// Whether our ratchets of this epoch may be used.
    pub(crate) const fn may_send(&self, epoch: u64) -> bool {
        match self {
            Self::Newest => true,
            Self::Old(old) => epoch > old.beyond,
        }
    }

    /// Whether an accepted commit of ours makes it the newest: its path secret is new, and no earlier state knows it.
    pub(crate) fn ends_with(&self, commit: &Hash) -> bool {
        match self {
            Self::Newest => false,
            Self::Old(old) => !old.waiting.iter().any(|id| id.as_slice() == commit.as_slice()),
        }
    }

    /// As a record.
    pub(crate) fn note(&self, notes: &mut Notes) -> MlsResult<()> {
        match self {
            Self::Newest => notes.delete(key(STANDING, &[])),
            Self::Old(old) => {
                let record = old.tls_serialize_detached().map_err(|_| MlsError::InvalidRecord)?;
                notes.put(key(STANDING, &[]), Secret::new(record));
            }
        }
        Ok(())
    }
}

/// A group, and where its state stands: what a step is worked out from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Current<'a> {
    pub(crate) group: &'a Group,
    pub(crate) standing: &'a Standing,
}

impl Current<'_> {
    /// The group, if its ratchets may be used.
    pub(crate) fn sender(&self) -> MlsResult<&Group> {
        if self.standing.may_send(self.group.epoch()) { Ok(self.group) } else { Err(MlsError::ReadOnly) }
    }

    /// How a commit travels: as configured, unless that would use a ratchet that must not be used.
    pub(crate) fn commit_options(&self, configured: MessageOptions) -> MessageOptions {
        match self.sender() {
            Ok(_) => configured,
            Err(_) => MessageOptions { framing: Framing::Public, ..configured },
        }
    }
}

impl Deref for Current<'_> {
    type Target = Group;

    fn deref(&self) -> &Group {
        self.group
    }
}
