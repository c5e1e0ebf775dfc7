//! Threads that read: pages, GroupInfos, and what a handshake is judged by. Each request sees one moment.

use std::sync::{
    Arc, Mutex, PoisonError,
    mpsc::{Receiver, SyncSender, TrySendError},
};

use mls_delivery::{
    Clock, Rejection,
    rows::RowError,
    rules::{Checked, Done, Rules, at_once},
};
use rusqlite::Connection;

use crate::{
    error::fault,
    rows::SqliteRows,
    writer::{Answer, Job},
};

/// A request whose first step is to read, and who waits for it.
pub(crate) type Question = (Checked, Answer);

/// One reading thread.
#[derive(Debug)]
pub(crate) struct Reader {
    pub(crate) connection: Connection,
    pub(crate) rules: Arc<Rules>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) writer: SyncSender<Job>,
}

impl Reader {
    /// Reads until nobody is left who could ask.
    pub(crate) fn run(self, questions: &Mutex<Receiver<Question>>) {
        loop {
            let next = questions.lock().unwrap_or_else(PoisonError::into_inner).recv();
            let Ok((checked, answer)) = next else { return };
            if checked.is_read() {
                let _gone = answer.send(self.read(checked));
            } else {
                self.judge(checked, answer);
            }
        }
    }

    fn read(&self, checked: Checked) -> Result<Done, Rejection> {
        self.in_one_moment(|rows, rules, now| {
            let prepared = at_once(rules.prepare(rows, checked, now))??;
            at_once(rules.execute(rows, prepared, now))?
        })
    }

    /// Judges a handshake, and hands it on to be written.
    fn judge(&self, checked: Checked, answer: Answer) {
        let prepared = self.in_one_moment(|rows, rules, now| at_once(rules.prepare(rows, checked, now))?);
        match prepared {
            Ok(prepared) => hand_on(&self.writer, Job::Request(Box::new(prepared), answer)),
            Err(rejection) => {
                let _gone = answer.send(Err(rejection));
            }
        }
    }

    fn in_one_moment<T>(
        &self,
        work: impl FnOnce(&mut SqliteRows<'_>, &Rules, u64) -> Result<T, Rejection>,
    ) -> Result<T, Rejection> {
        let transaction = self.connection.unchecked_transaction().map_err(fault).map_err(Rejection::from)?;
        let result = work(&mut SqliteRows(&self.connection), &self.rules, self.clock.now());
        transaction.rollback().map_err(|_| RowError::Unavailable)?;
        result
    }
}

/// Gives a job to the writer, unless too many wait already.
pub(crate) fn hand_on(writer: &SyncSender<Job>, job: Job) {
    let (job, rejection) = match writer.try_send(job) {
        Ok(()) => return,
        Err(TrySendError::Full(job)) => (job, Rejection::Overloaded),
        Err(TrySendError::Disconnected(job)) => (job, Rejection::Unavailable),
    };
    if let Job::Request(_, answer) = job {
        let _gone = answer.send(Err(rejection));
    }
}
