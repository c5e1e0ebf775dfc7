//! What every [`StateStore`] and every [`mls_store::KeySource`] must do, as checks that a new implementation runs in its
//! tests.
//!
//! In: a way to make empty stores or sources. Out: nothing, or a panic that names what was broken.
//! Always: checks know the contract only, not the implementation.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "tests"
)]

mod batches;
mod failing;
mod leases;
mod records;
mod sources;
mod threads;

use mls_store::StateStore;

pub use failing::FailingStore;
pub use sources::{Opener, SourceCheck, key_source_conformance, source_checks};

/// One rule of the contract, checked on an empty store.
pub type Check = fn(&dyn StateStore);

/// All checks, by name.
pub fn checks() -> Vec<(&'static str, Check)> {
    let mut checks = Vec::new();
    checks.extend(records::CHECKS);
    checks.extend(batches::CHECKS);
    checks.extend(threads::CHECKS);
    checks.extend(leases::CHECKS);
    checks
}

/// Runs every check on a store of its own; panics at the first that fails.
pub fn store_conformance(empty_store: &dyn Fn() -> Box<dyn StateStore>) {
    for (name, check) in checks() {
        println!("store conformance: {name}");
        check(empty_store().as_ref());
    }
}

mod tools {
    //! Short words for the checks.

    use mls_crypto::Secret;
    use mls_store::{Key, Revision, Section, Space, StateStore, StoreError, Write};

    pub(crate) fn key(class: u8, epoch: u64, id: &[u8]) -> Key {
        Key { class, epoch, id: id.to_vec() }
    }

    pub(crate) fn group(id: &[u8]) -> Space {
        Space::Group(id.to_vec())
    }

    pub(crate) fn secret(bytes: &[u8]) -> Secret {
        Secret::copy_from(bytes)
    }

    /// One batch of one section.
    pub(crate) fn apply(
        store: &dyn StateStore,
        space: &Space,
        expected: Revision,
        writes: Vec<Write<'_>>,
    ) -> Result<Revision, StoreError> {
        store.apply(&[Section { space: space.clone(), expected, writes }])
    }

    /// The revision a store lists for a space.
    pub(crate) fn listed(store: &dyn StateStore, space: &Space) -> Option<Revision> {
        let spaces = store.spaces(None).unwrap();
        spaces.into_iter().find(|(known, _)| known == space).map(|(_, revision)| revision)
    }

    pub(crate) fn read(store: &dyn StateStore, space: &Space, key: &Key) -> Option<Vec<u8>> {
        store.get(space, key).unwrap().map(|value| value.as_slice().to_vec())
    }

    pub(crate) fn keys(store: &dyn StateStore, space: &Space, class: u8, epoch: Option<u64>) -> Vec<(u64, Vec<u8>)> {
        store.scan(space, class, epoch).unwrap().into_iter().map(|(key, _)| (key.epoch, key.id)).collect()
    }
}
