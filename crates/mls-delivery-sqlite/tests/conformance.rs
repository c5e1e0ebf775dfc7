//! The service on SQLite keeps the contract.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::{fmt, path::PathBuf, sync::Arc};

use delivery_conformance::{Bench, block_on, delivery_conformance};
use mls_delivery::{Clock, DeliveryService, rules::Rules};
use mls_delivery_sqlite::SqliteService;

/// Services in directories of their own, removed at the end.
struct Directories {
    root: PathBuf,
    count: u32,
    open: Option<(Arc<SqliteService>, Rules, Arc<dyn Clock>)>,
}

impl Directories {
    fn here(&self) -> PathBuf {
        self.root.join(self.count.to_string())
    }

    fn service(&mut self, rules: Rules, clock: Arc<dyn Clock>) -> Arc<dyn DeliveryService> {
        let service = Arc::new(SqliteService::open(&self.here(), rules.clone(), clock.clone()).unwrap());
        self.open = Some((service.clone(), rules, clock));
        service
    }
}

impl fmt::Debug for Directories {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Directories").field("count", &self.count).finish_non_exhaustive()
    }
}

impl Bench for Directories {
    fn open(&mut self, rules: Rules, clock: Arc<dyn Clock>) -> Arc<dyn DeliveryService> {
        self.count = self.count.wrapping_add(1);
        self.service(rules, clock)
    }

    fn reopen(&mut self) -> Arc<dyn DeliveryService> {
        let (service, rules, clock) = self.open.take().unwrap();
        assert_eq!(Arc::strong_count(&service), 1, "somebody still holds the service");
        drop(service);
        self.service(rules, clock)
    }

    fn sweep(&self) {
        block_on(self.open.as_ref().unwrap().0.sweep()).unwrap();
    }
}

impl Drop for Directories {
    fn drop(&mut self) {
        self.open = None;
        let _gone = std::fs::remove_dir_all(&self.root);
    }
}

#[test]
fn sqlite_service_conforms() {
    let root = std::env::temp_dir().join(format!("mls-delivery-sqlite-{}", std::process::id()));
    delivery_conformance(&mut Directories { root, count: 0, open: None });
}
