//! The three implementations as [`Peer`]s.

mod mls_rs;
mod openmls;
mod ours;

use std::sync::atomic::{AtomicU64, Ordering};

pub use openmls::key_package as open_mls_key_package;
pub use ours::{extension_list, now};

use crate::peer::{Kind, Peer, Setup};

/// A client of this implementation that is in no group yet.
pub fn new(kind: Kind, name: &str, setup: Setup) -> Box<dyn Peer> {
    match kind {
        Kind::Ours => Box::new(ours::Ours::new(name, setup, next_seed())),
        Kind::OpenMls => Box::new(openmls::OpenMls::new(name, setup)),
        Kind::MlsRs => mls_rs::new(name, setup),
    }
}

/// No two of our clients draw the same randomness.
fn next_seed() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}
