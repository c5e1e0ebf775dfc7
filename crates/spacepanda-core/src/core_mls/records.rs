//! The client's own records beside the engine's, and how the engine's are named in a store.
//!
//! In: values. Out: keys and bytes, and back. Always: class numbers are never used twice.

use mls_crypto::{CipherSuite, Opaque, Secret, SignaturePrivateKey};
use mls_engine::group::{Change, RecordClass, RecordKey};
use tls_codec::{DeserializeBytes, Serialize, TlsDeserializeBytes, TlsSerialize, TlsSize, VLByteSlice};

use super::{
    error::{MlsError, MlsResult},
    store::{Key, Write},
};

/// Space `Client`: who we are.
pub(crate) const IDENTITY: u8 = 1;
/// Space `Client`: key packages that nobody has used yet, by reference.
pub(crate) const KEY_PACKAGE: u8 = 2;
/// Space `Client`: external pre-shared keys, by id.
pub(crate) const PSK: u8 = 3;
/// Space `Client`: groups of a backup that are to be joined again, by id.
pub(crate) const LOST: u8 = 4;
/// Space `Client`: key packages that are gone, by reference: 1 for used or 2 for too old, and when.
pub(crate) const SPENT_KEY_PACKAGE: u8 = 5;
/// Space `Client`: key packages of last resort that were used, by reference, and when.
pub(crate) const LAST_RESORT_USED: u8 = 6;
/// Space `Client`: the certificate of this device.
pub(crate) const CERTIFICATE: u8 = 20;
/// Space `Client`: a rotation of the own key that is not over: the old public key.
pub(crate) const ROTATION: u8 = 21;
/// Spaces of groups: times.
pub(crate) const TIMES: u8 = 128;
/// Spaces of groups: when a member came, by leaf.
pub(crate) const JOINED_AT: u8 = 129;

/// Spaces of groups: that the state may not be the newest, and what is known of those that came after it.
pub(crate) const STANDING: u8 = 130;

/// Spaces of groups: what stands for an epoch when members compare them, by epoch.
pub(crate) const HISTORY: u8 = 131;
/// Spaces of groups: what others said about epochs, and whether we are on our way back.
pub(crate) const EVIDENCE: u8 = 132;
/// Spaces of groups: who did what, by number; and where that log ends.
pub(crate) const AUDIT: u8 = 133;
/// Spaces of groups: messages that were never sent in the epoch they were sealed for, in order.
pub(crate) const REQUEUED: u8 = 134;

/// Spaces of groups: that we want to leave.
pub(crate) const LEAVING: u8 = 135;

/// Spaces of groups: states to go back to, by epoch.
pub(crate) const CHECKPOINT: u8 = 136;

/// Spaces of groups: own messages that may come back, by the hash of their bytes.
pub(crate) const ECHO: u8 = 140;
/// Spaces of groups: hashes of deliveries that were handled, in blocks.
pub(crate) const DUPLICATE: u8 = 141;
/// Spaces of groups: messages that came too early, by the hash of their bytes.
pub(crate) const EARLY: u8 = 142;
/// Spaces of groups: envelopes that are to be sent, by the hash of their bytes.
pub(crate) const OUTGOING: u8 = 143;
/// Spaces of groups: Welcomes of our commits that were accepted, by commit.
pub(crate) const RELEASED: u8 = 144;
/// Spaces of the application: its rows.
pub(crate) const ROW: u8 = 1;

/// The engine's classes in a store. A class that is not here cannot be stored.
const CLASSES: [(RecordClass, u8); 11] = [
    (RecordClass::Header, 1),
    (RecordClass::Node, 2),
    (RecordClass::Epoch, 3),
    (RecordClass::PathKey, 4),
    (RecordClass::SecretNode, 5),
    (RecordClass::Ratchet, 6),
    (RecordClass::Skipped, 7),
    (RecordClass::Proposal, 8),
    (RecordClass::Pending, 9),
    (RecordClass::PastEpoch, 10),
    (RecordClass::ResumptionPsk, 11),
];

/// Every class in the space of a group.
pub(crate) fn group_classes() -> impl Iterator<Item = u8> {
    let own = [
        TIMES, JOINED_AT, STANDING, HISTORY, EVIDENCE, AUDIT, REQUEUED, LEAVING, ECHO, DUPLICATE, EARLY, OUTGOING,
        RELEASED,
    ];
    CLASSES.into_iter().map(|(_, number)| number).chain(own)
}

/// Every class that belongs to the epochs of a group, and not to what passes by.
pub(crate) fn state_classes() -> impl Iterator<Item = u8> {
    CLASSES.into_iter().map(|(_, number)| number).chain([TIMES, JOINED_AT, HISTORY, AUDIT])
}

/// The number of a class of the engine.
pub(crate) fn class_number(class: RecordClass) -> MlsResult<u8> {
    CLASSES.iter().find(|(known, _)| *known == class).map(|(_, number)| *number).ok_or(MlsError::InvalidRecord)
}

/// A record of the client that has no epoch.
pub(crate) fn key(class: u8, id: &[u8]) -> Key {
    Key { class, epoch: 0, id: id.to_vec() }
}

/// The name in a store of one of the engine's records.
pub(crate) fn store_key(key: &RecordKey) -> MlsResult<Key> {
    Ok(Key { class: class_number(key.class)?, epoch: key.epoch, id: key.id.clone() })
}

/// The engine's changes as writes.
pub(crate) fn writes(changes: &[Change]) -> MlsResult<Vec<Write<'_>>> {
    changes
        .iter()
        .map(|change| match change {
            Change::Put(key, value) => Ok(Write::Put(store_key(key)?, value)),
            Change::Delete(key) => Ok(Write::Delete(store_key(key)?)),
            Change::DeleteEpoch(class, epoch) => Ok(Write::DeleteEpoch { class: class_number(*class)?, epoch: *epoch }),
            _ => Err(MlsError::InvalidRecord),
        })
        .collect()
}

/// Who a client is.
#[derive(Debug)]
pub(crate) struct Identity {
    pub(crate) identity: Vec<u8>,
    pub(crate) cipher_suite: CipherSuite,
    pub(crate) signature_key: SignaturePrivateKey,
}

#[derive(TlsSerialize, TlsSize)]
struct IdentityWriting<'a> {
    identity: VLByteSlice<'a>,
    cipher_suite: CipherSuite,
    signature_key: VLByteSlice<'a>,
}

#[derive(TlsDeserializeBytes, TlsSize)]
struct IdentityReading {
    identity: Opaque,
    cipher_suite: CipherSuite,
    signature_key: Opaque,
}

impl Identity {
    pub(crate) fn encode(&self) -> MlsResult<Secret> {
        let writing = IdentityWriting {
            identity: VLByteSlice(&self.identity),
            cipher_suite: self.cipher_suite,
            signature_key: VLByteSlice(self.signature_key.secret().as_slice()),
        };
        writing.tls_serialize_detached().map(Secret::new).map_err(|_| MlsError::InvalidRecord)
    }

    pub(crate) fn decode(record: &Secret) -> MlsResult<Self> {
        let reading = IdentityReading::tls_deserialize_exact_bytes(record.as_slice());
        let IdentityReading { identity, cipher_suite, signature_key } = reading.map_err(|_| MlsError::InvalidRecord)?;
        let signature_key = SignaturePrivateKey::new(Secret::new(signature_key.into()));
        Ok(Self { identity: identity.into(), cipher_suite, signature_key })
    }
}

/// Numbers as a record.
pub(crate) fn encode_numbers(numbers: &[u64]) -> Secret {
    Secret::new(numbers.iter().flat_map(|number| number.to_be_bytes()).collect())
}

/// A record of exactly `N` numbers.
pub(crate) fn decode_numbers<const N: usize>(record: &Secret) -> MlsResult<[u64; N]> {
    let (chunks, rest) = record.as_slice().as_chunks::<8>();
    let numbers: Vec<_> = chunks.iter().map(|chunk| u64::from_be_bytes(*chunk)).collect();
    match <[u64; N]>::try_from(numbers) {
        Ok(numbers) if rest.is_empty() => Ok(numbers),
        _ => Err(MlsError::InvalidRecord),
    }
}

#[cfg(test)]
mod tests;
