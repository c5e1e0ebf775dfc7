//! Names of pre-shared keys (RFC 9420, Section 8.4).

use mls_crypto::Opaque;
use tls_codec::{TlsDeserializeBytes, TlsSerialize, TlsSize};

/// `ResumptionPSKUsage`. DEC-10: a closed set.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, TlsDeserializeBytes, TlsSerialize, TlsSize)]
#[expect(clippy::exhaustive_enums, reason = "the RFC closes the set")]
#[repr(u8)]
pub enum ResumptionPskUsage {
    /// Chosen by the application.
    Application = 1,
    /// First commit of a re-initialized group (Section 11.2).
    ReInit = 2,
    /// First commit of a subgroup (Section 11.3).
    Branch = 3,
}

/// `psktype` with the fields it selects. DEC-10: a closed set.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, TlsDeserializeBytes, TlsSerialize, TlsSize)]
#[expect(clippy::exhaustive_enums, reason = "the RFC closes the set")]
#[repr(u8)]
pub enum PskKind {
    /// `external`: the application names it.
    #[tls_codec(discriminant = 1)]
    External(
        /// `psk_id`.
        Opaque,
    ),
    /// `resumption`: the `resumption_psk` of an epoch.
    #[tls_codec(discriminant = 2)]
    Resumption {
        /// What it is used for.
        usage: ResumptionPskUsage,
        /// Group it comes from.
        psk_group_id: Opaque,
        /// Epoch it comes from.
        psk_epoch: u64,
    },
}

/// `PreSharedKeyID`. LIST-07: two ids are the same only if the nonces are.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct PreSharedKeyId {
    /// Which key.
    pub kind: PskKind,
    /// Fresh random bytes, `Nh` of them (PROP-09, PROP-10).
    pub psk_nonce: Opaque,
}
