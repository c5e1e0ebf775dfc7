//! Who makes an edit, and what their role lets them edit.

use core::fmt;

use mls_roles::{GroupPolicy, Rank, Right};

/// A member, in the epoch a message was sent in.
#[derive(Clone, Copy)]
pub struct Author<'a> {
    identity: &'a [u8],
    policy: Option<&'a GroupPolicy>,
}

impl<'a> Author<'a> {
    /// The member of this identity: for what is received, that of the message's sender, under the policy of its epoch. In a group
    /// without a policy every member may edit everything.
    pub const fn new(identity: &'a [u8], policy: Option<&'a GroupPolicy>) -> Self {
        Self { identity, policy }
    }

    /// The identity.
    pub const fn identity(&self) -> &'a [u8] {
        self.identity
    }

    /// Whether they may set the topic: whoever may rename the group.
    pub fn may_set_topic(&self) -> bool {
        self.has(Right::Rename)
    }

    /// Whether they may pin messages: whoever may remove members, which moderators may.
    pub fn may_pin(&self) -> bool {
        self.has(Right::Remove)
    }

    /// Whether they may do both, and so begin a document anew and hand out snapshots.
    pub fn may_edit_everything(&self) -> bool {
        self.may_set_topic() && self.may_pin()
    }

    fn has(&self, right: Right) -> bool {
        self.policy.is_none_or(|policy| policy.rights(Rank::Member(policy.role(self.identity))).has(right))
    }
}

impl fmt::Debug for Author<'_> {
    /// Tells nobody's name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { identity: _, policy } = self;
        f.debug_struct("Author").field("has_policy", &policy.is_some()).finish_non_exhaustive()
    }
}
