//! What a join by external commit will export, before it is accepted.

use mls_crypto::Secret;

use super::ExternalJoin;
use crate::core_mls::error::MlsResult;

impl ExternalJoin {
    /// A secret of the epoch that the commit begins (RFC 9420, Section 8.5): what a delivery service may have to be given
    /// together with it.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsConfig, MlsError, TrustOnFirstUse};
    /// # let mut config = MlsConfig::default();
    /// # config.external_joins = true;
    /// # let alice = Client::builder(b"alice", Arc::new(TrustOnFirstUse::new())).config(config.clone()).open()?;
    /// # let bob = Client::builder(b"bob", Arc::new(TrustOnFirstUse::new())).config(config).open()?;
    /// let group = alice.create_group(None)?;
    /// let join = bob.join_external(&group.group_info()?, None)?;
    /// let key = join.export_secret("video call", b"", 32)?;
    /// group.receive_commit(join.commit())?;
    /// assert_eq!(key.as_slice(), group.export_secret("video call", b"", 32)?.as_slice());
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// As [`crate::core_mls::MlsHandle::export_secret`].
    pub fn export_secret(&self, label: &str, context: &[u8], len: usize) -> MlsResult<Secret> {
        Ok(self.group.export_secret(label, context, len)?)
    }
}
