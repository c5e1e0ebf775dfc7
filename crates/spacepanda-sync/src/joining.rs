//! Asking to be let in with an invite code, and letting in.
//!
//! ```text
//! PrivateMessage {                       RFC 9420, Section 6.3, as a container only
//!     group_id                           the invite's name
//!     epoch                              0
//!     content_type                       application
//!     authenticated_data                 "SpacePanda join request 1"
//!     encrypted_sender_data              nonce, random
//!     ciphertext                         AEAD(key of the invite's secret, nonce, name, key package)
//! }
//! ```

use mls_crypto::{Opaque, Secret, SuiteCrypto};
use mls_delivery::{ask, reply::MailEntry, request::DeliverDirect};
use mls_engine::{
    codec::{decode_exact, encode},
    message::{ContentType, MlsMessage, PrivateMessage},
};
use spacepanda_core::core_mls::MlsHandle;

use crate::{
    Account, InviteCode, News, Report, SyncError, SyncResult,
    account::device_key,
    claim::key_package,
    invite::{Invite, put_invite},
    queue::{WishForm, WishKind},
    rows::{Rows, put_wish},
};

impl Account {
    /// Asks the maker of an invite to let us in. It does so when it is next brought into step; the invitation is in our mailbox
    /// then.
    ///
    /// # Errors
    /// [`SyncError::Service`], [`SyncError::Group`].
    pub async fn ask_to_join(&self, code: &InviteCode) -> SyncResult<()> {
        let suite = self.crypto().own();
        let mut ciphertext = self.client().generate_key_package()?;
        let nonce: Vec<u8> = self.draw::<32>()?.into_iter().take(suite.aead_nonce_len()).collect();
        let key = request_key(suite, code.secret.as_slice())?;
        suite.aead_seal(key.as_slice(), &nonce, &code.id, &mut ciphertext)?;
        let message = MlsMessage::PrivateMessage(Box::new(PrivateMessage {
            group_id: Opaque::from(code.id.as_slice()),
            epoch: 0,
            content_type: ContentType::Application,
            authenticated_data: LABEL.into(),
            encrypted_sender_data: nonce.as_slice().into(),
            ciphertext: ciphertext.into(),
        }));
        let message = encode(&message).map_err(|_| SyncError::NotACode)?.into();
        ask(self.service().as_ref(), self.device(), DeliverDirect { recipient: code.inviter, message }).await?;
        Ok(())
    }

    /// Somebody asks. What is no request, or of an invite that was not made here, is dropped without a word.
    pub(crate) fn let_in(&self, entry: &MailEntry) -> SyncResult<Option<Report>> {
        let Ok(MlsMessage::PrivateMessage(request)) = decode_exact(entry.message.as_slice()) else { return Ok(None) };
        if request.authenticated_data.as_slice() != LABEL {
            return Ok(None);
        }
        for id in self.client().groups()? {
            let Some(group) = self.group(&id)? else { continue };
            let invites = self.invites(&group)?;
            if let Some(invite) = invites.into_iter().find(|invite| invite.id == request.group_id.as_slice()) {
                let Some(news) = self.judge(&group, invite, (&request, entry.received))? else { return Ok(None) };
                return Ok(Some(Report { group_id: id, news: vec![news], end: Ok(()) }));
            }
        }
        Ok(None)
    }

    fn judge(
        &self,
        group: &MlsHandle,
        mut invite: Invite,
        (request, now): (&PrivateMessage, u64),
    ) -> SyncResult<Option<News>> {
        let suite = self.crypto().own();
        let key = request_key(suite, invite.secret.as_slice())?;
        let mut package = request.ciphertext.as_slice().to_vec();
        let nonce = request.encrypted_sender_data.as_slice();
        if suite.aead_open(key.as_slice(), nonce, &invite.id, &mut package).is_err() {
            return Ok(None);
        }
        let Ok(found) = key_package(&package) else { return Ok(None) };
        let user = found.leaf_node.credential.identity().unwrap_or_default().to_vec();
        let device = device_key(found.cipher_suite, found.leaf_node.signature_key.as_slice()).device(self.crypto())?;
        if !self.is_member(group) || !invite.allows(&user, device, now) {
            return Ok(Some(News::Refused(user)));
        }
        if !invite.used_by.contains(&device) {
            invite.used_by.push(device);
        }
        let rows = Rows(group);
        let key = found.leaf_node.signature_key.as_slice();
        let kind = if group.members().iter().any(|member| member.signature_key == key) {
            // Who asks from inside has lost what it had: whose key it is has signed the key package.
            WishKind::Replace(package.into())
        } else {
            WishKind::AddKeyPackage(package.into())
        };
        let wish = WishForm { kind, claimed: None };
        rows.write(vec![put_invite(&invite)?, put_wish(Rows::next(&rows.wishes()?), &wish)?])?;
        Ok(Some(News::Asked(user)))
    }
}

fn request_key(suite: &dyn SuiteCrypto, secret: &[u8]) -> SyncResult<Secret> {
    let prk = suite.kdf_extract(LABEL, secret);
    Ok(suite.kdf_expand(prk.as_slice(), LABEL, suite.aead_key_len())?)
}

const LABEL: &[u8] = b"SpacePanda join request 1";
