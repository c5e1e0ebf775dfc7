//! Delivery inside one process: what a delivery service does for a group (RFC 9420, Section 14, and RFC 9750).
//!
//! In: envelopes and key packages from members. Out: for every reader the same envelopes in the same order, through its
//! inbox.
//! Always: one commit per epoch, and the first wins; deciding, handing out the commit and handing out the Welcome are one
//! step, so no Welcome is seen without its commit. Nothing is kept but the last commit: readers that lag keep their own
//! inbox.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc::Sender},
};

use spacepanda_core::core_mls::{MessageType, MlsEnvelope};

/// An envelope at its place in the order of the group.
#[derive(Clone, Debug)]
pub(crate) struct Parcel {
    /// Place in the order, from 1 on, without gaps.
    pub(crate) position: u64,
    pub(crate) envelope: Arc<MlsEnvelope>,
}

/// What became of a commit.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Verdict {
    /// It is the commit of its epoch, at this position.
    Accepted { position: u64 },
    /// Another one is, at this position.
    Lost { winner: u64 },
}

/// Why an envelope was not taken.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Refused {
    /// Commits are submitted, everything else is posted; Welcomes come with their commit.
    WrongKind,
    /// A commit of an epoch that the group has not reached.
    EpochAhead,
}

/// The Welcome of a commit, and who is invited.
#[derive(Debug)]
pub(crate) struct Invitation {
    pub(crate) welcome: MlsEnvelope,
    pub(crate) invited: Vec<String>,
}

/// The delivery of one group, shared by all threads.
pub(crate) struct Delivery<I> {
    state: Mutex<State<I>>,
    into_input: fn(Parcel) -> I,
}

struct State<I> {
    /// Epoch of which no commit has been accepted yet.
    epoch: u64,
    position: u64,
    /// The commit that ended the epoch before, and where.
    last: Option<Parcel>,
    inboxes: BTreeMap<String, Sender<I>>,
    readers: Vec<String>,
    key_packages: BTreeMap<String, Vec<u8>>,
}

impl<I> Delivery<I> {
    /// A group at epoch 0. `into_input` makes a parcel what inboxes take.
    pub(crate) fn new(into_input: fn(Parcel) -> I) -> Self {
        let state = State {
            epoch: 0,
            position: 0,
            last: None,
            inboxes: BTreeMap::new(),
            readers: Vec::new(),
            key_packages: BTreeMap::new(),
        };
        Self { state: Mutex::new(state), into_input }
    }

    /// Makes the inbox of `name` known. Nothing goes there before `name` reads the group.
    pub(crate) fn connect(&self, name: &str, inbox: Sender<I>) {
        self.state().inboxes.insert(name.to_owned(), inbox);
    }

    /// `name` founded the group, and reads from here on.
    pub(crate) fn found(&self, name: &str) {
        self.state().readers.push(name.to_owned());
    }

    /// The group is at this epoch already, and these members read from here on.
    pub(crate) fn resume(&self, epoch: u64, readers: &[impl ToString]) {
        let mut state = self.state();
        state.epoch = epoch;
        state.readers = readers.iter().map(ToString::to_string).collect();
    }

    /// Keeps a key package for whoever wants to add `name`.
    pub(crate) fn publish_key_package(&self, name: &str, key_package: Vec<u8>) {
        self.state().key_packages.insert(name.to_owned(), key_package);
    }

    /// Hands out the key package of `name`, once.
    pub(crate) fn take_key_package(&self, name: &str) -> Option<Vec<u8>> {
        self.state().key_packages.remove(name)
    }

    /// Delivers a message or a proposal; returns its position.
    pub(crate) fn post(&self, envelope: MlsEnvelope) -> Result<u64, Refused> {
        match envelope.message_type() {
            MessageType::Application | MessageType::Proposal => {
                Ok(self.state().deliver(Arc::new(envelope), self.into_input).position)
            }
            MessageType::Commit | MessageType::Welcome => Err(Refused::WrongKind),
        }
    }

    /// Decides about a commit. If it is the first of its epoch, it is delivered, and its Welcome with it. Submitting the
    /// commit that won once more is answered in the same way again.
    pub(crate) fn submit(&self, commit: MlsEnvelope, invitation: Option<Invitation>) -> Result<Verdict, Refused> {
        if commit.message_type() != MessageType::Commit {
            return Err(Refused::WrongKind);
        }
        // From the message itself: a label beside it could say anything.
        let epoch = commit.epoch().ok().flatten().ok_or(Refused::WrongKind)?;
        let mut state = self.state();
        if let Some(last) = &state.last
            && epoch < state.epoch
        {
            let (winner, again) = (last.position, *last.envelope == commit);
            return Ok(if again { Verdict::Accepted { position: winner } } else { Verdict::Lost { winner } });
        }
        if epoch > state.epoch {
            return Err(Refused::EpochAhead);
        }
        let parcel = state.deliver(Arc::new(commit), self.into_input);
        let position = parcel.position;
        state.epoch = epoch.saturating_add(1);
        state.last = Some(parcel);
        if let Some(invitation) = invitation {
            state.invite(position, invitation, self.into_input);
        }
        Ok(Verdict::Accepted { position })
    }

    fn state(&self) -> MutexGuard<'_, State<I>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<I> State<I> {
    /// The next position; the same for all readers, because inboxes are filled under the lock.
    fn deliver(&mut self, envelope: Arc<MlsEnvelope>, into_input: fn(Parcel) -> I) -> Parcel {
        self.position = self.position.saturating_add(1);
        let parcel = Parcel { position: self.position, envelope };
        for reader in &self.readers {
            self.put(reader, parcel.clone(), into_input);
        }
        parcel
    }

    /// Who is invited reads what comes after the commit.
    fn invite(&mut self, position: u64, invitation: Invitation, into_input: fn(Parcel) -> I) {
        let welcome = Parcel { position, envelope: Arc::new(invitation.welcome) };
        for name in invitation.invited {
            self.put(&name, welcome.clone(), into_input);
            self.readers.push(name);
        }
    }

    fn put(&self, reader: &str, parcel: Parcel, into_input: fn(Parcel) -> I) {
        if let Some(inbox) = self.inboxes.get(reader) {
            // A reader that has gone needs nothing.
            let _ = inbox.send(into_input(parcel));
        }
    }
}

#[cfg(test)]
mod tests;
