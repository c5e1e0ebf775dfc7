//! Mailboxes: at home, with what waits elsewhere fetched first.
//!
//! Always: home remembers how far it has taken from where, in the transaction that takes it; so a Welcome is taken once,
//! however often this begins anew.

use super::{Member, Shards, ask, route::invited};
use crate::{
    DeviceId, GroupId, Rejection, Seq,
    reply::{MailPage, Reply},
    request::{FetchMailbox, Request},
    shard::{Inner, InnerReply},
};

impl Shards {
    pub(super) async fn fetch_mailbox(&self, caller: DeviceId, fetch: FetchMailbox) -> Result<Reply, Rejection> {
        for member in &self.others {
            // What cannot be fetched now is fetched the next time; what is at home is read meanwhile.
            let _later = self.bring_home(member, caller).await;
        }
        let reply = self.home.shard.call(caller, Request::FetchMailbox(fetch)).await?;
        let Reply::MailPage(mut page) = reply else { return Err(Rejection::Malformed) };
        self.with_trees(&mut page).await?;
        Ok(Reply::MailPage(page))
    }

    /// Takes what a commit has put into mailboxes, so that home counts it when the next one asks for room.
    pub(super) async fn bring_welcomes_home(&self, member: &Member, request: &Request) {
        if member.name == self.home.name {
            return;
        }
        for (device, _) in invited(request) {
            // What cannot be taken now is taken when its device asks for it.
            let _later = self.bring_home(member, device).await;
        }
    }

    /// Takes what waits for a device at one shard.
    async fn bring_home(&self, member: &Member, device: DeviceId) -> Result<(), Rejection> {
        loop {
            let InnerReply::Mail(mail) = ask(member.shard.as_ref(), Inner::Mail(device)).await? else {
                return Err(Rejection::Malformed);
            };
            let Some(last) = mail.last().map(|row| row.seq) else { return Ok(()) };
            let put = Inner::PutMail(device, member.name, mail);
            let InnerReply::Relayed(until) = ask(self.home.shard.as_ref(), put).await? else {
                return Err(Rejection::Malformed);
            };
            ask(member.shard.as_ref(), Inner::DropMail(device, until)).await?;
            if until < last {
                // There is no room.
                return Ok(());
            }
        }
    }

    /// The tree beside a Welcome is where its group is.
    async fn with_trees(&self, page: &mut MailPage) -> Result<(), Rejection> {
        for entry in &mut page.entries {
            if let (Some(invited), None) = (&entry.invited, &entry.ratchet_tree) {
                entry.ratchet_tree = self.tree(&invited.group_id, invited.seq).await?;
            }
        }
        Ok(())
    }

    async fn tree(&self, group_id: &GroupId, seq: Seq) -> Result<Option<mls_crypto::Opaque>, Rejection> {
        let Some(name) = self.find(group_id).await? else { return Ok(None) };
        match ask(self.member(&name)?.shard.as_ref(), Inner::Tree(group_id.clone(), seq)).await? {
            InnerReply::Tree(tree) => Ok(tree),
            _ => Err(Rejection::Malformed),
        }
    }
}
