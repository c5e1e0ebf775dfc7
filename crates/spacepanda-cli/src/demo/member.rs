//! A member: one client on one thread, which does what it is told and reads what is delivered.
//!
//! In: orders of the conductor and parcels of the delivery, through one inbox. Out: reports.
//! Always: a commit is staged, submitted, and applied only if it was accepted; if another one was first, it is cleared,
//! the winner is followed, and what was wanted is tried again in the new epoch.

use std::sync::{
    Arc,
    mpsc::{Receiver, Sender},
};

use spacepanda_core::core_mls::{
    Client, Incoming, MessageType, MlsConfig, MlsEnvelope, MlsError, MlsHandle, PendingCommit, ReceivedMessage,
    StoredTrustOnFirstUse, store::StateStore,
};

use super::{
    delivery::{Delivery, Invitation, Parcel, Refused, Verdict},
    trial::Trial,
};

/// What a member is called.
pub(crate) type Name = Arc<str>;

/// What arrives in the inbox of a member.
#[derive(Debug)]
pub(crate) enum Input {
    Parcel(Parcel),
    Order(Order),
}

/// What the conductor wants.
#[derive(Clone, Debug)]
pub(crate) enum Order {
    /// Create the group, and commit to the goal.
    Found(Goal),
    /// Send a message to all others.
    Say(String),
    /// Stage a commit, and hold it until the order to submit.
    Stage(Goal),
    /// Submit what was staged.
    Submit,
    /// From the next commit on, keep all keys and try to read on.
    Cling,
    /// Report how that went.
    Confess,
    /// Forget the group, and be ready to be invited to it.
    Forget,
    /// End.
    Leave,
}

/// What a commit is for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Goal {
    Invite(Vec<Name>),
    Remove(Name),
    Renew,
    /// Nothing: the epoch is of an earlier run.
    Resume,
}

/// What a member has to say, and who it is.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) by: Name,
    pub(crate) news: News,
}

#[derive(Debug)]
pub(crate) enum News {
    /// We are in the group, and this is how it looks; or in none, and our key package is published.
    Ready(Option<View>),
    /// A commit is staged.
    Staged,
    /// Our commit was accepted and began this epoch, after losing so often.
    Committed { epoch: u64, conflicts: u32 },
    /// We are in a new epoch, and this is how it looks.
    Entered(View),
    /// What we were to say is at this position.
    Sent { position: u64, epoch: u64 },
    /// A message was delivered, our own included.
    Heard { position: u64, hearing: Result<Hearing, MlsError> },
    /// What came of reading on after the removal.
    Tried { attempts: u64, successes: u64 },
    /// It cannot go on.
    Failed(Fault),
    /// The thread has ended.
    Gone,
}

/// What a member believes about its epoch.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct View {
    pub(crate) epoch: u64,
    pub(crate) members: Vec<String>,
    pub(crate) authenticator: Vec<u8>,
}

/// What a member understood.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Hearing {
    pub(crate) epoch: u64,
    pub(crate) from: String,
    pub(crate) text: Vec<u8>,
}

/// Why a member cannot go on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    #[error("{0}; {next}", next = .0.next_action())]
    Mls(#[from] MlsError),
    #[error("the delivery refused an envelope: {0:?}")]
    Delivery(Refused),
    #[error("there is no key package of {0}")]
    NoKeyPackage(Name),
    #[error("envelope {got} came after envelope {last}")]
    OutOfOrder { last: u64, got: u64 },
    #[error("an envelope was something it should not have been")]
    Unexpected,
}

impl From<Refused> for Fault {
    fn from(refused: Refused) -> Self {
        Self::Delivery(refused)
    }
}

/// One member.
pub(crate) struct Member {
    name: Name,
    client: Client,
    delivery: Arc<Delivery<Input>>,
    reports: Sender<Report>,
    group: Option<MlsHandle>,
    /// Position of the last parcel that was taken.
    seen: u64,
    goal: Option<Goal>,
    staged: Option<PendingCommit>,
    /// Position of the commit that was faster than ours.
    winner: Option<u64>,
    conflicts: u32,
    trial: Option<Trial>,
}

impl Member {
    pub(crate) fn new(
        name: Name,
        (config, store): (MlsConfig, Arc<dyn StateStore>),
        delivery: Arc<Delivery<Input>>,
        reports: Sender<Report>,
    ) -> Result<Self, MlsError> {
        let policy = Arc::new(StoredTrustOnFirstUse::open(Arc::clone(&store))?);
        let client = Client::builder(name.as_bytes(), policy).config(config).store(store);
        let client = client.open()?;
        Ok(Self {
            name,
            client,
            delivery,
            reports,
            group: None,
            seen: 0,
            goal: None,
            staged: None,
            winner: None,
            conflicts: 0,
            trial: None,
        })
    }

    /// Works until all senders of the inbox are gone, or nothing works any more.
    pub(crate) fn run(mut self, inbox: &Receiver<Input>) {
        if let Err(fault) = self.work(inbox) {
            self.report(News::Failed(fault));
        }
    }

    fn work(&mut self, inbox: &Receiver<Input>) -> Result<(), Fault> {
        let ready = self.resume()?;
        self.report(News::Ready(ready));
        while let Ok(input) = inbox.recv() {
            match input {
                Input::Parcel(parcel) => self.take(&parcel)?,
                Input::Order(Order::Leave) => break,
                Input::Order(order) => self.obey(order)?,
            }
        }
        Ok(())
    }

    /// The group of an earlier run. A commit of ours that nobody got is cleared; with proposals waiting, or after being
    /// removed, there is nothing to go on with.
    fn resume(&mut self) -> Result<Option<View>, Fault> {
        let Some(id) = self.client.groups()?.into_iter().next() else {
            self.publish()?;
            return Ok(None);
        };
        let group = self.client.group(&id)?;
        for pending in group.pending_commits()? {
            group.clear_pending_commit(&pending)?;
        }
        let settled = group.epoch_authenticator().is_ok() && group.pending_proposals()?.is_empty();
        self.group = Some(group);
        if settled { self.view().map(Some) } else { Ok(None) }
    }

    fn publish(&self) -> Result<(), Fault> {
        self.client.delete_expired_key_packages()?;
        self.delivery.publish_key_package(&self.name, self.client.generate_key_package()?);
        Ok(())
    }

    fn forget(&mut self) -> Result<(), Fault> {
        if let Some(group) = self.group.take() {
            self.client.delete_group(&group.group_id())?;
            self.publish()?;
        }
        self.report(News::Ready(None));
        Ok(())
    }

    fn obey(&mut self, order: Order) -> Result<(), Fault> {
        match order {
            Order::Found(goal) => {
                self.group = Some(self.client.create_group(Some("demo"))?);
                self.delivery.found(&self.name);
                self.goal = Some(goal);
                self.pursue()
            }
            Order::Say(text) => self.say(&text),
            Order::Stage(goal) => {
                self.goal = Some(goal);
                self.stage()?;
                self.report(News::Staged);
                Ok(())
            }
            Order::Submit => self.pursue(),
            Order::Cling => {
                self.trial = Some(Trial::default());
                Ok(())
            }
            Order::Confess => {
                let trial = self.trial.take().ok_or(Fault::Unexpected)?;
                let (attempts, successes) = trial.conclude(self.group()?)?;
                self.report(News::Tried { attempts, successes });
                Ok(())
            }
            Order::Forget => self.forget(),
            Order::Leave => Ok(()),
        }
    }

    fn say(&mut self, text: &str) -> Result<(), Fault> {
        let envelope = self.group()?.send_message(text.as_bytes())?;
        let epoch = envelope.epoch()?.ok_or(Fault::Unexpected)?;
        let position = self.delivery.post(envelope)?;
        self.report(News::Sent { position, epoch });
        Ok(())
    }

    /// Stages what is not staged yet and submits it, again and again until it is accepted or somebody else's commit has
    /// to be followed first.
    fn pursue(&mut self) -> Result<(), Fault> {
        self.winner = None;
        loop {
            self.stage()?;
            let Some(staged) = self.staged.take() else { return Ok(()) };
            let invitation = self.invitation(staged.welcome);
            match self.delivery.submit(staged.commit, invitation)? {
                Verdict::Accepted { .. } => {
                    self.group()?.apply_pending_commit(&staged.id)?;
                    let (epoch, conflicts) = (self.group()?.epoch(), self.conflicts);
                    self.report(News::Committed { epoch, conflicts });
                    (self.goal, self.conflicts) = (None, 0);
                    return self.enter();
                }
                Verdict::Lost { winner } => {
                    self.conflicts = self.conflicts.saturating_add(1);
                    match self.group()?.clear_pending_commit(&staged.id) {
                        // Following the winner has cleared it already.
                        Ok(()) | Err(MlsError::NoSuchPendingCommit) => {}
                        Err(error) => return Err(error.into()),
                    }
                    if winner > self.seen {
                        self.winner = Some(winner);
                        return Ok(());
                    }
                }
            }
        }
    }

    fn stage(&mut self) -> Result<(), Fault> {
        if self.staged.is_some() {
            return Ok(());
        }
        let Some(goal) = &self.goal else { return Ok(()) };
        let group = self.group()?;
        let proposals = match goal {
            Goal::Renew | Goal::Resume => Vec::new(),
            Goal::Invite(names) => {
                let adds: Result<Vec<_>, Fault> = names.iter().map(|name| self.key_package(name)).collect();
                group.propose_add_batch(&adds?)?
            }
            Goal::Remove(name) => group.propose_remove_identity(name.as_bytes())?,
        };
        let pending = if proposals.is_empty() { group.stage_rotation()? } else { group.stage_commit()? };
        // The commit names the proposals, so they have to be there first.
        for proposal in proposals {
            self.delivery.post(proposal)?;
        }
        self.staged = Some(pending);
        Ok(())
    }

    fn key_package(&self, name: &Name) -> Result<(Vec<u8>, Vec<u8>), Fault> {
        let key_package = self.delivery.take_key_package(name).ok_or_else(|| Fault::NoKeyPackage(Arc::clone(name)))?;
        Ok((key_package, name.as_bytes().to_vec()))
    }

    fn invitation(&self, welcome: Option<MlsEnvelope>) -> Option<Invitation> {
        match (&self.goal, welcome) {
            (Some(Goal::Invite(names)), Some(welcome)) => {
                Some(Invitation { welcome, invited: names.iter().map(ToString::to_string).collect() })
            }
            _ => None,
        }
    }

    fn take(&mut self, parcel: &Parcel) -> Result<(), Fault> {
        self.check_order(parcel)?;
        if let (Some(trial), Some(group)) = (&mut self.trial, &self.group) {
            trial.take(group, parcel);
            return Ok(());
        }
        match self.receive(parcel) {
            Ok(Incoming::Delivered(message) | Incoming::OwnEcho(message)) => self.hear(parcel, Ok(message.into())),
            Ok(Incoming::Joined(group)) => {
                self.group = Some(group);
                self.enter()?;
            }
            Ok(Incoming::EpochAdvanced(_)) => {
                self.enter()?;
                if self.winner == Some(parcel.position) {
                    self.pursue()?;
                }
            }
            Ok(Incoming::Proposal(_) | Incoming::Duplicate) => {}
            // The order of the group leaves nothing to come too early, and who is removed clings.
            Ok(_) => return Err(Fault::Unexpected),
            Err(error) if parcel.envelope.message_type() == MessageType::Application => self.hear(parcel, Err(error)),
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    fn receive(&self, parcel: &Parcel) -> Result<Incoming, MlsError> {
        self.client.handle_incoming(&parcel.envelope)
    }

    /// All read the same envelopes in the same order: none is missing, none comes twice.
    fn check_order(&mut self, parcel: &Parcel) -> Result<(), Fault> {
        let (last, got) = (self.seen, parcel.position);
        if self.group.is_some() && got != last.saturating_add(1) {
            return Err(Fault::OutOfOrder { last, got });
        }
        self.seen = got;
        Ok(())
    }

    fn hear(&self, parcel: &Parcel, hearing: Result<Hearing, MlsError>) {
        self.report(News::Heard { position: parcel.position, hearing });
    }

    fn enter(&self) -> Result<(), Fault> {
        self.report(News::Entered(self.view()?));
        Ok(())
    }

    fn view(&self) -> Result<View, Fault> {
        let group = self.group()?;
        let members = group.members().into_iter();
        Ok(View {
            epoch: group.epoch(),
            members: members.map(|member| String::from_utf8_lossy(&member.identity).into_owned()).collect(),
            authenticator: group.epoch_authenticator()?,
        })
    }

    fn group(&self) -> Result<&MlsHandle, Fault> {
        self.group.as_ref().ok_or(Fault::Unexpected)
    }

    fn report(&self, news: News) {
        // Without a conductor nobody needs to know.
        let _ = self.reports.send(Report { by: Arc::clone(&self.name), news });
    }
}

impl Drop for Member {
    /// Also when the thread panics, so that nobody waits for it in vain.
    fn drop(&mut self) {
        self.report(News::Gone);
    }
}

impl From<ReceivedMessage> for Hearing {
    fn from(message: ReceivedMessage) -> Self {
        Self {
            epoch: message.epoch,
            from: String::from_utf8_lossy(&message.sender).into_owned(),
            text: message.plaintext,
        }
    }
}
