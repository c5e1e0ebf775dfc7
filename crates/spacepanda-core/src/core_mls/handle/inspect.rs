//! Looking at a group: who is in it, and what all agree on.
//!
//! Always: members come from the ratchet tree of the current epoch, every time (CAP-05, CAP-19).

use std::sync::Arc;

use mls_crypto::CipherSuite;
use mls_engine::{group::PublicState, math::LeafIndex};

use super::MlsHandle;
use crate::core_mls::{
    GROUP_NAME,
    error::{MlsError, MlsResult},
    types::{GroupMetadata, MemberInfo, Register, group_name},
};

impl MlsHandle {
    /// The public state, of now: another process may have moved the group.
    fn public(&self) -> Arc<PublicState> {
        self.cell.glance(self.inner());
        self.cell.public()
    }

    /// The group's id, 32 bytes for groups created here.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// assert_eq!(alice.create_group(None)?.group_id().len(), 32);
    /// # Ok::<(), MlsError>(())
    /// ```
    pub fn group_id(&self) -> Vec<u8> {
        self.cell.id.clone()
    }

    /// The group's name, if it has one; the same for all members of an epoch.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// assert_eq!(alice.create_group(Some("tea"))?.group_name().as_deref(), Some("tea"));
    /// # Ok::<(), MlsError>(())
    /// ```
    pub fn group_name(&self) -> Option<String> {
        group_name(self.public().context().extensions.get(GROUP_NAME))
    }

    /// The current epoch.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// assert_eq!(alice.create_group(None)?.epoch(), 0);
    /// # Ok::<(), MlsError>(())
    /// ```
    pub fn epoch(&self) -> u64 {
        self.public().context().epoch
    }

    /// The group's cipher suite.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{CipherSuite, Client, MlsError, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// assert_eq!(alice.create_group(None)?.ciphersuite(), CipherSuite::XWING_AES256);
    /// # Ok::<(), MlsError>(())
    /// ```
    pub fn ciphersuite(&self) -> CipherSuite {
        self.public().context().cipher_suite
    }

    /// The number of members.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// assert_eq!(alice.create_group(None)?.member_count(), 1);
    /// # Ok::<(), MlsError>(())
    /// ```
    pub fn member_count(&self) -> u32 {
        self.public().tree().member_count()
    }

    /// Our leaf in this epoch.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// assert_eq!(alice.create_group(None)?.own_index(), 0);
    /// # Ok::<(), MlsError>(())
    /// ```
    pub fn own_index(&self) -> u32 {
        self.cell.own().get()
    }

    /// The identity we have in this group.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// assert_eq!(alice.create_group(None)?.own_identity(), b"alice");
    /// # Ok::<(), MlsError>(())
    /// ```
    pub fn own_identity(&self) -> &[u8] {
        self.client.identity()
    }

    /// The members, in the order of their leaves.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// assert_eq!(alice.create_group(None)?.members()[0].identity, b"alice");
    /// # Ok::<(), MlsError>(())
    /// ```
    pub fn members(&self) -> Vec<MemberInfo> {
        self.members_where(|_| true)
    }

    fn members_where(&self, chosen: impl Fn(&MemberInfo) -> bool) -> Vec<MemberInfo> {
        let (public, times) = (self.public(), self.cell.times());
        let register = Register::new(&public, &times);
        let members = public.tree().members().into_iter();
        members.map(|(index, leaf)| MemberInfo::new(index, leaf, &register)).filter(chosen).collect()
    }

    /// Whether there is a member at this leaf.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// let group = alice.create_group(None)?;
    /// assert!(group.has_member(0) && !group.has_member(1));
    /// # Ok::<(), MlsError>(())
    /// ```
    pub fn has_member(&self, leaf_index: u32) -> bool {
        self.public().member(LeafIndex::new(leaf_index)).is_ok()
    }

    /// The first member with this identity.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// let group = alice.create_group(None)?;
    /// assert_eq!(group.member_by_identity(b"alice")?.leaf_index, 0);
    /// assert_eq!(group.member_by_identity(b"bob"), Err(MlsError::UnknownIdentity));
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// [`MlsError::UnknownIdentity`].
    pub fn member_by_identity(&self, identity: &[u8]) -> MlsResult<MemberInfo> {
        self.devices_of(identity).into_iter().next().ok_or(MlsError::UnknownIdentity)
    }

    /// Every member with this identity: the devices of one user (CAP-27).
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// assert_eq!(alice.create_group(None)?.devices_of(b"alice").len(), 1);
    /// # Ok::<(), MlsError>(())
    /// ```
    pub fn devices_of(&self, identity: &[u8]) -> Vec<MemberInfo> {
        self.members_where(|member| member.identity == identity)
    }

    /// The group at a glance.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// let metadata = alice.create_group(Some("tea"))?.metadata();
    /// assert_eq!((metadata.epoch, metadata.members.len()), (0, 1));
    /// # Ok::<(), MlsError>(())
    /// ```
    pub fn metadata(&self) -> GroupMetadata {
        let (public, times) = (self.public(), self.cell.times());
        let register = Register::new(&public, &times);
        let members = public.tree().members().into_iter();
        GroupMetadata {
            group_id: self.cell.id.clone(),
            name: group_name(public.context().extensions.get(GROUP_NAME)),
            epoch: public.context().epoch,
            members: members.map(|(index, leaf)| MemberInfo::new(index, leaf, &register)).collect(),
            created_at: times.created_at,
            updated_at: times.updated_at,
        }
    }

    /// Whether our keys in this group should be renewed, with [`MlsHandle::rotate`] (CAP-29).
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// assert!(!alice.create_group(None)?.rotation_due());
    /// # Ok::<(), MlsError>(())
    /// ```
    pub fn rotation_due(&self) -> bool {
        let rotated_at = self.cell.times().rotated_at;
        let interval = self.cell.terms().parameters.rotation_interval;
        self.inner().clock.now().saturating_sub(rotated_at) >= interval
    }
}
