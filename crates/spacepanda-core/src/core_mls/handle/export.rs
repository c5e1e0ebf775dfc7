//! What a group gives out for use elsewhere: secrets, and what outsiders need.

use mls_crypto::Secret;
use mls_engine::{group::Status, policy::Env};

use super::{Beside, MlsHandle};
use crate::core_mls::{
    error::{MlsError, MlsResult},
    standing::Current,
};

impl MlsHandle {
    /// `epoch_authenticator` (RFC 9420, Section 8.7): equal at all members that agree on the epoch. Compare it by other
    /// means to rule out that somebody sits in between.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// let group = alice.create_group(None)?;
    /// let before = group.epoch_authenticator()?;
    /// group.rotate()?;
    /// assert_ne!(group.epoch_authenticator()?, before);
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// [`MlsError::UnknownGroup`] after the group was deleted, [`MlsError::NotAMember`] after we were removed.
    pub fn epoch_authenticator(&self) -> MlsResult<Vec<u8>> {
        self.look(|group| match group.status() {
            Status::Removed => Err(MlsError::NotAMember),
            _ => Ok(group.epoch_authenticator().as_secret().as_slice().to_vec()),
        })
    }

    /// `MLS-Exporter` (RFC 9420, Section 8.5): `len` secret bytes that all members of this epoch can derive, and nobody
    /// else. `label` tells uses apart.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// let key = alice.create_group(None)?.export_secret("video call", b"", 32)?;
    /// assert_eq!(key.len(), 32);
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// [`MlsError::Refused`] for a label that the protocol uses itself, [`MlsError::CryptoError`] for a length that is too
    /// long, [`MlsError::NotAMember`].
    pub fn export_secret(&self, label: &str, context: &[u8], len: usize) -> MlsResult<Secret> {
        self.look(|group| Ok(group.export_secret(label, context, len)?))
    }

    /// A GroupInfo of this epoch, an encoded MLSMessage signed by us (Section 12.4.3). It holds the ratchet tree if the
    /// configuration says so for Welcomes, and what outsiders need to join if it allows that. Whoever reads it learns the
    /// group's name and members.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// let info = alice.create_group(None)?.group_info()?;
    /// assert_eq!(info.get(..4), Some(&[0, 1, 0, 4][..])); // mls10, mls_group_info
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// [`MlsError::NotAMember`], [`MlsError::CryptoError`].
    pub fn group_info(&self) -> MlsResult<Vec<u8>> {
        let (env, config) = (self.inner().env(), &self.inner().config);
        self.look(|group| Ok(group.group_info(&env, config.tree_in_welcome, config.external_joins)?))
    }

    /// The ratchet tree of this epoch, as the body of the extension `ratchet_tree` (Section 12.4.3.3).
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// assert!(!alice.create_group(None)?.ratchet_tree()?.is_empty());
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// [`MlsError::UnknownGroup`] after the group was deleted.
    pub fn ratchet_tree(&self) -> MlsResult<Vec<u8>> {
        self.look(|group| Ok(group.ratchet_tree()?))
    }

    /// Deletes keys of past epochs and late messages whose time is over. Call it now and then; returns whether anything
    /// was deleted.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// assert!(!alice.create_group(None)?.expire()?);
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// [`MlsError::Store`].
    pub fn expire(&self) -> MlsResult<bool> {
        let mut serial = self.cell.serial();
        let terms = self.cell.terms();
        if self.look(|group| Ok(group.expire(&terms.env(self.inner())).is_none()))? {
            return Ok(false);
        }
        let expire = |group: &Current<'_>, env: &Env<'_>| {
            Ok(((), group.expire(env).ok_or(MlsError::Superseded)?, Beside::default()))
        };
        self.change_in(&mut serial, expire).map(|_| true)
    }
}
