//! Who may write to a group, without saying who it is.
//!
//! In: 32 bytes that the members of an epoch export (RFC 9420, Section 8.5). Out: a key pair that all of them have. The public
//! half is registered with the commit that begins the epoch; a request signed with it comes from a member of that
//! epoch, and from none in particular.
//! Always: a signature binds the action, the group, the epoch and every byte of the request.

use mls_crypto::{CryptoError, Opaque, Secret, SignaturePrivateKey, SignaturePublicKey};
use tls_codec::{Serialize, TlsDeserializeBytes, TlsSerialize, TlsSize};

use crate::{Digest, GroupId, Rejection, ServiceCrypto, crypto::OWN_SUITE};

/// The label under which members export the seed of the write key, with an empty context.
pub const WRITE_KEY_LABEL: &str = "SpacePanda delivery write key";

/// How many bytes they export.
pub const WRITE_KEY_LEN: usize = 32;

const LABEL: &str = "group access";
const JOIN_LABEL: &str = "join token";

/// The write key of one epoch: Ed25519.
#[derive(Debug)]
pub struct WriteKey {
    private_key: SignaturePrivateKey,
    public_key: SignaturePublicKey,
}

impl WriteKey {
    /// The key that the members of an epoch share. `exported` is what [`WRITE_KEY_LABEL`] gives, [`WRITE_KEY_LEN`] bytes.
    ///
    /// # Errors
    /// [`CryptoError::InvalidPrivateKey`] for another length.
    pub fn new(crypto: &ServiceCrypto, exported: Secret) -> Result<Self, CryptoError> {
        let private_key = SignaturePrivateKey::new(exported);
        let public_key = crypto.own().signature_public_key(&private_key)?;
        Ok(Self { private_key, public_key })
    }

    /// The half that the service knows.
    pub fn public_key(&self) -> &SignaturePublicKey {
        &self.public_key
    }

    /// Signs what is wanted of the group.
    ///
    /// # Errors
    /// As the provider signs.
    pub fn sign(&self, crypto: &ServiceCrypto, intent: &Intent) -> Result<Access, CryptoError> {
        let signature = crypto.sign(OWN_SUITE, &self.private_key, LABEL, intent)?;
        let public_key = self.public_key.clone();
        Ok(Access::Member { epoch: intent.epoch, public_key, signature: signature.into() })
    }
}

/// What a request wants of a group.
#[derive(Clone, Debug, Eq, PartialEq, TlsSerialize, TlsSize)]
pub struct Intent {
    action: Action,
    group_id: GroupId,
    epoch: u64,
    content: Digest,
}

/// What can be done to a group.
#[derive(Clone, Copy, Debug, Eq, PartialEq, TlsSerialize, TlsSize)]
#[repr(u8)]
pub(crate) enum Action {
    Commit = 1,
    Message = 2,
    ReadInfo = 3,
    Report = 4,
    Pass = 5,
}

impl Intent {
    /// Of `content`, every byte of which is bound.
    pub(crate) fn new(
        crypto: &ServiceCrypto,
        action: Action,
        (group_id, epoch): (&GroupId, u64),
        content: &impl Serialize,
    ) -> Result<Self, Rejection> {
        let content = crypto.labelled_digest("request", content)?;
        Ok(Self { action, group_id: group_id.clone(), epoch, content })
    }
}

/// Why a request may be done to a group.
#[derive(Clone, Debug, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
#[non_exhaustive]
#[repr(u8)]
pub enum Access {
    /// A member of this epoch signed it.
    #[tls_codec(discriminant = 1)]
    Member {
        /// Which epoch.
        epoch: u64,
        /// The epoch's write key.
        public_key: SignaturePublicKey,
        /// Over the request.
        signature: Opaque,
    },
    /// Somebody knows the token with which members let others in.
    #[tls_codec(discriminant = 2)]
    Join(Opaque),
}

/// What a join token is known by at the service.
///
/// # Errors
/// [`Rejection::Malformed`] for a token that cannot be encoded.
pub fn join_digest(crypto: &ServiceCrypto, token: &[u8]) -> Result<Digest, Rejection> {
    crypto.labelled_digest(JOIN_LABEL, &Opaque::from(token))
}

/// An [`Access`] whose signature was good. Whether its key is the epoch's is for the group to say.
#[derive(Clone, Debug)]
pub(crate) enum Shown {
    Member { epoch: u64, public_key: SignaturePublicKey },
    Join(Digest),
}

impl Access {
    /// Verifies the signature, which takes time and no state.
    pub(crate) fn check(&self, crypto: &ServiceCrypto, intent: &Intent) -> Result<Shown, Rejection> {
        match self {
            Self::Member { epoch, public_key, signature } => {
                if *epoch != intent.epoch {
                    return Err(Rejection::Mislabelled);
                }
                crypto.verify(OWN_SUITE, public_key, (LABEL, intent), signature.as_slice())?;
                Ok(Shown::Member { epoch: *epoch, public_key: public_key.clone() })
            }
            Self::Join(token) => Ok(Shown::Join(join_digest(crypto, token.as_slice())?)),
        }
    }
}
