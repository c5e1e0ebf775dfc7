//! What a request may change, and what nobody else may change meanwhile: for stores where more than one process writes.
//!
//! In: a request that is ready. Out: the things it has to have to itself until its transaction ends.
//! Always: what [`super::Rules::execute`] writes belongs to one of them, and what it decides by does too, or it never changes
//! once it is there (devices and their keys), or a store takes it as one step (key packages).

use super::{Checked, Prepared, Work};
use crate::{DeviceId, GroupId, UserId, shard::Inner};

/// Something that one transaction at a time may change.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Scope {
    /// A group: its epochs, its log, its readers.
    Group(GroupId),
    /// A device: its mailbox, and how many key packages it has.
    Device(DeviceId),
    /// Which devices a user has, and how much of its share is used up.
    User(UserId),
    /// How often invites were used.
    Invites,
}

impl Prepared {
    /// What the request has to have to itself. Nothing for one that only reads.
    pub fn scope(&self) -> Vec<Scope> {
        let mut scope = self.touched_scope();
        scope.extend(self.user.clone().map(Scope::User));
        scope
    }

    fn touched_scope(&self) -> Vec<Scope> {
        let Checked { caller, work } = &self.checked;
        match work {
            Work::Enrol(enrol) => vec![Scope::User(enrol.user.clone()), Scope::Device(*caller), Scope::Invites],
            Work::Publish(_) | Work::AcknowledgeMailbox(_) => vec![Scope::Device(*caller)],
            Work::Create(create) => vec![Scope::Group(create.group_id.clone())],
            Work::Commit(commit) => {
                let invited = commit.bundle.invitations.iter().flat_map(|invitation| &invitation.recipients);
                let group = Scope::Group(commit.header.group_id.clone());
                core::iter::once(group).chain(invited.copied().map(Scope::Device)).collect()
            }
            Work::Message(message) => vec![Scope::Group(message.header.group_id.clone())],
            Work::Direct(direct) => vec![Scope::Device(direct.recipient)],
            Work::AcknowledgeLog(seen) => vec![Scope::Group(seen.group_id.clone())],
            Work::Report(report) => vec![Scope::Group(report.group_id.clone())],
            Work::Inner(inner) => inner_scope(inner),
            Work::Pass(set) => vec![Scope::Group(set.group_id.clone())],
            Work::Leave(leave) => vec![Scope::Group(leave.group_id.clone())],
            // A key package is deleted and returned in one step; how often is counted, if anybody counts.
            Work::Claim(claim) if self.user.is_some() => vec![Scope::User(claim.user.clone())],
            Work::Claim(_) | Work::FetchLog(_) | Work::FetchMailbox(_) | Work::FetchInfo(_) | Work::ListGroups(_) => {
                Vec::new()
            }
        }
    }
}

fn inner_scope(inner: &Inner) -> Vec<Scope> {
    match inner {
        Inner::Introduce(..) => vec![Scope::Invites],
        Inner::Admit(devices) => devices.iter().map(|(device, _)| Scope::Device(*device)).collect(),
        Inner::PutMail(device, ..) | Inner::DropMail(device, _) => vec![Scope::Device(*device)],
        Inner::Move(group_id, ..) => vec![Scope::Group(group_id.clone())],
        _ => Vec::new(),
    }
}
