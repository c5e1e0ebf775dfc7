//! `opaque<V>` read from bytes of others (RFC 9420, Section 2.1.2).
//!
//! In: bytes from anywhere. Out: bytes, or an error.
//! Always: no panic in any build. The library's own type asserts, in builds with debug assertions, that the length it reads
//! is there.

use tls_codec::{DeserializeBytes, Error, Size, TlsVarInt, VLByteSlice};

/// Bytes with a length in front.
#[derive(Debug)]
pub(crate) struct Opaque(pub(crate) Vec<u8>);

impl Size for Opaque {
    fn tls_serialized_len(&self) -> usize {
        VLByteSlice(&self.0).tls_serialized_len()
    }
}

impl DeserializeBytes for Opaque {
    fn tls_deserialize_bytes(bytes: &[u8]) -> Result<(Self, &[u8]), Error> {
        let (len, rest) = TlsVarInt::tls_deserialize_bytes(bytes)?;
        let len = usize::try_from(len.value()).map_err(|_| Error::InvalidVectorLength)?;
        let (value, rest) = rest.split_at_checked(len).ok_or(Error::EndOfStream)?;
        Ok((Self(value.to_vec()), rest))
    }
}
