//! Joining by Welcome (RFC 9420, Section 12.4.3.1).
//!
//! In: a Welcome, our key packages' secrets, and the tree if it is not inside. Out: a group, complete and checked.
//! Always: on error the key package is untouched and can be used again (WEL-22); intermediate secrets are wiped either
//! way (DEL-12).

use mls_crypto::{Hash, SuiteCrypto, label};

use super::{
    Change, Group, KeyPackageSecrets, PublicState,
    apply::check_result,
    epoch::EpochKeys,
    propose::check_len,
    psk::find_psk_secret,
    rules::{check_context_placement, check_external_senders},
    welcome::WELCOME_LABEL,
};
use crate::{
    codec::decode_exact,
    error::{DecodeError, ProcessError, Signed},
    limits::MAX_PSKS,
    math::LeafIndex,
    message::{
        ExtensionType, GroupInfo, GroupSecrets, LeafNodeSource, MlsMessage, PreSharedKeyId, ProtocolVersion, PskKind,
        ResumptionPskUsage, Welcome,
    },
    policy::Env,
    schedule::{JoinerSecret, PskSecret, confirmation_tag, interim_transcript_hash},
    tree::{RatchetTree, TreePrivate, validate},
};

/// A group we joined, and the records to make durable before it is used.
#[derive(Debug)]
pub struct Joined {
    /// The group.
    pub group: Group,
    /// Its records. Put the end of the key package into the same transaction (WEL-22, X-STATE-07).
    pub changes: Vec<Change>,
    /// The key package that was used.
    pub key_package: Hash,
    /// Who added us (WEL-26).
    pub inviter: LeafIndex,
    /// LN-18: members whose leaf's lifetime is over.
    pub expired: Vec<LeafIndex>,
}

impl Group {
    /// Joins a group. `welcome` is an encoded MLSMessage, `ratchet_tree` the body of that extension if it came by
    /// another way.
    ///
    /// # Errors
    /// [`ProcessError`] naming the rule. [`ProcessError::TreeNeeded`] and [`ProcessError::MissingPsk`] can be mended
    /// and tried again.
    pub fn join(
        env: &Env<'_>,
        welcome: &[u8],
        keys: &[&KeyPackageSecrets],
        ratchet_tree: Option<&[u8]>,
    ) -> Result<Joined, ProcessError> {
        let welcome = decode_welcome(env, welcome)?;
        let suite = env.crypto.suite(welcome.cipher_suite)?;
        let (keys, key_package, secrets) = open_secrets(suite.as_ref(), &welcome, keys)?;
        check_psks(suite.as_ref(), &secrets.psks)?;
        let psk_secret = find_psk_secret(env, suite.as_ref(), &secrets.psks, &|_, _| None)?;
        let joiner_secret = JoinerSecret::from_secret(secrets.joiner_secret);
        let info = open_group_info(suite.as_ref(), &welcome, &joiner_secret, &psk_secret)?;
        let tree = check_group_info(env, suite.as_ref(), &info, ratchet_tree)?;
        let own = find_own_leaf(suite.as_ref(), &tree, keys)?;
        let mut private = TreePrivate::new(own, keys.leaf_key().duplicate());
        if let Some(path_secret) = &secrets.path_secret {
            private.add_welcome_path(suite.as_ref(), &tree, info.signer, path_secret)?;
        }
        super::reinit::check_succession(env, &secrets.psks, &info.group_context, &tree)?;
        let (public, keys_of_epoch) = begin_epoch(suite.as_ref(), &info, tree, &joiner_secret, &psk_secret)?;
        let expired = expired_members(env, public.tree());
        let group = Self::begin(suite, public, keys_of_epoch, private, keys.signature_key().duplicate());
        let changes = group.all_records().map_err(|_| DecodeError::TooLong)?;
        Ok(Joined { group, changes, key_package, inviter: info.signer, expired })
    }
}

fn decode_welcome(env: &Env<'_>, bytes: &[u8]) -> Result<Welcome, ProcessError> {
    check_len(bytes, env.limits.max_welcome(MAX_KEM_OUTPUT))?;
    match decode_exact(bytes)? {
        MlsMessage::Welcome(welcome) => Ok(*welcome),
        _ => Err(DecodeError::UnsupportedWireFormat.into()),
    }
}

/// The longest KEM output of a suite we know: X-Wing.
const MAX_KEM_OUTPUT: usize = 1_120;

/// WEL-01, WEL-02, WEL-24: the first of our entries that opens.
fn open_secrets<'a>(
    suite: &dyn SuiteCrypto,
    welcome: &Welcome,
    keys: &[&'a KeyPackageSecrets],
) -> Result<(&'a KeyPackageSecrets, Hash, GroupSecrets), ProcessError> {
    const MAX_TRIES: usize = 16;
    let mut ours = Vec::new();
    for candidate in keys {
        if candidate.key_package().cipher_suite == welcome.cipher_suite {
            ours.push((candidate.key_package().reference(suite)?, *candidate));
        }
    }
    let entries = welcome.secrets.iter().filter_map(|entry| {
        let (reference, keys) = ours.iter().find(|(reference, _)| *reference == entry.new_member)?;
        Some((entry, *reference, *keys))
    });
    let mut result = Err(ProcessError::NotForUs);
    for (entry, reference, keys) in entries.take(MAX_TRIES) {
        let key_pair = (keys.init_key(), &keys.key_package().init_key);
        let context = welcome.encrypted_group_info.as_slice();
        // WEL-03
        let opened = label::decrypt_with_label(suite, key_pair, WELCOME_LABEL, context, &entry.encrypted_group_secrets);
        match opened {
            // DEC-08
            Ok(secret) => return Ok((keys, reference, decode_exact(secret.as_slice())?)),
            Err(_) => result = Err(ProcessError::DecryptionFailed),
        }
    }
    result
}

/// WEL-05, PROP-09, KS-02.
fn check_psks(suite: &dyn SuiteCrypto, psks: &[PreSharedKeyId]) -> Result<(), ProcessError> {
    let succession = psks.iter().filter(|psk| succession_usage(psk).is_some()).count();
    let unique: std::collections::BTreeSet<_> = psks.iter().collect();
    if psks.len() > MAX_PSKS || succession > 1 {
        return Err(ProcessError::TooManyPsks);
    }
    if unique.len() != psks.len() {
        return Err(ProcessError::DuplicatePsk);
    }
    if psks.iter().any(|psk| psk.psk_nonce.as_slice().len() != suite.hash_len()) {
        return Err(ProcessError::PskNonceLength);
    }
    Ok(())
}

/// Whether a PSK says that the group continues another.
pub(super) fn succession_usage(psk: &PreSharedKeyId) -> Option<ResumptionPskUsage> {
    match psk.kind {
        PskKind::Resumption { usage: ResumptionPskUsage::Application, .. } | PskKind::External(_) => None,
        PskKind::Resumption { usage, .. } => Some(usage),
    }
}

/// WEL-06, DEC-08.
fn open_group_info(
    suite: &dyn SuiteCrypto,
    welcome: &Welcome,
    joiner_secret: &JoinerSecret,
    psk_secret: &PskSecret,
) -> Result<GroupInfo, ProcessError> {
    let (key, nonce) = joiner_secret.welcome_secret(suite, psk_secret)?.key_and_nonce(suite)?;
    let mut bytes = welcome.encrypted_group_info.as_slice().to_vec();
    suite.aead_open(key.as_slice(), nonce.as_slice(), &[], &mut bytes).map_err(|_| ProcessError::DecryptionFailed)?;
    Ok(decode_exact(&bytes)?)
}

/// WEL-07, WEL-09, WEL-10, WEL-12, WEL-21, EXT-13: a GroupInfo and its tree, before anything is joined.
pub(super) fn check_group_info(
    env: &Env<'_>,
    suite: &dyn SuiteCrypto,
    info: &GroupInfo,
    ratchet_tree: Option<&[u8]>,
) -> Result<RatchetTree, ProcessError> {
    let context = &info.group_context;
    // WEL-09
    if context.version != ProtocolVersion::MLS10 || context.cipher_suite != suite.cipher_suite() {
        return Err(ProcessError::SuiteMismatch);
    }
    check_info_placement(info)?;
    check_context_placement(&context.extensions)?;
    let tree = find_tree(env, suite, info, ratchet_tree)?;
    // WEL-07
    let signer = tree.leaf(info.signer).ok_or(ProcessError::UnknownMember(info.signer))?;
    label::verify_with_label(
        suite,
        &signer.signature_key,
        GroupInfo::SIGNATURE_LABEL,
        &info.tbs()?,
        info.signature.as_slice(),
    )
    .map_err(|_| ProcessError::BadSignature(Signed::GroupInfo))?;
    check_external_senders(env, suite, &context.extensions, context.group_id.as_slice())?;
    // WEL-12
    validate(env, suite, &tree, context)?;
    check_result(env, &tree, &context.extensions)?;
    Ok(tree)
}

/// DEC-26.
fn check_info_placement(info: &GroupInfo) -> Result<(), ProcessError> {
    let misplaced =
        [ExtensionType::APPLICATION_ID, ExtensionType::REQUIRED_CAPABILITIES, ExtensionType::EXTERNAL_SENDERS];
    match info.extensions.types().find(|kind| misplaced.contains(kind)) {
        Some(kind) => Err(ProcessError::MisplacedExtension(kind)),
        None => Ok(()),
    }
}

/// TREE-01, TREE-15, TREE-16: the tree from wherever it came; every one that was given has the right hash.
fn find_tree(
    env: &Env<'_>,
    suite: &dyn SuiteCrypto,
    info: &GroupInfo,
    ratchet_tree: Option<&[u8]>,
) -> Result<RatchetTree, ProcessError> {
    let inside = info.extensions.get(ExtensionType::RATCHET_TREE);
    let mut tree = None;
    for bytes in inside.into_iter().chain(ratchet_tree) {
        check_len(bytes, env.limits.max_welcome(MAX_KEM_OUTPUT))?;
        let decoded = RatchetTree::decode(suite, bytes)?;
        if decoded.tree_hash() != info.group_context.tree_hash {
            return Err(ProcessError::TreeHashMismatch);
        }
        tree = Some(decoded);
    }
    tree.ok_or(ProcessError::TreeNeeded)
}

/// WEL-13: the whole leaf, not only its key.
fn find_own_leaf(
    suite: &dyn SuiteCrypto,
    tree: &RatchetTree,
    keys: &KeyPackageSecrets,
) -> Result<LeafIndex, ProcessError> {
    let leaf = &keys.key_package().leaf_node;
    let index = tree.leaf_with_signature_key(suite, &leaf.signature_key).ok_or(ProcessError::OwnLeafMissing)?;
    if tree.leaf(index) == Some(leaf) { Ok(index) } else { Err(ProcessError::OwnLeafMissing) }
}

/// Sections 8 and 12.4.3.1: the epoch's secrets, and WEL-16.
fn begin_epoch(
    suite: &dyn SuiteCrypto,
    info: &GroupInfo,
    tree: RatchetTree,
    joiner_secret: &JoinerSecret,
    psk_secret: &PskSecret,
) -> Result<(PublicState, EpochKeys), ProcessError> {
    let context = &info.group_context;
    let encoded = crate::codec::encode(context)?;
    let (_, epoch_secret) = joiner_secret.welcome_and_epoch(suite, psk_secret, &encoded)?;
    let secrets = epoch_secret.split(suite)?;
    let confirmed = &context.confirmed_transcript_hash;
    let tag = confirmation_tag(suite, &secrets.confirmation_key, confirmed);
    // WEL-16
    if !tag.ct_eq(&info.confirmation_tag) {
        return Err(ProcessError::BadConfirmationTag);
    }
    let interim = interim_transcript_hash(suite, confirmed, &tag)?;
    let keys = EpochKeys::new(secrets, tree.leaf_count());
    Ok((PublicState::new(context.clone(), tree, interim, tag)?, keys))
}

/// LN-18: reported, never a reason to stay out.
fn expired_members(env: &Env<'_>, tree: &RatchetTree) -> Vec<LeafIndex> {
    let is_expired = |source: &LeafNodeSource| match source {
        LeafNodeSource::KeyPackage(lifetime) => !lifetime.contains(env.now),
        LeafNodeSource::Update | LeafNodeSource::Commit(_) => false,
    };
    tree.members().into_iter().filter(|(_, leaf)| is_expired(&leaf.source)).map(|(index, _)| index).collect()
}
