//! Devices that are a user's no more.
//!
//! ```text
//! struct {
//!     uint8  version = 1;
//!     opaque user<V>;
//!     opaque master_key<V>;
//!     uint64 number;              larger with each list
//!     uint64 serials<V>;          of certificates, in ascending order
//! } RevocationStatement;
//!
//! struct {
//!     RevocationStatement statement;
//!     opaque signature<V>;        over "SpacePanda identity 1 revoked devices" and the statement
//! } RevocationList;
//! ```

use std::collections::{BTreeMap, BTreeSet};

use mls_crypto::{Opaque, Signer};
use tls_codec::{DeserializeBytes, Serialize, TlsDeserializeBytes, TlsSerialize, TlsSize};

use crate::{
    IdentityError,
    certificate::DeviceCertificate,
    crypto::{IdentityCrypto, labelled},
};

/// Certificates on one list, at most.
pub const REVOCATIONS_MAX: usize = 10_000;

const VERSION: u8 = 1;
const LABEL: &str = "revoked devices";
/// Bytes of an encoded list, at most: the serials and two kilobytes.
const LIST_BYTES_MAX: usize = REVOCATIONS_MAX.saturating_mul(8).saturating_add(2_048);

#[derive(Clone, Debug, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
struct Statement {
    version: u8,
    user: Opaque,
    master_key: Opaque,
    number: u64,
    serials: Vec<u64>,
}

/// A user's word on which certificates count no more, signed by the key that issued them.
#[derive(Clone, Debug, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct RevocationList {
    statement: Statement,
    signature: Opaque,
}

impl RevocationList {
    /// Revokes the certificates with these serials, all that were revoked before among them. `number` is larger than that of
    /// the list before; the time in seconds will do.
    ///
    /// # Errors
    /// [`IdentityError::Invalid`] for more than [`REVOCATIONS_MAX`]; [`IdentityError::Crypto`] if the key does not sign.
    pub fn issue(
        master: &dyn Signer,
        user: &[u8],
        number: u64,
        serials: &BTreeSet<u64>,
    ) -> Result<Self, IdentityError> {
        let statement = Statement {
            version: VERSION,
            user: user.into(),
            master_key: master.public_key().as_slice().into(),
            number,
            serials: serials.iter().copied().collect(),
        };
        if serials.len() > REVOCATIONS_MAX {
            return Err(IdentityError::Invalid);
        }
        let signature = master.sign(&labelled(LABEL, &statement)?)?.into();
        Ok(Self { statement, signature })
    }

    /// Encoded. There is one encoding of a list.
    ///
    /// # Errors
    /// [`IdentityError::Invalid`] for a user that is longer than an encoding can say.
    pub fn to_bytes(&self) -> Result<Vec<u8>, IdentityError> {
        self.tls_serialize_detached().map_err(|_| IdentityError::Invalid)
    }

    /// A list that its key has signed.
    ///
    /// # Errors
    /// [`IdentityError::Malformed`], [`IdentityError::BadSignature`].
    pub fn from_bytes(crypto: &IdentityCrypto, bytes: &[u8]) -> Result<Self, IdentityError> {
        if bytes.len() > LIST_BYTES_MAX {
            return Err(IdentityError::Malformed);
        }
        let list = Self::tls_deserialize_exact_bytes(bytes).map_err(|_| IdentityError::Malformed)?;
        let statement = &list.statement;
        let ordered = statement.serials.is_sorted_by(|one, next| one < next);
        if statement.version != VERSION || !ordered || statement.serials.len() > REVOCATIONS_MAX {
            return Err(IdentityError::Malformed);
        }
        crypto.verify(statement.master_key.as_slice(), &labelled(LABEL, statement)?, list.signature.as_slice())?;
        Ok(list)
    }

    /// The user.
    pub fn user(&self) -> &[u8] {
        self.statement.user.as_slice()
    }

    /// Whose word it is.
    pub fn master_key(&self) -> &[u8] {
        self.statement.master_key.as_slice()
    }

    /// Its number among the user's lists.
    pub const fn number(&self) -> u64 {
        self.statement.number
    }

    /// The certificates that count no more.
    pub fn serials(&self) -> &[u64] {
        &self.statement.serials
    }
}

/// The newest list of each user and master key.
#[derive(Clone, Debug, Default)]
pub struct Revocations(BTreeMap<(Vec<u8>, Vec<u8>), RevocationList>);

impl Revocations {
    /// What [`Revocations::take`] would take: nothing changes, so that it can be made durable first.
    ///
    /// # Errors
    /// As there.
    pub fn check(&self, crypto: &IdentityCrypto, list: &[u8]) -> Result<RevocationList, IdentityError> {
        let list = RevocationList::from_bytes(crypto, list)?;
        if let Some(known) = self.0.get(&key(&list)) {
            let keeps_all = known.serials().iter().all(|serial| list.serials().binary_search(serial).is_ok());
            if known.number() >= list.number() || !keeps_all {
                return Err(IdentityError::Stale);
            }
        }
        Ok(list)
    }

    /// Takes a list in place of an older one. What was revoked once stays revoked: a newer list that leaves something out is
    /// refused.
    ///
    /// # Errors
    /// [`IdentityError::Malformed`], [`IdentityError::BadSignature`], [`IdentityError::Stale`].
    pub fn take(&mut self, crypto: &IdentityCrypto, list: &[u8]) -> Result<(), IdentityError> {
        let list = self.check(crypto, list)?;
        self.0.insert(key(&list), list);
        Ok(())
    }

    /// Whether the key that issued a certificate has revoked it.
    pub fn covers(&self, certificate: &DeviceCertificate) -> bool {
        let key = (certificate.user().to_vec(), certificate.master_key().as_slice().to_vec());
        self.0.get(&key).is_some_and(|list| list.serials().binary_search(&certificate.serial()).is_ok())
    }

    /// All lists, encoded, to be stored.
    pub fn lists(&self) -> Vec<Vec<u8>> {
        self.0.values().filter_map(|list| list.to_bytes().ok()).collect()
    }
}

fn key(list: &RevocationList) -> (Vec<u8>, Vec<u8>) {
    (list.user().to_vec(), list.master_key().to_vec())
}
