//! Why a record may be believed: a service's witness, or a chain of publishers from one that is trusted.
//!
//! In: signatures. Out: whether they hold, and how far up they are anchored.
//! Always: a proof stands by itself: nothing else in a directory makes it better or worse.

use mls_crypto::{CryptoError, Opaque, SignaturePrivateKey};
use tls_codec::{TlsDeserializeBytes, TlsSerialize, TlsSize};

use crate::{
    Authority, DirectoryCrypto, DiscoveryError, Trust,
    crypto::{HASH_LEN, labelled},
};

/// Links of a chain, at most: then a service has to witness a record again.
pub const MAX_LINKS: usize = 64;

const STATEMENT: &str = "record";
const WITNESS: &str = "witness";

/// What a publisher signs: which record it makes for an epoch, and who may sign the next one.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub(crate) struct Statement {
    pub(crate) group_id: Opaque,
    pub(crate) epoch: u64,
    pub(crate) content: [u8; HASH_LEN],
    pub(crate) next_publisher: Opaque,
}

/// An earlier record of a chain, without its content.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct Link {
    pub(crate) epoch: u64,
    pub(crate) content: [u8; HASH_LEN],
    pub(crate) publisher: Opaque,
    pub(crate) next_publisher: Opaque,
    pub(crate) signature: Opaque,
}

/// A service's word that it has seen this record as the one of its epoch.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct Witness {
    service: Opaque,
    signature: Opaque,
}

/// The way from somebody who is trusted to a record.
#[derive(Clone, Debug, Default, Eq, Ord, PartialEq, PartialOrd, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct Proof {
    /// Of the first link, or of the record itself if there is none.
    pub(crate) witness: Option<Witness>,
    /// The records before, oldest first.
    pub(crate) links: Vec<Link>,
}

impl Link {
    fn statement(&self, group_id: &Opaque) -> Statement {
        let Self { epoch, content, next_publisher, .. } = self.clone();
        Statement { group_id: group_id.clone(), epoch, content, next_publisher }
    }
}

impl Statement {
    /// The bytes that a publisher signs.
    pub(crate) fn message(&self) -> Result<Vec<u8>, DiscoveryError> {
        labelled(STATEMENT, self)
    }

    /// A service vouches for it.
    pub(crate) fn witness(
        &self,
        crypto: &DirectoryCrypto,
        key: &SignaturePrivateKey,
    ) -> Result<Witness, DiscoveryError> {
        let service = crypto.suite().signature_public_key(key)?.as_slice().into();
        let signature: Result<Vec<u8>, CryptoError> = crypto.sign(key, &labelled(WITNESS, self)?);
        Ok(Witness { service, signature: signature?.into() })
    }
}

impl Proof {
    /// Follows the links down to `last`, and returns who vouches for their anchor, and its epoch.
    pub(crate) fn check(
        &self,
        crypto: &DirectoryCrypto,
        trust: &Trust,
        last: &Link,
        group_id: &Opaque,
    ) -> Result<(Authority, u64), DiscoveryError> {
        if self.links.len() > MAX_LINKS {
            return Err(DiscoveryError::BrokenChain);
        }
        let first = self.links.first().unwrap_or(last);
        // Who is trusted first: a stranger's chain costs one look.
        let witness = self.witness.as_ref();
        let authority = match witness.and_then(|witness| trust.service(witness.service.as_slice())) {
            Some(authority) => authority,
            None if trust.has_publisher(group_id.as_slice(), first.publisher.as_slice()) => Authority::Own,
            None => return Err(DiscoveryError::Untrusted),
        };
        // A word that is given has to be good, even where it is not needed: a record has one meaning.
        if let Some(witness) = witness {
            let message = labelled(WITNESS, &first.statement(group_id))?;
            crypto.verify(witness.service.as_slice(), &message, witness.signature.as_slice())?;
        }
        let mut before: Option<&Link> = None;
        for link in self.links.iter().chain([last]) {
            if before.is_some_and(|before| before.next_publisher != link.publisher || before.epoch >= link.epoch) {
                return Err(DiscoveryError::BrokenChain);
            }
            let message = link.statement(group_id).message()?;
            crypto.verify(link.publisher.as_slice(), &message, link.signature.as_slice())?;
            before = Some(link);
        }
        Ok((authority, first.epoch))
    }
}
