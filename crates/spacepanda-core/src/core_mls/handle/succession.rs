//! Groups that continue others (RFC 9420, Sections 11.2 and 11.3): all of the members under other parameters, or some of
//! them beside the group.
//!
//! In: a group, and fresh key packages of its members. Out: the group that follows, and its first commit.
//! Always: who joins checks that the new group is what was agreed; the old one can still be read; what was not sent in it is
//! sent in the one that follows.

use mls_crypto::CipherSuite;
use mls_engine::{
    group::{Pending, ProposalKind, Status},
    message::{ProtocolVersion, ReInit},
};

use super::MlsHandle;
use crate::core_mls::{
    envelope::MlsEnvelope,
    error::{MlsError, MlsResult},
    outbox::Outgoing,
    passing::{Beside, unsent_named},
    records::{REQUEUED, key},
    types::PendingCommit,
};

impl MlsHandle {
    /// Proposes that the group ends, and goes on under another cipher suite with the same members and context. With the
    /// commit nobody sends in it any more; then somebody makes the group that follows ([`MlsHandle::create_successor`]).
    /// [`MlsHandle::plan_upgrade`] says beforehand who cannot come along.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{CipherSuite, Client, MlsConfig, MlsError, TrustOnFirstUse};
    /// # let open = |name: &[u8]| {
    /// #     Client::builder(name, Arc::new(TrustOnFirstUse::new())).config(MlsConfig::interop()).open()
    /// # };
    /// # let (alice, bob) = (open(b"alice")?, open(b"bob")?);
    /// # let group = alice.create_group(Some("tea"))?;
    /// # group.propose_add(&bob.generate_key_package()?, b"bob")?;
    /// # let joined = bob.join_group(&group.commit()?.1[0])?;
    /// let proposal = group.propose_reinit(CipherSuite::XWING_AES256)?;
    /// joined.receive_proposal(&proposal)?;
    /// joined.receive_commit(&group.commit()?.0)?;
    /// assert_eq!(joined.send_message(b"hello"), Err(MlsError::GroupReInitialized));
    ///
    /// let key_package = bob.generate_key_package_for(CipherSuite::XWING_AES256)?;
    /// let (next, pending) = group.create_successor(&[key_package])?;
    /// let welcomes = next.apply_pending_commit(&pending.id)?.welcomes()?;
    /// let there = bob.join_group(&welcomes[0])?;
    /// assert_eq!(there.epoch_authenticator()?, next.epoch_authenticator()?);
    /// assert_eq!(there.ciphersuite(), CipherSuite::XWING_AES256);
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// [`MlsError::CryptoError`] if we do not have the suite, or randomness fails; as [`MlsHandle::propose_add`].
    pub fn propose_reinit(&self, cipher_suite: CipherSuite) -> MlsResult<MlsEnvelope> {
        let extensions = self.cell.public().context().extensions.clone();
        let group_id = self.inner().new_group_id()?.into();
        let reinit = ReInit { group_id, version: ProtocolVersion::MLS10, cipher_suite, extensions };
        self.propose(ProposalKind::ReInit(reinit))
    }

    /// The id of the group that follows this one, if it has ended for one.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// assert_eq!(alice.create_group(None)?.successor_id()?, None);
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// [`MlsError::UnknownGroup`] after the group was deleted.
    pub fn successor_id(&self) -> MlsResult<Option<Vec<u8>>> {
        self.look(|group| match group.status() {
            Status::ReInitialized(reinit) => Ok(Some(reinit.group_id.as_slice().to_vec())),
            _ => Ok(None),
        })
    }

    /// Makes the group that follows this one, and stages its first commit: it adds the clients of these key packages, one of
    /// each other member, for the suite that was agreed. Apply it when it is accepted, and hand out the Welcomes. Whoever
    /// committed the end does this; if it does not come back, anybody may. May be repeated while nobody has joined.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// // It has not ended.
    /// assert!(matches!(alice.create_group(None)?.create_successor(&[]), Err(MlsError::Refused(_))));
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// [`MlsError::Refused`] if no end was committed; [`MlsError::GroupExists`] if we are in the group that follows;
    /// [`MlsError::Rejected`] if a member is missing or a key package cannot be used; [`MlsError::Store`].
    pub fn create_successor(&self, key_packages: &[Vec<u8>]) -> MlsResult<(Self, PendingCommit)> {
        self.cell.glance(self.inner());
        let (next, pending) = self.client.succeed(&self.cell, key_packages)?;
        let pending = next.hold(pending)?;
        Ok((next, pending))
    }

    /// Makes a group of some of the members, beside this one, which goes on: the clients of these key packages, proven to be
    /// of it. Returns the group, with its first commit staged.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// # let bob = Client::new(b"bob", Arc::new(TrustOnFirstUse::new()))?;
    /// # let group = alice.create_group(Some("tea"))?;
    /// # group.propose_add(&bob.generate_key_package()?, b"bob")?;
    /// # let joined = bob.join_group(&group.commit()?.1[0])?;
    /// let (branch, pending) = group.create_branch(Some("biscuits"), &[bob.generate_key_package()?])?;
    /// let welcomes = branch.apply_pending_commit(&pending.id)?.welcomes()?;
    /// assert_eq!(bob.join_group(&welcomes[0])?.group_name().as_deref(), Some("biscuits"));
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// [`MlsError::NotAMember`], [`MlsError::GroupReInitialized`]; [`MlsError::Rejected`] if a key package cannot be used;
    /// [`MlsError::Store`]. Who joins refuses a group with somebody who was not in this one.
    pub fn create_branch(&self, name: Option<&str>, key_packages: &[Vec<u8>]) -> MlsResult<(Self, PendingCommit)> {
        self.cell.glance(self.inner());
        let (branch, pending) = self.client.branch(&self.cell, name, key_packages)?;
        let pending = branch.hold(pending)?;
        Ok((branch, pending))
    }

    /// Takes messages of this group that were never sent into the group that follows it, and seals them there, in order. They
    /// leave the outbox here. Returns what is to be sent.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// let (group, another) = (alice.create_group(None)?, alice.create_group(None)?);
    /// assert_eq!(group.continue_in(&another), Err(MlsError::GroupMismatch));
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// [`MlsError::GroupMismatch`] if the other group does not follow this one; as [`MlsHandle::send_message`]: what is not
    /// sealed then waits there for [`MlsHandle::requeue`].
    pub fn continue_in(&self, successor: &Self) -> MlsResult<Vec<MlsEnvelope>> {
        if self.successor_id()?.is_none_or(|id| id != successor.cell.id) {
            return Err(MlsError::GroupMismatch);
        }
        let waiting = unsent_named(self.inner().store.as_ref(), &self.cell.space())?;
        // Under the names they had: a second attempt finds them there.
        let mut serial = successor.cell.serial();
        successor.cell.note(successor.inner(), &mut serial, || {
            let records = waiting.iter().zip(0_u64..).map(|((id, record), number)| {
                let name = [&number.to_be_bytes()[..], id.as_slice()].concat();
                (key(REQUEUED, &name), Some(record.duplicate()))
            });
            Beside { more: records.collect(), ..Beside::default() }
        })?;
        drop(serial);
        self.mark_sent(&waiting.iter().map(|(id, _)| *id).collect::<Vec<_>>())?;
        successor.requeue()
    }

    /// Keeps a commit that was worked out before the group had its place.
    fn hold(&self, pending: Pending) -> MlsResult<PendingCommit> {
        let Pending { commit_id: id, commit, welcome, added: _, step } = pending;
        let commit = MlsEnvelope::wrap_commit(commit)?;
        let mut step = Some(step);
        self.change(|group, _| {
            let step = step.take().ok_or(MlsError::Superseded)?;
            let outgoing = Some(Outgoing { id, epoch: group.epoch(), envelope: commit.clone() });
            Ok(((), step, Beside { outgoing, ..Beside::default() }))
        })?;
        let welcome = welcome.map(|welcome| MlsEnvelope::wrap_welcome(&self.cell.id, welcome)).transpose()?;
        Ok(PendingCommit { id, commit, welcome })
    }
}
