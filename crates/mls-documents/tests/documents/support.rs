//! Members who edit, and bytes that no member sends.

use mls_documents::{Author, Edit, GroupDocument};

/// A member of a group without roles.
pub(crate) fn free(name: &str) -> Author<'_> {
    Author::new(name.as_bytes(), None)
}

/// Makes an edit, and adopts it.
pub(crate) fn make(document: &mut GroupDocument, name: &str, edit: &Edit) -> Vec<u8> {
    let edited = document.edit(&free(name), edit).unwrap().unwrap();
    *document = edited.document;
    edited.message
}

pub(crate) fn topic(text: &str) -> Edit {
    Edit::SetTopic(text.to_owned())
}

pub(crate) const TOPIC: u8 = 1;
pub(crate) const PIN: u8 = 2;
pub(crate) const UNPIN: u8 = 3;

/// An update of any content, in the form of the crate's documentation.
pub(crate) fn update(number: u64, builds_on: &[[u8; 32]], edits: &[(u8, &[u8])]) -> Vec<u8> {
    let body = [&number.to_be_bytes(), vector(&builds_on.concat()).as_slice(), &edits_of(edits)].concat();
    [b"SPDOC\x01\x01", body.as_slice()].concat()
}

/// A snapshot of changes that build on nothing, by one author.
pub(crate) fn snapshot(number: u64, author: &str, changes: &[(u8, &[u8])]) -> Vec<u8> {
    let changes: Vec<Vec<u8>> =
        changes.iter().map(|edit| [vector(author.as_bytes()), vector(&[]), edits_of(&[*edit])].concat()).collect();
    [b"SPDOC\x01\x02".as_slice(), &number.to_be_bytes(), &vector(&changes.concat())].concat()
}

fn edits_of(edits: &[(u8, &[u8])]) -> Vec<u8> {
    let edits: Vec<Vec<u8>> = edits.iter().map(|(what, bytes)| [vec![*what], vector(bytes)].concat()).collect();
    vector(&edits.concat())
}

/// With a length header (RFC 9420, Section 2.1.2).
fn vector(bytes: &[u8]) -> Vec<u8> {
    let len = u32::try_from(bytes.len()).unwrap();
    let header = match len {
        0..64 => vec![u8::try_from(len).unwrap()],
        64..16_384 => (u16::try_from(len).unwrap() | 0x4000).to_be_bytes().to_vec(),
        _ => (len | 0x8000_0000).to_be_bytes().to_vec(),
    };
    [&header, bytes].concat()
}
