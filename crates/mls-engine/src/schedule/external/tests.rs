use mls_crypto::{CryptoError, HpkePublicKey};
use mls_crypto_rust::OsRandom;

use super::ExternalSecret;
use crate::schedule::{
    InitSecret,
    testing::{Broken, Counting, secret},
};

#[test]
fn joiner_and_group_agree_on_the_init_secret() {
    let suite = Counting::new();
    let (private, public) = ExternalSecret::from_secret(secret(1)).key_pair(&suite).unwrap();
    let (kem_output, sent) = InitSecret::from_external_sender(&suite, &public, &OsRandom).unwrap();
    let received = InitSecret::from_external_receiver(&suite, (&private, &public), &kem_output).unwrap();
    assert!(sent.as_secret().ct_eq(received.as_secret()));
    assert_eq!(sent.as_secret().len(), 32);
    let (private, public) = ExternalSecret::from_secret(secret(2)).key_pair(&suite).unwrap();
    let other = InitSecret::from_external_receiver(&suite, (&private, &public), &kem_output).unwrap();
    assert!(!sent.as_secret().ct_eq(other.as_secret()));
}

/// PROP-15
#[test]
fn bad_keys_kem_outputs_and_randomness_are_refused() {
    let suite = Counting::new();
    let (private, public) = ExternalSecret::from_secret(secret(1)).key_pair(&suite).unwrap();
    let short = InitSecret::from_external_receiver(&suite, (&private, &public), &[1; 31]).unwrap_err();
    assert_eq!(short, CryptoError::InvalidKemOutput);
    let key = HpkePublicKey::new(vec![1; 31]);
    let short = InitSecret::from_external_sender(&suite, &key, &OsRandom).unwrap_err();
    assert_eq!(short, CryptoError::InvalidPublicKey);
    let broken = InitSecret::from_external_sender(&suite, &public, &Broken).unwrap_err();
    assert_eq!(broken, CryptoError::Random);
}
