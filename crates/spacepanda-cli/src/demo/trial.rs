//! Reading on after being removed: a member that keeps every key it had, and tries.
//!
//! In: what is delivered from the removal on. Out: how often it tried, and how often it could read.
//! Always: the removal itself is not processed before the end, so that the client's own wiping of keys does not make it
//! look better than it is; after that everything is tried once more.

use std::sync::Arc;

use spacepanda_core::core_mls::{Incoming, MessageType, MlsEnvelope, MlsError, MlsHandle};

use super::delivery::Parcel;

/// Attempts of one member.
#[derive(Debug, Default)]
pub(crate) struct Trial {
    /// The commit that removed us, once it came.
    removal: Option<Arc<MlsEnvelope>>,
    /// A message that came later.
    message: Option<Arc<MlsEnvelope>>,
    attempts: u64,
    successes: u64,
}

impl Trial {
    /// Tries an envelope with the keys from before the removal.
    pub(crate) fn take(&mut self, group: &MlsHandle, parcel: &Parcel) {
        let envelope = &parcel.envelope;
        match (envelope.message_type(), &self.removal) {
            (MessageType::Commit, None) => self.removal = Some(Arc::clone(envelope)),
            (MessageType::Application, Some(_)) => {
                self.message = Some(Arc::clone(envelope));
                self.count(group.receive_message(envelope).is_ok());
            }
            (MessageType::Commit, Some(_)) => self.count(group.receive_commit(envelope).is_ok()),
            // Without the proposal the removal could not be processed in the end. If it is not taken, that will show.
            (MessageType::Proposal, None) => drop(group.receive_proposal(envelope)),
            (MessageType::Proposal, Some(_)) => self.count(group.receive_proposal(envelope).is_ok()),
            // Nobody invites us; and before the removal we were told everything.
            (MessageType::Welcome, _) | (MessageType::Application, None) => {}
        }
    }

    /// Processes the removal as an honest client does, and tries the last message again. Returns attempts and successes.
    ///
    /// # Errors
    /// The removal could not be processed as one.
    pub(crate) fn conclude(mut self, group: &MlsHandle) -> Result<(u64, u64), MlsError> {
        let removal = self.removal.take().ok_or(MlsError::UnknownProposal)?;
        match group.handle_incoming(&removal)? {
            Incoming::Removed { .. } => {}
            _ => self.count(true),
        }
        if let Some(message) = self.message.take() {
            self.count(group.receive_message(&message).is_ok());
        }
        // The keys of the last epoch are gone as well.
        self.count(group.epoch_authenticator().is_ok());
        Ok((self.attempts, self.successes))
    }

    fn count(&mut self, success: bool) {
        self.attempts = self.attempts.saturating_add(1);
        self.successes = self.successes.saturating_add(u64::from(success));
    }
}

#[cfg(test)]
mod tests;
