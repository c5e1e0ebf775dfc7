//! A change as it travels: who made it, what it builds on, what it edits.
//!
//! In: what a peer sent. Out: the same with every size and the order of everything looked at.
//! Always: one change has one encoding, and its name follows from it, so that nobody makes two of one name.

use mls_crypto::Opaque;
use mls_engine::codec::encode;
use sha2::{Digest, Sha256};
use tls_codec::{TlsDeserializeBytes, TlsSerialize, TlsSize};

use crate::{Author, DocumentError, MAX_CHANGES, MAX_PIN, MAX_PINS, MAX_TOPIC, document::Edit, message::check_len};

/// Names a change, in automerge's way.
pub(crate) type Hash = [u8; 32];

/// Edits by one member that belong together: one, or those that a document is begun anew with.
#[derive(Clone, Debug, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub(crate) struct Change {
    pub(crate) author: Opaque,
    pub(crate) builds_on: Vec<Hash>,
    pub(crate) edits: Vec<EditForm>,
}

/// An edit as it travels.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd, TlsDeserializeBytes, TlsSerialize, TlsSize)]
#[repr(u8)]
pub(crate) enum EditForm {
    #[tls_codec(discriminant = 1)]
    Topic(Opaque),
    #[tls_codec(discriminant = 2)]
    Pin(Opaque),
    #[tls_codec(discriminant = 3)]
    Unpin(Opaque),
}

/// Bytes of an author's identity in a snapshot, at most.
const MAX_AUTHOR: usize = 4_096;

/// What names of changes are the digests of, among all that is ever hashed.
const LABEL: &[u8] = b"spacepanda document change 1";

/// Bytes of a name before the author's.
pub(crate) const NAME: usize = 32;

impl Change {
    /// Whether it begins a document anew: it builds on nothing, and the document is not the first.
    pub(crate) const fn begins(&self, number: u64) -> bool {
        number > 0 && self.builds_on.is_empty()
    }

    /// Whether sizes and order are what they may be in the document of this number.
    pub(crate) fn check(&self, number: u64) -> Result<(), DocumentError> {
        check_len(self.author.as_slice().len(), MAX_AUTHOR)?;
        check_len(self.builds_on.len(), MAX_CHANGES.saturating_mul(2))?;
        check_len(self.edits.len(), MAX_PINS.saturating_mul(2).saturating_add(1))?;
        let shaped = match self.edits.as_slice() {
            [EditForm::Topic(_), pins @ ..] if self.begins(number) => {
                pins.iter().all(|pin| matches!(pin, EditForm::Pin(_)))
            }
            [_] => !self.begins(number),
            _ => false,
        };
        let ordered = self.builds_on.is_sorted_by(|one, next| one < next);
        if !shaped || !ordered || !self.edits.is_sorted_by(|one, next| one < next) {
            return Err(DocumentError::Malformed);
        }
        self.edits.iter().try_for_each(EditForm::check)
    }

    /// Whether its author's role allows it.
    pub(crate) fn check_author(&self, number: u64, author: &Author<'_>) -> Result<(), DocumentError> {
        let allowed = if self.begins(number) {
            author.may_edit_everything()
        } else {
            self.edits.iter().all(|edit| match edit {
                EditForm::Topic(_) => author.may_set_topic(),
                EditForm::Pin(_) | EditForm::Unpin(_) => author.may_pin(),
            })
        };
        if allowed { Ok(()) } else { Err(DocumentError::Denied) }
    }

    /// What automerge takes for its author: a digest of it all, and who made it.
    pub(crate) fn actor(&self) -> Result<Vec<u8>, DocumentError> {
        let bytes = encode(self).map_err(|_| DocumentError::Malformed)?;
        let name = Sha256::new().chain_update(LABEL).chain_update(&bytes).finalize();
        Ok([name.as_slice(), self.author.as_slice()].concat())
    }
}

impl EditForm {
    fn check(&self) -> Result<(), DocumentError> {
        match self {
            Self::Topic(text) if core::str::from_utf8(text.as_slice()).is_err() => Err(DocumentError::Malformed),
            Self::Topic(text) => check_len(text.as_slice().len(), MAX_TOPIC),
            Self::Pin(id) | Self::Unpin(id) => check_len(id.as_slice().len(), MAX_PIN),
        }
    }
}

impl From<&Edit> for EditForm {
    fn from(edit: &Edit) -> Self {
        match edit {
            Edit::SetTopic(topic) => Self::Topic(topic.as_bytes().into()),
            Edit::Pin(id) => Self::Pin(id.as_slice().into()),
            Edit::Unpin(id) => Self::Unpin(id.as_slice().into()),
        }
    }
}
