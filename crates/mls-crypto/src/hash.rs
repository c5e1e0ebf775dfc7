//! Hash outputs and authentication tags as values of fixed capacity (RFC 9420, Sections 5.2, 6.1).

use crate::Opaque;
use core::fmt;

use subtle::ConstantTimeEq;
use tls_codec::{DeserializeBytes, Error, Serialize, Size, VLByteSlice};

/// Longest hash output of any suite: SHA-512.
const MAX: usize = 64;

/// Output of a suite's hash, `Nh` bytes; zero length stands for "none yet" (RFC 9420, Section 8.2).
///
/// Public data: compared with `==`. See [`Tag`] for values that authenticate.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Hash {
    bytes: [u8; MAX],
    /// At most `MAX`; a byte, since trees hold many hashes.
    len: u8,
}

impl Hash {
    /// The zero-length value.
    pub const EMPTY: Self = Self { bytes: [0; MAX], len: 0 };

    /// A hash with these bytes; `None` if longer than 64.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        let mut hash = Self { bytes: [0; MAX], len: u8::try_from(bytes.len()).ok()? };
        hash.bytes.get_mut(..bytes.len())?.copy_from_slice(bytes);
        Some(hash)
    }

    /// The bytes, `Nh` or zero of them.
    pub fn as_slice(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or_default()
    }

    /// Whether this is the zero-length value.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }
}

impl Default for Hash {
    fn default() -> Self {
        Self::EMPTY
    }
}

impl AsRef<[u8]> for Hash {
    fn as_ref(&self) -> &[u8] {
        self.as_slice()
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in self.as_slice() {
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

impl Size for Hash {
    fn tls_serialized_len(&self) -> usize {
        VLByteSlice(self.as_slice()).tls_serialized_len()
    }
}

impl Serialize for Hash {
    fn tls_serialize<W: std::io::Write>(&self, writer: &mut W) -> Result<usize, Error> {
        VLByteSlice(self.as_slice()).tls_serialize(writer)
    }
}

impl Size for &Hash {
    fn tls_serialized_len(&self) -> usize {
        (**self).tls_serialized_len()
    }
}

impl Serialize for &Hash {
    fn tls_serialize<W: std::io::Write>(&self, writer: &mut W) -> Result<usize, Error> {
        (**self).tls_serialize(writer)
    }
}

impl DeserializeBytes for Hash {
    fn tls_deserialize_bytes(bytes: &[u8]) -> Result<(Self, &[u8]), Error> {
        let (value, rest) = Opaque::tls_deserialize_bytes(bytes)?;
        let hash = Self::from_slice(value.as_slice()).ok_or(Error::InvalidVectorLength)?;
        Ok((hash, rest))
    }
}

/// An authentication tag (RFC 9420, Sections 6.1 and 6.2).
///
/// CRY-11: equal length and constant-time equality; there is no other comparison.
#[derive(Clone, Copy)]
pub struct Tag(Hash);

impl Tag {
    /// A tag with these bytes; `None` if longer than 64.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        Hash::from_slice(bytes).map(Self)
    }

    /// The bytes.
    pub fn as_slice(&self) -> &[u8] {
        self.0.as_slice()
    }

    /// Whether both have the same length and bytes; the time taken depends on the lengths alone.
    #[must_use]
    pub fn ct_eq(&self, other: &Self) -> bool {
        self.0.len == other.0.len && bool::from(self.0.bytes.ct_eq(&other.0.bytes))
    }
}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tag({:?})", self.0)
    }
}

impl Size for Tag {
    fn tls_serialized_len(&self) -> usize {
        self.0.tls_serialized_len()
    }
}

impl Serialize for Tag {
    fn tls_serialize<W: std::io::Write>(&self, writer: &mut W) -> Result<usize, Error> {
        self.0.tls_serialize(writer)
    }
}

impl Size for &Tag {
    fn tls_serialized_len(&self) -> usize {
        (**self).tls_serialized_len()
    }
}

impl Serialize for &Tag {
    fn tls_serialize<W: std::io::Write>(&self, writer: &mut W) -> Result<usize, Error> {
        (**self).tls_serialize(writer)
    }
}

impl DeserializeBytes for Tag {
    fn tls_deserialize_bytes(bytes: &[u8]) -> Result<(Self, &[u8]), Error> {
        let (hash, rest) = Hash::tls_deserialize_bytes(bytes)?;
        Ok((Self(hash), rest))
    }
}

#[cfg(test)]
mod tests;
