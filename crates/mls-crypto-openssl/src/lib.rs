//! The cryptography provider for X448 and Ed448, on the system's OpenSSL (RFC 9420, Section 17.1).
//!
//! In: a [`mls_crypto::SuiteTable`]. Out: the operations of suites 0x0004 and 0x0006, and of others in the table made
//! of the same algorithms.
//! Always: HPKE and its checks are those of [`mls_crypto_compose`], as in the native provider.
//!
//! Needs OpenSSL 3.0 or later with its headers, which is why this crate stands outside the workspace.

mod aead;
mod digest;
mod ed448;
mod provider;
mod random;
mod x448;

pub use provider::OpenSsl;
pub use random::OsRandom;
