//! Device certificates: a user's master key says which signature keys are the user's.
//!
//! ```text
//! struct {
//!     uint8  version = 1;
//!     opaque user<V>;             the identity of the leaf's basic credential
//!     opaque device<V>;           1 to 64 bytes, the same for as long as the device is the user's
//!     opaque signature_key<V>;    the leaf's
//!     opaque master_key<V>;       Ed25519
//!     uint64 serial;              larger with each certificate of the user
//!     uint64 not_before;          seconds since 1970
//!     uint64 not_after;
//! } DeviceStatement;
//!
//! struct {
//!     DeviceStatement statement;
//!     opaque signature<V>;        by the master key, over "SpacePanda identity 1 device certificate" and the statement
//! } DeviceCertificate;
//! ```
//!
//! It travels in an extension of the leaf (RFC 9420, Section 7.2), so that the credential stays what other implementations,
//! roles and the delivery service know the user by.

use mls_crypto::{Opaque, SignaturePublicKey, Signer};
use mls_engine::{
    message::{ExtensionType, Extensions},
    policy::Timestamp,
};
use tls_codec::{DeserializeBytes, Serialize, TlsDeserializeBytes, TlsSerialize, TlsSize};

use crate::{
    IdentityError,
    claim::IdentityClaim,
    crypto::{IdentityCrypto, labelled},
    reason,
};

/// The type of the extension of a leaf, of the range for private use (RFC 9420, Section 17.3).
pub const DEVICE_CERTIFICATE: ExtensionType = ExtensionType(0xF0A3);
/// Bytes of an encoded certificate, at most.
pub const CERTIFICATE_BYTES_MAX: usize = 2_048;
/// Bytes of a device id, at most.
pub const DEVICE_ID_BYTES_MAX: usize = 64;

const VERSION: u8 = 1;
const LABEL: &str = "device certificate";

/// From when to when, in seconds since 1970, both included.
#[derive(Clone, Copy, Debug, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
#[expect(clippy::exhaustive_structs, reason = "a time that something is valid has these two ends")]
pub struct Validity {
    /// The first second.
    pub not_before: Timestamp,
    /// The last one.
    pub not_after: Timestamp,
}

impl Validity {
    /// Whether it is valid then.
    pub const fn contains(self, now: Timestamp) -> bool {
        self.not_before <= now && now <= self.not_after
    }
}

/// What a certificate is to say.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_structs, reason = "made by whoever issues certificates; a field more is another version")]
pub struct DeviceClaim<'a> {
    /// The user, as in the device's basic credential.
    pub user: &'a [u8],
    /// The device: 1 to [`DEVICE_ID_BYTES_MAX`] bytes, random ones if there is nothing better.
    pub device: &'a [u8],
    /// The device's signature public key.
    pub signature_key: &'a [u8],
    /// Larger than those of all certificates before; the time in seconds will do.
    pub serial: u64,
    /// From when to when.
    pub validity: Validity,
}

#[derive(Clone, Debug, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
struct Statement {
    version: u8,
    user: Opaque,
    device: Opaque,
    signature_key: Opaque,
    master_key: Opaque,
    serial: u64,
    validity: Validity,
}

/// A user's word for one key of one device.
#[derive(Clone, Debug, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct DeviceCertificate {
    statement: Statement,
    signature: Opaque,
}

impl DeviceCertificate {
    /// Issued by the user's master key, wherever it is.
    ///
    /// # Errors
    /// [`IdentityError::Invalid`] for a device without an id, a value that is too long, or an end before the beginning;
    /// [`IdentityError::Crypto`] if the master key does not sign.
    pub fn issue(master: &dyn Signer, claim: &DeviceClaim<'_>) -> Result<Self, IdentityError> {
        let statement = Statement {
            version: VERSION,
            user: claim.user.into(),
            device: claim.device.into(),
            signature_key: claim.signature_key.into(),
            master_key: master.public_key().as_slice().into(),
            serial: claim.serial,
            validity: claim.validity,
        };
        statement.check().map_err(|_| IdentityError::Invalid)?;
        let signature = master.sign(&labelled(LABEL, &statement)?)?.into();
        let certificate = Self { statement, signature };
        if certificate.to_bytes()?.len() > CERTIFICATE_BYTES_MAX {
            Err(IdentityError::Invalid)
        } else {
            Ok(certificate)
        }
    }

    /// Encoded: the extension's body. There is one encoding of a certificate.
    ///
    /// # Errors
    /// [`IdentityError::Invalid`] cannot happen with what was issued or decoded.
    pub fn to_bytes(&self) -> Result<Vec<u8>, IdentityError> {
        self.tls_serialize_detached().map_err(|_| IdentityError::Invalid)
    }

    /// Out of what [`DeviceCertificate::to_bytes`] gave. Its signature is not verified here: see
    /// [`DeviceCertificate::verify`].
    ///
    /// # Errors
    /// [`IdentityError::Malformed`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, IdentityError> {
        if bytes.len() > CERTIFICATE_BYTES_MAX {
            return Err(IdentityError::Malformed);
        }
        let certificate = Self::tls_deserialize_exact_bytes(bytes).map_err(|_| IdentityError::Malformed)?;
        certificate.statement.check()?;
        Ok(certificate)
    }

    /// Of a leaf with these extensions; `None` if it has none.
    ///
    /// # Errors
    /// [`IdentityError::Malformed`].
    pub fn of(extensions: &Extensions) -> Result<Option<Self>, IdentityError> {
        extensions.get(DEVICE_CERTIFICATE).map(Self::from_bytes).transpose()
    }

    /// Puts it among the extensions of a leaf.
    ///
    /// # Errors
    /// As [`DeviceCertificate::to_bytes`].
    pub fn put(&self, extensions: &mut Extensions) -> Result<(), IdentityError> {
        extensions.set(DEVICE_CERTIFICATE, self.to_bytes()?);
        Ok(())
    }

    /// Whether the master key that it names has signed it. Whether that is the user's is another question.
    ///
    /// # Errors
    /// [`IdentityError::BadSignature`].
    pub fn verify(&self, crypto: &IdentityCrypto) -> Result<(), IdentityError> {
        let message = labelled(LABEL, &self.statement)?;
        crypto.verify(self.statement.master_key.as_slice(), &message, self.signature.as_slice())
    }

    /// The certificate that a claim shows, if it shows one: for this user and key, signed by the master key that it names.
    /// Neither its time nor the master key is judged here.
    ///
    /// # Errors
    /// [`reason::BAD_CERTIFICATE`].
    pub fn shown(crypto: &IdentityCrypto, claim: &IdentityClaim<'_>) -> Result<Option<Self>, u16> {
        let Some(extensions) = claim.extensions else { return Ok(None) };
        let certificate = Self::of(extensions).map_err(|_| reason::BAD_CERTIFICATE)?;
        let Some(certificate) = certificate else { return Ok(None) };
        let is_theirs = certificate.user() == claim.identity && certificate.signature_key() == claim.signature_key;
        if !is_theirs || certificate.verify(crypto).is_err() {
            return Err(reason::BAD_CERTIFICATE);
        }
        Ok(Some(certificate))
    }

    /// The user.
    pub fn user(&self) -> &[u8] {
        self.statement.user.as_slice()
    }

    /// The device: the same in all certificates of one device.
    pub fn device(&self) -> &[u8] {
        self.statement.device.as_slice()
    }

    /// The signature key that it is for.
    pub fn signature_key(&self) -> &[u8] {
        self.statement.signature_key.as_slice()
    }

    /// Whose word it is.
    pub fn master_key(&self) -> SignaturePublicKey {
        SignaturePublicKey::new(self.statement.master_key.as_slice().to_vec())
    }

    /// Its number among the user's certificates.
    pub const fn serial(&self) -> u64 {
        self.statement.serial
    }

    /// From when to when.
    pub const fn validity(&self) -> Validity {
        self.statement.validity
    }
}

impl Statement {
    fn check(&self) -> Result<(), IdentityError> {
        let device = 1..=DEVICE_ID_BYTES_MAX;
        let is_sound = self.version == VERSION
            && device.contains(&self.device.as_slice().len())
            && self.validity.not_before <= self.validity.not_after;
        if is_sound { Ok(()) } else { Err(IdentityError::Malformed) }
    }
}
