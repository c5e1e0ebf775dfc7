//! Hosts in one process.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use mls_delivery::BoxFuture;

use super::{BATCH, PeerId, Router, RouterError, Rpc, Ticket, check};

/// What one host may leave unread.
const MAX_WAITING: usize = 1_000;

/// The hosts of one process.
#[derive(Clone, Debug, Default)]
pub struct MemoryNetwork(Arc<Mutex<BTreeMap<PeerId, Inbox>>>);

#[derive(Debug, Default)]
struct Inbox {
    next: Ticket,
    waiting: VecDeque<Rpc>,
}

/// One host's end of it.
#[derive(Clone, Debug)]
pub struct MemoryRouter {
    network: MemoryNetwork,
    own: PeerId,
}

impl MemoryNetwork {
    /// Nobody is there yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The end of the host of this name; what waits for it is still there.
    pub fn router(&self, own: PeerId) -> MemoryRouter {
        self.inboxes().entry(own.clone()).or_default();
        MemoryRouter { network: self.clone(), own }
    }

    fn inboxes(&self) -> MutexGuard<'_, BTreeMap<PeerId, Inbox>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl MemoryRouter {
    fn send(&self, peer: &PeerId, method: &str, body: &str) -> Result<(), RouterError> {
        check(method, body)?;
        let mut inboxes = self.network.inboxes();
        let inbox = inboxes.get_mut(peer).ok_or(RouterError::UnknownPeer)?;
        if inbox.waiting.len() >= MAX_WAITING {
            return Err(RouterError::Full);
        }
        inbox.next = inbox.next.saturating_add(1);
        let (ticket, from) = (inbox.next, self.own.clone());
        inbox.waiting.push_back(Rpc { ticket, from, method: method.to_owned(), body: body.to_owned() });
        Ok(())
    }
}

impl Router for MemoryRouter {
    fn own(&self) -> PeerId {
        self.own.clone()
    }

    fn send_rpc<'a>(
        &'a self,
        peer: &'a PeerId,
        method: &'a str,
        body: &'a str,
    ) -> BoxFuture<'a, Result<(), RouterError>> {
        let sent = self.send(peer, method, body);
        Box::pin(async move { sent })
    }

    fn receive(&self) -> BoxFuture<'_, Result<Vec<Rpc>, RouterError>> {
        let inboxes = self.network.inboxes();
        let waiting = inboxes.get(&self.own).into_iter().flat_map(|inbox| inbox.waiting.iter());
        let found: Vec<Rpc> = waiting.take(BATCH.into()).cloned().collect();
        Box::pin(async move { Ok(found) })
    }

    fn acknowledge(&self, ticket: Ticket) -> BoxFuture<'_, Result<(), RouterError>> {
        if let Some(inbox) = self.network.inboxes().get_mut(&self.own) {
            inbox.waiting.retain(|rpc| rpc.ticket > ticket);
        }
        Box::pin(async { Ok(()) })
    }
}
