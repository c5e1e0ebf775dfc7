//! How a device shows who it is: a stateless challenge, a signature, a short-lived token.
//!
//! In: the device's key. Out: a token for that device, for [`TOKEN_LIFETIME`].
//! Always: the service keeps nothing between the steps but one secret. What the device signs names the service, so that no
//! other service can pass the challenge on; and it is under a label that cannot be one of MLS.

use mls_crypto::{CryptoError, Opaque, Random, Secret, SignaturePrivateKey, Tag};
use mls_engine::codec::{decode_exact, encode};
use tls_codec::{TlsDeserializeBytes, TlsSerialize, TlsSize};

use crate::{DeviceId, DeviceKey, Rejection, ServiceCrypto, Timestamp, UserId};

/// Seconds in which a challenge has to be answered.
pub const CHALLENGE_LIFETIME: u64 = 60;

/// Seconds for which a token is good.
pub const TOKEN_LIFETIME: u64 = 15 * 60;

const CHALLENGE: &str = "challenge";
const LOGIN: &str = "login";
const TOKEN: &str = "token";
const VOUCHER: &str = "voucher";

/// Something fresh to sign.
#[derive(Clone, Debug, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct Challenge {
    nonce: Nonce,
    tag: Opaque,
}

#[derive(Clone, Debug, TlsDeserializeBytes, TlsSerialize, TlsSize)]
struct Nonce {
    expires: Timestamp,
    random: [u8; 16],
}

/// What a device signs to log in.
#[derive(TlsSerialize, TlsSize)]
struct LoginTbs<'a> {
    service: &'a Opaque,
    challenge: &'a Challenge,
    key: &'a DeviceKey,
}

/// A challenge, signed.
#[derive(Clone, Debug, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct Login {
    /// The device's key.
    pub key: DeviceKey,
    /// The service's challenge.
    pub challenge: Challenge,
    /// Over both, and the service's name.
    pub signature: Opaque,
}

/// Opens the routes of one device.
#[derive(Clone, Debug, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct Token {
    grant: Grant,
    tag: Opaque,
}

#[derive(Clone, Debug, TlsDeserializeBytes, TlsSerialize, TlsSize)]
struct Grant {
    device: DeviceId,
    expires: Timestamp,
}

/// What an enrolled device signs to vouch for another of the same user.
#[derive(Clone, Debug, TlsSerialize, TlsSize)]
pub(crate) struct VoucherTbs<'a> {
    pub(crate) user: &'a UserId,
    pub(crate) device: DeviceId,
}

/// A device of the user says that another device is the user's too.
#[derive(Clone, Debug, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct Voucher {
    /// The device that says so, which is enrolled.
    pub by: DeviceId,
    /// Over the user's name and the new device.
    pub signature: Opaque,
}

impl DeviceKey {
    /// The name of the device with this key.
    ///
    /// # Errors
    /// [`Rejection::Malformed`] for a key that cannot be encoded.
    pub fn device(&self, crypto: &ServiceCrypto) -> Result<DeviceId, Rejection> {
        Ok(DeviceId::new(crypto.labelled_digest("device", self)?))
    }
}

impl Voucher {
    /// `by`, whose key pair signs, vouches for `device`.
    ///
    /// # Errors
    /// As the provider signs; [`CryptoError::OutputTooLong`] for a key that cannot be encoded.
    pub fn sign(
        crypto: &ServiceCrypto,
        (by, private_key): (&DeviceKey, &SignaturePrivateKey),
        user: &UserId,
        device: DeviceId,
    ) -> Result<Self, CryptoError> {
        let tbs = VoucherTbs { user, device };
        let signature = crypto.sign(by.cipher_suite, private_key, VOUCHER, &tbs)?.into();
        let by = by.device(crypto).map_err(|_| CryptoError::OutputTooLong(usize::MAX))?;
        Ok(Self { by, signature })
    }

    /// Whether the key, which is that of [`Voucher::by`], vouches for the device.
    pub(crate) fn verify(
        &self,
        crypto: &ServiceCrypto,
        key: &DeviceKey,
        tbs: &VoucherTbs<'_>,
    ) -> Result<(), Rejection> {
        crypto.verify(key.cipher_suite, &key.public_key, (VOUCHER, tbs), self.signature.as_slice())
    }
}

impl Login {
    /// Answers a challenge of the service with this name.
    ///
    /// # Errors
    /// As the provider signs.
    pub fn sign(
        crypto: &ServiceCrypto,
        (key, private_key): (DeviceKey, &SignaturePrivateKey),
        service: &[u8],
        challenge: Challenge,
    ) -> Result<Self, CryptoError> {
        let tbs = LoginTbs { service: &service.into(), challenge: &challenge, key: &key };
        let signature = crypto.sign(key.cipher_suite, private_key, LOGIN, &tbs)?.into();
        Ok(Self { key, challenge, signature })
    }
}

/// The side of the service: its name, and the one secret of challenges and tokens.
#[derive(Debug)]
pub struct Gate {
    crypto: ServiceCrypto,
    service: Opaque,
    secret: Secret,
}

impl Gate {
    /// A gate of the service with this name. Services that share the secret take each other's tokens.
    pub fn new(crypto: ServiceCrypto, service: &[u8], secret: Secret) -> Self {
        Self { crypto, service: service.into(), secret }
    }

    /// A fresh challenge.
    ///
    /// # Errors
    /// [`Rejection::Unavailable`] if there is no randomness.
    pub fn challenge(&self, random: &dyn Random, now: Timestamp) -> Result<Challenge, Rejection> {
        let mut bytes = [0; 16];
        random.fill(&mut bytes).map_err(|_| Rejection::Unavailable)?;
        let nonce = Nonce { expires: now.saturating_add(CHALLENGE_LIFETIME), random: bytes };
        let tag = self.tag(CHALLENGE, &nonce)?;
        Ok(Challenge { nonce, tag: tag.as_slice().into() })
    }

    /// The device that answered a challenge. Whether it is enrolled is another question.
    ///
    /// # Errors
    /// [`Rejection::Unauthenticated`] for a challenge that is not ours, or too old; [`Rejection::BadSignature`].
    pub fn check(&self, login: &Login, now: Timestamp) -> Result<DeviceId, Rejection> {
        let Challenge { nonce, tag } = &login.challenge;
        self.check_tag(CHALLENGE, nonce, tag)?;
        if nonce.expires < now {
            return Err(Rejection::Unauthenticated);
        }
        let tbs = LoginTbs { service: &self.service, challenge: &login.challenge, key: &login.key };
        let DeviceKey { cipher_suite, public_key } = &login.key;
        self.crypto.verify(*cipher_suite, public_key, (LOGIN, &tbs), login.signature.as_slice())?;
        login.key.device(&self.crypto)
    }

    /// A token for a device.
    ///
    /// # Errors
    /// [`Rejection::Malformed`], which does not happen.
    pub fn token(&self, device: DeviceId, now: Timestamp) -> Result<Token, Rejection> {
        let grant = Grant { device, expires: now.saturating_add(TOKEN_LIFETIME) };
        let tag = self.tag(TOKEN, &grant)?;
        Ok(Token { grant, tag: tag.as_slice().into() })
    }

    /// Whose token it is.
    ///
    /// # Errors
    /// [`Rejection::Unauthenticated`] for a token that is not ours, or too old.
    pub fn admit(&self, token: &Token, now: Timestamp) -> Result<DeviceId, Rejection> {
        self.check_tag(TOKEN, &token.grant, &token.tag)?;
        if token.grant.expires < now {
            return Err(Rejection::Unauthenticated);
        }
        Ok(token.grant.device)
    }

    fn tag(&self, label: &str, value: &impl tls_codec::Serialize) -> Result<Tag, Rejection> {
        self.crypto.mac(self.secret.as_slice(), label, value)
    }

    fn check_tag(&self, label: &str, value: &impl tls_codec::Serialize, tag: &Opaque) -> Result<(), Rejection> {
        let shown = Tag::from_slice(tag.as_slice()).ok_or(Rejection::Unauthenticated)?;
        if self.tag(label, value)?.ct_eq(&shown) { Ok(()) } else { Err(Rejection::Unauthenticated) }
    }
}

impl Token {
    /// Until when it is good.
    pub const fn expires(&self) -> Timestamp {
        self.grant.expires
    }

    /// As bytes.
    ///
    /// # Errors
    /// [`Rejection::Malformed`], which does not happen.
    pub fn to_bytes(&self) -> Result<Vec<u8>, Rejection> {
        encode(self).map_err(|_| Rejection::Malformed)
    }

    /// From bytes.
    ///
    /// # Errors
    /// [`Rejection::Unauthenticated`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Rejection> {
        decode_exact(bytes).map_err(|_| Rejection::Unauthenticated)
    }
}
