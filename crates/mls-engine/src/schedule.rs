//! The key schedule and the secret tree (RFC 9420, Sections 8 and 9).
//!
//! In: the init secret of the last epoch, the commit secret, PSKs and the group context; for messages, a leaf and a
//! generation. Out: the secrets of an epoch, each in its own type, and keys for one message each.
//! Always: a step that ends a secret takes it by value, so what is spent is wiped when the step returns (Section 9.2).

mod epoch;
mod exporter;
mod external;
mod psk;
mod ratchet;
mod secret_tree;
mod secret_type;
mod skipped;
mod spent;
#[cfg(test)]
mod testing;
mod transcript;

pub use epoch::{
    CommitSecret, ConfirmationKey, EncryptionSecret, EpochSecret, EpochSecrets, InitSecret, JoinerSecret,
    MembershipKey, ResumptionPsk, SenderDataSecret, WelcomeSecret,
};
pub use exporter::{EpochAuthenticator, ExporterSecret, check_exporter_label};
pub use external::ExternalSecret;
pub use psk::{PskSecret, psk_secret};
pub use ratchet::{MessageKey, MessageKeyId, RatchetKind};
pub use secret_tree::{SecretTree, Walk};
pub use spent::{SecretTreeChange, Spent};
pub use transcript::{confirmation_tag, confirmed_transcript_hash, interim_transcript_hash};
