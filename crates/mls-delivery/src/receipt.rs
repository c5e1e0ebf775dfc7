//! Signed receipts: what the service said about a commit, so that it cannot say something else to others.
//!
//! In: the commit that the service took. Out: a signature of the service's key.
//! Always: for one group, epoch and attempt there is one receipt. Two that differ are proof, to anybody, that the service
//! showed different commits to different members.

use mls_crypto::{CryptoError, Opaque, SignaturePrivateKey, SignaturePublicKey};
use tls_codec::{TlsDeserializeBytes, TlsSerialize, TlsSize};

use crate::{Digest, GroupId, Rejection, Seq, ServiceCrypto, crypto::OWN_SUITE};

const LABEL: &str = "receipt";

/// Which commit ended an epoch.
#[derive(Clone, Debug, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct Ruling {
    /// Of which group.
    pub group_id: GroupId,
    /// Which epoch.
    pub epoch: u64,
    /// How often the members have voided the end of this epoch before.
    pub attempt: u32,
    /// Where the commit is.
    pub seq: Seq,
    /// SHA-256 of the commit.
    pub digest: Digest,
}

/// A ruling, signed by the service.
#[derive(Clone, Debug, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct Receipt {
    /// What was ruled.
    pub ruling: Ruling,
    /// Over the ruling.
    pub signature: Opaque,
}

/// The key that a service signs with: Ed25519.
#[derive(Debug)]
pub struct ServiceKey {
    private_key: SignaturePrivateKey,
    public_key: SignaturePublicKey,
}

impl ServiceKey {
    /// The key with this seed.
    ///
    /// # Errors
    /// [`CryptoError::InvalidPrivateKey`].
    pub fn new(crypto: &ServiceCrypto, private_key: SignaturePrivateKey) -> Result<Self, CryptoError> {
        let public_key = crypto.own().signature_public_key(&private_key)?;
        Ok(Self { private_key, public_key })
    }

    /// The public half, by which clients know the service.
    pub fn public_key(&self) -> &SignaturePublicKey {
        &self.public_key
    }

    /// Signs a ruling; the same one always gives the same receipt.
    ///
    /// # Errors
    /// As the provider signs.
    pub fn sign(&self, crypto: &ServiceCrypto, ruling: Ruling) -> Result<Receipt, CryptoError> {
        let signature = crypto.sign(OWN_SUITE, &self.private_key, LABEL, &ruling)?;
        Ok(Receipt { ruling, signature: signature.into() })
    }
}

impl Receipt {
    /// Whether the service signed this.
    ///
    /// # Errors
    /// [`Rejection::BadSignature`].
    pub fn verify(&self, crypto: &ServiceCrypto, service: &SignaturePublicKey) -> Result<(), Rejection> {
        crypto.verify(OWN_SUITE, service, (LABEL, &self.ruling), self.signature.as_slice())
    }
}

/// Whether two receipts of one service contradict each other: proof that it told members different things.
///
/// # Errors
/// [`Rejection::BadSignature`] if one of them is not the service's, and proves nothing.
pub fn contradict(
    crypto: &ServiceCrypto,
    service: &SignaturePublicKey,
    (one, other): (&Receipt, &Receipt),
) -> Result<bool, Rejection> {
    one.verify(crypto, service)?;
    other.verify(crypto, service)?;
    let (one, other) = (&one.ruling, &other.ruling);
    let same_place = one.group_id == other.group_id && one.epoch == other.epoch && one.attempt == other.attempt;
    let same_seq = one.group_id == other.group_id && one.seq == other.seq;
    Ok((same_place || same_seq) && one != other)
}
