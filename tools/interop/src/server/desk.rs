//! What a server keeps between calls, by number.
//!
//! In: what the stack returned. Out: a number for it, and later access by that number.
//! Always: one number means one thing; the table is locked only to look up, an entry for as long as a call works on it.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tonic::Status;

use crate::stack::{Answer, Failure, Stack};

/// A stack and everything it returned that has not been freed.
pub(super) struct Desk<S: Stack> {
    pub(super) stack: S,
    table: Mutex<Table<S>>,
}

struct Table<S: Stack> {
    last: u32,
    entries: HashMap<u32, Shared<S>>,
}

type Shared<S> = Arc<Mutex<Entry<S>>>;

/// Something a number stands for.
pub(super) enum Entry<S: Stack> {
    Member(S::Member),
    Joiner(S::Joiner),
    Successor(S::Successor),
    Signer(S::Signer),
}

impl<S: Stack> Desk<S> {
    pub(super) fn new(stack: S) -> Self {
        Self { stack, table: Mutex::new(Table { last: 0, entries: HashMap::new() }) }
    }

    pub(super) fn held(&self) -> usize {
        lock(&self.table).entries.len()
    }

    /// Keeps something under a new number.
    pub(super) fn keep(&self, entry: Entry<S>) -> Result<u32, Status> {
        let mut table = lock(&self.table);
        let number = table.last.checked_add(1).ok_or_else(|| Status::resource_exhausted("no numbers are left"))?;
        table.last = number;
        table.entries.insert(number, Arc::new(Mutex::new(entry)));
        Ok(number)
    }

    /// Forgets what a number stands for.
    pub(super) fn free_number(&self, number: u32) -> Result<(), Status> {
        lock(&self.table).entries.remove(&number).map(drop).ok_or_else(|| unknown(number))
    }

    /// Takes a state out of the table. Waits for the call that works on it, if there is one.
    pub(super) fn take_member(&self, number: u32) -> Result<S::Member, Status> {
        self.with_member(number, |_| Ok(()))?;
        let shared = lock(&self.table).entries.remove(&number).ok_or_else(|| unknown(number))?;
        let entry = Arc::into_inner(shared).ok_or_else(|| Status::aborted("another call uses this state"))?;
        match entry.into_inner().unwrap_or_else(PoisonError::into_inner) {
            Entry::Member(member) => Ok(member),
            _ => Err(unknown(number)),
        }
    }

    /// Works on an entry, whatever it is.
    pub(super) fn with<T>(&self, number: u32, work: impl FnOnce(&mut Entry<S>) -> Answer<T>) -> Result<T, Status> {
        let shared = self.find(number)?;
        let mut entry = lock(&shared);
        work(&mut entry).map_err(status)
    }

    /// Works on a state.
    pub(super) fn with_member<T>(
        &self,
        number: u32,
        work: impl FnOnce(&mut S::Member) -> Answer<T>,
    ) -> Result<T, Status> {
        self.with(number, |entry| match entry {
            Entry::Member(member) => work(member),
            _ => Err(Failure::Malformed("state_id: not a state")),
        })
    }

    /// Works on a transaction.
    pub(super) fn with_joiner<T>(
        &self,
        number: u32,
        work: impl FnOnce(&mut S::Joiner) -> Answer<T>,
    ) -> Result<T, Status> {
        self.with(number, |entry| match entry {
            Entry::Joiner(joiner) => work(joiner),
            _ => Err(Failure::Malformed("transaction_id: not a transaction")),
        })
    }

    /// Works on what is between two groups.
    pub(super) fn with_successor<T>(
        &self,
        number: u32,
        work: impl FnOnce(&mut S::Successor) -> Answer<T>,
    ) -> Result<T, Status> {
        self.with(number, |entry| match entry {
            Entry::Successor(successor) => work(successor),
            _ => Err(Failure::Malformed("reinit_id: no group has ended")),
        })
    }

    /// Works with an external sender.
    pub(super) fn with_signer<T>(&self, number: u32, work: impl FnOnce(&S::Signer) -> Answer<T>) -> Result<T, Status> {
        self.with(number, |entry| match entry {
            Entry::Signer(signer) => work(signer),
            _ => Err(Failure::Malformed("signer_id: not a signer")),
        })
    }

    fn find(&self, number: u32) -> Result<Shared<S>, Status> {
        lock(&self.table).entries.get(&number).cloned().ok_or_else(|| unknown(number))
    }
}

impl<S: Stack> fmt::Debug for Desk<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Desk").field("stack", &self.stack.name()).field("held", &self.held()).finish()
    }
}

/// A failure as gRPC knows it.
pub(super) fn status(failure: Failure) -> Status {
    let text = failure.to_string();
    match failure {
        Failure::Unsupported(_) => Status::unimplemented(text),
        Failure::Malformed(_) => Status::invalid_argument(text),
        Failure::Refused(_) => Status::failed_precondition(text),
    }
}

fn unknown(number: u32) -> Status {
    Status::not_found(format!("nothing has the number {number}: it was never given out, or freed"))
}

/// A call that panicked has left its entry as it was or half-changed; either way the others are untouched.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
