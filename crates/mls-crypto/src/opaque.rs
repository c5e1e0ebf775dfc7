//! Byte strings on the wire (RFC 9420, Section 2.1.2).
//!
//! In: bytes from anywhere. Out: a value that owns them, or an error.
//! Always: DEC-06: a header that announces more than there is gives an error before memory is taken, in every build.

use core::fmt;
use std::io;

use tls_codec::{DeserializeBytes, Error, Serialize, Size, VLByteSlice, vlen};
use zeroize::Zeroize;

/// `opaque<V>`: bytes with a length header.
#[derive(Clone, Default, Eq, Hash, Ord, PartialEq, PartialOrd, Zeroize)]
pub struct Opaque(Vec<u8>);

impl Opaque {
    /// A value of these bytes.
    pub const fn new(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The bytes.
    pub fn as_slice(&self) -> &[u8] {
        &self.0
    }
}

impl From<Vec<u8>> for Opaque {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl From<&[u8]> for Opaque {
    fn from(bytes: &[u8]) -> Self {
        Self(bytes.to_vec())
    }
}

impl<const N: usize> From<&[u8; N]> for Opaque {
    fn from(bytes: &[u8; N]) -> Self {
        Self(bytes.to_vec())
    }
}

impl From<Opaque> for Vec<u8> {
    fn from(opaque: Opaque) -> Self {
        opaque.0
    }
}

impl AsRef<[u8]> for Opaque {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Opaque {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in &self.0 {
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

impl Size for Opaque {
    fn tls_serialized_len(&self) -> usize {
        VLByteSlice(&self.0).tls_serialized_len()
    }
}

impl Serialize for Opaque {
    fn tls_serialize<W: io::Write>(&self, writer: &mut W) -> Result<usize, Error> {
        VLByteSlice(&self.0).tls_serialize(writer)
    }
}

impl Size for &Opaque {
    fn tls_serialized_len(&self) -> usize {
        (**self).tls_serialized_len()
    }
}

impl Serialize for &Opaque {
    fn tls_serialize<W: io::Write>(&self, writer: &mut W) -> Result<usize, Error> {
        (**self).tls_serialize(writer)
    }
}

impl DeserializeBytes for Opaque {
    fn tls_deserialize_bytes(bytes: &[u8]) -> Result<(Self, &[u8]), Error> {
        let mut rest = bytes;
        let (len, _) = vlen::read_length(&mut rest)?;
        // DEC-06
        let (value, rest) = rest.split_at_checked(len).ok_or(Error::EndOfStream)?;
        Ok((Self(value.to_vec()), rest))
    }
}

#[cfg(test)]
mod tests;
