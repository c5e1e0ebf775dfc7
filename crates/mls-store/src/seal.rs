//! Sealing: bytes that can be read, moved or changed only by who has the key.
//!
//! In: a key, the place where the bytes will lie, and the bytes. Out: `salt 12 ‖ nonce 12 ‖ ciphertext ‖ tag 16`.
//! Always: AES-256-GCM under a key made for this one value, HKDF-Expand(key, label ‖ salt), so that 192 random bits stand
//! between two values and no key ever reaches the limits of its cipher. Derived keys lie in memory that is wiped.

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    hkdf::{HKDF_SHA256, KeyType, Prk},
    hmac, rand,
};
use mls_crypto::Secret;

use crate::StoreError;

/// Length of every key.
pub(crate) const KEY_LEN: usize = 32;
/// Length of every name of a row.
pub(crate) const ID_LEN: usize = 16;
/// How much longer a sealed value is.
pub(crate) const OVERHEAD: usize = SALT_LEN + NONCE_LEN + TAG_LEN;

const SALT_LEN: usize = 12;
const TAG_LEN: usize = 16;
const SUBKEY: &[u8] = b"SpacePanda store 1 record key";

/// The name of a row: a keyed hash, so that the file does not tell what it is called.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(crate) struct Id(pub(crate) [u8; ID_LEN]);

impl Id {
    /// The row's name from the file.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, StoreError> {
        bytes.try_into().map(Self).map_err(|_| StoreError::Damaged)
    }

    /// One of 64 parts; the first six bits.
    pub(crate) fn part(self) -> u8 {
        let [first, ..] = self.0;
        first >> 2
    }

    pub(crate) fn as_slice(&self) -> &[u8] {
        &self.0
    }
}

/// Random bytes of the operating system.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], StoreError> {
    let mut bytes = [0; N];
    rand::fill(&mut bytes).map_err(|_| StoreError::Unavailable)?;
    Ok(bytes)
}

/// A new key.
pub(crate) fn new_key() -> Result<Secret, StoreError> {
    let mut key = Secret::zero(KEY_LEN);
    rand::fill(key.as_mut_slice()).map_err(|_| StoreError::Unavailable)?;
    Ok(key)
}

/// HMAC-SHA-256 over the parts, one after the other.
pub(crate) fn mac(key: &Secret, parts: &[&[u8]]) -> hmac::Tag {
    let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, key.as_slice()));
    parts.iter().for_each(|part| context.update(part));
    context.sign()
}

/// A key for one purpose: HKDF-Expand of RFC 5869 with SHA-256 and `label ‖ context` as its info.
pub(crate) fn derive(key: &Secret, label: &[u8], context: &[u8]) -> Result<Secret, StoreError> {
    let mut derived = Secret::zero(KEY_LEN);
    let key = Prk::new_less_safe(HKDF_SHA256, key.as_slice());
    let done = key.expand(&[label, context], KeyLen).and_then(|output| output.fill(derived.as_mut_slice()));
    done.map(|()| derived).map_err(|_| StoreError::Unavailable)
}

/// The name of a row.
pub(crate) fn row_id(lookup: &Secret, label: &[u8], parts: &[&[u8]]) -> Id {
    let mut all = vec![label];
    all.extend_from_slice(parts);
    let tag = mac(lookup, &all);
    let mut id = [0; ID_LEN];
    id.iter_mut().zip(tag.as_ref()).for_each(|(to, from)| *to = *from);
    Id(id)
}

/// Seals bytes for a place.
pub(crate) fn seal(key: &Secret, place: &[u8], plaintext: &[u8]) -> Result<Vec<u8>, StoreError> {
    let prefix: [u8; SALT_LEN + NONCE_LEN] = random()?;
    let (salt, nonce) = prefix.split_at(SALT_LEN);
    let cipher = cipher(key, salt).ok_or(StoreError::Damaged)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| StoreError::Damaged)?;
    let mut sealed = Vec::with_capacity(plaintext.len().saturating_add(OVERHEAD));
    sealed.extend_from_slice(&prefix);
    sealed.extend_from_slice(plaintext);
    let (_, body) = sealed.split_at_mut(prefix.len());
    let tag = cipher.seal_in_place_separate_tag(nonce, Aad::from(place), body).map_err(|_| StoreError::Unavailable)?;
    sealed.extend_from_slice(tag.as_ref());
    Ok(sealed)
}

/// Opens what was sealed for this place with this key; `None` if it was not.
pub(crate) fn open(key: &Secret, place: &[u8], sealed: &[u8]) -> Option<Secret> {
    let (salt, rest) = sealed.split_at_checked(SALT_LEN)?;
    let (nonce, body) = rest.split_at_checked(NONCE_LEN)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
    let mut body = Secret::copy_from(body);
    let plaintext = cipher(key, salt)?.open_in_place(nonce, Aad::from(place), body.as_mut_slice()).ok()?;
    Some(Secret::copy_from(plaintext))
}

/// The cipher of one value.
fn cipher(key: &Secret, salt: &[u8]) -> Option<LessSafeKey> {
    let subkey = derive(key, SUBKEY, salt).ok()?;
    UnboundKey::new(&AES_256_GCM, subkey.as_slice()).ok().map(LessSafeKey::new)
}

/// The length of what HKDF makes.
struct KeyLen;

impl KeyType for KeyLen {
    fn len(&self) -> usize {
        KEY_LEN
    }
}
