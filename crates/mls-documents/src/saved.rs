//! A document at rest.
//!
//! In: a document. Out: few bytes, and the same document back, with what waits. The bytes say everything that members said in it:
//! they belong where the group's state is sealed.

use mls_crypto::Opaque;
use mls_engine::codec::{decode_exact, encode};
use tls_codec::{TlsDeserializeBytes, TlsSerialize, TlsSize};

use crate::{DocumentError, GroupDocument, document::Waiting, merge::Merged};

const MAGIC: &[u8] = b"SPDOC saved ";
const VERSION: u8 = 1;

#[derive(TlsDeserializeBytes, TlsSerialize, TlsSize)]
struct Saved {
    number: u64,
    merged: Opaque,
    waiting: Vec<Waiting>,
}

impl GroupDocument {
    /// The document for the own store, compacted: its history takes a fraction of what its messages took.
    ///
    /// # Errors
    /// [`DocumentError::Malformed`], which does not happen: no document is that large.
    pub fn save(&self) -> Result<Vec<u8>, DocumentError> {
        let saved = Saved { number: self.number, merged: self.merged.save().into(), waiting: self.waiting.clone() };
        let body = encode(&saved).map_err(|_| DocumentError::Malformed)?;
        Ok([MAGIC, &[VERSION], &body].concat())
    }

    /// What [`GroupDocument::save`] gave. Not for bytes of others: those of a member come as a snapshot.
    ///
    /// # Errors
    /// [`DocumentError::NotADocument`], [`DocumentError::UnsupportedVersion`]; [`DocumentError::Malformed`] if a bit is another.
    pub fn load(bytes: &[u8]) -> Result<Self, DocumentError> {
        let (version, body) =
            bytes.strip_prefix(MAGIC).and_then(<[u8]>::split_first).ok_or(DocumentError::NotADocument)?;
        if *version != VERSION {
            return Err(DocumentError::UnsupportedVersion(*version));
        }
        let Saved { number, merged, waiting } = decode_exact(body).map_err(|_| DocumentError::Malformed)?;
        Ok(Self { number, merged: Merged::load(merged.as_slice())?, waiting })
    }
}
