//! Commits that break a rule, and are sound in all else (RFC 9420, Sections 12.4.1 and 12.4.3.2).

use std::collections::BTreeSet;

use mls_crypto::{Hash, HpkePublicKey, Opaque, SealJob, Secret, SignaturePrivateKey, Tag, label};
use mls_engine::{
    codec::encode,
    math::{LeafIndex, NodeIndex},
    message::{
        Commit, Content, Extensions, ExternalInit, GroupContext, LeafNode, LeafNodeSource, PreSharedKeyId, Proposal,
        ProposalOrRef, Sender, UpdatePath, WireFormat,
    },
    schedule::{CommitSecret, InitSecret, JoinerSecret, confirmation_tag, confirmed_transcript_hash, psk_secret},
    tree::{PathCreated, PathSigner, Provisional, RatchetTree},
};

use super::{Insider, sign_leaf};
use crate::network::NewMember;

/// A commit before it is signed. Every part may be changed; what depends on it is then the caller's to redo.
#[derive(Debug)]
pub struct ForgedCommit {
    /// Its proposals.
    pub proposals: Vec<ProposalOrRef>,
    /// Its path.
    pub path: Option<UpdatePath>,
    /// Who sends it.
    pub sender: Sender,
    /// Who signs it.
    pub signature_key: SignaturePrivateKey,
    /// Where the committer sits.
    pub index: LeafIndex,
    /// The committer's leaf before the path.
    pub leaf: LeafNode,
    /// Context extensions of the next epoch.
    pub extensions: Extensions,
    /// The tree after the proposals, as far as they can be applied.
    pub provisional: RatchetTree,
    /// The tree after the path.
    pub tree: RatchetTree,
    /// Leaves that the commit adds.
    pub added: BTreeSet<LeafIndex>,
    /// Pre-shared keys.
    pub psks: Vec<(PreSharedKeyId, Secret)>,
    /// Secrets of the path's nodes, from the leaf up.
    pub path_secrets: Vec<Vec<u8>>,
    /// What the path contributes.
    pub commit_secret: Secret,
    /// In place of the epoch's, in an external commit.
    pub init_secret: Option<InitSecret>,
    /// In place of the right one.
    pub confirmation_tag: Option<Tag>,
}

impl Insider {
    /// A commit of these proposals by value, without a path. `psk` is the secret of every PSK among them.
    pub fn commit(&self, proposals: Vec<Proposal>) -> ForgedCommit {
        let items =
            proposals.into_iter().map(|proposal| (ProposalOrRef::Proposal(proposal.clone()), proposal, self.own));
        self.commit_items(items.collect())
    }

    /// A commit of these proposals, each with what it stands for and who made it.
    pub fn commit_items(&self, items: Vec<(ProposalOrRef, Proposal, LeafIndex)>) -> ForgedCommit {
        let mut forged = ForgedCommit {
            proposals: items.iter().map(|(item, ..)| item.clone()).collect(),
            path: None,
            sender: Sender::Member(self.own),
            signature_key: self.signature_key.duplicate(),
            index: self.own,
            leaf: self.leaf().clone(),
            extensions: self.context().extensions.clone(),
            provisional: self.tree().clone(),
            tree: self.tree().clone(),
            added: BTreeSet::new(),
            psks: Vec::new(),
            path_secrets: Vec::new(),
            commit_secret: Secret::zero(self.suite.hash_len()),
            init_secret: None,
            confirmation_tag: None,
        };
        let resolved: Vec<_> = items.into_iter().map(|(_, proposal, proposer)| (proposal, proposer)).collect();
        self.apply(&mut forged, &resolved);
        forged
    }

    /// Section 12.3, without rules: what cannot be applied is left out.
    fn apply(&self, forged: &mut ForgedCommit, proposals: &[(Proposal, LeafIndex)]) {
        let suite = self.suite.as_ref();
        let mut tree = forged.provisional.clone();
        for (proposal, proposer) in proposals {
            match proposal {
                Proposal::GroupContextExtensions(change) => forged.extensions = change.extensions.clone(),
                Proposal::Update(update) => {
                    tree = tree.with_updated(suite, *proposer, update.leaf_node.clone()).unwrap_or(tree);
                }
                _ => {}
            }
        }
        for (proposal, _) in proposals {
            if let Proposal::Remove(remove) = proposal {
                tree = tree.with_removed(suite, remove.removed).unwrap_or(tree);
            }
        }
        for (proposal, _) in proposals {
            match proposal {
                Proposal::Add(add) => {
                    if let Ok((next, index)) = tree.with_added(suite, add.key_package.leaf_node.clone()) {
                        tree = next;
                        forged.added.insert(index);
                    }
                }
                Proposal::PreSharedKey(psk) => forged.psks.push((psk.psk.clone(), Secret::copy_from(b"psk"))),
                _ => {}
            }
        }
        forged.tree = tree.clone();
        forged.provisional = tree;
    }

    /// An external commit by `newcomer` with these proposals after its ExternalInit, and a path.
    pub fn external(&self, newcomer: &NewMember, proposals: Vec<Proposal>) -> ForgedCommit {
        let (kem_output, init_secret) =
            InitSecret::from_external_sender(self.suite.as_ref(), &self.external_pub(), &self.host.random).unwrap();
        let init = Proposal::ExternalInit(ExternalInit { kem_output: Opaque::new(kem_output) });
        let mut forged = self.commit([vec![init], proposals].concat());
        let mut leaf = newcomer.key_package().key_package().leaf_node.clone();
        leaf.source = LeafNodeSource::Update;
        let (provisional, index) = forged.provisional.with_added(self.suite.as_ref(), leaf.clone()).unwrap();
        forged.init_secret = Some(init_secret);
        forged.sender = Sender::NewMemberCommit;
        forged.signature_key = newcomer.signature_key.duplicate();
        (forged.provisional, forged.index, forged.leaf) = (provisional, index, leaf);
        self.add_path(&mut forged, |_| {});
        forged
    }

    /// A commit of these proposals with a path.
    pub fn commit_with_path(&self, proposals: Vec<Proposal>) -> ForgedCommit {
        let mut forged = self.commit(proposals);
        self.add_path(&mut forged, |_| {});
        forged
    }

    /// Makes the path; `edit` changes the committer's leaf, but for what the path itself decides.
    pub fn add_path(&self, forged: &mut ForgedCommit, edit: impl FnOnce(&mut LeafNode)) {
        let (env, suite) = (self.host.env(), self.suite.as_ref());
        let mut leaf = forged.leaf.clone();
        edit(&mut leaf);
        let group_id = self.context().group_id.as_slice();
        let signer = PathSigner { index: forged.index, group_id, leaf, signature_key: &forged.signature_key };
        let created = PathCreated::new(&env, suite, &forged.provisional, signer).unwrap();
        let context = encode(&self.provisional_context(forged, &created.tree)).unwrap();
        let place = Provisional { tree: &forged.provisional, committer: forged.index, added: &forged.added };
        forged.path = Some(created.seal(&env, suite, place, &context).unwrap());
        let below = steps(forged).into_iter().map(|(_, copath)| first_leaf(copath));
        forged.path_secrets = below.map(|leaf| created.secret_for(leaf).unwrap().0.as_slice().to_vec()).collect();
        forged.tree = created.tree.clone();
        forged.commit_secret = created.commit_secret.duplicate();
    }

    /// Changes a finished path and signs its leaf again.
    pub fn edit_path(&self, forged: &mut ForgedCommit, edit: impl FnOnce(&mut UpdatePath)) {
        let suite = self.suite.as_ref();
        let group_id = self.context().group_id.as_slice();
        let mut path = forged.path.take().unwrap();
        edit(&mut path);
        sign_leaf(suite, &forged.signature_key, &mut path.leaf_node, (group_id, forged.index));
        if let Ok(tree) = forged.provisional.merge_update_path(suite, forged.index, &path, &forged.added) {
            forged.tree = tree;
        }
        forged.path = Some(path);
    }

    /// Changes a finished path, then does again what depends on it: parent hashes, signature, tree and ciphertexts.
    pub fn remake_path(&self, forged: &mut ForgedCommit, edit: impl FnOnce(&mut UpdatePath)) {
        let suite = self.suite.as_ref();
        let steps = steps(forged);
        let provisional = forged.provisional.clone();
        self.edit_path(forged, |path| {
            edit(path);
            let mut above = Hash::EMPTY;
            for ((_, copath), node) in steps.iter().zip(&path.nodes).rev() {
                let sibling = provisional.tree_hash_at(*copath).unwrap();
                above = suite.hash(&[&encode(&((&node.encryption_key, above), sibling)).unwrap()]);
            }
            path.leaf_node.source = LeafNodeSource::Commit(above);
        });
        self.reseal_path(forged);
    }

    /// Seals the path secrets again, as they are now.
    pub fn reseal_path(&self, forged: &mut ForgedCommit) {
        let suite = self.suite.as_ref();
        let context = encode(&self.provisional_context(forged, &forged.tree)).unwrap();
        let steps = steps(forged);
        let mut path = forged.path.take().unwrap();
        for (((_, copath), node), secret) in steps.iter().zip(&mut path.nodes).zip(&forged.path_secrets) {
            let mut recipients = forged.provisional.resolution(*copath);
            recipients.retain(|node| node.leaf().is_none_or(|leaf| !forged.added.contains(&leaf)));
            let seal = |recipient: &NodeIndex| {
                let public_key = public_key(&forged.provisional, *recipient);
                let job = SealJob { public_key, plaintext: secret };
                label::encrypt_with_label(suite, job, "UpdatePathNode", &context, &self.host.random).unwrap()
            };
            node.encrypted_path_secret = recipients.iter().map(seal).collect();
        }
        forged.path = Some(path);
    }

    /// The context of the next epoch before the transcript moves.
    pub fn provisional_context(&self, forged: &ForgedCommit, tree: &RatchetTree) -> GroupContext {
        GroupContext {
            epoch: self.context().epoch.wrapping_add(1),
            tree_hash: tree.tree_hash(),
            extensions: forged.extensions.clone(),
            ..self.context().clone()
        }
    }

    /// Signs, tags and encodes a commit as a PublicMessage.
    pub fn finish(&self, forged: &ForgedCommit) -> Vec<u8> {
        let suite = self.suite.as_ref();
        let commit = Commit { proposals: forged.proposals.clone(), path: forged.path.clone() };
        let content = self.content(forged.sender, Content::Commit(commit));
        let mut signed = self.sign_with(&forged.signature_key, WireFormat::PUBLIC_MESSAGE, content);
        let confirmed = confirmed_transcript_hash(suite, self.public.interim_transcript_hash(), &signed).unwrap();
        let context = self.provisional_context(forged, &forged.tree);
        let context = encode(&GroupContext { confirmed_transcript_hash: confirmed, ..context }).unwrap();
        let init_secret = forged.init_secret.as_ref().unwrap_or(&self.init_secret);
        let commit_secret = CommitSecret::from_secret(forged.commit_secret.duplicate());
        let psks: Vec<_> = forged.psks.iter().map(|(id, secret)| (id, secret)).collect();
        let psk_secret = psk_secret(suite, &psks).unwrap();
        let joiner = JoinerSecret::derive(suite, init_secret, &commit_secret, &context).unwrap();
        let (_, epoch) = joiner.welcome_and_epoch(suite, &psk_secret, &context).unwrap();
        let tag = confirmation_tag(suite, &epoch.split(suite).unwrap().confirmation_key, &confirmed);
        signed.auth.confirmation_tag = Some(forged.confirmation_tag.unwrap_or(tag));
        self.public_bytes(signed)
    }
}

/// The committer's filtered direct path: each parent with the child that is not on the path.
fn steps(forged: &ForgedCommit) -> Vec<(NodeIndex, NodeIndex)> {
    let leaves = forged.provisional.leaf_count();
    let mut node = forged.index.node().unwrap();
    let mut steps = Vec::new();
    while let Some(parent) = node.parent(leaves) {
        let copath = node.sibling(leaves).unwrap();
        if !forged.provisional.resolution(copath).is_empty() {
            steps.push((parent, copath));
        }
        node = parent;
    }
    steps
}

/// The leftmost leaf below a node.
fn first_leaf(mut node: NodeIndex) -> LeafIndex {
    while let Some(left) = node.left() {
        node = left;
    }
    node.leaf().unwrap()
}

fn public_key(tree: &RatchetTree, node: NodeIndex) -> &HpkePublicKey {
    match node.leaf() {
        Some(leaf) => &tree.leaf(leaf).unwrap().encryption_key,
        None => &tree.parent(node).unwrap().encryption_key,
    }
}
