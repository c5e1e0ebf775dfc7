//! Private keys in the form a library wants them (RFC 9420, Sections 5.1.2 and 5.1.3).
//!
//! In: an algorithm, and how to make its form from bytes. Out: that form, made once.
//! Always: shared by all owners of a key, and gone with the last.

use core::{any::Any, fmt};
use std::sync::{Arc, OnceLock};

use crate::CryptoError;

/// What one provider made of one key, for one algorithm `A`.
pub(crate) struct Parsed<A>(Arc<OnceLock<(A, Box<dyn Any + Send + Sync>)>>);

impl<A: Copy + PartialEq> Parsed<A> {
    /// Does `work` with the form that `parse` makes. It is kept, unless another provider or algorithm was first.
    pub(crate) fn with<K: Any + Send + Sync, T>(
        &self,
        algorithm: A,
        parse: impl FnOnce() -> Result<K, CryptoError>,
        work: impl FnOnce(&K) -> Result<T, CryptoError>,
    ) -> Result<T, CryptoError> {
        if let Some(key) = self.get(algorithm) {
            return work(key);
        }
        let key = parse()?;
        let result = work(&key);
        // Whoever is first, here or on another thread, stays.
        let _ = self.0.set((algorithm, Box::new(key)));
        result
    }

    fn get<K: Any>(&self, algorithm: A) -> Option<&K> {
        let (parsed_for, key) = self.0.get()?;
        if *parsed_for == algorithm { key.downcast_ref() } else { None }
    }
}

impl<A> Clone for Parsed<A> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<A> Default for Parsed<A> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<A> fmt::Debug for Parsed<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Parsed(..)")
    }
}
