//! What somebody wants to do, and the one function that decides.

use crate::{
    context::ContextChange,
    denied::Denied,
    policy::GroupPolicy,
    right::Right,
    role::{Rank, Role},
};

/// Who wants it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "the senders of Section 6 are these")]
pub enum Actor<'a> {
    /// A member, by its user.
    Member {
        /// The user.
        user: &'a [u8],
    },
    /// Who is no member and joins from outside.
    Outsider {
        /// The user.
        user: &'a [u8],
    },
    /// An entry of `external_senders`.
    ExternalSender,
}

/// What is to be done.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Act<'a> {
    /// Send an application message.
    Send,
    /// Commit.
    Commit,
    /// Commit a proposal of somebody who is no member.
    Admit,
    /// Add a device of a user who is a member already.
    AddDevice {
        /// The user.
        user: &'a [u8],
    },
    /// Add a user who is none.
    Add {
        /// The user.
        user: &'a [u8],
    },
    /// Remove a device of a user.
    Remove {
        /// The user.
        user: &'a [u8],
    },
    /// Renew the own leaf.
    Update,
    /// Change the group's context.
    Change(&'a ContextChange),
    /// Join by external commit, as a user who is a member already.
    Rejoin,
    /// Join by external commit, as a user who is none.
    Join,
    /// Mix in a pre-shared key.
    Psk,
    /// End the group and continue it.
    ReInit,
}

/// Whether the policy allows it.
///
/// # Errors
/// [`Denied`] with what is missing.
pub fn judge(policy: &GroupPolicy, actor: Actor<'_>, act: &Act<'_>) -> Result<(), Denied> {
    let asker = Asker::new(policy, actor);
    match act {
        Act::Send => asker.has(Right::Send),
        Act::Commit => asker.has(Right::Commit),
        Act::Admit => asker.has(Right::Admit),
        Act::Psk => asker.has(Right::Psk),
        Act::ReInit => asker.has(Right::ReInit),
        Act::Join => asker.joins(Right::Join),
        Act::Rejoin => asker.has(Right::Rejoin),
        // Who is a member renews and leaves as it likes.
        Act::Update => asker.is_member(),
        Act::AddDevice { user } | Act::Remove { user } if asker.is(user) => asker.is_member_or(Right::Rejoin),
        Act::AddDevice { .. } => asker.has(Right::Add),
        Act::Add { user } if asker.is(user) => asker.joins(Right::Join),
        Act::Add { user } => asker.has(Right::Add).and_then(|()| asker.may_bring(user)),
        Act::Remove { user } => asker.reaches(Right::Remove, policy.role(user)),
        Act::Change(change) => asker.may_change(change),
    }
}

/// Who asks, with what the policy says of them.
struct Asker<'a> {
    policy: &'a GroupPolicy,
    actor: Actor<'a>,
    rank: Rank,
}

impl<'a> Asker<'a> {
    fn new(policy: &'a GroupPolicy, actor: Actor<'a>) -> Self {
        let rank = match actor {
            Actor::Member { user } => Rank::Member(policy.role(user)),
            Actor::Outsider { .. } => Rank::Outsider,
            Actor::ExternalSender => Rank::ExternalSender,
        };
        Self { policy, actor, rank }
    }

    fn has(&self, right: Right) -> Result<(), Denied> {
        if self.policy.rights(self.rank).has(right) { Ok(()) } else { Err(Denied::Right(right)) }
    }

    /// Whether this is the user itself.
    fn is(&self, of: &[u8]) -> bool {
        match self.actor {
            Actor::Member { user } | Actor::Outsider { user } => user == of,
            Actor::ExternalSender => false,
        }
    }

    fn is_member(&self) -> Result<(), Denied> {
        self.is_member_or(Right::Commit)
    }

    fn is_member_or(&self, right: Right) -> Result<(), Denied> {
        if matches!(self.rank, Rank::Member(_)) { Ok(()) } else { self.has(right) }
    }

    /// An owner reaches everybody, others those of a lower role, and an external sender those who have no role of their
    /// own.
    fn reaches(&self, right: Right, role: Role) -> Result<(), Denied> {
        self.has(right)?;
        let reached = match self.rank {
            Rank::Member(Role::Owner) => true,
            Rank::Member(own) => role < own,
            Rank::Outsider | Rank::ExternalSender => role <= self.policy.everybody(),
        };
        if reached { Ok(()) } else { Err(Denied::Rank(right)) }
    }

    /// Whoever joins gets no role that nobody gave: not even one left from an earlier time.
    fn joins(&self, right: Right) -> Result<(), Denied> {
        self.has(right)?;
        match self.actor {
            Actor::Outsider { user } if self.policy.role(user) > self.policy.everybody() => Err(Denied::Rank(right)),
            _ => Ok(()),
        }
    }

    /// A user who comes with a role must be one to whom it could be given.
    fn may_bring(&self, user: &[u8]) -> Result<(), Denied> {
        let role = self.policy.role(user);
        if role <= self.policy.everybody() { Ok(()) } else { self.reaches(Right::ChangeRoles, role) }
    }

    fn may_change(&self, change: &ContextChange) -> Result<(), Denied> {
        for (_, before, after) in &change.roles {
            self.reaches(Right::ChangeRoles, *before)?;
            self.reaches(Right::ChangeRoles, *after)?;
        }
        let asked =
            [(change.table, Right::Govern), (change.metadata, Right::Rename), (change.settings, Right::Configure)];
        asked.iter().filter(|(changed, _)| *changed).try_for_each(|(_, right)| self.has(*right))
    }
}
