//! Hints between nodes: what one has written, the others' watchers are told.
//!
//! Never inside the transaction that writes: PostgreSQL lets only one of those that notify commit at a time. Hints of some
//! milliseconds travel together, on a connection that writes nothing. Where they get lost, a look at the heads of what is
//! watched finds the same a little later.

use std::{
    collections::{BTreeMap, BTreeSet},
    future::poll_fn,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use deadpool_postgres::Pool;
use mls_delivery::{
    DeviceId, GroupId,
    hub::{Hub, Topic},
};
use tls_codec::{DeserializeBytes, Serialize};
use tokio::sync::Notify;
use tokio_postgres::{AsyncMessage, types::ToSql};

use crate::{Database, OpenError};

/// What is new, here and elsewhere.
#[derive(Clone)]
pub(crate) struct News {
    hub: Hub,
    /// Tells the hints of this node from those of others.
    node: String,
    pending: Arc<Mutex<BTreeSet<Topic>>>,
    more: Arc<Notify>,
}

impl News {
    pub(crate) fn new(hub: Hub, node: String) -> Self {
        Self { hub, node, pending: Arc::default(), more: Arc::default() }
    }

    /// Tells the watchers of this node now, and those of others soon.
    pub(crate) fn touch(&self, topics: &[Topic]) {
        if topics.is_empty() {
            return;
        }
        self.hub.touch(topics);
        self.pending.lock().unwrap_or_else(PoisonError::into_inner).extend(topics.iter().cloned());
        self.more.notify_one();
    }

    /// Tells other nodes, until it is aborted.
    pub(crate) async fn tell(self, pool: Pool) {
        loop {
            self.more.notified().await;
            tokio::time::sleep(TOGETHER).await;
            let topics = core::mem::take(&mut *self.pending.lock().unwrap_or_else(PoisonError::into_inner));
            let Ok(client) = pool.get().await else { continue };
            for payload in payloads(&self.node, &topics) {
                // A hint that gets lost costs time.
                let _lost = client.execute("SELECT pg_notify($1, $2)", &[&CHANNEL, &payload]).await;
            }
        }
    }

    /// Listens to other nodes, until it is aborted. `listening` is told each time it begins.
    pub(crate) async fn listen(self, database: Database) {
        loop {
            if let Err(error) = self.listen_once(&database).await {
                tracing::debug!(%error, "hints of other nodes do not arrive; polling");
            }
            tokio::time::sleep(AGAIN).await;
        }
    }

    async fn listen_once(&self, database: &Database) -> Result<(), OpenError> {
        let (client, mut connection) = database.config().connect(database.connector()).await?;
        let news = self.clone();
        let heard = async move {
            while let Some(Ok(message)) = poll_fn(|context| connection.poll_message(context)).await {
                if let AsyncMessage::Notification(notification) = message {
                    news.hear(notification.payload());
                }
            }
        };
        let mut heard = std::pin::pin!(heard);
        tokio::select! {
            begun = client.batch_execute(LISTEN) => begun?,
            () = &mut heard => return Ok(()),
        }
        heard.await;
        Ok(())
    }

    /// What another node says is new.
    fn hear(&self, payload: &str) {
        let mut parts = payload.split(',');
        if parts.next() == Some(&self.node) {
            return;
        }
        let topic = |part: &str| Topic::tls_deserialize_exact_bytes(&STANDARD_NO_PAD.decode(part).ok()?).ok();
        let topics: Vec<Topic> = parts.filter_map(topic).collect();
        self.hub.touch(&topics);
    }

    /// Looks now and then at what is watched, until it is aborted.
    pub(crate) async fn poll(self, pool: Pool, every: Duration) {
        let mut known = BTreeMap::new();
        loop {
            tokio::time::sleep(every).await;
            // What cannot be looked at now is looked at the next time.
            let _later = self.look(&pool, &mut known).await;
        }
    }

    async fn look(&self, pool: &Pool, known: &mut BTreeMap<Topic, i64>) -> Result<(), OpenError> {
        let watched: BTreeSet<Topic> = self.hub.watched().into_iter().collect();
        known.retain(|topic, _| watched.contains(topic));
        let (mut groups, mut devices) = (Vec::new(), Vec::new());
        for topic in &watched {
            match topic {
                Topic::Log(group) => groups.push(group.as_slice()),
                Topic::Mailbox(device) => devices.push(device.as_slice()),
                _ => {}
            }
        }
        let mut news = Vec::new();
        let group = |bytes: Vec<u8>| Some(Topic::Log(GroupId::new(bytes)));
        let device = |bytes: Vec<u8>| DeviceId::tls_deserialize_exact_bytes(&bytes).ok().map(Topic::Mailbox);
        let heads = "SELECT gid, head FROM groups WHERE gid = ANY($1)";
        news.extend(heads_of(pool, (heads, &groups), group).await?);
        let heads = "SELECT device, head FROM mailboxes WHERE device = ANY($1)";
        news.extend(heads_of(pool, (heads, &devices), device).await?);
        // What is seen for the first time may have changed since somebody began to watch.
        news.retain(|(topic, head)| known.insert(topic.clone(), *head) != Some(*head));
        let topics: Vec<Topic> = news.into_iter().map(|(topic, _)| topic).collect();
        self.hub.touch(&topics);
        Ok(())
    }
}

async fn heads_of(
    pool: &Pool,
    (sql, names): (&str, &Vec<&[u8]>),
    topic: impl Fn(Vec<u8>) -> Option<Topic>,
) -> Result<Vec<(Topic, i64)>, OpenError> {
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let client = pool.get().await?;
    let statement = client.prepare_cached(sql).await?;
    let names: &(dyn ToSql + Sync) = names;
    let mut heads = Vec::new();
    for row in client.query(&statement, &[names]).await? {
        if let Some(topic) = topic(row.try_get(0)?) {
            heads.push((topic, row.try_get(1)?));
        }
    }
    Ok(heads)
}

/// A notification holds less than 8,000 bytes.
fn payloads(node: &str, topics: &BTreeSet<Topic>) -> Vec<String> {
    let mut payloads = Vec::new();
    let mut payload = node.to_owned();
    for topic in topics {
        let Ok(bytes) = topic.tls_serialize_detached() else { continue };
        let part = STANDARD_NO_PAD.encode(bytes);
        if payload.len().saturating_add(part.len()) >= PAYLOAD && payload.len() > node.len() {
            payloads.push(core::mem::replace(&mut payload, node.to_owned()));
        }
        payload.push(',');
        payload.push_str(&part);
    }
    payloads.push(payload);
    payloads
}

const CHANNEL: &str = "delivery_news";
const LISTEN: &str = "LISTEN delivery_news";
const PAYLOAD: usize = 7_900;

/// How long hints are gathered.
const TOGETHER: Duration = Duration::from_millis(5);

/// How long a lost connection is left alone.
const AGAIN: Duration = Duration::from_secs(1);
