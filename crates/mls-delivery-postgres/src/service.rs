//! The service: one node of any number on one database.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures_channel::oneshot;
use mls_crypto::Random;
use mls_delivery::{
    BoxFuture, Capabilities, Clock, DeliveryService, DeviceId, Rejection, Watch,
    hub::{Hub, Topic},
    quota::Shares,
    reply::Reply,
    request::Request,
    rows::RowError,
    rules::{Checked, Done, Prepared, Rules},
    shard::{Shard, ShardReply, ShardRequest},
};
use tokio::{
    runtime::Handle,
    sync::{Semaphore, mpsc},
    task::JoinHandle,
};
use tokio_postgres::IsolationLevel;

use crate::{
    Database, OpenError,
    error::fault,
    news::News,
    rows::PostgresRows,
    schema,
    writer::{Job, Writer, stripes},
};

/// How many requests may wait for one writer, and for reading.
const QUEUE: usize = 4_096;

/// How many write, in each node. What belongs to one group is written by one of them.
const WRITERS: usize = 4;

/// How often what is watched is looked at, in case hints get lost.
const POLL: Duration = Duration::from_secs(2);

/// One node of a delivery service. Dropping it does what waits, and then lets go of the database.
pub struct PostgresService {
    node: Arc<Node>,
    runtime: Handle,
    tasks: Vec<JoinHandle<()>>,
}

struct Node {
    writer: Writer,
    writers: Vec<mpsc::Sender<Job>>,
    /// Requests that lock nothing are dealt out in turn.
    turn: AtomicUsize,
    reading: Semaphore,
    hub: Hub,
}

impl PostgresService {
    /// Opens the service in this database, or makes it; the database holds nothing else. Other nodes may have it open. It
    /// runs on the runtime that this is called in.
    ///
    /// # Errors
    /// [`OpenError`]. Nothing was changed then.
    pub async fn open(
        database: Database,
        rules: Rules,
        (clock, random): (Arc<dyn Clock>, Arc<dyn Random>),
    ) -> Result<Self, OpenError> {
        Self::open_polling(database, rules, (clock, random), POLL).await
    }

    /// The same, with another time between two looks at what is watched.
    ///
    /// # Errors
    /// [`OpenError`].
    pub async fn open_polling(
        database: Database,
        rules: Rules,
        (clock, random): (Arc<dyn Clock>, Arc<dyn Random>),
        poll: Duration,
    ) -> Result<Self, OpenError> {
        let pool = database.pool()?;
        schema::prepare(&mut pool.get().await?, rules.service_key.public_key().as_slice()).await?;
        let hub = Hub::new();
        let mut id = [0; 8];
        // Without a name of its own a node hears what it said itself, which is harmless.
        let _unnamed = random.fill(&mut id);
        let news = News::new(hub.clone(), format!("{:016x}", u64::from_be_bytes(id)));
        let writer = Writer { pool: pool.clone(), rules: Arc::new(rules), clock, random, news: news.clone() };
        let runtime = Handle::current();
        let tasks = vec![
            runtime.spawn(news.clone().tell(pool.clone())),
            runtime.spawn(news.clone().listen(database)),
            runtime.spawn(news.poll(pool, poll)),
        ];
        let writers = core::iter::repeat_with(|| {
            let (jobs, waiting) = mpsc::channel(QUEUE);
            runtime.spawn(writer.clone().run(waiting));
            jobs
        });
        let writers = writers.take(WRITERS).collect();
        let node = Node { writer, writers, turn: AtomicUsize::new(0), reading: Semaphore::new(QUEUE), hub };
        Ok(Self { node: Arc::new(node), runtime, tasks })
    }

    /// Deletes what has had its time. To be called now and then, by one of the nodes or by each.
    ///
    /// # Errors
    /// [`RowError`].
    pub async fn sweep(&self) -> Result<(), RowError> {
        let node = self.node.clone();
        self.runtime.spawn(async move { node.writer.sweep().await }).await.unwrap_or(Err(RowError::Unavailable))
    }

    async fn ask(&self, caller: DeviceId, request: Request) -> Result<Reply, Rejection> {
        let rules = &self.node.writer.rules;
        let done = self.done(rules.check(caller, request, self.node.writer.clock.now())?).await?;
        rules.finish(done)
    }

    async fn ask_shard(&self, request: ShardRequest) -> Result<ShardReply, Rejection> {
        let rules = &self.node.writer.rules;
        let done = self.done(rules.check_shard(request, self.node.writer.clock.now())?).await?;
        rules.finish_shard(done)
    }

    async fn done(&self, checked: Checked) -> Result<Done, Rejection> {
        let rules = &self.node.writer.rules;
        // A user's share is locked before it is counted, so it has to be known whose.
        let counted = checked.is_counted() && rules.shares != Shares::default();
        let answered = if checked.is_read() || checked.is_judged() || counted {
            let (answer, answered) = oneshot::channel();
            let node = self.node.clone();
            // A task of its own: who asked may go away, and the transaction ends in order all the same.
            self.runtime.spawn(async move { node.read_first(checked, answer).await });
            answered
        } else {
            let (answer, answered) = oneshot::channel();
            self.node.hand_on(rules.unjudged(checked), answer);
            answered
        };
        // A task that ends without a word was in the middle of something.
        answered.await.unwrap_or(Err(Rejection::Unsure))
    }
}

impl Node {
    /// A request whose first step is to read; the rest of one that writes is handed on.
    async fn read_first(&self, checked: Checked, answer: oneshot::Sender<Result<Done, Rejection>>) {
        let Ok(_place) = self.reading.try_acquire() else {
            let _gone = answer.send(Err(Rejection::Overloaded));
            return;
        };
        if checked.is_read() {
            let _gone = answer.send(self.read(checked).await);
            return;
        }
        match self.judge(checked).await {
            Ok(prepared) => self.hand_on(prepared, answer),
            Err(rejection) => {
                let _gone = answer.send(Err(rejection));
            }
        }
    }

    async fn read(&self, checked: Checked) -> Result<Done, Rejection> {
        let Writer { pool, rules, clock, .. } = &self.writer;
        let mut client = pool.get().await.map_err(|_| Rejection::Unavailable)?;
        let moment = moment(&mut client).await?;
        let (mut rows, now) = (PostgresRows::reading(&moment), clock.now());
        let prepared = rules.prepare(&mut rows, checked, now).await?;
        rules.execute(&mut rows, prepared, now).await
    }

    async fn judge(&self, checked: Checked) -> Result<Prepared, Rejection> {
        let Writer { pool, rules, clock, .. } = &self.writer;
        let mut client = pool.get().await.map_err(|_| Rejection::Unavailable)?;
        let moment = moment(&mut client).await?;
        rules.prepare(&mut PostgresRows::reading(&moment), checked, clock.now()).await
    }

    /// Gives a request to a writer, unless too many wait already.
    fn hand_on(&self, prepared: Prepared, answer: oneshot::Sender<Result<Done, Rejection>>) {
        let stripes = stripes(&self.writer.rules, &prepared.scope());
        let first = stripes.first().and_then(|stripe| usize::try_from(*stripe).ok());
        let turn = first.unwrap_or_else(|| self.turn.fetch_add(1, Ordering::Relaxed));
        let writer = turn.checked_rem(self.writers.len()).and_then(|at| self.writers.get(at));
        let job = Job { prepared: Box::new(prepared), stripes, answer };
        let refused = match writer.map(|writer| writer.try_send(job)) {
            Some(Ok(())) | None => return,
            Some(Err(refused)) => refused,
        };
        let (job, rejection) = match refused {
            mpsc::error::TrySendError::Full(job) => (job, Rejection::Overloaded),
            mpsc::error::TrySendError::Closed(job) => (job, Rejection::Unavailable),
        };
        let _gone = job.answer.send(Err(rejection));
    }
}

/// A transaction that reads, all of it as of one moment.
async fn moment(client: &mut deadpool_postgres::Client) -> Result<deadpool_postgres::Transaction<'_>, RowError> {
    let begin = client.build_transaction().isolation_level(IsolationLevel::RepeatableRead).read_only(true);
    begin.start().await.map_err(|error| fault(&error))
}

impl DeliveryService for PostgresService {
    fn call(&self, caller: DeviceId, request: Request) -> BoxFuture<'_, Result<Reply, Rejection>> {
        Box::pin(self.ask(caller, request))
    }

    fn watch(&self, topics: Vec<Topic>) -> Box<dyn Watch> {
        self.node.hub.watch(topics)
    }

    fn capabilities(&self) -> Capabilities {
        let rules = &self.node.writer.rules;
        Capabilities {
            total_order: 1,
            durable: 1,
            limits: rules.limits.clone(),
            service_key: rules.service_key.public_key().clone(),
        }
    }
}

impl Shard for PostgresService {
    fn shard(&self, request: ShardRequest) -> BoxFuture<'_, Result<ShardReply, Rejection>> {
        Box::pin(self.ask_shard(request))
    }
}

impl Drop for PostgresService {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

impl fmt::Debug for PostgresService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresService").field("pool", &self.node.writer.pool.status()).finish_non_exhaustive()
    }
}
