//! A client as a device of a delivery service, which knows devices by their signature keys.

use mls_crypto::SignaturePrivateKey;

use super::Client;

impl Client {
    /// Our signature private key, for logging in as this device where others know us by [`Client::signature_key`]. Whatever
    /// else is signed with it must begin with a label that no label of MLS can be (RFC 9420, Section 5.1.2), as those of the
    /// delivery protocol do. The key of a signer elsewhere is a handle here: sign with a provider that knows the signer. It is wiped when it is dropped; keep it no longer than the connection.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// let key = alice.signature_private_key();
    /// assert_eq!(key.secret().len(), 32); // Ed25519
    /// assert!(format!("{key:?}").contains(".."));
    /// # Ok::<(), spacepanda_core::core_mls::MlsError>(())
    /// ```
    pub fn signature_private_key(&self) -> SignaturePrivateKey {
        self.inner.own.current().private.duplicate()
    }
}
