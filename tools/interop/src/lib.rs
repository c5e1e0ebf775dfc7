//! Interoperability with other MLS implementations, as the MLS working group's harness tests it.
//!
//! In: a [`Stack`], which is an implementation under test; scripts; addresses of servers. Out: the harness's gRPC service
//! over the stack; what each script showed for each suite, framing and assignment of roles; passive-client vectors.
//! Always: a stack knows no gRPC, the runner knows no MLS.

pub mod cli;
pub mod matrix;
pub mod message;
pub mod ours;
pub mod passive;
pub mod report;
pub mod script;
pub mod service;
pub mod trials;

mod client;
mod play;
mod runner;
mod server;
mod stack;

pub use client::{Client, ConnectError};
pub use runner::{Assignments, Plan, passive_vectors};
pub use server::{Running, Server, serve};
pub use stack::{
    Answer, Change, CommitParams, Committed, ExternalJoinParams, Failure, Invitation, Outside, Published, Stack,
    SubgroupParams,
};
