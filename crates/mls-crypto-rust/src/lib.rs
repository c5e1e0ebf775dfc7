//! The portable cryptography provider (RFC 9420, Section 5): Rust only, no C compiler.
//!
//! In: a [`mls_crypto::SuiteTable`]. Out: the operations of the suites whose algorithms this crate has: all KEMs,
//! KDFs, AEADs and signature schemes of the registered suites except X448 and Ed448, and the X-Wing hybrid KEM.
//! Always: randomness comes from the [`mls_crypto::Random`] handed in, and its failure is an error, never a weak key.
//!
//! [`ed25519`] and [`xwing`] are public so that the native provider shares one accept set and one hybrid KEM, and
//! [`hmac`] because it is faster for short inputs than what that provider has.

pub mod ed25519;
pub mod hmac;
pub mod xwing;

mod aead;
mod digest;
mod ecdsa;
mod hpke;
mod kem;
mod provider;
mod random;
mod signature;
mod suite;
pub mod x25519;

pub use provider::RustCrypto;
pub use random::OsRandom;
