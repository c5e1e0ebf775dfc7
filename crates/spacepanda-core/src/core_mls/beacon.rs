//! Beacons: the signed word of a member about which epochs it has (RFC 9420, Section 8.7).
//!
//! In: a member's epochs. Out: bytes that every member of the group can check, also one that has come to stand elsewhere
//! and shares no epoch key with the sender.
//! Always: signed under a label of its own with the key of the member's leaf; holds hashes only.
//!
//! ```text
//! "SPBEACON" | u16 version = 1 | opaque group_id<V> | opaque signature_key<V> | { u64 epoch | opaque name<V> } epochs<V>
//!            | opaque signature<V>
//! ```

use mls_crypto::{
    Hash, Opaque, SignaturePrivateKey, SignaturePublicKey, SuiteCrypto,
    label::{sign_with_label, verify_with_label},
};
use mls_engine::{error::DecodeError, group::PublicState};
use tls_codec::{DeserializeBytes, Serialize, TlsDeserializeBytes, TlsSerialize, TlsSize};

use super::{
    chronicle::MAX_TOLD,
    error::{MlsError, MlsResult},
};

/// What a member says about its epochs.
#[derive(Debug)]
pub(crate) struct Claims {
    /// Latest first, never empty.
    pub(crate) epochs: Vec<(u64, Hash)>,
}

#[derive(Debug, TlsDeserializeBytes, TlsSerialize, TlsSize)]
struct EpochForm {
    epoch: u64,
    name: Opaque,
}

#[derive(Debug, TlsDeserializeBytes, TlsSerialize, TlsSize)]
struct Told {
    version: u16,
    group_id: Opaque,
    signature_key: SignaturePublicKey,
    epochs: Vec<EpochForm>,
}

#[derive(Debug, TlsDeserializeBytes, TlsSerialize, TlsSize)]
struct Form {
    told: Told,
    signature: Opaque,
}

impl Claims {
    /// The epoch the member is in.
    pub(crate) fn current(&self) -> u64 {
        self.epochs.iter().map(|(epoch, _)| *epoch).max().unwrap_or(0)
    }
}

/// A beacon of ours.
pub(crate) fn sign(
    suite: &dyn SuiteCrypto,
    (private, public): (&SignaturePrivateKey, &[u8]),
    group_id: &[u8],
    epochs: &[(u64, Hash)],
) -> MlsResult<Vec<u8>> {
    let epochs = epochs.iter().map(|(epoch, name)| EpochForm { epoch: *epoch, name: name.as_slice().into() });
    let told = Told {
        version: VERSION,
        group_id: group_id.into(),
        signature_key: SignaturePublicKey::new(public.to_vec()),
        epochs: epochs.collect(),
    };
    let signature = Opaque::new(sign_with_label(suite, private, LABEL, &encode(&told)?)?);
    Ok([MAGIC, &encode(&Form { told, signature })?].concat())
}

/// Whether bytes beside a message are a beacon.
pub(crate) fn is_beacon(authenticated_data: &[u8]) -> bool {
    authenticated_data.starts_with(MAGIC)
}

/// What a beacon says, and the identity of the member that says it.
pub(crate) fn verify(suite: &dyn SuiteCrypto, state: &PublicState, bytes: &[u8]) -> MlsResult<(Claims, Vec<u8>)> {
    let body = bytes.strip_prefix(MAGIC).ok_or(MlsError::Malformed(DecodeError::Truncated))?;
    if body.len() > MAX_BYTES {
        return Err(MlsError::TooLarge { len: body.len(), limit: MAX_BYTES });
    }
    let Form { told, signature } = Form::tls_deserialize_exact_bytes(body).map_err(DecodeError::from)?;
    if told.version != VERSION {
        return Err(MlsError::UnsupportedVersion(told.version));
    }
    if told.group_id.as_slice() != state.context().group_id.as_slice() {
        return Err(MlsError::GroupMismatch);
    }
    let members = state.tree().members();
    let sender = members.iter().find(|(_, leaf)| leaf.signature_key == told.signature_key);
    let (_, sender) = sender.ok_or(MlsError::UnknownIdentity)?;
    verify_with_label(suite, &told.signature_key, LABEL, &encode(&told)?, signature.as_slice())?;
    let epochs = told.epochs.into_iter().map(|form| Some((form.epoch, Hash::from_slice(form.name.as_slice())?)));
    let epochs: Vec<_> = epochs.collect::<Option<_>>().ok_or(MlsError::Malformed(DecodeError::InvalidLength))?;
    if epochs.is_empty() || epochs.len() > MAX_TOLD {
        return Err(MlsError::TooLarge { len: epochs.len(), limit: MAX_TOLD });
    }
    Ok((Claims { epochs }, super::types::identity(sender)))
}

fn encode(form: &impl Serialize) -> MlsResult<Vec<u8>> {
    form.tls_serialize_detached().map_err(|_| MlsError::InvalidRecord)
}

/// What beacons begin with.
const MAGIC: &[u8] = b"SPBEACON";
const VERSION: u16 = 1;
/// What they are signed under; no label of RFC 9420 begins so.
const LABEL: &str = "SpacePanda Beacon";
/// Bytes of a beacon, at most: 16 epochs, two keys and a signature fit twice.
const MAX_BYTES: usize = 4_096;
