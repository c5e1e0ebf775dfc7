//! The store in memory keeps the contract.

use spacepanda_core::core_mls::store::MemoryStore;

#[test]
fn memory_store_conforms() {
    store_conformance::store_conformance(&|| Box::new(MemoryStore::new()));
}
