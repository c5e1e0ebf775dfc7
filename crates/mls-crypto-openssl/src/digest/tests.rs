use openssl::{hash::MessageDigest, pkey::PKey, sign::Signer};

use super::*;

/// OpenSSL's own HMAC is the oracle; keys around the block length take each path.
#[test]
fn hmac_is_that_of_openssl() {
    for len in [1, 64, 127, 128, 129, 300] {
        let key: Vec<u8> = (0..=255).cycle().take(len).collect();
        let pkey = PKey::hmac(&key).unwrap();
        let mut signer = Signer::new(MessageDigest::sha512(), &pkey).unwrap();
        signer.update(b"one two").unwrap();
        let expected = signer.sign_to_vec().unwrap();
        let mut mac = [0; 64];
        Sha512.hmac(&key, &[b"one ", b"", b"two"], &mut mac);
        assert_eq!(mac.as_slice(), expected, "key of {len} bytes");
        let mut short = [0; 20];
        Sha512.hmac(&key, &[b"one two"], &mut short);
        assert_eq!(short, expected[..20]);
    }
}

/// OpenSSL takes no empty key; padding makes it the same as a zero byte.
#[test]
fn empty_key_is_a_zero_key() {
    let mac = |key: &[u8]| {
        let mut mac = [0; 64];
        Sha512.hmac(key, &[b"text"], &mut mac);
        mac
    };
    assert_eq!(mac(b""), mac(&[0]));
    assert_ne!(mac(b""), mac(&[1]));
}

#[test]
fn hash_is_of_the_joined_parts() {
    assert_eq!(Sha512.hash(&[b"a", b"", b"bc"]).as_slice(), sha::sha512(b"abc"));
}
