//! The record of a candidate for the next epoch: whole, since it has to survive a restart before it is accepted.

use core::fmt;
use std::{collections::BTreeMap, sync::Arc};

use mls_crypto::{Hash, HpkePrivateKey, Opaque, Secret, SignaturePrivateKey, SuiteCrypto};
use tls_codec::{TlsDeserializeBytes, TlsSerialize, TlsSize};
use zeroize::Zeroize;

use super::{
    super::{Event, PublicState, epoch::Candidate},
    forms::{StateForm, decode_keys, encode_keys, read_form, secret, secret_form},
};
use crate::{
    error::OperationError,
    math::NodeIndex,
    message::{ProposalRef, ReInit},
    schedule::{EncryptionSecret, SecretTree, SecretTreeChange},
    tree::{NodeSource, PrivateChange, RatchetTree},
};

/// The stored form of a [`Candidate`].
#[derive(TlsDeserializeBytes, TlsSerialize, TlsSize)]
struct CandidateForm {
    state: StateForm,
    rows: Vec<RowForm>,
    keys: Opaque,
    encryption_secret: Opaque,
    leaf_key: Option<Opaque>,
    path_keys: Vec<PathKeyForm>,
    own_update: Option<ProposalRef>,
    signature_key: Option<Opaque>,
    reinit: Option<ReInit>,
    events: Vec<Event>,
    welcome: Option<Opaque>,
}

/// A tree node that the current tree does not have.
#[derive(Debug, TlsDeserializeBytes, TlsSerialize, TlsSize)]
struct RowForm {
    tree_hash: Hash,
    value: Opaque,
}

#[derive(TlsDeserializeBytes, TlsSerialize, TlsSize)]
struct PathKeyForm {
    node: NodeIndex,
    key: Opaque,
}

impl fmt::Debug for PathKeyForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { node, key: _ } = self;
        f.debug_struct("PathKeyForm").field("node", node).finish_non_exhaustive()
    }
}

impl Drop for CandidateForm {
    fn drop(&mut self) {
        self.keys.zeroize();
        self.encryption_secret.zeroize();
        self.leaf_key.zeroize();
        self.signature_key.zeroize();
        for path_key in &mut self.path_keys {
            path_key.key.zeroize();
        }
    }
}

fn bytes(secret: &Secret) -> Opaque {
    Opaque::from(secret.as_slice())
}

pub(in super::super) fn encode_candidate(
    candidate: &Candidate,
    current: &PublicState,
) -> Result<Secret, OperationError> {
    let rows = candidate.public.tree().rows_not_in(Some(current.tree()))?;
    let private = &candidate.private;
    // A candidate's secret tree is untouched: its only record is the root.
    let root = candidate.keys.secret_tree.dump().into_iter().find_map(|record| match record {
        SecretTreeChange::PutNode { secret, .. } => Some(secret),
        _ => None,
    });
    let form = CandidateForm {
        state: StateForm::of(&candidate.public),
        rows: rows.into_iter().map(|row| RowForm { tree_hash: row.tree_hash, value: Opaque::new(row.value) }).collect(),
        keys: bytes(&encode_keys(&candidate.keys)?),
        encryption_secret: bytes(&root.ok_or(OperationError::InvalidRecord)?),
        leaf_key: private.leaf_key.as_ref().map(|key| bytes(key.secret())),
        path_keys: private
            .path_keys
            .iter()
            .map(|(node, key)| PathKeyForm { node: *node, key: bytes(key.secret()) })
            .collect(),
        own_update: candidate.own_update,
        signature_key: candidate.signature_key.as_ref().map(|key| bytes(key.secret())),
        reinit: candidate.reinit.clone(),
        events: candidate.events.clone(),
        welcome: candidate.welcome.as_ref().map(|welcome| Opaque::from(welcome.as_slice())),
    };
    secret_form(&form)
}

/// Rows of a candidate before those of the store.
struct Overlay<'a> {
    rows: BTreeMap<Hash, &'a Opaque>,
    store: &'a dyn NodeSource,
}

impl NodeSource for Overlay<'_> {
    fn node(&self, tree_hash: &Hash) -> Option<Vec<u8>> {
        match self.rows.get(tree_hash) {
            Some(row) => Some(row.as_slice().to_vec()),
            None => self.store.node(tree_hash),
        }
    }
}

pub(super) fn decode_candidate(
    suite: &dyn SuiteCrypto,
    record: &[u8],
    store: &dyn NodeSource,
) -> Result<Candidate, OperationError> {
    let mut form: CandidateForm = read_form(record)?;
    let rows = form.rows.iter().map(|row| (row.tree_hash, &row.value)).collect();
    let state = form.state.clone();
    let tree = RatchetTree::from_rows(suite, state.depth, state.context.tree_hash, &Overlay { rows, store })?;
    let take = |bytes: &mut Opaque| secret(std::mem::replace(bytes, Opaque::new(Vec::new())));
    let encryption_secret = EncryptionSecret::from_secret(take(&mut form.encryption_secret));
    let secret_tree = SecretTree::new(encryption_secret, tree.leaf_count());
    let keys = decode_keys(form.keys.as_slice(), secret_tree)?;
    let path_keys = form.path_keys.iter_mut().map(|item| (item.node, HpkePrivateKey::new(take(&mut item.key))));
    let private = PrivateChange {
        path_keys: path_keys.collect(),
        leaf_key: form.leaf_key.as_mut().map(|key| HpkePrivateKey::new(take(key))),
    };
    let signature_key = form.signature_key.as_mut().map(|key| SignaturePrivateKey::new(take(key)));
    let public = PublicState::new(state.context, tree, state.interim_transcript_hash, state.confirmation_tag)?;
    Ok(Candidate {
        public: Arc::new(public),
        keys,
        private,
        own_update: form.own_update,
        signature_key,
        reinit: form.reinit.take(),
        events: std::mem::take(&mut form.events),
        welcome: form.welcome.take().map(Vec::from),
    })
}
