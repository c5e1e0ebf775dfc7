//! Opening a group from its records.
//!
//! In: a store of one group's records. Out: the group as it was when they were written.
//! Always: a missing or unreadable record is [`OperationError::InvalidRecord`]; nothing is half loaded (X-STATE-05).

use std::{collections::BTreeMap, sync::Arc};

use mls_crypto::{Hash, HpkePrivateKey, HpkePublicKey, Secret, SignaturePrivateKey, SuiteCrypto};

use super::{
    super::{
        Group, PublicState, Status,
        epoch::EpochKeys,
        past::PastEpoch,
        proposals::{CachedProposal, OwnUpdate, ProposalCache},
        transition::{RecordClass, RecordKey},
    },
    candidate::decode_candidate,
    forms::{
        Header, PastForm, ProposalForm, StateForm, decode_keys, decode_ratchet, read_form, read_id, secret,
        skipped_record,
    },
    path_key,
};
use crate::{
    error::OperationError,
    math::{LeafCount, LeafIndex, NodeIndex},
    message::ProposalRef,
    policy::Env,
    schedule::{MessageKeyId, ResumptionPsk, SecretTree, SecretTreeChange, SenderDataSecret},
    tree::{NodeSource, RatchetTree, TreePrivate},
};

/// The records of one group.
pub trait RecordSource {
    /// One record.
    fn get(&self, key: &RecordKey) -> Option<Vec<u8>>;

    /// All records of a class and, if given, an epoch, in any order.
    fn scan(&self, class: RecordClass, epoch: Option<u64>) -> Vec<(RecordKey, Vec<u8>)>;
}

/// Public nodes out of a record source.
pub(in super::super) struct Nodes<'a>(pub(in super::super) &'a dyn RecordSource);

impl NodeSource for Nodes<'_> {
    fn node(&self, tree_hash: &Hash) -> Option<Vec<u8>> {
        self.0.get(&RecordKey::new(RecordClass::Node, 0, tree_hash.as_slice()))
    }
}

/// A suite and the records to be read with it.
struct Loader<'a> {
    suite: &'a dyn SuiteCrypto,
    source: &'a dyn RecordSource,
}

impl Group {
    /// Opens a group.
    ///
    /// # Errors
    /// [`OperationError::InvalidRecord`]; [`OperationError::Rule`] if the suite is not supported.
    pub fn load(env: &Env<'_>, source: &dyn RecordSource) -> Result<Self, OperationError> {
        let header = source.get(&RecordKey::new(RecordClass::Header, 0, &[])).ok_or(OperationError::InvalidRecord)?;
        let (state, own, status, signature_key) = Header::decode(&header)?.into_parts();
        let suite = env.crypto.suite(state.context.cipher_suite)?;
        let loader = Loader { suite: suite.as_ref(), source };
        let epoch = state.context.epoch;
        let public = Arc::new(loader.state(state)?);
        if status == Status::Removed {
            return Ok(Self::removed(suite, public, own));
        }
        let keys = loader.keys(epoch, public.tree().leaf_count())?;
        let private = loader.private(own)?;
        loader.check_own_keys(&public, &private, &signature_key)?;
        let (proposals, own_updates) = loader.proposals(epoch)?;
        let mut pending = BTreeMap::new();
        for (key, record) in source.scan(RecordClass::Pending, Some(epoch)) {
            let id = Hash::from_slice(&key.id).ok_or(OperationError::InvalidRecord)?;
            pending.insert(id, Box::new(decode_candidate(suite.as_ref(), &record, &Nodes(source))?));
        }
        let (past, resumption_psks) = (loader.past(own)?, loader.resumption_psks()?);
        Ok(Self {
            suite,
            public,
            keys,
            private,
            signature_key,
            proposals,
            own_updates,
            pending,
            past,
            resumption_psks,
            status,
            revision: 0,
        })
    }

    /// A group that we were removed from.
    fn removed(suite: Arc<dyn SuiteCrypto>, public: Arc<PublicState>, own: LeafIndex) -> Self {
        let nothing = || Secret::new(Vec::new());
        let keys = EpochKeys::empty(public.tree().leaf_count());
        let private = TreePrivate::new(own, HpkePrivateKey::new(nothing()));
        Self {
            suite,
            public,
            keys,
            private,
            signature_key: SignaturePrivateKey::new(nothing()),
            proposals: ProposalCache::default(),
            own_updates: BTreeMap::new(),
            pending: BTreeMap::new(),
            past: BTreeMap::new(),
            resumption_psks: BTreeMap::new(),
            status: Status::Removed,
            revision: 0,
        }
    }
}

impl Loader<'_> {
    fn state(&self, form: StateForm) -> Result<PublicState, OperationError> {
        let tree_hash = form.context.tree_hash;
        let tree = RatchetTree::from_rows(self.suite, form.depth, tree_hash, &Nodes(self.source))?;
        Ok(PublicState::new(form.context, tree, form.interim_transcript_hash, form.confirmation_tag)?)
    }

    fn keys(&self, epoch: u64, leaves: LeafCount) -> Result<EpochKeys, OperationError> {
        let key = RecordKey::new(RecordClass::Epoch, epoch, &[]);
        let record = self.source.get(&key).ok_or(OperationError::InvalidRecord)?;
        decode_keys(&record, self.secret_tree(epoch, leaves)?)
    }

    fn secret_tree(&self, epoch: u64, leaves: LeafCount) -> Result<SecretTree, OperationError> {
        let mut records = Vec::new();
        for (key, value) in self.source.scan(RecordClass::SecretNode, Some(epoch)) {
            let node = node_of(&key)?;
            records.push(SecretTreeChange::PutNode { node, secret: Secret::new(value) });
        }
        for (key, value) in self.source.scan(RecordClass::Ratchet, Some(epoch)) {
            let (leaf, kind, _) = read_id(&key.id).ok_or(OperationError::InvalidRecord)?;
            let (generation, secret) = decode_ratchet(&value).ok_or(OperationError::InvalidRecord)?;
            records.push(SecretTreeChange::PutRatchet { leaf, kind, generation, secret });
        }
        for (key, value) in self.source.scan(RecordClass::Skipped, Some(epoch)) {
            let (leaf, kind, generation) = read_id(&key.id).ok_or(OperationError::InvalidRecord)?;
            records.push(skipped_record(MessageKeyId { leaf, kind, generation }, &value)?);
        }
        SecretTree::from_records(self.suite, leaves, records)
    }

    fn private(&self, own: LeafIndex) -> Result<TreePrivate, OperationError> {
        let own_node = own.node().ok_or(OperationError::InvalidRecord)?;
        let leaf_key = self.source.get(&path_key(own_node)).ok_or(OperationError::InvalidRecord)?;
        let mut path_keys = Vec::new();
        for (key, value) in self.source.scan(RecordClass::PathKey, Some(0)) {
            let node = node_of(&key)?;
            if node != own_node {
                path_keys.push((node, HpkePrivateKey::new(Secret::new(value))));
            }
        }
        Ok(TreePrivate::from_parts(own, HpkePrivateKey::new(Secret::new(leaf_key)), path_keys))
    }

    /// X-STATE-05: every private key is that of the public key in its place.
    fn check_own_keys(
        &self,
        public: &PublicState,
        private: &TreePrivate,
        signature_key: &SignaturePrivateKey,
    ) -> Result<(), OperationError> {
        let invalid = OperationError::InvalidRecord;
        let tree = public.tree();
        let leaf = tree.leaf(private.own()).ok_or(invalid.clone())?;
        let fits = |key: &HpkePrivateKey, public: &HpkePublicKey| {
            self.suite.hpke_public_key(key).is_ok_and(|derived| derived == *public)
        };
        let signs = self.suite.signature_public_key(signature_key).is_ok_and(|derived| derived == leaf.signature_key);
        let mut path = private.path_keys();
        let climbs = path.all(|(node, key)| tree.parent(node).is_some_and(|parent| fits(key, &parent.encryption_key)));
        if signs && climbs && fits(private.leaf_key(), &leaf.encryption_key) { Ok(()) } else { Err(invalid) }
    }

    fn proposals(&self, epoch: u64) -> Result<(ProposalCache, BTreeMap<ProposalRef, OwnUpdate>), OperationError> {
        let mut forms = Vec::new();
        for (_, value) in self.source.scan(RecordClass::Proposal, Some(epoch)) {
            forms.push(read_form::<ProposalForm>(&value)?);
        }
        forms.sort_by_key(|form| form.sequence);
        let (mut cache, mut own_updates) = (ProposalCache::default(), BTreeMap::new());
        for form in forms {
            let content = form.authenticated();
            let reference = content.proposal_ref(self.suite)?;
            if let Some(own) = form.own_update {
                own_updates.insert(reference, own.into_own_update());
            }
            cache.insert(CachedProposal { reference, content });
        }
        Ok((cache, own_updates))
    }

    fn past(&self, own: LeafIndex) -> Result<BTreeMap<u64, PastEpoch>, OperationError> {
        let mut past = BTreeMap::new();
        for (key, value) in self.source.scan(RecordClass::PastEpoch, None) {
            let form: PastForm = read_form(&value)?;
            let public = Arc::new(self.state(form.state)?);
            let secret_tree = self.secret_tree(key.epoch, public.tree().leaf_count())?;
            let secret_tree = secret_tree.into_receive_only(self.suite, own)?;
            let sender_data_secret = SenderDataSecret::from_secret(secret(form.sender_data_secret));
            past.insert(key.epoch, PastEpoch { public, sender_data_secret, secret_tree, ended: form.ended });
        }
        Ok(past)
    }

    fn resumption_psks(&self) -> Result<BTreeMap<u64, ResumptionPsk>, OperationError> {
        let mut psks = BTreeMap::new();
        for (key, value) in self.source.scan(RecordClass::ResumptionPsk, Some(0)) {
            let epoch = key.id.as_slice().try_into().map_err(|_| OperationError::InvalidRecord)?;
            if value.len() != self.suite.hash_len() {
                return Err(OperationError::InvalidRecord);
            }
            psks.insert(u64::from_be_bytes(epoch), ResumptionPsk::from_secret(Secret::new(value)));
        }
        Ok(psks)
    }
}

/// The node a record is keyed by.
fn node_of(key: &RecordKey) -> Result<NodeIndex, OperationError> {
    let bytes = key.id.as_slice().try_into().map_err(|_| OperationError::InvalidRecord)?;
    Ok(NodeIndex::new(u32::from_be_bytes(bytes)))
}
