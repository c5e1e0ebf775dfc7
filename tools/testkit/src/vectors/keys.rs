//! Private keys of the files, in the form that providers take.
//!
//! Some files drop the leading zero bytes of P-521 scalars. Keys of a fixed length are ours to restore (RFC 9180,
//! Section 7.1.2): a provider takes no shorter ones.

use mls_crypto::{HpkePrivateKey, Kem, Secret, SignaturePrivateKey, SignatureScheme, SuiteCrypto};

use super::Hex;

/// A signature private key.
pub(super) fn signature_key(suite: &dyn SuiteCrypto, bytes: &Hex) -> SignaturePrivateKey {
    let len = match suite.parameters().signature {
        SignatureScheme::EcdsaP256Sha256 => 32,
        SignatureScheme::EcdsaP384Sha384 => 48,
        SignatureScheme::EcdsaP521Sha512 => 66,
        _ => bytes.len(),
    };
    SignaturePrivateKey::new(padded(bytes, len))
}

/// An HPKE private key.
pub(super) fn hpke_key(suite: &dyn SuiteCrypto, bytes: &Hex) -> HpkePrivateKey {
    let len = match suite.parameters().kem {
        Kem::P256 => 32,
        Kem::P384 => 48,
        Kem::P521 => 66,
        _ => bytes.len(),
    };
    HpkePrivateKey::new(padded(bytes, len))
}

/// Zero bytes in front, up to `len`.
fn padded(bytes: &Hex, len: usize) -> Secret {
    let zeros = vec![0; len.saturating_sub(bytes.len())];
    Secret::new([&zeros, &**bytes].concat())
}
