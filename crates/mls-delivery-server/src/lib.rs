//! An MLS delivery service over HTTP/1.1 and HTTP/2.
//!
//! In: a [`mls_delivery::DeliveryService`] and an address. Out: the same service, for devices that log in.
//! Always: every wait has an end, every queue a cap; a device is known by its key alone; nothing is logged that names a
//! group, a device or a user. `docs/delivery-protocol.md` has the wire.

mod answer;
mod app;
mod body;
mod calls;
mod directory;
mod listen;
mod metrics;
mod push;
mod quiet;
mod routes;
mod scrape;

pub use app::{App, Quotas};
pub use body::Pace;
pub use directory::{Desk, DeskQuotas};
pub use listen::{Listen, ServeError, Server};
pub use metrics::Metrics;
pub use scrape::Scrape;
