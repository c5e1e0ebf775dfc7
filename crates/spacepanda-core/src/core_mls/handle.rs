//! Handles: one group, as an application works with it.
//!
//! In: what the application wants, and envelopes from others. Out: envelopes for others, and what they said.
//! Always: an envelope leaves only after what it took is durable; on an error the group is as it was.

use core::fmt;
use std::sync::Arc;

use mls_engine::{
    group::{Event, Framing, Group, MessageOptions, Step},
    policy::Env,
};

use super::{
    cell::{GroupCell, Serial},
    client::{Client, Inner},
    config::HandshakeFraming,
    envelope::MlsEnvelope,
    error::{MlsError, MlsResult},
    passing::Beside,
    receipt::Receipt,
    standing::Current,
};

mod audit;
mod catch_up;
mod changes;
mod checkpoint;
mod commit;
mod doubt;
mod export;
mod heal;
mod health;
mod inspect;
mod outbox;
mod parameters;
mod pending;
mod plan;
mod propose;
mod receive;
mod roles;
mod rotation;
mod rows;
mod save;
mod schedule;
mod send;
mod succession;

pub use changes::GroupChange;
pub use doubt::{DoubtfulMember, RemovalOutcome};
pub use heal::{Healed, Healing, Need};
pub use plan::{AddPlan, Blocker, Candidate, Feature, RefusedCandidate};
pub use save::{load_group_from_file, save_group_to_file};
pub use schedule::{Duty, Tick};

/// One group of one client. Cheap to clone, and clones share the group: no two of them ever use a key twice. May be used
/// from many threads; messages open in parallel, changes happen one after the other, groups never wait for each other.
#[derive(Clone)]
pub struct MlsHandle {
    client: Client,
    cell: Arc<GroupCell>,
}

impl MlsHandle {
    pub(crate) fn new(client: Client, cell: Arc<GroupCell>) -> Self {
        Self { client, cell }
    }

    /// [`Client::create_group`].
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, MlsHandle, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// let group = MlsHandle::create_group(&alice, Some("tea"))?;
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// As there.
    pub fn create_group(client: &Client, name: Option<&str>) -> MlsResult<Self> {
        client.create_group(name)
    }

    /// [`Client::join_group`].
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, MlsHandle, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// # let bob = Client::new(b"bob", Arc::new(TrustOnFirstUse::new()))?;
    /// # let group = alice.create_group(Some("tea"))?;
    /// # group.propose_add(&bob.generate_key_package()?, b"bob")?;
    /// # let (_, welcomes) = group.commit()?;
    /// let joined = MlsHandle::join_group(&bob, &welcomes[0])?;
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// As there.
    pub fn join_group(client: &Client, welcome: &MlsEnvelope) -> MlsResult<Self> {
        client.join_group(welcome)
    }

    /// Another handle of the same group (CAP-71).
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// let group = alice.create_group(None)?;
    /// let clone = group.clone_handle();
    /// group.rotate()?;
    /// assert_eq!(clone.epoch(), 1);
    /// # Ok::<(), MlsError>(())
    /// ```
    #[must_use]
    pub fn clone_handle(&self) -> Self {
        self.clone()
    }

    /// The client this group belongs to.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// assert_eq!(alice.create_group(None)?.client().identity(), b"alice");
    /// # Ok::<(), MlsError>(())
    /// ```
    pub const fn client(&self) -> &Client {
        &self.client
    }

    /// How far the group has come, to be kept outside the store and its copies; see
    /// [`crate::core_mls::ClientBuilder::not_older_than`]. It changes with the epoch, and once for every 32 messages sent.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// let group = alice.create_group(None)?;
    /// let before = group.receipt()?;
    /// group.rotate()?;
    /// assert!(!before.covers(&group.receipt()?));
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// [`MlsError::UnknownGroup`] after the group was deleted.
    pub fn receipt(&self) -> MlsResult<Receipt> {
        self.look(|group| Ok(Receipt::new(group)))
    }

    /// Whether the group reads and does not send: an old copy of it was put back, and what it would send next may have been
    /// sent before under the same keys. [`MlsHandle::rotate`] and [`MlsHandle::commit`] are allowed, and end this once the
    /// group has accepted the commit, as does joining again ([`Client::join_external`]).
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// assert!(!alice.create_group(None)?.is_read_only()?);
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// [`MlsError::UnknownGroup`] after the group was deleted.
    pub fn is_read_only(&self) -> MlsResult<bool> {
        self.cell.glance(self.inner());
        Ok(!self.cell.may_send()?)
    }

    fn inner(&self) -> &Inner {
        &self.client.inner
    }

    /// Carries out one step of its own.
    fn change<T>(
        &self,
        plan: impl FnMut(&Current<'_>, &Env<'_>) -> MlsResult<(T, Step, Beside)>,
    ) -> MlsResult<(T, Vec<Event>)> {
        self.change_in(&mut self.cell.serial(), plan)
    }

    /// Carries out one step of several.
    fn change_in<T>(
        &self,
        serial: &mut Serial,
        plan: impl FnMut(&Current<'_>, &Env<'_>) -> MlsResult<(T, Step, Beside)>,
    ) -> MlsResult<(T, Vec<Event>)> {
        self.cell.change(self.inner(), serial, plan)
    }

    /// Looks at the group as it is now: another process may have moved it.
    fn look<T>(&self, look: impl FnOnce(&Group) -> MlsResult<T>) -> MlsResult<T> {
        self.cell.glance(self.inner());
        self.cell.look(look)
    }

    /// ADV-17
    fn check_group(&self, envelope: &MlsEnvelope) -> MlsResult<()> {
        if envelope.group_id() == self.cell.id { Ok(()) } else { Err(MlsError::GroupMismatch) }
    }

    /// FRM-02: how our handshakes travel.
    fn handshake_options(&self) -> MessageOptions {
        let config = &self.inner().config;
        let framing = match config.handshake_framing {
            HandshakeFraming::Private => Framing::Private,
            HandshakeFraming::Public => Framing::Public,
        };
        MessageOptions { framing, padding: self.cell.terms().parameters.padding, authenticated_data: Vec::new() }
    }
}

impl fmt::Debug for MlsHandle {
    /// Tells epoch and size only.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MlsHandle")
            .field("epoch", &self.epoch())
            .field("member_count", &self.member_count())
            .finish_non_exhaustive()
    }
}
