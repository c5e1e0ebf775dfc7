//! The public state of an epoch (RFC 9420, Sections 8.1 and 8.2): an immutable value, shared by all who look at it.

use mls_crypto::{Hash, Tag};

use crate::{
    codec::encode,
    error::ProcessError,
    math::LeafIndex,
    message::{GroupContext, LeafNode},
    tree::RatchetTree,
};

/// What every member of an epoch, and a delivery service, can know.
#[derive(Clone, Debug)]
pub struct PublicState {
    context: GroupContext,
    encoded_context: Vec<u8>,
    tree: RatchetTree,
    interim_transcript_hash: Hash,
    confirmation_tag: Tag,
}

impl PublicState {
    /// A state of these parts. The caller has checked that they belong together.
    pub(crate) fn new(
        context: GroupContext,
        tree: RatchetTree,
        interim_transcript_hash: Hash,
        confirmation_tag: Tag,
    ) -> Result<Self, ProcessError> {
        let encoded_context = encode(&context)?;
        Ok(Self { context, encoded_context, tree, interim_transcript_hash, confirmation_tag })
    }

    /// `GroupContext`.
    pub fn context(&self) -> &GroupContext {
        &self.context
    }

    /// `GroupContext`, encoded once.
    pub fn encoded_context(&self) -> &[u8] {
        &self.encoded_context
    }

    /// The ratchet tree.
    pub fn tree(&self) -> &RatchetTree {
        &self.tree
    }

    /// `interim_transcript_hash` (Section 8.2).
    pub fn interim_transcript_hash(&self) -> &Hash {
        &self.interim_transcript_hash
    }

    /// The tag of the commit that began the epoch.
    pub fn confirmation_tag(&self) -> &Tag {
        &self.confirmation_tag
    }

    /// The member at `index`. FRM-07.
    ///
    /// # Errors
    /// [`ProcessError::UnknownMember`].
    pub fn member(&self, index: LeafIndex) -> Result<&LeafNode, ProcessError> {
        self.tree.leaf(index).ok_or(ProcessError::UnknownMember(index))
    }
}
