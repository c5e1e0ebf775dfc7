//! One Welcome per joiner out of one for all (RFC 9420, Section 12.4.3.1 allows both).
//!
//! In: a Welcome of ours. Out: as many Welcomes as it has recipients, in its order, with one entry each.

use mls_engine::{
    codec::{decode_exact, encode},
    error::DecodeError,
    message::{MlsMessage, Welcome},
};

use super::{envelope::MlsEnvelope, error::MlsResult};

/// Splits an envelope with a Welcome.
pub(crate) fn split(envelope: &MlsEnvelope) -> MlsResult<Vec<MlsEnvelope>> {
    let welcome = decode(envelope.unwrap_welcome()?)?;
    let (cipher_suite, info) = (welcome.cipher_suite, welcome.encrypted_group_info);
    let one = |entry| {
        let welcome = Welcome { cipher_suite, secrets: vec![entry], encrypted_group_info: info.clone() };
        MlsEnvelope::wrap_welcome(envelope.group_id(), encode(&MlsMessage::Welcome(Box::new(welcome)))?)
    };
    welcome.secrets.into_iter().map(one).collect()
}

/// A Welcome out of its MLSMessage.
pub(crate) fn decode(message: &[u8]) -> MlsResult<Welcome> {
    match decode_exact(message)? {
        MlsMessage::Welcome(welcome) => Ok(*welcome),
        _ => Err(DecodeError::UnsupportedWireFormat.into()),
    }
}
