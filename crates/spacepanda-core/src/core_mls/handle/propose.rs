//! Proposing changes (RFC 9420, Section 12.1). Each proposal has to be delivered to all members, and waits for a commit.
//!
//! Always: a proposal that others would refuse does not leave; of several at once, none leaves if one would be refused.

use std::collections::BTreeSet;

use mls_engine::{
    codec::decode_exact,
    error::{DecodeError, ProcessError},
    group::ProposalKind,
    math::LeafIndex,
    message::{KeyPackage, MlsMessage},
};

use super::MlsHandle;
use crate::core_mls::{
    GROUP_NAME,
    envelope::MlsEnvelope,
    error::{MlsError, MlsResult},
    outbox::Outgoing,
    passing::Beside,
    types::{ProposalSummary, ReceivedProposal, proposer_leaf},
};

impl MlsHandle {
    /// Proposes to add the client of a key package, as [`crate::core_mls::Client::generate_key_package`] made it (CAP-10).
    /// `identity` is who we mean to add.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// # let bob = Client::new(b"bob", Arc::new(TrustOnFirstUse::new()))?;
    /// # let group = alice.create_group(None)?;
    /// let key_package = bob.generate_key_package()?;
    /// assert_eq!(group.propose_add(&key_package, b"carol"), Err(MlsError::IdentityMismatch));
    /// group.propose_add(&key_package, b"bob")?;
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// [`MlsError::IdentityMismatch`]; [`MlsError::Unauthorized`] if the policy does not believe the key;
    /// [`MlsError::Malformed`]; [`MlsError::Rejected`] for a key package that others would refuse.
    pub fn propose_add(&self, key_package: &[u8], identity: &[u8]) -> MlsResult<MlsEnvelope> {
        self.check_identity(key_package, identity)?;
        self.propose(ProposalKind::Add(key_package.to_vec()))
    }

    /// Proposes to add several clients, key package and identity each: all or none, in this order (CAP-11).
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// # let bob = Client::new(b"bob", Arc::new(TrustOnFirstUse::new()))?;
    /// # let carol = Client::new(b"carol", Arc::new(TrustOnFirstUse::new()))?;
    /// # let group = alice.create_group(None)?;
    /// let adds = [
    ///     (bob.generate_key_package()?, b"bob".to_vec()),
    ///     (carol.generate_key_package()?, b"carol".to_vec()),
    /// ];
    /// assert_eq!(group.propose_add_batch(&adds)?.len(), 2);
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// As [`MlsHandle::propose_add`]; nothing is proposed then.
    pub fn propose_add_batch(&self, adds: &[(Vec<u8>, Vec<u8>)]) -> MlsResult<Vec<MlsEnvelope>> {
        let mut keys = BTreeSet::new();
        for (key_package, identity) in adds {
            let package = self.check_identity(key_package, identity)?;
            if !keys.insert(package.leaf_node.signature_key) {
                return Err(MlsError::Rejected(ProcessError::DuplicateClient));
            }
        }
        self.propose_all(adds.iter().map(|(key_package, _)| ProposalKind::Add(key_package.clone())).collect())
    }

    /// Proposes to remove the member at this leaf. Proposing to remove ourselves is how we leave: somebody else has to
    /// commit it (CAP-06).
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// let group = alice.create_group(None)?;
    /// assert_eq!(group.propose_remove(7), Err(MlsError::UnknownMember(7)));
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// [`MlsError::UnknownMember`].
    pub fn propose_remove(&self, leaf_index: u32) -> MlsResult<MlsEnvelope> {
        self.propose(ProposalKind::Remove(LeafIndex::new(leaf_index)))
    }

    /// Proposes to remove the members at these leaves: all or none (CAP-12).
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// let group = alice.create_group(None)?;
    /// assert_eq!(group.propose_remove_batch(&[0, 7]), Err(MlsError::UnknownMember(7)));
    /// assert!(group.pending_proposals()?.is_empty());
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// As [`MlsHandle::propose_remove`]; [`MlsError::Rejected`] if a leaf is named twice. Nothing is proposed then.
    pub fn propose_remove_batch(&self, leaf_indices: &[u32]) -> MlsResult<Vec<MlsEnvelope>> {
        let mut leaves = BTreeSet::new();
        for leaf in leaf_indices.iter().copied().map(LeafIndex::new) {
            if !leaves.insert(leaf) {
                return Err(MlsError::Rejected(ProcessError::LeafChangedTwice(leaf)));
            }
        }
        self.propose_all(leaf_indices.iter().copied().map(LeafIndex::new).map(ProposalKind::Remove).collect())
    }

    /// Proposes to remove every device of a user (CAP-12, CAP-27).
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// let group = alice.create_group(None)?;
    /// assert_eq!(group.propose_remove_identity(b"bob"), Err(MlsError::UnknownIdentity));
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// [`MlsError::UnknownIdentity`].
    pub fn propose_remove_identity(&self, identity: &[u8]) -> MlsResult<Vec<MlsEnvelope>> {
        let leaves: Vec<_> = self.devices_of(identity).iter().map(|member| member.leaf_index).collect();
        if leaves.is_empty() { Err(MlsError::UnknownIdentity) } else { self.propose_remove_batch(&leaves) }
    }

    /// Proposes new keys for ourselves. Another member's commit puts them in place; our own [`MlsHandle::commit`] renews
    /// our keys by its path instead, which comes to the same (CAP-13, CON-06).
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// let group = alice.create_group(None)?;
    /// group.propose_update()?;
    /// group.commit()?;
    /// assert_eq!(group.epoch(), 1);
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// [`MlsError::CryptoError`] if randomness fails.
    pub fn propose_update(&self) -> MlsResult<MlsEnvelope> {
        self.propose(ProposalKind::Update(Box::default()))
    }

    /// Proposes a name for the group. With the commit all members have it (CAP-04).
    ///
    /// The name is an extension of the group context: authenticated, the same for all, and readable by whoever is shown a
    /// GroupInfo. Members that do not know the extension, of other applications, cannot be in a group that has a name.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// let group = alice.create_group(Some("tea"))?;
    /// group.set_group_name("coffee")?;
    /// group.commit()?;
    /// assert_eq!(group.group_name().as_deref(), Some("coffee"));
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// [`MlsError::Rejected`] if a member does not know the extension.
    pub fn set_group_name(&self, name: &str) -> MlsResult<MlsEnvelope> {
        let mut extensions = self.cell.public().context().extensions.clone();
        extensions.set(GROUP_NAME, name.as_bytes().to_vec());
        self.propose(ProposalKind::GroupContextExtensions(extensions))
    }

    /// Proposes to mix in a pre-shared key that every member has stored under this id (CAP-08).
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, Secret, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// let group = alice.create_group(None)?;
    /// alice.store_psk(b"id", &Secret::copy_from(&[7; 32]))?;
    /// group.propose_psk(b"id")?;
    /// group.commit()?;
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// [`MlsError::MissingPsk`] from the commit, if the key is not stored.
    pub fn propose_psk(&self, psk_id: &[u8]) -> MlsResult<MlsEnvelope> {
        self.propose(ProposalKind::ExternalPsk(psk_id.to_vec()))
    }

    /// The proposals that wait for a commit, ours and others', in the order they came.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, ProposalSummary, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// let group = alice.create_group(None)?;
    /// group.propose_update()?;
    /// assert_eq!(group.pending_proposals()?[0].summary, ProposalSummary::Update);
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// [`MlsError::UnknownGroup`] after the group was deleted.
    pub fn pending_proposals(&self) -> MlsResult<Vec<ReceivedProposal>> {
        self.look(|group| {
            let pending = group.pending_proposals();
            Ok(pending
                .iter()
                .zip(0..)
                .map(|(pending, index)| ReceivedProposal {
                    index,
                    reference: pending.reference.as_slice().to_vec(),
                    proposer: proposer_leaf(pending.proposer),
                    summary: ProposalSummary::new(pending.proposal),
                })
                .collect())
        })
    }

    pub(super) fn propose(&self, kind: ProposalKind) -> MlsResult<MlsEnvelope> {
        let (envelope, _) = self.change(|group, env| {
            let proposed = group.sender()?.propose(env, kind.clone(), self.handshake_options())?;
            let envelope = MlsEnvelope::wrap_proposal(proposed.message)?;
            let id = self.cell.message_id(envelope.payload());
            let outgoing = Outgoing { id, epoch: group.epoch(), envelope: envelope.clone() };
            // It needs no answer when it comes back.
            let beside = Beside { handled: Some(id), outgoing: Some(outgoing), ..Beside::default() };
            Ok((envelope, proposed.step, beside))
        })?;
        Ok(envelope)
    }

    /// Each is tried before the first is made, so that a bad one keeps all back.
    fn propose_all(&self, kinds: Vec<ProposalKind>) -> MlsResult<Vec<MlsEnvelope>> {
        let env = self.inner().env();
        self.look(|group| {
            for kind in &kinds {
                // Dropping the step undoes it.
                let _ = group.propose(&env, kind.clone(), self.handshake_options())?.step;
            }
            Ok(())
        })?;
        kinds.into_iter().map(|kind| self.propose(kind)).collect()
    }

    /// CAP-10: the key package, if it is of the identity that is meant. X-DOS-02: on length first.
    pub(super) fn check_identity(&self, key_package: &[u8], identity: &[u8]) -> MlsResult<KeyPackage> {
        let (len, limit) = (key_package.len(), self.inner().limits.max_key_package);
        if len > limit {
            return Err(MlsError::TooLarge { len, limit });
        }
        match decode_exact(key_package)? {
            MlsMessage::KeyPackage(package)
                if mls_identity::user_of(&package.leaf_node.credential) == Some(identity) =>
            {
                Ok(*package)
            }
            MlsMessage::KeyPackage(_) => Err(MlsError::IdentityMismatch),
            _ => Err(DecodeError::UnsupportedWireFormat.into()),
        }
    }
}
