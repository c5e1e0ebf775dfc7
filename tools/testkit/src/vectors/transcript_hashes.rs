//! `transcript-hashes.json`: both transcript hashes and the confirmation tag (RFC 9420, Sections 8.2 and 6.1).

use mls_crypto::{CipherSuite, CryptoProvider, Hash, Secret};
use mls_engine::{
    codec::{decode_exact, encode},
    message::{AuthenticatedContent, ContentType},
    schedule::{ConfirmationKey, confirmation_tag, confirmed_transcript_hash, interim_transcript_hash},
};
use serde::Deserialize;

use super::{
    Hex,
    outcome::{At, Outcome, equal, holds, same},
};

/// One commit, the hash before it and the hashes after it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    pub(super) cipher_suite: u16,
    confirmation_key: Hex,
    authenticated_content: Hex,
    interim_transcript_hash_before: Hex,
    confirmed_transcript_hash_after: Hex,
    interim_transcript_hash_after: Hex,
}

/// The commit moves the hashes as the file says, and its tag confirms the result.
///
/// # Errors
/// The first difference.
pub fn check(case: &Case, provider: &dyn CryptoProvider) -> Outcome {
    let suite = provider.suite(CipherSuite(case.cipher_suite))?;
    let commit: AuthenticatedContent = decode_exact(&case.authenticated_content)?;
    same("encoded again", encode(&commit)?, &case.authenticated_content)?;
    equal("content_type", commit.content.content.content_type(), ContentType::Commit)?;

    let before = Hash::from_slice(&case.interim_transcript_hash_before).at("interim_transcript_hash_before")?;
    let confirmed = confirmed_transcript_hash(&*suite, &before, &commit)?;
    same("confirmed_transcript_hash_after", confirmed, &case.confirmed_transcript_hash_after)?;

    let key = ConfirmationKey::from_secret(Secret::copy_from(&case.confirmation_key));
    let tag = commit.auth.confirmation_tag.at("confirmation_tag")?;
    holds("confirmation_tag does not match", tag.ct_eq(&confirmation_tag(&*suite, &key, &confirmed)))?;

    let interim = interim_transcript_hash(&*suite, &confirmed, &tag)?;
    same("interim_transcript_hash_after", interim, &case.interim_transcript_hash_after)
}
