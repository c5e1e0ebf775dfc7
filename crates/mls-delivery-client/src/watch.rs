//! Hints from afar: each question says what is known already, so nothing is missed between two of them.

use mls_delivery::{
    BoxFuture, Watch,
    hub::{Seen, Topic},
};

use crate::Remote;

/// A subscription at a service that is far away. The first hint is at all topics that have anything.
#[derive(Debug)]
pub(crate) struct RemoteWatch {
    remote: Remote,
    known: Vec<Seen>,
}

impl RemoteWatch {
    pub(crate) fn new(remote: Remote, topics: Vec<Topic>) -> Self {
        let known = topics.into_iter().map(|topic| Seen { topic, head: None }).collect();
        Self { remote, known }
    }

    async fn next(&mut self) -> Vec<Topic> {
        loop {
            let news = match self.remote.watch_once(&self.known).await {
                Ok(news) => news,
                // Asked often enough: whoever reads now learns why.
                Err(_) => return self.known.iter().map(|seen| seen.topic.clone()).collect(),
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
}

impl Watch for RemoteWatch {
    fn next(&mut self) -> BoxFuture<'_, Vec<Topic>> {
        Box::pin(Self::next(self))
    }
}
