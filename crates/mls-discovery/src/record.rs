//! Records: what a group lets everybody know about itself (CAP-68).
//!
//! In: a group's metadata, and the key of its publisher. Out: a signed record, in one encoding.
//! Always: the least that is useful: the size is rounded, the name may be sealed, nobody is named.

use mls_crypto::{CryptoError, Opaque, SignaturePrivateKey};
use tls_codec::{DeserializeBytes, Serialize, TlsDeserializeBytes, TlsSerialize, TlsSize};

use crate::{DirectoryCrypto, DiscoveryError, GroupName, Link, Proof, Trust, crypto::HASH_LEN, proof::Statement};

/// Bytes of an encoded record, at most: a GroupInfo with its tree is best kept elsewhere.
pub const MAX_RECORD: usize = 256 * 1_024;

const VERSION: u8 = 1;

/// What a group tells about itself.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "made by applications, with `..Default::default()`")]
pub struct Metadata {
    /// Its name.
    pub name: GroupName,
    /// The epoch this is true for.
    pub epoch: u64,
    /// Its members; published as [`member_bucket`].
    pub members: u32,
    /// When it was created, in seconds since 1970.
    pub created_at: u64,
    /// A GroupInfo for external commits (RFC 9420, Section 12.4.3), if outsiders may join.
    pub group_info: Option<Vec<u8>>,
    /// What the group's delivery service wants to see of who joins with it, if it wants to see anything.
    pub join_token: Option<Vec<u8>>,
}

/// A record, as published.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct GroupPublicInfo {
    pub(crate) body: Body,
    pub(crate) publisher: Opaque,
    pub(crate) next_publisher: Opaque,
    pub(crate) signature: Opaque,
    pub(crate) proof: Proof,
}

/// What is in it.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub(crate) struct Body {
    version: u8,
    pub(crate) group_id: Opaque,
    pub(crate) epoch: u64,
    pub(crate) tombstone: u8,
    pub(crate) members: u32,
    pub(crate) created_at: u64,
    pub(crate) name: GroupName,
    pub(crate) group_info: Option<Opaque>,
    join_token: Option<Opaque>,
}

/// Which of two records counts: the greater. First the one that somebody of one's own vouches for, so that no peer overrules
/// what the own service has seen; then the one whose anchor is of the later epoch, so that no chain of strangers outruns what a
/// service has witnessed since, and none ends a group for good; then a tombstone; then the later epoch.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct Rank {
    authority: Authority,
    anchor: u64,
    tombstone: u8,
    epoch: u64,
}

/// Whose word a record rests on.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, TlsDeserializeBytes, TlsSerialize, TlsSize)]
#[repr(u8)]
#[non_exhaustive]
pub enum Authority {
    /// A service that replicates with ours.
    Peer = 1,
    /// A service of one's own, or a pinned publisher.
    Own = 2,
}

impl Rank {
    /// Whose word it rests on.
    pub const fn authority(self) -> Authority {
        self.authority
    }

    /// Encoded, for a store.
    ///
    /// # Errors
    /// [`DiscoveryError::Malformed`], which does not happen.
    pub fn to_bytes(self) -> Result<Vec<u8>, DiscoveryError> {
        self.tls_serialize_detached().map_err(|_| DiscoveryError::Malformed)
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        Self::tls_deserialize_exact_bytes(bytes).ok()
    }
}

/// The least size of groups that are published as being as large as this one: 1, 2, 3, 5, 10, 20, 50, 100, …
///
/// ```
/// # use mls_discovery::member_bucket;
/// assert_eq!([1, 2, 4, 7, 19, 99, 1_234].map(member_bucket), [1, 2, 3, 5, 10, 50, 1_000]);
/// ```
pub fn member_bucket(members: u32) -> u32 {
    let tens = (0..10).filter_map(|power| 10_u32.checked_pow(power));
    let buckets = tens.flat_map(|ten| [ten, ten.saturating_mul(2), ten.saturating_mul(5)]).chain([3]);
    buckets.filter(|bucket| *bucket <= members).max().unwrap_or(0)
}

impl GroupPublicInfo {
    /// The record of a group, signed by `publisher`. `next_publisher` may sign the next one: best a key that only members of
    /// this epoch can derive (RFC 9420, Section 8.5), so that who is removed publishes no more. The first record of a group
    /// stands by itself; whoever is to believe it pins its publisher, or has a service [`GroupPublicInfo::witnessed`] it.
    ///
    /// # Errors
    /// [`DiscoveryError::TooLarge`], [`DiscoveryError::Malformed`] for a name that is none; [`DiscoveryError::Crypto`].
    pub fn from_metadata(
        crypto: &DirectoryCrypto,
        group_id: &[u8],
        metadata: &Metadata,
        (publisher, next_publisher): (&SignaturePrivateKey, &[u8]),
    ) -> Result<Self, DiscoveryError> {
        let public = crypto.suite().signature_public_key(publisher)?.as_slice().to_vec();
        let sign = |message: &[u8]| crypto.sign(publisher, message);
        Self::sign(crypto, Body::new(group_id, metadata, false), (&public, next_publisher), sign)
    }

    /// [`GroupPublicInfo::from_metadata`] with a key that is elsewhere: `sign` is given the bytes to sign with the private half
    /// of `publisher` (Ed25519).
    ///
    /// # Errors
    /// As there, and what `sign` answers.
    pub fn from_metadata_with(
        crypto: &DirectoryCrypto,
        group_id: &[u8],
        metadata: &Metadata,
        publishers: (&[u8], &[u8]),
        sign: impl FnOnce(&[u8]) -> Result<Vec<u8>, CryptoError>,
    ) -> Result<Self, DiscoveryError> {
        Self::sign(crypto, Body::new(group_id, metadata, false), publishers, sign)
    }

    /// A record that says that the group is not to be found any more: until somebody who is trusted vouches for one of a later
    /// epoch.
    ///
    /// # Errors
    /// [`DiscoveryError::Crypto`].
    pub fn tombstone(
        crypto: &DirectoryCrypto,
        group_id: &[u8],
        epoch: u64,
        publisher: &SignaturePrivateKey,
    ) -> Result<Self, DiscoveryError> {
        let public = crypto.suite().signature_public_key(publisher)?.as_slice().to_vec();
        let body = Body::new(group_id, &Metadata { epoch, ..Metadata::default() }, true);
        Self::sign(crypto, body, (&public, &[]), |message| crypto.sign(publisher, message))
    }

    fn sign(
        crypto: &DirectoryCrypto,
        body: Body,
        (publisher, next_publisher): (&[u8], &[u8]),
        sign: impl FnOnce(&[u8]) -> Result<Vec<u8>, CryptoError>,
    ) -> Result<Self, DiscoveryError> {
        let mut record = Self {
            body,
            publisher: publisher.into(),
            next_publisher: next_publisher.into(),
            signature: Opaque::new(Vec::new()),
            proof: Proof::default(),
        };
        record.signature = sign(&record.statement(crypto)?.message()?)?.into();
        record.check_form()?;
        Ok(record)
    }

    /// This record as the one that follows `before`, which was signed by the publisher before ours.
    ///
    /// # Errors
    /// [`DiscoveryError::BrokenChain`] if it does not follow, or the chain grew too long: have a service witness it.
    pub fn after(mut self, crypto: &DirectoryCrypto, before: &Self) -> Result<Self, DiscoveryError> {
        let follows = before.next_publisher == self.publisher
            && before.body.epoch < self.body.epoch
            && before.body.group_id == self.body.group_id
            && before.proof.links.len() < crate::MAX_LINKS;
        if !follows {
            return Err(DiscoveryError::BrokenChain);
        }
        self.proof = before.proof.clone();
        self.proof.links.push(before.link(crypto)?);
        Ok(self)
    }

    /// A service has seen this record as the one of its epoch, and vouches for it: the links before it are not needed any
    /// more.
    ///
    /// # Errors
    /// [`DiscoveryError::Crypto`].
    pub fn witnessed(
        mut self,
        crypto: &DirectoryCrypto,
        service: &SignaturePrivateKey,
    ) -> Result<Self, DiscoveryError> {
        let witness = self.statement(crypto)?.witness(crypto, service)?;
        self.proof = Proof { witness: Some(witness), links: Vec::new() };
        Ok(self)
    }

    /// Checks the record by itself: form, signatures, and that somebody who is trusted vouches for it. Returns its rank.
    ///
    /// # Errors
    /// [`DiscoveryError`], whichever it is.
    pub fn verify(&self, crypto: &DirectoryCrypto, trust: &Trust) -> Result<Rank, DiscoveryError> {
        self.check_form()?;
        let (authority, anchor) = self.proof.check(crypto, trust, &self.link(crypto)?, &self.body.group_id)?;
        Ok(Rank { authority, anchor, tombstone: self.body.tombstone, epoch: self.body.epoch })
    }

    /// Whether this one counts more than another of the same group.
    ///
    /// # Errors
    /// As [`GroupPublicInfo::verify`], of either; [`DiscoveryError::Mismatch`] of two groups.
    pub fn is_newer_than(&self, other: &Self, crypto: &DirectoryCrypto, trust: &Trust) -> Result<bool, DiscoveryError> {
        if self.body.group_id != other.body.group_id {
            return Err(DiscoveryError::Mismatch("group"));
        }
        Ok(self.verify(crypto, trust)? > other.verify(crypto, trust)?)
    }

    /// The group's id.
    pub fn group_id(&self) -> &[u8] {
        self.body.group_id.as_slice()
    }

    /// The epoch it is true for.
    pub const fn epoch(&self) -> u64 {
        self.body.epoch
    }

    /// The least number of members that the group had: see [`member_bucket`].
    pub const fn members(&self) -> u32 {
        self.body.members
    }

    /// When the group was created, in seconds since 1970.
    pub const fn created_at(&self) -> u64 {
        self.body.created_at
    }

    /// Its name.
    pub const fn name(&self) -> &GroupName {
        &self.body.name
    }

    /// A GroupInfo for external commits.
    pub fn group_info(&self) -> Option<&[u8]> {
        self.body.group_info.as_ref().map(Opaque::as_slice)
    }

    /// What the group's delivery service wants to see of who joins with it.
    pub fn join_token(&self) -> Option<&[u8]> {
        self.body.join_token.as_ref().map(Opaque::as_slice)
    }

    /// Whether the group is not to be found any more.
    pub const fn is_tombstone(&self) -> bool {
        self.body.tombstone == 1
    }

    /// The public key of its publisher.
    pub fn publisher(&self) -> &[u8] {
        self.publisher.as_slice()
    }

    /// Encoded.
    ///
    /// # Errors
    /// [`DiscoveryError::Malformed`] if a part is too long to be encoded.
    pub fn to_bytes(&self) -> Result<Vec<u8>, DiscoveryError> {
        self.tls_serialize_detached().map_err(|_| DiscoveryError::Malformed)
    }

    /// Out of what [`GroupPublicInfo::to_bytes`] gave. Nothing is verified yet.
    ///
    /// # Errors
    /// [`DiscoveryError::TooLarge`], [`DiscoveryError::UnsupportedVersion`], [`DiscoveryError::Malformed`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DiscoveryError> {
        if bytes.len() > MAX_RECORD {
            return Err(DiscoveryError::TooLarge { len: bytes.len(), limit: MAX_RECORD });
        }
        match bytes.first() {
            Some(&VERSION) => {}
            Some(later) if *later > VERSION => return Err(DiscoveryError::UnsupportedVersion(*later)),
            _ => return Err(DiscoveryError::Malformed),
        }
        let record = Self::tls_deserialize_exact_bytes(bytes).map_err(|_| DiscoveryError::Malformed)?;
        record.check_form()?;
        Ok(record)
    }

    /// Names the record: SHA-256 of what is in it, without its proof.
    ///
    /// # Errors
    /// [`DiscoveryError::Malformed`] if a part is too long to be encoded.
    pub fn content(&self, crypto: &DirectoryCrypto) -> Result<[u8; HASH_LEN], DiscoveryError> {
        let body = self.body.tls_serialize_detached().map_err(|_| DiscoveryError::Malformed)?;
        crypto.hash(&body)
    }

    fn check_form(&self) -> Result<(), DiscoveryError> {
        let len = tls_codec::Size::tls_serialized_len(self);
        if len > MAX_RECORD {
            return Err(DiscoveryError::TooLarge { len, limit: MAX_RECORD });
        }
        let Body { version, tombstone, members, name, .. } = &self.body;
        let sound = *tombstone <= 1 && *members == member_bucket(*members) && name.is_sound();
        if sound && *version == VERSION { Ok(()) } else { Err(DiscoveryError::Malformed) }
    }

    fn statement(&self, crypto: &DirectoryCrypto) -> Result<Statement, DiscoveryError> {
        Ok(Statement {
            group_id: self.body.group_id.clone(),
            epoch: self.body.epoch,
            content: self.content(crypto)?,
            next_publisher: self.next_publisher.clone(),
        })
    }

    fn link(&self, crypto: &DirectoryCrypto) -> Result<Link, DiscoveryError> {
        Ok(Link {
            epoch: self.body.epoch,
            content: self.content(crypto)?,
            publisher: self.publisher.clone(),
            next_publisher: self.next_publisher.clone(),
            signature: self.signature.clone(),
        })
    }
}

impl Body {
    fn new(group_id: &[u8], metadata: &Metadata, tombstone: bool) -> Self {
        Self {
            version: VERSION,
            group_id: group_id.into(),
            epoch: metadata.epoch,
            tombstone: tombstone.into(),
            members: member_bucket(metadata.members),
            created_at: metadata.created_at,
            name: metadata.name.clone(),
            group_info: metadata.group_info.as_deref().map(Opaque::from),
            join_token: metadata.join_token.as_deref().map(Opaque::from),
        }
    }
}
