//! What an application brings to hold groups: a router, a store, an identity, and somebody to tell (SURF-A, B, C, F, G).
//!
//! In: implementations of [`Router`], [`HostStore`], [`Identity`] and [`EventSink`]; each has one for real use here and one in
//! memory, and `tools/host-conformance` of the repository says what every
//! other has to do. Out: a [`Host`], which holds groups over them.
//! Always: what a call took is durable before it is handed to the router, and stays in the outbox until the router has it; what
//! came in is acknowledged after what it did is durable; what cannot be used is told and not tried for ever.
//!
//! The commits of a group have to be made by one host at a time: a router orders nothing. Groups that several change at once
//! belong to a delivery service, with `spacepanda-sync`.

mod events;
mod host;
mod identity;
mod router;
mod store;

pub use events::{EventSink, HostEvent, Recorder};
pub use host::{Host, HostError};
pub use identity::{Identity, KeyFile, KeyFileError, PinnedIdentity, StoredIdentity};
pub use router::{
    DeliveryRouter, MAX_BODY, MESSAGE, MemoryNetwork, MemoryRouter, PeerId, Router, RouterError, Rpc, Ticket, WELCOME,
};
pub use store::{DISCOVERY, GROUP, HostStore, HostStoreError, MemoryHostStore, SealedHostStore};
