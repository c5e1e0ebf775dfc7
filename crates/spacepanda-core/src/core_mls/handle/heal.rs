//! Back into step: what is missing is fetched, and what cannot be fetched is joined anew (RFC 9420, Section 12.4.3.2).
//!
//! ```text
//! messages ──> group info ──> it is ours: in step
//!                   └───────> it is another: external commit ──> accepted: messages ──> unsent ones sealed anew
//! ```
//!
//! In: what the delivery side has, whenever it is asked for. Out: what to ask it for next.
//! Always: nothing here waits or opens a connection; what was decided is durable before anything leaves; after a restart
//! begin again, and it goes on from there. What could be read stays readable, and what was never sent is sent once.

use mls_engine::{
    group::{Observer, PublicState},
    message::{PskKind, ResumptionPskUsage},
};

use super::MlsHandle;
use crate::core_mls::{
    Health,
    chronicle::{Evidence, spread_of},
    client::ExternalJoin,
    envelope::MlsEnvelope,
    error::{MlsError, MlsResult},
    passing::{Beside, said},
    records::REQUEUED,
    types::Incoming,
};

/// A group on its way back; see [`MlsHandle::heal`]. Dropping it loses nothing: begin again.
#[derive(Debug)]
#[must_use = "ask what it needs until it needs nothing"]
pub struct Healing {
    group: MlsHandle,
    stage: Stage,
    received: Vec<MlsResult<Incoming>>,
    rejoined: bool,
    requeued: Vec<MlsEnvelope>,
}

#[derive(Debug)]
enum Stage {
    Messages,
    GroupInfo,
    Submit(Box<ExternalJoin>),
    Rest,
    Done,
}

/// What a group on its way back has to be given next.
#[derive(Debug)]
#[non_exhaustive]
pub enum Need {
    /// Every message of the group of this epoch and later ones, in the order of the delivery side, ours included: to
    /// [`Healing::messages`].
    Messages {
        /// The first epoch.
        from: u64,
    },
    /// The newest group info: to [`Healing::group_info`].
    GroupInfo,
    /// Whether the delivery side took this commit: to [`Healing::submitted`].
    Submit {
        /// The commit.
        commit: MlsEnvelope,
        /// The group info of the epoch that it begins, an encoded MLSMessage, to be published with it.
        group_info: Vec<u8>,
    },
    /// Nothing; see [`Healing::finish`].
    Nothing,
}

/// What came of healing.
#[derive(Debug)]
#[non_exhaustive]
pub struct Healed {
    /// Where the group stands now.
    pub health: Health,
    /// What the messages were, in order.
    pub received: Vec<MlsResult<Incoming>>,
    /// Whether we joined again.
    pub rejoined: bool,
    /// Messages of ours that nobody had been given, sealed anew; they are in [`MlsHandle::outbox`] too.
    pub requeued: Vec<MlsEnvelope>,
}

impl MlsHandle {
    /// Brings the group back into step with what the delivery side has: fetches what is missing; if that does not lead
    /// there, joins again by an external commit that replaces our leaf and, where all members can check it, proves with a
    /// resumption PSK that we were in; and seals anew what was never sent.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, Health, MlsConfig, MlsError, Need, TrustOnFirstUse};
    /// # let mut config = MlsConfig::default();
    /// # config.external_joins = true;
    /// # let open = |name: &[u8]| Client::builder(name, Arc::new(TrustOnFirstUse::new())).config(config.clone()).open();
    /// # let (alice, bob) = (open(b"alice")?, open(b"bob")?);
    /// # let group = alice.create_group(Some("tea"))?;
    /// # group.propose_add(&bob.generate_key_package()?, b"bob")?;
    /// # let bobs = bob.join_group(&group.commit()?.1[0])?;
    /// bobs.rotate()?; // a commit that nobody else has ...
    /// let rival = group.rotate()?; // ... because this one was first
    /// let unsent = bobs.send_message(b"hello")?;
    ///
    /// let mut healing = bobs.heal();
    /// loop {
    ///     match healing.need()? {
    ///         Need::Messages { from } => healing.messages(if from <= 1 { std::slice::from_ref(&rival) } else { &[] })?,
    ///         Need::GroupInfo => healing.group_info(&group.group_info()?, None)?,
    ///         Need::Submit { commit, .. } => {
    ///             group.receive_commit(&commit)?;
    ///             healing.submitted(true)?;
    ///         }
    ///         _ => break,
    ///     }
    /// }
    /// let healed = healing.finish()?;
    /// assert_eq!((healed.health, healed.rejoined), (Health::InSync, true));
    /// assert_eq!(group.receive_message(&healed.requeued[0])?.plaintext, b"hello");
    /// # Ok::<(), MlsError>(())
    /// ```
    pub fn heal(&self) -> Healing {
        let group = self.clone();
        Healing { group, stage: Stage::Messages, received: Vec::new(), rejoined: false, requeued: Vec::new() }
    }

    /// Seals anew what was kept when the group was joined again and is not sealed yet; [`MlsHandle::heal`] does so by itself.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// assert!(alice.create_group(None)?.requeue()?.is_empty());
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// As [`MlsHandle::send_message`]; what is not sealed waits for the next call.
    pub fn requeue(&self) -> MlsResult<Vec<MlsEnvelope>> {
        let mut sealed = Vec::new();
        for (key, record) in self.inner().store.scan(&self.cell.space(), REQUEUED, None)? {
            let (plaintext, authenticated_data) = said(&record)?;
            sealed.push(self.send_for(plaintext.as_slice(), &authenticated_data, Some(&key))?);
        }
        Ok(sealed)
    }

    fn settle_evidence(&self, next: impl FnOnce(Evidence, Option<u64>) -> Evidence) -> MlsResult<()> {
        let mut serial = self.cell.serial();
        self.cell.refresh(self.inner(), &mut serial)?;
        let evidence = next(self.cell.chronicle().evidence, serial.inbox.latest());
        self.keep_evidence(&mut serial, evidence, &Beside::default)
    }

    /// A resumption PSK that every member of `reference` has, if one can be named: of an epoch that another member is known
    /// to have as we do, since which nobody came (RFC 9420, Section 8.6).
    fn proof(&self, reference: &PublicState) -> MlsResult<Vec<PskKind>> {
        let evidence = self.cell.chronicle().evidence;
        let bad = evidence.first_bad().unwrap_or(u64::MAX);
        let Some(epoch) = evidence.agreed.filter(|epoch| *epoch < bad) else { return Ok(Vec::new()) };
        let own = self.cell.public();
        let known = reference
            .tree()
            .members()
            .into_iter()
            .all(|(leaf, node)| own.member(leaf).is_ok_and(|member| member.signature_key == node.signature_key));
        let age = usize::try_from(reference.context().epoch.saturating_sub(epoch)).unwrap_or(usize::MAX);
        let kept = age < self.inner().limits.max_resumption_psks
            && self.cell.look(|group| Ok(group.resumption_psk(epoch).is_some()))?;
        if !known || !kept || !self.nobody_came_since(epoch)? {
            return Ok(Vec::new());
        }
        let psk_group_id = mls_crypto::Opaque::from(self.cell.id.as_slice());
        Ok(vec![PskKind::Resumption { usage: ResumptionPskUsage::Application, psk_group_id, psk_epoch: epoch }])
    }
}

impl Healing {
    /// What is needed now.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, Need, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// assert!(matches!(alice.create_group(None)?.heal().need()?, Need::Messages { from: 0 }));
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// [`MlsError::CryptoError`] if signing fails; [`MlsError::UnknownGroup`].
    pub fn need(&self) -> MlsResult<Need> {
        Ok(match &self.stage {
            _ if self.group.health()? == Health::Removed => Need::Nothing,
            Stage::Messages | Stage::Rest => Need::Messages { from: self.group.epoch() },
            Stage::GroupInfo => Need::GroupInfo,
            Stage::Submit(join) => Need::Submit { commit: join.commit().clone(), group_info: join.group_info()? },
            Stage::Done => Need::Nothing,
        })
    }

    /// Messages of the group. What was fetched has reached the delivery side: it need not be sent again.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, Need, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// let group = alice.create_group(None)?;
    /// let mut healing = group.heal();
    /// healing.messages(&[group.send_message(b"hello")?])?;
    /// assert!(group.outbox()?.is_empty());
    /// assert!(matches!(healing.need()?, Need::GroupInfo));
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// [`MlsError::Store`]: begin again. Errors of single messages are in [`Healed::received`].
    pub fn messages(&mut self, messages: &[MlsEnvelope]) -> MlsResult<()> {
        for envelope in messages {
            match self.group.handle_incoming(envelope) {
                Err(MlsError::Store(error)) => return Err(error.into()),
                incoming => self.received.push(incoming),
            }
        }
        let ids: Vec<_> = messages.iter().map(|message| self.group.cell.message_id(message.payload())).collect();
        self.group.mark_sent(&ids)?;
        match self.stage {
            Stage::Messages => self.stage = Stage::GroupInfo,
            Stage::Rest => self.end()?,
            _ => {}
        }
        Ok(())
    }

    /// The newest group info that the delivery side has, an encoded MLSMessage, with the ratchet tree if that is elsewhere.
    /// It is checked as a joiner checks it.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, Health, MlsError, Need, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// let group = alice.create_group(None)?;
    /// let mut healing = group.heal();
    /// healing.messages(&[])?;
    /// healing.group_info(&group.group_info()?, None)?;
    /// assert_eq!(healing.finish()?.health, Health::InSync);
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// [`MlsError::NotAMember`] if the group went on without us: nobody comes back by itself then;
    /// [`MlsError::GroupMismatch`]; as [`crate::core_mls::Client::join_external`], also [`MlsError::ExternalJoinsDisabled`]:
    /// then ask a member to remove our leaf and to invite us.
    pub fn group_info(&mut self, group_info: &[u8], tree: Option<&[u8]>) -> MlsResult<()> {
        let reference = Observer::new(&self.group.inner().env(), group_info, tree)?;
        let (reference, own) = (reference.public(), self.group.cell.public());
        if reference.context().group_id.as_slice() != self.group.cell.id {
            return Err(MlsError::GroupMismatch);
        }
        let (at, epoch) = (reference.context().epoch, own.context().epoch);
        let evidence = self.group.cell.chronicle().evidence;
        if at == epoch && reference.confirmation_tag().ct_eq(own.confirmation_tag()) {
            self.group.settle_evidence(|evidence, waiting| evidence.confirm(epoch, waiting))?;
            return self.end();
        }
        let key = self.group.client().signature_key();
        if at >= epoch && !reference.tree().members().iter().any(|(_, leaf)| leaf.signature_key.as_slice() == key) {
            return Err(MlsError::NotAMember);
        }
        // An older one than ours says nothing, unless we are known to have left its path.
        if at < epoch && evidence.first_bad().is_none_or(|bad| bad > at) {
            return self.end();
        }
        let now = self.group.inner().clock.now();
        if evidence.next_rejoin().is_some_and(|next_at| now < next_at) {
            return self.end();
        }
        let client = self.group.client();
        let spread = spread_of(self.group.cell.suite(), &[client.signature_key(), &self.group.cell.id]);
        let psks = self.group.proof(reference)?;
        self.group.settle_evidence(|evidence, _| evidence.rejoining(now, spread))?;
        self.stage = Stage::Submit(Box::new(client.rejoin(group_info, tree, psks)?));
        Ok(())
    }

    /// Whether the delivery side took the commit: as the first of its epoch. If not, try again when
    /// [`Health::RejoinPending`] says.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// // Nothing was to be submitted.
    /// alice.create_group(None)?.heal().submitted(true)?;
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// [`MlsError::Store`]: begin again; the group is joined once more then.
    pub fn submitted(&mut self, accepted: bool) -> MlsResult<()> {
        match std::mem::replace(&mut self.stage, Stage::Done) {
            Stage::Submit(join) if accepted => {
                let _same = join.accepted()?;
                (self.rejoined, self.stage) = (true, Stage::Rest);
            }
            Stage::Submit(_) => {}
            other => self.stage = other,
        }
        Ok(())
    }

    /// What came of it, whether or not all was done.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// assert!(!alice.create_group(None)?.heal().finish()?.rejoined);
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// As [`MlsHandle::health`].
    pub fn finish(self) -> MlsResult<Healed> {
        let Self { group, stage: _, received, rejoined, requeued } = self;
        Ok(Healed { health: group.health()?, received, rejoined, requeued })
    }

    fn end(&mut self) -> MlsResult<()> {
        self.stage = Stage::Done;
        self.requeued.extend(self.group.requeue()?);
        Ok(())
    }
}
