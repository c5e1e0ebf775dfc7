//! What whole-tree rules ask, kept per subtree (RFC 9420, Sections 7.3, 7.7 and 4.1.1).
//!
//! In: the leaves of a subtree. Out: counts, and the types its members use and support.
//! Always: a summary is a function of the subtree alone, so subtrees that are shared share it.

use std::sync::Arc;

use crate::{
    math::LeafIndex,
    message::{CredentialType, ExtensionType, LeafNode, ProposalType},
};

/// Counts that edits keep up to date at once.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Counts {
    /// Leaves that are not blank.
    pub(crate) members: u32,
    /// The leftmost blank leaf (Section 12.1.1).
    pub(crate) leftmost_blank: Option<LeafIndex>,
    /// Size of the subtree's resolution (Section 4.1.1).
    pub(crate) resolution: usize,
}

impl Counts {
    /// Counts of the subtree over two others, whose own node contributes `own` to the resolution if it is set.
    pub(crate) fn over(left: Self, right: Self, own: Option<usize>) -> Self {
        Self {
            members: left.members.saturating_add(right.members),
            leftmost_blank: left.leftmost_blank.or(right.leftmost_blank),
            resolution: own.unwrap_or_else(|| left.resolution.saturating_add(right.resolution)),
        }
    }
}

/// Types in use by some member, and types supported by every member, of a subtree with members.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Types {
    credentials_in_use: Vec<CredentialType>,
    credentials: Vec<CredentialType>,
    extensions: Vec<ExtensionType>,
    proposals: Vec<ProposalType>,
}

impl Types {
    pub(crate) fn of(leaf: &LeafNode) -> Self {
        Self {
            credentials_in_use: vec![leaf.credential.credential_type()],
            credentials: sorted(&leaf.capabilities.credentials),
            extensions: sorted(&leaf.capabilities.extensions),
            proposals: sorted(&leaf.capabilities.proposals),
        }
    }

    /// The types of two subtrees together; `None` stands for a subtree without members.
    pub(crate) fn over(left: Option<Arc<Self>>, right: Option<Arc<Self>>) -> Option<Arc<Self>> {
        match (left, right) {
            (Some(left), Some(right)) if left == right => Some(left),
            (Some(left), Some(right)) => Some(Arc::new(Self {
                credentials_in_use: union(&left.credentials_in_use, &right.credentials_in_use),
                credentials: intersection(&left.credentials, &right.credentials),
                extensions: intersection(&left.extensions, &right.extensions),
                proposals: intersection(&left.proposals, &right.proposals),
            })),
            (one, None) | (None, one) => one,
        }
    }

    /// LN-09, LN-10: a credential type in use that some member does not support.
    pub(crate) fn unsupported_credential(&self) -> Option<CredentialType> {
        self.credentials_in_use.iter().find(|used| !self.supports_credential(**used)).copied()
    }

    pub(crate) fn supports_credential(&self, credential: CredentialType) -> bool {
        self.credentials.binary_search(&credential).is_ok()
    }

    pub(crate) fn supports_extension(&self, extension: ExtensionType) -> bool {
        extension.is_default() || self.extensions.binary_search(&extension).is_ok()
    }

    pub(crate) fn supports_proposal(&self, proposal: ProposalType) -> bool {
        proposal.is_default() || self.proposals.binary_search(&proposal).is_ok()
    }
}

fn sorted<T: Copy + Ord>(list: &[T]) -> Vec<T> {
    let mut list = list.to_vec();
    list.sort_unstable();
    list.dedup();
    list
}

fn union<T: Copy + Ord>(left: &[T], right: &[T]) -> Vec<T> {
    sorted(&[left, right].concat())
}

fn intersection<T: Copy + Ord>(left: &[T], right: &[T]) -> Vec<T> {
    left.iter().filter(|value| right.binary_search(value).is_ok()).copied().collect()
}
