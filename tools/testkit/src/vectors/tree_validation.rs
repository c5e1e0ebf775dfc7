//! `tree-validation.json`: resolutions, tree hashes, parent hashes and leaf signatures (RFC 9420, Sections 4.1.1, 7.8,
//! 7.9.2 and 12.4.3.1).

use mls_crypto::{CipherSuite, CryptoProvider, Hash, SuiteCrypto};
use mls_engine::{
    codec::encode,
    math::{LeafIndex, NodeIndex},
    message::{Extensions, GroupContext, LeafNode, ProtocolVersion},
    tree::{ParentNode, RatchetTree, validate},
};
use serde::Deserialize;

use super::{
    Failure, Hex,
    host::Host,
    outcome::{Outcome, equal, same},
};

/// A tree and what can be said about each of its nodes.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    pub(super) cipher_suite: u16,
    tree: Hex,
    group_id: Hex,
    resolutions: Vec<Vec<u32>>,
    tree_hashes: Vec<Hex>,
}

/// The tree decodes and encodes, every node has the resolution and the hash of the file, and the whole tree is valid.
///
/// # Errors
/// The first difference, or the rule that the tree broke.
pub fn check(case: &Case, provider: &dyn CryptoProvider) -> Outcome {
    let suite = provider.suite(CipherSuite(case.cipher_suite))?;
    let tree = RatchetTree::decode(&*suite, &case.tree)?;
    same("encoded again", tree.encode()?, &case.tree)?;
    equal("nodes", usize::try_from(tree.leaf_count().nodes())?, case.resolutions.len())?;
    equal("nodes", case.tree_hashes.len(), case.resolutions.len())?;
    for (index, (resolution, hash)) in (0..).zip(case.resolutions.iter().zip(&case.tree_hashes)) {
        let node = NodeIndex::new(index);
        let got: Vec<_> = tree.resolution(node).into_iter().map(NodeIndex::get).collect();
        equal(format!("resolution {index}"), &got, resolution)?;
        same(format!("tree hash {index}"), tree_hash(&*suite, &tree, node)?, hash)?;
    }
    let host = Host::default();
    Ok(validate(&host.env(provider), &*suite, &tree, &context(case, tree.tree_hash()))?)
}

/// The engine's hash of a node. It keeps one hash for a whole blank region; inside of one we compute ourselves.
fn tree_hash(suite: &dyn SuiteCrypto, tree: &RatchetTree, node: NodeIndex) -> Result<Hash, Failure> {
    if let Some(hash) = tree.tree_hash_at(node) {
        return Ok(hash);
    }
    let (Some(left), Some(right)) = (node.left(), node.right()) else {
        let leaf: Option<LeafNode> = None;
        return Ok(suite.hash(&[&encode(&(1u8, (node.leaf().unwrap_or(LeafIndex::FIRST), leaf)))?]));
    };
    let parent: Option<ParentNode> = None;
    let children = (tree_hash(suite, tree, left)?, tree_hash(suite, tree, right)?);
    Ok(suite.hash(&[&encode(&(2u8, (parent, children)))?]))
}

fn context(case: &Case, tree_hash: Hash) -> GroupContext {
    GroupContext {
        version: ProtocolVersion::MLS10,
        cipher_suite: CipherSuite(case.cipher_suite),
        group_id: case.group_id.to_vec().into(),
        epoch: 0,
        tree_hash,
        confirmed_transcript_hash: Hash::EMPTY,
        extensions: Extensions::new(),
    }
}
