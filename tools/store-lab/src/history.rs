//! What a program was about to do, and what it was told is done.
//!
//! In: attempts and acknowledgements, as they happen. Out: the states that may be there after a crash.
//! Always: an acknowledged state is not lost; an attempt without an answer may have happened or not.

use crate::disk::Disk;

/// The promises of one run, each with the number of operations the disk had seen by then.
#[derive(Clone, Debug)]
pub struct History<S> {
    disk: Disk,
    events: Vec<(u64, Event<S>)>,
}

#[derive(Clone, Debug)]
enum Event<S> {
    Attempt(S),
    Acknowledged,
    Refused,
}

impl<S> History<S> {
    pub(crate) fn new(disk: &Disk, first: S) -> Self {
        let events = vec![(0, Event::Attempt(first)), (0, Event::Acknowledged)];
        Self { disk: disk.clone(), events }
    }

    /// An operation begins that leads to `state`.
    pub fn attempt(&mut self, state: S) {
        self.events.push((self.disk.operations(), Event::Attempt(state)));
    }

    /// The last attempt was reported as not done, in any part. Not called if nobody knows.
    pub fn refuse(&mut self) {
        self.events.push((self.disk.operations(), Event::Refused));
    }

    /// The last attempt was reported as done. Not called if it was reported as failed.
    pub fn acknowledge(&mut self) {
        self.events.push((self.disk.operations(), Event::Acknowledged));
    }

    /// The states that may be there if the machine stopped while operation `at` was under way: the last one that was
    /// acknowledged, and those attempted since.
    pub fn allowed(&self, at: u64) -> Vec<&S> {
        let mut allowed = Vec::new();
        for (_, event) in self.events.iter().filter(|(when, _)| *when <= at) {
            match event {
                Event::Attempt(state) => allowed.push(state),
                Event::Refused => drop(allowed.pop()),
                Event::Acknowledged => {
                    let settled = allowed.pop();
                    allowed.clear();
                    allowed.extend(settled);
                }
            }
        }
        allowed
    }
}
