//! Receiving: one door for everything, and one for each kind.
//!
//! In: an envelope from anywhere. Out: what it was, with everything checked.
//! Always: messages are opened side by side and recorded one after the other; of two uses of one key the second is a
//! replay; on an error nothing has changed.

use std::time::Instant;

use mls_engine::{
    group::{Group, Opened, Processed, Staged},
    policy::Env,
};

use super::MlsHandle;
use crate::core_mls::{
    audit::{Draft, Next},
    echo::Echo,
    envelope::{MessageType, MlsEnvelope},
    error::{MlsError, MlsResult},
    passing::{ApplicationRow, Beside},
    records::{EARLY, key},
    store::Key,
    types::{CommitOutcome, Incoming, ProposalSummary, ReceivedMessage, ReceivedProposal, identity, proposer_leaf},
};

/// What following a commit came to.
enum Followed {
    Advanced(CommitOutcome),
    Removed { committer: u32 },
}

impl MlsHandle {
    /// Handles an envelope of this group, whatever it is (CAP-52). What comes too early is kept until its epoch; what came
    /// before is answered as such.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, Incoming, MlsError, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// # let bob = Client::new(b"bob", Arc::new(TrustOnFirstUse::new()))?;
    /// # let group = alice.create_group(Some("tea"))?;
    /// # group.propose_add(&bob.generate_key_package()?, b"bob")?;
    /// # let joined = bob.join_group(&group.commit()?.1[0])?;
    /// let (commit, early) = (group.rotate()?, group.send_message(b"hello")?);
    /// assert!(matches!(joined.handle_incoming(&early)?, Incoming::Buffered { epoch: 2, current: 1 }));
    /// let Incoming::EpochAdvanced(outcome) = joined.handle_incoming(&commit)? else { unreachable!() };
    /// assert!(matches!(&outcome.released[..], [Ok(Incoming::Delivered(_))]));
    /// assert!(matches!(joined.handle_incoming(&early)?, Incoming::Duplicate));
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// [`MlsError::GroupMismatch`]; [`MlsError::WrongMessageType`] for a Welcome, which goes to
    /// [`crate::core_mls::Client::handle_incoming`]; [`MlsError::EpochMismatch`] for an epoch whose keys are gone or that
    /// is too far ahead; [`MlsError::InboxFull`]; otherwise as the verb for its kind.
    pub fn handle_incoming(&self, envelope: &MlsEnvelope) -> MlsResult<Incoming> {
        self.check_group(envelope)?;
        let incoming = self.dispatch(envelope)?;
        Ok(match incoming {
            Incoming::EpochAdvanced(mut outcome) => {
                outcome.released = self.process_buffered();
                Incoming::EpochAdvanced(outcome)
            }
            other => other,
        })
    }

    /// Handles messages that came too early and are due now. [`MlsHandle::handle_incoming`], [`MlsHandle::receive_commit`]
    /// and [`MlsHandle::apply_pending_commit`] do this by themselves; call it after [`MlsHandle::commit`] or
    /// [`MlsHandle::rotate`]. What fails for something that may still come, as a proposal, waits on; the next call, or the
    /// next epoch, answers for it again.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// assert!(alice.create_group(None)?.process_buffered().is_empty());
    /// # Ok::<(), MlsError>(())
    /// ```
    pub fn process_buffered(&self) -> Vec<MlsResult<Incoming>> {
        let (mut released, mut waiting) = (Vec::new(), Vec::new());
        // A commit among them makes more of them due.
        while let Some((of, envelope)) = self.next_due() {
            let incoming = self.dispatch(&envelope);
            // It is still in the store: another call tries it again.
            let failed = matches!(incoming, Err(MlsError::Store(_)));
            if incoming.as_ref().is_err_and(MlsError::retryable) {
                self.cell.serial().notes.forget(&self.early_key(&envelope));
                waiting.push((of, envelope));
            }
            released.push(incoming);
            if failed {
                break;
            }
        }
        let mut serial = self.cell.serial();
        for (of, envelope) in waiting.into_iter().rev() {
            serial.inbox.put_back(of, envelope);
        }
        if !released.is_empty() && !serial.notes.is_empty() {
            // What did nothing is gone too. What fails now is done with the next batch.
            let _ = self.cell.note(self.inner(), &mut serial, Beside::default);
        }
        released
    }

    fn early_key(&self, envelope: &MlsEnvelope) -> Key {
        key(EARLY, self.cell.message_id(envelope.payload()).as_slice())
    }

    fn next_due(&self) -> Option<(u64, MlsEnvelope)> {
        let epoch = self.epoch();
        let mut serial = self.cell.serial();
        let (of, envelope) = serial.inbox.pop(epoch)?;
        // Gone from the store with the batch of whatever it does.
        serial.notes.delete(self.early_key(&envelope));
        Some((of, envelope))
    }

    /// Opens an application message (CAP-21). A message of our own is opened once, from memory (CON-08).
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// # let bob = Client::new(b"bob", Arc::new(TrustOnFirstUse::new()))?;
    /// # let group = alice.create_group(Some("tea"))?;
    /// # group.propose_add(&bob.generate_key_package()?, b"bob")?;
    /// # let joined = bob.join_group(&group.commit()?.1[0])?;
    /// let envelope = joined.send_message(b"hello")?;
    /// let message = group.receive_message(&envelope)?;
    /// assert_eq!((&message.plaintext[..], &message.sender[..]), (&b"hello"[..], &b"bob"[..]));
    /// assert!(matches!(group.receive_message(&envelope), Err(MlsError::ReplayDetected { .. })));
    /// assert!(joined.receive_message(&envelope)?.own_echo);
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// [`MlsError::ReplayDetected`]; [`MlsError::EpochMismatch`]; [`MlsError::TooFarAhead`]; [`MlsError::CryptoError`] if it
    /// was changed on its way; [`MlsError::OwnMessage`] if it is ours and not remembered; [`MlsError::GroupMismatch`];
    /// [`MlsError::WrongMessageType`].
    pub fn receive_message(&self, envelope: &MlsEnvelope) -> MlsResult<ReceivedMessage> {
        self.receive_message_with(envelope, |_| Vec::new())
    }

    /// [`MlsHandle::receive_message`], and rows of the application in the same batch: both are durable, or neither the
    /// message is used up nor a row written. Read them with [`MlsHandle::application_row`].
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{ApplicationRow, Client, MlsError, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// # let bob = Client::new(b"bob", Arc::new(TrustOnFirstUse::new()))?;
    /// # let group = alice.create_group(Some("tea"))?;
    /// # group.propose_add(&bob.generate_key_package()?, b"bob")?;
    /// # let joined = bob.join_group(&group.commit()?.1[0])?;
    /// let envelope = joined.send_message(b"hello")?;
    /// group.receive_message_with(&envelope, |message| {
    ///     vec![ApplicationRow { key: b"message 1".to_vec(), value: Some(message.plaintext.clone()) }]
    /// })?;
    /// assert_eq!(group.application_row(b"message 1")?.as_deref(), Some(&b"hello"[..]));
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// As [`MlsHandle::receive_message`].
    pub fn receive_message_with(
        &self,
        envelope: &MlsEnvelope,
        rows: impl Fn(&ReceivedMessage) -> Vec<ApplicationRow>,
    ) -> MlsResult<ReceivedMessage> {
        let payload = envelope.unwrap_application()?;
        self.check_group(envelope)?;
        match self.own_echo(payload, &rows)? {
            Some(Ok(message)) => Ok(message),
            Some(Err(generation)) => {
                let replay = Err(MlsError::ReplayDetected { sender: self.own_index(), generation });
                self.inner().watch.outcome(&self.cell.id, replay)
            }
            None => self.open(payload, &rows),
        }
    }

    /// Takes up a proposal of somebody else, to be committed later (CAP-16).
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, ProposalSummary, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// # let bob = Client::new(b"bob", Arc::new(TrustOnFirstUse::new()))?;
    /// # let group = alice.create_group(Some("tea"))?;
    /// # group.propose_add(&bob.generate_key_package()?, b"bob")?;
    /// # let joined = bob.join_group(&group.commit()?.1[0])?;
    /// let proposal = group.receive_proposal(&joined.propose_update()?)?;
    /// assert_eq!((proposal.index, proposal.summary), (0, ProposalSummary::Update));
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// [`MlsError::EpochMismatch`]; [`MlsError::Unauthorized`]; [`MlsError::Rejected`]; [`MlsError::CryptoError`];
    /// [`MlsError::GroupMismatch`]; [`MlsError::WrongMessageType`].
    pub fn receive_proposal(&self, envelope: &MlsEnvelope) -> MlsResult<ReceivedProposal> {
        let payload = envelope.unwrap_proposal()?;
        self.check_group(envelope)?;
        let mut serial = self.cell.serial();
        let ((reference, proposer, summary), _) =
            self.change_in(&mut serial, |group, env| match group.process(env, payload)? {
                Processed::Proposal(received) => {
                    let summary = ProposalSummary::new(&received.proposal);
                    let handled = Some(self.cell.message_id(payload));
                    let beside = Beside { handled, ..Beside::default() };
                    Ok(((received.reference, proposer_leaf(received.proposer), summary), received.step, beside))
                }
                _ => Err(MlsError::EnvelopeMismatch("kind")),
            })?;
        drop(serial);
        let index = self.cell.look(|group| {
            let known = group.pending_proposals();
            Ok(known.iter().zip(0..).find(|(pending, _)| pending.reference == reference).map_or(0, |(_, index)| index))
        })?;
        Ok(ReceivedProposal { index, reference: reference.as_slice().to_vec(), proposer, summary })
    }

    /// Follows a commit of somebody else into the next epoch (CAP-17); one of our own that waits is applied.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// # let bob = Client::new(b"bob", Arc::new(TrustOnFirstUse::new()))?;
    /// # let group = alice.create_group(Some("tea"))?;
    /// # group.propose_add(&bob.generate_key_package()?, b"bob")?;
    /// # let joined = bob.join_group(&group.commit()?.1[0])?;
    /// let outcome = joined.receive_commit(&group.rotate()?)?;
    /// assert_eq!((outcome.epoch, outcome.committer), (2, 0));
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// [`MlsError::NotAMember`] if it removes us, after which every secret of the group is wiped;
    /// [`MlsError::EpochMismatch`]; [`MlsError::UnknownProposal`] if a proposal it names has not come yet;
    /// [`MlsError::Unauthorized`]; [`MlsError::Rejected`]; [`MlsError::CryptoError`]; [`MlsError::GroupMismatch`];
    /// [`MlsError::WrongMessageType`].
    pub fn receive_commit(&self, envelope: &MlsEnvelope) -> MlsResult<CommitOutcome> {
        let payload = envelope.unwrap_commit()?;
        self.check_group(envelope)?;
        match self.follow(payload)? {
            Followed::Advanced(mut outcome) => {
                outcome.released = self.process_buffered();
                Ok(outcome)
            }
            Followed::Removed { .. } => Err(MlsError::NotAMember),
        }
    }

    /// One envelope; what it makes due is left to the caller.
    fn dispatch(&self, envelope: &MlsEnvelope) -> MlsResult<Incoming> {
        let payload = envelope.payload();
        match self.own_echo(payload, &no_rows)? {
            Some(Ok(message)) => return Ok(Incoming::OwnEcho(message)),
            Some(Err(_)) => return Ok(Incoming::Duplicate),
            None => {}
        }
        let id = self.cell.message_id(payload);
        if self.cell.recall().duplicates.contains(&id) {
            return Ok(Incoming::Duplicate);
        }
        if let Some(beacon) = self.take_beacon(envelope)? {
            return Ok(beacon);
        }
        if let Some(buffered) = self.keep_early(envelope)? {
            return Ok(buffered);
        }
        Ok(match envelope.message_type() {
            MessageType::Welcome => {
                return Err(MlsError::WrongMessageType {
                    expected: MessageType::Application,
                    actual: MessageType::Welcome,
                });
            }
            MessageType::Application => match self.open(payload, &no_rows) {
                // Another process had handled it, as is known now.
                Err(MlsError::ReplayDetected { .. }) if self.cell.recall().duplicates.contains(&id) => {
                    Incoming::Duplicate
                }
                opened => Incoming::Delivered(opened?),
            },
            MessageType::Proposal => Incoming::Proposal(self.receive_proposal(envelope)?),
            MessageType::Commit => match self.follow(payload)? {
                Followed::Advanced(outcome) => Incoming::EpochAdvanced(Box::new(outcome)),
                Followed::Removed { committer } => Incoming::Removed { committer },
            },
        })
    }

    /// EPO-02: a message of an epoch to come waits for it.
    fn keep_early(&self, envelope: &MlsEnvelope) -> MlsResult<Option<Incoming>> {
        let Some(epoch) = envelope.epoch()? else { return Ok(None) };
        if epoch <= self.epoch() {
            return Ok(None);
        }
        let mut serial = self.cell.serial();
        self.cell.refresh(self.inner(), &mut serial)?;
        let current = self.cell.public().context().epoch;
        if epoch <= current {
            return Ok(None);
        }
        if serial.inbox.check(epoch, current, envelope)? {
            let early = || Some((self.cell.message_id(envelope.payload()), epoch, envelope.clone()));
            self.cell.note(self.inner(), &mut serial, || Beside { early: early(), ..Beside::default() })?;
            serial.inbox.push(epoch, current, envelope)?;
        }
        Ok(Some(Incoming::Buffered { epoch, current }))
    }

    /// CON-08: our own message, or the generation of one that came back before.
    fn own_echo(&self, payload: &[u8], rows: Rows<'_>) -> MlsResult<Option<Result<ReceivedMessage, u32>>> {
        let id = self.cell.message_id(payload);
        if self.cell.recall().echoes.peek(&id).is_none() {
            return Ok(None);
        }
        let mut serial = self.cell.serial();
        self.cell.refresh(self.inner(), &mut serial)?;
        let recall = self.cell.recall();
        let Some((generation, _)) = recall.echoes.peek(&id) else { return Ok(None) };
        let Some(sent) = recall.echoes.get(&id) else { return Ok(Some(Err(generation))) };
        let message = ReceivedMessage {
            plaintext: sent.plaintext.as_slice().to_vec(),
            authenticated_data: sent.authenticated_data.clone(),
            sender: self.own_identity().to_vec(),
            sender_index: self.own_index(),
            epoch: sent.epoch,
            generation,
            own_echo: true,
        };
        drop(recall);
        let opened = Some((id, generation, message.epoch));
        let beside = || Beside { opened, rows: rows(&message), ..Beside::default() };
        self.cell.note(self.inner(), &mut serial, beside)?;
        Ok(Some(match self.cell.recall().echoes.take(&id) {
            // The plaintext in memory is wiped here.
            Some(Echo::First { sent, generation }) if sent.epoch == message.epoch => {
                Ok(ReceivedMessage { generation, ..message })
            }
            Some(Echo::First { generation, .. } | Echo::Again { generation }) => Err(generation),
            None => Ok(message),
        }))
    }

    /// Opens beside others, records after them.
    fn open(&self, payload: &[u8], rows: Rows<'_>) -> MlsResult<ReceivedMessage> {
        let begun = Instant::now();
        let message = self.inner().watch.outcome(&self.cell.id, self.open_and_record(payload, rows))?;
        self.inner().watch.opened(&self.cell.id, begun);
        Ok(message)
    }

    fn open_and_record(&self, payload: &[u8], rows: Rows<'_>) -> MlsResult<ReceivedMessage> {
        let terms = self.cell.terms();
        let env = terms.env(self.inner());
        // Side by side with others; what fails here may be due to another process, which `change` finds out.
        let mut opened = self.cell.look(|group| open_in(group, &env, payload)).ok();
        let (message, _) = self.change(|group, env| {
            let Opened { plaintext, authenticated_data, sender, sender_leaf, epoch, generation, spent } =
                match opened.take() {
                    Some(opened) => opened,
                    None => open_in(group, env, payload)?,
                };
            let step = group.record(env, spent)?;
            let (sender_index, sender, own_echo) = (sender.get(), identity(&sender_leaf), false);
            let message =
                ReceivedMessage { plaintext, authenticated_data, sender, sender_index, epoch, generation, own_echo };
            let handled = Some(self.cell.message_id(payload));
            let beside = Beside { handled, rows: rows(&message), ..Beside::default() };
            Ok((message, step, beside))
        })?;
        Ok(message)
    }

    fn follow(&self, payload: &[u8]) -> MlsResult<Followed> {
        let begun = Instant::now();
        let followed = self.inner().watch.outcome(&self.cell.id, self.follow_commit(payload))?;
        self.inner().watch.followed(begun);
        Ok(followed)
    }

    fn follow_commit(&self, payload: &[u8]) -> MlsResult<Followed> {
        let mut serial = self.cell.serial();
        // The commit, or the proposals it names, may be known to another process.
        self.cell.refresh(self.inner(), &mut serial)?;
        // FRM-20
        let own = self.cell.message_id(payload);
        if self.cell.look(|group| Ok(group.pending_commits().contains(&own)))? {
            return self.apply_in(&mut serial, &own).map(Followed::Advanced);
        }
        let before = self.cell.public();
        let ((committer, removed), events) =
            self.change_in(&mut serial, |group, env| match group.process(env, payload)? {
                Processed::Commit(staged) => {
                    let Staged { committer, removes_self, step, events, extensions, tree, .. } = *staged;
                    let next = Next { tree: &tree, extensions: &extensions };
                    let audit = Some(Draft::new(group.public(), next, committer, &events, env.now));
                    Ok(((committer, removes_self), step, Beside { handled: Some(own), audit, ..Beside::default() }))
                }
                _ => Err(MlsError::EnvelopeMismatch("kind")),
            })?;
        if removed {
            return Ok(Followed::Removed { committer: committer.get() });
        }
        let after = self.cell.public();
        Ok(Followed::Advanced(self.cell.outcome((&before, &after), committer, &events)))
    }
}

/// An application message, opened; its key is spent only when it is recorded.
fn open_in(group: &Group, env: &Env<'_>, payload: &[u8]) -> MlsResult<Opened> {
    match group.process(env, payload)? {
        Processed::Application(opened) => Ok(*opened),
        _ => Err(MlsError::EnvelopeMismatch("kind")),
    }
}

/// What the application writes with a message.
type Rows<'a> = &'a dyn Fn(&ReceivedMessage) -> Vec<ApplicationRow>;

const fn no_rows(_: &ReceivedMessage) -> Vec<ApplicationRow> {
    Vec::new()
}
