//! Those that write: each takes what waits for it, does it in one transaction, and answers when that is durable.
//!
//! What a batch may change is locked before anything is read: rows of one table, in the order of their numbers. So of two
//! nodes that write to one group one waits, and then reads what the other wrote.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use deadpool_postgres::{Pool, Transaction};
use futures_channel::oneshot;
use mls_crypto::Random;
use mls_delivery::{
    Clock, GroupId, Rejection,
    rows::RowError,
    rules::{Done, Prepared, Rules, Scope},
};
use tls_codec::Serialize;
use tokio::sync::mpsc;

use crate::{
    error::{fault, is_conflict},
    news::News,
    rows::PostgresRows,
    schema::STRIPES,
};

/// How many requests share a transaction.
const BATCH: usize = 256;

/// How often a transaction is begun that others are in the way of.
const TRIES: u32 = 6;

/// The pause after the first.
const FIRST: Duration = Duration::from_millis(20);

/// A request to be done, and who waits for it.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) prepared: Box<Prepared>,
    pub(crate) stripes: Vec<i64>,
    pub(crate) answer: oneshot::Sender<Result<Done, Rejection>>,
}

/// One of those that write.
#[derive(Clone)]
pub(crate) struct Writer {
    pub(crate) pool: Pool,
    pub(crate) rules: Arc<Rules>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
    pub(crate) news: News,
}

/// The rows of `locks` that stand for what a request may change.
pub(crate) fn stripes(rules: &Rules, scope: &[Scope]) -> Vec<i64> {
    let stripe = |scope: &Scope| {
        let (kind, name) = match scope {
            Scope::Group(group) => (1_u8, group.tls_serialize_detached()),
            Scope::Device(device) => (2, device.tls_serialize_detached()),
            Scope::User(user) => (3, user.tls_serialize_detached()),
            _ => (4, Ok(Vec::new())),
        };
        let mut bytes = name.unwrap_or_default();
        bytes.push(kind);
        // Of a digest, so that nobody can choose whom to be in the way of.
        let digest = rules.crypto.digest(&bytes);
        let number = digest.as_slice().iter().take(8).fold(0_u64, |sum, byte| (sum << 8) | u64::from(*byte));
        i64::try_from(number.checked_rem(STRIPES).unwrap_or_default()).unwrap_or_default()
    };
    scope.iter().map(stripe).collect()
}

impl Writer {
    /// Writes until nobody is left who could ask.
    pub(crate) async fn run(self, mut jobs: mpsc::Receiver<Job>) {
        let mut batch = Vec::new();
        while jobs.recv_many(&mut batch, BATCH).await > 0 {
            self.write(core::mem::take(&mut batch)).await;
        }
    }

    /// One transaction for all. What they are told was decided inside it, so if it fails, nobody is told any of that.
    async fn write(&self, batch: Vec<Job>) {
        let mut results = Vec::with_capacity(batch.len());
        let (mut answers, mut requests, mut stripes) = (Vec::new(), Vec::new(), BTreeSet::new());
        for Job { prepared, stripes: needed, answer } in batch {
            answers.push(answer);
            requests.push(*prepared);
            stripes.extend(needed);
        }
        let stripes: Vec<i64> = stripes.into_iter().collect();
        let failed = self.transact((requests, &stripes), &mut results).await.err();
        let mut results = results.into_iter();
        for answer in answers {
            let result = match &failed {
                Some(rejection) => Err(rejection.clone()),
                None => results.next().unwrap_or(Err(Rejection::Unsure)),
            };
            if let Ok(done) = &result {
                self.news.touch(done.touched());
            }
            // Who asked may be gone.
            let _gone = answer.send(result);
        }
    }

    /// Begins anew, a little later each time, as long as another transaction was in the way; so often at most.
    async fn transact(
        &self,
        (requests, stripes): (Vec<Prepared>, &[i64]),
        results: &mut Vec<Result<Done, Rejection>>,
    ) -> Result<(), Rejection> {
        for tried in 0..TRIES {
            let conflict = AtomicBool::new(false);
            results.clear();
            let done = self.attempt((&requests, stripes), results, &conflict).await;
            if !conflict.load(Ordering::Relaxed) {
                return done;
            }
            tracing::debug!(tried, "another transaction was in the way");
            tokio::time::sleep(self.pause(tried)).await;
        }
        Err(Rejection::Unavailable)
    }

    async fn attempt(
        &self,
        (requests, stripes): (&[Prepared], &[i64]),
        results: &mut Vec<Result<Done, Rejection>>,
        conflict: &AtomicBool,
    ) -> Result<(), Rejection> {
        let mut client = self.pool.get().await.map_err(|_| Rejection::Unavailable)?;
        let mut transaction = client.transaction().await.map_err(|_| Rejection::Unavailable)?;
        if let Err(error) = lock(&transaction, stripes).await {
            conflict.store(is_conflict(&error), Ordering::Relaxed);
            return Err(fault(&error).into());
        }
        for request in requests {
            results.push(self.request(&mut transaction, request.clone(), conflict).await?);
            if conflict.load(Ordering::Relaxed) {
                // What the others were told belongs to a transaction that is not.
                return transaction.rollback().await.map_err(|_| Rejection::Unavailable);
            }
        }
        let ended = transaction.commit().await;
        ended.map_err(|error| {
            conflict.store(is_conflict(&error), Ordering::Relaxed);
            unsure(&error)
        })
    }

    /// One request, in a savepoint: a refusal has written nothing, a failure is taken back, and the others go on.
    async fn request(
        &self,
        transaction: &mut Transaction<'_>,
        request: Prepared,
        conflict: &AtomicBool,
    ) -> Result<Result<Done, Rejection>, Rejection> {
        let unavailable = |_| Rejection::Unavailable;
        let savepoint = transaction.savepoint("request").await.map_err(unavailable)?;
        let mut rows = PostgresRows::writing(&savepoint, conflict);
        let result = self.rules.execute(&mut rows, request, self.clock.now()).await;
        match &result {
            Ok(_) => savepoint.commit().await.map_err(unavailable)?,
            Err(_) => savepoint.rollback().await.map_err(unavailable)?,
        }
        Ok(result)
    }

    /// Between half and all of a time that doubles: those who met do not meet again.
    fn pause(&self, tried: u32) -> Duration {
        let longest = FIRST.saturating_mul(2_u32.saturating_pow(tried));
        let mut byte = [0xff];
        // Without randomness all of it is waited.
        let _all = self.random.fill(&mut byte);
        let [part] = byte;
        longest.mul_f64(0.5 + f64::from(part) / 510.0)
    }

    /// Deletes what has had its time, some groups in each transaction, during which nobody else writes.
    pub(crate) async fn sweep(&self) -> Result<(), RowError> {
        let mut after: Option<GroupId> = None;
        let all: Vec<i64> = (0..i64::try_from(STRIPES).unwrap_or(i64::MAX)).collect();
        loop {
            let mut client = self.pool.get().await.map_err(|_| RowError::Unavailable)?;
            let transaction = client.transaction().await.map_err(|error| fault(&error))?;
            lock(&transaction, &all).await.map_err(|error| fault(&error))?;
            let conflict = AtomicBool::new(false);
            after = self
                .rules
                .sweep(&mut PostgresRows::writing(&transaction, &conflict), after.as_ref(), self.clock.now())
                .await?;
            transaction.commit().await.map_err(|error| fault(&error))?;
            if after.is_none() {
                return Ok(());
            }
        }
    }
}

async fn lock(transaction: &Transaction<'_>, stripes: &[i64]) -> Result<(), tokio_postgres::Error> {
    if stripes.is_empty() {
        return Ok(());
    }
    let sql = "SELECT stripe FROM locks WHERE stripe = ANY($1) ORDER BY stripe FOR UPDATE";
    let statement = transaction.prepare_cached(sql).await?;
    transaction.execute(&statement, &[&stripes]).await.map(|_| ())
}

/// A transaction whose end was not confirmed: rolled back if PostgreSQL says so (class 40), and else nobody knows. One that
/// is told to end while it waits for its standby has committed, whatever else it says.
fn unsure(error: &tokio_postgres::Error) -> Rejection {
    match error.code().and_then(|code| code.code().get(..2)) {
        Some("40") => Rejection::Unavailable,
        _ => Rejection::Unsure,
    }
}
