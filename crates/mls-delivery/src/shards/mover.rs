//! Moving a group to another shard while it is written to: fence, copy, switch.
//!
//! Always: what was acknowledged before the fence is copied, and nothing is acknowledged behind it; of several that move one group
//! at once, one does. A move that broke off is taken up again by moving once more.

use super::{Member, Shards, ask, number};
use crate::{
    Digest, GroupId, Rejection,
    shard::{Cursor, Inner, InnerReply, PlaceState, ShardName, Step},
};

/// Who moves what.
struct Move<'a> {
    group_id: &'a GroupId,
    mover: Digest,
    from: &'a Member,
    to: &'a Member,
}

impl Shards {
    /// Moves a group. Requests about it are [`Rejection::Unavailable`] meanwhile. One that is there already stays.
    ///
    /// # Errors
    /// [`Rejection::Forbidden`] if there is no such group; [`Rejection::Unavailable`] if a shard cannot be asked, or another one
    /// moves it: it is where it was, or is there, or stays fenced until somebody moves it again.
    pub async fn move_group(&self, group_id: &GroupId, to: &ShardName) -> Result<(), Rejection> {
        let from = self.find(group_id).await?.ok_or(Rejection::Forbidden)?;
        if from == *to {
            return self.clear_away(group_id, to).await;
        }
        let (from, to) = (self.member(&from)?, self.member(to)?);
        let moving = Move { group_id, mover: number(self.random.as_ref())?, from, to };
        moving.step(from, Step::Fence(to.name)).await?;
        // An earlier move may have broken off after the group had arrived.
        if !self.is_at(group_id, &to.name).await? {
            if let Err(rejection) = moving.copy().await {
                moving.give_up().await;
                return Err(rejection);
            }
            // From here on there is no way back: it may have arrived.
            moving.step(to, Step::Arrive).await?;
        }
        moving.step(from, Step::Leave(to.name)).await?;
        Ok(())
    }

    /// What an earlier move has left where the group was, if it broke off after the group had arrived.
    async fn clear_away(&self, group_id: &GroupId, to: &ShardName) -> Result<(), Rejection> {
        let to = self.member(to)?;
        for from in self.members().filter(|member| member.name != to.name) {
            let moving = Move { group_id, mover: number(self.random.as_ref())?, from, to };
            if let (true, Some(PlaceState::Moving)) = self.look(group_id, &from.name).await? {
                moving.step(from, Step::Leave(to.name)).await?;
            }
        }
        Ok(())
    }

    /// Moves groups to where hashing puts them: so many at most. Returns how many it has moved. For after a shard was added.
    ///
    /// # Errors
    /// As [`Shards::move_group`], of the first that cannot be moved.
    pub async fn balance(&self, most: usize) -> Result<usize, Rejection> {
        let mut moved: usize = 0;
        for member in self.members() {
            let mut after = None;
            loop {
                let InnerReply::Groups(groups) = ask(member.shard.as_ref(), Inner::Groups(after)).await? else {
                    return Err(Rejection::Malformed);
                };
                for group_id in &groups {
                    if moved >= most {
                        return Ok(moved);
                    }
                    let first = *self.ranked(group_id)?.first().ok_or(Rejection::Unavailable)?;
                    if first != member.name {
                        self.move_group(group_id, &first).await?;
                        moved = moved.saturating_add(1);
                    }
                }
                after = groups.into_iter().next_back();
                if after.is_none() {
                    break;
                }
            }
        }
        Ok(moved)
    }
}

impl Move<'_> {
    async fn step(&self, member: &Member, step: Step) -> Result<InnerReply, Rejection> {
        ask(member.shard.as_ref(), Inner::Move(self.group_id.clone(), self.mover, step)).await
    }

    async fn copy(&self) -> Result<(), Rejection> {
        self.step(self.to, Step::Begin(self.from.name)).await?;
        let mut cursor = Cursor::Start;
        loop {
            let InnerReply::Part(part) = self.step(self.from, Step::Export(cursor)).await? else {
                return Err(Rejection::Malformed);
            };
            let Some((part, next)) = part else { return Ok(()) };
            self.step(self.to, Step::Import(part)).await?;
            cursor = next;
        }
    }

    /// Goes back, if nothing has arrived; else the fence stays, and moving once more ends it.
    async fn give_up(&self) {
        if self.step(self.to, Step::Abandon(self.from.name)).await.is_ok() {
            let _fenced = self.step(self.from, Step::Unfence).await;
        }
    }
}
