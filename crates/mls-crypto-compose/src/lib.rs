//! Cipher suites composed from a library's primitives (RFC 9420, Section 5.1; RFC 9180).
//!
//! In: a hash, an AEAD, a Diffie-Hellman group or KEM, and a signature scheme, each behind a small trait.
//! Out: a [`ComposedSuite`], which is a [`mls_crypto::SuiteCrypto`].
//! Always: HPKE's labels, key schedule and checks are written once, here; a provider adds primitives only.

mod context;
mod dhkem;
mod hkdf;
mod key_schedule;
mod primitives;
mod suite;
mod suite_set;

pub use dhkem::DhKem;
pub use primitives::{
    AeadCipher, DiffieHellman, HashFunction, KeyEncapsulation, KeyPair, Primitives, SignatureFunctions,
};
pub use suite::ComposedSuite;
pub use suite_set::SuiteSet;
