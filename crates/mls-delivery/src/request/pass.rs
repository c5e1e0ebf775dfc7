//! Passes: what lets somebody join by external commit while no member is there (RFC 9420, Section 12.4.3.2).
//!
//! In: the digest of a token, until when it is good, how often and for whom; signed by a member of the current epoch.
//! Out: who shows the token with [`super::FetchGroupInfo::by_joiner`] gets the GroupInfo, and gets in with
//! [`super::CommitBundle::by_joiner`]. Always: the service counts joins that were taken, and nothing else; it never sees the token
//! before somebody shows it.

use mls_crypto::Opaque;
use tls_codec::{TlsDeserializeBytes, TlsSerialize, TlsSize};

use super::unsignable;
use crate::{
    Digest, GroupId, Rejection, ServiceCrypto, Timestamp, UserId,
    access::{Access, Action, Intent, WriteKey, join_digest},
};

/// What a token is good for.
#[derive(Clone, Debug, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct Pass {
    /// What the token is known by; see [`join_digest`].
    pub token: Digest,
    /// Until when, in seconds since 1970.
    pub expires: Timestamp,
    /// How many may join with it. With 0 it is taken back.
    pub uses: u64,
    /// For whom; for anybody without it.
    pub user: Option<UserId>,
}

/// Registers a pass, or changes one; what has been used of it stays used.
#[derive(Clone, Debug, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct SetPass {
    /// Of which group.
    pub group_id: GroupId,
    /// The epoch that the group is at, whose write key signs.
    pub epoch: u64,
    /// What is registered.
    pub pass: Pass,
    /// That a member of the epoch says so.
    pub access: Access,
}

impl Pass {
    /// A pass for whoever knows these bytes.
    ///
    /// # Errors
    /// [`Rejection::Malformed`] for a token that cannot be encoded.
    pub fn new(crypto: &ServiceCrypto, token: &[u8], expires: Timestamp, uses: u64) -> Result<Self, Rejection> {
        Ok(Self { token: join_digest(crypto, token)?, expires, uses, user: None })
    }
}

impl SetPass {
    pub(crate) fn intent(
        crypto: &ServiceCrypto,
        (group_id, epoch): (&GroupId, u64),
        pass: &Pass,
    ) -> Result<Intent, Rejection> {
        let content = mls_engine::codec::encode(pass).map_err(|_| Rejection::Malformed)?;
        Intent::new(crypto, Action::Pass, (group_id, epoch), &Opaque::from(content))
    }

    /// Registered by a member of the epoch that the group is at.
    ///
    /// # Errors
    /// [`Rejection::Malformed`] if it cannot be encoded or signed.
    pub fn by_member(
        crypto: &ServiceCrypto,
        key: &WriteKey,
        (group_id, epoch): (GroupId, u64),
        pass: Pass,
    ) -> Result<Self, Rejection> {
        let intent = Self::intent(crypto, (&group_id, epoch), &pass)?;
        let access = key.sign(crypto, &intent).map_err(unsignable)?;
        Ok(Self { group_id, epoch, pass, access })
    }
}
