//! Transcript hashes and the tag that confirms them (RFC 9420, Sections 8.2 and 6.1).
//!
//! In: the commit that ends an epoch, and the interim hash of that epoch. Out: the hashes of the next epoch.
//! Always: both hashes of epoch 0 start from the zero-length [`Hash::EMPTY`] (KS-05).

use mls_crypto::{CryptoError, Hash, Opaque, SuiteCrypto, Tag};
use tls_codec::{TlsSerialize, TlsSize};

use super::ConfirmationKey;
use crate::{
    codec::encode,
    message::{AuthenticatedContent, FramedContent, WireFormat},
};

/// `ConfirmedTranscriptHashInput`.
#[derive(TlsSerialize, TlsSize)]
struct ConfirmedTranscriptHashInput<'a> {
    wire_format: &'a WireFormat,
    content: &'a FramedContent,
    signature: &'a Opaque,
}

/// `confirmed_transcript_hash` of the epoch that `commit` starts; `interim` is that of the epoch it was sent in.
///
/// # Errors
/// [`CryptoError::OutputTooLong`] for a commit of 2^30 bytes or more.
pub fn confirmed_transcript_hash(
    suite: &dyn SuiteCrypto,
    interim: &Hash,
    commit: &AuthenticatedContent,
) -> Result<Hash, CryptoError> {
    // KS-04 (Section 8.2): all of the commit but its confirmation tag.
    let input = encode(&ConfirmedTranscriptHashInput {
        wire_format: &commit.wire_format,
        content: &commit.content,
        signature: &commit.auth.signature,
    });
    let input = input.map_err(|_| CryptoError::OutputTooLong(usize::MAX))?;
    Ok(suite.hash(&[interim.as_slice(), &input]))
}

/// `interim_transcript_hash` of an epoch, from its confirmed hash and its confirmation tag.
///
/// # Errors
/// [`CryptoError::OutputTooLong`], which no tag reaches.
pub fn interim_transcript_hash(suite: &dyn SuiteCrypto, confirmed: &Hash, tag: &Tag) -> Result<Hash, CryptoError> {
    let input = encode(tag).map_err(|_| CryptoError::OutputTooLong(usize::MAX))?;
    Ok(suite.hash(&[confirmed.as_slice(), &input]))
}

/// `confirmation_tag` of an epoch (Section 6.1): the MAC over its confirmed transcript hash, `Nh` bytes.
pub fn confirmation_tag(suite: &dyn SuiteCrypto, confirmation_key: &ConfirmationKey, confirmed: &Hash) -> Tag {
    suite.mac(confirmation_key.as_secret().as_slice(), &[confirmed.as_slice()])
}

#[cfg(test)]
mod tests;
