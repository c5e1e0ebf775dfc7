//! What our role allows, asked before anything is queued.
//!
//! Always: what the group's table refuses now is not wanted at all; the commit is judged again when it is made, since the table may
//! be another one by then.

use mls_roles::{Act, Actor, ContextChange, Denied, GroupPolicy, Role, judge};
use spacepanda_core::core_mls::{MlsError, MlsHandle};

use crate::{Account, SyncError, SyncResult, Wish};

impl Account {
    /// Whether our role allows a change. In a group without roles everything is.
    pub(crate) fn check_allowed(&self, group: &MlsHandle, wish: &Wish) -> SyncResult<()> {
        let user = self.client().identity();
        let Some(policy) = group.policy()? else {
            return if matches!(wish, Wish::Role { .. }) { Err(SyncError::NoRoles) } else { Ok(()) };
        };
        let asked = |act: &Act<'_>| judge(&policy, Actor::Member { user }, act);
        let verdict = match wish {
            // Whoever is there commits it.
            Wish::Leave => return Ok(()),
            Wish::Add(user) if !group.devices_of(user).is_empty() => asked(&Act::AddDevice { user }),
            Wish::Add(user) => asked(&Act::Add { user }),
            Wish::Remove(user) => asked(&Act::Remove { user }),
            Wish::Rename(_) => asked(&Act::Change(&change(|change| change.metadata = true))),
            Wish::Role { user, role } => {
                let roles = (user.clone(), policy.role(user), *role);
                asked(&Act::Change(&change(|change| change.roles.push(roles))))
                    .and_then(|()| keeps_an_owner(group, &policy, (user, *role)))
            }
            Wish::Policy(_) => asked(&Act::Change(&change(|change| change.table = true))),
            // Of whom these are is looked at when they are committed.
            Wish::AddKeyPackage(_) | Wish::RemoveDevice(_) | Wish::Rotate => Ok(()),
        };
        verdict.and_then(|()| asked(&Act::Commit)).map_err(denied)
    }

    /// Whether our role allows to say something.
    pub(crate) fn check_may_send(&self, group: &MlsHandle) -> SyncResult<()> {
        let Some(policy) = group.policy()? else { return Ok(()) };
        judge(&policy, Actor::Member { user: self.client().identity() }, &Act::Send).map_err(denied)
    }
}

fn denied(denied: Denied) -> SyncError {
    SyncError::Group(MlsError::Denied(denied))
}

fn change(what: impl FnOnce(&mut ContextChange)) -> ContextChange {
    let mut change = ContextChange::default();
    what(&mut change);
    change
}

fn keeps_an_owner(group: &MlsHandle, policy: &GroupPolicy, (user, role): (&[u8], Role)) -> Result<(), Denied> {
    let mut after = policy.clone();
    after.set_role(user, role);
    let owned = group.members().iter().any(|member| after.role(&member.identity) == Role::Owner);
    if owned { Ok(()) } else { Err(Denied::LastOwner) }
}
