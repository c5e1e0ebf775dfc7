//! A disk that loses power, for crash tests of whatever uses SQLite and files beside it.
//!
//! In: a program that runs on a [`Disk`], and a promise about what is left of its work. Out: how many crashes the promise
//! survived, or the first that broke it, in a form that replays.
//! Always: the same seed gives the same disk. Nothing of this is for production.

mod disk;
mod explore;
mod fault;
mod files;
mod history;
mod random;
mod trace;
mod vfs;

pub use disk::{Disk, FileId};
pub use explore::{BoxError, Broken, Plan, Report, Scenario, explore, replay};
pub use fault::{DiskError, Failure, Fault, Lost};
pub use history::History;
pub use trace::{Image, Trace, Written};
pub use vfs::{Vfs, VfsError, seed_sqlite};
