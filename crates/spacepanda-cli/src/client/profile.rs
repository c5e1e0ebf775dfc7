//! Who lives in a home, and which service they talk to: kept in the store, sealed like everything in it.

use std::sync::Arc;

use mls_crypto::{Opaque, Secret};
use mls_engine::codec::{decode_exact, encode};
use spacepanda_core::core_mls::store::{Key, Revision, Section, Space, StateStore, Write};
use tls_codec::{TlsDeserializeBytes, TlsSerialize, TlsSize};

use super::Trouble;

/// Who, and where.
#[derive(Debug, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub(crate) struct Profile {
    pub(crate) user: Opaque,
    /// Of the service.
    pub(crate) address: Opaque,
    pub(crate) service_name: Opaque,
    /// As it was shown first, or given.
    pub(crate) service_key: Option<Opaque>,
    /// Path of a file with certificates; empty for those of the system.
    pub(crate) ca: Opaque,
    /// Whether the service knows this device: 0 or 1.
    pub(crate) enrolled: u8,
}

impl Profile {
    pub(crate) fn load(store: &Arc<dyn StateStore>) -> Result<Option<Self>, Trouble> {
        let record = store.get(&space(), &named(PROFILE))?;
        record.map(|record| decode_exact(record.as_slice()).map_err(|_| Trouble::Profile)).transpose()
    }

    pub(crate) fn save(&self, store: &Arc<dyn StateStore>) -> Result<(), Trouble> {
        let record = Secret::new(encode(self).map_err(|_| Trouble::Profile)?);
        write(store, named(PROFILE), &record)
    }

    /// The token of the last login: logging in takes two requests, of which a service takes only so many.
    pub(crate) fn token(store: &Arc<dyn StateStore>) -> Result<Option<String>, Trouble> {
        let record = store.get(&space(), &named(TOKEN))?;
        Ok(record.map(|record| String::from_utf8_lossy(record.as_slice()).into_owned()))
    }

    pub(crate) fn save_token(store: &Arc<dyn StateStore>, token: &str) -> Result<(), Trouble> {
        write(store, named(TOKEN), &Secret::copy_from(token.as_bytes()))
    }

    pub(crate) fn user(&self) -> String {
        String::from_utf8_lossy(self.user.as_slice()).into_owned()
    }
}

fn space() -> Space {
    Space::Application(b"spacepanda profile".to_vec())
}

fn named(name: &[u8]) -> Key {
    Key { class: 1, epoch: 0, id: name.to_vec() }
}

fn write(store: &Arc<dyn StateStore>, key: Key, record: &Secret) -> Result<(), Trouble> {
    let expected = store.spaces(Some(&space()))?.first().map_or(Revision::NONE, |(_, revision)| *revision);
    store.apply(&[Section { space: space(), expected, writes: vec![Write::Put(key, record)] }])?;
    Ok(())
}

const PROFILE: &[u8] = b"profile";
const TOKEN: &[u8] = b"token";
