//! Somebody who has the root key, some slots, and every image of the files that was ever written.
//!
//! Written from docs/storage-format.md, not with the store's own code: what it reads, anybody could.

use std::collections::{BTreeMap, BTreeSet};

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    hmac,
};

use crate::support::{Dir, Files};

/// Id, and sealed value.
type Record = (Vec<u8>, Vec<u8>);

/// Everything that lay in rows at some time.
#[derive(Default)]
pub(crate) struct Attacker {
    store: Vec<u8>,
    pages: BTreeMap<Vec<u8>, BTreeSet<Vec<u8>>>,
    records: BTreeMap<Vec<u8>, BTreeSet<Record>>,
    slots: BTreeSet<Vec<u8>>,
}

impl Attacker {
    /// Adds the rows and slots of an image.
    pub(crate) fn add(&mut self, image: &Files) {
        self.store = image["header"][16..32].to_vec();
        let keep = |name: &&str| image.contains_key(*name);
        let database = ["store.db", "store.db-wal"].into_iter().filter(keep);
        let dir = Dir::with(&database.map(|name| (name.to_owned(), image[name].clone())).collect());
        let connection = rusqlite::Connection::open(dir.file("store.db")).unwrap();
        let mut rows = connection.prepare("SELECT id, sealed FROM pages").unwrap();
        for row in rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap() {
            let (id, sealed): (Vec<u8>, Vec<u8>) = row.unwrap();
            self.pages.entry(id).or_default().insert(sealed);
        }
        let mut rows = connection.prepare("SELECT segment, id, sealed FROM records").unwrap();
        for row in rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap() {
            let (segment, id, sealed): (Vec<u8>, Vec<u8>, Vec<u8>) = row.unwrap();
            self.records.entry(segment).or_default().insert((id, sealed));
        }
    }

    /// Adds the slots of an image.
    pub(crate) fn add_slots(&mut self, image: &Files) {
        self.slots.extend(image["slots"].chunks(4_096).map(|block| block[..128].to_vec()));
    }

    /// Every value that opens with the root key and the slots.
    pub(crate) fn read(&self, root: &[u8]) -> BTreeSet<Vec<u8>> {
        let wrap = mac(root, &[b"SpacePanda store 1 period key", &self.store, &[1]]);
        let mut found = BTreeSet::new();
        for slot in self.slots.iter().filter(|slot| slot.starts_with(b"SPSLOT01")) {
            let entry = &slot[17..][..usize::from(slot[16])];
            if let Some(key) = open(&wrap, &self.place(0, &[&slot[8..16]]), entry) {
                self.descend(&key, &mut found);
            }
        }
        found
    }

    /// Every value that opens with the key of a period.
    pub(crate) fn read_with(&self, period_key: &[u8]) -> BTreeSet<Vec<u8>> {
        let mut found = BTreeSet::new();
        self.descend(period_key, &mut found);
        found
    }

    fn descend(&self, period_key: &[u8], found: &mut BTreeSet<Vec<u8>>) {
        for root in self.open_pages(&[0; 16], period_key) {
            let lookup = &root[&Vec::new()];
            let id = |label: &[u8], parts: &[&[u8]]| mac(lookup, &[&[label], parts].concat())[..16].to_vec();
            for (shard, key) in root.iter().filter(|(name, _)| !name.is_empty()) {
                let shards = self.open_pages(&id(b"shard", &[shard]), key);
                for (space, key) in shards.iter().flatten() {
                    let spaces = self.open_pages(space, key);
                    for (name, key) in spaces.iter().flatten() {
                        let segment = id(b"segment", &[space, name]);
                        let parts = self.open_pages(&segment, key);
                        let prefix = [&space[..], name].concat();
                        let values = parts.iter().flatten().flat_map(|part| self.open_part(&prefix, &segment, part));
                        found.extend(values);
                    }
                }
            }
        }
    }

    /// The records of one part of a segment that this key opens. The prefix is the space, the class and the epoch.
    fn open_part(&self, prefix: &[u8], segment: &[u8], (part, key): (&Vec<u8>, &Vec<u8>)) -> Vec<Vec<u8>> {
        let records = self.records.get(segment).into_iter().flatten().filter(|(id, _)| id[0] >> 2 == part[0]);
        let opened = records.filter_map(|(id, sealed)| open(key, &self.place(4, &[prefix, id]), sealed));
        opened
            .map(|content| content[2 + usize::from(u16::from_be_bytes([content[0], content[1]]))..].to_vec())
            .collect()
    }

    /// Every version of a page that this key opens.
    fn open_pages(&self, id: &[u8], key: &[u8]) -> Vec<BTreeMap<Vec<u8>, Vec<u8>>> {
        let sealed = self.pages.get(id).into_iter().flatten();
        let opened = sealed.filter_map(|sealed| open(key, &self.place(2, &[id]), sealed));
        opened.map(|content| children(&content)).collect()
    }

    fn place(&self, table: u8, parts: &[&[u8]]) -> Vec<u8> {
        [&b"SPS1"[..], &[table], &1_u32.to_be_bytes(), &self.store, &parts.concat()].concat()
    }
}

fn children(mut content: &[u8]) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let mut children = BTreeMap::new();
    while let [len, rest @ ..] = content {
        let (name, rest) = rest.split_at((*len).into());
        children.insert(name.to_vec(), rest[..32].to_vec());
        content = &rest[36..];
    }
    children
}

fn mac(key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), &parts.concat()).as_ref().to_vec()
}

fn open(key: &[u8], place: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
    let (salt, rest) = sealed.split_at_checked(12)?;
    let (nonce, body) = rest.split_at_checked(12)?;
    let subkey = mac(key, &[b"SpacePanda store 1 record key", salt, &[1]]);
    let cipher = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &subkey).unwrap());
    let mut body = body.to_vec();
    let nonce = Nonce::try_assume_unique_for_key(nonce).unwrap();
    cipher.open_in_place(nonce, Aad::from(place), &mut body).ok().map(|plaintext| plaintext.to_vec())
}
