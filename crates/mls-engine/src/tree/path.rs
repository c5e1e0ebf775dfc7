//! Update paths: making, sealing and opening them (RFC 9420, Sections 7.4 to 7.6).
//!
//! In: the tree after the proposals, and either fresh randomness or a received path. Out: the tree with the path
//! merged, the new private keys, and the commit secret.
//! Always: the tree given is not changed; secrets on the way are wiped at the end (DEL-07).

use std::collections::BTreeSet;

use mls_crypto::{
    CryptoError, HpkeCiphertext, HpkePrivateKey, HpkePublicKey, Opaque, SealJob, Secret, SignaturePrivateKey,
    SuiteCrypto,
    label::{self, encrypt_with_label_many},
};

use super::{
    PathStep, RatchetTree, TreePrivate, parent_hash,
    private::{PrivateChange, climb, next_path_secret, node_key_pair},
    subtree::Span,
};
use crate::{
    error::ProcessError,
    math::{LeafIndex, NodeIndex},
    message::{LeafNode, LeafNodeSource, PathSecret, UpdatePath, UpdatePathNode},
    policy::Env,
};

/// Label of Section 7.6.
const ENCRYPT_LABEL: &str = "UpdatePathNode";

/// Whose path is made, and with which keys.
#[derive(Debug)]
pub struct PathSigner<'a> {
    /// The committer's leaf position.
    pub index: LeafIndex,
    /// The group.
    pub group_id: &'a [u8],
    /// The next leaf; its encryption key, source and signature are replaced.
    pub leaf: LeafNode,
    /// Key of `leaf.signature_key`.
    pub signature_key: &'a SignaturePrivateKey,
}

/// A path we made. Its ciphertexts are sealed once the next group context is known.
#[derive(Debug)]
pub struct PathCreated {
    /// The tree with the path merged.
    pub tree: RatchetTree,
    /// Our new private keys.
    pub change: PrivateChange,
    /// Start of the next epoch's key schedule (Section 8).
    pub commit_secret: Secret,
    leaf: LeafNode,
    nodes: Vec<CreatedNode>,
}

#[derive(Debug)]
struct CreatedNode {
    span: Span,
    public_key: HpkePublicKey,
    path_secret: Secret,
}

/// The tree a path is made for: after the proposals, before the path.
#[derive(Clone, Copy, Debug)]
pub struct Provisional<'a> {
    /// The tree.
    pub tree: &'a RatchetTree,
    /// Whose path.
    pub committer: LeafIndex,
    /// PATH-03: leaves that are new in the commit.
    pub added: &'a BTreeSet<LeafIndex>,
}

/// What a member opens a path with.
#[derive(Clone, Copy, Debug)]
pub struct PathKeys<'a> {
    /// Its keys in the current epoch.
    pub private: &'a TreePrivate,
    /// Its next leaf key, if the same commit applies an Update of its own.
    pub own_update: Option<&'a HpkePrivateKey>,
}

/// A path we opened.
#[derive(Debug)]
pub struct PathReceived {
    /// Our new private keys.
    pub change: PrivateChange,
    /// Start of the next epoch's key schedule (Section 8).
    pub commit_secret: Secret,
}

impl PathCreated {
    /// Section 7.5: fresh keys for the leaf and its filtered direct path.
    ///
    /// # Errors
    /// [`ProcessError::Crypto`] if randomness or signing fails.
    pub fn new(
        env: &Env<'_>,
        suite: &dyn SuiteCrypto,
        provisional: &RatchetTree,
        signer: PathSigner<'_>,
    ) -> Result<Self, ProcessError> {
        let steps = provisional.filtered_direct_path(signer.index);
        // PATH-10: the leaf key and the first path secret are fresh and independent.
        let (leaf_key, leaf_public) = suite.hpke_generate(env.random)?;
        let mut path_secret = Secret::zero(suite.hash_len());
        env.random.fill(path_secret.as_mut_slice())?;
        let (nodes, path_keys, commit_secret) = fresh_nodes(env, suite, &steps, path_secret)?;
        let keys: Vec<_> = nodes.iter().map(|node| node.public_key.clone()).collect();
        let (parents, leaf_parent_hash) = parent_hash::of_path(suite, &steps, &keys)?;
        let mut leaf = signer.leaf;
        leaf.encryption_key = leaf_public;
        leaf.source = LeafNodeSource::Commit(leaf_parent_hash);
        sign_leaf(suite, &mut leaf, signer.group_id, signer.index, signer.signature_key)?;
        let mut draft = provisional.draft(suite);
        draft.merge_path(signer.index, leaf.clone(), parents)?;
        let change = PrivateChange { leaf_key: Some(leaf_key), path_keys };
        Ok(Self { tree: draft.seal()?, change, commit_secret, leaf, nodes })
    }

    /// Section 7.6: seals each path secret to the resolution of its copath child, added leaves excluded (PATH-03).
    /// `group_context` is the encoded provisional context (COM-11).
    ///
    /// # Errors
    /// [`ProcessError::Crypto`].
    pub fn seal(
        &self,
        env: &Env<'_>,
        suite: &dyn SuiteCrypto,
        provisional: Provisional<'_>,
        group_context: &[u8],
    ) -> Result<UpdatePath, ProcessError> {
        let Provisional { tree, committer, added } = provisional;
        let steps = tree.filtered_direct_path(committer);
        let recipients: Vec<_> = steps.iter().map(|step| recipients(tree, step, added)).collect();
        let mut jobs = Vec::new();
        for (node, recipients) in self.nodes.iter().zip(&recipients) {
            let plaintext = node.path_secret.as_slice();
            jobs.extend(recipients.iter().map(|(_, public_key)| SealJob { public_key, plaintext }));
        }
        let mut ciphertexts = seal_in_parallel(env, suite, &jobs, ENCRYPT_LABEL, group_context)?.into_iter();
        let nodes = self.nodes.iter().zip(&recipients).map(|(node, recipients)| UpdatePathNode {
            encryption_key: node.public_key.clone(),
            encrypted_path_secret: ciphertexts.by_ref().take(recipients.len()).collect(),
        });
        Ok(UpdatePath { leaf_node: self.leaf.clone(), nodes: nodes.collect() })
    }

    /// The path secret that a Welcome gives to the member added at `joiner` (Section 12.4.3.1): the lowest node
    /// above it.
    pub fn secret_for(&self, joiner: LeafIndex) -> Option<PathSecret> {
        let node = self.nodes.iter().find(|node| node.span.contains(joiner))?;
        Some(PathSecret(node.path_secret.duplicate()))
    }

    /// The committer's next leaf.
    pub fn leaf(&self) -> &LeafNode {
        &self.leaf
    }
}

/// Nodes with their keys, private keys by index, and the commit secret.
type FreshNodes = (Vec<CreatedNode>, Vec<(NodeIndex, HpkePrivateKey)>, Secret);

/// One path secret per step, each derived from the one below (Section 7.4). The secrets are a chain; their key pairs, which
/// take nearly all of the time, are made in parallel.
fn fresh_nodes(
    env: &Env<'_>,
    suite: &dyn SuiteCrypto,
    steps: &[PathStep<'_>],
    first: Secret,
) -> Result<FreshNodes, ProcessError> {
    let mut secret = first;
    let mut secrets = Vec::with_capacity(steps.len());
    for step in steps {
        let next = next_path_secret(suite, &secret)?;
        secrets.push((step.span, std::mem::replace(&mut secret, next)));
    }
    // COM-12: one more derivation after the last node. With no node, the fresh secret itself is spent for it.
    if steps.is_empty() {
        secret = next_path_secret(suite, &secret)?;
    }
    let make = |(span, path_secret): (Span, Secret)| {
        let (private, public_key) = node_key_pair(suite, &path_secret)?;
        Ok((CreatedNode { span, public_key, path_secret }, (span.node(), private)))
    };
    let make_all = |piece: Vec<_>| piece.into_iter().map(make).collect::<Result<Vec<_>, CryptoError>>();
    let made = if secrets.len() < FEW { vec![make_all(secrets)] } else { env.parallel.in_pieces(secrets, &make_all) };
    let (mut nodes, mut path_keys) = (Vec::with_capacity(steps.len()), Vec::with_capacity(steps.len()));
    for piece in made {
        let (made_nodes, keys): (Vec<_>, Vec<_>) = piece?.into_iter().unzip();
        nodes.extend(made_nodes);
        path_keys.extend(keys);
    }
    Ok((nodes, path_keys, secret))
}

/// Fewer key pairs than this are made sooner than another thread has begun.
const FEW: usize = 4;

/// Signs a leaf for its place (Section 7.2). LN-25: after any change.
pub(crate) fn sign_leaf(
    suite: &dyn SuiteCrypto,
    leaf: &mut LeafNode,
    group_id: &[u8],
    index: LeafIndex,
    key: &SignaturePrivateKey,
) -> Result<(), ProcessError> {
    let signature = label::sign_with_label(suite, key, LeafNode::SIGNATURE_LABEL, &leaf.tbs(group_id, index)?)?;
    leaf.signature = Opaque::new(signature);
    Ok(())
}

/// The resolution of a step's copath child without newly added leaves.
fn recipients<'a>(
    tree: &'a RatchetTree,
    step: &PathStep<'a>,
    added: &BTreeSet<LeafIndex>,
) -> Vec<(NodeIndex, &'a HpkePublicKey)> {
    let mut resolution = Vec::new();
    step.copath.1.resolution(step.copath.0, tree.rooted(), &mut resolution);
    resolution.retain(|(node, _)| node.leaf().is_none_or(|leaf| !added.contains(&leaf)));
    resolution
}

/// Seals all jobs under one label and context, split over what `env.parallel` offers; order is kept.
pub(crate) fn seal_in_parallel(
    env: &Env<'_>,
    suite: &dyn SuiteCrypto,
    jobs: &[SealJob<'_>],
    label: &str,
    context: &[u8],
) -> Result<Vec<HpkeCiphertext>, ProcessError> {
    let piece_len = jobs.len().div_ceil(env.parallel.width().max(1)).max(1);
    let pieces: Vec<_> = jobs.chunks(piece_len).collect();
    let results: Vec<_> = pieces.iter().map(|_| std::sync::OnceLock::new()).collect();
    env.parallel.run(pieces.len(), &|piece| {
        if let (Some(jobs), Some(result)) = (pieces.get(piece), results.get(piece)) {
            let _ = result.set(encrypt_with_label_many(suite, jobs, label, context, env.random));
        }
    });
    let mut sealed = Vec::with_capacity(jobs.len());
    for result in results {
        sealed.extend(result.into_inner().unwrap_or(Ok(Vec::new()))?);
    }
    Ok(sealed)
}

impl RatchetTree {
    /// Section 7.5, first half: merges a received path into the tree after the proposals.
    ///
    /// # Errors
    /// [`ProcessError::PathLength`], [`ProcessError::PathCiphertexts`], [`ProcessError::DuplicateKey`],
    /// [`ProcessError::PathParentHash`].
    pub fn merge_update_path(
        &self,
        suite: &dyn SuiteCrypto,
        index: LeafIndex,
        path: &UpdatePath,
        added: &BTreeSet<LeafIndex>,
    ) -> Result<Self, ProcessError> {
        let steps = self.filtered_direct_path(index);
        check_shape(&steps, path, added)?;
        self.check_fresh_keys(suite, path)?;
        let keys: Vec<_> = path.nodes.iter().map(|node| node.encryption_key.clone()).collect();
        let (parents, parent_hash) = parent_hash::of_path(suite, &steps, &keys)?;
        // PATH-04, PATH-05
        if path.leaf_node.source != LeafNodeSource::Commit(parent_hash) {
            return Err(ProcessError::PathParentHash);
        }
        let mut draft = self.draft(suite);
        draft.merge_path(index, path.leaf_node.clone(), parents)?;
        draft.seal()
    }

    /// COM-08 (Section 12.4.2): no key of the path is in the tree. The leaf's own key was checked when it was placed.
    fn check_fresh_keys(&self, suite: &dyn SuiteCrypto, path: &UpdatePath) -> Result<(), ProcessError> {
        for node in &path.nodes {
            suite.validate_hpke_public_key(&node.encryption_key)?;
            if self.node_with_encryption_key(suite, &node.encryption_key).is_some() {
                return Err(ProcessError::DuplicateKey);
            }
        }
        Ok(())
    }
}

/// PATH-01, PATH-02: the path has a node per step, each with a ciphertext per recipient.
fn check_shape(steps: &[PathStep<'_>], path: &UpdatePath, added: &BTreeSet<LeafIndex>) -> Result<(), ProcessError> {
    if path.nodes.len() != steps.len() {
        return Err(ProcessError::PathLength { got: path.nodes.len(), expected: steps.len() });
    }
    for (position, (step, node)) in steps.iter().zip(&path.nodes).enumerate() {
        let (span, subtree) = step.copath;
        // Every added leaf is one entry of the resolution above it.
        let new = added.iter().filter(|leaf| span.contains(**leaf)).count();
        let expected = subtree.counts(span).resolution.saturating_sub(new);
        let got = node.encrypted_path_secret.len();
        if got != expected {
            return Err(ProcessError::PathCiphertexts { position, got, expected });
        }
    }
    Ok(())
}

impl PathKeys<'_> {
    /// Section 7.5, second half: opens the path secret meant for us and derives what is above it. `group_context` is the
    /// encoded provisional context.
    ///
    /// # Errors
    /// [`ProcessError::PathKeyMissing`], [`ProcessError::InvalidPathSecret`], [`ProcessError::PathKeyMismatch`],
    /// [`ProcessError::Crypto`].
    pub fn open(
        &self,
        suite: &dyn SuiteCrypto,
        provisional: Provisional<'_>,
        path: &UpdatePath,
        group_context: &[u8],
    ) -> Result<PathReceived, ProcessError> {
        let Provisional { tree, committer, added } = provisional;
        let steps = tree.filtered_direct_path(committer);
        let position = steps.iter().position(|step| step.copath.0.contains(self.private.own()));
        let position = position.ok_or(ProcessError::PathKeyMissing)?;
        let step = steps.get(position).ok_or(ProcessError::PathKeyMissing)?;
        let recipients = recipients(tree, step, added);
        // PATH-14, PATH-15
        let known = recipients.iter().zip(path.nodes.get(position).map_or(&[][..], |node| &node.encrypted_path_secret));
        let (private, public, ciphertext) = known
            .filter_map(|((node, public), ciphertext)| Some((self.key(*node)?, *public, ciphertext)))
            .next()
            .ok_or(ProcessError::PathKeyMissing)?;
        let secret = label::decrypt_with_label(suite, (private, public), ENCRYPT_LABEL, group_context, ciphertext)?;
        // PATH-07
        if secret.len() != suite.hash_len() {
            return Err(ProcessError::InvalidPathSecret);
        }
        let above = steps.iter().zip(&path.nodes).skip(position);
        let above = above.map(|(step, node)| (step.span.node(), Some(&node.encryption_key)));
        let (path_keys, commit_secret) = climb(suite, secret, above)?;
        Ok(PathReceived { change: PrivateChange { leaf_key: None, path_keys }, commit_secret })
    }

    fn key(&self, node: NodeIndex) -> Option<&HpkePrivateKey> {
        match self.own_update {
            Some(key) if Some(node) == self.private.own().node() => Some(key),
            _ => self.private.key(node),
        }
    }
}
