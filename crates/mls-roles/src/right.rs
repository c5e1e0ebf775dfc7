//! Rights, and the table that grants them.

use crate::role::{Rank, Role};

/// A column of the table.
///
/// Nobody needs a right to update the own leaf, to leave, or to take the own device away.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Right {
    /// Send application messages.
    Send,
    /// Commit: what others proposed, and the own proposals.
    Commit,
    /// Add a user with the role that the policy has for those it does not name. Adding one it does name needs the right to
    /// give that role as well.
    Add,
    /// Remove users of a lower role.
    Remove,
    /// Give roles below the own one to users who have a role below the own one.
    ChangeRoles,
    /// Change name, topic and picture.
    Rename,
    /// Change what else is in the group's context: sizes, senders from outside, required capabilities.
    Configure,
    /// Commit what those propose who are no members: new members, and senders from outside.
    Admit,
    /// Join from outside as a user who is a member already: with another device, or after having lost the state.
    Rejoin,
    /// Join from outside as a user who is no member.
    Join,
    /// Mix in pre-shared keys.
    Psk,
    /// End the group and continue it under other parameters.
    ReInit,
    /// Change the table itself. Owners only, whatever a table says.
    Govern,
}

impl Right {
    /// All, in the order of their bits.
    pub const ALL: [Self; 13] = [
        Self::Send,
        Self::Commit,
        Self::Add,
        Self::Remove,
        Self::ChangeRoles,
        Self::Rename,
        Self::Configure,
        Self::Admit,
        Self::Rejoin,
        Self::Join,
        Self::Psk,
        Self::ReInit,
        Self::Govern,
    ];

    const fn bit(self) -> u32 {
        match self {
            Self::Send => 1 << 0,
            Self::Commit => 1 << 1,
            Self::Add => 1 << 2,
            Self::Remove => 1 << 3,
            Self::ChangeRoles => 1 << 4,
            Self::Rename => 1 << 5,
            Self::Configure => 1 << 6,
            Self::Admit => 1 << 7,
            Self::Rejoin => 1 << 8,
            Self::Join => 1 << 9,
            Self::Psk => 1 << 10,
            Self::ReInit => 1 << 11,
            Self::Govern => 1 << 12,
        }
    }
}

/// A set of rights.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Rights(u32);

impl Rights {
    /// None.
    pub const NONE: Self = Self(0);

    /// These.
    pub fn of(rights: &[Right]) -> Self {
        Self(rights.iter().fold(0, |bits, right| bits | right.bit()))
    }

    /// Every right there is.
    pub fn all() -> Self {
        Self::of(&Right::ALL)
    }

    /// Whether it has this one.
    pub const fn has(self, right: Right) -> bool {
        self.0 & right.bit() != 0
    }

    pub(crate) const fn bits(self) -> u32 {
        self.0
    }

    pub(crate) const fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    /// With this one.
    #[must_use]
    pub const fn with(self, right: Right) -> Self {
        Self(self.0 | right.bit())
    }

    /// Without this one.
    #[must_use]
    pub const fn without(self, right: Right) -> Self {
        Self(self.0 & !right.bit())
    }
}

/// Who has which rights. What is not in it is denied.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Table([Rights; 7]);

impl Default for Table {
    /// Owners may everything; admins run the group, moderators keep order in it, members talk, observers read. Nobody
    /// joins from outside.
    fn default() -> Self {
        let member = Rights::of(&[Right::Send, Right::Commit]);
        let moderator = member.with(Right::Remove);
        let admin = [Right::Add, Right::ChangeRoles, Right::Rename, Right::Admit, Right::Psk]
            .into_iter()
            .fold(moderator, Rights::with);
        let owner = Rights::all().without(Right::Join).without(Right::Rejoin);
        Self([Rights::NONE, member, moderator, admin, owner, Rights::NONE, Rights::NONE])
    }
}

impl Table {
    /// The rights of a row.
    pub fn rights(&self, rank: Rank) -> Rights {
        let row = Rank::ALL.iter().position(|known| *known == rank);
        row.and_then(|row| self.0.get(row)).copied().unwrap_or(Rights::NONE)
    }

    /// Gives a row these rights, and no others.
    pub fn set(&mut self, rank: Rank, rights: Rights) {
        let row = Rank::ALL.iter().position(|known| *known == rank);
        if let Some(row) = row.and_then(|row| self.0.get_mut(row)) {
            *row = rights;
        }
    }

    /// Rows in the order of [`Rank::ALL`].
    pub(crate) const fn rows(&self) -> &[Rights; 7] {
        &self.0
    }

    pub(crate) const fn from_rows(rows: [Rights; 7]) -> Self {
        Self(rows)
    }

    /// Whether a group can live under it: owners can change it, and commit; whoever may send may commit, so that no
    /// member is kept from sending by proposals that it cannot commit (PM-19); rights of members and of others are not
    /// mixed; and there is no bit that means nothing.
    pub fn is_livable(&self) -> bool {
        let known = Rights::all();
        let outside = Rights::of(&[Right::Join, Right::Rejoin]);
        let members = Role::ALL.iter().all(|role| {
            let rights = self.rights(Rank::Member(*role));
            let may_speak = !rights.has(Right::Send) || rights.has(Right::Commit);
            may_speak && rights.0 & outside.0 == 0 && (!rights.has(Right::Govern) || *role == Role::Owner)
        });
        let owner = self.rights(Rank::Member(Role::Owner));
        let from_outside =
            Rights::of(&[Right::Add, Right::Remove, Right::Configure, Right::Rename, Right::ReInit, Right::Psk]);
        members
            && owner.has(Right::Govern)
            && owner.has(Right::Commit)
            && owner.has(Right::ChangeRoles)
            && self.rights(Rank::Outsider).0 & !outside.0 == 0
            && self.rights(Rank::ExternalSender).0 & !from_outside.0 == 0
            && self.0.iter().all(|rights| rights.0 & !known.0 == 0)
    }
}
