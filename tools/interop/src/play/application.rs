//! Application messages.

use super::{Play, Progress, Trouble, notes::SentMessage};
use crate::message::{ProtectRequest, UnprotectRequest};

impl Play {
    /// A message, kept for later steps.
    pub(super) async fn protect(&mut self, actor: &str, authenticated_data: &[u8], plaintext: &[u8]) -> Progress {
        let request = ProtectRequest {
            state_id: self.state(actor)?,
            authenticated_data: authenticated_data.to_vec(),
            plaintext: plaintext.to_vec(),
        };
        let answer = self.stub(actor)?.protect(request).await;
        let ciphertext = self.answer(actor, "Protect", answer)?.ciphertext;
        let message =
            SentMessage { ciphertext, authenticated_data: authenticated_data.to_vec(), plaintext: plaintext.to_vec() };
        self.note(|notes| notes.message = Some(message));
        Ok(())
    }

    /// A step's message says what was sent.
    pub(super) async fn unprotect(&mut self, actor: &str, step: usize) -> Progress {
        let sent = self.of_step(step, "message", |notes| notes.message.clone())?;
        let request = UnprotectRequest { state_id: self.state(actor)?, ciphertext: sent.ciphertext };
        let answer = self.stub(actor)?.unprotect(request).await;
        let got = self.answer(actor, "Unprotect", answer)?;
        if got.authenticated_data != sent.authenticated_data {
            return Err(Trouble::Failed(format!("{actor} read other authenticated data")));
        }
        if got.plaintext != sent.plaintext {
            return Err(Trouble::Failed(format!("{actor} read another plaintext")));
        }
        Ok(())
    }
}
