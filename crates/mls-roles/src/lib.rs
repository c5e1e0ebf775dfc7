//! Who may do what in an MLS group (RFC 9420, Sections 5.3.1, 12.1 and 12.2).
//!
//! In: a [`GroupPolicy`] out of the group's context, and what somebody wants to do. Out: yes, or [`Denied`] with the right
//! that is missing.
//! Always: what the table does not grant is denied; [`judge`] decides, and nothing else does, whichever way a change
//! enters; everybody who knows the context comes to the same answer, members and delivery service alike.
//!
//! ```
//! use mls_roles::{Act, Actor, GroupPolicy, Right, Role, judge};
//!
//! let mut policy = GroupPolicy::new(b"alice");
//! policy.set_role(b"bob", Role::Moderator);
//! let (bob, carol) = (Actor::Member { user: b"bob" }, Actor::Member { user: b"carol" });
//! assert!(judge(&policy, bob, &Act::Remove { user: b"carol" }).is_ok());
//! let refused = judge(&policy, carol, &Act::Remove { user: b"bob" });
//! assert_eq!(refused.unwrap_err().right(), Some(Right::Remove));
//! ```

mod act;
mod claims;
mod context;
mod denied;
mod parameters;
mod policy;
mod right;
mod role;

pub use act::{Act, Actor, judge};
pub use claims::{GROUP_NAME, Users, authorize_commit, authorize_message, authorize_proposal, check_joined};
pub use context::ContextChange;
pub use denied::Denied;
pub use parameters::GroupParameters;
pub use policy::{GROUP_POLICY, GroupPolicy, POLICY_BYTES_MAX};
pub use right::{Right, Rights, Table};
pub use role::{Rank, Role};
