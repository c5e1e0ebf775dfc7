//! Forgetting: new keys for all that shared a key with something deleted, up to the key of the period.
//!
//! In: the marks. Out: pages and records under new keys.
//! Always: the next period's key is durable in its source before the transaction that uses it; the old one is there until
//! that transaction is durable. What is left of old copies then lies under a key that no longer exists.

use std::collections::{BTreeMap, BTreeSet};

use mls_crypto::Secret;

use super::{
    fault::fault,
    meta::{Marks, Meta, add_mark},
    names::Segment,
    pages::Tree,
    records::Place,
};
use crate::{
    StoreError, Table,
    seal::{self, ID_LEN, Id},
    unlock::Keyring,
};

/// What has to be forgotten.
#[derive(Default)]
struct Doomed {
    shards: BTreeSet<u8>,
    /// Parts of segments, by space.
    spaces: BTreeMap<Id, BTreeSet<(Id, u8)>>,
}

/// Moves to the next period, inside the caller's transaction. Returns its key, and how many bytes of records were written.
pub(super) fn forget(tree: &mut Tree<'_>, ring: &Keyring, meta: &mut Meta) -> Result<(Secret, usize), StoreError> {
    let period = meta.period.checked_add(1).ok_or(StoreError::Damaged)?;
    let marks = Doomed::read(tree, meta)?;
    let key = seal::new_key()?;
    ring.store(period, &key)?;
    tree.renew_root(&key)?;
    for shard in marks.shards {
        if tree.open_shard(shard)? {
            tree.renew(tree.shard_id(shard))?;
        }
    }
    let mut written = 0_usize;
    for (space, parts) in marks.spaces {
        // A space that is gone was forgotten with its shard.
        if let Some(row) = tree.space_row(space)? {
            written = written.saturating_add(renew_space(tree, space, &parts)?);
            // The row of a space is sealed with the key of its page.
            written = written.saturating_add(tree.write_space_row(space, &row)?);
        }
    }
    tree.connection.execute("DELETE FROM dirty", []).map_err(fault)?;
    *meta = Meta { period, revision: meta.revision, ..Meta::default() };
    Ok((key, written))
}

impl Doomed {
    /// All of them, or an error: whoever takes a mark away would keep us from forgetting.
    fn read(tree: &Tree<'_>, meta: &Meta) -> Result<Self, StoreError> {
        let mut statement = tree.connection.prepare_cached("SELECT place FROM dirty").map_err(fault)?;
        let rows = statement.query_map([], |row| row.get(0)).map_err(fault)?;
        let rows: Vec<Vec<u8>> = rows.collect::<Result<_, _>>().map_err(fault)?;
        let (mut marks, mut sum) = (Self::default(), Marks::default());
        rows.iter().for_each(|place| add_mark(&mut sum, &tree.lookup, place));
        if sum != meta.marks {
            return Err(StoreError::RowDamaged { table: Table::Dirty });
        }
        for place in rows {
            if let [shard] = place[..] {
                marks.shards.insert(shard);
                continue;
            }
            let (space, rest) = place.split_at_checked(ID_LEN).ok_or(StoreError::Damaged)?;
            let parts = marks.spaces.entry(Id::read(space)?).or_default();
            if let Some((part, segment)) = rest.split_last() {
                parts.insert((Id::read(segment)?, *part));
            }
        }
        Ok(marks)
    }
}

/// New keys for the marked parts of a space, and for the pages above them.
fn renew_space(tree: &mut Tree<'_>, space: Id, parts: &BTreeSet<(Id, u8)>) -> Result<usize, StoreError> {
    let segments: BTreeMap<Id, Segment> =
        tree.segments(space)?.into_iter().map(|segment| (tree.segment_id(space, segment), segment)).collect();
    let mut written = 0_usize;
    for (id, part) in parts {
        // A segment that is gone was forgotten with its key in the page of the space.
        let Some(segment) = segments.get(id).copied() else { continue };
        if tree.open_segment(space, segment)?.is_none() {
            continue;
        }
        written = written.saturating_add(tree.reseal_part(Place { space, segment, id: *id }, *part)?);
        if tree.page(*id)?.children.is_empty() {
            tree.remove(*id, space, &segment.name())?;
        } else {
            tree.renew(*id)?;
        }
    }
    tree.renew(space)?;
    Ok(written)
}
