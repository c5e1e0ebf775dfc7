//! Roles, and the rows of the table.

use tls_codec::{TlsDeserializeBytes, TlsSerialize, TlsSize};

/// What a user is in a group, from the least to the most. All devices of a user have one role.
#[derive(
    Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd, TlsDeserializeBytes, TlsSerialize, TlsSize,
)]
#[expect(clippy::exhaustive_enums, reason = "the encoding has these five; another one is another version of it")]
#[repr(u8)]
pub enum Role {
    /// Reads.
    Observer = 1,
    /// Takes part.
    #[default]
    Member = 2,
    /// Keeps order.
    Moderator = 3,
    /// Runs the group.
    Admin = 4,
    /// Answers for the group. There is always one.
    Owner = 5,
}

impl Role {
    /// All, from the least to the most.
    pub const ALL: [Self; 5] = [Self::Observer, Self::Member, Self::Moderator, Self::Admin, Self::Owner];
}

/// A row of the table: a role, or somebody who has none.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[expect(clippy::exhaustive_enums, reason = "the rows of the table are these")]
pub enum Rank {
    /// A member.
    Member(Role),
    /// Who is no member and joins from outside: by external commit, or by proposing itself.
    Outsider,
    /// An entry of `external_senders` (Section 12.1.8.1).
    ExternalSender,
}

impl Rank {
    /// All rows, in the order of the encoding.
    pub const ALL: [Self; 7] = [
        Self::Member(Role::Observer),
        Self::Member(Role::Member),
        Self::Member(Role::Moderator),
        Self::Member(Role::Admin),
        Self::Member(Role::Owner),
        Self::Outsider,
        Self::ExternalSender,
    ];
}
