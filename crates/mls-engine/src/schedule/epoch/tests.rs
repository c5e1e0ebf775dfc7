use mls_crypto::CryptoError;

use super::{CommitSecret, EpochSecret, InitSecret, JoinerSecret};
use crate::schedule::{
    PskSecret,
    testing::{Broken, Constant, Counting, secret},
};

fn epoch_secret(init: u8, commit: u8, psk: u8, contexts: (&[u8], &[u8])) -> Vec<u8> {
    let suite = Counting::new();
    let (init, commit) = (InitSecret::from_secret(secret(init)), CommitSecret::from_secret(secret(commit)));
    let joiner = JoinerSecret::derive(&suite, &init, &commit, contexts.0).unwrap();
    let psk = PskSecret::from_secret(secret(psk));
    joiner.welcome_and_epoch(&suite, &psk, contexts.1).unwrap().1.as_secret().as_slice().to_vec()
}

/// COM-13
#[test]
fn commit_without_path_has_zero_commit_secret() {
    assert_eq!(CommitSecret::none(&Counting::new()).as_secret().as_slice(), [0; 32]);
}

/// KS-01
#[test]
fn every_input_reaches_the_epoch_secret() {
    let reference = epoch_secret(1, 2, 3, (b"joiner", b"epoch"));
    assert_ne!(epoch_secret(9, 2, 3, (b"joiner", b"epoch")), reference);
    assert_ne!(epoch_secret(1, 9, 3, (b"joiner", b"epoch")), reference);
    assert_ne!(epoch_secret(1, 2, 9, (b"joiner", b"epoch")), reference);
    assert_ne!(epoch_secret(1, 2, 3, (b"other", b"epoch")), reference);
    assert_ne!(epoch_secret(1, 2, 3, (b"joiner", b"other")), reference);
    // Extract is not symmetric in salt and input.
    assert_ne!(epoch_secret(2, 1, 3, (b"joiner", b"epoch")), reference);
}

/// KS-05
#[test]
fn first_epoch_secret_is_random_and_full_length() {
    let suite = Counting::new();
    let secret = EpochSecret::random(&suite, &Constant(7)).unwrap();
    assert_eq!(secret.as_secret().as_slice(), [7; 32]);
    assert_eq!(EpochSecret::random(&suite, &Broken).unwrap_err(), CryptoError::Random);
}

/// KS-01
#[test]
fn all_secrets_of_an_epoch_differ() {
    let suite = Counting::new();
    let secrets = EpochSecret::from_secret(secret(1)).split(&suite).unwrap();
    let all = [
        secrets.init_secret.as_secret(),
        secrets.sender_data_secret.as_secret(),
        secrets.encryption_secret.as_secret(),
        secrets.exporter_secret.as_secret(),
        secrets.external_secret.as_secret(),
        secrets.confirmation_key.as_secret(),
        secrets.membership_key.as_secret(),
        secrets.resumption_psk.as_secret(),
        secrets.epoch_authenticator.as_secret(),
    ];
    for (position, secret) in all.iter().enumerate() {
        assert_eq!(secret.len(), 32);
        assert!(all[position + 1..].iter().all(|other| !secret.ct_eq(other)), "secret {position}");
    }
}

/// X-STATE-12
#[test]
fn secrets_do_not_print() {
    let secrets = EpochSecret::from_secret(secret(1)).split(&Counting::new()).unwrap();
    let expected = format!("{:?}", secrets.init_secret);
    assert_eq!(expected, "InitSecret(Secret(..))");
}

#[test]
fn welcome_key_and_nonce_have_the_lengths_of_the_aead() {
    let suite = Counting::new();
    let joiner = JoinerSecret::from_secret(secret(1));
    let (welcome, _) = joiner.welcome_and_epoch(&suite, &PskSecret::none(&suite), b"").unwrap();
    let (key, nonce) = welcome.key_and_nonce(&suite).unwrap();
    assert_eq!((key.len(), nonce.len()), (16, 12));
}
