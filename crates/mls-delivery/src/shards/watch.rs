//! Hints of all shards as one subscription.

use core::{future::poll_fn, task::Poll};

use crate::{
    hub::Topic,
    service::{BoxFuture, Watch},
};

/// A subscription at each shard.
#[derive(Debug)]
pub(super) struct All(pub(super) Vec<Box<dyn Watch>>);

impl Watch for All {
    fn next(&mut self) -> BoxFuture<'_, Vec<Topic>> {
        let mut waiting: Vec<_> = self.0.iter_mut().map(|watch| watch.next()).collect();
        Box::pin(poll_fn(move |context| {
            for watch in &mut waiting {
                if let Poll::Ready(topics) = watch.as_mut().poll(context) {
                    return Poll::Ready(topics);
                }
            }
            Poll::Pending
        }))
    }
}
