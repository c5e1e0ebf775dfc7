//! What earlier steps left for later ones.

use super::{Play, Progress, malformed};

/// What one step left.
#[derive(Clone, Debug, Default)]
pub(super) struct Notes {
    pub(super) key_package: Option<Vec<u8>>,
    pub(super) proposal: Option<Vec<u8>>,
    pub(super) commit: Option<Vec<u8>>,
    pub(super) welcome: Option<Vec<u8>>,
    pub(super) ratchet_tree: Vec<u8>,
    pub(super) psk: Option<(Vec<u8>, Vec<u8>)>,
    pub(super) message: Option<SentMessage>,
    pub(super) group_id: Option<Vec<u8>>,
}

/// A message, and what it should say.
#[derive(Clone, Debug)]
pub(super) struct SentMessage {
    pub(super) ciphertext: Vec<u8>,
    pub(super) authenticated_data: Vec<u8>,
    pub(super) plaintext: Vec<u8>,
}

impl Play {
    /// The present step's notes.
    pub(super) fn note(&mut self, write: impl FnOnce(&mut Notes)) {
        if let Some(notes) = self.notes.get_mut(self.step) {
            write(notes);
        }
    }

    /// Something that step `number` left.
    pub(super) fn of_step<T>(&self, number: usize, what: &str, read: impl Fn(&Notes) -> Option<T>) -> Progress<T> {
        self.notes.get(number).and_then(read).ok_or_else(|| malformed(format!("step {number} left no {what}")))
    }

    pub(super) fn proposals(&self, steps: &[usize]) -> Progress<Vec<Vec<u8>>> {
        steps.iter().map(|step| self.of_step(*step, "proposal", |notes| notes.proposal.clone())).collect()
    }

    /// The id of the script's group, or one that differs from it.
    pub(super) fn next_group_id(&self, change: bool) -> Progress<Vec<u8>> {
        let mut group_id = self.of_step(0, "group id", |notes| notes.group_id.clone())?;
        if change {
            group_id.extend_from_slice(b"++");
        }
        Ok(group_id)
    }

    /// Takes the next suite that all clients have; the last is followed by the first.
    pub(super) fn change_cipher_suite(&mut self) -> Progress {
        let mut clients = self.cast.clients.values();
        let mut shared = clients.next().map(|client| client.suites.clone()).unwrap_or_default();
        for client in clients {
            shared.retain(|suite| client.suites.contains(suite));
        }
        shared.remove(&self.cipher_suite);
        let next = shared.range(self.cipher_suite..).next().or_else(|| shared.first());
        self.cipher_suite =
            *next.ok_or_else(|| super::Trouble::Unsupported("no second suite that all clients have".to_owned()))?;
        Ok(())
    }
}
