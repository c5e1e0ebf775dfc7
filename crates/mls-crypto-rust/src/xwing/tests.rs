use super::*;

/// First vector of draft-connolly-cfrg-xwing-kem: seed, encapsulation randomness, shared secret, end of the KEM output.
const SEED: &str = "7f9c2ba4e88f827d616045507605853ed73b8093f6efbc88eb1a6eacfa66ef26";
const RANDOMNESS: &str = concat!(
    "3cb1eea988004b93103cfb0aeefd2a686e01fa4a58e8a3639ca8a1e3f9ae57e2",
    "35b8cc873c23dc62b8d260169afa2f75ab916a58d974918835d25e6a435085b2",
);
const SHARED: &str = "d2df0522128f09dd8e2c92b1e905c793d8f57a54c3da25861f10bf4ca613e384";
const KEM_OUTPUT_END: &str = "e56f17576740ce2a32fc5145030145cfb97e63e0e41d354274a079d3e6fb2e15";

fn bytes<const N: usize>(digits: &str) -> [u8; N] {
    hex::decode(digits).unwrap().try_into().unwrap()
}

#[test]
fn gives_the_known_answer() {
    let (seed, randomness) = (bytes::<32>(SEED), bytes::<64>(RANDOMNESS));
    let (kem_output, sent) = encapsulate(&public_key(&seed).unwrap(), &randomness).unwrap();
    assert_eq!(kem_output.len(), KEM_OUTPUT_LEN);
    assert!(kem_output.ends_with(&bytes::<32>(KEM_OUTPUT_END)));
    assert_eq!(sent.as_slice(), bytes::<32>(SHARED));
    assert!(decapsulate(&seed, &kem_output).unwrap().ct_eq(&sent));
}

#[test]
fn derived_keys_are_a_pair() {
    let (seed, derived) = derive_key_pair(b"input keying material of any length");
    assert_eq!(seed.len(), SEED_LEN);
    assert_eq!(derived.len(), PUBLIC_KEY_LEN);
    assert_eq!(public_key(seed.as_slice()), Ok(derived.clone()));
    assert_eq!(validate_public_key(&derived), Ok(()));
}

/// CRY-02, PROP-15
#[test]
fn refuses_wrong_lengths() {
    let (seed, derived) = derive_key_pair(b"ikm");
    let (kem_output, _) = encapsulate(&derived, &[1; 64]).unwrap();
    assert_eq!(validate_public_key(&derived[1..]), Err(CryptoError::InvalidPublicKey));
    assert_eq!(encapsulate(&derived[1..], &[1; 64]).err(), Some(CryptoError::InvalidPublicKey));
    assert_eq!(public_key(&seed.as_slice()[1..]), Err(CryptoError::InvalidPrivateKey));
    assert_eq!(decapsulate(&seed.as_slice()[1..], &kem_output).err(), Some(CryptoError::InvalidPrivateKey));
    assert_eq!(decapsulate(seed.as_slice(), &kem_output[1..]).err(), Some(CryptoError::InvalidKemOutput));
}

/// CRY-08
#[test]
fn refuses_a_low_order_half() {
    let (seed, mut derived) = derive_key_pair(b"ikm");
    let (mut kem_output, _) = encapsulate(&derived, &[1; 64]).unwrap();
    kem_output[KEM_OUTPUT_LEN - 32..].fill(0);
    derived[PUBLIC_KEY_LEN - 32..].fill(0);
    assert_eq!(decapsulate(seed.as_slice(), &kem_output).err(), Some(CryptoError::ZeroSharedSecret));
    assert_eq!(encapsulate(&derived, &[1; 64]).err(), Some(CryptoError::ZeroSharedSecret));
    assert_eq!(validate_public_key(&derived), Err(CryptoError::InvalidPublicKey));
}
