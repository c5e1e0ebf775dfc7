//! A group as records: small, each with its own life (RFC 9420, Section 9.2).
//!
//! In: what a step puts or deletes, or what a store holds. Out: changes, or the group again.
//! Always: an epoch's secrets are records of that epoch, so that they end with it; public nodes are keyed by hash and
//! shared between epochs; decoding trusts the store's seal for nothing but integrity.

mod candidate;
mod forms;
mod load;
mod messenger;
mod reader;

use mls_crypto::{HpkePrivateKey, Secret};

pub use load::RecordSource;
pub use messenger::Messenger;
pub use reader::Reader;

use super::{
    Group, Status,
    epoch::Candidate,
    past::Retired,
    transition::{Change, RecordClass, RecordKey},
};
use crate::{
    error::OperationError,
    math::NodeIndex,
    policy::{Env, Timestamp},
    schedule::{RatchetKind, SecretTreeChange},
    tree::RatchetTree,
};

pub(super) use candidate::encode_candidate;
pub(super) use forms::encode_proposal;

/// Classes whose records end with their epoch.
const EPOCH_CLASSES: [RecordClass; 7] = [
    RecordClass::Epoch,
    RecordClass::SecretNode,
    RecordClass::Ratchet,
    RecordClass::Skipped,
    RecordClass::Proposal,
    RecordClass::Pending,
    RecordClass::PastEpoch,
];

impl Group {
    /// Every record of the group, as at its beginning.
    pub(super) fn all_records(&self) -> Result<Vec<Change>, OperationError> {
        let mut changes = vec![self.header()?];
        changes.extend(node_puts(self.public.tree(), None)?);
        changes.push(put(RecordClass::Epoch, self.epoch(), &[], forms::encode_keys(&self.keys)?));
        changes.extend(secret_tree_changes(self.epoch(), self.keys.secret_tree.dump()));
        if let Some(own) = self.own_index().node() {
            changes.push(put_path_key(own, self.private.leaf_key()));
        }
        changes.extend(self.private.path_keys().map(|(node, key)| put_path_key(node, key)));
        Ok(changes)
    }

    /// What has to be durable for `candidate` to become the epoch: proportional to what differs, not to the group.
    pub(super) fn advance_changes(
        &self,
        env: &Env<'_>,
        candidate: &Candidate,
        retired: &Retired,
    ) -> Result<Vec<Change>, OperationError> {
        let (old, new) = (self.public.tree(), candidate.public.tree());
        let next = candidate.public.context().epoch;
        let mut changes = vec![self.next_header(candidate)?];
        changes.extend(node_puts(new, Some(old))?);
        changes.push(put(RecordClass::Epoch, next, &[], forms::encode_keys(&candidate.keys)?));
        changes.extend(secret_tree_changes(next, candidate.keys.secret_tree.dump()));
        changes.extend(self.private_key_changes(candidate));
        changes.extend(self.end_of_epoch(retired, env.now)?);
        let living = if retired.keep_current { vec![new, old] } else { vec![new] };
        changes.extend(self.past_epoch_deletes(&retired.epochs, &living));
        changes.extend(self.unshared_nodes(new, retired));
        Ok(changes)
    }

    /// DEL-08: new keys of the direct path, and the end of replaced ones.
    fn private_key_changes(&self, candidate: &Candidate) -> Vec<Change> {
        let change = &candidate.private;
        let own = self.own_index().node();
        let leaf_key = own.zip(change.leaf_key.as_ref()).map(|(node, key)| put_path_key(node, key));
        let outdated = self.private.outdated(change, self.public.tree(), candidate.public.tree());
        outdated
            .map(|node| Change::Delete(path_key(node)))
            .chain(leaf_key)
            .chain(change.path_keys.iter().map(|(node, key)| put_path_key(*node, key)))
            .collect()
    }

    /// DEL-09 to DEL-16: what the current epoch leaves behind.
    pub(super) fn end_of_epoch(&self, retired: &Retired, now: Timestamp) -> Result<Vec<Change>, OperationError> {
        let epoch = self.epoch();
        let mut changes: Vec<_> = [RecordClass::Epoch, RecordClass::Proposal, RecordClass::Pending]
            .map(|class| Change::DeleteEpoch(class, epoch))
            .into();
        if retired.keep_current {
            let receiving = self.keys.secret_tree.receive_only_changes(self.suite.as_ref(), self.own_index())?;
            changes.extend(secret_tree_changes(epoch, receiving));
            changes.push(put(RecordClass::PastEpoch, epoch, &[], self.encode_ending(now)?));
        } else {
            changes.extend(
                [RecordClass::SecretNode, RecordClass::Ratchet, RecordClass::Skipped]
                    .map(|class| Change::DeleteEpoch(class, epoch)),
            );
        }
        let psk = self.keys.resumption_psk.as_secret().duplicate();
        let deletes = retired.psks.iter().filter(|old| **old != epoch);
        changes.extend(deletes.map(|old| Change::Delete(resumption_key(*old))));
        if !retired.psks.contains(&epoch) {
            changes.push(Change::Put(resumption_key(epoch), psk));
        }
        Ok(changes)
    }

    /// Nodes of the ending epoch's tree that nobody needs, if that epoch is not retained.
    fn unshared_nodes(&self, new: &RatchetTree, retired: &Retired) -> Vec<Change> {
        if retired.keep_current {
            return Vec::new();
        }
        let gone = self.public.tree().hashes_not_in(&[new]);
        gone.into_iter().map(|hash| Change::Delete(RecordKey::new(RecordClass::Node, 0, hash.as_slice()))).collect()
    }

    /// DEL-13: everything goes but the header, which says that we were removed.
    pub(super) fn removal_changes(&self) -> Result<Vec<Change>, OperationError> {
        let epochs: Vec<_> = self.past.keys().copied().chain([self.epoch()]).collect();
        let mut changes: Vec<_> = EPOCH_CLASSES
            .iter()
            .flat_map(|class| epochs.iter().map(|epoch| Change::DeleteEpoch(*class, *epoch)))
            .collect();
        changes.extend([RecordClass::PathKey, RecordClass::ResumptionPsk].map(|class| Change::DeleteEpoch(class, 0)));
        changes.extend(self.past_epoch_deletes(&epochs, &[self.public.tree()]));
        changes.push(self.removed_header()?);
        Ok(changes)
    }

    fn header(&self) -> Result<Change, OperationError> {
        let header = forms::Header::new(&self.public, self.own_index(), &self.status, &self.signature_key);
        Ok(put(RecordClass::Header, 0, &[], header.encode()?))
    }

    fn next_header(&self, candidate: &Candidate) -> Result<Change, OperationError> {
        let status = candidate.reinit.clone().map_or(Status::Active, Status::ReInitialized);
        let own_update = candidate.own_update.and_then(|reference| self.own_updates.get(&reference));
        let rotated = candidate.signature_key.as_ref().or(own_update.and_then(|own| own.signature_key.as_ref()));
        let key = rotated.unwrap_or(&self.signature_key);
        let header = forms::Header::new(&candidate.public, self.own_index(), &status, key);
        Ok(put(RecordClass::Header, 0, &[], header.encode()?))
    }

    fn removed_header(&self) -> Result<Change, OperationError> {
        let none = mls_crypto::SignaturePrivateKey::new(Secret::new(Vec::new()));
        let header = forms::Header::new(&self.public, self.own_index(), &Status::Removed, &none);
        Ok(put(RecordClass::Header, 0, &[], header.encode()?))
    }
}

/// The records of one epoch's secret tree.
pub(super) fn secret_tree_changes(epoch: u64, changes: impl IntoIterator<Item = SecretTreeChange>) -> Vec<Change> {
    let change = |change| match change {
        SecretTreeChange::PutNode { node, secret } => Change::Put(secret_node(epoch, node), secret),
        SecretTreeChange::DeleteNode { node } => Change::Delete(secret_node(epoch, node)),
        SecretTreeChange::PutRatchet { leaf, kind, generation, secret } => {
            let key = RecordKey::new(RecordClass::Ratchet, epoch, &forms::ratchet_id(leaf, kind));
            Change::Put(key, forms::encode_ratchet(generation, &secret))
        }
        SecretTreeChange::DeleteRatchet { leaf, kind } => {
            Change::Delete(RecordKey::new(RecordClass::Ratchet, epoch, &forms::ratchet_id(leaf, kind)))
        }
        SecretTreeChange::PutSkipped { id, created, message_key } => {
            let key = RecordKey::new(RecordClass::Skipped, epoch, &forms::skipped_id(id));
            Change::Put(key, forms::encode_skipped(created, &message_key))
        }
        SecretTreeChange::DeleteSkipped { id } => {
            Change::Delete(RecordKey::new(RecordClass::Skipped, epoch, &forms::skipped_id(id)))
        }
    };
    changes.into_iter().map(change).collect()
}

fn node_puts(tree: &RatchetTree, old: Option<&RatchetTree>) -> Result<Vec<Change>, OperationError> {
    let rows = tree.rows_not_in(old)?;
    Ok(rows
        .into_iter()
        .map(|row| put(RecordClass::Node, 0, row.tree_hash.as_slice(), Secret::new(row.value)))
        .collect())
}

fn put(class: RecordClass, epoch: u64, id: &[u8], value: Secret) -> Change {
    Change::Put(RecordKey::new(class, epoch, id), value)
}

fn put_path_key(node: NodeIndex, key: &HpkePrivateKey) -> Change {
    Change::Put(path_key(node), key.secret().duplicate())
}

fn path_key(node: NodeIndex) -> RecordKey {
    RecordKey::new(RecordClass::PathKey, 0, &node.get().to_be_bytes())
}

fn secret_node(epoch: u64, node: NodeIndex) -> RecordKey {
    RecordKey::new(RecordClass::SecretNode, epoch, &node.get().to_be_bytes())
}

fn resumption_key(epoch: u64) -> RecordKey {
    RecordKey::new(RecordClass::ResumptionPsk, 0, &epoch.to_be_bytes())
}

/// The byte that stands for a ratchet's kind in keys.
const fn kind_byte(kind: RatchetKind) -> u8 {
    match kind {
        RatchetKind::Handshake => 1,
        RatchetKind::Application => 2,
    }
}
