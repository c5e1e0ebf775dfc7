//! What is written about the table is what the table says.
#![allow(clippy::unwrap_used, clippy::arithmetic_side_effects, reason = "tests")]

use mls_roles::{GroupPolicy, Rank, Right, Role, Table};

const DOCUMENT: &str = include_str!("../../../docs/roles.md");

#[test]
fn the_documented_table_is_the_default() {
    let table = Table::default();
    let mut rows = DOCUMENT.lines().filter(|line| line.starts_with("| `"));
    for right in Right::ALL {
        let cells: Vec<&str> = rows.next().unwrap().split('|').map(str::trim).collect();
        assert_eq!(cells.get(1).unwrap().trim_matches('`'), format!("{right:?}"));
        for (role, cell) in Role::ALL.iter().zip(cells.get(2..7).unwrap()) {
            assert_eq!(*cell == "yes", table.rights(Rank::Member(*role)).has(right), "{right:?} of {role:?}");
        }
        assert!(!table.rights(Rank::Outsider).has(right) && !table.rights(Rank::ExternalSender).has(right));
    }
    assert_eq!(rows.next(), None);
}

/// The layout of the document, byte by byte, and the numbers of rights as bits.
#[test]
fn the_documented_encoding_is_the_encoding() {
    let mut policy = GroupPolicy::new(b"al");
    policy.max_members = 258;
    let bytes = policy.to_bytes().unwrap();
    assert_eq!(bytes.get(..7).unwrap(), [1, 2, 0, 0, 1, 2, 28]);
    let read = |row: usize| u32::from_be_bytes(bytes.get(7 + 4 * row..11 + 4 * row).unwrap().try_into().unwrap());
    assert_eq!([read(0), read(1), read(2)], [0, 0b11, 0b1011]);
    for right in Right::ALL {
        let bit = Right::ALL.iter().position(|known| *known == right).unwrap();
        for (row, rank) in Rank::ALL.iter().enumerate() {
            assert_eq!(read(row) >> bit & 1 == 1, policy.rights(*rank).has(right), "{right:?} of {rank:?}");
        }
    }
    assert_eq!(bytes.get(35..).unwrap(), [4, 2, b'a', b'l', 5]);
}
