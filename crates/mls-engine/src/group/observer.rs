//! The public view of a group (RFC 9420, Section 16.4.1): what a delivery service can check without secrets.
//!
//! In: a GroupInfo, then public handshakes. Out: whether each is valid, and the next public state.
//! Always: the observer is a value; membership and confirmation tags are beyond it, everything else is judged by the
//! same code that members use.

use std::sync::Arc;

use mls_crypto::SuiteCrypto;

use super::{
    Event, PublicState,
    epoch::provisional_context,
    external::Outside,
    incoming::{authenticate, check_epoch},
    process::{Incoming, check_and_apply, events},
    proposals::{CachedProposal, ProposalCache},
    propose::{check_len, check_standalone},
    rules::ProposalList,
};
use crate::{
    codec::decode_exact,
    error::{DecodeError, ProcessError},
    framing::{Authenticated, open_observed},
    math::LeafIndex,
    message::{Commit, Content, GroupContext, MlsMessage, ProposalRef, Sender},
    policy::{Env, Proposer},
    schedule::{confirmed_transcript_hash, interim_transcript_hash},
};

/// A group, seen from outside.
#[derive(Clone, Debug)]
pub struct Observer {
    suite: Arc<dyn SuiteCrypto>,
    public: Arc<PublicState>,
    proposals: ProposalCache,
}

/// What a public handshake was.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Observed {
    /// A proposal.
    Proposal(ProposalRef),
    /// A commit.
    Commit {
        /// Who made it.
        committer: LeafIndex,
        /// What it does.
        events: Vec<Event>,
    },
}

impl Observer {
    /// Begins at the epoch of a GroupInfo, an encoded MLSMessage.
    ///
    /// # Errors
    /// [`ProcessError`] naming the rule, as for a joiner.
    pub fn new(env: &Env<'_>, group_info: &[u8], ratchet_tree: Option<&[u8]>) -> Result<Self, ProcessError> {
        let (suite, outside) = Outside::check(env, group_info, ratchet_tree)?;
        Ok(Self { suite, public: Arc::new(outside.public), proposals: ProposalCache::default() })
    }

    /// The public state.
    pub fn public(&self) -> &Arc<PublicState> {
        &self.public
    }

    /// Judges one public handshake, and returns the state after it.
    ///
    /// # Errors
    /// [`ProcessError`] naming the rule; [`ProcessError::WrongFraming`] for a message that cannot be read from outside.
    pub fn process(&self, env: &Env<'_>, message: &[u8]) -> Result<(Observed, Self), ProcessError> {
        let suite = self.suite.as_ref();
        check_len(message, env.limits.max_commit(suite.hash_len().saturating_mul(32)))?;
        let message = match decode_exact(message)? {
            MlsMessage::PublicMessage(message) => *message,
            MlsMessage::PrivateMessage(_) => return Err(ProcessError::WrongFraming),
            _ => return Err(DecodeError::UnsupportedWireFormat.into()),
        };
        if message.content.group_id != self.public.context().group_id {
            return Err(ProcessError::WrongGroup);
        }
        check_epoch(&self.public, message.content.epoch)?;
        let authenticated = authenticate(suite, &self.public, open_observed(message)?)?;
        match &authenticated.content().content {
            Content::Proposal(_) => self.proposal(env, authenticated),
            Content::Commit(commit) => self.commit(env, &authenticated, commit),
            Content::Application(_) => Err(ProcessError::PublicApplicationData),
        }
    }

    fn proposal(&self, env: &Env<'_>, content: Authenticated) -> Result<(Observed, Self), ProcessError> {
        let reference = content.proposal_ref(self.suite.as_ref())?;
        let cached = CachedProposal { reference, content };
        self.proposals.check_room(&cached, env.limits)?;
        check_standalone(env, self.suite.as_ref(), &self.public, &cached, false)?;
        let mut next = self.clone();
        next.proposals.insert(cached);
        Ok((Observed::Proposal(reference), next))
    }

    fn commit(
        &self,
        env: &Env<'_>,
        authenticated: &Authenticated,
        commit: &Commit,
    ) -> Result<(Observed, Self), ProcessError> {
        let suite = self.suite.as_ref();
        let incoming = Incoming { authenticated, commit, sender: authenticated.content().sender };
        let proposer = match incoming.sender {
            Sender::Member(index) => Proposer::Member(index),
            _ => Proposer::NewMember,
        };
        let resolved = self.proposals.resolve(&commit.proposals, proposer)?;
        let list = ProposalList { env, suite, state: &self.public, proposals: &resolved, succession: None };
        let (applied, committer) = check_and_apply(&list, &incoming)?;
        let tree = match &commit.path {
            Some(path) => applied.tree.merge_update_path(suite, committer, path, &applied.added_leaves())?,
            None => applied.tree,
        };
        super::apply::check_result(env, &tree, &applied.extensions)?;
        let content = authenticated.authenticated_content();
        let tag = content.auth.confirmation_tag.ok_or(ProcessError::BadConfirmationTag)?;
        let confirmed = confirmed_transcript_hash(suite, self.public.interim_transcript_hash(), content)?;
        let provisional = provisional_context(self.public.context(), &tree, applied.extensions)?;
        let context = GroupContext { confirmed_transcript_hash: confirmed, ..provisional };
        let interim = interim_transcript_hash(suite, &confirmed, &tag)?;
        let public = Arc::new(PublicState::new(context, tree, interim, tag)?);
        let next = Self { suite: self.suite.clone(), public, proposals: ProposalCache::default() };
        let events = events(applied.events, &incoming, committer);
        Ok((Observed::Commit { committer, events }, next))
    }
}
