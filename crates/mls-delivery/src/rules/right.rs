//! Whether the right that was shown is one in this group.

use subtle::ConstantTimeEq;

use crate::{
    DeviceId, Digest, GroupId, Rejection,
    access::Shown,
    rows::{EpochRow, GroupRow, ReaderRow, RowError, Rows},
};

/// What a right is judged by.
#[derive(Clone, Debug)]
pub(super) struct Standing {
    /// The group, if there is one.
    pub(super) group: Option<GroupRow>,
    /// The epoch of the message, if it is known.
    pub(super) epoch: Option<EpochRow>,
    /// The caller, if it reads the log.
    pub(super) reader: Option<ReaderRow>,
    /// Whether the caller has shown a pass of the group.
    pub(super) passed: bool,
}

impl Standing {
    pub(super) async fn load<R: Rows>(
        rows: &mut R,
        (group_id, epoch): (&GroupId, u64),
        caller: &DeviceId,
    ) -> Result<Self, RowError> {
        Ok(Self {
            group: rows.group(group_id).await?,
            epoch: rows.epoch(group_id, epoch).await?,
            reader: rows.reader(group_id, caller).await?,
            passed: false,
        })
    }

    /// The group and the epoch, for one whose right is good. To others a group that is there and one that is not look alike.
    pub(super) fn admit(&self, shown: &Shown, at: u64) -> Result<(&GroupRow, &EpochRow), Rejection> {
        let group = self.group.as_ref().ok_or(Rejection::Forbidden)?;
        let Some(epoch) = &self.epoch else {
            return Err(match &self.reader {
                Some(_) if at > group.epoch => Rejection::EpochAhead { current: group.epoch },
                Some(_) => Rejection::EpochPast { current: group.epoch },
                None => Rejection::Forbidden,
            });
        };
        let good = match shown {
            Shown::Member { epoch: signed, public_key } => *signed == at && *public_key == epoch.write_key,
            Shown::Join(digest) => self.passed || is_join_token(group, digest),
        };
        if !good {
            return Err(Rejection::Forbidden);
        }
        // The key of an epoch that is over is known to those who were removed at its end.
        let active = self.reader.is_some_and(|reader| reader.until.is_none());
        if at < group.epoch && !active { Err(Rejection::Forbidden) } else { Ok((group, epoch)) }
    }
}

pub(super) fn is_join_token(group: &GroupRow, digest: &Digest) -> bool {
    group.join_token.is_some_and(|token| bool::from(token.as_slice().ct_eq(digest.as_slice())))
}
