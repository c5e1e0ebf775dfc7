//! AES-256-GCM and ChaCha20-Poly1305 (RFC 9180, Section 7.3).
//!
//! In: key, nonce, associated data and a buffer. Out: the buffer, encrypted or decrypted where it lies.
//! Always: lengths are checked before OpenSSL, which panics or overruns on wrong ones, sees them.

use mls_crypto::CryptoError;
use mls_crypto_compose::AeadCipher;
use openssl::{
    cipher::{Cipher, CipherRef},
    cipher_ctx::CipherCtx,
    error::ErrorStack,
};

/// One AEAD of OpenSSL; both have 32-byte keys and 12-byte nonces.
#[derive(Debug)]
pub(crate) enum OpenSslAead {
    /// AES-256-GCM.
    Aes256Gcm,
    /// ChaCha20-Poly1305.
    ChaCha20Poly1305,
}

impl OpenSslAead {
    fn cipher(&self) -> &'static CipherRef {
        match self {
            Self::Aes256Gcm => Cipher::aes_256_gcm(),
            Self::ChaCha20Poly1305 => Cipher::chacha20_poly1305(),
        }
    }
}

impl AeadCipher for OpenSslAead {
    fn seal(&self, key: &[u8], nonce: &[u8], aad: &[u8], buffer: &mut Vec<u8>) -> Result<(), CryptoError> {
        check_lengths(key, nonce, aad, buffer)?;
        let mut tag = [0; TAG_LEN];
        let mut seal = || -> Result<(), ErrorStack> {
            let mut context = CipherCtx::new()?;
            context.encrypt_init(Some(self.cipher()), Some(key), Some(nonce))?;
            transform(&mut context, aad, buffer)?;
            context.cipher_final(&mut [])?;
            context.tag(&mut tag)
        };
        seal().map_err(|_| CryptoError::Library)?;
        buffer.extend_from_slice(&tag);
        Ok(())
    }

    fn open(&self, key: &[u8], nonce: &[u8], aad: &[u8], buffer: &mut Vec<u8>) -> Result<(), CryptoError> {
        check_lengths(key, nonce, aad, buffer)?;
        let (ciphertext, tag) = buffer.split_last_chunk_mut::<TAG_LEN>().ok_or(CryptoError::OpenFailed)?;
        let len = ciphertext.len();
        let mut open = || -> Result<(), ErrorStack> {
            let mut context = CipherCtx::new()?;
            context.decrypt_init(Some(self.cipher()), Some(key), Some(nonce))?;
            transform(&mut context, aad, ciphertext)?;
            context.set_tag(tag)?;
            context.cipher_final(&mut []).map(|_| ())
        };
        open().map_err(|_| CryptoError::OpenFailed)?;
        buffer.truncate(len);
        Ok(())
    }
}

/// Takes in `aad` and changes `buffer` in place.
fn transform(context: &mut CipherCtx, aad: &[u8], buffer: &mut [u8]) -> Result<(), ErrorStack> {
    // OpenSSL takes an empty update for the end of the message.
    if !aad.is_empty() {
        context.cipher_update(aad, None)?;
    }
    if !buffer.is_empty() {
        context.cipher_update_inplace(buffer, buffer.len())?;
    }
    Ok(())
}

fn check_lengths(key: &[u8], nonce: &[u8], aad: &[u8], buffer: &[u8]) -> Result<(), CryptoError> {
    let right = key.len() == KEY_LEN && nonce.len() == NONCE_LEN;
    let countable = aad.len() <= MAX_INPUT && buffer.len() <= MAX_INPUT;
    if right && countable { Ok(()) } else { Err(CryptoError::InvalidLength) }
}

/// `Nk`, in bytes.
const KEY_LEN: usize = 32;
/// `Nn`, in bytes.
const NONCE_LEN: usize = 12;
/// `Nt`, in bytes.
const TAG_LEN: usize = 16;
/// OpenSSL counts in a C int; an MLS vector is shorter than this (RFC 9420, Section 2.1.2).
const MAX_INPUT: usize = 1 << 30;
