//! A mark outside the store: how far a group had come, to be kept where no copy of the store takes it along.
//!
//! In: a group. Out: a few bytes for a delivery service, a keystore, or another device.
//! Always: a receipt holds numbers and the group's id; with it nobody can read or send anything.

use mls_crypto::Opaque;
use mls_engine::group::{Group, Reader};
use tls_codec::{DeserializeBytes, Serialize, TlsDeserializeBytes, TlsSerialize, TlsSize};

use super::error::{MlsError, MlsResult};

/// How far a group had come. Of two receipts of one group the later one counts.
///
/// A store, a file or a backup that is put back looks like any other state; only somebody who remembers more can tell.
/// Keep the newest [`crate::core_mls::MlsHandle::receipt`] where a copy of the store does not take it along, and hand it to
/// [`crate::core_mls::ClientBuilder::not_older_than`]: a group that is behind it is read-only until its keys are new.
#[derive(Clone, Debug, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct Receipt {
    version: u8,
    group_id: Opaque,
    epoch: u64,
    handshake: u32,
    application: u32,
}

/// Of the encoding.
const VERSION: u8 = 1;

impl Receipt {
    pub(crate) fn new(group: &Group) -> Self {
        Self::at(group.group_id(), group.epoch(), group.reserved_generations())
    }

    /// Of a group that is not open.
    pub(crate) fn of(group: &Reader<'_>) -> MlsResult<Self> {
        Ok(Self::at(group.group_id(), group.current_epoch(), group.reserved_generations()?))
    }

    fn at(group_id: &[u8], epoch: u64, (handshake, application): (u32, u32)) -> Self {
        Self { version: VERSION, group_id: group_id.into(), epoch, handshake, application }
    }

    /// The group it is of.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// let group = alice.create_group(None)?;
    /// assert_eq!(group.receipt()?.group_id(), group.group_id());
    /// # Ok::<(), MlsError>(())
    /// ```
    pub fn group_id(&self) -> &[u8] {
        self.group_id.as_slice()
    }

    /// The epoch the group was in.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// assert_eq!(alice.create_group(None)?.receipt()?.epoch(), 0);
    /// # Ok::<(), MlsError>(())
    /// ```
    pub const fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Whether a state with `self` cannot have used a key that a state with `other` will use: it is of a later epoch, or
    /// has given out at least as many generations of its own ratchets (RFC 9420, Section 9.1).
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// let group = alice.create_group(None)?;
    /// let before = group.receipt()?;
    /// group.send_message(b"hello")?;
    /// assert!(group.receipt()?.covers(&before));
    /// assert!(!before.covers(&group.receipt()?));
    /// # Ok::<(), MlsError>(())
    /// ```
    pub const fn covers(&self, other: &Self) -> bool {
        self.epoch > other.epoch
            || (self.epoch == other.epoch && self.handshake >= other.handshake && self.application >= other.application)
    }

    /// Encoded, to be kept elsewhere: about 20 bytes and the group's id.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, Receipt, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// let receipt = alice.create_group(None)?.receipt()?;
    /// assert_eq!(Receipt::from_bytes(&receipt.to_bytes()?)?, receipt);
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// None for a group id of less than 2^30 bytes: [`MlsError::InvalidRecord`].
    pub fn to_bytes(&self) -> MlsResult<Vec<u8>> {
        self.tls_serialize_detached().map_err(|_| MlsError::InvalidRecord)
    }

    /// Out of what [`Receipt::to_bytes`] gave.
    ///
    /// ```
    /// # use spacepanda_core::core_mls::{MlsError, Receipt};
    /// assert_eq!(Receipt::from_bytes(b""), Err(MlsError::InvalidRecord));
    /// ```
    ///
    /// # Errors
    /// [`MlsError::UnsupportedVersion`] of a later version of this program; [`MlsError::InvalidRecord`] if it is no receipt.
    pub fn from_bytes(bytes: &[u8]) -> MlsResult<Self> {
        match bytes.first() {
            Some(&VERSION) => Self::tls_deserialize_exact_bytes(bytes).map_err(|_| MlsError::InvalidRecord),
            Some(0) | None => Err(MlsError::InvalidRecord),
            Some(later) => Err(MlsError::UnsupportedVersion(u16::from(*later))),
        }
    }
}
