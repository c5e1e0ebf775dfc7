//! To which shard a request goes.

use std::collections::BTreeMap;

use super::{Member, Shards, ask};
use crate::{
    DeviceId, GroupId, Rejection,
    reply::{Cursor, Groups, Reply},
    request::{ListGroups, Request},
    shard::{Inner, InnerReply, PlaceState, ShardName, ShardReply, ShardRequest},
};

/// How often a request is sent on before its group counts as being moved.
const HOPS: u32 = 6;

impl Shards {
    pub(super) async fn route(&self, caller: DeviceId, request: Request) -> Result<Reply, Rejection> {
        match request {
            Request::ListGroups(list) => self.list(caller, list).await,
            Request::FetchMailbox(fetch) => self.fetch_mailbox(caller, fetch).await,
            request => match group_of(&request).cloned() {
                Some(group_id) => self.in_group(caller, &group_id, request).await,
                None => self.home.shard.call(caller, request).await,
            },
        }
    }

    async fn in_group(&self, caller: DeviceId, group_id: &GroupId, request: Request) -> Result<Reply, Rejection> {
        let first = *self.ranked(group_id)?.first().ok_or(Rejection::Unavailable)?;
        let mut at = self.remembered(group_id).unwrap_or(first);
        let mut searched = false;
        // A group is made once, wherever it may be.
        if let Request::CreateGroup(_) = &request {
            at = self.find(group_id).await?.unwrap_or(first);
            searched = true;
        }
        for _ in 0..HOPS {
            match self.ask_at(self.member(&at)?, caller, &request).await {
                Ok(ShardReply::Reply(reply)) => {
                    if at != first {
                        self.remember(group_id, at);
                    }
                    self.bring_welcomes_home(self.member(&at)?, &request).await;
                    return Ok(reply);
                }
                Ok(ShardReply::Elsewhere(place)) => match place.state {
                    PlaceState::Moved | PlaceState::Arriving => at = place.shard,
                    // If it has arrived there, it is served there.
                    PlaceState::Moving if self.is_at(group_id, &place.shard).await? => at = place.shard,
                    PlaceState::Moving => return Err(Rejection::Unavailable),
                },
                Ok(_) => return Err(Rejection::Malformed),
                // There is none here, or it is not for this caller: only a look elsewhere tells.
                Err(Rejection::Forbidden) if !searched => {
                    searched = true;
                    match self.find(group_id).await? {
                        Some(found) if found != at => at = found,
                        _ => return Err(Rejection::Forbidden),
                    }
                }
                Err(rejection) => return Err(rejection),
            }
        }
        Err(Rejection::Unavailable)
    }

    /// Asks one shard, which hears of devices when they first come to it.
    async fn ask_at(&self, member: &Member, caller: DeviceId, request: &Request) -> Result<ShardReply, Rejection> {
        let away = member.name != self.home.name;
        let full = if away { self.full(request).await? } else { None };
        let call = || member.shard.shard(ShardRequest::Call(caller, Box::new(request.clone()), full));
        let mut answer = call().await;
        if away && answer.as_ref().is_err_and(|rejection| *rejection == Rejection::NotEnrolled) {
            self.admit(member, vec![caller]).await?;
            answer = call().await;
        }
        if away && matches!(answer, Err(Rejection::UnknownRecipient { .. })) {
            self.admit(member, invited(request).into_iter().map(|(device, _)| device).collect()).await?;
            answer = call().await;
        }
        answer
    }

    /// Makes devices known to a shard, as far as home knows them.
    async fn admit(&self, member: &Member, devices: Vec<DeviceId>) -> Result<(), Rejection> {
        for some in devices.chunks(SOME) {
            let InnerReply::Devices(known) = ask(self.home.shard.as_ref(), Inner::Devices(some.to_vec())).await? else {
                return Err(Rejection::Malformed);
            };
            ask(member.shard.as_ref(), Inner::Admit(known)).await?;
        }
        Ok(())
    }

    /// Which of the invited has a full mailbox at home.
    async fn full(&self, request: &Request) -> Result<Option<u64>, Rejection> {
        let invited = invited(request);
        if invited.is_empty() {
            return Ok(None);
        }
        match ask(self.home.shard.as_ref(), Inner::Full(invited)).await? {
            InnerReply::Full(full) => Ok(full),
            _ => Err(Rejection::Malformed),
        }
    }

    /// The shard that serves a group, or that it is about to leave.
    pub(super) async fn find(&self, group_id: &GroupId) -> Result<Option<ShardName>, Rejection> {
        for name in self.ranked(group_id)? {
            if let (true, place) = self.look(group_id, &name).await?
                && place.is_none_or(|state| state == PlaceState::Moving)
            {
                return Ok(Some(name));
            }
        }
        Ok(None)
    }

    /// Whether a shard serves a group.
    pub(super) async fn is_at(&self, group_id: &GroupId, name: &ShardName) -> Result<bool, Rejection> {
        Ok(self.look(group_id, name).await? == (true, None))
    }

    pub(super) async fn look(
        &self,
        group_id: &GroupId,
        name: &ShardName,
    ) -> Result<(bool, Option<PlaceState>), Rejection> {
        let shard = self.member(name)?.shard.as_ref();
        match ask(shard, Inner::Find(group_id.clone())).await? {
            InnerReply::Found(there, place) => Ok((there, place.map(|place| place.state))),
            _ => Err(Rejection::Malformed),
        }
    }

    /// What a device reads in all shards, in the order of the groups' ids.
    async fn list(&self, caller: DeviceId, list: ListGroups) -> Result<Reply, Rejection> {
        let mut cursors: BTreeMap<GroupId, Cursor> = BTreeMap::new();
        for member in self.members() {
            let mut skip: u32 = 0;
            loop {
                let asked = Request::ListGroups(ListGroups { skip });
                let Groups { cursors: page, more } = match member.shard.call(caller, asked).await {
                    Ok(Reply::Groups(groups)) => groups,
                    Err(Rejection::NotEnrolled) if member.name != self.home.name => break,
                    Ok(_) => return Err(Rejection::Malformed),
                    Err(rejection) => return Err(rejection),
                };
                skip = skip.saturating_add(u32::try_from(page.len()).unwrap_or(u32::MAX));
                for cursor in page {
                    // One that is just moved is in two shards; the one that has come further serves it.
                    let known = cursors.entry(cursor.group_id.clone()).or_insert_with(|| cursor.clone());
                    if (cursor.head, cursor.acknowledged) > (known.head, known.acknowledged) {
                        *known = cursor;
                    }
                }
                if more == 0 {
                    break;
                }
            }
        }
        let limit = usize::try_from(self.capabilities_page()).unwrap_or(usize::MAX);
        let skip = usize::try_from(list.skip).unwrap_or(usize::MAX);
        let more = u8::from(cursors.len().saturating_sub(skip) > limit);
        Ok(Reply::Groups(Groups { cursors: cursors.into_values().skip(skip).take(limit).collect(), more }))
    }

    fn capabilities_page(&self) -> u64 {
        self.home.shard.capabilities().limits.max_page_entries
    }
}

/// The group that a request is about.
fn group_of(request: &Request) -> Option<&GroupId> {
    match request {
        Request::CreateGroup(create) => Some(&create.group_id),
        Request::SubmitCommit(submit) => Some(&submit.group_id),
        Request::SubmitMessage(submit) => Some(&submit.group_id),
        Request::FetchLog(fetch) => Some(&fetch.group_id),
        Request::AcknowledgeLog(seen) => Some(&seen.group_id),
        Request::FetchGroupInfo(fetch) => Some(&fetch.group_id),
        Request::ReportInvalid(report) => Some(&report.group_id),
        Request::LeaveGroup(leave) => Some(&leave.group_id),
        Request::SetPass(set) => Some(&set.group_id),
        _ => None,
    }
}

/// Who is invited, and the bytes of each one's Welcome.
pub(super) fn invited(request: &Request) -> Vec<(DeviceId, u64)> {
    let Request::SubmitCommit(submit) = request else { return Vec::new() };
    let invitations = submit.bundle.invitations.iter();
    let each = invitations.flat_map(|invitation| {
        let bytes = u64::try_from(invitation.welcome.as_slice().len()).unwrap_or(u64::MAX);
        invitation.recipients.iter().map(move |device| (*device, bytes))
    });
    each.collect()
}

/// How many devices one transaction makes known.
const SOME: usize = 256;
