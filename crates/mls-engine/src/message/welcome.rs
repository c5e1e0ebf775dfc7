//! Welcomes and group information (RFC 9420, Sections 12.4.3 and 12.4.3.1).

use core::fmt;

use mls_crypto::{CipherSuite, CryptoError, Hash, HpkeCiphertext, Opaque, Secret, Tag};
use std::io;
use tls_codec::{DeserializeBytes, Error, Serialize, Size, TlsDeserializeBytes, TlsSerialize, TlsSize, VLByteSlice};

use super::{Extensions, GroupContext, PreSharedKeyId};
use crate::{codec::encode, error::DecodeError, math::LeafIndex};

/// `GroupInfo`.
#[derive(Clone, Debug, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct GroupInfo {
    /// The epoch described.
    pub group_context: GroupContext,
    /// `ratchet_tree`, `external_pub`, and what the receiver may ignore (WEL-11).
    pub extensions: Extensions,
    /// Confirms the transcript.
    pub confirmation_tag: Tag,
    /// Who signed.
    pub signer: LeafIndex,
    /// Over [`GroupInfo::tbs`].
    pub signature: Opaque,
}

/// `GroupInfoTBS`.
#[derive(TlsSerialize, TlsSize)]
struct GroupInfoTbs<'a> {
    group_context: &'a GroupContext,
    extensions: &'a Extensions,
    confirmation_tag: &'a Tag,
    signer: LeafIndex,
}

impl GroupInfo {
    /// Label of the signature (Section 5.1.2).
    pub const SIGNATURE_LABEL: &'static str = "GroupInfoTBS";

    /// `GroupInfoTBS`.
    ///
    /// # Errors
    /// [`DecodeError::TooLong`].
    pub fn tbs(&self) -> Result<Vec<u8>, DecodeError> {
        encode(&GroupInfoTbs {
            group_context: &self.group_context,
            extensions: &self.extensions,
            confirmation_tag: &self.confirmation_tag,
            signer: self.signer,
        })
    }
}

/// `PathSecret` (Section 7.4).
#[derive(Debug)]
pub struct PathSecret(pub Secret);

/// `GroupSecrets`. COM-19: carries `joiner_secret`, as the struct says.
#[derive(Debug)]
pub struct GroupSecrets {
    /// Start of the epoch's key schedule.
    pub joiner_secret: Secret,
    /// Secret of the lowest common ancestor with the committer, if the commit had a path.
    pub path_secret: Option<PathSecret>,
    /// PSKs of the commit, in its order (COM-16).
    pub psks: Vec<PreSharedKeyId>,
}

/// A secret on its way from bytes into its own type.
fn read_secret(bytes: &[u8]) -> Result<(Secret, &[u8]), Error> {
    let (value, rest) = Opaque::tls_deserialize_bytes(bytes)?;
    Ok((Secret::new(value.into()), rest))
}

impl GroupSecrets {
    /// Encodes into a secret, since the bytes are as secret as the fields.
    ///
    /// # Errors
    /// [`CryptoError::OutputTooLong`] if a list cannot be encoded.
    pub fn encode(&self) -> Result<Secret, CryptoError> {
        let mut bytes = Vec::with_capacity(self.tls_serialized_len());
        self.tls_serialize(&mut bytes).map_err(|_| CryptoError::OutputTooLong(usize::MAX))?;
        Ok(Secret::new(bytes))
    }
}

impl Size for GroupSecrets {
    fn tls_serialized_len(&self) -> usize {
        let path = self.path_secret.as_ref().map_or(0, |path| VLByteSlice(path.0.as_slice()).tls_serialized_len());
        VLByteSlice(self.joiner_secret.as_slice())
            .tls_serialized_len()
            .saturating_add(1)
            .saturating_add(path)
            .saturating_add(self.psks.tls_serialized_len())
    }
}

impl Serialize for GroupSecrets {
    fn tls_serialize<W: io::Write>(&self, writer: &mut W) -> Result<usize, Error> {
        let joiner = VLByteSlice(self.joiner_secret.as_slice()).tls_serialize(writer)?;
        let path = self.path_secret.as_ref().map(|path| VLByteSlice(path.0.as_slice())).tls_serialize(writer)?;
        let psks = self.psks.tls_serialize(writer)?;
        Ok(joiner.saturating_add(path).saturating_add(psks))
    }
}

impl DeserializeBytes for GroupSecrets {
    fn tls_deserialize_bytes(bytes: &[u8]) -> Result<(Self, &[u8]), Error> {
        let (joiner_secret, bytes) = read_secret(bytes)?;
        let (present, bytes) = u8::tls_deserialize_bytes(bytes)?;
        let (path_secret, bytes) = match present {
            0 => (None, bytes),
            1 => {
                let (secret, rest) = read_secret(bytes)?;
                (Some(PathSecret(secret)), rest)
            }
            // DEC-01: the presence octet is 0 or 1.
            other => return Err(Error::UnknownValue(other.into())),
        };
        let (psks, rest) = Vec::tls_deserialize_bytes(bytes)?;
        Ok((Self { joiner_secret, path_secret, psks }, rest))
    }
}

/// `EncryptedGroupSecrets`.
#[derive(Clone, Debug, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct EncryptedGroupSecrets {
    /// `KeyPackageRef` of the joiner.
    pub new_member: Hash,
    /// [`GroupSecrets`], sealed to its init key.
    pub encrypted_group_secrets: HpkeCiphertext,
}

/// `Welcome`.
#[derive(Clone, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct Welcome {
    /// The group's suite.
    pub cipher_suite: CipherSuite,
    /// One entry per joiner.
    pub secrets: Vec<EncryptedGroupSecrets>,
    /// [`GroupInfo`], sealed under the welcome key.
    pub encrypted_group_info: Opaque,
}

impl fmt::Debug for Welcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cipher_suite, secrets, encrypted_group_info } = self;
        f.debug_struct("Welcome")
            .field("cipher_suite", cipher_suite)
            .field("secrets", &secrets.len())
            .field("encrypted_group_info", &encrypted_group_info.as_slice().len())
            .finish()
    }
}
