//! Members, what they agree on, and the attacker's tools.

use core::fmt::Debug;
use std::{collections::BTreeSet, sync::Arc};

use mls_engine::{
    codec::{decode_exact, encode},
    message::{MlsMessage, PrivateMessage},
};
use spacepanda_core::core_mls::{
    Client, CryptoError, MemberInfo, MessageType, MlsConfig, MlsEnvelope, MlsError, MlsHandle, MlsResult,
    ReceivedProposal, TrustOnFirstUse,
    store::{MemoryStore, Revision, Section, StateStore, Write},
};

/// What a ciphertext that was tampered with gives, whatever is wrong with it.
pub(crate) const OPEN_FAILED: MlsError = MlsError::CryptoError(CryptoError::OpenFailed);

/// What a wrong signature gives.
pub(crate) const BAD_SIGNATURE: MlsError = MlsError::CryptoError(CryptoError::InvalidSignature);

pub(crate) fn client(identity: &str) -> Client {
    client_with(identity, &MlsConfig::interop())
}

pub(crate) fn client_with(identity: &str, config: &MlsConfig) -> Client {
    client_over(identity, config, Arc::new(MemoryStore::new()))
}

pub(crate) fn client_over(identity: &str, config: &MlsConfig, store: Arc<MemoryStore>) -> Client {
    let builder = Client::builder(identity.as_bytes(), Arc::new(TrustOnFirstUse::new()));
    builder.config(config.clone()).store(store).open().unwrap()
}

/// [`MlsConfig::interop`] with changes.
pub(crate) fn config(change: impl FnOnce(&mut MlsConfig)) -> MlsConfig {
    let mut config = MlsConfig::interop();
    change(&mut config);
    config
}

/// The first one's group with everybody in it, at epoch 1; one commit adds them.
pub(crate) fn group_of(clients: &[&Client]) -> Vec<MlsHandle> {
    let (first, others) = clients.split_first().unwrap();
    let group = first.create_group(Some("tea")).unwrap();
    let adds: Vec<_> = others.iter().map(|c| (c.generate_key_package().unwrap(), c.identity().to_vec())).collect();
    group.propose_add_batch(&adds).unwrap();
    let (_, welcomes) = group.commit().unwrap();
    assert_eq!(welcomes.len(), others.len());
    let joined = others.iter().zip(&welcomes).map(|(client, welcome)| client.join_group(welcome).unwrap());
    std::iter::once(group.clone()).chain(joined).collect()
}

/// Alice and Bob in one group.
pub(crate) fn pair() -> (MlsHandle, MlsHandle) {
    pair_with(&MlsConfig::interop())
}

pub(crate) fn pair_with(config: &MlsConfig) -> (MlsHandle, MlsHandle) {
    let (alice, bob) = (client_with("alice", config), client_with("bob", config));
    let mut handles = group_of(&[&alice, &bob]).into_iter();
    (handles.next().unwrap(), handles.next().unwrap())
}

/// Everything about a group that a refused message could have changed.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct State {
    epoch: u64,
    epoch_authenticator: MlsResult<Vec<u8>>,
    name: Option<String>,
    members: Vec<MemberInfo>,
    proposals: MlsResult<Vec<ReceivedProposal>>,
    pending_commits: usize,
}

pub(crate) fn state(handle: &MlsHandle) -> State {
    State {
        epoch: handle.epoch(),
        epoch_authenticator: handle.epoch_authenticator(),
        name: handle.group_name(),
        members: handle.members(),
        proposals: handle.pending_proposals(),
        pending_commits: handle.pending_commits().unwrap().len(),
    }
}

/// The call fails like this and changes nothing.
#[track_caller]
pub(crate) fn assert_refused<T: Debug>(handle: &MlsHandle, error: &MlsError, call: impl FnOnce() -> MlsResult<T>) {
    let before = state(handle);
    assert_eq!(&call().unwrap_err(), error);
    assert_eq!(state(handle), before);
}

/// The message opens, and is from somebody else.
#[track_caller]
pub(crate) fn assert_opens(reader: &MlsHandle, envelope: &MlsEnvelope, plaintext: &[u8]) {
    let message = reader.receive_message(envelope).unwrap();
    assert_eq!(message.plaintext, plaintext);
    assert!(!message.own_echo);
}

/// CON-08: the sender has its message back, marked as its own; a second time it is a replay.
#[track_caller]
pub(crate) fn assert_echo_once(sender: &MlsHandle, envelope: &MlsEnvelope, plaintext: &[u8]) {
    let message = sender.receive_message(envelope).unwrap();
    assert_eq!((message.plaintext.as_slice(), message.own_echo), (plaintext, true));
    assert_refused(sender, &replay(sender, message.generation), || sender.receive_message(envelope));
}

/// All are in the same epoch with the same roster, name and epoch authenticator.
#[track_caller]
pub(crate) fn assert_agree(handles: &[&MlsHandle]) {
    let view = |handle: &MlsHandle| {
        let members: Vec<_> =
            handle.members().into_iter().map(|m| (m.leaf_index, m.identity, m.signature_key)).collect();
        (handle.epoch(), handle.epoch_authenticator().unwrap(), handle.group_name(), members)
    };
    for handle in handles {
        assert_eq!(view(handle), view(handles[0]));
    }
}

pub(crate) fn replay(sender: &MlsHandle, generation: u32) -> MlsError {
    MlsError::ReplayDetected { sender: sender.own_index(), generation }
}

pub(crate) const fn wrong_epoch(expected: u64, actual: u64) -> MlsError {
    MlsError::EpochMismatch { expected, actual }
}

/// The envelope with its message changed, as far as an outsider can.
pub(crate) fn rewrite(envelope: &MlsEnvelope, change: impl FnOnce(&mut MlsMessage)) -> MlsEnvelope {
    let mut message = decode_exact(envelope.payload()).unwrap();
    change(&mut message);
    wrap(envelope.message_type(), encode(&message).unwrap()).unwrap()
}

/// [`rewrite`] of an encrypted message.
pub(crate) fn rewrite_private(envelope: &MlsEnvelope, change: impl FnOnce(&mut PrivateMessage)) -> MlsEnvelope {
    rewrite(envelope, |message| match message {
        MlsMessage::PrivateMessage(private) => change(private),
        other => unreachable!("{other:?}"),
    })
}

pub(crate) fn private(envelope: &MlsEnvelope) -> PrivateMessage {
    match decode_exact(envelope.payload()).unwrap() {
        MlsMessage::PrivateMessage(private) => *private,
        other => unreachable!("{other:?}"),
    }
}

/// An envelope of this kind; a Welcome's group is unknown.
pub(crate) fn wrap(message_type: MessageType, payload: Vec<u8>) -> MlsResult<MlsEnvelope> {
    match message_type {
        MessageType::Welcome => MlsEnvelope::wrap_welcome(b"", payload),
        MessageType::Proposal => MlsEnvelope::wrap_proposal(payload),
        MessageType::Commit => MlsEnvelope::wrap_commit(payload),
        MessageType::Application => MlsEnvelope::wrap_application(payload),
    }
}

pub(crate) fn flip(bytes: &[u8], bit: usize) -> Vec<u8> {
    let mut flipped = bytes.to_vec();
    flipped[bit / 8] ^= 1 << (bit % 8);
    flipped
}

/// What a thief of the device has: every record as it is now.
pub(crate) fn copy(store: &MemoryStore) -> Arc<MemoryStore> {
    let copy = MemoryStore::new();
    for (space, _) in store.spaces(None).unwrap() {
        let records: Vec<_> = (0..=u8::MAX).flat_map(|class| store.scan(&space, class, None).unwrap()).collect();
        let writes = records.iter().map(|(key, record)| Write::Put(key.clone(), record)).collect();
        copy.apply(&[Section { space, expected: Revision::NONE, writes }]).unwrap();
    }
    Arc::new(copy)
}

/// Numbers that look random and are the same in every run (SplitMix64).
pub(crate) struct Numbers(pub(crate) u64);

impl Numbers {
    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((mixed ^ (mixed >> 31)) % u64::try_from(end).unwrap()).unwrap()
    }

    /// The bytes with this many different bits flipped.
    pub(crate) fn flip(&mut self, bytes: &[u8], count: usize) -> Vec<u8> {
        let mut bits = BTreeSet::new();
        while bits.len() < count {
            bits.insert(self.below(bytes.len() * 8));
        }
        bits.into_iter().fold(bytes.to_vec(), |bytes, bit| flip(&bytes, bit))
    }
}
