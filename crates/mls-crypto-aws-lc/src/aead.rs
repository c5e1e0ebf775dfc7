//! AES-GCM and ChaCha20-Poly1305 (RFC 9180, Section 7.3).
//!
//! In: key, nonce, associated data and a buffer. Out: the buffer, encrypted or decrypted where it lies.
//! Always: key and nonce lengths are checked before anything else.

use aws_lc_rs::aead;
use mls_crypto::CryptoError;
use mls_crypto_compose::AeadCipher;

/// One AEAD of aws-lc.
#[derive(Debug)]
pub(crate) struct Cipher(&'static aead::Algorithm);

pub(crate) static AES_128_GCM: Cipher = Cipher(&aead::AES_128_GCM);
pub(crate) static AES_256_GCM: Cipher = Cipher(&aead::AES_256_GCM);
pub(crate) static CHACHA20_POLY1305: Cipher = Cipher(&aead::CHACHA20_POLY1305);

impl Cipher {
    fn key_and_nonce(&self, key: &[u8], nonce: &[u8]) -> Result<(aead::LessSafeKey, aead::Nonce), CryptoError> {
        let key = aead::UnboundKey::new(self.0, key).map_err(|_| CryptoError::InvalidLength)?;
        let nonce = aead::Nonce::try_assume_unique_for_key(nonce).map_err(|_| CryptoError::InvalidLength)?;
        Ok((aead::LessSafeKey::new(key), nonce))
    }
}

impl AeadCipher for Cipher {
    fn seal(&self, key: &[u8], nonce: &[u8], aad: &[u8], buffer: &mut Vec<u8>) -> Result<(), CryptoError> {
        let (key, nonce) = self.key_and_nonce(key, nonce)?;
        let tag =
            key.seal_in_place_separate_tag(nonce, aead::Aad::from(aad), buffer).map_err(|_| CryptoError::Library)?;
        buffer.extend_from_slice(tag.as_ref());
        Ok(())
    }

    fn open(&self, key: &[u8], nonce: &[u8], aad: &[u8], buffer: &mut Vec<u8>) -> Result<(), CryptoError> {
        let (key, nonce) = self.key_and_nonce(key, nonce)?;
        let plaintext = key.open_in_place(nonce, aead::Aad::from(aad), buffer).map_err(|_| CryptoError::OpenFailed)?;
        let len = plaintext.len();
        buffer.truncate(len);
        Ok(())
    }
}
