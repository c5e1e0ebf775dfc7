//! Every cap on what a peer chooses. Checked before memory is taken or a loop is entered.
//!
//! Constants are hard caps of the engine; [`Limits`] holds what a host may configure below them.

/// Leaves in a tree, whatever the configuration (X-DOS-03).
pub const MAX_LEAVES: u32 = 1 << 24;
/// Extensions in one list.
pub const MAX_EXTENSIONS: usize = 64;
/// PSKs in one commit or Welcome.
pub const MAX_PSKS: usize = 64;
/// Entries of `external_senders`.
pub const MAX_EXTERNAL_SENDERS: usize = 64;
/// Certificates in one X.509 chain (X-DOS-09).
pub const MAX_CERTIFICATES: usize = 8;
/// Bytes of one X.509 chain (X-DOS-09).
pub const MAX_CERTIFICATE_CHAIN: usize = 64 * 1024;
/// Pending commit candidates of our own that may stand side by side.
pub const MAX_PENDING_COMMITS: usize = 16;

/// Limits a host may set; the default suits a chat group of up to 1,000 members.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Limits {
    /// Members a group may have (CAP-29). Every member must use the same value.
    pub max_members: u32,
    /// Bytes of one application payload (ADV-12).
    pub max_application_data: usize,
    /// Bytes of one KeyPackage (X-DOS-02).
    pub max_key_package: usize,
    /// Bytes of one PublicMessage or PrivateMessage that holds a proposal or application data.
    pub max_message: usize,
    /// How far a sender may run ahead of us in one message (PM-11).
    pub max_forward_generations: u32,
    /// Ratchet steps for one sender in one epoch, our own included (X-DOS-05, CRY-13, PM-13).
    pub max_derivations: u32,
    /// Skipped message keys kept per sender (PM-12).
    pub max_skipped_keys_per_sender: usize,
    /// Skipped message keys kept per group (PM-12).
    pub max_skipped_keys: usize,
    /// Seconds a skipped key of an application message is kept (PM-12, DEL-06).
    pub max_skipped_key_age: u64,
    /// Past epochs whose messages can still be read (EPO-03).
    pub max_past_epochs: usize,
    /// Seconds a past epoch is kept (EPO-03).
    pub max_past_epoch_age: u64,
    /// Resumption PSKs of past epochs (KS-08).
    pub max_resumption_psks: usize,
    /// Proposals cached in one epoch (X-DOS-06).
    pub max_cached_proposals: usize,
    /// Proposals cached of one sender in one epoch (X-DOS-06, XS-08).
    pub max_cached_proposals_per_sender: usize,
    /// Generations of our own reserved durably in one step (X-STATE-01).
    pub generation_block: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_members: 1_000,
            max_application_data: 1 << 20,
            max_key_package: 64 * 1024,
            max_message: (1 << 20) + 64 * 1024,
            max_forward_generations: 1_000,
            max_derivations: 100_000,
            max_skipped_keys_per_sender: 256,
            max_skipped_keys: 10_000,
            max_skipped_key_age: 24 * 3600,
            max_past_epochs: 3,
            max_past_epoch_age: 14 * 24 * 3600,
            max_resumption_psks: 5,
            max_cached_proposals: 1_024,
            max_cached_proposals_per_sender: 64,
            generation_block: 32,
        }
    }
}

impl Limits {
    /// Bytes a Commit may have in a legal group: a path and one Add per possible member, each with the largest
    /// KeyPackage in practice.
    pub fn max_commit(&self, kem_output_len: usize) -> usize {
        let members = usize::try_from(self.max_members).unwrap_or(usize::MAX);
        let per_member = kem_output_len.saturating_mul(4).saturating_add(1_024);
        members.saturating_mul(per_member).saturating_add(self.max_message)
    }

    /// Bytes a Welcome, a GroupInfo or a ratchet tree may have in a legal group.
    pub fn max_welcome(&self, kem_output_len: usize) -> usize {
        self.max_commit(kem_output_len).saturating_mul(2)
    }
}
