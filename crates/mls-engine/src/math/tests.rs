use super::{LeafCount, LeafIndex, NodeIndex};
use crate::limits::MAX_LEAVES;

#[test]
fn parent_child_sibling_agree_everywhere() {
    let leaves = LeafCount::covering(32).unwrap();
    for index in 0..leaves.nodes() {
        let node = NodeIndex::new(index);
        if let (Some(left), Some(right)) = (node.left(), node.right()) {
            assert_eq!(left.parent(leaves), Some(node));
            assert_eq!(right.parent(leaves), Some(node));
            assert_eq!(left.sibling(leaves), Some(right));
            assert_eq!(right.sibling(leaves), Some(left));
        } else {
            assert!(node.is_leaf());
        }
    }
    assert_eq!(leaves.root().parent(leaves), None);
}

#[test]
fn above_is_the_subtree_root() {
    assert_eq!(NodeIndex::above(LeafIndex::new(4), 2), Some(NodeIndex::new(11)));
    assert_eq!(NodeIndex::above(LeafIndex::new(3), 0), Some(NodeIndex::new(6)));
    assert!(LeafIndex::new(6).is_below(LeafIndex::new(4), 2));
    assert!(!LeafIndex::new(8).is_below(LeafIndex::new(4), 2));
}

/// DEC-28, X-DOS-03: hostile indices neither wrap nor loop.
#[test]
fn extremes_are_refused_or_terminate() {
    assert_eq!(LeafIndex::new(u32::MAX).node(), None);
    assert_eq!(LeafIndex::new(u32::MAX).next(), None);
    assert_eq!(NodeIndex::new(u32::MAX).parent(LeafCount::ONE), None);
    assert!(LeafCount::covering(MAX_LEAVES).is_some());
    assert!(LeafCount::covering(MAX_LEAVES + 1).is_none());
    assert!(LeafCount::covering(u32::MAX).is_none());
}
