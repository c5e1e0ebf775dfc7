//! `tree-operations.json`: Add, Update and Remove applied to a tree (RFC 9420, Sections 12.1.1 to 12.1.3 and 7.8).

use mls_crypto::{CipherSuite, CryptoProvider, SuiteCrypto};
use mls_engine::{codec::decode_exact, math::LeafIndex, message::Proposal, tree::RatchetTree};
use serde::Deserialize;

use super::{
    Failure, Hex,
    outcome::{At, Outcome, same},
};

/// A tree, a proposal and its sender, and the tree it leads to.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    pub(super) cipher_suite: u16,
    tree_before: Hex,
    proposal: Hex,
    proposal_sender: u32,
    tree_hash_before: Hex,
    tree_after: Hex,
    tree_hash_after: Hex,
}

/// The proposal leads from one tree to the other; the first one stays what it is.
///
/// # Errors
/// The first difference.
pub fn check(case: &Case, provider: &dyn CryptoProvider) -> Outcome {
    let suite = provider.suite(CipherSuite(case.cipher_suite))?;
    let before = RatchetTree::decode(&*suite, &case.tree_before).at("tree_before")?;
    same("tree_hash_before", before.tree_hash(), &case.tree_hash_before)?;
    let after = apply(case, &*suite, &before)?;
    same("tree_after", after.encode()?, &case.tree_after)?;
    same("tree_hash_after", after.tree_hash(), &case.tree_hash_after)?;
    same("tree_before, afterwards", before.encode()?, &case.tree_before)?;
    let decoded = RatchetTree::decode(&*suite, &case.tree_after).at("tree_after")?;
    same("hash of the decoded tree", decoded.tree_hash(), &case.tree_hash_after)
}

fn apply(case: &Case, suite: &dyn SuiteCrypto, tree: &RatchetTree) -> Result<RatchetTree, Failure> {
    let sender = LeafIndex::new(case.proposal_sender);
    match decode_exact(&case.proposal)? {
        Proposal::Add(add) => Ok(tree.with_added(suite, add.key_package.leaf_node)?.0),
        Proposal::Update(update) => Ok(tree.with_updated(suite, sender, update.leaf_node)?),
        Proposal::Remove(remove) => Ok(tree.with_removed(suite, remove.removed)?),
        other => Err(Failure::new(format!("no change of a tree: {:?}", other.proposal_type()))),
    }
}
