//! Looking ahead: whom a group can take, and who stands in the way of what.
//!
//! In: candidates, or a feature. Out: who can, and for everybody else the rule that says no.
//! Always: nothing changes; each candidate is judged by the code that would judge its Add.

use std::collections::BTreeSet;

use mls_crypto::CipherSuite;
use mls_engine::{
    error::ProcessError,
    group::ProposalKind,
    message::{Capabilities, CredentialType, ExtensionType, KeyPackage, LeafNode, LeafNodeSource, ProposalType},
};
use mls_roles::GroupPolicy;

use super::{GroupChange, MlsHandle};
use crate::core_mls::{
    envelope::MlsEnvelope,
    error::{MlsError, MlsResult},
    types::{MemberInfo, Register},
};

/// Who can be added to a group now, and who not.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct AddPlan {
    /// Who can, in the order given.
    pub addable: Vec<Candidate>,
    /// Who cannot, and why.
    pub refused: Vec<RefusedCandidate>,
    /// Members whose leaf is past its lifetime. They stand in nobody's way: ask them to renew their keys, or remove them.
    pub expired: Vec<MemberInfo>,
}

/// Somebody who may be added.
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "made by applications: a key package and whose it is")]
pub struct Candidate {
    /// Who is meant.
    pub identity: Vec<u8>,
    /// Its key package, an encoded MLSMessage.
    pub key_package: Vec<u8>,
}

/// Somebody who cannot be added.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct RefusedCandidate {
    /// Who was meant.
    pub identity: Vec<u8>,
    /// Why not.
    pub reason: MlsError,
}

/// Something that every member has to support before a group can use it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Feature {
    /// A cipher suite to continue under (RFC 9420, Section 11.2).
    CipherSuite(CipherSuite),
    /// A type of extension (IANA "MLS Extension Types").
    Extension(u16),
    /// A type of proposal (IANA "MLS Proposal Types").
    Proposal(u16),
    /// A type of credential (IANA "MLS Credential Types").
    Credential(u16),
}

/// A member that does not support something.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Blocker {
    /// Who.
    pub member: MemberInfo,
    /// What its capabilities lack.
    pub lacks: Feature,
}

impl AddPlan {
    /// The changes that add everybody who can be, for [`MlsHandle::stage_changes`] or [`MlsHandle::commit_changes`].
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// assert!(alice.create_group(None)?.plan_add(&[])?.changes().is_empty());
    /// # Ok::<(), MlsError>(())
    /// ```
    pub fn changes(&self) -> Vec<GroupChange> {
        self.addable.iter().map(|candidate| GroupChange::Add(candidate.key_package.clone())).collect()
    }
}

impl MlsHandle {
    /// Who of these can be added in one commit: each is checked for suite, capabilities, lifetime, signature and identity,
    /// against the members and those before it, and against what the group may hold and we may do.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Candidate, Client, MlsError, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// # let bob = Client::new(b"bob", Arc::new(TrustOnFirstUse::new()))?;
    /// let group = alice.create_group(None)?;
    /// let good = Candidate { identity: b"bob".to_vec(), key_package: bob.generate_key_package()? };
    /// let bad = Candidate { identity: b"carol".to_vec(), key_package: b"no key package".to_vec() };
    /// let plan = group.plan_add(&[good, bad])?;
    /// assert_eq!((plan.addable.len(), plan.refused.len()), (1, 1));
    /// assert_eq!(plan.refused[0].identity, b"carol");
    /// let (_commit, welcomes) = group.commit_changes(&plan.changes())?;
    /// bob.join_group(&welcomes[0])?;
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// [`MlsError::UnknownGroup`], [`MlsError::NotAMember`], [`MlsError::GroupReInitialized`]: nobody can be added.
    pub fn plan_add(&self, candidates: &[Candidate]) -> MlsResult<AddPlan> {
        self.epoch_authenticator()?;
        let mut plan = AddPlan { addable: Vec::new(), refused: Vec::new(), expired: self.expired_members() };
        let (mut keys, room) = (self.keys_in_use(), self.room()?);
        for candidate in candidates {
            let full = u32::try_from(plan.addable.len()).unwrap_or(u32::MAX) >= room;
            match self.judge(candidate, &mut keys, full) {
                Ok(()) => plan.addable.push(candidate.clone()),
                Err(error @ (MlsError::UnknownGroup | MlsError::GroupReInitialized)) => return Err(error),
                Err(reason) => plan.refused.push(RefusedCandidate { identity: candidate.identity.clone(), reason }),
            }
        }
        Ok(plan)
    }

    fn judge(&self, candidate: &Candidate, keys: &mut BTreeSet<Vec<u8>>, full: bool) -> MlsResult<()> {
        let Candidate { identity, key_package } = candidate;
        let package = self.check_identity(key_package, identity)?;
        let own = keys_of(&package);
        if own.iter().any(|key| keys.contains(key)) {
            return Err(MlsError::Rejected(ProcessError::DuplicateClient));
        }
        // LN-16: what the group's context holds, every member has to know.
        let state = self.cell.public();
        let capabilities = &package.leaf_node.capabilities;
        let mut kinds = state.context().extensions.types();
        if let Some(kind) = kinds.find(|kind| !supports(capabilities, Feature::Extension(kind.0))) {
            return Err(MlsError::Rejected(ProcessError::UnsupportedExtension(kind)));
        }
        let env = self.inner().env();
        let options = self.handshake_options();
        // Dropping the step undoes it.
        self.look(|group| {
            let _ = group.propose(&env, ProposalKind::Add(key_package.clone()), options)?.step;
            Ok(())
        })?;
        if full {
            return Err(MlsError::Rejected(ProcessError::GroupFull));
        }
        keys.extend(own);
        Ok(())
    }

    /// No two leaves share a key (RFC 9420, Section 7.3).
    fn keys_in_use(&self) -> BTreeSet<Vec<u8>> {
        let state = self.cell.public();
        let members = state.tree().members().into_iter();
        let keys = |leaf: &LeafNode| [leaf.signature_key.as_slice().to_vec(), leaf.encryption_key.as_slice().to_vec()];
        members.flat_map(|(_, leaf)| keys(leaf)).collect()
    }

    /// How many more the group may hold.
    fn room(&self) -> MlsResult<u32> {
        self.look(|group| {
            let policy = GroupPolicy::of(&group.public().context().extensions)?;
            let most = policy.map_or(u32::MAX, |policy| policy.max_members).min(self.inner().config.max_group_size);
            Ok(most.saturating_sub(group.member_count()))
        })
    }

    /// Members whose leaf came with a key package and is past its lifetime (RFC 9420, Section 7.2). They can read and
    /// write, and who joins takes them as they are; a commit or update of theirs ends it.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// assert!(alice.create_group(None)?.expired_members().is_empty());
    /// # Ok::<(), MlsError>(())
    /// ```
    pub fn expired_members(&self) -> Vec<MemberInfo> {
        let now = self.inner().clock.now();
        self.members_with(|leaf| match &leaf.source {
            LeafNodeSource::KeyPackage(lifetime) => lifetime.not_after < now,
            LeafNodeSource::Update | LeafNodeSource::Commit(_) => false,
        })
    }

    /// Who stands in the way of these features: members whose clients do not say that they support them. Empty if all do.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{CipherSuite, Client, Feature, MlsConfig, MlsError, TrustOnFirstUse};
    /// # let builder = Client::builder(b"alice", Arc::new(TrustOnFirstUse::new()));
    /// let alice = builder.config(MlsConfig::interop()).open()?;
    /// let group = alice.create_group(None)?;
    /// assert!(group.plan_upgrade(&[Feature::CipherSuite(CipherSuite::XWING_AES256)]).is_empty());
    /// let blockers = group.plan_upgrade(&[Feature::Extension(0xf777)]);
    /// assert_eq!((&blockers[0].member.identity[..], blockers[0].lacks), (&b"alice"[..], Feature::Extension(0xf777)));
    /// # Ok::<(), MlsError>(())
    /// ```
    pub fn plan_upgrade(&self, features: &[Feature]) -> Vec<Blocker> {
        let lacking = |feature: &Feature| {
            let members = self.members_with(|leaf| !supports(&leaf.capabilities, *feature));
            members.into_iter().map(|member| Blocker { member, lacks: *feature }).collect::<Vec<_>>()
        };
        features.iter().flat_map(lacking).collect()
    }

    /// [`MlsHandle::stage_changes`] in the immediate way, as [`MlsHandle::commit`]: the changes travel inside the commit, so
    /// that many members can be added at once. Returns the commit, and one Welcome for each member it adds.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, GroupChange, MlsError, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// let group = alice.create_group(Some("tea"))?;
    /// group.commit_changes(&[GroupChange::Rename("coffee".to_owned())])?;
    /// assert_eq!(group.group_name().as_deref(), Some("coffee"));
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// As [`MlsHandle::stage_changes`]; [`MlsError::Superseded`] if the group has moved on meanwhile: call again.
    pub fn commit_changes(&self, changes: &[GroupChange]) -> MlsResult<(MlsEnvelope, Vec<MlsEnvelope>)> {
        let pending = self.stage_changes(changes)?;
        match self.apply_pending_commit(&pending.id) {
            Ok(outcome) => Ok((pending.commit, outcome.welcomes()?)),
            Err(MlsError::NoSuchPendingCommit) => Err(MlsError::Superseded),
            Err(error) => {
                // If the store fails here too, the commit stays listed in `pending_commits`.
                let _ = self.clear_pending_commit(&pending.id);
                Err(error)
            }
        }
    }

    fn members_with(&self, chosen: impl Fn(&LeafNode) -> bool) -> Vec<MemberInfo> {
        self.cell.glance(self.inner());
        let (public, times) = (self.cell.public(), self.cell.times());
        let register = Register::new(&public, &times);
        let members = public.tree().members().into_iter().filter(|(_, leaf)| chosen(leaf));
        members.map(|(index, leaf)| MemberInfo::new(index, leaf, &register)).collect()
    }
}

fn keys_of(package: &KeyPackage) -> [Vec<u8>; 3] {
    let leaf = &package.leaf_node;
    [leaf.signature_key.as_slice(), leaf.encryption_key.as_slice(), package.init_key.as_slice()].map(<[u8]>::to_vec)
}

/// Whether capabilities name it; what RFC 9420 itself defines need not be named (Section 7.2).
fn supports(capabilities: &Capabilities, feature: Feature) -> bool {
    match feature {
        Feature::CipherSuite(suite) => capabilities.cipher_suites.contains(&suite),
        Feature::Extension(kind) => (1..=5).contains(&kind) || capabilities.extensions.contains(&ExtensionType(kind)),
        Feature::Proposal(kind) => (1..=7).contains(&kind) || capabilities.proposals.contains(&ProposalType(kind)),
        Feature::Credential(kind) => capabilities.credentials.contains(&CredentialType(kind)),
    }
}
