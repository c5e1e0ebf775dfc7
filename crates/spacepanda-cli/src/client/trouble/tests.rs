//! Exit statuses are a promise.

use mls_delivery::{Rejection, Seq};
use spacepanda_core::core_mls::{MlsError, store::StoreError};
use spacepanda_sync::SyncError;

use super::Trouble;
use crate::home::HomeError;

#[test]
fn each_kind_has_its_status() {
    let cases: [(Trouble, u8, &str); 11] = [
        (Trouble::NoIdentity, 1, "failure"),
        (Trouble::Nothing, 2, "usage"),
        (Rejection::Unavailable.into(), 3, "unavailable"),
        (Rejection::RateLimited { retry_after_ms: 1 }.into(), 3, "rate-limited"),
        (Rejection::VoucherNeeded.into(), 4, "voucher-needed"),
        (SyncError::NotAMember.into(), 4, "not-a-member"),
        (Rejection::Gap { first: Seq::new(3) }.into(), 5, "gap"),
        (SyncError::Fork(MlsError::NotForUs).into(), 5, "fork"),
        (HomeError::NeedsPassphrase.into(), 6, "locked"),
        (StoreError::WrongKey.into(), 6, "locked"),
        (SyncError::Group(MlsError::Store(StoreError::WrongKey)).into(), 6, "store_wrong_key"),
    ];
    for (trouble, status, code) in cases {
        assert_eq!(trouble.exit_status(), status, "{trouble}");
        if status != 6 {
            assert_eq!(trouble.code(), code);
        }
    }
}

#[test]
fn every_message_says_what_to_do() {
    let troubles: [Trouble; 4] =
        [Trouble::NoIdentity, Rejection::Forbidden.into(), SyncError::Voided.into(), MlsError::ReadOnly.into()];
    for trouble in troubles {
        assert!(trouble.to_string().contains("; "), "{trouble}");
    }
}
