//! What stays when a group begins anew in the place of an older state of it.
//!
//! In: the older state, as stored, and the group that takes its place. Out: records for the batch that does it.
//! Always: nothing that stays can send; epochs from the new one on are the new group's alone.

use mls_crypto::Secret;
use mls_engine::group::{Change, Group, RecordClass};

use super::Inner;
use crate::core_mls::{
    cell::Alongside,
    chronicle::epoch_of,
    error::{MlsError, MlsResult},
    passing::unsent,
    records::{self, AUDIT, HISTORY, LEAVING, REQUEUED, class_number},
    store::{Key, Space, Write},
    terms::Terms,
    times::Notes,
};

/// Records that stay.
#[derive(Default)]
pub(super) struct Kept {
    records: Notes,
    /// What makes them those of the past.
    ending: Vec<Change>,
}

/// What past epochs are read with; of each epoch by itself, but for nodes.
const READING: [RecordClass; 4] =
    [RecordClass::PastEpoch, RecordClass::SecretNode, RecordClass::Ratchet, RecordClass::Skipped];

impl Kept {
    /// As writes, before those of the group that begins.
    pub(super) fn writes(&self) -> MlsResult<Vec<Write<'_>>> {
        let mut writes = self.records.writes();
        writes.extend(records::writes(&self.ending)?);
        Ok(writes)
    }

    fn take(&mut self, records: Vec<(Key, Secret)>, wanted: impl Fn(&Key) -> bool) {
        for (key, record) in records.into_iter().filter(|(key, _)| wanted(key)) {
            self.records.put(key, record);
        }
    }
}

impl Inner {
    /// What stays of the state in `space` when `group` takes its place: always the log of who did what; with `past` also
    /// what can be read, and what was never sent.
    pub(super) fn keep(&self, space: &Space, group: &Group, past: bool) -> MlsResult<Kept> {
        let mut kept = Kept::default();
        kept.take(self.store.scan(space, AUDIT, None)?, |_| true);
        if !past {
            return Ok(kept);
        }
        match self.load_group(group.group_id()) {
            Ok((old, _)) => self.keep_past(&mut kept, space, (&old, group))?,
            // Nothing of it can be read.
            Err(MlsError::UnknownGroup | MlsError::InvalidRecord) => {}
            Err(error) => return Err(error),
        }
        Ok(kept)
    }

    fn keep_past(&self, kept: &mut Kept, space: &Space, (old, new): (&Group, &Group)) -> MlsResult<()> {
        let evidence = Alongside::load(self, old)?.chronicle.evidence;
        // From here on, keys that prove membership are not the group's.
        let forked = evidence.first_bad().unwrap_or(u64::MAX).min(new.epoch());
        for class in READING {
            kept.take(self.store.scan(space, class_number(class)?, None)?, |key| key.epoch < new.epoch());
        }
        kept.take(self.store.scan(space, class_number(RecordClass::Node)?, None)?, |_| true);
        let psks = self.store.scan(space, class_number(RecordClass::ResumptionPsk)?, None)?;
        kept.take(psks, |key| epoch_of(key).is_some_and(|epoch| epoch < forked));
        kept.take(self.store.scan(space, HISTORY, None)?, |key| epoch_of(key).is_some_and(|epoch| epoch < forked));
        let (key, record) = evidence.confirm(new.epoch(), None).record()?;
        record.into_iter().for_each(|record| kept.records.put(key.clone(), record));
        kept.take(self.store.scan(space, LEAVING, None)?, |_| true);
        self.keep_unsent(kept, space)?;
        let terms = Terms::new(self, old.public().context());
        if let Ok(changes) = old.ending(&terms.env(self))
            && old.epoch() < new.epoch()
        {
            let stays = |change: &Change| match change {
                Change::Put(key, _) => key.class != RecordClass::ResumptionPsk || old.epoch() < forked,
                _ => true,
            };
            kept.ending = changes.into_iter().filter(stays).collect();
        }
        Ok(())
    }

    /// Messages that nobody was given, after those of an earlier time.
    fn keep_unsent(&self, kept: &mut Kept, space: &Space) -> MlsResult<()> {
        let waiting = self.store.scan(space, REQUEUED, None)?.into_iter().map(|(_, record)| record);
        let all = waiting.chain(unsent(self.store.as_ref(), space)?);
        for (number, record) in (0_u64..).zip(all) {
            kept.records.put(records::key(REQUEUED, &number.to_be_bytes()), record);
        }
        Ok(())
    }
}
