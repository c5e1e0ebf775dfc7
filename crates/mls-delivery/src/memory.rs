//! A delivery service in memory: for tests, and for groups inside one process.
//!
//! Always: the same rules as the durable ones; everything is forgotten when it ends.

mod devices;
mod groups;
mod logs;
mod mail;
mod passes;
mod places;
mod quotas;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
};

use crate::{
    Clock, DeviceId, Digest, GroupId, Rejection, Seq, Timestamp, UserId,
    hub::{Hub, Topic},
    reply::Reply,
    request::Request,
    rows::{
        DeviceRow, EpochRow, GroupRow, InfoRow, KeyPackageRow, LogRow, MailRow, MailboxRow, PageLimits, PassRow,
        ReaderRow, RowError,
    },
    rules::{Checked, Done, Rules, at_once},
    service::{BoxFuture, Capabilities, DeliveryService, Watch},
    shard::{Place, Shard, ShardName, ShardReply, ShardRequest},
};

/// A delivery service that keeps everything in memory.
#[derive(Debug)]
pub struct MemoryService {
    rules: Rules,
    clock: Arc<dyn Clock>,
    rows: Mutex<MemoryRows>,
    hub: Hub,
}

/// Rows in memory.
#[derive(Debug, Default)]
struct MemoryRows {
    groups: BTreeMap<GroupId, Group>,
    reading: BTreeSet<(DeviceId, GroupId)>,
    mailboxes: BTreeMap<DeviceId, Mailbox>,
    devices: BTreeMap<DeviceId, DeviceRow>,
    users: BTreeSet<(UserId, DeviceId)>,
    invites: BTreeMap<Digest, u64>,
    key_packages: BTreeMap<DeviceId, Vec<KeyPackageRow>>,
    names: Option<(ShardName, ShardName)>,
    places: BTreeMap<GroupId, Place>,
    relayed: BTreeMap<(ShardName, DeviceId), Seq>,
    quotas: BTreeMap<Digest, u64>,
}

#[derive(Debug)]
struct Group {
    row: GroupRow,
    epochs: BTreeMap<u64, EpochRow>,
    readers: BTreeMap<DeviceId, ReaderRow>,
    reports: BTreeSet<(u64, u32, DeviceId)>,
    log: BTreeMap<Seq, LogRow>,
    places: BTreeMap<Digest, Seq>,
    infos: BTreeMap<Seq, InfoRow>,
    passes: BTreeMap<Digest, PassRow>,
}

#[derive(Debug, Default)]
struct Mailbox {
    row: MailboxRow,
    mail: BTreeMap<Seq, MailRow>,
}

impl MemoryService {
    /// An empty service.
    pub fn new(rules: Rules, clock: Arc<dyn Clock>) -> Self {
        Self { rules, clock, rows: Mutex::default(), hub: Hub::new() }
    }

    /// Deletes what has had its time.
    ///
    /// # Errors
    /// [`RowError`], which does not happen.
    pub fn sweep(&self) -> Result<(), RowError> {
        let mut rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        let mut after = None;
        loop {
            after = at_once(self.rules.sweep(&mut *rows, after.as_ref(), self.clock.now()))??;
            if after.is_none() {
                return Ok(());
            }
        }
    }

    fn done(&self, checked: Checked, now: Timestamp) -> Result<Done, Rejection> {
        let done = {
            let mut rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
            let prepared = at_once(self.rules.prepare(&mut *rows, checked, now))??;
            at_once(self.rules.execute(&mut *rows, prepared, now))??
        };
        self.hub.touch(done.touched());
        Ok(done)
    }
}

impl DeliveryService for MemoryService {
    fn call(&self, caller: DeviceId, request: Request) -> BoxFuture<'_, Result<Reply, Rejection>> {
        Box::pin(async move {
            let now = self.clock.now();
            let done = self.done(self.rules.check(caller, request, now)?, now)?;
            self.rules.finish(done)
        })
    }

    fn watch(&self, topics: Vec<Topic>) -> Box<dyn Watch> {
        self.hub.watch(topics)
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            total_order: 1,
            durable: 0,
            limits: self.rules.limits.clone(),
            service_key: self.rules.service_key.public_key().clone(),
        }
    }
}

impl Shard for MemoryService {
    fn shard(&self, request: ShardRequest) -> BoxFuture<'_, Result<ShardReply, Rejection>> {
        Box::pin(async move {
            let now = self.clock.now();
            let done = self.done(self.rules.check_shard(request, now)?, now)?;
            self.rules.finish_shard(done)
        })
    }
}

/// Cuts a page: at most so many entries, and at most so many bytes but for the first.
fn page<T>(rows: impl Iterator<Item = T>, length: impl Fn(&T) -> u64, limits: PageLimits) -> Vec<T> {
    let mut bytes: u64 = 0;
    let mut taken = Vec::new();
    for row in rows.take(usize::try_from(limits.entries).unwrap_or(usize::MAX)) {
        bytes = bytes.saturating_add(length(&row));
        if bytes > limits.bytes && !taken.is_empty() {
            break;
        }
        taken.push(row);
    }
    taken
}
