//! The one thread that writes: takes what waits, does it in one transaction, answers when that is durable.

use std::sync::{Arc, mpsc::Receiver};

use futures_channel::oneshot;
use mls_delivery::{
    Clock, GroupId, Rejection,
    hub::Hub,
    rows::RowError,
    rules::{Done, Prepared, Rules, at_once},
};
use rusqlite::Connection;

use crate::{error::fault, rows::SqliteRows};

/// How many requests share a transaction.
const BATCH: usize = 256;

/// Something to write.
#[derive(Debug)]
pub(crate) enum Job {
    /// A request, and who waits for it.
    Request(Box<Prepared>, Answer),
    /// Delete what has had its time.
    Sweep(oneshot::Sender<Result<(), RowError>>),
}

/// Who waits for a request.
pub(crate) type Answer = oneshot::Sender<Result<Done, Rejection>>;

/// The writer's thread.
#[derive(Debug)]
pub(crate) struct Writer {
    pub(crate) connection: Connection,
    pub(crate) rules: Arc<Rules>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) hub: Hub,
}

impl Writer {
    /// Writes until nobody is left who could ask.
    pub(crate) fn run(self, jobs: &Receiver<Job>) {
        while let Ok(first) = jobs.recv() {
            let mut batch = Vec::new();
            let mut sweeps = Vec::new();
            let waiting = core::iter::once(first).chain(core::iter::from_fn(|| jobs.try_recv().ok()));
            for job in waiting.take(BATCH) {
                match job {
                    Job::Request(prepared, answer) => batch.push((prepared, answer)),
                    Job::Sweep(answer) => sweeps.push(answer),
                }
            }
            self.write(batch);
            for answer in sweeps {
                // Who asked may be gone.
                let _gone = answer.send(self.sweep());
            }
        }
        // Ends the write-ahead log; if that fails, the next one to open the file reads it.
        let _later = self.connection.pragma_update(None, "wal_checkpoint", "TRUNCATE");
    }

    /// One transaction for all. What they are told was decided inside it, so if it fails, nobody is told any of that.
    fn write(&self, batch: Vec<(Box<Prepared>, Answer)>) {
        if batch.is_empty() {
            return;
        }
        let mut answers = Vec::with_capacity(batch.len());
        let mut results = Vec::with_capacity(batch.len());
        let begun = self.execute("BEGIN IMMEDIATE");
        for (prepared, answer) in batch {
            answers.push(answer);
            results.push(match &begun {
                Ok(()) => self.request(*prepared),
                Err(error) => Err((*error).into()),
            });
        }
        if begun.is_ok() && self.execute("COMMIT").is_err() {
            let _rolled_back = self.execute("ROLLBACK");
            results.iter_mut().for_each(|result| *result = Err(Rejection::Unsure));
        }
        for (answer, result) in answers.into_iter().zip(results) {
            if let Ok(done) = &result {
                self.hub.touch(done.touched());
            }
            let _gone = answer.send(result);
        }
    }

    /// One request, in a savepoint: a refusal has written nothing, a failure is taken back, and the others go on.
    fn request(&self, prepared: Prepared) -> Result<Done, Rejection> {
        self.execute("SAVEPOINT request")?;
        let mut rows = SqliteRows(&self.connection);
        let result = at_once(self.rules.execute(&mut rows, prepared, self.clock.now()));
        match result {
            Ok(Ok(done)) => {
                self.execute("RELEASE request")?;
                Ok(done)
            }
            Ok(Err(rejection)) => {
                self.execute("ROLLBACK TO request")?;
                self.execute("RELEASE request")?;
                Err(rejection)
            }
            Err(error) => Err(error.into()),
        }
    }

    fn sweep(&self) -> Result<(), RowError> {
        let mut after: Option<GroupId> = None;
        loop {
            self.execute("BEGIN IMMEDIATE")?;
            let mut rows = SqliteRows(&self.connection);
            let swept = at_once(self.rules.sweep(&mut rows, after.as_ref(), self.clock.now()));
            match swept {
                Ok(Ok(next)) => {
                    self.execute("COMMIT")?;
                    after = next;
                }
                Ok(Err(error)) | Err(error) => {
                    self.execute("ROLLBACK")?;
                    return Err(error);
                }
            }
            if after.is_none() {
                return Ok(());
            }
        }
    }

    fn execute(&self, sql: &str) -> Result<(), RowError> {
        self.connection.prepare_cached(sql).and_then(|mut statement| statement.execute([])).map(|_| ()).map_err(fault)
    }
}
