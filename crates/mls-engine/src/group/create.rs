//! Creating a group (RFC 9420, Section 11).
//!
//! In: an id, a suite, who we are. Out: a group of one at epoch 0, and its first records.
//! Always: KS-05: the epoch secret is random; the confirmed transcript hash is zero-length.

use std::{collections::BTreeMap, sync::Arc};

use mls_crypto::{CipherSuite, Hash, Opaque, SignaturePrivateKey};

use super::{
    Change, Group, PublicState, Status,
    apply::check_result,
    epoch::EpochKeys,
    key_package::NewLeaf,
    proposals::ProposalCache,
    rules::{check_context_placement, check_external_senders},
};
use crate::{
    error::OperationError,
    math::LeafIndex,
    message::{Capabilities, Credential, Extensions, Grease, GroupContext, LeafNodeSource, Lifetime, ProtocolVersion},
    policy::Env,
    schedule::{EpochSecret, confirmation_tag, interim_transcript_hash},
    tree::{LeafPlace, LeafRules, TreeDraft, TreePrivate},
};

/// How a group begins.
#[derive(Debug)]
pub struct CreateParams<'a> {
    /// GRP-03: at least 16 random bytes, unless the application knows better.
    pub group_id: Vec<u8>,
    /// The group's suite.
    pub cipher_suite: CipherSuite,
    /// Who we are.
    pub credential: Credential,
    /// Our signature key.
    pub signature_key: &'a SignaturePrivateKey,
    /// What we support; see [`super::own_capabilities`].
    pub capabilities: Capabilities,
    /// Lifetime of our first leaf.
    pub lifetime: Lifetime,
    /// Extensions of our leaf.
    pub leaf_extensions: Extensions,
    /// Extensions of the group context.
    pub extensions: Extensions,
}

/// A new group, and the records to make durable before it is used.
#[derive(Debug)]
pub struct Created {
    /// The group.
    pub group: Group,
    /// Its records.
    pub changes: Vec<Change>,
}

impl Group {
    /// Creates a group of one.
    ///
    /// # Errors
    /// [`OperationError::Rule`] if our own leaf or context would be refused by others (GRP-04, GRP-05), or randomness
    /// fails.
    pub fn create(env: &Env<'_>, params: CreateParams<'_>) -> Result<Created, OperationError> {
        let suite = env.crypto.suite(params.cipher_suite)?;
        let context = GroupContext {
            version: ProtocolVersion::MLS10,
            cipher_suite: params.cipher_suite,
            group_id: Opaque::new(params.group_id),
            epoch: 0,
            tree_hash: Hash::EMPTY,
            confirmed_transcript_hash: Hash::EMPTY,
            extensions: params.extensions,
        };
        let leaf = NewLeaf {
            credential: params.credential,
            capabilities: params.capabilities,
            extensions: params.leaf_extensions,
            source: LeafNodeSource::KeyPackage(params.lifetime),
            signature_key: params.signature_key,
            grease: Grease::draw(env.random)?,
        };
        let (leaf, leaf_key) = leaf.sign(env, suite.as_ref(), (context.group_id.as_slice(), LeafIndex::FIRST))?;
        let leaf =
            LeafRules::new(env, suite.as_ref(), &context)?.check_leaf(leaf, LeafPlace::KeyPackage { sending: true })?;
        check_context_placement(&context.extensions)?;
        check_external_senders(env, suite.as_ref(), &context.extensions, context.group_id.as_slice())?;
        let mut draft = TreeDraft::empty(suite.as_ref())?;
        draft.add(leaf.into_inner())?;
        let tree = draft.seal()?;
        check_result(env, &tree, &context.extensions)?;

        let context = GroupContext { tree_hash: tree.tree_hash(), ..context };
        let secrets = EpochSecret::random(suite.as_ref(), env.random)?.split(suite.as_ref())?;
        let tag = confirmation_tag(suite.as_ref(), &secrets.confirmation_key, &Hash::EMPTY);
        let interim = interim_transcript_hash(suite.as_ref(), &Hash::EMPTY, &tag)?;
        let keys = EpochKeys::new(secrets, tree.leaf_count());
        let public = PublicState::new(context, tree, interim, tag)?;
        let private = TreePrivate::new(LeafIndex::FIRST, leaf_key);
        let group = Self::begin(suite, public, keys, private, params.signature_key.duplicate());
        let changes = group.all_records()?;
        Ok(Created { group, changes })
    }

    /// A group at the start of our membership.
    pub(super) fn begin(
        suite: Arc<dyn mls_crypto::SuiteCrypto>,
        public: PublicState,
        keys: EpochKeys,
        private: TreePrivate,
        signature_key: SignaturePrivateKey,
    ) -> Self {
        Self {
            suite,
            public: Arc::new(public),
            keys,
            private,
            signature_key,
            proposals: ProposalCache::default(),
            own_updates: BTreeMap::new(),
            pending: BTreeMap::new(),
            past: BTreeMap::new(),
            resumption_psks: BTreeMap::new(),
            status: Status::Active,
            revision: 0,
        }
    }
}
