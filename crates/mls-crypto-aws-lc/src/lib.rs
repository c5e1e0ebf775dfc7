//! The native cryptography provider, on aws-lc (RFC 9420, Section 5): the default where a C compiler is at hand.
//!
//! In: a [`mls_crypto::SuiteTable`]. Out: the operations of the suites whose algorithms are here: all of the registered
//! suites except X448 and Ed448, and the X-Wing hybrids.
//! Always: accepts what the portable provider, [`mls_crypto_rust`], accepts. Ed25519 verification and X-Wing are its
//! code; the rest is aws-lc's.

mod aead;
mod digest;
mod ecdsa;
mod ed25519;
mod group;
mod provider;
mod random;
mod xwing;

pub use provider::AwsLc;
pub use random::OsRandom;
