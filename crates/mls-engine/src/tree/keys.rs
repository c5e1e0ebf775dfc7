//! Which keys are in the tree (RFC 9420, Sections 7.3 and 16.7).
//!
//! In: keys that nodes lose and gain. Out: the next index, or the finding that a key would be there twice.
//! Always: LN-22, LN-23, TREE-13, TREE-14: no encryption key and no signature key appears twice.

use std::{collections::BTreeMap, sync::Arc};

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
    encryption: Places<NodeIndex>,
    signature: Places<LeafIndex>,
}

/// Where each key is: a sorted list, which takes little space, and what changed since it was made.
#[derive(Clone, Debug)]
struct Places<P> {
    settled: Arc<[(KeyId, P)]>,
    /// `None` for a key that is gone.
    since: HashTrieMapSync<KeyId, Option<P>>,
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
        self.encryption.get(&id(suite, key.as_slice()))
    }

    /// The member that has this signature key.
    pub(crate) fn leaf_of(&self, suite: &dyn SuiteCrypto, key: &SignaturePublicKey) -> Option<LeafIndex> {
        self.signature.get(&id(suite, key.as_slice()))
    }

    /// The index after these changes. A key that moved within one draft is no duplicate.
    pub(crate) fn apply(self, changes: KeyChanges) -> Result<Self, ProcessError> {
        Ok(Self {
            encryption: self.encryption.apply(changes.encryption)?,
            signature: self.signature.apply(changes.signature)?,
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

impl<P> Default for Places<P> {
    fn default() -> Self {
        Self { settled: Arc::new([]), since: HashTrieMapSync::new_sync() }
    }
}

impl<P: Copy + Ord> Places<P> {
    fn get(&self, key: &KeyId) -> Option<P> {
        if let Some(change) = self.since.get(key) {
            return *change;
        }
        let position = self.settled.binary_search_by(|(settled, _)| settled.cmp(key)).ok()?;
        self.settled.get(position).map(|(_, place)| *place)
    }

    /// Takes out every key at a place where it was lost or gained, then puts in those whose last change at a place was a
    /// gain.
    fn apply(self, mut changes: Vec<(KeyId, P, Change)>) -> Result<Self, ProcessError> {
        // Stable: changes of one key at one place stay in their order.
        changes.sort_by(|one, next| (&one.0, &one.1).cmp(&(&next.0, &next.1)));
        let mut now = Vec::with_capacity(changes.len());
        for of_key in changes.chunk_by(|one, next| one.0 == next.0) {
            let Some((key, ..)) = of_key.first() else { continue };
            let touched = |place: &P| of_key.iter().any(|(_, at, _)| at == place);
            let mut place = self.get(key).filter(|place| !touched(place));
            for at_place in of_key.chunk_by(|one, next| one.1 == next.1) {
                if let Some((_, gained, Change::Gained)) = at_place.last()
                    && place.replace(*gained).is_some()
                {
                    return Err(ProcessError::DuplicateKey);
                }
            }
            now.push((*key, place));
        }
        Ok(self.with(now))
    }

    /// With these changes, sorted. Changes that are many beside the list make a new one, so that it is made anew once in
    /// many changes.
    fn with(mut self, now: Vec<(KeyId, Option<P>)>) -> Self {
        let room = (self.settled.len() / 8).max(64);
        if self.since.size().saturating_add(now.len()) <= room {
            now.into_iter().for_each(|(key, place)| self.since.insert_mut(key, place));
            return self;
        }
        let since = self.since.iter().map(|(key, place)| (*key, *place));
        let mut changes = since.chain(now).collect::<BTreeMap<_, _>>().into_iter().peekable();
        let mut settled = Vec::with_capacity(self.settled.len().saturating_add(changes.len()));
        for (key, place) in self.settled.iter() {
            while let Some((before, gained)) = changes.next_if(|(changed, _)| changed < key) {
                settled.extend(gained.map(|place| (before, place)));
            }
            let place = changes.next_if(|(changed, _)| changed == key).map_or(Some(*place), |(_, place)| place);
            settled.extend(place.map(|place| (*key, place)));
        }
        settled.extend(changes.filter_map(|(key, place)| Some((key, place?))));
        Self { settled: settled.into(), since: HashTrieMapSync::new_sync() }
    }
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

#[cfg(test)]
mod tests;
