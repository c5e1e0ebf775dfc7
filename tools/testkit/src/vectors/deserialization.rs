//! `deserialization.json`: length headers of vectors (RFC 9420, Section 2.1.2).

use mls_crypto::Opaque;
use mls_engine::{codec::decode_exact, error::DecodeError};
use serde::Deserialize;
use tls_codec::vlen;

use super::{
    Hex,
    outcome::{Outcome, equal, same},
};

/// Headers up to this length are also decoded with as many bytes behind them; the longest one stands for 1 GiB.
const MAX_BODY: usize = 1 << 16;

/// One header and the length it stands for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    vlbytes_header: Hex,
    length: usize,
}

/// The header reads as the length, the length writes as the header, and a vector takes as many bytes as it says.
///
/// # Errors
/// The first difference.
pub fn check(case: &Case) -> Outcome {
    let read = vlen::read_length(&mut &*case.vlbytes_header)?;
    equal("length", read, (case.length, case.vlbytes_header.len()))?;
    let mut written = Vec::new();
    vlen::write_length(&mut written, case.length)?;
    same("header", written, &*case.vlbytes_header)?;
    if case.length <= MAX_BODY { body(case) } else { Ok(()) }
}

fn body(case: &Case) -> Outcome {
    let mut bytes = case.vlbytes_header.to_vec();
    bytes.resize(bytes.len() + case.length, 0xA5);
    let value: Opaque = decode_exact(&bytes)?;
    equal("bytes", value.as_slice().len(), case.length)?;
    bytes.push(0);
    equal("one byte more", decode_exact::<Opaque>(&bytes), Err(DecodeError::TrailingBytes))
}
