//! Who a host is, and whom it believes (SURF-C).
//!
//! In: names and keys. Out: a policy for the client.
//! Always: an identity that nobody vouches for is not believed twice with different keys, unless somebody said so.

mod key_file;
mod stored;

use core::fmt;
use std::sync::Arc;

use spacepanda_core::core_mls::{IdentityPolicy, PinnedIdentities, store::StoreError};

pub use key_file::{KeyFile, KeyFileError};
pub use stored::StoredIdentity;

/// Who a host is, and whom it believes.
///
/// The suite of the repository (`tools/host-conformance`) says what an implementation must do.
pub trait Identity: Send + Sync + fmt::Debug {
    /// Our own name, as credentials tell it.
    fn own(&self) -> Vec<u8>;

    /// Decides about the keys of others, and of our own.
    fn policy(&self) -> Arc<dyn IdentityPolicy>;

    /// Lets somebody use this signature public key, whatever was seen before: people have compared it.
    ///
    /// # Errors
    /// As the store fails.
    fn confirm(&self, name: &[u8], signature_key: &[u8]) -> Result<(), StoreError>;
}

/// Believes the keys it was told, in memory, and no others.
#[derive(Debug)]
pub struct PinnedIdentity {
    own: Vec<u8>,
    pins: Arc<PinnedIdentities>,
}

impl PinnedIdentity {
    /// Was told nothing yet.
    pub fn new(own: &[u8]) -> Self {
        Self { own: own.to_vec(), pins: Arc::new(PinnedIdentities::new()) }
    }
}

impl Identity for PinnedIdentity {
    fn own(&self) -> Vec<u8> {
        self.own.clone()
    }

    fn policy(&self) -> Arc<dyn IdentityPolicy> {
        self.pins.clone()
    }

    fn confirm(&self, name: &[u8], signature_key: &[u8]) -> Result<(), StoreError> {
        self.pins.pin(name, signature_key);
        Ok(())
    }
}
