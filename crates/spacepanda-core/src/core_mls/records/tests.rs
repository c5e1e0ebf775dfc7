use mls_crypto::{CipherSuite, Secret, SignaturePrivateKey};

use super::{CLASSES, Identity, decode_numbers, encode_numbers};
use crate::core_mls::MlsError;

#[test]
fn identity_survives_storing() {
    let signature_key = SignaturePrivateKey::new(Secret::copy_from(&[7; 32]));
    let identity = Identity { identity: b"alice".to_vec(), cipher_suite: CipherSuite(0x004E), signature_key };
    let record = identity.encode().unwrap();
    // The stored form is public: a change of it needs a migration.
    let mut expected = b"\x05alice\x00\x4e\x20".to_vec();
    expected.extend([7; 32]);
    assert_eq!(record.as_slice(), expected);
    let read = Identity::decode(&record).unwrap();
    assert_eq!((read.identity, read.cipher_suite), (b"alice".to_vec(), CipherSuite(0x004E)));
    assert!(read.signature_key.secret().ct_eq(identity.signature_key.secret()));
    expected.push(0);
    assert_eq!(Identity::decode(&Secret::new(expected)).unwrap_err(), MlsError::InvalidRecord);
}

#[test]
fn numbers_are_exactly_as_many_as_asked_for() {
    let record = encode_numbers(&[1, u64::MAX]);
    assert_eq!(decode_numbers(&record), Ok([1, u64::MAX]));
    assert_eq!(decode_numbers::<1>(&record), Err(MlsError::InvalidRecord));
    assert_eq!(decode_numbers::<1>(&Secret::zero(9)), Err(MlsError::InvalidRecord));
}

#[test]
fn class_numbers_are_distinct() {
    let mut numbers: Vec<_> = CLASSES.iter().map(|(_, number)| *number).collect();
    numbers.extend([super::TIMES, super::JOINED_AT]);
    let count = numbers.len();
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers.len(), count);
}
