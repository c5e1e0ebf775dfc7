//! Hints that something is new, inside one process.
//!
//! In: topics that a durable transaction touched. Out: a wake-up for whoever watches them.
//! Always: a hint may be lost or too many; what it hints at is read from the service. So a lost hint costs time, never a
//! message, and a watcher that is slow costs one entry per topic, however much happens.

use core::{
    fmt,
    future::poll_fn,
    task::{Poll, Waker},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

use mls_crypto::Opaque;
use tls_codec::{TlsDeserializeBytes, TlsSerialize, TlsSize};

use crate::{
    DeviceId, GroupId, Seq,
    service::{BoxFuture, Watch},
};

/// Where something can be new.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd, TlsDeserializeBytes, TlsSerialize, TlsSize)]
#[non_exhaustive]
#[repr(u8)]
pub enum Topic {
    /// The log of a group.
    #[tls_codec(discriminant = 1)]
    Log(GroupId),
    /// The mailbox of a device.
    #[tls_codec(discriminant = 2)]
    Mailbox(DeviceId),
}

/// How far somebody has seen a topic. Who watches from afar says so each time, and misses nothing in between.
#[derive(Clone, Debug, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct Seen {
    /// Where.
    pub topic: Topic,
    /// The last place that is known; `None` if nothing is known yet.
    pub head: Option<Seq>,
}

/// How a push begins, in its first frame: who asks, and what is known already.
#[derive(Clone, Debug, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct Subscribe {
    /// The token of a login, as bytes.
    pub token: Opaque,
    /// The topics, and how far each is known.
    pub known: Vec<Seen>,
}

/// Who watches what.
#[derive(Clone, Default)]
pub struct Hub {
    watchers: Arc<Mutex<Watchers>>,
}

type Watchers = BTreeMap<Topic, Vec<Weak<Watcher>>>;

/// What is new for one watcher.
#[derive(Default)]
struct Watcher {
    news: Mutex<News>,
}

#[derive(Default)]
struct News {
    topics: BTreeSet<Topic>,
    waker: Option<Waker>,
}

/// A subscription; ends when it is dropped.
struct HubWatch {
    hub: Hub,
    watcher: Arc<Watcher>,
    topics: BTreeSet<Topic>,
}

impl Hub {
    /// Nobody watches yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Watches some topics. What happens from now on is noticed.
    pub fn watch(&self, topics: Vec<Topic>) -> Box<dyn Watch> {
        let watcher = Arc::new(Watcher::default());
        let topics: BTreeSet<Topic> = topics.into_iter().collect();
        let mut watchers = lock(&self.watchers);
        for topic in &topics {
            watchers.entry(topic.clone()).or_default().push(Arc::downgrade(&watcher));
        }
        drop(watchers);
        Box::new(HubWatch { hub: self.clone(), watcher, topics })
    }

    /// What is watched now, by whomever.
    pub fn watched(&self) -> Vec<Topic> {
        lock(&self.watchers).keys().cloned().collect()
    }

    /// Tells everybody who watches these.
    pub fn touch(&self, topics: &[Topic]) {
        for topic in topics {
            let interested: Vec<_> =
                lock(&self.watchers).get(topic).into_iter().flatten().filter_map(Weak::upgrade).collect();
            for watcher in interested {
                let mut news = lock(&watcher.news);
                news.topics.insert(topic.clone());
                let waker = news.waker.take();
                drop(news);
                if let Some(waker) = waker {
                    waker.wake();
                }
            }
        }
    }
}

impl Watch for HubWatch {
    fn next(&mut self) -> BoxFuture<'_, Vec<Topic>> {
        let watcher = &self.watcher;
        Box::pin(poll_fn(move |context| {
            let mut news = lock(&watcher.news);
            if news.topics.is_empty() {
                news.waker = Some(context.waker().clone());
                return Poll::Pending;
            }
            Poll::Ready(core::mem::take(&mut news.topics).into_iter().collect())
        }))
    }
}

impl Drop for HubWatch {
    fn drop(&mut self) {
        let mut watchers = lock(&self.hub.watchers);
        for topic in &self.topics {
            let Some(list) = watchers.get_mut(topic) else { continue };
            list.retain(|other| !core::ptr::eq(other.as_ptr(), Arc::as_ptr(&self.watcher)));
            if list.is_empty() {
                watchers.remove(topic);
            }
        }
    }
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hub").field("topics", &lock(&self.watchers).len()).finish()
    }
}

impl fmt::Debug for HubWatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { hub: _, watcher: _, topics } = self;
        f.debug_struct("HubWatch").field("topics", &topics.len()).finish_non_exhaustive()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
