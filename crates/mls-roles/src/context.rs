//! What a change of the context changes (RFC 9420, Section 12.1.7).

use std::collections::BTreeSet;

use mls_engine::message::{ExtensionType, Extensions};

use crate::{
    denied::Denied,
    policy::{GROUP_POLICY, GroupPolicy},
    role::Role,
};

/// The difference between two lists of extensions, in the words of the table.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct ContextChange {
    /// Users whose role changes: who, from what, to what.
    pub roles: Vec<(Vec<u8>, Role, Role)>,
    /// Whether the table changes, or what everybody is.
    pub table: bool,
    /// Whether name, topic or picture changes.
    pub metadata: bool,
    /// Whether anything else does.
    pub settings: bool,
}

impl ContextChange {
    /// What `new` changes in a group with the context extensions `old`, where `metadata` are the types of those that
    /// [`crate::Right::Rename`] is about; and the policy that will hold.
    ///
    /// # Errors
    /// [`Denied::Policy`] if either policy does not decode; [`Denied::PolicyDropped`] if `old` has one and `new` has none.
    pub fn between(
        old: &Extensions,
        new: &Extensions,
        metadata: &[ExtensionType],
    ) -> Result<(Self, Option<GroupPolicy>), Denied> {
        let mut change = Self::default();
        let after = GroupPolicy::of(new)?;
        match (GroupPolicy::of(old)?, &after) {
            (Some(before), Some(after)) => change.compare(&before, after),
            (Some(_), None) => return Err(Denied::PolicyDropped),
            (None, _) => {}
        }
        let types: BTreeSet<ExtensionType> = old.types().chain(new.types()).collect();
        for kind in types.into_iter().filter(|kind| *kind != GROUP_POLICY && old.get(*kind) != new.get(*kind)) {
            if metadata.contains(&kind) {
                change.metadata = true;
            } else {
                change.settings = true;
            }
        }
        Ok((change, after))
    }

    fn compare(&mut self, before: &GroupPolicy, after: &GroupPolicy) {
        self.table = before.table != after.table || before.everybody() != after.everybody();
        self.settings = before.max_members != after.max_members || before.parameters != after.parameters;
        let users: BTreeSet<&[u8]> = before.roles().chain(after.roles()).map(|(user, _)| user).collect();
        for user in users {
            let (was, is) = (before.role(user), after.role(user));
            if was != is {
                self.roles.push((user.to_vec(), was, is));
            }
        }
    }
}
