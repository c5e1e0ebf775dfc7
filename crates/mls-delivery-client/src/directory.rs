//! A directory of groups that is far away: asking it, and following its changes (SURF-D).
//!
//! In: an address. Out: records, and what merging them came to.
//! Always: nothing that is answered is believed: who asks verifies records with [`GroupPublicInfo::verify`], and a directory that
//! follows another verifies each before it merges it. An answer is short, and a round has an end.

use std::{sync::Arc, time::Duration};

use hyper::Method;
use mls_delivery::Rejection;
use mls_discovery::{
    Changes, Directory, DiscoveryError, DiscoveryQuery, Found, GroupPublicInfo, MAX_FORKS, MAX_PAGE, MAX_RECORD, Place,
    Since,
    wire::{Fetch, Find, Get},
};
use mls_engine::codec::{decode_exact, encode};
use tls_codec::{DeserializeBytes, Serialize};
use tokio_rustls::rustls::ClientConfig;

use crate::http::Http;

/// Bytes of an answer: a page, and all of one group.
const MAX_ANSWER: usize = 2 * MAX_FORKS * MAX_RECORD;

/// Pages of one round.
const PAGES: usize = 256;

/// Records that are not valid, after which a round ends: whoever sends them is not worth the verifying.
const MAX_REFUSED: usize = 16;

/// A directory that is far away. Who asks needs no device.
#[derive(Debug)]
pub struct DirectoryClient(Http);

/// Follows the changes of a directory that is far away.
#[derive(Debug)]
pub struct Replica {
    client: DirectoryClient,
    since: Since,
}

/// What a round came to.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Pulled {
    /// Records that changed something here.
    pub taken: usize,
    /// Records that were not valid, or not believed, or for which there was no room.
    pub refused: usize,
    /// Whether everything that the other has was read.
    pub whole: bool,
}

impl DirectoryClient {
    /// At this address: `https://host:port`, or `http://` to this machine.
    pub fn new(address: &str, tls: ClientConfig) -> Self {
        Self(Http::new(address, tls).max_answer(MAX_ANSWER))
    }

    /// The record of a group, to be verified.
    ///
    /// # Errors
    /// [`Rejection`].
    pub async fn get(&self, group_id: &[u8]) -> Result<Option<GroupPublicInfo>, Rejection> {
        self.ask("/v1/directory/get", &Get { group_id: group_id.into() }).await
    }

    /// Records that match, to be verified, from a place on.
    ///
    /// # Errors
    /// [`Rejection`].
    pub async fn find(&self, query: &DiscoveryQuery, from: Option<Place>, limit: u16) -> Result<Found, Rejection> {
        self.ask("/v1/directory/find", &Find::new(query, from, limit)).await
    }

    /// What has changed since, to be merged.
    ///
    /// # Errors
    /// [`Rejection`].
    pub async fn since(&self, since: Since, limit: u16) -> Result<Changes, Rejection> {
        self.ask("/v1/directory/since", &Fetch { since, limit }).await
    }

    async fn ask<T: DeserializeBytes>(&self, path: &str, question: &impl Serialize) -> Result<T, Rejection> {
        let body = encode(question).map_err(|_| Rejection::Malformed)?;
        let answer = self.0.ask((Method::POST, path), None, body).await?;
        decode_exact(&answer).map_err(|_| Rejection::Malformed)
    }
}

impl Replica {
    /// Has read nothing yet.
    pub fn new(client: DirectoryClient) -> Self {
        Self { client, since: Since::default() }
    }

    /// Merges what has changed over there since the last round, page by page.
    ///
    /// # Errors
    /// [`Rejection`] of the other; [`Rejection::TooMany`] if it sends more than it was asked for, [`Rejection::Malformed`] if it
    /// does not come to an end; [`Rejection::Unavailable`] or
    /// [`Rejection::Damaged`] if the own directory fails. What was merged before stays, and the next round goes on after it.
    pub async fn round(&mut self, directory: &Arc<dyn Directory>) -> Result<Pulled, Rejection> {
        let mut pulled = Pulled::default();
        for _ in 0..PAGES {
            let page = self.client.since(self.since, PAGE).await?;
            let (count, limit) = (page.records.len(), MAX_PAGE.saturating_add(MAX_FORKS));
            if count > limit {
                let number = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
                return Err(Rejection::TooMany { count: number(count), limit: number(limit) });
            }
            let own = directory.clone();
            let merged = tokio::task::spawn_blocking(move || own.merge(page.records)).await;
            let merged = merged.map_err(|_| Rejection::Unavailable)?.map_err(failed)?;
            pulled.taken = pulled.taken.saturating_add(merged.taken);
            pulled.refused = pulled.refused.saturating_add(merged.refused.len());
            if page.more != 0 && page.upto == self.since {
                return Err(Rejection::Malformed);
            }
            self.since = page.upto;
            if page.more == 0 || pulled.refused > MAX_REFUSED {
                pulled.whole = page.more == 0;
                break;
            }
        }
        Ok(pulled)
    }

    /// Rounds for ever, `period` apart; sixteen times as long after one that failed, or that brought what is not valid. `told` is
    /// handed what each came to.
    pub async fn follow(
        mut self,
        directory: Arc<dyn Directory>,
        period: Duration,
        told: impl Fn(&Result<Pulled, Rejection>) + Send,
    ) {
        loop {
            let came = self.round(&directory).await;
            told(&came);
            let pause = match came {
                Ok(Pulled { refused: 0, .. }) => period,
                _ => period.saturating_mul(16),
            };
            tokio::time::sleep(pause).await;
        }
    }
}

fn failed(error: DiscoveryError) -> Rejection {
    if error == DiscoveryError::Unavailable { Rejection::Unavailable } else { Rejection::Damaged }
}

/// Records asked for at once.
const PAGE: u16 = 256;
