//! What the engine asks (RFC 9420, Sections 12.1 to 12.4), in the words of the table.
//!
//! In: a proposal, a commit, or a group that was joined, with authenticated names. Out: yes, or [`Denied`].
//! Always: every change is an [`Act`] of whoever proposed it, and is judged alone; what a commit leads to is looked at as a
//! whole. A group without a policy is not judged here, but takes none that it could not live under.

use std::collections::BTreeSet;

use mls_engine::{
    math::LeafIndex,
    message::{Credential, ExtensionType, Extensions, GroupContext, LeafNode, Proposal},
    policy::{CommitClaim, Committer, ProposalClaim, Proposer, Roster},
};

use crate::{
    act::{Act, Actor, judge},
    context::ContextChange,
    denied::Denied,
    policy::GroupPolicy,
    role::Role,
};

/// How to read what is the application's: the same for all who judge a group.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "made by whoever knows the credentials")]
pub struct Users {
    /// The user that a credential speaks for.
    pub of: fn(&Credential) -> Option<&[u8]>,
    /// Types of the context's extensions that [`crate::Right::Rename`] is about.
    pub metadata: &'static [ExtensionType],
}

/// A group's name among the extensions of its context: UTF-8. A number for private use (RFC 9420, Section 17.3).
pub const GROUP_NAME: ExtensionType = ExtensionType(0xF0A1);

impl Users {
    /// Of basic credentials, whose identity is the user (Section 5.3), in groups with a name.
    pub const BASIC: Self = Self { of: Credential::identity, metadata: &[GROUP_NAME] };
}

/// Whether a member may send application messages.
///
/// # Errors
/// [`Denied`].
pub fn authorize_message(users: &Users, context: &GroupContext, sender: &LeafNode) -> Result<(), Denied> {
    let Some(policy) = GroupPolicy::of(&context.extensions)? else { return Ok(()) };
    let user = (users.of)(&sender.credential).ok_or(Denied::NoUser)?;
    judge(&policy, Actor::Member { user }, &Act::Send)
}

/// Whether a proposal may wait for a commit.
///
/// # Errors
/// [`Denied`].
pub fn authorize_proposal(users: &Users, claim: &ProposalClaim<'_>) -> Result<(), Denied> {
    let Some(bench) = Bench::new(users, claim.context, claim.roster)? else {
        return check_first_policy(users, (claim.context, claim.roster), &[(claim.proposer, claim.proposal)]);
    };
    let proposals = [(claim.proposer, claim.proposal)];
    bench.judge_proposal(claim.proposer, claim.proposal)?;
    bench.judge_outcome(&proposals, None)
}

/// CAP-28: whether a commit may be made or followed: each proposal by the rights of its own sender, the commit by those of the
/// committer, and where it leads.
///
/// # Errors
/// [`Denied`].
pub fn authorize_commit(users: &Users, claim: &CommitClaim<'_>) -> Result<(), Denied> {
    let Some(bench) = Bench::new(users, claim.context, claim.roster)? else {
        return check_first_policy(users, (claim.context, claim.roster), claim.proposals);
    };
    match claim.committer {
        Committer::Member(leaf) => {
            let committer = Actor::Member { user: bench.user_at(leaf)? };
            judge(&bench.policy, committer, &Act::Commit)?;
            for (proposer, proposal) in claim.proposals {
                bench.judge_proposal(*proposer, proposal)?;
                if !matches!(proposer, Proposer::Member(_)) {
                    judge(&bench.policy, committer, &Act::Admit)?;
                }
            }
            bench.judge_outcome(claim.proposals, None)
        }
        Committer::New(leaf) => {
            bench.judge_newcomer(leaf, claim.proposals)?;
            bench.judge_outcome(claim.proposals, Some(leaf))
        }
        // A way in that this knows nothing about.
        _ => Err(Denied::Unknown),
    }
}

/// Whether a group that a Welcome leads to is one to be in: its policy can be lived under, an owner is in it, and who added
/// us may commit and add.
///
/// # Errors
/// [`Denied`].
pub fn check_joined(
    users: &Users,
    context: &GroupContext,
    roster: &dyn Roster,
    inviter: LeafIndex,
) -> Result<(), Denied> {
    let Some(bench) = Bench::new(users, context, roster)? else { return Ok(()) };
    let inviter = Actor::Member { user: bench.user_at(inviter)? };
    judge(&bench.policy, inviter, &Act::Commit)?;
    judge(&bench.policy, inviter, &Act::AddDevice { user: b"" })?;
    bench.check_owned(&bench.policy, &BTreeSet::new(), &[])
}

/// In a group without a policy everybody may do everything, also give it one that it can live under.
fn check_first_policy(
    users: &Users,
    (context, roster): (&GroupContext, &dyn Roster),
    proposals: &[(Proposer, &Proposal)],
) -> Result<(), Denied> {
    for (_, proposal) in proposals {
        if let Proposal::GroupContextExtensions(new) = proposal
            && let Some(policy) = GroupPolicy::of(&new.extensions)?
        {
            return Bench { users, extensions: &context.extensions, policy, roster }.judge_outcome(proposals, None);
        }
    }
    Ok(())
}

/// A group that has a policy, as it is before the change.
struct Bench<'a> {
    users: &'a Users,
    extensions: &'a Extensions,
    policy: GroupPolicy,
    roster: &'a dyn Roster,
}

impl<'a> Bench<'a> {
    fn new(users: &'a Users, context: &'a GroupContext, roster: &'a dyn Roster) -> Result<Option<Self>, Denied> {
        let policy = GroupPolicy::of(&context.extensions)?;
        Ok(policy.map(|policy| Self { users, extensions: &context.extensions, policy, roster }))
    }

    fn user<'b>(&self, leaf: &'b LeafNode) -> Result<&'b [u8], Denied> {
        (self.users.of)(&leaf.credential).ok_or(Denied::NoUser)
    }

    fn user_at(&self, index: LeafIndex) -> Result<&'a [u8], Denied> {
        self.user(self.roster.member(index).ok_or(Denied::NoUser)?)
    }

    fn is_member(&self, user: &[u8]) -> bool {
        self.roster.members().iter().any(|(_, leaf)| (self.users.of)(&leaf.credential) == Some(user))
    }

    fn judge_proposal(&self, proposer: Proposer, proposal: &Proposal) -> Result<(), Denied> {
        let actor = match (proposer, proposal) {
            (Proposer::Member(leaf), _) => Actor::Member { user: self.user_at(leaf)? },
            (Proposer::External(_), _) => Actor::ExternalSender,
            (Proposer::NewMember, Proposal::Add(add)) => {
                Actor::Outsider { user: self.user(&add.key_package.leaf_node)? }
            }
            _ => return Err(Denied::Unknown),
        };
        match proposal {
            Proposal::Add(add) => {
                let user = self.user(&add.key_package.leaf_node)?;
                let is_member = self.is_member(user);
                judge(&self.policy, actor, &if is_member { Act::AddDevice { user } } else { Act::Add { user } })
            }
            Proposal::Update(_) => judge(&self.policy, actor, &Act::Update),
            Proposal::Remove(remove) => {
                judge(&self.policy, actor, &Act::Remove { user: self.user_at(remove.removed)? })
            }
            Proposal::PreSharedKey(_) => judge(&self.policy, actor, &Act::Psk),
            Proposal::ReInit(_) => judge(&self.policy, actor, &Act::ReInit),
            Proposal::GroupContextExtensions(new) => {
                let (change, _) = ContextChange::between(self.extensions, &new.extensions, self.users.metadata)?;
                judge(&self.policy, actor, &Act::Change(&change))
            }
            Proposal::ExternalInit(_) | Proposal::Custom(_) => Err(Denied::Unknown),
            _ => Err(Denied::Unknown),
        }
    }

    /// Section 12.4.3.2: an external commit holds nothing but the way in, the old leaf of the same user, and pre-shared
    /// keys, which make it only harder.
    fn judge_newcomer(&self, leaf: &LeafNode, proposals: &[(Proposer, &Proposal)]) -> Result<(), Denied> {
        let user = self.user(leaf)?;
        let newcomer = Actor::Outsider { user };
        judge(&self.policy, newcomer, &if self.is_member(user) { Act::Rejoin } else { Act::Join })?;
        for (_, proposal) in proposals {
            match proposal {
                Proposal::ExternalInit(_) | Proposal::PreSharedKey(_) => {}
                Proposal::Remove(remove) if self.user_at(remove.removed)? == user => {}
                Proposal::Remove(_) => return Err(Denied::Right(crate::right::Right::Remove)),
                _ => return Err(Denied::Unknown),
            }
        }
        Ok(())
    }

    /// Where all of it leads: an owner stays, and the group is as large as it may be.
    fn judge_outcome(&self, proposals: &[(Proposer, &Proposal)], newcomer: Option<&LeafNode>) -> Result<(), Denied> {
        let (mut removed, mut added) = (BTreeSet::new(), Vec::from_iter(newcomer));
        let mut after = None;
        for (_, proposal) in proposals {
            match proposal {
                Proposal::Add(add) => added.push(&add.key_package.leaf_node),
                Proposal::Remove(remove) => drop(removed.insert(remove.removed)),
                Proposal::GroupContextExtensions(new) => after = GroupPolicy::of(&new.extensions)?,
                _ => {}
            }
        }
        let policy = after.as_ref().unwrap_or(&self.policy);
        let size = usize::try_from(self.roster.count()).unwrap_or(usize::MAX);
        let size = size.saturating_add(added.len()).saturating_sub(removed.len());
        if !added.is_empty() && u32::try_from(size).is_ok_and(|size| size > policy.max_members) {
            return Err(Denied::Full);
        }
        let loses_owner =
            removed.iter().any(|leaf| self.user_at(*leaf).is_ok_and(|user| policy.role(user) == Role::Owner));
        if loses_owner || after.is_some() { self.check_owned(policy, &removed, &added) } else { Ok(()) }
    }

    /// Whether an owner is among those who stay or come.
    fn check_owned(
        &self,
        policy: &GroupPolicy,
        removed: &BTreeSet<LeafIndex>,
        added: &[&LeafNode],
    ) -> Result<(), Denied> {
        let owns =
            |leaf: &LeafNode| (self.users.of)(&leaf.credential).is_some_and(|user| policy.role(user) == Role::Owner);
        let mut staying = self.roster.members().into_iter().filter(|(index, _)| !removed.contains(index));
        if added.iter().any(|leaf| owns(leaf)) || staying.any(|(_, leaf)| owns(leaf)) {
            Ok(())
        } else {
            Err(Denied::LastOwner)
        }
    }
}
