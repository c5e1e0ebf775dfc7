//! Names in public records: readable for all, for members only, or not there.
//!
//! In: a name, and a secret of the members. Out: bytes that only who has the secret reads.
//! Always: a sealed name opens only in the record of its group; its length is hidden in steps of 32 bytes.

use mls_crypto::{Opaque, Random, Secret};
use tls_codec::{TlsDeserializeBytes, TlsSerialize, TlsSize};

use crate::{DirectoryCrypto, DiscoveryError, crypto::labelled};

const STEP: usize = 32;

/// A group's name, as published.
#[derive(Clone, Debug, Default, Eq, Ord, PartialEq, PartialOrd, TlsDeserializeBytes, TlsSerialize, TlsSize)]
#[repr(u8)]
#[non_exhaustive]
pub enum GroupName {
    /// There is none, or nobody is told.
    #[default]
    #[tls_codec(discriminant = 0)]
    Absent,
    /// For everybody, in UTF-8.
    #[tls_codec(discriminant = 1)]
    Public(Opaque),
    /// For members: nonce and ciphertext.
    #[tls_codec(discriminant = 2)]
    Sealed(Opaque),
}

/// Seals a name for the members of a group. `members_secret` is theirs alone, of 32 bytes: exported from the group under a
/// label of its own (RFC 9420, Section 8.5), or agreed on inside it.
///
/// # Errors
/// [`DiscoveryError::Crypto`] if randomness fails; [`DiscoveryError::TooLarge`] over 1,024 bytes.
pub fn seal_name(
    crypto: &DirectoryCrypto,
    random: &dyn Random,
    (group_id, members_secret): (&[u8], &Secret),
    name: &str,
) -> Result<GroupName, DiscoveryError> {
    let (len, limit) = (name.len(), MAX_NAME);
    if len > limit {
        return Err(DiscoveryError::TooLarge { len, limit });
    }
    let suite = crypto.suite();
    let mut sealed = vec![0; suite.aead_nonce_len()];
    random.fill(&mut sealed)?;
    let mut buffer = name.as_bytes().to_vec();
    // A byte that no name in UTF-8 has, then zeros.
    buffer.push(END);
    buffer.resize(buffer.len().next_multiple_of(STEP), 0);
    let key = crypto.derive(members_secret, "name")?;
    suite.aead_seal(key.as_slice(), &sealed, &place(group_id)?, &mut buffer)?;
    sealed.append(&mut buffer);
    Ok(GroupName::Sealed(sealed.into()))
}

const END: u8 = 0xFF;
const MAX_NAME: usize = 1_024;

fn place(group_id: &[u8]) -> Result<Vec<u8>, DiscoveryError> {
    labelled("name", &Opaque::from(group_id))
}

impl GroupName {
    /// A name for everybody.
    pub fn public(name: &str) -> Self {
        Self::Public(name.as_bytes().into())
    }

    /// The name, if everybody may read it.
    pub fn readable(&self) -> Option<&str> {
        match self {
            Self::Public(name) => core::str::from_utf8(name.as_slice()).ok(),
            Self::Absent | Self::Sealed(_) => None,
        }
    }

    /// The name, for a member.
    ///
    /// # Errors
    /// [`DiscoveryError::Crypto`] if it was sealed with another secret, or for another group.
    pub fn open(
        &self,
        crypto: &DirectoryCrypto,
        (group_id, members_secret): (&[u8], &Secret),
    ) -> Result<Option<String>, DiscoveryError> {
        let Self::Sealed(sealed) = self else { return Ok(self.readable().map(str::to_owned)) };
        let suite = crypto.suite();
        let split = sealed.as_slice().split_at_checked(suite.aead_nonce_len());
        let (nonce, sealed) = split.ok_or(DiscoveryError::Malformed)?;
        let (key, mut buffer) = (crypto.derive(members_secret, "name")?, sealed.to_vec());
        suite.aead_open(key.as_slice(), nonce, &place(group_id)?, &mut buffer)?;
        let end = buffer.iter().rposition(|byte| *byte == END).ok_or(DiscoveryError::Malformed)?;
        buffer.truncate(end);
        String::from_utf8(buffer).map(Some).map_err(|_| DiscoveryError::Malformed)
    }

    /// Whether it can be a name at all.
    pub(crate) fn is_sound(&self) -> bool {
        match self {
            Self::Absent => true,
            Self::Public(name) => name.as_slice().len() <= MAX_NAME && self.readable().is_some(),
            Self::Sealed(sealed) => sealed.as_slice().len() <= MAX_NAME.saturating_add(STEP).saturating_add(64),
        }
    }
}
