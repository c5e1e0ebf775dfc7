//! Processing commits (RFC 9420, Section 12.4.2).
//!
//! In: an authenticated commit of this epoch. Out: everything the next epoch needs, computed once, to be inspected and
//! then adopted.
//! Always: on error nothing has changed; the confirmation tag is compared before anything can be adopted (COM-20).

use std::sync::Arc;

use mls_crypto::{HpkePrivateKey, Secret};

use super::{
    Group,
    apply::{Applied, apply, check_path_leaf, check_result},
    epoch::{Advance, Advanced, Candidate, provisional_context},
    psk::find_psk_secret,
    rules::ProposalList,
    transition::{Effect, Event, Step},
};
use crate::{
    codec::encode,
    error::{OperationError, ProcessError},
    framing::Authenticated,
    math::LeafIndex,
    message::{Commit, Content, Extensions, GroupContext, ProposalRef, Sender, UpdatePath},
    policy::{Env, Proposer},
    schedule::InitSecret,
    tree::{PathKeys, PrivateChange, Provisional, RatchetTree},
};

/// A checked commit of somebody else, not yet adopted.
#[derive(Debug)]
pub struct Staged {
    /// Who made it: a member of the current epoch, or the leaf a joining client takes.
    pub committer: LeafIndex,
    /// What it does.
    pub events: Vec<Event>,
    /// Extensions of the next group context.
    pub extensions: Extensions,
    /// The tree of the next epoch.
    pub tree: RatchetTree,
    /// Whether it removes us.
    pub removes_self: bool,
    /// What moves the group.
    pub step: Step,
}

/// A commit taken apart.
pub(super) struct Incoming<'a> {
    pub(super) authenticated: &'a Authenticated,
    pub(super) commit: &'a Commit,
    pub(super) sender: Sender,
}

/// The path of a commit, applied.
struct Moved {
    tree: RatchetTree,
    provisional: GroupContext,
    private: PrivateChange,
    commit_secret: Secret,
}

impl Group {
    /// Works out the epoch that an authenticated commit leads to.
    pub(super) fn process_commit(&self, env: &Env<'_>, authenticated: &Authenticated) -> Result<Staged, ProcessError> {
        let content = authenticated.content();
        let Content::Commit(commit) = &content.content else { return Err(ProcessError::SenderNotAllowed) };
        let incoming = Incoming { authenticated, commit, sender: content.sender };
        let proposer = match incoming.sender {
            Sender::Member(index) => Proposer::Member(index),
            Sender::NewMemberCommit => Proposer::NewMember,
            // FRM-17
            Sender::External(_) | Sender::NewMemberProposal => return Err(ProcessError::SenderNotAllowed),
        };
        let resolved = self.proposals.resolve(&commit.proposals, proposer)?;
        let list = self.list(env, &resolved, None);
        let (applied, committer) = check_and_apply(&list, &incoming)?;
        if applied.removed.contains(&self.own_index()) {
            return self.staged_removal(&list, &incoming, applied, committer);
        }
        self.stage(&list, &incoming, applied, committer)
    }

    fn stage(
        &self,
        list: &ProposalList<'_>,
        incoming: &Incoming<'_>,
        applied: Applied,
        committer: LeafIndex,
    ) -> Result<Staged, ProcessError> {
        let (env, suite) = (list.env, list.suite);
        let own_update = self.applied_own_update(&applied);
        let own_key = own_update.and_then(|reference| self.own_updates.get(&reference)).map(|own| &own.leaf_key);
        let moved = self.apply_path(list, incoming.commit.path.as_ref(), (&applied, committer), own_key)?;
        let own_psk = |group_id: &[u8], epoch| self.own_resumption_psk(group_id, epoch);
        let psk_secret = find_psk_secret(env, suite, &applied.psks, &own_psk)?;
        let external_init = self.external_init(&applied)?;
        let advance = Advance {
            suite,
            current: &self.public,
            provisional: moved.provisional,
            tree: moved.tree,
            init_secret: external_init.as_ref().unwrap_or(&self.keys.init_secret),
            commit_secret: moved.commit_secret,
            psk_secret,
        };
        let commit = incoming.authenticated.authenticated_content();
        let Advanced { public, keys, joiner_secret: _, welcome_secret: _ } = advance.run(commit)?;
        // COM-20
        match &commit.auth.confirmation_tag {
            Some(tag) if tag.ct_eq(public.confirmation_tag()) => {}
            _ => return Err(ProcessError::BadConfirmationTag),
        }
        let events = events(applied.events, incoming, committer);
        let candidate = Candidate {
            public: Arc::new(public),
            keys,
            private: moved.private,
            own_update,
            signature_key: None,
            reinit: applied.reinit,
            events: events.clone(),
            welcome: None,
        };
        self.staged(env, candidate, events, committer)
    }

    fn staged(
        &self,
        env: &Env<'_>,
        candidate: Candidate,
        events: Vec<Event>,
        committer: LeafIndex,
    ) -> Result<Staged, ProcessError> {
        let retired = self.retire(env);
        let changes = self.advance_changes(env, &candidate, &retired).map_err(rule)?;
        Ok(Staged {
            committer,
            events,
            extensions: candidate.public.context().extensions.clone(),
            tree: candidate.public.tree().clone(),
            removes_self: false,
            step: Step { revision: self.revision, changes, effect: Effect::Advance(Box::new(candidate), retired) },
        })
    }

    /// COM-25: who is removed can neither open the path nor check the tag, but checks all else.
    fn staged_removal(
        &self,
        list: &ProposalList<'_>,
        incoming: &Incoming<'_>,
        applied: Applied,
        committer: LeafIndex,
    ) -> Result<Staged, ProcessError> {
        let tree = match &incoming.commit.path {
            Some(path) => applied.tree.merge_update_path(list.suite, committer, path, &applied.added_leaves())?,
            None => applied.tree,
        };
        check_result(list.env, &tree, &applied.extensions)?;
        let mut events = applied.events;
        events.push(Event::SelfRemoved);
        Ok(Staged {
            committer,
            events,
            extensions: applied.extensions,
            tree,
            removes_self: true,
            step: Step {
                revision: self.revision,
                changes: self.removal_changes().map_err(rule)?,
                effect: Effect::RemoveSelf,
            },
        })
    }

    /// Our Update, if the commit applies it.
    fn applied_own_update(&self, applied: &Applied) -> Option<ProposalRef> {
        let own = applied.updated.iter().find(|(index, _)| *index == self.own_index());
        own.and_then(|(_, reference)| *reference)
    }

    /// Sections 7.5 and 12.4.2: merges the path, opens it, and builds the provisional context.
    fn apply_path(
        &self,
        list: &ProposalList<'_>,
        path: Option<&UpdatePath>,
        (applied, committer): (&Applied, LeafIndex),
        own_update: Option<&HpkePrivateKey>,
    ) -> Result<Moved, ProcessError> {
        let suite = list.suite;
        let context = self.public.context();
        let mut private = PrivateChange { leaf_key: own_update.map(HpkePrivateKey::duplicate), path_keys: Vec::new() };
        let Some(path) = path else {
            check_result(list.env, &applied.tree, &applied.extensions)?;
            let provisional = provisional_context(context, &applied.tree, applied.extensions.clone())?;
            // COM-13
            let commit_secret = Secret::zero(suite.hash_len());
            return Ok(Moved { tree: applied.tree.clone(), provisional, private, commit_secret });
        };
        let added = applied.added_leaves();
        let tree = applied.tree.merge_update_path(suite, committer, path, &added)?;
        check_result(list.env, &tree, &applied.extensions)?;
        let provisional = provisional_context(context, &tree, applied.extensions.clone())?;
        let place = Provisional { tree: &applied.tree, committer, added: &added };
        let keys = PathKeys { private: &self.private, own_update };
        let received = keys.open(suite, place, path, &encode(&provisional)?)?;
        private.path_keys = received.change.path_keys;
        Ok(Moved { tree, provisional, private, commit_secret: received.commit_secret })
    }

    /// EXT-10, EXT-18 (Section 8.3).
    fn external_init(&self, applied: &Applied) -> Result<Option<InitSecret>, ProcessError> {
        let Some(kem_output) = &applied.kem_output else { return Ok(None) };
        let suite = self.suite.as_ref();
        let (private, public) = self.keys.external_secret.key_pair(suite)?;
        Ok(Some(InitSecret::from_external_receiver(suite, (&private, &public), kem_output)?))
    }
}

/// Records of ours that cannot be encoded are the only failure here.
fn rule(error: OperationError) -> ProcessError {
    match error {
        OperationError::Rule(error) => error,
        _ => ProcessError::Decode(crate::error::DecodeError::TooLong),
    }
}

/// Sections 12.2 and 12.3, and where the committer sits in the tree that results.
pub(super) fn check_and_apply(
    list: &ProposalList<'_>,
    incoming: &Incoming<'_>,
) -> Result<(Applied, LeafIndex), ProcessError> {
    let path = incoming.commit.path.as_ref();
    match incoming.sender {
        Sender::Member(committer) => {
            list.check_regular(committer)?;
            // COM-05
            if path.is_none() && list.path_required() {
                return Err(ProcessError::PathRequired);
            }
            let applied = apply(list, None, false)?;
            if let Some(path) = path {
                check_path_leaf(list, &applied, committer, &path.leaf_node)?;
            }
            Ok((applied, committer))
        }
        Sender::NewMemberCommit => {
            // EXT-05
            let path = path.ok_or(ProcessError::InvalidExternalCommit)?;
            list.check_external(&path.leaf_node)?;
            let applied = apply(list, Some(&path.leaf_node), false)?;
            let committer = applied.joiner.ok_or(ProcessError::InvalidExternalCommit)?;
            Ok((applied, committer))
        }
        Sender::External(_) | Sender::NewMemberProposal => Err(ProcessError::SenderNotAllowed),
    }
}

pub(super) fn events(mut events: Vec<Event>, incoming: &Incoming<'_>, committer: LeafIndex) -> Vec<Event> {
    match (incoming.sender, &incoming.commit.path) {
        (Sender::NewMemberCommit, _) => events.push(Event::JoinedExternally(committer)),
        (_, Some(_)) => events.push(Event::Updated(committer)),
        (_, None) => {}
    }
    events
}
