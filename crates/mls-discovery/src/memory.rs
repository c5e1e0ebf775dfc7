//! A directory in memory, which is forgotten when it ends.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use mls_crypto::Random;

use crate::{
    Bell, Bounds, Changes, Contenders, Directory, DirectoryCrypto, DirectoryWatch, DiscoveryError, DiscoveryQuery,
    Found, GroupPublicInfo, Order, PageFiller, Place, Records, SCAN, Since, Trust,
};

/// Records in memory. A query looks at all of them: the one on SQLite is for many.
#[derive(Debug)]
pub struct MemoryDirectory {
    state: Mutex<State>,
    bell: Bell,
    life: [u8; 16],
}

#[derive(Debug)]
struct State {
    records: Records,
    /// The group of each change that is the last of its group.
    changes: BTreeMap<u64, Vec<u8>>,
    /// The last change of each group.
    last: BTreeMap<Vec<u8>, u64>,
}

impl MemoryDirectory {
    /// An empty directory that believes whom `trust` names.
    ///
    /// # Errors
    /// [`DiscoveryError::Crypto`] if randomness fails.
    pub fn new(
        crypto: DirectoryCrypto,
        trust: Trust,
        bounds: Bounds,
        random: &dyn Random,
    ) -> Result<Self, DiscoveryError> {
        let mut life = [0; 16];
        random.fill(&mut life)?;
        let records = Records::new(crypto, trust).bounds(bounds);
        let state = State { records, changes: BTreeMap::new(), last: BTreeMap::new() };
        Ok(Self { state: state.into(), bell: Bell::default(), life })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Directory for MemoryDirectory {
    fn publish(&self, record: GroupPublicInfo) -> Result<bool, DiscoveryError> {
        let group_id = record.group_id().to_vec();
        let mut state = self.state();
        if !state.records.insert(record)? {
            return Ok(false);
        }
        let change = state.changes.last_key_value().map_or(0, |(change, _)| *change).saturating_add(1);
        if let Some(before) = state.last.insert(group_id.clone(), change) {
            state.changes.remove(&before);
        }
        state.changes.insert(change, group_id);
        drop(state);
        self.bell.ring(change);
        Ok(true)
    }

    fn get(&self, group_id: &[u8]) -> Result<Option<GroupPublicInfo>, DiscoveryError> {
        Ok(self.state().records.get(group_id).cloned())
    }

    fn contenders(&self, group_id: &[u8]) -> Result<Vec<GroupPublicInfo>, DiscoveryError> {
        let state = self.state();
        Ok(state.records.contenders(group_id).into_iter().flat_map(Contenders::records).cloned().collect())
    }

    fn query(&self, query: &DiscoveryQuery, from: Option<&Place>, limit: usize) -> Result<Found, DiscoveryError> {
        let (order, (least, above)) = (query.order(), query.range());
        let state = self.state();
        let keyed = state.records.all().filter_map(|record| {
            let key = order.key(record)?;
            let inside = key >= least && (order == Order::Id || key < above);
            inside.then(|| (Place { key: key.into(), group_id: record.group_id().into() }, record))
        });
        let mut places: Vec<_> = keyed.filter(|(place, _)| from.is_none_or(|from| place >= from)).collect();
        places.sort_by(|(one, _), (other, _)| one.cmp(other));
        let mut page = PageFiller::default();
        for (looked, (place, record)) in places.into_iter().enumerate() {
            if looked >= SCAN || (query.matches(record) && !page.add(record.clone(), limit)) {
                return Ok(Found { records: page.records(), next: Some(place) });
            }
        }
        Ok(Found { records: page.records(), next: None })
    }

    fn since(&self, since: &Since, limit: usize) -> Result<Changes, DiscoveryError> {
        let state = self.state();
        let mut upto = Since { life: self.life, change: if since.life == self.life { since.change } else { 0 } };
        let mut page = PageFiller::default();
        for (change, group_id) in state.changes.range(upto.change.saturating_add(1)..) {
            let contenders = state.records.contenders(group_id).into_iter().flat_map(Contenders::records);
            if !page.add_all(contenders.cloned().collect(), limit) {
                return Ok(Changes { records: page.records(), upto, more: 1 });
            }
            upto.change = *change;
        }
        Ok(Changes { records: page.records(), upto, more: 0 })
    }

    fn watch(&self) -> DirectoryWatch {
        self.bell.watch()
    }
}
