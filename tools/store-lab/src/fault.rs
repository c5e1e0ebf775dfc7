//! What can go wrong with a disk, and when.

/// Something that goes wrong at one operation.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Fault {
    /// Number of the operation, counted from 0.
    pub at: u64,
    /// What happens.
    pub failure: Failure,
}

/// What happens to an operation.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "whoever explores wants to name them all")]
pub enum Failure {
    /// Power is lost while the operation runs. Everything after it fails, until the disk is rebooted.
    PowerLoss,
    /// The disk has no room: this operation fails, and from then on every one that writes.
    DiskFull,
    /// The disk has no room, once.
    NoSpace,
    /// Half of the bytes of a write get on the disk, then there is no room, once.
    ShortWrite,
    /// The operation fails and does nothing, once.
    Io,
    /// A sync of a file fails, once, and what it was to make durable never will be, though it can still be read: the
    /// machine has forgotten that it is not on the disk.
    SyncForgets,
    /// This operation and every one after it fail and do nothing.
    IoForever,
}

impl Failure {
    /// Every failure that leaves the machine running.
    pub const ERRORS: [Self; 6] =
        [Self::DiskFull, Self::NoSpace, Self::ShortWrite, Self::Io, Self::SyncForgets, Self::IoForever];
}

/// What was lost with the power, of everything that no sync had made durable.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "whoever explores wants to name them all")]
pub enum Lost {
    /// All of it.
    Everything,
    /// None of it: a process was killed and the machine goes on. What was not durable still is not.
    Nothing,
    /// All that came after some moment; the write of that moment is torn at a sector of 512 bytes. The seed draws the moment.
    Tail(u64),
    /// Each sector of 512 bytes has one of the contents it had since the last sync, and each file one of the lengths it
    /// had, whatever the others have: torn pages, writes out of order. Each directory change happened or did not.
    Sectors(u64),
    /// Of the pieces of writes, cut at sectors, some are there, and were written in any order.
    Reordered(u64),
    /// As [`Lost::Sectors`], and sectors that were being written may hold noise: a disk without powersafe overwrite.
    Noise(u64),
}

impl Lost {
    /// Every kind; those that draw, with this seed.
    pub const fn all(seed: u64) -> [Self; 6] {
        [
            Self::Everything,
            Self::Nothing,
            Self::Tail(seed),
            Self::Sectors(seed),
            Self::Reordered(seed),
            Self::Noise(seed),
        ]
    }

    /// Whether it depends on a seed.
    pub(crate) const fn draws(self) -> bool {
        !matches!(self, Self::Everything | Self::Nothing)
    }

    /// The same kind, with another seed; itself, if it does not draw.
    #[must_use]
    pub const fn reseed(self, seed: u64) -> Self {
        match self {
            Self::Everything | Self::Nothing => self,
            Self::Tail(_) => Self::Tail(seed),
            Self::Sectors(_) => Self::Sectors(seed),
            Self::Reordered(_) => Self::Reordered(seed),
            Self::Noise(_) => Self::Noise(seed),
        }
    }
}

/// Why the disk did not do as told.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DiskError {
    /// The power is gone; reboot.
    #[error("the power is gone")]
    PowerLost,
    /// No room.
    #[error("no space left on the disk")]
    NoSpace,
    /// Reading or writing failed.
    #[error("input or output failed")]
    Io,
    /// No such file.
    #[error("no such file")]
    NotFound,
    /// The name is taken.
    #[error("the file exists")]
    Exists,
}
