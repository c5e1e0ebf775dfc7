//! Which keys are in the tree (RFC 9420, Sections 7.3 and 16.7).
//!
//! In: keys that nodes lose and gain. Out: the next index, or the finding that a key would be there twice.
//! Always: LN-22, LN-23, TREE-13, TREE-14: no encryption key and no signature key appears twice.

use std::collections::BTreeMap;

use mls_crypto::{HpkePublicKey, SignaturePublicKey, SuiteCrypto};
use rpds::HashTrieMapSync;

use crate::{
    error::ProcessError,
    math::{LeafIndex, NodeIndex},
};

/// A key by its bytes, or by their hash where they are longer than 32.
type KeyId = [u8; 32];

/// The index of a sealed tree: shared between epochs like the tree itself.
#[derive(Clone, Debug, Default)]
pub(crate) struct KeyIndex {
    encryption: HashTrieMapSync<KeyId, NodeIndex>,
    signature: HashTrieMapSync<KeyId, LeafIndex>,
}

/// Keys a draft takes out and puts in, in the order it did so.
#[derive(Debug, Default)]
pub(crate) struct KeyChanges {
    encryption: Vec<(KeyId, NodeIndex, Change)>,
    signature: Vec<(KeyId, LeafIndex, Change)>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Change {
    Lost,
    Gained,
}

impl KeyIndex {
    /// The node that has this encryption key.
    pub(crate) fn node_of(&self, suite: &dyn SuiteCrypto, key: &HpkePublicKey) -> Option<NodeIndex> {
        self.encryption.get(&id(suite, key.as_slice())).copied()
    }

    /// The member that has this signature key.
    pub(crate) fn leaf_of(&self, suite: &dyn SuiteCrypto, key: &SignaturePublicKey) -> Option<LeafIndex> {
        self.signature.get(&id(suite, key.as_slice())).copied()
    }

    /// The index after these changes. A key that moved within one draft is no duplicate.
    pub(crate) fn apply(self, changes: KeyChanges) -> Result<Self, ProcessError> {
        Ok(Self {
            encryption: apply(self.encryption, changes.encryption)?,
            signature: apply(self.signature, changes.signature)?,
        })
    }
}

impl KeyChanges {
    pub(crate) fn gain(&mut self, suite: &dyn SuiteCrypto, key: &HpkePublicKey, node: NodeIndex) {
        self.encryption.push((id(suite, key.as_slice()), node, Change::Gained));
    }

    pub(crate) fn gain_signature(&mut self, suite: &dyn SuiteCrypto, key: &SignaturePublicKey, leaf: LeafIndex) {
        self.signature.push((id(suite, key.as_slice()), leaf, Change::Gained));
    }

    pub(crate) fn lose(&mut self, suite: &dyn SuiteCrypto, key: &HpkePublicKey, node: NodeIndex) {
        self.encryption.push((id(suite, key.as_slice()), node, Change::Lost));
    }

    pub(crate) fn lose_signature(&mut self, suite: &dyn SuiteCrypto, key: &SignaturePublicKey, leaf: LeafIndex) {
        self.signature.push((id(suite, key.as_slice()), leaf, Change::Lost));
    }
}

/// Takes out every key whose last change at its place was a loss, then puts in those whose last change was a gain.
fn apply<P: Copy + Ord>(
    mut index: HashTrieMapSync<KeyId, P>,
    changes: Vec<(KeyId, P, Change)>,
) -> Result<HashTrieMapSync<KeyId, P>, ProcessError> {
    let last: BTreeMap<(KeyId, P), Change> =
        changes.into_iter().map(|(key, place, change)| ((key, place), change)).collect();
    for (key, place) in last.keys() {
        if index.get(key) == Some(place) {
            index.remove_mut(key);
        }
    }
    for ((key, place), change) in last {
        if change == Change::Lost {
            continue;
        }
        if index.contains_key(&key) {
            return Err(ProcessError::DuplicateKey);
        }
        index.insert_mut(key, place);
    }
    Ok(index)
}

fn id(suite: &dyn SuiteCrypto, key: &[u8]) -> KeyId {
    let mut id = KeyId::default();
    let hash;
    let bytes = if key.len() > id.len() {
        hash = suite.hash(&[key]);
        hash.as_slice()
    } else {
        key
    };
    for (to, from) in id.iter_mut().zip(bytes) {
        *to = *from;
    }
    id
}
