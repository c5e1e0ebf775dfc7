//! The directory in memory keeps the contract.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;

use discovery_conformance::{crypto, directory_conformance};
use mls_crypto_aws_lc::OsRandom;
use mls_discovery::MemoryDirectory;

#[test]
fn memory_directory_conforms() {
    directory_conformance(&|trust, bounds| Arc::new(MemoryDirectory::new(crypto(), trust, bounds, &OsRandom).unwrap()));
}
