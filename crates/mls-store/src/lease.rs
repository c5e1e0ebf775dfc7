//! Leases: taking turns at a space, so that nobody is overtaken for ever.
//!
//! In: a space, and how long to wait. Out: a lease, which ends when it is dropped, or with its process.
//! Always: a lease is about fairness and never about correctness. What keeps a batch that was worked out from an old state
//! out of the store is the revision of its space, compared in the transaction: it grows with every batch, and so is the
//! fencing token of whoever held the lease before, or worked without one.

use core::{any::Any, fmt};
use std::time::Duration;

use crate::{Space, StoreError};

/// Turns at the spaces of a store. A store that only one program uses needs none, and leaves the method as it is.
pub trait Leases {
    /// Waits for a turn at a space: in the order of arrival, as far as the system can tell it, so that who works slowly is
    /// not overtaken for ever by who works fast. While a lease is held nobody else has one of the same space.
    ///
    /// Hold one lease at a time: two spaces may share their turns.
    ///
    /// # Errors
    /// [`StoreError::TimedOut`] if the turn has not come after `patience`. What happens without a lease is safe all the same.
    fn lease(&self, space: &Space, patience: Duration) -> Result<Lease, StoreError> {
        let _nobody_else = (space, patience);
        Ok(Lease::unneeded())
    }
}

/// A turn at a space, until it is dropped or the process ends, however it ends.
#[must_use]
pub struct Lease {
    _held: Option<Box<dyn Any + Send + Sync>>,
}

impl Lease {
    /// Of a store where there is nobody to take turns with.
    ///
    /// ```
    /// # use mls_store::Lease;
    /// assert_eq!(format!("{:?}", Lease::unneeded()), "Lease { .. }");
    /// ```
    pub const fn unneeded() -> Self {
        Self { _held: None }
    }

    /// Lasts until it is dropped, and this with it.
    pub fn until_dropped(held: impl Any + Send + Sync) -> Self {
        Self { _held: Some(Box::new(held)) }
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease").finish_non_exhaustive()
    }
}
