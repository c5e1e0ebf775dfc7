use mls_crypto::{CryptoError, Opaque, Secret};

use super::{PskSecret, psk_secret};
use crate::{
    message::{PreSharedKeyId, PskKind},
    schedule::testing::{Counting, secret},
};

fn id(name: u8) -> PreSharedKeyId {
    PreSharedKeyId { kind: PskKind::External(Opaque::new(vec![name])), psk_nonce: Opaque::new(vec![name; 32]) }
}

fn bytes(psks: &[(&PreSharedKeyId, &Secret)]) -> Vec<u8> {
    psk_secret(&Counting::new(), psks).unwrap().as_secret().as_slice().to_vec()
}

/// KS-03
#[test]
fn no_psk_gives_the_zero_vector() {
    assert_eq!(bytes(&[]), [0; 32]);
    assert_eq!(PskSecret::none(&Counting::new()).as_secret().as_slice(), [0; 32]);
}

/// KS-02
#[test]
fn order_count_id_and_nonce_are_bound() {
    let (a, b) = (id(1), id(2));
    let (key_a, key_b) = (secret(3), secret(4));
    let reference = bytes(&[(&a, &key_a), (&b, &key_b)]);
    assert_ne!(bytes(&[(&b, &key_b), (&a, &key_a)]), reference);
    assert_ne!(bytes(&[(&a, &key_a)]), reference);
    assert_ne!(bytes(&[(&a, &key_a), (&a, &key_b)]), reference);
    let mut other_nonce = id(2);
    other_nonce.psk_nonce = Opaque::new(vec![9; 32]);
    assert_ne!(bytes(&[(&a, &key_a), (&other_nonce, &key_b)]), reference);
}

/// KS-02
#[test]
fn more_than_a_u16_counts_are_refused() {
    let (id, key) = (id(1), secret(2));
    let psks = vec![(&id, &key); 65_536];
    let error = psk_secret(&Counting::new(), &psks).unwrap_err();
    assert_eq!(error, CryptoError::OutputTooLong(65_536));
}
