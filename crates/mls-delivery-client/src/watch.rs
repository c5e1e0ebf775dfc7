//! Hints from afar: each question says what is known already, so nothing is missed between two of them.
//!
//! The service pushes where it can. Where no WebSocket gets through, or one broke, it is asked, and each answer waits there.

use mls_delivery::{
    BoxFuture, Watch,
    hub::{Seen, Topic},
};

use crate::{
    Remote,
    push::{Closed, Push},
};

/// A subscription at a service that is far away. The first hint is at all topics that have anything.
#[derive(Debug)]
pub(crate) struct RemoteWatch {
    remote: Remote,
    known: Vec<Seen>,
    push: Option<Push>,
    /// How often to ask before a push is tried again.
    polls: u32,
}

impl RemoteWatch {
    pub(crate) fn new(remote: Remote, topics: Vec<Topic>) -> Self {
        let known = topics.into_iter().map(|topic| Seen { topic, head: None }).collect();
        Self { remote, known, push: None, polls: 0 }
    }

    async fn next(&mut self) -> Vec<Topic> {
        loop {
            if self.push.is_none() && self.polls == 0 {
                match self.remote.push(&self.known).await {
                    Ok(push) => self.push = Some(push),
                    Err(_) => self.polls = POLLS,
                }
            }
            let Some(news) = self.wait().await else { continue };
            let Ok(news) = news else {
                // Asked often enough: whoever reads now learns why.
                return self.known.iter().map(|seen| seen.topic.clone()).collect();
            };
            for new in &news {
                if let Some(seen) = self.known.iter_mut().find(|seen| seen.topic == new.topic) {
                    seen.head = new.head;
                }
            }
            if !news.is_empty() {
                return news.into_iter().map(|seen| seen.topic).collect();
            }
        }
    }

    /// Once, in the one way or the other. `None` if the push broke.
    async fn wait(&mut self) -> Option<Result<Vec<Seen>, mls_delivery::Rejection>> {
        let Some(push) = &mut self.push else {
            let news = self.remote.watch_once(&self.known).await;
            self.polls = self.polls.saturating_sub(1);
            return Some(news);
        };
        match push.next().await {
            Ok(news) => Some(Ok(news)),
            Err(closed) => {
                if closed == Closed::Unauthenticated {
                    self.remote.forget_token();
                }
                self.push = None;
                // Asking once finds out why, and what is new meanwhile.
                self.polls = 1;
                None
            }
        }
    }
}

impl Watch for RemoteWatch {
    fn next(&mut self) -> BoxFuture<'_, Vec<Topic>> {
        Box::pin(Self::next(self))
    }
}

const POLLS: u32 = 8;
