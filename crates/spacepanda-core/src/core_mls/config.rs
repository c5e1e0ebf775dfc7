//! Every setting of a client, in one struct that can be printed and is checked before use.
//!
//! In: values of the application. Out: values the engine takes.
//! Always: a client runs only with a configuration that [`MlsConfig::validate`] accepts.

use core::time::Duration;

use mls_crypto::CipherSuite;
use mls_engine::{framing::Padding, limits::Limits};

use super::error::{MlsError, MlsResult};

/// How proposals and commits travel.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum HandshakeFraming {
    /// Encrypted: the delivery service sees group and epoch only.
    #[default]
    Private,
    /// Signed but readable: the delivery service can check and follow them. Encrypted ones are accepted too.
    Public,
}

/// Settings of a client. Start from [`MlsConfig::default`] or [`MlsConfig::interop`] and change fields.
///
/// Members of one group should use the same `max_group_size`: it is a rule of the group, and who does not share it sees
/// commits that others accept as broken. What is said here of past epochs, of windows, of rotation and of padding yields to
/// what a group has agreed on ([`crate::core_mls::roles::GroupParameters`]) where that is stricter.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct MlsConfig {
    /// Suite of new groups and key packages.
    pub cipher_suite: CipherSuite,
    /// Members a group may have (CAP-29).
    pub max_group_size: u32,
    /// Seconds after which our keys in a group should be renewed (CAP-29).
    pub rotation_interval: u64,
    /// Seconds for which a key package of ours can be used.
    pub key_package_lifetime: u64,
    /// Key packages for one use that [`crate::core_mls::Client::replenish_key_packages`] keeps; 0 keeps none.
    pub key_package_target: usize,
    /// How few are left when it makes new ones.
    pub key_package_low_water: usize,
    /// Seconds for which a key package whose time is over is kept, for a Welcome that is on its way: after its lifetime,
    /// and one of last resort after its first use.
    pub key_package_grace: u64,
    /// Longest lifetime, in seconds, of a key package of others (LN-19).
    pub max_lifetime: u64,
    /// How proposals and commits travel (FRM-02).
    pub handshake_framing: HandshakeFraming,
    /// Whether commits of members are accepted in the open even if `handshake_framing` is private: so a member whose state
    /// was put back from an old copy can renew its keys without its ratchets.
    pub public_commits: bool,
    /// How much the length of a message is hidden (PM-17).
    pub padding: Padding,
    /// Whether the ratchet tree travels inside Welcomes; if not, hand it to joiners by other means.
    pub tree_in_welcome: bool,
    /// Whether our own messages can be opened once (CON-08), as [`crate::core_mls::ReceivedMessage::own_echo`].
    pub own_echo: bool,
    /// Own messages remembered for that, at most.
    pub own_echo_messages: usize,
    /// Bytes of own messages remembered for that, at most.
    pub own_echo_bytes: usize,
    /// Refuse every message of a past epoch, instead of reading those of the last few (CAP-24).
    pub strict_epoch_check: bool,
    /// Past epochs whose messages can still be read, unless `strict_epoch_check`.
    pub max_past_epochs: usize,
    /// Seconds for which they can.
    pub max_past_epoch_age: u64,
    /// Messages of one sender that may arrive late (CAP-23).
    pub out_of_order_window: usize,
    /// Messages of one sender that may be missing before one that arrives (CAP-23).
    pub max_forward_distance: u32,
    /// Bytes of one message's plaintext (CON-07).
    pub max_message_size: usize,
    /// Proposals remembered in one epoch.
    pub max_proposals: usize,
    /// Epochs ahead of ours of which messages are kept until we get there.
    pub future_epochs: u64,
    /// Messages kept for that, at most.
    pub inbox_messages: usize,
    /// Bytes of messages kept for that, at most.
    pub inbox_bytes: usize,
    /// Envelopes remembered to recognise a second delivery (CON-04).
    pub replay_cache_size: usize,
    /// Whether our leaves and key packages carry a GREASE extension (RFC 9420, Section 13.5). OpenMLS up to 0.9.2 refuses
    /// them; lists of capabilities always carry GREASE.
    pub grease_extensions: bool,
    /// Whether clients may join by external commit, and whether we may (CAP-07).
    pub external_joins: bool,
    /// How long a call goes on trying while other processes change the same state, before it answers
    /// [`crate::core_mls::store::StoreError::TimedOut`].
    pub store_patience: Duration,
    /// Messages and proposals of ours that are kept until they are marked as sent, at most; 0 keeps none, and no commits.
    pub outbox_messages: usize,
    /// Bytes of them, at most.
    pub outbox_bytes: usize,
}

const DAY: u64 = 24 * 3600;

impl Default for MlsConfig {
    /// CON-02: the hybrid suite 0x004E: AES-256-GCM, X25519 with ML-KEM-768, Ed25519.
    fn default() -> Self {
        Self {
            cipher_suite: CipherSuite::XWING_AES256,
            max_group_size: 1_000,
            rotation_interval: DAY,
            key_package_lifetime: 28 * DAY,
            key_package_target: 100,
            key_package_low_water: 25,
            key_package_grace: 7 * DAY,
            max_lifetime: 90 * DAY,
            handshake_framing: HandshakeFraming::default(),
            public_commits: true,
            padding: Padding::default(),
            tree_in_welcome: true,
            own_echo: true,
            own_echo_messages: 256,
            own_echo_bytes: 4 << 20,
            strict_epoch_check: false,
            max_past_epochs: 3,
            max_past_epoch_age: 14 * DAY,
            out_of_order_window: 256,
            max_forward_distance: 1_000,
            max_message_size: 1 << 20,
            max_proposals: 1_024,
            future_epochs: 8,
            inbox_messages: 64,
            inbox_bytes: 4 << 20,
            replay_cache_size: 10_000,
            grease_extensions: true,
            external_joins: false,
            store_patience: Duration::from_secs(10),
            outbox_messages: 256,
            outbox_bytes: 4 << 20,
        }
    }
}

impl MlsConfig {
    /// For groups with other implementations: the suite that all of them have, 0x0001; no GREASE extensions; key packages
    /// of others for up to a year and a day. All else as in the default.
    ///
    /// ```
    /// use spacepanda_core::core_mls::{CipherSuite, MlsConfig};
    ///
    /// assert_eq!(MlsConfig::interop().cipher_suite, CipherSuite::X25519_AES128);
    /// assert_eq!(MlsConfig::default().cipher_suite, CipherSuite::XWING_AES256);
    /// ```
    pub fn interop() -> Self {
        Self {
            cipher_suite: CipherSuite::X25519_AES128,
            max_lifetime: 366 * DAY,
            grease_extensions: false,
            ..Self::default()
        }
    }

    /// Whether the values make sense, alone and together. Every client asks when it opens.
    ///
    /// ```
    /// # use spacepanda_core::core_mls::{MlsConfig, MlsError};
    /// let mut config = MlsConfig::default();
    /// assert_eq!(config.validate(), Ok(()));
    /// config.max_group_size = 1;
    /// assert_eq!(config.validate(), Err(MlsError::InvalidConfig("max_group_size")));
    /// ```
    ///
    /// # Errors
    /// [`MlsError::InvalidConfig`] names the first field that does not.
    pub fn validate(&self) -> MlsResult<()> {
        let checks = [
            ("max_group_size", self.max_group_size >= 2 && self.max_group_size <= mls_engine::limits::MAX_LEAVES),
            ("rotation_interval", self.rotation_interval > 0),
            ("key_package_lifetime", self.key_package_lifetime > 0),
            ("key_package_target", self.key_package_target <= 1_000),
            ("key_package_low_water", self.key_package_low_water <= self.key_package_target),
            ("max_lifetime", self.max_lifetime >= self.key_package_lifetime.saturating_add(SKEW)),
            ("max_past_epochs", self.max_past_epochs <= 64),
            ("out_of_order_window", self.out_of_order_window <= 10_000),
            ("max_forward_distance", (1..=100_000).contains(&self.max_forward_distance)),
            ("max_message_size", (1..=1 << 28).contains(&self.max_message_size)),
            ("max_proposals", (1..=100_000).contains(&self.max_proposals)),
            ("future_epochs", self.future_epochs <= 1_024),
            ("inbox_messages", self.inbox_messages <= 100_000),
            ("own_echo_messages", !self.own_echo || self.own_echo_messages > 0),
            ("store_patience", self.store_patience <= Duration::from_secs(DAY)),
            ("replay_cache_size", self.replay_cache_size <= 10_000_000),
        ];
        match checks.iter().find(|(_, holds)| !holds) {
            Some((field, _)) => Err(MlsError::InvalidConfig(field)),
            None => Ok(()),
        }
    }

    /// Whether keys last renewed at `last` are due at `now`, both in seconds since 1970.
    ///
    /// ```
    /// # use spacepanda_core::core_mls::MlsConfig;
    /// let config = MlsConfig::default();
    /// assert!(!config.rotation_due(1_000, 1_000 + 86_399));
    /// assert!(config.rotation_due(1_000, 1_000 + 86_400));
    /// ```
    pub const fn rotation_due(&self, last: u64, now: u64) -> bool {
        now.saturating_sub(last) >= self.rotation_interval
    }

    /// The engine's limits under these settings.
    pub(crate) fn limits(&self) -> Limits {
        // PM-17: padding adds an eighth at most.
        let padded = self.max_message_size.saturating_add(self.max_message_size / 8);
        Limits {
            max_members: self.max_group_size,
            max_application_data: self.max_message_size,
            max_message: padded.saturating_add(MESSAGE_OVERHEAD),
            max_forward_generations: self.max_forward_distance,
            max_skipped_keys_per_sender: self.out_of_order_window,
            max_past_epochs: if self.strict_epoch_check { 0 } else { self.max_past_epochs },
            max_past_epoch_age: self.max_past_epoch_age,
            max_cached_proposals: self.max_proposals,
            ..Limits::default()
        }
    }
}

/// Seconds by which a key package is valid before it was made, for clocks that run late.
pub(crate) const SKEW: u64 = 3600;

/// Framing, authenticated data and padding to a fixed step, of 64 KiB at most, around a payload.
const MESSAGE_OVERHEAD: usize = 128 * 1024;

#[cfg(test)]
mod tests;
