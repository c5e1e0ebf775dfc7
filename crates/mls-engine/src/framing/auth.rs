//! Content authentication (RFC 9420, Section 6.1).
//!
//! In: framed content, the encoded GroupContext, and a signature key. Out: a signature, or evidence that one verified.
//! Always: FRM-14: members and joining committers sign the GroupContext too; the others do not.

use mls_crypto::{Opaque, SignaturePrivateKey, SignaturePublicKey, SignedItem, SuiteCrypto, label};
use tls_codec::{Serialize, Size};

use crate::{
    codec::encode,
    error::{DecodeError, ProcessError, Signed},
    message::{
        AuthenticatedContent, Content, FramedContent, FramedContentAuthData, ProposalRef, ProtocolVersion, Sender,
        WireFormat,
    },
};

const SIGNATURE_LABEL: &str = "FramedContentTBS";
const PROPOSAL_REF_LABEL: &str = "MLS 1.0 Proposal Reference";

/// `FramedContentTBS`. `context` is the encoded GroupContext of the content's epoch.
pub(super) fn tbs(wire_format: WireFormat, content: &FramedContent, context: &[u8]) -> Result<Vec<u8>, DecodeError> {
    let head = (ProtocolVersion::MLS10.0, wire_format.0);
    let mut bytes = Vec::with_capacity(content.tls_serialized_len().saturating_add(context.len()).saturating_add(4));
    head.tls_serialize(&mut bytes).map_err(|_| DecodeError::TooLong)?;
    content.tls_serialize(&mut bytes).map_err(|_| DecodeError::TooLong)?;
    match content.sender {
        Sender::Member(_) | Sender::NewMemberCommit => bytes.extend_from_slice(context),
        Sender::External(_) | Sender::NewMemberProposal => {}
    }
    Ok(bytes)
}

/// Signs content of ours. COM-14: `context` is the epoch's *current* GroupContext, encoded.
///
/// # Errors
/// [`ProcessError::PublicApplicationData`] (FRM-01), [`ProcessError::SenderNotAllowed`] (FRM-16, PM-05),
/// [`ProcessError::Crypto`].
pub fn sign(
    suite: &dyn SuiteCrypto,
    key: &SignaturePrivateKey,
    wire_format: WireFormat,
    content: FramedContent,
    context: &[u8],
) -> Result<AuthenticatedContent, ProcessError> {
    check_framing(wire_format, &content)?;
    let message = tbs(wire_format, &content, context)?;
    let signature = Opaque::new(label::sign_with_label(suite, key, SIGNATURE_LABEL, &message)?);
    let auth = FramedContentAuthData { signature, confirmation_tag: None };
    Ok(AuthenticatedContent { wire_format, content, auth })
}

/// FRM-01, FRM-16, FRM-18: application data is private and from a member; only members send privately.
fn check_framing(wire_format: WireFormat, content: &FramedContent) -> Result<(), ProcessError> {
    let public = wire_format == WireFormat::PUBLIC_MESSAGE;
    match (&content.content, content.sender) {
        (Content::Application(_), _) if public => Err(ProcessError::PublicApplicationData),
        (_, Sender::Member(_)) => Ok(()),
        _ if public => Ok(()),
        _ => Err(ProcessError::SenderNotAllowed),
    }
}

/// Content whose signature has not been checked.
#[derive(Debug)]
pub struct Unverified {
    content: AuthenticatedContent,
}

impl Unverified {
    /// Content taken out of a message by `public` or `private`, or given in the clear.
    ///
    /// # Errors
    /// [`ProcessError::PublicApplicationData`], [`ProcessError::SenderNotAllowed`].
    pub fn new(content: AuthenticatedContent) -> Result<Self, ProcessError> {
        check_framing(content.wire_format, &content.content)?;
        Ok(Self { content })
    }

    /// The claim, to find the key it must verify under. Not to be believed yet.
    pub fn claimed(&self) -> &FramedContent {
        &self.content.content
    }

    /// FRM-08, PUB-03, PM-15: verifies the signature under the key that the sender's type selects. `context` is the
    /// encoded GroupContext of the content's epoch.
    ///
    /// # Errors
    /// [`ProcessError::BadSignature`].
    pub fn authenticate(
        self,
        suite: &dyn SuiteCrypto,
        public_key: &SignaturePublicKey,
        context: &[u8],
    ) -> Result<Authenticated, ProcessError> {
        let message = self.signed_content(context)?;
        let signature = self.content.auth.signature.as_slice();
        suite
            .verify(SignedItem { public_key, message: &message, signature })
            .map_err(|_| ProcessError::BadSignature(Signed::Message))?;
        Ok(Authenticated { content: self.content })
    }

    /// What the signature is over (Section 5.1.2).
    fn signed_content(&self, context: &[u8]) -> Result<Vec<u8>, ProcessError> {
        let tbs = tbs(self.content.wire_format, &self.content.content, context)?;
        Ok(label::sign_content(SIGNATURE_LABEL, &tbs)?)
    }
}

/// [`Unverified::authenticate`] for many, in order, each with its key and encoded GroupContext. Signatures are verified
/// in one batch; if that fails, one by one.
pub fn authenticate_all(
    suite: &dyn SuiteCrypto,
    claims: Vec<(Unverified, &SignaturePublicKey, &[u8])>,
) -> Vec<Result<Authenticated, ProcessError>> {
    let messages: Vec<_> = claims.iter().map(|(claim, _, context)| claim.signed_content(context)).collect();
    let signed = claims.iter().zip(&messages).filter_map(|((claim, public_key, _), message)| {
        let signature = claim.content.auth.signature.as_slice();
        Some(SignedItem { public_key, message: message.as_ref().ok()?, signature })
    });
    let mut verdicts = verify_each(suite, &signed.collect::<Vec<_>>()).into_iter();
    let verdict = |((claim, ..), message): ((Unverified, _, _), Result<Vec<u8>, ProcessError>)| {
        message?;
        match verdicts.next() {
            Some(true) => Ok(Authenticated { content: claim.content }),
            Some(false) | None => Err(ProcessError::BadSignature(Signed::Message)),
        }
    };
    claims.into_iter().zip(messages).map(verdict).collect()
}

/// Whether each signature verifies.
fn verify_each(suite: &dyn SuiteCrypto, items: &[SignedItem<'_>]) -> Vec<bool> {
    match suite.verify_batch(items) {
        Ok(()) => vec![true; items.len()],
        // The batch has named the first bad one, so those before it are good. Those behind it are tried one by one:
        // a second batch would let whoever sends bad ones choose how often all the others are verified.
        Err((first_bad, _)) => {
            let behind = items.iter().skip(first_bad.saturating_add(1)).map(|item| suite.verify(*item).is_ok());
            std::iter::repeat_n(true, first_bad).chain([false]).chain(behind).collect()
        }
    }
}

/// Content whose sender is known.
#[derive(Clone, Debug)]
pub struct Authenticated {
    content: AuthenticatedContent,
}

impl Authenticated {
    /// Content that we signed ourselves.
    pub(crate) fn own(content: AuthenticatedContent) -> Self {
        Self { content }
    }

    /// What was said.
    pub fn content(&self) -> &FramedContent {
        &self.content.content
    }

    /// What was said, with its authentication.
    pub fn authenticated_content(&self) -> &AuthenticatedContent {
        &self.content
    }

    /// What was said, for its new owner.
    pub fn into_content(self) -> AuthenticatedContent {
        self.content
    }

    /// CRY-09 (Section 5.2): the reference of a proposal, over the whole `AuthenticatedContent`.
    ///
    /// # Errors
    /// [`ProcessError::Crypto`].
    pub fn proposal_ref(&self, suite: &dyn SuiteCrypto) -> Result<ProposalRef, ProcessError> {
        Ok(label::ref_hash(suite, PROPOSAL_REF_LABEL, &encode(&self.content)?)?)
    }
}
