//! What travels: a header, and a body of a bounded size.

use mls_crypto::Opaque;
use mls_engine::codec::{decode_exact, encode};
use tls_codec::{TlsDeserializeBytes, TlsSerialize, TlsSize};

use crate::{
    DocumentError, MAX_SNAPSHOT, MAX_UPDATE,
    change::{Change, EditForm, Hash},
};

const MAGIC: &[u8] = b"SPDOC";
const VERSION: u8 = 1;
const UPDATE: u8 = 1;
const SNAPSHOT: u8 = 2;

/// What a message of a document holds.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Message {
    Update(Update),
    Snapshot(Snapshot),
}

/// One change, by whoever sent the message.
#[derive(Clone, Debug, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub(crate) struct Update {
    pub(crate) number: u64,
    pub(crate) builds_on: Vec<Hash>,
    pub(crate) edits: Vec<EditForm>,
}

/// Every change, each after those it builds on.
#[derive(Clone, Debug, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub(crate) struct Snapshot {
    pub(crate) number: u64,
    pub(crate) changes: Vec<Change>,
}

impl Update {
    pub(crate) fn into_change(self, author: &[u8]) -> Change {
        Change { author: Opaque::from(author), builds_on: self.builds_on, edits: self.edits }
    }
}

/// Whether an application message is of a document, and nothing that somebody said.
pub fn is_document(plaintext: &[u8]) -> bool {
    plaintext.starts_with(MAGIC)
}

pub(crate) fn write(message: &Message) -> Result<Vec<u8>, DocumentError> {
    let (kind, body, limit) = match message {
        Message::Update(update) => (UPDATE, encode(update), MAX_UPDATE),
        Message::Snapshot(snapshot) => (SNAPSHOT, encode(snapshot), MAX_SNAPSHOT),
    };
    let body = body.map_err(|_| DocumentError::Malformed)?;
    check_len(body.len(), limit)?;
    Ok([MAGIC, &[VERSION, kind], &body].concat())
}

/// The size is looked at before anything is made of the bytes.
pub(crate) fn read(plaintext: &[u8]) -> Result<Message, DocumentError> {
    match plaintext.strip_prefix(MAGIC).ok_or(DocumentError::NotADocument)? {
        [VERSION, UPDATE, body @ ..] => {
            check_len(body.len(), MAX_UPDATE)?;
            decode_exact(body).map(Message::Update).map_err(|_| DocumentError::Malformed)
        }
        [VERSION, SNAPSHOT, body @ ..] => {
            check_len(body.len(), MAX_SNAPSHOT)?;
            decode_exact(body).map(Message::Snapshot).map_err(|_| DocumentError::Malformed)
        }
        [later, ..] if *later > VERSION => Err(DocumentError::UnsupportedVersion(*later)),
        _ => Err(DocumentError::Malformed),
    }
}

pub(crate) const fn check_len(len: usize, limit: usize) -> Result<(), DocumentError> {
    if len > limit { Err(DocumentError::TooLarge { len, limit }) } else { Ok(()) }
}
