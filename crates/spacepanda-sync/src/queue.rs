//! What is wanted of a group, durable until it is done.
//!
//! Always: a wish says what is to hold, not what to send: so it can be worked out anew in every epoch, and is done as soon as it
//! holds, whoever brought that about.

use mls_crypto::Opaque;
use mls_delivery::DeviceId;
use mls_roles::{GroupPolicy, Role};
use spacepanda_core::core_mls::{MlsError, MlsHandle};
use tls_codec::{TlsDeserializeBytes, TlsSerialize, TlsSize};

use crate::{
    Account, SyncError, SyncResult,
    rows::{Queued, Rows, put_queued, put_wish},
};

/// The number of a wish within its group.
pub type WishId = u64;

/// A change of a group that somebody wants.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Wish {
    /// Every device of this user is in.
    Add(Vec<u8>),
    /// The client of this key package is in; whose it is has been looked at.
    AddKeyPackage(Vec<u8>),
    /// No device of this user is in.
    Remove(Vec<u8>),
    /// This device is not in.
    RemoveDevice(DeviceId),
    /// The group has this name.
    Rename(String),
    /// Our keys are new.
    Rotate,
    /// We are not in.
    Leave,
    /// This user has this role, a member or one to come.
    Role {
        /// The user.
        user: Vec<u8>,
        /// Its role.
        role: Role,
    },
    /// The group has this policy.
    Policy(GroupPolicy),
}

/// A wish as it is stored.
#[derive(Clone, Debug, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub(crate) struct WishForm {
    pub(crate) kind: WishKind,
    /// Of [`WishKind::Add`]: key packages that were claimed for it, each for one use. Of [`WishKind::Rotate`] and
    /// [`WishKind::Replace`]: the digest of the commit that does it.
    pub(crate) claimed: Option<Vec<Opaque>>,
}

#[derive(Clone, Debug, TlsDeserializeBytes, TlsSerialize, TlsSize)]
#[repr(u8)]
pub(crate) enum WishKind {
    #[tls_codec(discriminant = 1)]
    Add(Opaque),
    #[tls_codec(discriminant = 2)]
    AddKeyPackage(Opaque),
    #[tls_codec(discriminant = 3)]
    Remove(Opaque),
    #[tls_codec(discriminant = 4)]
    RemoveDevice(DeviceId),
    #[tls_codec(discriminant = 5)]
    Rename(Opaque),
    #[tls_codec(discriminant = 6)]
    Rotate,
    #[tls_codec(discriminant = 7)]
    Leave,
    #[tls_codec(discriminant = 8)]
    Role(RoleForm),
    #[tls_codec(discriminant = 9)]
    Policy(Opaque),
    /// The client of this key package is in in place of the one with the same key that lost its state.
    #[tls_codec(discriminant = 10)]
    Replace(Opaque),
}

/// Who is to be what.
#[derive(Clone, Debug, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub(crate) struct RoleForm {
    pub(crate) user: Opaque,
    pub(crate) role: Role,
}

impl Account {
    /// Queues a message. It is sent when the group is next brought into step, in the order of queueing.
    ///
    /// # Errors
    /// [`SyncError::NotAMember`]; [`SyncError::QueueFull`]; [`SyncError::Group`] if it is too long, if our role does not allow
    /// to send, or if the store fails.
    pub fn queue_message(&self, group: &MlsHandle, text: &[u8]) -> SyncResult<()> {
        self.check_member(group)?;
        self.check_may_send(group)?;
        let limit = self.client().config().max_message_size;
        if text.len() > limit {
            let len = text.len();
            return Err(SyncError::Group(MlsError::TooLarge { len, limit }));
        }
        let rows = Rows(group);
        let queued = rows.queued()?;
        if queued.len() >= MAX_QUEUED {
            return Err(SyncError::QueueFull { waiting: queued.len() });
        }
        let id = self.draw()?;
        let message = Queued { id, text: text.into(), sealed: Vec::new(), envelope: None };
        rows.write(vec![put_queued(Rows::next(&queued), &message)?])
    }

    /// Queues a change.
    ///
    /// # Errors
    /// [`SyncError::NotAMember`]; [`SyncError::NoSuchMember`] if nobody is there to be removed; [`SyncError::Group`], as
    /// [`spacepanda_core::core_mls::MlsError::Denied`] for what our role does not allow now.
    pub fn queue_wish(&self, group: &MlsHandle, wish: Wish) -> SyncResult<WishId> {
        self.check_member(group)?;
        self.check_allowed(group, &wish)?;
        let kind = match wish {
            Wish::Add(user) => WishKind::Add(user.into()),
            Wish::AddKeyPackage(key_package) => WishKind::AddKeyPackage(key_package.into()),
            Wish::Remove(user) => {
                if group.devices_of(&user).is_empty() {
                    return Err(SyncError::NoSuchMember);
                }
                WishKind::Remove(user.into())
            }
            Wish::RemoveDevice(device) => WishKind::RemoveDevice(device),
            Wish::Rename(name) => WishKind::Rename(name.into_bytes().into()),
            Wish::Rotate => WishKind::Rotate,
            Wish::Leave => WishKind::Leave,
            Wish::Role { user, role } => WishKind::Role(RoleForm { user: user.into(), role }),
            Wish::Policy(policy) => WishKind::Policy(policy.to_bytes().map_err(MlsError::from)?.into()),
        };
        let rows = Rows(group);
        let number = Rows::next(&rows.wishes()?);
        rows.write(vec![put_wish(number, &WishForm { kind, claimed: None })?])?;
        Ok(number)
    }

    /// How many messages and wishes wait.
    ///
    /// # Errors
    /// [`SyncError::Group`], [`SyncError::InvalidRow`].
    pub fn waiting(&self, group: &MlsHandle) -> SyncResult<(usize, usize)> {
        let rows = Rows(group);
        Ok((rows.queued()?.len(), rows.wishes()?.len()))
    }

    /// Whether we have asked to leave, and nobody has carried that out.
    ///
    /// # Errors
    /// [`SyncError::Group`], [`SyncError::InvalidRow`].
    pub fn is_leaving(&self, group: &MlsHandle) -> SyncResult<bool> {
        Ok(Rows(group).wishes()?.iter().any(|(_, wish)| matches!(wish.kind, WishKind::Leave)))
    }
}

/// What may wait to be sent.
const MAX_QUEUED: usize = 1_000;
