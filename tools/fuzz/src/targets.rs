//! The targets, one file each.

mod commit;
mod envelope;
mod message;
mod private;
mod proposal;
mod records;
mod saved;
mod service;
mod tree;
mod welcome;

use crate::Target;

/// Every target.
pub static TARGETS: [Target; 10] = [
    message::TARGET,
    envelope::TARGET,
    proposal::TARGET,
    commit::TARGET,
    welcome::TARGET,
    private::TARGET,
    tree::TARGET,
    records::TARGET,
    saved::TARGET,
    service::TARGET,
];
