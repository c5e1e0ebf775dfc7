//! Hosts that are devices of a delivery service: what is sent goes to a device's mailbox.
//!
//! ```text
//! PrivateMessage {                       RFC 9420, Section 6.3, as a container only
//!     group_id                           the verb
//!     epoch                              0
//!     content_type                       application
//!     authenticated_data                 "SpacePanda rpc 1"
//!     encrypted_sender_data              the sender's device, as it says
//!     ciphertext                         the body
//! }
//! ```
//!
//! The service sees who writes to whom, and the body, which is an envelope: what is in it is for members only. A device whose
//! mailbox is read here is read by nobody else.

use std::sync::Arc;

use mls_crypto::Opaque;
use mls_delivery::{
    BoxFuture, DeliveryService, DeviceId, Digest, Rejection, Seq, ask,
    reply::MailEntry,
    request::{AcknowledgeMailbox, DeliverDirect, FetchMailbox},
};
use mls_engine::{
    codec::{decode_exact, encode},
    message::{ContentType, MlsMessage, PrivateMessage},
};

use super::{BATCH, PeerId, Router, RouterError, Rpc, Ticket, check};

/// A device of a delivery service, near or far.
#[derive(Clone, Debug)]
pub struct DeliveryRouter {
    service: Arc<dyn DeliveryService>,
    device: DeviceId,
}

impl DeliveryRouter {
    /// The router of this device, which is enrolled.
    pub fn new(service: Arc<dyn DeliveryService>, device: DeviceId) -> Self {
        Self { service, device }
    }

    /// The name of a device.
    pub fn peer(device: &DeviceId) -> PeerId {
        PeerId::new(device.as_slice())
    }

    async fn send(&self, peer: &PeerId, method: &str, body: &str) -> Result<(), RouterError> {
        check(method, body)?;
        let recipient = Digest::from_slice(peer.as_slice()).map(DeviceId::new).ok_or(RouterError::UnknownPeer)?;
        let message = MlsMessage::PrivateMessage(Box::new(PrivateMessage {
            group_id: method.as_bytes().into(),
            epoch: 0,
            content_type: ContentType::Application,
            authenticated_data: LABEL.into(),
            encrypted_sender_data: self.device.as_slice().into(),
            ciphertext: body.as_bytes().into(),
        }));
        let message: Opaque = encode(&message).map_err(|_| RouterError::Refused(Rejection::Malformed))?.into();
        ask(self.service.as_ref(), self.device, DeliverDirect { recipient, message }).await.map_err(refused)?;
        Ok(())
    }
}

impl Router for DeliveryRouter {
    fn own(&self) -> PeerId {
        Self::peer(&self.device)
    }

    fn send_rpc<'a>(
        &'a self,
        peer: &'a PeerId,
        method: &'a str,
        body: &'a str,
    ) -> BoxFuture<'a, Result<(), RouterError>> {
        Box::pin(self.send(peer, method, body))
    }

    fn receive(&self) -> BoxFuture<'_, Result<Vec<Rpc>, RouterError>> {
        Box::pin(async move {
            let fetch = FetchMailbox { after: None, limit: BATCH };
            let page = ask(self.service.as_ref(), self.device, fetch).await.map_err(refused)?;
            let came: Vec<Rpc> = page.entries.iter().filter_map(rpc).collect();
            // Only what is nobody's: it is in nobody's way.
            if let (true, Some(last)) = (came.is_empty(), page.entries.last()) {
                let seen = AcknowledgeMailbox { seq: last.seq };
                ask(self.service.as_ref(), self.device, seen).await.map_err(refused)?;
            }
            Ok(came)
        })
    }

    fn acknowledge(&self, ticket: Ticket) -> BoxFuture<'_, Result<(), RouterError>> {
        Box::pin(async move {
            let seen = AcknowledgeMailbox { seq: Seq::new(ticket) };
            ask(self.service.as_ref(), self.device, seen).await.map_err(refused)
        })
    }
}

/// What is none of ours is `None`.
fn rpc(entry: &MailEntry) -> Option<Rpc> {
    let MlsMessage::PrivateMessage(message) = decode_exact(entry.message.as_slice()).ok()? else { return None };
    if message.authenticated_data.as_slice() != LABEL {
        return None;
    }
    let text = |bytes: &Opaque| core::str::from_utf8(bytes.as_slice()).ok().map(str::to_owned);
    let (method, body) = (text(&message.group_id)?, text(&message.ciphertext)?);
    check(&method, &body).ok()?;
    let from = PeerId::new(message.encrypted_sender_data.as_slice());
    Some(Rpc { ticket: entry.seq.get(), from, method, body })
}

fn refused(rejection: Rejection) -> RouterError {
    match rejection {
        Rejection::UnknownRecipient { .. } => RouterError::UnknownPeer,
        Rejection::MailboxFull { .. } => RouterError::Full,
        Rejection::Unavailable | Rejection::Overloaded | Rejection::Unsure | Rejection::RateLimited { .. } => {
            RouterError::Unavailable
        }
        other => RouterError::Refused(other),
    }
}

const LABEL: &[u8] = b"SpacePanda rpc 1";
