//! Authenticated encryption in place (RFC 9420, Section 5.1; RFC 5116; RFC 8439).
//!
//! In: key, nonce, associated data and a buffer. Out: the same buffer with its tag appended or cut off.
//! Always: lengths are checked by the cipher's own constants before any byte is touched.

use aes_gcm::aead::{AeadInOut, KeyInit};
use aes_gcm::{Aes128Gcm, Aes256Gcm};
use chacha20poly1305::ChaCha20Poly1305;
use mls_crypto::{Aead, CryptoError};

/// Whether the algorithm is here.
pub(crate) const fn supports(aead: Aead) -> bool {
    matches!(aead, Aead::Aes128Gcm | Aead::Aes256Gcm | Aead::ChaCha20Poly1305)
}

/// Key, nonce and associated data of one call.
#[derive(Clone, Copy)]
pub(crate) struct Inputs<'a> {
    pub(crate) key: &'a [u8],
    pub(crate) nonce: &'a [u8],
    pub(crate) aad: &'a [u8],
}

/// Encrypts `buffer` in place and appends the tag.
pub(crate) fn seal(aead: Aead, inputs: Inputs<'_>, buffer: &mut Vec<u8>) -> Result<(), CryptoError> {
    match aead {
        Aead::Aes128Gcm => seal_with::<Aes128Gcm>(inputs, buffer),
        Aead::Aes256Gcm => seal_with::<Aes256Gcm>(inputs, buffer),
        Aead::ChaCha20Poly1305 => seal_with::<ChaCha20Poly1305>(inputs, buffer),
        _ => Err(CryptoError::Library),
    }
}

/// Opens `buffer` in place and cuts the tag off.
pub(crate) fn open(aead: Aead, inputs: Inputs<'_>, buffer: &mut Vec<u8>) -> Result<(), CryptoError> {
    match aead {
        Aead::Aes128Gcm => open_with::<Aes128Gcm>(inputs, buffer),
        Aead::Aes256Gcm => open_with::<Aes256Gcm>(inputs, buffer),
        Aead::ChaCha20Poly1305 => open_with::<ChaCha20Poly1305>(inputs, buffer),
        _ => Err(CryptoError::Library),
    }
}

fn seal_with<A: AeadInOut + KeyInit>(inputs: Inputs<'_>, buffer: &mut Vec<u8>) -> Result<(), CryptoError> {
    let Inputs { key, nonce, aad } = inputs;
    let cipher = A::new_from_slice(key).map_err(|_| CryptoError::InvalidLength)?;
    let nonce = nonce.try_into().map_err(|_| CryptoError::InvalidLength)?;
    cipher.encrypt_in_place(nonce, aad, buffer).map_err(|_| CryptoError::Library)
}

fn open_with<A: AeadInOut + KeyInit>(inputs: Inputs<'_>, buffer: &mut Vec<u8>) -> Result<(), CryptoError> {
    let Inputs { key, nonce, aad } = inputs;
    let cipher = A::new_from_slice(key).map_err(|_| CryptoError::InvalidLength)?;
    let nonce = nonce.try_into().map_err(|_| CryptoError::InvalidLength)?;
    cipher.decrypt_in_place(nonce, aad, buffer).map_err(|_| CryptoError::OpenFailed)
}
