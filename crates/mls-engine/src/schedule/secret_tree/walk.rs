//! The way from a held node down to a leaf and its ratchets (RFC 9420, Section 9).

use mls_crypto::{CryptoError, Secret, SuiteCrypto, label::expand_with_label};

use super::SecretTree;
use crate::{
    error::ProcessError,
    limits::Limits,
    math::{LeafIndex, NodeIndex},
    schedule::{MessageKeyId, RatchetKind, ratchet::Ratchet, spent::Start},
};

impl SecretTree {
    /// PM-11 (Section 15.3): whether a ratchet may move to a generation, decided before anything is derived.
    pub(super) fn check_reach(&self, id: MessageKeyId, limits: &Limits) -> Result<(), ProcessError> {
        let head = self.ratchets.get(&(id.leaf, id.kind)).map_or(0, |ratchet| ratchet.generation);
        check_reach_from(head, id, limits)
    }

    /// The ratchet as it stands, started if need be; `None` if the leaf has none any more.
    pub(super) fn ratchet(
        &self,
        suite: &dyn SuiteCrypto,
        leaf: LeafIndex,
        kind: RatchetKind,
    ) -> Result<Option<(Option<Start>, Ratchet)>, CryptoError> {
        if let Some(ratchet) = self.ratchets.get(&(leaf, kind)) {
            return Ok(Some((None, ratchet.duplicate())));
        }
        Ok(self.start(suite, leaf, kind)?.map(|(start, ratchet)| (Some(start), ratchet)))
    }

    /// Derives from the nearest held node down to the leaf, and starts its ratchets. `None` if no node is held.
    pub(super) fn start(
        &self,
        suite: &dyn SuiteCrypto,
        leaf: LeafIndex,
        kind: RatchetKind,
    ) -> Result<Option<(Start, Ratchet)>, CryptoError> {
        let path = self.path_to_held(leaf);
        let Some((mut secret, below)) = path.split_last().and_then(|(top, below)| {
            let held = self.nodes.get(top)?;
            Some((held.duplicate(), below))
        }) else {
            return Ok(None);
        };
        let mut siblings = Vec::with_capacity(below.len());
        for &node in below.iter().rev() {
            // A node below another has a sibling.
            let Some(sibling) = node.sibling(self.leaves) else { return Ok(None) };
            siblings.push((sibling, child_secret(suite, &secret, sibling, node)?));
            // DEL-02 (Section 9.2): the parent's secret ends here, both children are derived.
            secret = child_secret(suite, &secret, node, sibling)?;
        }
        let root = |kind: RatchetKind| -> Result<Ratchet, CryptoError> {
            let secret = expand_with_label(suite, &secret, kind.label(), &[], suite.hash_len())?;
            Ok(Ratchet { generation: 0, secret })
        };
        Ok(Some((Start { siblings, other: root(kind.other())? }, root(kind)?)))
    }

    /// The leaf's node and those above it, up to the nearest whose secret is held, or to the root.
    fn path_to_held(&self, leaf: LeafIndex) -> Vec<NodeIndex> {
        let mut path = Vec::new();
        let mut next = leaf.node();
        while let Some(node) = next {
            path.push(node);
            next = if self.nodes.contains_key(&node) { None } else { node.parent(self.leaves) };
        }
        path
    }

    /// The nearest node above the leaf, or the leaf's own, whose secret is held.
    pub(super) fn nearest_held(&self, leaf: LeafIndex) -> Option<NodeIndex> {
        self.path_to_held(leaf).last().copied().filter(|node| self.nodes.contains_key(node))
    }
}

/// The same for a ratchet that stands at `head`.
pub(super) fn check_reach_from(head: u32, id: MessageKeyId, limits: &Limits) -> Result<(), ProcessError> {
    let MessageKeyId { leaf, kind: _, generation } = id;
    // PM-10 (Section 9.1): behind the ratchet, and not among the skipped keys.
    if generation < head {
        return Err(super::replay(id));
    }
    // X-DOS-05: one message moves a ratchet so far, and an epoch so far.
    let too_far = generation > head.saturating_add(limits.max_forward_generations);
    if too_far || generation >= limits.max_derivations {
        return Err(ProcessError::GenerationTooFar { leaf, generation });
    }
    Ok(())
}

/// `tree_node_[child]_secret` from its parent's; children lie left and right of each other.
fn child_secret(
    suite: &dyn SuiteCrypto,
    parent: &Secret,
    child: NodeIndex,
    sibling: NodeIndex,
) -> Result<Secret, CryptoError> {
    let side: &[u8] = if child < sibling { b"left" } else { b"right" };
    expand_with_label(suite, parent, "tree", side, suite.hash_len())
}
