//! What a request may change, and what nobody else may change meanwhile: for stores where more than one process writes.
//!
//! In: a request that is ready. Out: the things it has to have to itself until its transaction ends.
//! Always: what [`super::Rules::execute`] writes belongs to one of them, and what it decides by does too, or it never changes
//! once it is there (devices and their keys), or a store takes it as one step (key packages).

use super::{Checked, Prepared, Work};
use crate::{DeviceId, GroupId, UserId};

/// Something that one transaction at a time may change.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Scope {
    /// A group: its epochs, its log, its readers.
    Group(GroupId),
    /// A device: its mailbox, and how many key packages it has.
    Device(DeviceId),
    /// Which devices a user has.
    User(UserId),
    /// How often invites were used.
    Invites,
}

impl Prepared {
    /// What the request has to have to itself. Nothing for one that only reads.
    pub fn scope(&self) -> Vec<Scope> {
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
            Work::Leave(leave) => vec![Scope::Group(leave.group_id.clone())],
            // A key package is deleted and returned in one step.
            Work::Claim(_) | Work::FetchLog(_) | Work::FetchMailbox(_) | Work::FetchInfo(_) | Work::ListGroups(_) => {
                Vec::new()
            }
        }
    }
}
