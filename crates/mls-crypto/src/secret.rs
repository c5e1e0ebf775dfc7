//! The one container of secret bytes (RFC 9420, Sections 8 and 9.2).

use core::fmt;

use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// Secret bytes: boxed so that moving leaves no copy, wiped on drop, never printed.
///
/// There is no `Clone` and no `PartialEq`: a copy is asked for by name
/// ([`Secret::duplicate`]), a comparison takes constant time ([`Secret::ct_eq`]).
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Secret(Box<[u8]>);

impl Secret {
    /// Takes ownership of the bytes. A vector with spare capacity is copied and wiped first.
    pub fn new(mut bytes: Vec<u8>) -> Self {
        if bytes.len() == bytes.capacity() {
            return Self(bytes.into_boxed_slice());
        }
        let secret = Self::copy_from(&bytes);
        bytes.zeroize();
        secret
    }

    /// A secret holding a copy of `bytes`; the caller wipes the original.
    pub fn copy_from(bytes: &[u8]) -> Self {
        Self(bytes.into())
    }

    /// `len` zero bytes (RFC 9420, Section 8: `0` stands for `Nh` zero bytes).
    pub fn zero(len: usize) -> Self {
        Self(vec![0; len].into_boxed_slice())
    }

    /// A second owner of the same bytes. Reviewed at each call: deletion must reach both.
    #[must_use]
    pub fn duplicate(&self) -> Self {
        Self(self.0.clone())
    }

    /// The bytes, for the one computation at hand.
    pub fn as_slice(&self) -> &[u8] {
        &self.0
    }

    /// The bytes, to be written in place.
    pub fn as_mut_slice(&mut self) -> &mut [u8] {
        &mut self.0
    }

    /// Number of bytes.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Equality in constant time for equal lengths; the length is public.
    #[must_use]
    pub fn ct_eq(&self, other: &Self) -> bool {
        bool::from(self.0.ct_eq(&other.0))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}
