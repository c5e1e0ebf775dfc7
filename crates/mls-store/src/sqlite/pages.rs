//! The tree of keys: every key lies in a page, sealed with the key of the page above.
//!
//! ```text
//! key of the period ─► root page ─► 64 shards ─► spaces ─► segments (class, epoch) ─► 64 keys of records
//! page:  ( length of name u8 | name | key 32 | count u32 )*   the root page also holds the lookup key, under an empty name
//! ```
//!
//! In: the key of the period. Out: keys of records. Always: a page lives for one transaction in memory; what forgets a key
//! renews the keys of all pages above it, up to the key of the period, and nothing else. With the key of a part of a segment
//! lies the number of its records, so that none can be missing unseen.

use std::collections::{BTreeMap, HashMap};

use mls_crypto::Secret;
use rusqlite::{Connection, OptionalExtension};

use super::fault::fault;
use crate::{
    StoreError, Table,
    place::StoreId,
    seal::{self, ID_LEN, Id, KEY_LEN},
};

/// The tree, in one transaction.
pub(super) struct Tree<'c> {
    pub(super) connection: &'c Connection,
    pub(super) store: StoreId,
    /// Makes the names of rows.
    pub(super) lookup: Secret,
    pages: HashMap<Id, Page>,
}

/// One page, opened.
pub(super) struct Page {
    /// What seals it.
    pub(super) key: Secret,
    pub(super) children: BTreeMap<Vec<u8>, Child>,
    /// The page above, and our name in it.
    parent: Option<(Id, Vec<u8>)>,
    changed: bool,
    renewed: bool,
}

/// What a page holds under a name.
pub(super) struct Child {
    pub(super) key: Secret,
    /// Of a part of a segment: how many records it has. Else 0.
    pub(super) count: u32,
}

impl<'c> Tree<'c> {
    /// The tree of a store that is there.
    pub(super) fn open(connection: &'c Connection, store: StoreId, period_key: &Secret) -> Result<Self, StoreError> {
        let mut tree = Self { connection, store, lookup: Secret::zero(0), pages: HashMap::new() };
        let root = tree.read(ROOT, period_key.duplicate(), None)?;
        tree.lookup = root.children.get(LOOKUP).ok_or(DAMAGED)?.key.duplicate();
        tree.pages.insert(ROOT, root);
        Ok(tree)
    }

    /// The tree of a new store.
    pub(super) fn create(connection: &'c Connection, store: StoreId, period_key: &Secret) -> Result<Self, StoreError> {
        let lookup = seal::new_key()?;
        let mut root = Page::new(period_key.duplicate(), None);
        root.children.insert(LOOKUP.to_vec(), Child::new(lookup.duplicate()));
        Ok(Self { connection, store, lookup, pages: HashMap::from([(ROOT, root)]) })
    }

    /// A page that was opened before.
    pub(super) fn page(&mut self, id: Id) -> Result<&mut Page, StoreError> {
        self.pages.get_mut(&id).ok_or(DAMAGED)
    }

    /// Opens a page; `false` if the page above does not know it.
    pub(super) fn find(&mut self, id: Id, parent: Id, name: &[u8]) -> Result<bool, StoreError> {
        if self.pages.contains_key(&id) {
            return Ok(true);
        }
        let Some(key) = self.page(parent)?.children.get(name).map(|child| child.key.duplicate()) else {
            return Ok(false);
        };
        let page = self.read(id, key, Some((parent, name.to_vec())))?;
        self.pages.insert(id, page);
        Ok(true)
    }

    /// Opens a page, or makes it.
    pub(super) fn find_or_add(&mut self, id: Id, parent: Id, name: &[u8]) -> Result<(), StoreError> {
        if self.find(id, parent, name)? {
            return Ok(());
        }
        let key = seal::new_key()?;
        let above = self.page(parent)?;
        above.children.insert(name.to_vec(), Child::new(key.duplicate()));
        above.changed = true;
        self.pages.insert(id, Page::new(key, Some((parent, name.to_vec()))));
        Ok(())
    }

    /// Removes a page, and its key from the page above. What old copies hold is forgotten when that page is renewed.
    pub(super) fn remove(&mut self, id: Id, parent: Id, name: &[u8]) -> Result<(), StoreError> {
        self.pages.remove(&id);
        let above = self.page(parent)?;
        above.children.remove(name);
        above.changed = true;
        let mut statement = self.connection.prepare_cached("DELETE FROM pages WHERE id = ?1").map_err(fault)?;
        statement.execute([id.as_slice()]).map_err(fault)?;
        Ok(())
    }

    /// The key of one of the 64 parts of a segment, and how many records it has.
    pub(super) fn part(&mut self, segment: Id, part: u8) -> Result<Option<(Secret, u32)>, StoreError> {
        let child = self.page(segment)?.children.get(&[part][..]);
        Ok(child.map(|child| (child.key.duplicate(), child.count)))
    }

    /// A new key for a part with this many records, in place of the one that is there.
    pub(super) fn renew_part(&mut self, segment: Id, part: u8, count: u32) -> Result<Secret, StoreError> {
        let key = seal::new_key()?;
        let page = self.page(segment)?;
        page.children.insert(vec![part], Child { key: key.duplicate(), count });
        page.changed = true;
        Ok(key)
    }

    /// A part has this many records now.
    pub(super) fn set_count(&mut self, segment: Id, part: u8, count: u32) -> Result<(), StoreError> {
        let page = self.page(segment)?;
        page.children.get_mut(&[part][..]).ok_or(DAMAGED)?.count = count;
        page.changed = true;
        Ok(())
    }

    /// A new key for the root page: that of the next period.
    pub(super) fn renew_root(&mut self, period_key: &Secret) -> Result<(), StoreError> {
        let root = self.page(ROOT)?;
        root.key = period_key.duplicate();
        (root.changed, root.renewed) = (true, true);
        Ok(())
    }

    /// New keys for a page and those above it, below the root. The root must have been renewed before.
    pub(super) fn renew(&mut self, id: Id) -> Result<(), StoreError> {
        let mut next = Some(id);
        while let Some(id) = next.take() {
            let page = self.page(id)?;
            if page.renewed {
                break;
            }
            page.key = seal::new_key()?;
            (page.changed, page.renewed) = (true, true);
            if let Some((parent, name)) = page.parent.clone() {
                let key = page.key.duplicate();
                self.page(parent)?.children.insert(name, Child::new(key));
                next = Some(parent);
            }
        }
        Ok(())
    }

    /// Writes the pages that changed; returns how many bytes.
    pub(super) fn flush(&mut self) -> Result<usize, StoreError> {
        let sql = "INSERT INTO pages(id, sealed) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET sealed = ?2";
        let mut statement = self.connection.prepare_cached(sql).map_err(fault)?;
        let mut written = 0_usize;
        for (id, page) in self.pages.iter_mut().filter(|(_, page)| page.changed) {
            let sealed = seal::seal(&page.key, &self.store.page(*id), page.encode()?.as_slice())?;
            statement.execute((id.as_slice(), &sealed)).map_err(fault)?;
            written = written.saturating_add(sealed.len());
            page.changed = false;
        }
        Ok(written)
    }

    fn read(&self, id: Id, key: Secret, parent: Option<(Id, Vec<u8>)>) -> Result<Page, StoreError> {
        let mut statement = self.connection.prepare_cached("SELECT sealed FROM pages WHERE id = ?1").map_err(fault)?;
        let sealed: Option<Vec<u8>> =
            statement.query_row([id.as_slice()], |row| row.get(0)).optional().map_err(fault)?;
        let content = seal::open(&key, &self.store.page(id), &sealed.ok_or(DAMAGED)?).ok_or(DAMAGED)?;
        let children = decode(content.as_slice()).ok_or(DAMAGED)?;
        Ok(Page { key, children, parent, changed: false, renewed: false })
    }
}

impl Child {
    const fn new(key: Secret) -> Self {
        Self { key, count: 0 }
    }
}

impl Page {
    fn new(key: Secret, parent: Option<(Id, Vec<u8>)>) -> Self {
        Self { key, children: BTreeMap::new(), parent, changed: true, renewed: false }
    }

    fn encode(&self) -> Result<Secret, StoreError> {
        let entry = |name: &Vec<u8>| name.len().saturating_add(KEY_LEN).saturating_add(5);
        // Its full size at once, so that no half-grown copy is left behind.
        let mut bytes = Vec::with_capacity(self.children.keys().map(entry).sum());
        for (name, Child { key, count }) in &self.children {
            bytes.push(u8::try_from(name.len()).map_err(|_| DAMAGED)?);
            bytes.extend_from_slice(name);
            bytes.extend_from_slice(key.as_slice());
            bytes.extend_from_slice(&count.to_be_bytes());
        }
        Ok(Secret::new(bytes))
    }
}

fn decode(mut bytes: &[u8]) -> Option<BTreeMap<Vec<u8>, Child>> {
    let mut children = BTreeMap::new();
    while let Some((len, rest)) = bytes.split_first() {
        let (name, rest) = rest.split_at_checked(usize::from(*len))?;
        let (key, rest) = rest.split_at_checked(KEY_LEN)?;
        let (count, rest) = rest.split_first_chunk()?;
        children.insert(name.to_vec(), Child { key: Secret::copy_from(key), count: u32::from_be_bytes(*count) });
        bytes = rest;
    }
    Some(children)
}

/// The root page.
pub(super) const ROOT: Id = Id([0; ID_LEN]);
const LOOKUP: &[u8] = b"";
const DAMAGED: StoreError = StoreError::RowDamaged { table: Table::Pages };
