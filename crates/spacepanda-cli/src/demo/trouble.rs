//! Why a conversation could not be brought to its end, and what to do about it.

use std::{io, time::Duration};

use crate::home::HomeError;

use super::{
    member::{Fault, Name},
    script::MAX_LINE,
};

/// What went wrong. Disagreement is not among it: that is a result.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Trouble {
    #[error("cannot read standard input: {0}; pipe in lines of text of at most {MAX_LINE} bytes each")]
    Input(#[source] io::Error),
    #[error("cannot write to standard output: {0}; make room for it, or write elsewhere")]
    Output(#[source] io::Error),
    #[error("cannot start a thread: {0}; try fewer --members")]
    Thread(#[source] io::Error),
    #[error("{name} cannot go on: {fault}")]
    Member {
        name: Name,
        #[source]
        fault: Fault,
    },
    #[error("a program of the demo failed: {0}; check that programs can connect to 127.0.0.1 here")]
    Network(String),
    #[error("cannot keep state: {0}")]
    Home(#[from] HomeError),
    #[error("an earlier run was stopped half-way, and its members are in different states; start over with --fresh")]
    Interrupted,
    #[error("{0} has vanished; this is a bug, please report it with the input that leads here")]
    Vanished(Name),
    #[error("nobody did anything for {} seconds; try fewer --members, or a machine that is less busy", .0.as_secs())]
    Silence(Duration),
    #[error("a member reported what nobody asked for; this is a bug, please report it with the input that leads here")]
    Confused,
}
