//! A durable delivery service in one directory, on SQLite.
//!
//! In: a directory and the rules. Out: a [`mls_delivery::DeliveryService`].
//! Always: one thread writes. Whatever waits for it shares one transaction, up to 256 requests; each is in a savepoint of its
//! own, so that one failing leaves the others alone. Nobody is answered before the transaction is on the medium.
//! Other threads read, each on a connection of its own, and never wait for the writer.

mod error;
mod reader;
mod rows;
mod schema;
mod service;
mod settings;
mod writer;

pub use error::OpenError;
pub use service::SqliteService;
