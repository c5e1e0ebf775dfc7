//! Messages that are authenticated but not encrypted (RFC 9420, Section 6.2).
//!
//! In: signed content, or a `PublicMessage`. Out: the message with its membership tag, or the content without it.
//! Always: PUB-01: a member's tag is checked before the signature.

use mls_crypto::{SuiteCrypto, Tag};

use super::auth::{Unverified, tbs};
use crate::{
    codec::encode,
    error::ProcessError,
    message::{AuthenticatedContent, FramedContent, FramedContentAuthData, PublicMessage, Sender, WireFormat},
    schedule::MembershipKey,
};

/// `membership_tag`: PUB-02: over `AuthenticatedContentTBM`, the content's TBS followed by its authentication.
fn membership_tag(
    suite: &dyn SuiteCrypto,
    key: &MembershipKey,
    content: &FramedContent,
    auth: &FramedContentAuthData,
    context: &[u8],
) -> Result<Tag, ProcessError> {
    let tbs = tbs(WireFormat::PUBLIC_MESSAGE, content, context)?;
    Ok(suite.mac(key.as_secret().as_slice(), &[&tbs, &encode(auth)?]))
}

/// Makes a `PublicMessage` of signed content.
///
/// # Errors
/// [`ProcessError::Decode`] if the content is too long to encode.
pub fn protect(
    suite: &dyn SuiteCrypto,
    key: &MembershipKey,
    content: AuthenticatedContent,
    context: &[u8],
) -> Result<PublicMessage, ProcessError> {
    let AuthenticatedContent { wire_format: _, content, auth } = content;
    let membership_tag = match content.sender {
        Sender::Member(_) => Some(membership_tag(suite, key, &content, &auth, context)?),
        Sender::External(_) | Sender::NewMemberProposal | Sender::NewMemberCommit => None,
    };
    Ok(PublicMessage { content, auth, membership_tag })
}

/// Opens a `PublicMessage` as a member.
///
/// # Errors
/// [`ProcessError::BadMembershipTag`], [`ProcessError::PublicApplicationData`] (FRM-01).
pub fn open(
    suite: &dyn SuiteCrypto,
    key: &MembershipKey,
    message: PublicMessage,
    context: &[u8],
) -> Result<Unverified, ProcessError> {
    if let Sender::Member(_) = message.content.sender {
        let expected = membership_tag(suite, key, &message.content, &message.auth, context)?;
        match message.membership_tag {
            Some(tag) if tag.ct_eq(&expected) => {}
            _ => return Err(ProcessError::BadMembershipTag),
        }
    }
    open_observed(message)
}

/// Opens a `PublicMessage` without the membership key, as a delivery service does: only its signature can be checked.
///
/// # Errors
/// [`ProcessError::PublicApplicationData`] (FRM-01).
pub fn open_observed(message: PublicMessage) -> Result<Unverified, ProcessError> {
    let PublicMessage { content, auth, membership_tag: _ } = message;
    Unverified::new(AuthenticatedContent { wire_format: WireFormat::PUBLIC_MESSAGE, content, auth })
}
