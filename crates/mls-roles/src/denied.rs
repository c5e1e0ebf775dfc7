//! Refusals, and the numbers they travel under.

use mls_engine::error::Refusal;
use thiserror::Error;

use crate::right::Right;

/// Why something is not allowed. Every one of them tells what has to change for it to be.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum Denied {
    /// The table does not grant it.
    #[error("the group's table does not grant {0:?}; ask somebody who may, or an owner to change the table")]
    Right(Right),
    /// The one it is done to has the same role or a higher one.
    #[error("{0:?} reaches lower roles only; ask somebody of a higher role")]
    Rank(Right),
    /// The group would be left without an owner.
    #[error("the group's last owner stays; make somebody else an owner first")]
    LastOwner,
    /// The group would have more members than it allows.
    #[error("the group has as many members as it allows; an owner can allow more")]
    Full,
    /// The policy in the context does not decode, or no group can live under it.
    #[error("the group's policy is not one that a group can live under")]
    Policy,
    /// The policy would be taken away.
    #[error("a group that has a policy keeps it")]
    PolicyDropped,
    /// A credential that names no user.
    #[error("the credential names no user")]
    NoUser,
    /// A proposal of a type that the table knows nothing about.
    #[error("the table knows nothing about proposals of this type")]
    Unknown,
}

/// The first of the numbers of [`Denied::reason`].
const FIRST: u16 = 0x0200;

impl Denied {
    /// The right that is missing, or that does not reach far enough.
    pub const fn right(self) -> Option<Right> {
        match self {
            Self::Right(right) | Self::Rank(right) => Some(right),
            _ => None,
        }
    }

    /// The refusal with this number; `None` for the numbers of others.
    pub fn of_reason(reason: u16) -> Option<Self> {
        let rights = Right::ALL.into_iter().flat_map(|right| [Self::Right(right), Self::Rank(right)]);
        let others = [Self::LastOwner, Self::Full, Self::Policy, Self::PolicyDropped, Self::NoUser, Self::Unknown];
        rights.chain(others).find(|denied| denied.reason() == reason)
    }

    /// The number of this refusal: 0x0200 to 0x02FF.
    pub fn reason(self) -> u16 {
        let place =
            |right: Right| Right::ALL.iter().zip(0..).find(|(known, _)| **known == right).map_or(0, |(_, at)| at);
        let offset: u16 = match self {
            Self::LastOwner => 1,
            Self::Full => 2,
            Self::Policy => 3,
            Self::PolicyDropped => 4,
            Self::NoUser => 5,
            Self::Unknown => 6,
            Self::Right(right) => 0x40_u16.saturating_add(place(right)),
            Self::Rank(right) => 0x80_u16.saturating_add(place(right)),
        };
        FIRST.saturating_add(offset)
    }
}

impl From<Denied> for Refusal {
    fn from(denied: Denied) -> Self {
        Self(denied.reason())
    }
}
