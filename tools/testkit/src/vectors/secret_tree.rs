//! `secret-tree.json`: message keys of every leaf, and sender data keys (RFC 9420, Sections 9 and 6.3.2).

use mls_crypto::{CipherSuite, CryptoProvider, Opaque, Secret, SuiteCrypto};
use mls_engine::{
    codec::encode,
    error::ProcessError,
    framing,
    limits::Limits,
    math::{LeafCount, LeafIndex},
    message::{ContentType, PrivateMessage},
    schedule::{EncryptionSecret, MessageKey, MessageKeyId, RatchetKind, SecretTree, SenderDataSecret},
};
use serde::Deserialize;

use super::{
    Failure, Hex,
    outcome::{At, Outcome, equal, holds, same},
};

/// The root secret, and keys of some generations of each leaf.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    pub(super) cipher_suite: u16,
    sender_data: SenderData,
    encryption_secret: Hex,
    leaves: Vec<Vec<Generation>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SenderData {
    sender_data_secret: Hex,
    ciphertext: Hex,
    key: Hex,
    nonce: Hex,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Generation {
    generation: u32,
    handshake_key: Hex,
    handshake_nonce: Hex,
    application_key: Hex,
    application_nonce: Hex,
}

impl Generation {
    fn of(&self, kind: RatchetKind) -> (&Hex, &Hex) {
        match kind {
            RatchetKind::Handshake => (&self.handshake_key, &self.handshake_nonce),
            RatchetKind::Application => (&self.application_key, &self.application_nonce),
        }
    }
}

/// Keys without using anything up, keys used up one after the other, and the same keys on the sender's side.
///
/// # Errors
/// The first difference.
pub fn check(case: &Case, provider: &dyn CryptoProvider) -> Outcome {
    let suite = provider.suite(CipherSuite(case.cipher_suite))?;
    sender_data(&case.sender_data, &*suite).at("sender_data")?;
    let mut tree = case.tree()?;
    for (index, generations) in (0..).zip(&case.leaves) {
        for kind in [RatchetKind::Handshake, RatchetKind::Application] {
            let sender = (LeafIndex::new(index), kind);
            let place = format!("leaf {index}, {kind:?}");
            peek(&*suite, &tree, sender, generations).at(&place)?;
            receive(&*suite, &mut tree, sender, generations).at(&place)?;
            send(&*suite, &mut case.tree()?, sender, generations).at(format!("{place}, sending"))?;
        }
    }
    Ok(())
}

/// What the file's key and nonce seal, the engine opens with the secret and the ciphertext they come from.
fn sender_data(case: &SenderData, suite: &dyn SuiteCrypto) -> Outcome {
    let inside = framing::SenderData { leaf_index: LeafIndex::new(3), generation: 5, reuse_guard: [1, 2, 3, 4] };
    let (group_id, epoch, content_type) = (Opaque::from(&b"group"[..]), 7u64, ContentType::Application);
    let aad = encode(&(&group_id, (epoch, content_type)))?;
    let mut sealed = encode(&inside)?;
    suite.aead_seal(&case.key, &case.nonce, &aad, &mut sealed)?;
    let message = PrivateMessage {
        group_id,
        epoch,
        content_type,
        authenticated_data: Opaque::new(Vec::new()),
        encrypted_sender_data: sealed.into(),
        ciphertext: case.ciphertext.to_vec().into(),
    };
    let secret = SenderDataSecret::from_secret(Secret::copy_from(&case.sender_data_secret));
    equal("opened", framing::open_sender_data(suite, &secret, &message)?, inside)
}

impl Case {
    fn tree(&self) -> Result<SecretTree, Failure> {
        let leaves = LeafCount::covering(u32::try_from(self.leaves.len())?).at("number of leaves")?;
        Ok(SecretTree::new(EncryptionSecret::from_secret(Secret::copy_from(&self.encryption_secret)), leaves))
    }
}

type Sender = (LeafIndex, RatchetKind);

fn id((leaf, kind): Sender, expected: &Generation) -> MessageKeyId {
    MessageKeyId { leaf, kind, generation: expected.generation }
}

fn compare(got: &MessageKey, expected: &Generation, kind: RatchetKind) -> Outcome {
    let (key, nonce) = expected.of(kind);
    same(format!("key {}", expected.generation), got.key.as_slice(), key)?;
    same(format!("nonce {}", expected.generation), got.nonce.as_slice(), nonce)
}

/// Looking at a key changes nothing, so any order will do.
fn peek(suite: &dyn SuiteCrypto, tree: &SecretTree, sender: Sender, generations: &[Generation]) -> Outcome {
    for expected in generations.iter().rev().chain(generations) {
        let (key, _) = tree.peek(suite, id(sender, expected), &Limits::default())?;
        compare(&key, expected, sender.1)?;
    }
    Ok(())
}

/// Newest first, so that older keys are skipped, kept and found again; a key is there once.
fn receive(suite: &dyn SuiteCrypto, tree: &mut SecretTree, sender: Sender, generations: &[Generation]) -> Outcome {
    let limits = Limits::default();
    for expected in generations.iter().rev() {
        let (key, spent) = tree.peek(suite, id(sender, expected), &limits)?;
        compare(&key, expected, sender.1)?;
        tree.record(suite, spent, &limits, 0)?;
        let again = tree.peek(suite, id(sender, expected), &limits);
        holds("a used key is still there", matches!(again, Err(ProcessError::ReplayDetected { .. })))?;
    }
    Ok(())
}

fn send(suite: &dyn SuiteCrypto, tree: &mut SecretTree, sender: Sender, generations: &[Generation]) -> Outcome {
    let limits = Limits::default();
    let last = generations.iter().map(|generation| generation.generation).max().unwrap_or(0);
    for number in 0..=last {
        let (generation, key, spent) = tree.next(suite, sender.0, sender.1, &limits)?;
        equal("generation", generation, number)?;
        if let Some(expected) = generations.iter().find(|expected| expected.generation == number) {
            compare(&key, expected, sender.1)?;
        }
        tree.record(suite, spent, &limits, 0)?;
    }
    Ok(())
}
