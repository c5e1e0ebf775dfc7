//! What the client keeps beside a group: rows of the application's own, in the codec of MLS.
//!
//! ```text
//! cursor                 the last place of the log that was processed
//! made                   the service knows the group
//! seen                   the last place of the history that somebody looked at
//! q NUMBER               a message to be sent
//! w NUMBER               a wish: a change of the group
//! h PLACE                a message of the history
//! m SENDER ID            that message is in the history
//! ```
//!
//! Numbers and places are 8 bytes, so that rows are in order.

use mls_crypto::Opaque;
use mls_delivery::{Digest, Seq};
use mls_engine::codec::{decode_exact, encode};
use spacepanda_core::core_mls::{ApplicationRow, MlsHandle};
use tls_codec::{DeserializeBytes, Serialize, TlsDeserializeBytes, TlsSerialize, TlsSize};

use crate::{SyncError, SyncResult, queue::WishForm};

/// A message of a group's history.
#[derive(Clone, Debug, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct HistoryEntry {
    /// Its place in the group's order, the same at every member.
    pub seq: Seq,
    /// In which epoch it was sent.
    pub epoch: u64,
    /// When it reached the service, in seconds since 1970.
    pub received: u64,
    /// Who sent it, as the credential says.
    pub sender: Opaque,
    /// What was said.
    pub text: Opaque,
}

/// A message to be sent.
#[derive(Debug, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub(crate) struct Queued {
    /// What the sender tells its messages apart by: it travels with the message, so that nobody takes it twice.
    pub(crate) id: [u8; 16],
    pub(crate) text: Opaque,
    /// As it was sealed, each time anew in a later epoch.
    pub(crate) sealed: Vec<Digest>,
    /// The last of these, and its epoch.
    pub(crate) envelope: Option<SealedForm>,
}

/// A message as it leaves.
#[derive(Debug, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub(crate) struct SealedForm {
    pub(crate) epoch: u64,
    pub(crate) message: Opaque,
}

/// A row that can be named and read.
pub(crate) struct Rows<'a>(pub(crate) &'a MlsHandle);

impl Rows<'_> {
    pub(crate) fn cursor(&self) -> SyncResult<Option<Seq>> {
        self.get(CURSOR)
    }

    pub(crate) fn seen(&self) -> SyncResult<Option<Seq>> {
        self.get(SEEN)
    }

    pub(crate) fn is_made(&self) -> SyncResult<bool> {
        Ok(self.0.application_row(MADE)?.is_some())
    }

    pub(crate) fn queued(&self) -> SyncResult<Vec<(u64, Queued)>> {
        self.numbered(QUEUED)
    }

    pub(crate) fn wishes(&self) -> SyncResult<Vec<(u64, WishForm)>> {
        self.numbered(WISH)
    }

    pub(crate) fn history(&self) -> SyncResult<Vec<HistoryEntry>> {
        Ok(self.numbered(HISTORY)?.into_iter().map(|(_, entry)| entry).collect())
    }

    /// Whether the history has a message at this place.
    pub(crate) fn said(&self, seq: Seq) -> SyncResult<bool> {
        Ok(self.0.application_row(&key(HISTORY, seq.get()))?.is_some())
    }

    pub(crate) fn knows(&self, sender: &[u8], id: &[u8]) -> SyncResult<bool> {
        Ok(self.0.application_row(&known_key(sender, id))?.is_some())
    }

    /// The number of the next row of a kind.
    pub(crate) fn next(rows: &[(u64, impl Sized)]) -> u64 {
        rows.last().map_or(1, |(number, _)| number.saturating_add(1))
    }

    pub(crate) fn write(&self, rows: Vec<ApplicationRow>) -> SyncResult<()> {
        Ok(self.0.write_application_rows(rows)?)
    }

    fn get<T: DeserializeBytes>(&self, key: &[u8]) -> SyncResult<Option<T>> {
        self.0.application_row(key)?.map(|row| decode(&row)).transpose()
    }

    fn numbered<T: DeserializeBytes>(&self, kind: u8) -> SyncResult<Vec<(u64, T)>> {
        let mut found = Vec::new();
        for row in self.0.application_rows()? {
            let (Some((first, number)), Some(value)) = (row.key.split_first(), &row.value) else { continue };
            if *first == kind
                && let Ok(number) = <[u8; 8]>::try_from(number)
            {
                found.push((u64::from_be_bytes(number), decode(value)?));
            }
        }
        found.sort_by_key(|(number, _)| *number);
        Ok(found)
    }
}

pub(crate) fn put_cursor(seq: Seq) -> SyncResult<ApplicationRow> {
    put(CURSOR.to_vec(), &seq)
}

pub(crate) fn put_seen(seq: Seq) -> SyncResult<ApplicationRow> {
    put(SEEN.to_vec(), &seq)
}

pub(crate) fn put_made() -> ApplicationRow {
    ApplicationRow { key: MADE.to_vec(), value: Some(Vec::new()) }
}

pub(crate) fn put_queued(number: u64, queued: &Queued) -> SyncResult<ApplicationRow> {
    put(key(QUEUED, number), queued)
}

pub(crate) fn delete_queued(number: u64) -> ApplicationRow {
    ApplicationRow { key: key(QUEUED, number), value: None }
}

pub(crate) fn put_wish(number: u64, wish: &WishForm) -> SyncResult<ApplicationRow> {
    put(key(WISH, number), wish)
}

pub(crate) fn delete_wish(number: u64) -> ApplicationRow {
    ApplicationRow { key: key(WISH, number), value: None }
}

/// The rows of a message that is now in the history.
pub(crate) fn put_history(entry: &HistoryEntry, id: &[u8]) -> SyncResult<Vec<ApplicationRow>> {
    let known = ApplicationRow { key: known_key(entry.sender.as_slice(), id), value: Some(Vec::new()) };
    Ok(vec![put(key(HISTORY, entry.seq.get()), entry)?, known])
}

pub(crate) fn put(key: Vec<u8>, value: &impl Serialize) -> SyncResult<ApplicationRow> {
    Ok(ApplicationRow { key, value: Some(encode(value).map_err(|_| SyncError::InvalidRow)?) })
}

pub(crate) fn decode<T: DeserializeBytes>(row: &[u8]) -> SyncResult<T> {
    decode_exact(row).map_err(|_| SyncError::InvalidRow)
}

fn key(kind: u8, number: u64) -> Vec<u8> {
    let mut key = vec![kind];
    key.extend(number.to_be_bytes());
    key
}

/// An id that somebody else chose is no id of this sender. A hash of both would do as well; names are short.
fn known_key(sender: &[u8], id: &[u8]) -> Vec<u8> {
    let mut key = vec![KNOWN];
    key.extend(id);
    key.extend(sender.iter().take(MAX_SENDER));
    key
}

const CURSOR: &[u8] = b"cursor";
const MADE: &[u8] = b"made";
const SEEN: &[u8] = b"seen";
const QUEUED: u8 = b'q';
const WISH: u8 = b'w';
const HISTORY: u8 = b'h';
const KNOWN: u8 = b'm';
/// Names of rows have 1,024 bytes at most.
const MAX_SENDER: usize = 900;
