//! Groups over a router: what an application has instead of wiring it together itself.
//!
//! In: what people want, and what the router brings. Out: envelopes for the router, events for the application.
//! Always: an envelope is in the group's outbox, durably, until the router has it for everybody; [`Host::send_waiting`] goes on
//! after a restart. What came in is acknowledged after what it did is durable; what comes again is known, and does nothing.

use core::fmt;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
};

use mls_discovery::GroupPublicInfo;
use mls_engine::{codec::decode_exact, message::MlsMessage};
use spacepanda_core::core_mls::{
    Client, GroupChange, Incoming, MessageType, MlsEnvelope, MlsError, MlsHandle, OutboxState, store::StoreError,
};

use crate::{
    DISCOVERY, EventSink, HostEvent, HostStore, HostStoreError, MESSAGE, PeerId, Router, RouterError, Rpc, WELCOME,
};

/// Why something was not done. What waits in an outbox stays there.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum HostError {
    /// The group could not do it.
    #[error(transparent)]
    Group(#[from] MlsError),
    /// The router did not take it.
    #[error(transparent)]
    Router(#[from] RouterError),
    /// The store did not take it.
    #[error(transparent)]
    Store(#[from] HostStoreError),
    /// Nobody said where a member can be reached.
    #[error("nobody said where a member can be reached; call `know` with its peer")]
    UnknownMember,
}

/// Groups over a router.
pub struct Host {
    client: Client,
    router: Arc<dyn Router>,
    store: Arc<dyn HostStore>,
    sink: Arc<dyn EventSink>,
    peers: Mutex<BTreeMap<Vec<u8>, PeerId>>,
}

impl Host {
    /// A host of this client.
    pub fn new(client: Client, router: Arc<dyn Router>, store: Arc<dyn HostStore>, sink: Arc<dyn EventSink>) -> Self {
        Self { client, router, store, sink, peers: Mutex::default() }
    }

    /// The client.
    pub const fn client(&self) -> &Client {
        &self.client
    }

    /// Where the member of this identity can be reached from now on.
    pub fn know(&self, identity: &[u8], peer: PeerId) {
        self.peers.lock().unwrap_or_else(PoisonError::into_inner).insert(identity.to_vec(), peer);
    }

    /// Adds somebody, whose peer is known, to a group: the others get the commit, the new one a Welcome.
    ///
    /// # Errors
    /// [`HostError`]. If it is the router's, the change is made, and [`Host::send_waiting`] sends it.
    pub async fn invite(&self, group: &MlsHandle, identity: &[u8], key_package: &[u8]) -> Result<(), HostError> {
        self.peer(identity)?;
        // By value: a router orders nothing, so that a proposal might come after the commit that names it.
        check_whose(key_package, identity)?;
        let staged = group.stage_changes(&[GroupChange::Add(key_package.to_vec())])?;
        group.apply_pending_commit(&staged.id)?;
        self.sink.event(HostEvent::Changed { group_id: group.group_id(), epoch: group.epoch() });
        self.send_waiting(group).await
    }

    /// Says something to a group.
    ///
    /// # Errors
    /// As [`Host::invite`].
    pub async fn say(&self, group: &MlsHandle, text: &[u8]) -> Result<(), HostError> {
        group.send_message(text)?;
        self.send_waiting(group).await
    }

    /// Sends what waits in the outbox of a group. Repeated, it may send again what others have: they know it, and do nothing.
    ///
    /// # Errors
    /// [`HostError`]: what was not sent still waits.
    pub async fn send_waiting(&self, group: &MlsHandle) -> Result<(), HostError> {
        for entry in group.outbox()? {
            match entry.state {
                OutboxState::Unsent | OutboxState::Accepted => {
                    self.send(group, &entry.envelope).await?;
                    for welcome in &entry.welcomes {
                        self.send(group, welcome).await?;
                    }
                }
                OutboxState::Superseded => {}
                _ => continue,
            }
            group.mark_sent(&[entry.id])?;
        }
        Ok(())
    }

    /// Deals with what the router has; returns how much there was.
    ///
    /// # Errors
    /// [`HostError`] if the router or the store fails: what was not dealt with comes again.
    pub async fn receive(&self) -> Result<usize, HostError> {
        let came = self.router.receive().await?;
        for rpc in &came {
            self.handle(rpc)?;
            self.router.acknowledge(rpc.ticket).await?;
        }
        Ok(came.len())
    }

    /// Keeps the record of a group that was found; returns whether it was new.
    ///
    /// # Errors
    /// [`HostError::Store`], for a record that does not count too.
    pub fn keep(&self, record: &GroupPublicInfo) -> Result<bool, HostError> {
        let bytes = record.to_bytes().map_err(HostStoreError::from)?;
        Ok(self.store.save_crdt(DISCOVERY, record.group_id(), &bytes)?)
    }

    fn handle(&self, rpc: &Rpc) -> Result<(), HostError> {
        let envelope = match MlsEnvelope::from_json(&rpc.body) {
            Ok(envelope) if fits(&rpc.method, envelope.message_type()) => envelope,
            Ok(_) => return self.refuse(MlsError::EnvelopeMismatch("verb")),
            Err(error) => return self.refuse(error),
        };
        let group_id = envelope.group_id().to_vec();
        match self.client.handle_incoming(&envelope) {
            Ok(incoming) => {
                self.tell(group_id, incoming);
                Ok(())
            }
            Err(MlsError::Store(error)) => Err(HostStoreError::from(error).into()),
            // Sent to all who are in, so also to whom it is not for, and perhaps again.
            Err(
                MlsError::NotForUs
                | MlsError::GroupExists
                | MlsError::UnknownGroup
                | MlsError::KeyPackageUsed
                | MlsError::EpochMismatch { .. },
            ) => Ok(()),
            Err(error) => self.refuse(error),
        }
    }

    fn tell(&self, group_id: Vec<u8>, incoming: Incoming) {
        match incoming {
            Incoming::Delivered(message) => {
                self.sink.event(HostEvent::Said { group_id, sender: message.sender, text: message.plaintext });
            }
            Incoming::EpochAdvanced(_) => {
                let epoch = self.client.group(&group_id).map_or(0, |group| group.epoch());
                self.sink.event(HostEvent::Changed { group_id: group_id.clone(), epoch });
                self.catch_up(group_id);
            }
            Incoming::Joined(_) => self.sink.event(HostEvent::Joined { group_id }),
            Incoming::Removed { .. } => self.sink.event(HostEvent::Left { group_id }),
            _ => {}
        }
    }

    /// What came before its epoch did is due now.
    fn catch_up(&self, group_id: Vec<u8>) {
        let Ok(group) = self.client.group(&group_id) else { return };
        for came in group.process_buffered() {
            match came {
                Ok(incoming) => self.tell(group_id.clone(), incoming),
                Err(error) => self.sink.event(HostEvent::Refused(error)),
            }
        }
    }

    fn refuse(&self, error: MlsError) -> Result<(), HostError> {
        self.sink.event(HostEvent::Refused(error));
        Ok(())
    }

    /// To every other member.
    async fn send(&self, group: &MlsHandle, envelope: &MlsEnvelope) -> Result<(), HostError> {
        let body = envelope.to_json()?;
        let method = if envelope.message_type() == MessageType::Welcome { WELCOME } else { MESSAGE };
        let others: BTreeSet<Vec<u8>> = group.members().into_iter().map(|member| member.identity).collect();
        for identity in others.iter().filter(|identity| identity.as_slice() != group.own_identity()) {
            self.router.send_rpc(&self.peer(identity)?, method, &body).await?;
        }
        Ok(())
    }

    fn peer(&self, identity: &[u8]) -> Result<PeerId, HostError> {
        let peers = self.peers.lock().unwrap_or_else(PoisonError::into_inner);
        peers.get(identity).cloned().ok_or(HostError::UnknownMember)
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { client: _, router, store, sink: _, peers: _ } = self;
        f.debug_struct("Host").field("router", router).field("store", store).finish_non_exhaustive()
    }
}

fn check_whose(key_package: &[u8], identity: &[u8]) -> Result<(), MlsError> {
    let MlsMessage::KeyPackage(found) = decode_exact(key_package)? else {
        return Err(MlsError::IdentityMismatch);
    };
    let whose = found.leaf_node.credential.identity();
    if whose == Some(identity) { Ok(()) } else { Err(MlsError::IdentityMismatch) }
}

fn fits(method: &str, message_type: MessageType) -> bool {
    match method {
        WELCOME => message_type == MessageType::Welcome,
        MESSAGE => message_type != MessageType::Welcome,
        _ => false,
    }
}

impl From<StoreError> for HostError {
    fn from(error: StoreError) -> Self {
        Self::Store(error.into())
    }
}
