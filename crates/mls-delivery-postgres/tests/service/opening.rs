//! Databases that are not opened.

use std::sync::Arc;

use delivery_conformance::rules;
use mls_crypto_aws_lc::OsRandom;
use mls_delivery::{Clock, Limits, SystemClock};
use mls_delivery_postgres::{Database, OpenError, PostgresService};
use postgres_lab::{Server, Tools};

use crate::bench::{no_roots, runtime};

pub(crate) fn refused(tools: &Tools) {
    for (address, expected) in [
        ("postgres://u:secret@db.example.org/x", "NeedsTls"),
        ("postgres://u:secret@127.0.0.1,10.0.0.1/x", "NeedsTls"),
        ("postgres://localhost", "Address"),
        ("not an address", "Address"),
    ] {
        let error = Database::new(address, no_roots(), 1).unwrap_err();
        assert!(format!("{error:?}").starts_with(expected), "{address}: {error:?}");
        assert!(!error.to_string().contains("secret"));
    }
    Database::new("postgres://u:secret@db.example.org/x?sslmode=require", no_roots(), 1).unwrap();
    let shown = format!("{:?}", Database::new("postgres://u:secret@localhost/x", no_roots(), 1).unwrap());
    assert!(!shown.contains("secret"), "{shown}");

    let (runtime, server) = (runtime(), Server::start(tools));
    let address = server.database("opening");
    let open = || {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let database = Database::new(&address, no_roots(), 8).unwrap();
        runtime.block_on(PostgresService::open(database, rules(Limits::default()), (clock, Arc::new(OsRandom))))
    };
    for weak in ["off", "local", "remote_write"] {
        server.sql("postgres", &format!("ALTER DATABASE opening SET synchronous_commit = {weak}"));
        let refused = open();
        let name = "synchronous_commit";
        assert!(matches!(&refused, Err(OpenError::SettingRefused { name: n, found }) if *n == name && found == weak));
    }
    server.sql("postgres", "ALTER DATABASE opening RESET synchronous_commit");
    open().unwrap();
    server.sql("opening", "UPDATE delivery_schema SET service_key = 'another'");
    assert!(matches!(open(), Err(OpenError::OtherKey)));
    server.sql("opening", "UPDATE delivery_schema SET version = 99");
    assert!(matches!(open(), Err(OpenError::NewerSchema { found: 99, .. })));
}
