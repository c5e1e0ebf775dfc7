//! Caps on what devices choose, and who may enrol.
//!
//! Always: a size is held against its cap before anything is read from a store or written to it.

use tls_codec::{TlsDeserializeBytes, TlsSerialize, TlsSize};

use crate::{Digest, Rejection, Timestamp};

/// Caps. Bytes and seconds, where nothing else is said.
#[derive(Clone, Debug, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct Limits {
    /// Bytes of an application message or a proposal.
    pub max_message: u64,
    /// Bytes of a commit, a Welcome, a GroupInfo or a ratchet tree, each.
    pub max_handshake: u64,
    /// Bytes of a commit with all that travels with it.
    pub max_bundle: u64,
    /// Devices that one commit invites, or removes.
    pub max_recipients: u64,
    /// Bytes of a group's id, a user's name, a key, a signature or a token.
    pub max_name: u64,
    /// Bytes of a KeyPackage.
    pub max_key_package: u64,
    /// Key packages of one device, the last resort not counted.
    pub max_key_packages: u64,
    /// Devices of one user.
    pub max_devices: u64,
    /// Entries of a group's log. What exceeds them is deleted from the beginning, and readers that lag have a gap.
    pub max_log_entries: u64,
    /// Bytes of a group's log; likewise.
    pub max_log_bytes: u64,
    /// How long entries of a log and of a mailbox are kept.
    pub max_entry_age: u64,
    /// Entries of a mailbox.
    pub max_mailbox_entries: u64,
    /// Bytes of a mailbox.
    pub max_mailbox_bytes: u64,
    /// Entries of a mailbox that came directly, from whoever knows the device.
    pub max_direct_entries: u64,
    /// Entries of one page.
    pub max_page_entries: u64,
    /// Bytes of one page, but for its first entry.
    pub max_page_bytes: u64,
    /// Past epochs whose application messages are taken.
    pub max_past_epochs: u64,
    /// How long after its end an epoch's application messages are taken.
    pub max_past_epoch_age: u64,
    /// How long after its commit an epoch's end can be reported as invalid.
    pub max_report_age: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_message: (1 << 20) + 64 * 1024,
            max_handshake: 4 << 20,
            max_bundle: 16 << 20,
            max_recipients: 10_000,
            max_name: 1_024,
            max_key_package: 64 * 1024,
            max_key_packages: 200,
            max_devices: 16,
            max_log_entries: 10_000,
            max_log_bytes: 64 << 20,
            max_entry_age: 30 * DAY,
            max_mailbox_entries: 10_000,
            max_mailbox_bytes: 64 << 20,
            max_direct_entries: 1_000,
            max_page_entries: 256,
            max_page_bytes: 1 << 20,
            max_past_epochs: 3,
            max_past_epoch_age: 14 * DAY,
            max_report_age: DAY,
        }
    }
}

impl Limits {
    /// Refuses what is longer than a cap.
    pub(crate) fn check_len(bytes: &[u8], limit: u64) -> Result<(), Rejection> {
        let len = length(bytes);
        if len > limit { Err(Rejection::TooLarge { len, limit }) } else { Ok(()) }
    }

    /// Refuses what are more items than a cap.
    pub(crate) fn check_count(count: usize, limit: u64) -> Result<(), Rejection> {
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        if count > limit { Err(Rejection::TooMany { count, limit }) } else { Ok(()) }
    }
}

/// The length of some bytes.
pub(crate) fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

/// Who may enrol a device.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum Enrolment {
    /// Nobody.
    #[default]
    Closed,
    /// Everybody.
    Open,
    /// Whoever knows an invite that is not used up.
    Invites(Vec<Invite>),
    /// Users on this list.
    Users(Vec<crate::UserId>),
}

/// A token that lets devices enrol.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Invite {
    /// SHA-256 of the token.
    pub token: Digest,
    /// How many devices it is for.
    pub uses: u64,
    /// Until when.
    pub expires: Timestamp,
}

const DAY: u64 = 24 * 3600;
