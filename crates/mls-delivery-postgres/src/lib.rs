//! A durable delivery service of any number of nodes, on PostgreSQL 15 or newer.
//!
//! In: where the database is, and the rules. Out: a [`mls_delivery::DeliveryService`].
//! Always: a node holds no state; every node may be asked for everything. What a request may change
//! ([`mls_delivery::rules::Scope`]) is locked before anything is read, in one order for all, so nobody decides by what another
//! is about to change, and nobody waits in a circle. Requests that wait for the same writer share a transaction, each in a
//! savepoint of its own. Nobody is answered before PostgreSQL says that the transaction is durable, on the standbys it was
//! told to wait for too.
//!
//! Hints travel beside the transactions, and by polling when they get lost.

mod error;
mod news;
mod pool;
mod rows;
mod schema;
mod service;
mod writer;

pub use error::OpenError;
pub use pool::Database;
pub use service::PostgresService;
