//! The one door for messages to a group (RFC 9420, Sections 6, 12 and 15).
//!
//! In: an encoded MLSMessage. Out: what it is, with everything checked, and the step that takes note of it.
//! Always: size, decoding, group, epoch and sender come before any cryptography (X-DOS-08); application data of past
//! epochs is judged by that epoch's keys, tree and context (FRM-05).

use mls_crypto::{SignaturePublicKey, SuiteCrypto};

use super::{
    Group, Opened, PublicState, Staged,
    proposals::CachedProposal,
    propose::check_len,
    transition::{CommitId, Step},
};
use crate::{
    codec::decode_exact,
    error::{DecodeError, OperationError, ProcessError},
    framing::{Authenticated, Unverified, open},
    message::{Content, ContentType, FramedContent, MlsMessage, Proposal, ProposalRef, PublicMessage, Sender},
    policy::{Env, Proposer},
    schedule::Spent,
};

/// What a message was.
#[derive(Debug)]
#[non_exhaustive]
pub enum Processed {
    /// Application data; give `spent` to [`Group::record`].
    Application(Box<Opened>),
    /// A proposal to remember.
    Proposal(Box<ReceivedProposal>),
    /// A commit to inspect and adopt.
    Commit(Box<Staged>),
    /// Our own pending commit came back: [`Group::accept`] it.
    OwnCommit(CommitId),
}

/// A proposal somebody sent.
#[derive(Debug)]
pub struct ReceivedProposal {
    /// Its reference.
    pub reference: ProposalRef,
    /// Who made it.
    pub proposer: Proposer,
    /// What it asks for.
    pub proposal: Proposal,
    /// What remembers it.
    pub step: Step,
}

impl Group {
    /// Checks one message. Nothing changes; see [`Processed`].
    ///
    /// # Errors
    /// [`ProcessError`] naming the rule that the message breaks, or that it is of another epoch or our own.
    pub fn process(&self, env: &Env<'_>, message: &[u8]) -> Result<Processed, ProcessError> {
        let decoded: MlsMessage = decode_exact(self.within_limit(env, message)?)?;
        match decoded {
            MlsMessage::PublicMessage(public) => self.process_public(env, *public, message),
            MlsMessage::PrivateMessage(private) => self.process_private(env, *private, message),
            _ => Err(DecodeError::UnsupportedWireFormat.into()),
        }
    }

    /// X-DOS-02: as long as a commit may be; what is none has a lower limit later.
    pub(super) fn within_limit<'b>(&self, env: &Env<'_>, message: &'b [u8]) -> Result<&'b [u8], ProcessError> {
        let kem_output = self.public.member(self.own_index()).map_or(0, |leaf| leaf.encryption_key.as_slice().len());
        check_len(message, env.limits.max_commit(kem_output))?;
        Ok(message)
    }

    fn process_public(&self, env: &Env<'_>, message: PublicMessage, bytes: &[u8]) -> Result<Processed, ProcessError> {
        let content = &message.content;
        self.check_group(content.group_id.as_slice())?;
        self.check_current(content.epoch)?;
        if let Content::Application(_) = content.content {
            return Err(ProcessError::PublicApplicationData);
        }
        // FRM-02
        let context = self.public.context();
        let accepted = match content.content {
            Content::Commit(_) => env.policy.accepts_public_commits(context),
            _ => env.policy.accepts_public_handshakes(context),
        };
        if matches!(content.sender, Sender::Member(_)) && !accepted {
            return Err(ProcessError::WrongFraming);
        }
        if let Some(own) = self.own_message(content.sender, bytes) {
            return own;
        }
        let suite = self.suite.as_ref();
        let context = self.public.encoded_context();
        let unverified = open(suite, &self.keys.membership_key, message, context)?;
        let authenticated = authenticate(suite, &self.public, unverified)?;
        self.process_handshake(env, authenticated, None)
    }

    /// A proposal or commit whose sender is known.
    pub(super) fn process_handshake(
        &self,
        env: &Env<'_>,
        authenticated: Authenticated,
        spent: Option<Spent>,
    ) -> Result<Processed, ProcessError> {
        match authenticated.content().content.content_type() {
            ContentType::Commit => Ok(Processed::Commit(Box::new(self.process_commit(env, &authenticated)?))),
            ContentType::Proposal => self.process_proposal(env, authenticated, spent),
            ContentType::Application => Err(ProcessError::PublicApplicationData),
        }
    }

    fn process_proposal(
        &self,
        env: &Env<'_>,
        authenticated: Authenticated,
        spent: Option<Spent>,
    ) -> Result<Processed, ProcessError> {
        let reference = authenticated.proposal_ref(self.suite.as_ref())?;
        let cached = CachedProposal { reference, content: authenticated };
        self.check_proposal(env, &cached, false)?;
        let proposer = cached.proposer();
        let proposal = cached.proposal().cloned().ok_or(ProcessError::SenderNotAllowed)?;
        let step = self.cache_step(env, cached, None, spent).map_err(|error| match error {
            OperationError::Rule(error) => error,
            _ => ProcessError::Decode(DecodeError::TooLong),
        })?;
        Ok(Processed::Proposal(Box::new(ReceivedProposal { reference, proposer, proposal, step })))
    }

    /// FRM-20: a message from our own leaf is a pending commit that came back, or our own otherwise.
    pub(super) fn own_message(&self, sender: Sender, bytes: &[u8]) -> Option<Result<Processed, ProcessError>> {
        if sender != Sender::Member(self.own_index()) {
            return None;
        }
        let id = self.suite.hash(&[bytes]);
        Some(match self.pending.contains_key(&id) {
            true => Ok(Processed::OwnCommit(id)),
            false => Err(ProcessError::OwnMessage),
        })
    }

    /// FRM-03.
    pub(super) fn check_group(&self, group_id: &[u8]) -> Result<(), ProcessError> {
        if self.status == super::Status::Removed {
            return Err(ProcessError::NotAMember);
        }
        if group_id == self.group_id() { Ok(()) } else { Err(ProcessError::WrongGroup) }
    }

    /// FRM-04, COM-01, EPO-01, EPO-02, COM-23.
    pub(super) fn check_current(&self, got: u64) -> Result<(), ProcessError> {
        check_epoch(&self.public, got)?;
        self.check_active()
    }
}

/// FRM-04: handshakes are of the current epoch.
pub(super) fn check_epoch(state: &PublicState, got: u64) -> Result<(), ProcessError> {
    let current = state.context().epoch;
    match got.cmp(&current) {
        std::cmp::Ordering::Equal => Ok(()),
        std::cmp::Ordering::Less => Err(ProcessError::StaleEpoch { got, current }),
        std::cmp::Ordering::Greater => Err(ProcessError::FutureEpoch { got, current }),
    }
}

/// FRM-08: verifies content under the key its sender's type selects, in the epoch of `state`.
pub(super) fn authenticate(
    suite: &dyn SuiteCrypto,
    state: &PublicState,
    unverified: Unverified,
) -> Result<Authenticated, ProcessError> {
    let key = signature_key(state, unverified.claimed())?;
    unverified.authenticate(suite, &key, state.encoded_context())
}

/// FRM-09 to FRM-13: whose key, by sender type.
fn signature_key(state: &PublicState, content: &FramedContent) -> Result<SignaturePublicKey, ProcessError> {
    match (content.sender, &content.content) {
        (Sender::Member(index), _) => Ok(state.member(index)?.signature_key.clone()),
        (Sender::External(index), Content::Proposal(_)) => {
            // FRM-10, XS-01
            let senders = state.context().extensions.external_senders()?;
            let sender = usize::try_from(index).ok().and_then(|index| senders.get(index));
            sender.map(|sender| sender.signature_key.clone()).ok_or(ProcessError::UnknownExternalSender(index))
        }
        // FRM-11, EXT-07
        (Sender::NewMemberCommit, Content::Commit(commit)) => match &commit.path {
            Some(path) => Ok(path.leaf_node.signature_key.clone()),
            None => Err(ProcessError::InvalidExternalCommit),
        },
        // FRM-12, PROP-24
        (Sender::NewMemberProposal, Content::Proposal(Proposal::Add(add))) => {
            Ok(add.key_package.leaf_node.signature_key.clone())
        }
        _ => Err(ProcessError::SenderNotAllowed),
    }
}
