//! Every store keeps the contract.

use mls_store::MemoryStore;

#[test]
fn memory_store_conforms() {
    store_conformance::store_conformance(&|| Box::new(MemoryStore::new()));
}
