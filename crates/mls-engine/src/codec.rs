//! Exact decoding and typed faults over the TLS presentation language (RFC 9420, Section 2.1).
//!
//! In: bytes from anywhere. Out: a value that re-encodes to the same bytes (DEC-25), or a [`DecodeError`].
//! Always: no allocation beyond a small multiple of the input; nothing but the bytes is consulted.

use tls_codec::{DeserializeBytes, Serialize};

use crate::error::DecodeError;

/// What a hand-written decoder found wrong, carried through the codec's own error type.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Fault {
    DuplicateExtension,
    TooManyItems,
    UnsupportedVersion,
    UnsupportedWireFormat,
    NestedVersion,
    UnmergedLeavesNotSorted,
    TreeShape,
}

/// Faults travel as `UnknownValue` above every 32-bit value, which no registry number reaches.
const FAULT_BASE: u64 = 0xFA17_0000_0000_0000;

const FAULTS: [Fault; 7] = [
    Fault::DuplicateExtension,
    Fault::TooManyItems,
    Fault::UnsupportedVersion,
    Fault::UnsupportedWireFormat,
    Fault::NestedVersion,
    Fault::UnmergedLeavesNotSorted,
    Fault::TreeShape,
];

pub(crate) fn fault(kind: Fault) -> tls_codec::Error {
    let code = FAULTS.iter().zip(FAULT_BASE..).find(|(known, _)| **known == kind).map_or(FAULT_BASE, |(_, code)| code);
    tls_codec::Error::UnknownValue(code)
}

impl From<tls_codec::Error> for DecodeError {
    fn from(error: tls_codec::Error) -> Self {
        match error {
            tls_codec::Error::EndOfStream => Self::Truncated,
            tls_codec::Error::TrailingData => Self::TrailingBytes,
            tls_codec::Error::InvalidVectorLength => Self::InvalidLength,
            tls_codec::Error::UnknownValue(value) => FAULTS
                .iter()
                .zip(FAULT_BASE..)
                .find(|(_, code)| *code == value)
                .map_or(Self::UnknownValue(value), |(kind, _)| match kind {
                    Fault::DuplicateExtension => Self::DuplicateExtension,
                    Fault::TooManyItems => Self::TooManyItems,
                    Fault::UnsupportedVersion => Self::UnsupportedVersion,
                    Fault::UnsupportedWireFormat => Self::UnsupportedWireFormat,
                    Fault::NestedVersion => Self::VersionMismatch,
                    Fault::UnmergedLeavesNotSorted => Self::UnmergedLeavesNotSorted,
                    Fault::TreeShape => Self::InvalidTreeShape,
                }),
            _ => Self::Malformed,
        }
    }
}

/// Decodes one whole value. DEC-08: bytes left over are an error.
///
/// # Errors
/// [`DecodeError`], always before anything outside the returned value has changed.
pub fn decode_exact<T: DeserializeBytes>(bytes: &[u8]) -> Result<T, DecodeError> {
    Ok(T::tls_deserialize_exact_bytes(bytes)?)
}

/// Encodes a value. DEC-04: vectors of 2^30 bytes and more cannot be encoded.
///
/// # Errors
/// [`DecodeError::TooLong`].
pub fn encode<T: Serialize>(value: &T) -> Result<Vec<u8>, DecodeError> {
    value.tls_serialize_detached().map_err(|_| DecodeError::TooLong)
}
