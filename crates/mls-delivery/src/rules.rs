//! The rules of a delivery service (RFC 9420, Sections 14 and 16), written once, over rows.
//!
//! In: a request and who makes it. Out: what is done, decided in three steps:
//! [`Rules::check`] looks at the request alone and may run anywhere; [`Rules::prepare`] judges handshakes against the public
//! state of their group, and may run on an older view of the rows; [`Rules::execute`] runs in one transaction with all that it
//! reads and writes. [`Rules::finish`] signs the receipt, once the transaction is durable.
//! Always: each `decide` is a pure function of facts, and comes before the first write; a refusal has written nothing.

mod append;
mod check;
mod commit;
mod devices;
mod group;
mod inner;
mod judge;
mod key_packages;
mod mailbox;
mod message;
mod pass;
mod report;
mod right;
mod scope;
mod shares;
mod sweep;

use core::{
    future::Future,
    pin::pin,
    task::{Context, Poll, Waker},
};
use std::sync::Arc;

use mls_engine::policy::Policy;

pub use judge::StructurePolicy;
pub use scope::Scope;

use crate::{
    DeviceId, Enrolment, GroupId, Limits, Rejection, Seq, ServiceCrypto, Timestamp, UserId,
    hub::Topic,
    quota::Shares,
    receipt::{Ruling, ServiceKey},
    reply::{Committed, Reply},
    request::{Mode, Request},
    rows::{DeviceRow, RowError, Rows},
    shard::{InnerReply, Place, ShardReply, ShardRequest},
};

use check::Work;
use judge::Judged;

/// Everything that decides, apart from rows and time.
#[derive(Clone)]
pub struct Rules {
    /// Cryptography.
    pub crypto: ServiceCrypto,
    /// Caps.
    pub limits: Limits,
    /// Who may enrol.
    pub enrolment: Enrolment,
    /// What else is asked of handshakes in groups that are validated.
    pub policy: Arc<dyn Policy>,
    /// Signs receipts.
    pub service_key: Arc<ServiceKey>,
    /// What there is for each group and user.
    pub shares: Shares,
}

/// A request that is well formed, within its caps, and whose signatures are good.
#[derive(Clone, Debug)]
pub struct Checked {
    caller: DeviceId,
    work: Work,
}

/// A request whose handshake, if the service judges it, is valid in the epoch named inside.
#[derive(Clone, Debug)]
pub struct Prepared {
    checked: Checked,
    judged: Option<Judged>,
    /// Where its group is, if it was not simply here when the handshake was judged.
    elsewhere: Option<Place>,
    /// Whose share it uses.
    user: Option<UserId>,
}

/// What a transaction has done, to be told once it is durable.
#[derive(Debug)]
#[must_use]
pub struct Done {
    outcome: Outcome,
    touched: Vec<Topic>,
}

#[derive(Debug)]
enum Outcome {
    Reply(Reply),
    Committed(Ruling),
    Elsewhere(Place),
    Inner(InnerReply),
}

impl Rules {
    /// Looks at the request alone. Costs a signature at most, apart from reading.
    ///
    /// # Errors
    /// [`Rejection`].
    pub fn check(&self, caller: DeviceId, request: Request, now: Timestamp) -> Result<Checked, Rejection> {
        Ok(Checked { caller, work: check::check(self, caller, request, now)? })
    }

    /// The same for a shard.
    ///
    /// # Errors
    /// [`Rejection`].
    pub fn check_shard(&self, request: ShardRequest, now: Timestamp) -> Result<Checked, Rejection> {
        match request {
            ShardRequest::Inner(inner) => {
                // Nobody calls who is a device.
                let caller = DeviceId::new(crate::Digest::new([0; 32]));
                Ok(Checked { caller, work: Work::Inner(Box::new(inner)) })
            }
            ShardRequest::Call(caller, request, full) => {
                let mut checked = self.check(caller, *request, now)?;
                if let Work::Commit(commit) = &mut checked.work {
                    commit.full = full;
                }
                Ok(checked)
            }
        }
    }

    /// Judges a handshake of a validated group, which may take a while in a large one. Writes nothing.
    ///
    /// # Errors
    /// [`Rejection::InvalidHandshake`], [`Rejection::NotObservable`], and as the rows fail.
    pub async fn prepare<R: Rows>(
        &self,
        rows: &mut R,
        checked: Checked,
        now: Timestamp,
    ) -> Result<Prepared, Rejection> {
        if let Some(group_id) = checked.judged_group()
            && let Some(place) = rows.place(group_id).await?
        {
            return Ok(Prepared { checked, judged: None, elsewhere: Some(place), user: None });
        }
        let judged = match checked.is_judged() {
            true => judge::judge(self, rows, (&checked.caller, &checked.work), now).await?,
            false => None,
        };
        let user = shares::user(self, rows, &checked).await?;
        Ok(Prepared { checked, judged, elsewhere: None, user })
    }

    /// A request for which [`Rules::prepare`] would read nothing. A handshake that had to be judged is refused later.
    pub fn unjudged(&self, checked: Checked) -> Prepared {
        Prepared { checked, judged: None, elsewhere: None, user: None }
    }

    /// Does it, in the one transaction that `rows` stand for.
    ///
    /// # Errors
    /// [`Rejection`]. Nothing has been written then, unless it is a store's ([`Rejection::Unavailable`],
    /// [`Rejection::Unsure`], [`Rejection::Damaged`]): roll back.
    pub async fn execute<R: Rows>(&self, rows: &mut R, prepared: Prepared, now: Timestamp) -> Result<Done, Rejection> {
        let Prepared { checked: Checked { caller, work }, judged, elsewhere, user: _ } = prepared;
        let work = match work {
            Work::Inner(inner) => return inner::execute(self, rows, *inner).await,
            work => work,
        };
        let place = match (elsewhere, work.group()) {
            (None, Some(group_id)) => rows.place(group_id).await?,
            (known, _) => known,
        };
        if let Some(place) = place {
            return Ok(Done { outcome: Outcome::Elsewhere(place), touched: Vec::new() });
        }
        if let Work::Enrol(enrol) = work {
            return devices::enrol(self, rows, (caller, enrol), now).await;
        }
        let Some(DeviceRow { user, .. }) = rows.device(&caller).await? else { return Err(Rejection::NotEnrolled) };
        match work {
            Work::Enrol(_) | Work::Inner(_) => Err(Rejection::Malformed),
            Work::Publish(publish) => key_packages::publish(self, rows, caller, publish).await,
            Work::Claim(claim) => key_packages::claim(self, rows, (&user, &claim), now).await,
            Work::Create(create) => group::create(self, rows, ((caller, &user), *create, judged), now).await,
            Work::Commit(commit) => commit::submit(self, rows, ((caller, &user), *commit, judged), now).await,
            Work::Message(message) => message::submit(self, rows, (caller, message, judged), now).await,
            Work::Direct(direct) => mailbox::deliver(self, rows, direct, now).await,
            Work::FetchLog(fetch) => group::fetch(self, rows, caller, &fetch).await,
            Work::FetchMailbox(fetch) => mailbox::fetch(self, rows, caller, &fetch).await,
            Work::AcknowledgeLog(seen) => group::acknowledge(rows, caller, &seen).await,
            Work::AcknowledgeMailbox(seen) => mailbox::acknowledge(rows, caller, &seen).await,
            Work::FetchInfo(fetch) => group::info(rows, caller, fetch, now).await,
            Work::Report(report) => report::report(self, rows, caller, report, now).await,
            Work::ListGroups(list) => group::list(self, rows, caller, list).await,
            Work::Leave(leave) => group::leave(rows, caller, &leave).await,
            Work::Pass(set) => pass::set(rows, caller, set, now).await,
        }
    }

    /// The reply to what was done, with the receipt signed.
    ///
    /// # Errors
    /// [`Rejection::Unavailable`] if the service cannot sign; what was done stays done.
    pub fn finish(&self, done: Done) -> Result<Reply, Rejection> {
        match done.outcome {
            Outcome::Reply(reply) => Ok(reply),
            Outcome::Committed(ruling) => {
                let seq = ruling.seq;
                let receipt = self.service_key.sign(&self.crypto, ruling).map_err(|_| Rejection::Unavailable)?;
                Ok(Reply::Committed(Committed { seq, receipt }))
            }
            // A group that is being moved is somewhere soon; who asks a shard directly cannot know where.
            Outcome::Elsewhere(_) | Outcome::Inner(_) => Err(Rejection::Unavailable),
        }
    }

    /// The same for a shard.
    ///
    /// # Errors
    /// As [`Rules::finish`].
    pub fn finish_shard(&self, done: Done) -> Result<ShardReply, Rejection> {
        match done.outcome {
            Outcome::Elsewhere(place) => Ok(ShardReply::Elsewhere(place)),
            Outcome::Inner(reply) => Ok(ShardReply::Inner(reply)),
            _ => Ok(ShardReply::Reply(self.finish(done)?)),
        }
    }

    /// Deletes what has had its time, in one transaction of bounded length. Begins after `after`, and returns where to go
    /// on: `None` at the end.
    ///
    /// # Errors
    /// As the rows fail.
    pub async fn sweep<R: Rows>(
        &self,
        rows: &mut R,
        after: Option<&GroupId>,
        now: Timestamp,
    ) -> Result<Option<GroupId>, RowError> {
        sweep::sweep(self, rows, after, now).await
    }
}

impl core::fmt::Debug for Rules {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let Self { crypto: _, limits, enrolment: _, policy: _, service_key: _, shares: _ } = self;
        f.debug_struct("Rules").field("limits", limits).finish_non_exhaustive()
    }
}

impl Checked {
    /// Whether it writes nothing, and may run on any consistent view of the rows.
    pub const fn is_read(&self) -> bool {
        match &self.work {
            Work::FetchLog(_) | Work::FetchMailbox(_) | Work::FetchInfo(_) | Work::ListGroups(_) => true,
            Work::Inner(inner) => inner.is_read(),
            _ => false,
        }
    }

    /// Whether [`Rules::prepare`] may have something to judge.
    pub const fn is_judged(&self) -> bool {
        match &self.work {
            // What is encrypted cannot be judged: a group that is validated refuses it when it is executed.
            Work::Commit(commit) => commit.header.public,
            Work::Create(create) => matches!(create.mode, Mode::Validating),
            Work::Message(message) => message.header.public && message.is_proposal(),
            _ => false,
        }
    }

    /// Whether it uses somebody's share, if there are any.
    pub const fn is_counted(&self) -> bool {
        matches!(self.work, Work::Commit(_) | Work::Create(_) | Work::Claim(_))
    }
}

impl Checked {
    /// The group whose handshake may have to be judged.
    fn judged_group(&self) -> Option<&GroupId> {
        if self.is_judged() { self.work.group() } else { None }
    }
}

impl Done {
    /// Where there is something new, once it is durable.
    pub fn touched(&self) -> &[Topic] {
        &self.touched
    }

    fn reply(reply: Reply) -> Self {
        Self { outcome: Outcome::Reply(reply), touched: Vec::new() }
    }

    fn touching(self, topics: impl IntoIterator<Item = Topic>) -> Self {
        Self { touched: topics.into_iter().collect(), ..self }
    }
}

impl Ruling {
    fn of(group_id: &GroupId, epoch: u64, (attempt, seq): (u32, Seq), digest: crate::Digest) -> Self {
        Self { group_id: group_id.clone(), epoch, attempt, seq, digest }
    }
}

/// Runs the rules over rows that answer at once.
///
/// # Errors
/// [`RowError::Unavailable`] if the rows do not.
pub fn at_once<T>(work: impl Future<Output = T>) -> Result<T, RowError> {
    match pin!(work).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => Ok(value),
        Poll::Pending => Err(RowError::Unavailable),
    }
}
