//! `tree-math.json`: the array form of the tree (RFC 9420, Section 4.1 and Appendix C).

use mls_engine::math::{LeafCount, NodeIndex};
use serde::Deserialize;

use super::outcome::{At, Outcome, equal};

/// One tree size; the lists have one entry per node, `null` where there is no such relative.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    n_leaves: u32,
    n_nodes: u32,
    root: u32,
    left: Vec<Option<u32>>,
    right: Vec<Option<u32>>,
    parent: Vec<Option<u32>>,
    sibling: Vec<Option<u32>>,
}

/// Size, root, and the four relatives of every node.
///
/// # Errors
/// The first difference.
pub fn check(case: &Case) -> Outcome {
    let leaves = LeafCount::covering(case.n_leaves).at("n_leaves")?;
    equal("leaves", leaves.get(), case.n_leaves)?;
    equal("n_nodes", leaves.nodes(), case.n_nodes)?;
    equal("root", leaves.root().get(), case.root)?;
    relatives("left", &case.left, case.n_nodes, NodeIndex::left)?;
    relatives("right", &case.right, case.n_nodes, NodeIndex::right)?;
    relatives("parent", &case.parent, case.n_nodes, |node| node.parent(leaves))?;
    relatives("sibling", &case.sibling, case.n_nodes, |node| node.sibling(leaves))
}

fn relatives(
    what: &str,
    expected: &[Option<u32>],
    nodes: u32,
    relative: impl Fn(NodeIndex) -> Option<NodeIndex>,
) -> Outcome {
    let got: Vec<_> = (0..nodes).map(|node| relative(NodeIndex::new(node)).map(NodeIndex::get)).collect();
    equal(what, got.as_slice(), expected)
}
