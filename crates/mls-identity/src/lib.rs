//! Who stands behind a key of a group (RFC 9420, Sections 5.3 and 5.3.1). Sans-IO.
//!
//! In: credentials, as an engine shows them, and what an application knows of people. Out: yes, or the reason why not.
//! Always: nobody is believed by default; a certificate that is shown is valid or refused; time is an argument.
//!
//! A user has devices, each with a signature key of its own. What binds the two is one of: a [`DeviceCertificate`] that the
//! user's master key signed ([`CertifiedDevices`]), a chain of X.509 certificates ([`X509Identities`]), or that somebody has
//! seen or compared the key.

pub mod reason;

mod certificate;
mod certified;
mod claim;
mod crypto;
mod error;
mod revocation;
mod safety;
mod x509;

pub use certificate::{
    CERTIFICATE_BYTES_MAX, DEVICE_CERTIFICATE, DEVICE_ID_BYTES_MAX, DeviceCertificate, DeviceClaim, Validity,
};
pub use certified::CertifiedDevices;
pub use claim::{ClaimRole, IdentityClaim, IdentityPolicy, user_of};
pub use crypto::IdentityCrypto;
pub use error::IdentityError;
pub use revocation::{REVOCATIONS_MAX, RevocationList, Revocations};
pub use safety::{QrMismatch, SafetyNumber, digits};
pub use x509::X509Identities;
