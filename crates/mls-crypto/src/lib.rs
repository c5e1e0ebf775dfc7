//! Cryptographic objects of MLS (RFC 9420, Section 5).
//!
//! In: an algorithm choice (a [`CipherSuite`] looked up in a [`SuiteTable`]) and bytes.
//! Out: hashes, tags, signatures, HPKE ciphertexts and secrets.
//! Always: nothing here keeps state; secrets are boxed, wiped on drop, and never printed.
//!
//! A host hands the engine one [`CryptoProvider`]; a provider hands out one [`SuiteCrypto`]
//! per cipher suite. Both are object safe, so nothing above is generic over cryptography.

pub mod label;

mod error;
mod hash;
mod hpke;
mod opaque;
mod parallel;
mod parsed;
mod provider;
mod random;
mod secret;
mod signature;
mod signer;
mod suite;

pub use error::CryptoError;
pub use hash::{Hash, Tag};
pub use hpke::{HpkeCiphertext, HpkeContext, HpkePrivateKey, HpkePsk, HpkePublicKey, SealJob};
pub use opaque::Opaque;
pub use parallel::{Parallel, Sequential};
pub use provider::{CryptoProvider, SuiteCrypto};
pub use random::Random;
pub use secret::Secret;
pub use signature::{SignaturePrivateKey, SignaturePublicKey, SignedItem};
pub use signer::{KeySigner, Signer, WithSigners};
pub use suite::{Aead, CipherSuite, HashAlgorithm, Kdf, Kem, SignatureScheme, SuiteParameters, SuiteTable};
