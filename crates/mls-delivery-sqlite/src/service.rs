//! The service: hands requests to the threads that own the database, and answers when they have.

use std::{
    fs,
    path::Path,
    sync::{
        Arc, Mutex,
        mpsc::{SyncSender, TrySendError, sync_channel},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use futures_channel::oneshot;
use mls_delivery::{
    BoxFuture, Capabilities, Clock, DeliveryService, DeviceId, Rejection, Watch,
    hub::{Hub, Topic},
    reply::Reply,
    request::Request,
    rows::RowError,
    rules::{Checked, Done, Rules},
    shard::{Shard, ShardReply, ShardRequest},
};
use rusqlite::{Connection, OpenFlags};

use crate::{
    OpenError,
    reader::{Question, Reader, hand_on},
    schema, settings,
    writer::{Job, Writer},
};

/// How many requests may wait for the writer, and for the readers.
const QUEUE: usize = 4_096;

/// How many threads read.
const READERS: usize = 2;

/// A delivery service in one directory. Dropping it answers what waits, then closes the database.
#[derive(Debug)]
pub struct SqliteService {
    rules: Arc<Rules>,
    clock: Arc<dyn Clock>,
    hub: Hub,
    /// `None` only while it is dropped.
    doors: Option<Doors>,
    threads: Vec<JoinHandle<()>>,
}

/// The ways in to the threads; when they are gone, the threads end.
#[derive(Debug)]
struct Doors {
    writer: SyncSender<Job>,
    readers: SyncSender<Question>,
}

impl SqliteService {
    /// Opens the service in this directory, or makes it. The directory holds nothing else.
    ///
    /// # Errors
    /// [`OpenError`]. Nothing was changed then.
    pub fn open(dir: &Path, rules: Rules, clock: Arc<dyn Clock>) -> Result<Self, OpenError> {
        fs::create_dir_all(dir)?;
        let mut connection = connect(dir)?;
        schema::prepare(&mut connection)?;
        let (rules, hub) = (Arc::new(rules), Hub::new());
        let (jobs, waiting) = sync_channel(QUEUE);
        let (questions, asked) = sync_channel(QUEUE);
        let asked = Arc::new(Mutex::new(asked));
        let writer = Writer { connection, rules: rules.clone(), clock: clock.clone(), hub: hub.clone() };
        let mut threads = Vec::new();
        let spawn =
            |name: &str, work: Box<dyn FnOnce() + Send>| thread::Builder::new().name(name.to_owned()).spawn(work);
        threads.push(spawn("delivery-writer", Box::new(move || writer.run(&waiting)))?);
        for _ in 0..READERS {
            let (connection, writer) = (connect(dir)?, jobs.clone());
            let reader = Reader { connection, rules: rules.clone(), clock: clock.clone(), writer };
            let asked = asked.clone();
            threads.push(spawn("delivery-reader", Box::new(move || reader.run(&asked)))?);
        }
        Ok(Self { rules, clock, hub, doors: Some(Doors { writer: jobs, readers: questions }), threads })
    }

    /// Deletes what has had its time. To be called now and then.
    ///
    /// # Errors
    /// [`RowError`].
    pub async fn sweep(&self) -> Result<(), RowError> {
        let (answer, answered) = oneshot::channel();
        let doors = self.doors.as_ref().ok_or(RowError::Unavailable)?;
        doors.writer.try_send(Job::Sweep(answer)).map_err(|_| RowError::Unavailable)?;
        answered.await.unwrap_or(Err(RowError::Unavailable))
    }

    async fn ask(&self, caller: DeviceId, request: Request) -> Result<Reply, Rejection> {
        let done = self.done(self.rules.check(caller, request, self.clock.now())?).await?;
        self.rules.finish(done)
    }

    async fn ask_shard(&self, request: ShardRequest) -> Result<ShardReply, Rejection> {
        let done = self.done(self.rules.check_shard(request, self.clock.now())?).await?;
        self.rules.finish_shard(done)
    }

    async fn done(&self, checked: Checked) -> Result<Done, Rejection> {
        let (answer, answered) = oneshot::channel();
        self.doors.as_ref().ok_or(Rejection::Unavailable)?.send(&self.rules, checked, answer)?;
        // A thread that ends without a word was in the middle of something.
        answered.await.unwrap_or(Err(Rejection::Unsure))
    }
}

impl Doors {
    fn send(&self, rules: &Rules, checked: Checked, answer: crate::writer::Answer) -> Result<(), Rejection> {
        if checked.is_read() || checked.is_judged() {
            return self.readers.try_send((checked, answer)).map_err(|error| match error {
                TrySendError::Full(_) => Rejection::Overloaded,
                TrySendError::Disconnected(_) => Rejection::Unavailable,
            });
        }
        hand_on(&self.writer, Job::Request(Box::new(rules.unjudged(checked)), answer));
        Ok(())
    }
}

impl DeliveryService for SqliteService {
    fn call(&self, caller: DeviceId, request: Request) -> BoxFuture<'_, Result<Reply, Rejection>> {
        Box::pin(self.ask(caller, request))
    }

    fn watch(&self, topics: Vec<Topic>) -> Box<dyn Watch> {
        self.hub.watch(topics)
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            total_order: 1,
            durable: 1,
            limits: self.rules.limits.clone(),
            service_key: self.rules.service_key.public_key().clone(),
        }
    }
}

impl Shard for SqliteService {
    fn shard(&self, request: ShardRequest) -> BoxFuture<'_, Result<ShardReply, Rejection>> {
        Box::pin(self.ask_shard(request))
    }
}

impl Drop for SqliteService {
    fn drop(&mut self) {
        self.doors = None;
        // Readers may still hand something on, so the writer, which is first, ends last; the order of joining is no matter.
        for thread in self.threads.drain(..) {
            let _ended = thread.join();
        }
    }
}

fn connect(dir: &Path) -> Result<Connection, OpenError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(dir.join("delivery.db"), flags)?;
    connection.busy_timeout(Duration::from_secs(5))?;
    connection.set_prepared_statement_cache_capacity(128);
    settings::apply(&connection)?;
    Ok(connection)
}
