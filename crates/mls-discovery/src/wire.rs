//! What is asked of a directory that is far away, in the codec of MLS (RFC 9420, Section 2.1).

use mls_crypto::Opaque;
use tls_codec::{TlsDeserializeBytes, TlsSerialize, TlsSize};

use crate::{DiscoveryQuery, GroupPublicInfo, Place, Since};

/// Takes a record in, after the service has witnessed it.
#[derive(Clone, Debug, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct Publish {
    /// The record. Its publisher is the write key of its epoch.
    pub record: GroupPublicInfo,
    /// What shows the service that the write key is the epoch's: an access of the delivery protocol, for reading the GroupInfo.
    pub access: Opaque,
}

/// The answer to [`Publish`].
#[derive(Clone, Debug, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct Published {
    /// The record with the word of the service.
    pub record: GroupPublicInfo,
    /// Whether the directory has changed: 0 or 1.
    pub changed: u8,
}

/// Asks for the record of one group; the answer is `optional<GroupPublicInfo>`.
#[derive(Clone, Debug, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct Get {
    /// Which.
    pub group_id: Opaque,
}

/// Asks for records that match; the answer is [`crate::Found`].
#[derive(Clone, Debug, Default, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct Find {
    name_pattern: Option<Opaque>,
    min_members: Option<u32>,
    max_members: Option<u32>,
    created_after: Option<u64>,
    /// Where the page begins.
    pub from: Option<Place>,
    /// Records wanted.
    pub limit: u16,
}

/// Asks for what has changed; the answer is [`crate::Changes`].
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct Fetch {
    /// Since when.
    pub since: Since,
    /// Records wanted.
    pub limit: u16,
}

/// Bytes of a pattern, at most.
const MAX_PATTERN: usize = 1_024;

impl Find {
    /// The question, as sent.
    pub fn new(query: &DiscoveryQuery, from: Option<Place>, limit: u16) -> Self {
        let DiscoveryQuery { name_pattern, min_members, max_members, created_after } = query.clone();
        let name_pattern = name_pattern.map(|pattern| pattern.into_bytes().into());
        Self { name_pattern, min_members, max_members, created_after, from, limit }
    }

    /// The question, as asked; `None` if its pattern is no text, or too long.
    pub fn query(&self) -> Option<DiscoveryQuery> {
        let Self { name_pattern, min_members, max_members, created_after, .. } = self;
        let name_pattern = match name_pattern {
            Some(pattern) if pattern.as_slice().len() > MAX_PATTERN => return None,
            Some(pattern) => Some(core::str::from_utf8(pattern.as_slice()).ok()?.to_owned()),
            None => None,
        };
        let (min_members, max_members, created_after) = (*min_members, *max_members, *created_after);
        Some(DiscoveryQuery { name_pattern, min_members, max_members, created_after })
    }
}
