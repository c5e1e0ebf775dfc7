//! What there is for each group and user: counted in the transaction that uses it, so all nodes count together.
//!
//! Always: what is refused, for whatever reason, is not counted; a retry of what was taken is not counted again.

use super::{Checked, Rules};
use crate::{
    Rejection, Timestamp, UserId,
    quota::{Rate, Shares},
    rows::{RowError, Rows},
};

/// Something that is counted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Share {
    GroupCommits,
    UserCommits,
    UserGroups,
    UserClaims,
    Claimed,
}

impl Share {
    const fn rate(self, shares: &Shares) -> Option<Rate> {
        match self {
            Self::GroupCommits => shares.group_commits,
            Self::UserCommits => shares.user_commits,
            Self::UserGroups => shares.user_groups,
            Self::UserClaims => shares.user_claims,
            Self::Claimed => shares.claimed,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::GroupCommits => "group commits",
            Self::UserCommits => "user commits",
            Self::UserGroups => "user groups",
            Self::UserClaims => "user claims",
            Self::Claimed => "claimed",
        }
    }
}

/// Counts one more of each, or none of them.
pub(super) async fn take<R: Rows>(
    rules: &Rules,
    rows: &mut R,
    shares: &[(Share, &[u8])],
    now: Timestamp,
) -> Result<(), Rejection> {
    let now_ms = now.saturating_mul(1_000);
    let mut counted = Vec::new();
    for (share, whose) in shares {
        let Some(rate) = share.rate(&rules.shares) else { continue };
        let name = rules.crypto.labelled_digest(share.name(), &mls_crypto::Opaque::from(*whose))?;
        let full_again = rate.next(rows.full_again(&name).await?, now_ms);
        counted.push((name, full_again.map_err(|retry_after_ms| Rejection::RateLimited { retry_after_ms })?));
    }
    for (name, full_again) in counted {
        rows.put_full_again(&name, full_again).await?;
    }
    Ok(())
}

/// Whose share a request uses, so that it is to itself while it is counted.
pub(super) async fn user<R: Rows>(rules: &Rules, rows: &mut R, checked: &Checked) -> Result<Option<UserId>, RowError> {
    if !checked.is_counted() || rules.shares == Shares::default() {
        return Ok(None);
    }
    Ok(rows.device(&checked.caller).await?.map(|device| device.user))
}
