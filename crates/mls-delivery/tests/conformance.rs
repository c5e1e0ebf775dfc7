//! The service in memory keeps the contract.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;

use delivery_conformance::{Bench, delivery_conformance};
use mls_delivery::{Clock, DeliveryService, MemoryService, rules::Rules};

/// The service that was opened last. It is not durable: to reopen it is to go on.
#[derive(Debug, Default)]
struct Memory(Option<Arc<MemoryService>>);

impl Bench for Memory {
    fn open(&mut self, rules: Rules, clock: Arc<dyn Clock>) -> Arc<dyn DeliveryService> {
        self.0 = Some(Arc::new(MemoryService::new(rules, clock)));
        self.reopen()
    }

    fn reopen(&mut self) -> Arc<dyn DeliveryService> {
        Arc::<MemoryService>::clone(self.0.as_ref().unwrap())
    }

    fn sweep(&self) {
        self.0.as_ref().unwrap().sweep().unwrap();
    }
}

#[test]
fn memory_service_conforms() {
    delivery_conformance(&mut Memory::default());
}
