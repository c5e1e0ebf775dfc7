//! Creating commits (RFC 9420, Section 12.4.1), and what becomes of them (Section 14).
//!
//! In: cached proposals, what to add by value, options. Out: a candidate for the next epoch and the messages that
//! offer it.
//! Always: COM-21: the epoch does not move; COM-22: a Welcome leaves only with an acceptance.

use std::{collections::BTreeSet, sync::Arc};

use mls_crypto::{Secret, SignaturePrivateKey, SignaturePublicKey, SuiteCrypto};

use super::{
    Group, PublicState,
    apply::{Applied, apply, check_result},
    epoch::{Advance, Advanced, Candidate, EpochKeys, provisional_context},
    proposals::Resolved,
    propose::{MessageOptions, ProposalKind},
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
    message::{
        Capabilities, Commit, Content, Credential, Extensions, GroupContext, LeafNode, Proposal, ProposalOrRef,
        ProposalRef, ResumptionPskUsage, UpdatePath,
    },
    policy::{Env, Proposer},
    tree::{PathCreated, PathSigner, PrivateChange, Provisional, RatchetTree},
};

/// What changes in our own leaf; `None` keeps what is there.
#[derive(Clone, Debug, Default)]
pub struct LeafChange {
    /// A new credential (CRED-08: a successor of the old one).
    pub credential: Option<Credential>,
    /// New capabilities.
    pub capabilities: Option<Capabilities>,
    /// New leaf extensions.
    pub extensions: Option<Extensions>,
    /// A new signature key.
    pub signature_key: Option<SignatureKeyPair>,
}

/// A signature key pair.
#[derive(Debug)]
pub struct SignatureKeyPair {
    private: SignaturePrivateKey,
    public: SignaturePublicKey,
}

impl SignatureKeyPair {
    /// The pair of this private key.
    ///
    /// # Errors
    /// [`mls_crypto::CryptoError::InvalidPrivateKey`].
    pub fn new(suite: &dyn SuiteCrypto, private: SignaturePrivateKey) -> Result<Self, mls_crypto::CryptoError> {
        let public = suite.signature_public_key(&private)?;
        Ok(Self { private, public })
    }

    /// The private half.
    pub fn private(&self) -> &SignaturePrivateKey {
        &self.private
    }

    /// The public half.
    pub fn public(&self) -> &SignaturePublicKey {
        &self.public
    }

    pub(super) fn into_private(self) -> SignaturePrivateKey {
        self.private
    }
}

impl Clone for SignatureKeyPair {
    /// One description of a change may be used in several candidates.
    fn clone(&self) -> Self {
        Self { private: self.private.duplicate(), public: self.public.clone() }
    }
}

/// When a commit carries a path.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum PathChoice {
    /// X-AUTH-20: always, so that every commit heals.
    #[default]
    Always,
    /// Only when the proposals need one (COM-05).
    WhenRequired,
}

/// What to commit, and how.
#[derive(Clone, Debug)]
pub struct CommitOptions {
    /// Proposals of our own that travel in the commit.
    pub by_value: Vec<ProposalKind>,
    /// Cached proposals to leave out. LIST-18: all others that keep the list valid are committed.
    pub without: BTreeSet<ProposalRef>,
    /// When to send a path.
    pub path: PathChoice,
    /// What changes in our own leaf; anything here asks for a path.
    pub leaf: LeafChange,
    /// Whether the Welcome and the GroupInfo carry the ratchet tree (TREE-16).
    pub tree_in_welcome: bool,
    /// Whether the GroupInfo in the Welcome allows external commits (EXT-12).
    pub external_pub: bool,
    /// Framing of the commit.
    pub message: MessageOptions,
}

impl Default for CommitOptions {
    fn default() -> Self {
        Self {
            by_value: Vec::new(),
            without: BTreeSet::new(),
            path: PathChoice::Always,
            leaf: LeafChange::default(),
            tree_in_welcome: true,
            external_pub: false,
            message: MessageOptions::default(),
        }
    }
}

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

    /// LIST-18: all of `candidates` if they are valid together; else ours, and of the cached ones as many as keep the
    /// list valid, in the order they came.
    fn largest_valid<'a>(
        &'a self,
        env: &'a Env<'a>,
        candidates: Vec<Resolved<'a>>,
        succession: Option<ResumptionPskUsage>,
    ) -> Result<(Vec<Resolved<'a>>, Applied), ProcessError> {
        let whole = self.try_apply(env, &candidates, succession);
        if whole.is_ok() || candidates.iter().all(|item| item.reference.is_none()) {
            return whole.map(|applied| (candidates, applied));
        }
        let (cached, mut chosen): (Vec<_>, Vec<_>) = candidates.into_iter().partition(|item| item.reference.is_some());
        let mut applied = self.try_apply(env, &chosen, succession)?;
        for item in cached {
            let mut longer = vec![item];
            longer.splice(0..0, chosen.iter().copied().filter(|item| item.reference.is_some()));
            longer.extend(chosen.iter().copied().filter(|item| item.reference.is_none()));
            if let Ok(better) = self.try_apply(env, &longer, succession) {
                (chosen, applied) = (longer, better);
            }
        }
        Ok((chosen, applied))
    }

    /// Sections 12.2 and 12.3 for a list of ours.
    fn try_apply(
        &self,
        env: &Env<'_>,
        proposals: &[Resolved<'_>],
        succession: Option<ResumptionPskUsage>,
    ) -> Result<Applied, ProcessError> {
        let list = self.list(env, proposals, succession);
        list.check_regular(self.own_index())?;
        let applied = apply(&list, None, true)?;
        check_result(env, &applied.tree, &applied.extensions)?;
        let own_psk = |group_id: &[u8], epoch| self.own_resumption_psk(group_id, epoch);
        find_psk_secret(env, self.suite.as_ref(), &applied.psks, &own_psk)?;
        Ok(applied)
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

    /// LIST-18: cached proposals first, then ours; what would make the list invalid is left out: our own Updates, all
    /// but the last change of a leaf (Removes win, LIST-04), and ReInit beside anything else (LIST-09).
    fn committable<'a>(
        &'a self,
        env: &'a Env<'a>,
        options: &CommitOptions,
        by_value: &'a [Proposal],
        succession: Option<ResumptionPskUsage>,
    ) -> Vec<Resolved<'a>> {
        let own = Proposer::Member(self.own_index());
        let ours: Vec<_> =
            by_value.iter().map(|proposal| Resolved { proposer: own, proposal, reference: None }).collect();
        let mut chosen = Vec::new();
        for cached in self.proposals.iter() {
            if options.without.contains(&cached.reference) {
                continue;
            }
            if let Ok(item) = self.proposals.resolve_reference(&cached.reference) {
                let alone = [item];
                let list = self.list(env, &alone, succession);
                if list.check_one(&item).is_ok() && !item.concerns(self.own_index()) {
                    item.displace(&mut chosen);
                }
            }
        }
        for item in ours {
            item.displace(&mut chosen);
        }
        if chosen.len() > 1 && !by_value.iter().any(|proposal| matches!(proposal, Proposal::ReInit(_))) {
            chosen.retain(|item| !matches!(item.proposal, Proposal::ReInit(_)));
        }
        chosen
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

impl LeafChange {
    /// Whether anything changes.
    pub(super) fn is_some(&self) -> bool {
        let Self { credential, capabilities, extensions, signature_key } = self;
        credential.is_some() || capabilities.is_some() || extensions.is_some() || signature_key.is_some()
    }
}

impl<'a> Resolved<'a> {
    /// By reference if it was sent before, else by value.
    fn in_commit(&self) -> ProposalOrRef {
        match self.reference {
            Some(reference) => ProposalOrRef::Reference(reference),
            None => ProposalOrRef::Proposal(self.proposal.clone()),
        }
    }

    /// The leaf that an Update or Remove changes.
    fn leaf(&self) -> Option<LeafIndex> {
        match (self.proposal, self.proposer) {
            (Proposal::Remove(remove), _) => Some(remove.removed),
            (Proposal::Update(_), Proposer::Member(index)) => Some(index),
            _ => None,
        }
    }

    /// LIST-02, LIST-03: whether it changes this leaf.
    fn concerns(&self, leaf: LeafIndex) -> bool {
        self.leaf() == Some(leaf)
    }

    /// LIST-04, LIST-08: takes the place of an earlier change of the same thing, unless that is a Remove.
    fn displace(self, chosen: &mut Vec<Self>) {
        let same = |other: &Self| match (self.proposal, other.proposal) {
            (Proposal::GroupContextExtensions(_), Proposal::GroupContextExtensions(_)) => true,
            (Proposal::ReInit(_), Proposal::ReInit(_)) => true,
            _ => self.leaf().is_some() && self.leaf() == other.leaf(),
        };
        match chosen.iter().position(same) {
            Some(at) => {
                if let Some(earlier) = chosen.get_mut(at)
                    && !matches!(earlier.proposal, Proposal::Remove(_))
                {
                    *earlier = self;
                }
            }
            None => chosen.push(self),
        }
    }
}
