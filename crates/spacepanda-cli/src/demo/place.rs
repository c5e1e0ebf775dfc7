//! Where members keep their state.

use std::sync::Arc;

use spacepanda_core::core_mls::store::{MemoryStore, StateStore};

use crate::home::{Home, HomeError};

/// Where the members of one conversation keep their state.
pub(crate) enum Place {
    /// Nowhere.
    Memory,
    /// In a folder of a home, each in a store of its own.
    Home {
        home: Home,
        dir: String,
        /// Whether what is there is destroyed first.
        fresh: bool,
    },
}

impl Place {
    /// The store of one member.
    pub(crate) fn store(&self, name: &str) -> Result<Arc<dyn StateStore>, HomeError> {
        match self {
            Self::Memory => Ok(Arc::new(MemoryStore::new())),
            Self::Home { home, dir, fresh } => {
                let place = format!("{dir}/{name}");
                if *fresh {
                    home.wipe(&place)?;
                }
                Ok(Arc::new(home.store(&place)?))
            }
        }
    }
}
