//! Creating commits (RFC 9420, Section 12.4.1), and what becomes of them (Section 14).
//!
//! In: cached proposals, what to add by value, options. Out: a candidate for the next epoch and the messages that
//! offer it.
//! Always: COM-21: the epoch does not move; COM-22: a Welcome leaves only with an acceptance.

mod choose;
mod options;

use std::sync::Arc;

use mls_crypto::Secret;

pub use options::{CommitOptions, LeafChange, PathChoice, SignatureKeyPair};

use super::{
    Group, PublicState,
    apply::{Applied, check_result},
    epoch::{Advance, Advanced, Candidate, EpochKeys, provisional_context},
    proposals::Resolved,
    psk::find_psk_secret,
    rules::ProposalList,
    transition::{Change, CommitId, Effect, Event, RecordClass, RecordKey, Step},
    welcome::{NewMembers, WelcomeParts},
};
use crate::{
    codec::encode,
    error::{OperationError, ProcessError},
    framing::sign,
    limits::MAX_PENDING_COMMITS,
    math::LeafIndex,
    message::{Commit, Content, GroupContext, LeafNode, Proposal, ProposalOrRef, ResumptionPskUsage, UpdatePath},
    policy::Env,
    tree::{PathCreated, PathSigner, PrivateChange, Provisional, RatchetTree},
};

/// A commit of ours that waits for acceptance.
#[derive(Debug)]
pub struct Pending {
    /// Its name.
    pub commit_id: CommitId,
    /// The commit, an encoded MLSMessage; to be sent once the step is durable.
    pub commit: Vec<u8>,
    /// The Welcome for all added members, an encoded MLSMessage. Give it to a delivery service that releases it only
    /// with the commit, or wait for [`Group::accept`].
    pub welcome: Option<Vec<u8>>,
    /// The leaves that the Welcome is for, in the order of their Adds.
    pub added: Vec<LeafIndex>,
    /// What keeps the candidate.
    pub step: Step,
}

/// A commit of ours that the group accepted.
#[derive(Debug)]
pub struct Accepted {
    /// The Welcome for all added members, now to be released.
    pub welcome: Option<Vec<u8>>,
    /// What moves the group.
    pub step: Step,
}

/// A commit's tree, its path, and the secrets of it.
struct WithPath {
    tree: RatchetTree,
    path: Option<(PathCreated, UpdatePath)>,
    provisional: GroupContext,
}

impl Group {
    /// Makes a candidate for the next epoch. Several may stand side by side.
    ///
    /// # Errors
    /// [`OperationError::Rule`] naming the rule that receivers would enforce; nothing has changed.
    pub fn commit(&self, env: &Env<'_>, options: CommitOptions) -> Result<Pending, OperationError> {
        self.commit_first(env, options, Vec::new(), None)
    }

    /// [`Group::commit`] with proposals that only the first commit of a continued group may hold.
    pub(super) fn commit_first(
        &self,
        env: &Env<'_>,
        options: CommitOptions,
        first: Vec<Proposal>,
        succession: Option<ResumptionPskUsage>,
    ) -> Result<Pending, OperationError> {
        self.check_active()?;
        if self.pending.len() >= MAX_PENDING_COMMITS {
            return Err(OperationError::TooManyPendingCommits);
        }
        let by_value = self.proposals_by_value(env, &options, first)?;
        let resolved = self.committable(env, &options, &by_value, succession);
        let (resolved, applied) = self.largest_valid(env, resolved, succession)?;
        let list = self.list(env, &resolved, succession);
        let want_path = options.path == PathChoice::Always || list.path_required() || options.leaf.is_some();
        // COM-27: a ReInit goes alone and needs no path.
        let want_path = want_path && (applied.reinit.is_none() || options.leaf.is_some());
        let built = self.build_path(env, &list, &applied, want_path.then_some(&options.leaf))?;
        let proposals = resolved.iter().map(Resolved::in_commit).collect();
        self.finish_commit(env, options, applied, (proposals, built))
    }

    /// LIST-17 and all others: the list as it will be judged.
    pub(super) fn list<'a>(
        &'a self,
        env: &'a Env<'a>,
        proposals: &'a [Resolved<'a>],
        succession: Option<ResumptionPskUsage>,
    ) -> ProposalList<'a> {
        ProposalList { env, suite: self.suite.as_ref(), state: &self.public, proposals, succession }
    }

    fn proposals_by_value(
        &self,
        env: &Env<'_>,
        options: &CommitOptions,
        first: Vec<Proposal>,
    ) -> Result<Vec<Proposal>, OperationError> {
        let mut proposals = first;
        for kind in &options.by_value {
            proposals.push(self.make_proposal(env, kind.clone())?.0);
        }
        Ok(proposals)
    }

    fn build_path(
        &self,
        env: &Env<'_>,
        list: &ProposalList<'_>,
        applied: &Applied,
        leaf: Option<&LeafChange>,
    ) -> Result<WithPath, OperationError> {
        let suite = self.suite.as_ref();
        let context = self.public.context();
        let Some(change) = leaf else {
            let provisional = provisional_context(context, &applied.tree, applied.extensions.clone())?;
            check_result(env, &applied.tree, &applied.extensions)?;
            return Ok(WithPath { tree: applied.tree.clone(), path: None, provisional });
        };
        let signer = PathSigner {
            index: self.own_index(),
            group_id: self.group_id(),
            leaf: self.changed_leaf(change)?,
            signature_key: change.signature_key.as_ref().map_or(&self.signature_key, |pair| pair.private()),
        };
        let created = PathCreated::new(env, suite, &applied.tree, signer)?;
        super::apply::check_path_leaf(list, applied, self.own_index(), created.leaf())?;
        check_result(env, &created.tree, &applied.extensions)?;
        let provisional = provisional_context(context, &created.tree, applied.extensions.clone())?;
        let added = applied.added_leaves();
        let place = Provisional { tree: &applied.tree, committer: self.own_index(), added: &added };
        let path = created.seal(env, suite, place, &encode(&provisional)?)?;
        Ok(WithPath { tree: created.tree.clone(), path: Some((created, path)), provisional })
    }

    /// Our leaf with what changes; its key, source and signature follow with the path.
    fn changed_leaf(&self, change: &LeafChange) -> Result<LeafNode, ProcessError> {
        let own = self.own_leaf().ok_or(ProcessError::NotAMember)?;
        let mut leaf = own.clone();
        if let Some(credential) = &change.credential {
            leaf.credential = credential.clone();
        }
        if let Some(capabilities) = &change.capabilities {
            leaf.capabilities = capabilities.clone();
        }
        if let Some(extensions) = &change.extensions {
            leaf.extensions = extensions.clone();
        }
        if let Some(pair) = &change.signature_key {
            leaf.signature_key = pair.public().clone();
        }
        Ok(leaf)
    }

    /// Signs the commit, moves the key schedule, and makes Welcome and message.
    fn finish_commit(
        &self,
        env: &Env<'_>,
        options: CommitOptions,
        applied: Applied,
        (proposals, built): (Vec<ProposalOrRef>, WithPath),
    ) -> Result<Pending, OperationError> {
        let suite = self.suite.as_ref();
        let commit = Commit { proposals, path: built.path.as_ref().map(|(_, path)| path.clone()) };
        let content = self.framed(Content::Commit(commit), &options.message);
        let wire_format = options.message.framing.wire_format();
        // COM-14: with the old context, and the old key.
        let mut content = sign(suite, &self.signature_key, wire_format, content, self.public.encoded_context())?;
        let own_psk = |group_id: &[u8], epoch| self.own_resumption_psk(group_id, epoch);
        let psk_secret = find_psk_secret(env, suite, &applied.psks, &own_psk)?;
        // COM-12, COM-13
        let commit_secret = match &built.path {
            Some((created, _)) => created.commit_secret.duplicate(),
            None => Secret::zero(suite.hash_len()),
        };
        let advance = Advance {
            suite,
            current: &self.public,
            provisional: built.provisional,
            tree: built.tree,
            init_secret: &self.keys.init_secret,
            commit_secret,
            psk_secret,
        };
        let Advanced { public, keys, joiner_secret, welcome_secret } = advance.run(&content)?;
        content.auth.confirmation_tag = Some(*public.confirmation_tag());
        let added: Vec<_> = applied.added.iter().map(|(index, _)| *index).collect();
        let welcome = if added.is_empty() {
            None
        } else {
            let path = built.path.as_ref().map(|(created, _)| created);
            let new_members = NewMembers { added: &applied.added, psks: &applied.psks, path };
            let parts = self.welcome_parts(&options, &public, &keys);
            Some(parts.welcome(env, &new_members, joiner_secret, welcome_secret)?)
        };
        let (message, spent) = self.protect(env, content, options.message.padding)?;
        let commit = encode(&message)?;
        let commit_id = suite.hash(&[&commit]);
        let path = built.path.map(|(created, _)| created);
        let candidate = self.candidate((applied, path), options.leaf, (public, keys), welcome.clone());
        let mut changes = self.plan_spent(env, spent.as_ref())?;
        let key = RecordKey::new(RecordClass::Pending, self.epoch(), commit_id.as_slice());
        changes.push(Change::Put(key, super::records::encode_candidate(&candidate, &self.public)?));
        let effect = Effect::Hold { id: commit_id, candidate: Box::new(candidate), spent };
        let step = Step { revision: self.revision, changes, effect };
        Ok(Pending { commit_id, commit, welcome, added, step })
    }

    fn welcome_parts<'a>(
        &'a self,
        options: &'a CommitOptions,
        public: &'a PublicState,
        keys: &'a EpochKeys,
    ) -> WelcomeParts<'a> {
        WelcomeParts {
            suite: self.suite.as_ref(),
            public,
            keys,
            signer: self.own_index(),
            // COM-17: with the key of the *new* leaf.
            signature_key: options.leaf.signature_key.as_ref().map_or(&self.signature_key, |pair| pair.private()),
            with_tree: options.tree_in_welcome,
            with_external_pub: options.external_pub,
        }
    }

    fn candidate(
        &self,
        (applied, path): (Applied, Option<PathCreated>),
        leaf: LeafChange,
        (public, keys): (PublicState, EpochKeys),
        welcome: Option<Vec<u8>>,
    ) -> Candidate {
        let mut events = applied.events;
        events.extend(path.is_some().then_some(Event::Updated(self.own_index())));
        Candidate {
            public: Arc::new(public),
            keys,
            private: path.map_or_else(PrivateChange::default, |created| created.change),
            own_update: None,
            signature_key: leaf.signature_key.map(SignatureKeyPair::into_private),
            reinit: applied.reinit,
            events,
            welcome,
        }
    }

    /// The delivery service accepted our commit: the group may move.
    ///
    /// # Errors
    /// [`OperationError::NoSuchPendingCommit`] (COM-28).
    pub fn accept(&self, env: &Env<'_>, commit_id: &CommitId) -> Result<Accepted, OperationError> {
        let candidate = self.pending.get(commit_id).ok_or(OperationError::NoSuchPendingCommit)?;
        let retired = self.retire(env);
        let changes = self.advance_changes(env, candidate, &retired)?;
        let step = Step { revision: self.revision, changes, effect: Effect::Accept(*commit_id, retired) };
        Ok(Accepted { welcome: candidate.welcome.clone(), step })
    }

    /// Our commit was rejected, or we changed our mind: the candidate goes, the group stays.
    ///
    /// # Errors
    /// [`OperationError::NoSuchPendingCommit`].
    pub fn discard(&self, commit_id: &CommitId) -> Result<Step, OperationError> {
        if !self.pending.contains_key(commit_id) {
            return Err(OperationError::NoSuchPendingCommit);
        }
        let key = RecordKey::new(RecordClass::Pending, self.epoch(), commit_id.as_slice());
        let changes = vec![Change::Delete(key)];
        Ok(Step { revision: self.revision, changes, effect: Effect::Discard(*commit_id) })
    }
}
