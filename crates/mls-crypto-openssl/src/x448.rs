//! X448 (RFC 7748, Section 5; RFC 9180, Section 7.1).
//!
//! In: 56-byte private and public keys. Out: 56-byte u-coordinates.
//! Always: keys of low order are refused when validated; the caller refuses all-zero results.

use mls_crypto::{CryptoError, Kem, Secret};
use mls_crypto_compose::DiffieHellman;
use openssl::{
    derive::Deriver,
    error::ErrorStack,
    pkey::{Id, PKey, Private},
};

use crate::ed448::PRIME;

/// The group of DHKEM(X448, HKDF-SHA512).
#[derive(Clone, Copy, Debug)]
pub(crate) struct X448;

impl DiffieHellman for X448 {
    type PrivateKey = PKey<Private>;

    fn kem(&self) -> Kem {
        Kem::X448
    }

    fn private_key(&self, bytes: &[u8]) -> Result<PKey<Private>, CryptoError> {
        if bytes.len() != KEY_LEN {
            return Err(CryptoError::InvalidPrivateKey);
        }
        PKey::private_key_from_raw_bytes(bytes, Id::X448).map_err(|_| CryptoError::InvalidPrivateKey)
    }

    fn public_key(&self, private_key: &PKey<Private>) -> Result<Vec<u8>, CryptoError> {
        private_key.raw_public_key().map_err(|_| CryptoError::Library)
    }

    fn agree(&self, private_key: &PKey<Private>, public_key: &[u8]) -> Result<Secret, CryptoError> {
        if public_key.len() != KEY_LEN {
            return Err(CryptoError::InvalidPublicKey);
        }
        let agree = || -> Result<Vec<u8>, ErrorStack> {
            let peer = PKey::public_key_from_raw_bytes(public_key, Id::X448)?;
            let mut deriver = Deriver::new(private_key)?;
            deriver.set_peer(&peer)?;
            deriver.derive_to_vec()
        };
        // CRY-08 (RFC 9180, Section 7.1.4): with a key of the right length, OpenSSL refuses nothing but a zero result.
        agree().map(Secret::new).map_err(|_| CryptoError::ZeroSharedSecret)
    }

    fn validate(&self, public_key: &[u8]) -> Result<(), CryptoError> {
        // CRY-02 (RFC 9420, Section 5.1.1), and CRY-08 foreseen: nobody could ever encrypt to a key of low order.
        let valid = public_key.len() == KEY_LEN && !is_low_order(public_key);
        if valid { Ok(()) } else { Err(CryptoError::InvalidPublicKey) }
    }
}

/// Whether `u` is 0, 1 or -1 modulo `p`: the coordinates of the points whose order divides the cofactor, 4, on the
/// curve and on its twist. Two of them have a second encoding, `p` and `p + 1`.
fn is_low_order(u: &[u8]) -> bool {
    let (zero, mut one) = ([0; KEY_LEN], [0; KEY_LEN]);
    let (mut minus_one, mut prime_plus_one) = (PRIME, PRIME);
    if let (Some(one), Some(minus_one)) = (one.first_mut(), minus_one.first_mut()) {
        (*one, *minus_one) = (1, 0xfe);
    }
    // The low half of `p` is all ones, so one more carries into the upper half.
    prime_plus_one.iter_mut().take(KEY_LEN / 2).for_each(|byte| *byte = 0);
    if let Some(middle) = prime_plus_one.get_mut(KEY_LEN / 2) {
        *middle = 0xff;
    }
    [zero, one, minus_one, PRIME, prime_plus_one].iter().any(|low| low == u)
}

/// `Nsk` and `Npk`, in bytes.
const KEY_LEN: usize = 56;

#[cfg(test)]
mod tests;
