//! What the demo tells, line by line.

use serde::Serialize;

use super::member::{Goal, Name};

/// One line of output. Field names and their order are the JSON format.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "event", rename_all = "lowercase")]
pub(crate) enum Event<'a> {
    /// The group is in a new epoch. `agreed` and `commit` are for people.
    Epoch {
        epoch: u64,
        members: Vec<&'a str>,
        /// Epoch authenticator (RFC 9420, Section 8.7), in hexadecimal.
        authenticator: String,
        #[serde(skip)]
        commit: &'a Commit,
    },
    /// Somebody said something.
    Message { epoch: u64, from: &'a str, text: &'a str, read_by: Vec<&'a str> },
    /// How it went on for the member that was removed.
    Removed {
        who: &'a str,
        could_read: bool,
        /// Envelopes it tried to read.
        attempts: u64,
    },
    /// The end.
    Done {
        messages: u64,
        agreed: bool,
        #[serde(skip)]
        epochs: u64,
        #[serde(skip)]
        conflicts: u64,
    },
}

/// What began an epoch.
#[derive(Clone, Debug)]
pub(crate) struct Commit {
    pub(crate) by: Name,
    pub(crate) goal: Goal,
    /// Times that another commit was first.
    pub(crate) conflicts: u32,
}
