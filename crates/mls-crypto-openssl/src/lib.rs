//! The cryptography provider for X448 and Ed448, on the system's OpenSSL (RFC 9420, Section 17.1).
//!
//! In: a [`mls_crypto::SuiteTable`]. Out: the operations of suites 0x0004 and 0x0006, and of others in the table made
//! of the same algorithms.
//! Always: HPKE and its checks are those of [`mls_crypto_compose`], as in the native provider.
//!
//! Needs OpenSSL 3.0 or later with its headers, and therefore the feature `system`, without which there is nothing here.

#[cfg(feature = "system")]
mod aead;
#[cfg(feature = "system")]
mod digest;
#[cfg(feature = "system")]
mod ed448;
#[cfg(feature = "system")]
mod provider;
#[cfg(feature = "system")]
mod random;
#[cfg(feature = "system")]
mod x448;

#[cfg(feature = "system")]
pub use provider::OpenSsl;
#[cfg(feature = "system")]
pub use random::OsRandom;
