//! What every [`Directory`] must do, as checks that a new implementation runs in its tests.
//!
//! In: a way to make empty directories. Out: nothing, or a panic that names what was broken.
//! Always: checks know the contract only, not the implementation.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "tests"
)]

mod finding;
mod keeping;
mod people;
mod replicating;

use std::sync::Arc;

use mls_discovery::{Bounds, Directory, Trust};

pub use people::{OTHER, SERVICE, crypto, key, metadata, public, record, witnessed};

/// Makes an empty directory that believes whom the trust names.
pub type Maker<'a> = &'a dyn Fn(Trust, Bounds) -> Arc<dyn Directory>;

type Check = fn(Maker<'_>);

/// Runs every check; panics at the first that fails.
pub fn directory_conformance(make: Maker<'_>) {
    let all = keeping::CHECKS.iter().chain(finding::CHECKS).chain(replicating::CHECKS);
    for (name, check) in all {
        println!("directory conformance: {name}");
        check(make);
    }
}
