//! What a host tells its application (SURF-F).

use core::fmt;
use std::sync::{Mutex, PoisonError};

use spacepanda_core::core_mls::MlsError;

/// Something that happened in a group. What it says is durable.
#[derive(Clone, Eq, PartialEq)]
#[non_exhaustive]
pub enum HostEvent {
    /// We are in a group.
    Joined {
        /// Its id.
        group_id: Vec<u8>,
    },
    /// Somebody said something.
    Said {
        /// In which group.
        group_id: Vec<u8>,
        /// Who, as the credential says.
        sender: Vec<u8>,
        /// What.
        text: Vec<u8>,
    },
    /// The group has other members or other keys.
    Changed {
        /// Which.
        group_id: Vec<u8>,
        /// The epoch it is in.
        epoch: u64,
    },
    /// We are out.
    Left {
        /// Of which group.
        group_id: Vec<u8>,
    },
    /// Something came that cannot be used, and will not be tried again.
    Refused(MlsError),
}

impl fmt::Debug for HostEvent {
    /// Tells neither group nor sender nor text.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Joined { .. } => f.write_str("Joined"),
            Self::Said { .. } => f.write_str("Said"),
            Self::Changed { epoch, .. } => write!(f, "Changed({epoch})"),
            Self::Left { .. } => f.write_str("Left"),
            Self::Refused(error) => write!(f, "Refused({error})"),
        }
    }
}

/// Who is told. It must not wait for the host that tells it.
pub trait EventSink: Send + Sync + fmt::Debug {
    /// In the order in which it happened; after a restart some events may come again.
    fn event(&self, event: HostEvent);
}

/// Keeps events in memory, until they are taken.
#[derive(Debug, Default)]
pub struct Recorder(Mutex<Vec<HostEvent>>);

impl Recorder {
    /// Has heard nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// What was told since the last time.
    pub fn take(&self) -> Vec<HostEvent> {
        core::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl EventSink for Recorder {
    fn event(&self, event: HostEvent) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(event);
    }
}

/// Hands events to whoever has the other end; if nobody has, they are gone.
impl EventSink for std::sync::mpsc::Sender<HostEvent> {
    fn event(&self, event: HostEvent) {
        let _gone = self.send(event);
    }
}
