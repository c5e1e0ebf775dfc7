//! Joining by external commit (RFC 9420, Section 12.4.3.2), and proposals from outside (Section 12.1.8).
//!
//! In: a published GroupInfo. Out: a commit that adds us, with the group it leads to; or a proposal.
//! Always: EXT-14: the GroupInfo is unconfirmed until the group accepts the commit; keep the new group aside until then.

use mls_crypto::{Opaque, SignaturePrivateKey, SuiteCrypto, Tag};

use super::{
    Change, Group, KeyPackageSecrets, PublicState,
    apply::{Applied, apply, check_result},
    epoch::{Advance, Advanced, provisional_context},
    join::check_group_info,
    key_package::NewLeaf,
    proposals::Resolved,
    propose::check_len,
    psk::{find_psk_secret, fresh_id},
    rules::ProposalList,
};
use crate::{
    codec::{decode_exact, encode},
    error::{DecodeError, OperationError, ProcessError},
    framing::sign,
    math::LeafIndex,
    message::{
        Add, Capabilities, Commit, Content, Credential, ExtensionType, Extensions, ExternalInit, ExternalPub,
        FramedContent, Grease, GroupContext, GroupInfo, LeafNode, LeafNodeSource, MlsMessage, PreSharedKey, Proposal,
        ProposalOrRef, PskKind, PublicMessage, Remove, Sender, UpdatePath, WireFormat,
    },
    policy::{Env, Proposer},
    schedule::{InitSecret, interim_transcript_hash},
    tree::{LeafPlace, LeafRules, PathCreated, PathSigner, PrivateChange, Provisional, RatchetTree, TreePrivate},
};

/// Who joins, and what comes with it.
#[derive(Debug)]
pub struct ExternalJoinParams<'a> {
    /// Who we are.
    pub credential: Credential,
    /// Our signature key.
    pub signature_key: &'a SignaturePrivateKey,
    /// What we support; see [`super::own_capabilities`].
    pub capabilities: Capabilities,
    /// Extensions of our leaf.
    pub leaf_extensions: Extensions,
    /// Our old leaf, to be removed (resync).
    pub remove: Option<LeafIndex>,
    /// Pre-shared keys to mix in.
    pub psks: Vec<PskKind>,
    /// Bytes that are authenticated beside the commit.
    pub authenticated_data: Vec<u8>,
}

/// A group we are about to join.
#[derive(Debug)]
pub struct ExternalJoin {
    /// The commit, an encoded MLSMessage.
    pub commit: Vec<u8>,
    /// The group after it. Use it once the commit is accepted.
    pub group: Group,
    /// Its records.
    pub changes: Vec<Change>,
}

/// What is known of a group from outside.
pub(super) struct Outside {
    pub(super) info: GroupInfo,
    pub(super) public: PublicState,
}

impl Outside {
    /// EXT-13: a GroupInfo, checked as a joiner does.
    pub(super) fn check(
        env: &Env<'_>,
        group_info: &[u8],
        ratchet_tree: Option<&[u8]>,
    ) -> Result<(std::sync::Arc<dyn SuiteCrypto>, Self), ProcessError> {
        let info = decode_group_info(env, group_info)?;
        let suite = env.crypto.suite(info.group_context.cipher_suite)?;
        let tree = check_group_info(env, suite.as_ref(), &info, ratchet_tree)?;
        let confirmed = &info.group_context.confirmed_transcript_hash;
        // EXT-14
        let tag: Tag = info.confirmation_tag;
        let interim = interim_transcript_hash(suite.as_ref(), confirmed, &tag)?;
        let public = PublicState::new(info.group_context.clone(), tree, interim, tag)?;
        Ok((suite, Self { info, public }))
    }
}

impl Group {
    /// Joins a group by a commit of our own. `group_info` is an encoded MLSMessage.
    ///
    /// # Errors
    /// [`OperationError::Rule`] naming the rule: [`ProcessError::NoExternalPub`] (EXT-12),
    /// [`ProcessError::TreeNeeded`], and all that members would hold against the commit.
    pub fn join_external(
        env: &Env<'_>,
        group_info: &[u8],
        ratchet_tree: Option<&[u8]>,
        params: ExternalJoinParams<'_>,
    ) -> Result<ExternalJoin, OperationError> {
        let (suite, outside) = Outside::check(env, group_info, ratchet_tree)?;
        let join = JoinByCommit { env, suite: suite.as_ref(), outside: &outside };
        let (proposals, init_secret) = join.proposals(&params)?;
        let proposer = Proposer::NewMember;
        let resolved: Vec<_> =
            proposals.iter().map(|proposal| Resolved { proposer, proposal, reference: None }).collect();
        let list =
            ProposalList { env, suite: suite.as_ref(), state: &outside.public, proposals: &resolved, succession: None };
        let applied = apply(&list, None, true)?;
        let (placed, index, template) = join.place(&applied.tree, &params)?;
        let path = join.path(&list, &applied, (&placed, index), (template, params.signature_key))?;
        let psk_secret = find_psk_secret(env, suite.as_ref(), &applied.psks, &|_, _| None)?;
        let (path, created, provisional) = path;
        let commit = Commit { proposals: by_value(&proposals), path: Some(path) };
        let content = join.frame(Content::Commit(commit), &params);
        let context = outside.public.encoded_context();
        let mut content = sign(suite.as_ref(), params.signature_key, WireFormat::PUBLIC_MESSAGE, content, context)?;
        let advance = Advance {
            suite: suite.as_ref(),
            current: &outside.public,
            provisional,
            tree: created.tree,
            init_secret: &init_secret,
            commit_secret: created.commit_secret,
            psk_secret,
        };
        let Advanced { public, keys, joiner_secret: _, welcome_secret: _ } = advance.run(&content)?;
        content.auth.confirmation_tag = Some(*public.confirmation_tag());
        let message = PublicMessage { content: content.content, auth: content.auth, membership_tag: None };
        let commit = encode(&MlsMessage::PublicMessage(Box::new(message)))?;
        let private = own_keys(index, created.change)?;
        let group = Self::begin(suite, public, keys, private, params.signature_key.duplicate());
        let changes = group.all_records()?;
        Ok(ExternalJoin { commit, group, changes })
    }
}

/// The steps of an external commit.
struct JoinByCommit<'a> {
    env: &'a Env<'a>,
    suite: &'a dyn SuiteCrypto,
    outside: &'a Outside,
}

impl JoinByCommit<'_> {
    /// EXT-01 to EXT-03, EXT-12: ExternalInit, at most one Remove, PSKs; and the init secret they begin with.
    fn proposals(&self, params: &ExternalJoinParams<'_>) -> Result<(Vec<Proposal>, InitSecret), OperationError> {
        let external_pub: ExternalPub =
            self.outside.info.extensions.body(ExtensionType::EXTERNAL_PUB)?.ok_or(ProcessError::NoExternalPub)?;
        let (kem_output, init_secret) =
            InitSecret::from_external_sender(self.suite, &external_pub.external_pub, self.env.random)?;
        let mut proposals = vec![Proposal::ExternalInit(ExternalInit { kem_output: Opaque::new(kem_output) })];
        proposals.extend(params.remove.map(|removed| Proposal::Remove(Remove { removed })));
        for kind in &params.psks {
            let psk = fresh_id(self.env, self.suite, kind.clone())?;
            proposals.push(Proposal::PreSharedKey(PreSharedKey { psk }));
        }
        Ok((proposals, init_secret))
    }

    /// EXT-11: the leftmost blank leaf, held by a leaf that the path replaces.
    fn place(
        &self,
        tree: &RatchetTree,
        params: &ExternalJoinParams<'_>,
    ) -> Result<(RatchetTree, LeafIndex, LeafNode), OperationError> {
        let leaf = NewLeaf {
            credential: params.credential.clone(),
            capabilities: params.capabilities.clone(),
            extensions: params.leaf_extensions.clone(),
            source: LeafNodeSource::Update,
            signature_key: params.signature_key,
            grease: Grease::draw(self.env.random)?,
        };
        let group_id = self.outside.public.context().group_id.as_slice();
        let (template, _) = leaf.sign(self.env, self.suite, (group_id, LeafIndex::FIRST))?;
        let mut draft = tree.draft(self.suite);
        let index = draft.add(template.clone())?;
        Ok((draft.seal()?, index, template))
    }

    fn path(
        &self,
        list: &ProposalList<'_>,
        applied: &Applied,
        (placed, index): (&RatchetTree, LeafIndex),
        (leaf, signature_key): (LeafNode, &SignaturePrivateKey),
    ) -> Result<(UpdatePath, PathCreated, GroupContext), OperationError> {
        let (env, suite, state) = (self.env, self.suite, &self.outside.public);
        let group_id = state.context().group_id.as_slice();
        let created = PathCreated::new(env, suite, placed, PathSigner { index, group_id, leaf, signature_key })?;
        list.check_external(created.leaf())?;
        let replaced = applied.removed.iter().next().and_then(|removed| state.tree().leaf(*removed));
        let context = GroupContext { extensions: applied.extensions.clone(), ..state.context().clone() };
        LeafRules::new(env, suite, &context)?.check_leaf(created.leaf().clone(), LeafPlace::Commit(index, replaced))?;
        check_result(env, &created.tree, &applied.extensions)?;
        let provisional = provisional_context(state.context(), &created.tree, applied.extensions.clone())?;
        let place = Provisional { tree: placed, committer: index, added: &applied.added_leaves() };
        let path = created.seal(env, suite, place, &encode(&provisional)?)?;
        Ok((path, created, provisional))
    }

    fn frame(&self, content: Content, params: &ExternalJoinParams<'_>) -> FramedContent {
        let context = self.outside.public.context();
        FramedContent {
            group_id: context.group_id.clone(),
            epoch: context.epoch,
            sender: Sender::NewMemberCommit,
            authenticated_data: Opaque::from(params.authenticated_data.as_slice()),
            content,
        }
    }
}

fn by_value(proposals: &[Proposal]) -> Vec<ProposalOrRef> {
    proposals.iter().map(|proposal| ProposalOrRef::Proposal(proposal.clone())).collect()
}

fn own_keys(index: LeafIndex, change: PrivateChange) -> Result<TreePrivate, ProcessError> {
    let leaf_key = change.leaf_key.ok_or(ProcessError::PathKeyMissing)?;
    Ok(TreePrivate::from_parts(index, leaf_key, change.path_keys))
}

fn decode_group_info(env: &Env<'_>, bytes: &[u8]) -> Result<GroupInfo, ProcessError> {
    const LARGEST_KEM_OUTPUT: usize = 1_120;
    check_len(bytes, env.limits.max_welcome(LARGEST_KEM_OUTPUT))?;
    match decode_exact(bytes)? {
        MlsMessage::GroupInfo(info) => Ok(*info),
        _ => Err(DecodeError::UnsupportedWireFormat.into()),
    }
}

/// Proposals from outside a group (Section 12.1.8), always public (PROP-21).
#[derive(Debug)]
pub struct ExternalProposals<'a> {
    env: &'a Env<'a>,
    context: GroupContext,
    suite: std::sync::Arc<dyn SuiteCrypto>,
}

impl<'a> ExternalProposals<'a> {
    /// For the group and epoch of this GroupInfo, an encoded MLSMessage. Its tree and signature are not looked at: the
    /// proposal only names group and epoch, and members judge it (XS-03).
    ///
    /// # Errors
    /// [`ProcessError::Decode`], [`ProcessError::Crypto`] for an unsupported suite.
    pub fn new(env: &'a Env<'a>, group_info: &[u8]) -> Result<Self, ProcessError> {
        let context = decode_group_info(env, group_info)?.group_context;
        let suite = env.crypto.suite(context.cipher_suite)?;
        Ok(Self { env, context, suite })
    }

    /// A client asks to be added: the Add of its own key package. Returns an encoded MLSMessage.
    ///
    /// # Errors
    /// [`ProcessError`] if signing fails.
    pub fn join(&self, keys: &KeyPackageSecrets) -> Result<Vec<u8>, ProcessError> {
        let proposal = Proposal::Add(Box::new(Add { key_package: keys.key_package().clone() }));
        self.send(Sender::NewMemberProposal, keys.signature_key(), proposal)
    }

    /// The external sender with this index proposes something. Returns an encoded MLSMessage.
    ///
    /// # Errors
    /// [`ProcessError::SenderNotAllowed`] for a proposal external senders may not make (FRM-13); if signing fails.
    pub fn propose(
        &self,
        sender_index: u32,
        signature_key: &SignaturePrivateKey,
        proposal: Proposal,
    ) -> Result<Vec<u8>, ProcessError> {
        let item = Resolved { proposer: Proposer::External(sender_index), proposal: &proposal, reference: None };
        super::rules::check_proposer(&item, &|kind| {
            self.env.policy.custom_proposal(kind).ok_or(ProcessError::UnsupportedProposal(kind))
        })?;
        self.send(Sender::External(sender_index), signature_key, proposal)
    }

    /// A PSK id with a fresh nonce for this group's suite.
    ///
    /// # Errors
    /// [`ProcessError::Crypto`] if randomness fails.
    pub fn psk(&self, kind: PskKind) -> Result<Proposal, ProcessError> {
        let psk = fresh_id(self.env, self.suite.as_ref(), kind)?;
        Ok(Proposal::PreSharedKey(PreSharedKey { psk }))
    }

    fn send(&self, sender: Sender, key: &SignaturePrivateKey, proposal: Proposal) -> Result<Vec<u8>, ProcessError> {
        let content = FramedContent {
            group_id: self.context.group_id.clone(),
            epoch: self.context.epoch,
            sender,
            authenticated_data: Opaque::new(Vec::new()),
            content: Content::Proposal(proposal),
        };
        let content = sign(self.suite.as_ref(), key, WireFormat::PUBLIC_MESSAGE, content, &[])?;
        let message = PublicMessage { content: content.content, auth: content.auth, membership_tag: None };
        Ok(encode(&MlsMessage::PublicMessage(Box::new(message)))?)
    }
}
