//! A toy group shows what DHKEM itself guarantees, whatever the group below does.

#![allow(clippy::arithmetic_side_effects, reason = "tests")]

use mls_crypto::Hash;

use super::*;

/// `pk = sk`, and the Diffie-Hellman result is what the test says.
#[derive(Debug)]
struct Toy {
    kem: Kem,
    dh: [u8; 32],
    /// Private keys with a lower first byte are refused, as scalars above the order are.
    least: u8,
}

impl DiffieHellman for Toy {
    type PrivateKey = Vec<u8>;

    fn kem(&self) -> Kem {
        self.kem
    }

    fn private_key(&self, bytes: &[u8]) -> Result<Vec<u8>, CryptoError> {
        if bytes[0] < self.least { Err(CryptoError::InvalidPrivateKey) } else { Ok(bytes.to_vec()) }
    }

    fn public_key(&self, private_key: &Vec<u8>) -> Result<Vec<u8>, CryptoError> {
        Ok(private_key.clone())
    }

    fn agree(&self, _: &Vec<u8>, public_key: &[u8]) -> Result<Secret, CryptoError> {
        if public_key.is_empty() { Err(CryptoError::InvalidPublicKey) } else { Ok(Secret::copy_from(&self.dh)) }
    }

    fn validate(&self, _: &[u8]) -> Result<(), CryptoError> {
        Ok(())
    }
}

/// A hash whose output is a counter's worth of input bytes: enough to tell candidates apart.
#[derive(Debug)]
struct LastBytes;

impl HashFunction for LastBytes {
    fn output_len(&self) -> usize {
        32
    }

    fn hash(&self, _: &[&[u8]]) -> Hash {
        Hash::EMPTY
    }

    fn hmac(&self, _: &[u8], parts: &[&[u8]], mac: &mut [u8]) {
        // The byte before HKDF's own counter: the candidate counter of `DeriveKeyPair`.
        let joined = parts.concat();
        mac.fill(joined[joined.len() - 2]);
    }
}

struct Fixed;

impl Random for Fixed {
    fn fill(&self, out: &mut [u8]) -> Result<(), CryptoError> {
        out.fill(7);
        Ok(())
    }
}

fn toy(kem: Kem, dh: [u8; 32], least: u8) -> DhKem<Toy> {
    DhKem::new(Toy { kem, dh, least }, &LastBytes)
}

fn private() -> HpkePrivateKey {
    HpkePrivateKey::new(Secret::copy_from(&[1; 32]))
}

/// CRY-08: a library that lets an all-zero result through does not make HPKE use it.
#[test]
fn refuses_all_zero_result_from_the_library() {
    let kem = toy(Kem::X25519, [0; 32], 0);
    assert_eq!(kem.encapsulate(&[1; 32], &Fixed).err(), Some(CryptoError::ZeroSharedSecret));
    assert_eq!(kem.decapsulate(&private(), &[1; 32], &[1; 32]).err(), Some(CryptoError::ZeroSharedSecret));
}

/// CRY-08: one bit anywhere is enough to be accepted.
#[test]
fn accepts_results_with_any_bit_set() {
    for position in 0..32 {
        let mut dh = [0; 32];
        dh[position] = 0x80;
        assert!(toy(Kem::X25519, dh, 0).encapsulate(&[1; 32], &Fixed).is_ok());
    }
}

#[test]
fn bad_kem_output_is_not_called_a_bad_public_key() {
    let kem = toy(Kem::X25519, [1; 32], 0);
    assert_eq!(kem.decapsulate(&private(), &[1; 32], &[]).err(), Some(CryptoError::InvalidKemOutput));
    assert_eq!(kem.encapsulate(&[], &Fixed).err(), Some(CryptoError::InvalidPublicKey));
}

/// A group that would refuse the key, were it parsed again, does not see it.
#[test]
fn a_key_is_parsed_once() {
    let (private_key, _) = toy(Kem::X25519, [1; 32], 0).generate(&Fixed).unwrap();
    let strict = toy(Kem::X25519, [1; 32], 0xff);
    assert!(strict.decapsulate(&private_key.duplicate(), &[1; 32], &[1; 32]).is_ok());
    let read_back = HpkePrivateKey::new(private_key.secret().duplicate());
    assert_eq!(strict.decapsulate(&read_back, &[1; 32], &[1; 32]).err(), Some(CryptoError::InvalidPrivateKey));
}

#[test]
fn derivation_takes_the_first_candidate_in_range() {
    let (private_key, _) = toy(Kem::P256, [1; 32], 3).derive_key_pair(b"ikm").unwrap();
    assert_eq!(private_key.secret().as_slice(), [3; 32]);
}

#[test]
fn derivation_masks_the_top_of_p521() {
    let (private_key, _) = toy(Kem::P521, [1; 32], 1).derive_key_pair(b"ikm").unwrap();
    let bytes = private_key.secret().as_slice();
    assert_eq!(bytes.len(), 66);
    assert_eq!(bytes[0], 1);
}

#[test]
fn derivation_gives_up_after_256_candidates() {
    let kem = toy(Kem::P521, [1; 32], 2);
    assert_eq!(kem.derive_key_pair(b"ikm").err(), Some(CryptoError::Library));
}

/// RFC 7748, Section 5: which bits of a serialized private key are fixed.
#[test]
fn montgomery_keys_are_clamped() {
    let key = |kem| toy(kem, [1; 32], 0).generate(&Fixed).unwrap().0.secret().as_slice().to_vec();
    let (x25519, x448) = (key(Kem::X25519), key(Kem::X448));
    assert_eq!((x25519.len(), x25519[0], x25519[1], x25519[31]), (32, 0, 7, 0x47));
    assert_eq!((x448.len(), x448[0], x448[1], x448[55]), (56, 4, 7, 0x87));
}
