//! The directory of groups, at the delivery service (SURF-D).
//!
//! In: records that members publish, and questions of anybody. Out: records with the word of the service.
//! Always: the service vouches for a record only if its publisher is the write key of a group it serves, in an epoch that the
//! device may write in; the directory verifies every record again. Anybody may ask: records are public. Every answer is a page.

use core::fmt;
use std::{
    net::IpAddr,
    sync::{Arc, Mutex},
};

use axum::{
    extract::{Request as HttpRequest, State},
    response::Response,
};
use mls_crypto::SignaturePrivateKey;
use mls_delivery::{
    DeviceId, GroupId, Rejection,
    access::Access,
    ask,
    quota::{Quota, Rate},
    request::FetchGroupInfo,
};
use mls_discovery::{
    Directory, DirectoryCrypto, DiscoveryError, GroupPublicInfo, MAX_RECORD,
    wire::{Fetch, Find, Get, Publish, Published},
};
use mls_engine::codec::{decode_exact, encode};
use tls_codec::Serialize;

use crate::{
    App,
    app::network,
    body,
    calls::{SMALL_BODY, address, device, finish, pace},
};

/// How often somebody may ask.
#[derive(Clone, Copy, Debug)]
pub struct DeskQuotas {
    /// Questions of one address.
    pub questions: Rate,
    /// Records that one device publishes.
    pub records: Rate,
}

impl Default for DeskQuotas {
    fn default() -> Self {
        Self {
            questions: Rate { count: 600, period_ms: 60_000, burst: 300 },
            records: Rate { count: 60, period_ms: 3_600_000, burst: 30 },
        }
    }
}

/// A directory, and the key that vouches for what members publish.
pub struct Desk {
    directory: Arc<dyn Directory>,
    crypto: DirectoryCrypto,
    key: SignaturePrivateKey,
    questions: Mutex<Quota<IpAddr>>,
    records: Mutex<Quota<DeviceId>>,
}

impl Desk {
    /// A desk at a directory that believes `key`, the service's.
    pub fn new(
        directory: Arc<dyn Directory>,
        (crypto, key): (DirectoryCrypto, SignaturePrivateKey),
        quotas: DeskQuotas,
    ) -> Self {
        let questions = Quota::new(quotas.questions, KEYS).into();
        Self { directory, crypto, key, questions, records: Quota::new(quotas.records, KEYS).into() }
    }

    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce(&dyn Directory) -> Result<T, DiscoveryError> + Send + 'static,
    ) -> Result<T, Rejection> {
        let directory = self.directory.clone();
        let done = tokio::task::spawn_blocking(move || work(directory.as_ref())).await;
        done.map_err(|_| Rejection::Unavailable)?.map_err(rejection)
    }
}

impl fmt::Debug for Desk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { directory, crypto: _, key: _, questions: _, records: _ } = self;
        f.debug_struct("Desk").field("directory", directory).finish_non_exhaustive()
    }
}

pub(crate) async fn publish(State(app): State<Arc<App>>, request: HttpRequest) -> Response {
    let done = async {
        let device = device(&app, request.headers())?;
        let desk = app.desk()?;
        let pace = pace(&request);
        let limit = u64::try_from(MAX_RECORD).unwrap_or(u64::MAX).saturating_add(SMALL_BODY);
        let publish: Publish = body::read(request.into_body(), limit, pace).await?;
        app.take(&desk.records, device)?;
        admit(&app, device, &publish).await?;
        let record = publish.record.witnessed(&desk.crypto, &desk.key).map_err(rejection)?;
        let taken = record.clone();
        let changed = desk.work(move |directory| directory.publish(taken)).await?;
        bytes(&Published { record, changed: changed.into() })
    };
    let done = done.await;
    finish(&app, done)
}

/// Whether the record's publisher is the write key of its epoch: the service that keeps the group's log is asked, as whoever
/// reads the GroupInfo asks.
async fn admit(app: &App, device: DeviceId, publish: &Publish) -> Result<(), Rejection> {
    let access: Access = decode_exact(publish.access.as_slice()).map_err(|_| Rejection::Malformed)?;
    let record: &GroupPublicInfo = &publish.record;
    let fits = match &access {
        Access::Member { epoch, public_key, .. } => {
            *epoch == record.epoch() && public_key.as_slice() == record.publisher()
        }
        _ => false,
    };
    if !fits {
        return Err(Rejection::Forbidden);
    }
    let fetch = FetchGroupInfo { group_id: GroupId::new(record.group_id()), access };
    match ask(app.service.as_ref(), device, fetch).await {
        Ok(_) | Err(Rejection::NoGroupInfo) => Ok(()),
        Err(rejection) => Err(rejection),
    }
}

pub(crate) async fn get(State(app): State<Arc<App>>, request: HttpRequest) -> Response {
    let done = async {
        let (desk, pace) = (app.desk()?, pace(&request));
        app.take(&desk.questions, network(address(&request)))?;
        let get: Get = body::read(request.into_body(), SMALL_BODY, pace).await?;
        bytes(&desk.work(move |directory| directory.get(get.group_id.as_slice())).await?)
    };
    let done = done.await;
    finish(&app, done)
}

pub(crate) async fn find(State(app): State<Arc<App>>, request: HttpRequest) -> Response {
    let done = async {
        let (desk, pace) = (app.desk()?, pace(&request));
        app.take(&desk.questions, network(address(&request)))?;
        let find: Find = body::read(request.into_body(), SMALL_BODY, pace).await?;
        let query = find.query().ok_or(Rejection::Malformed)?;
        let found = move |directory: &dyn Directory| directory.query(&query, find.from.as_ref(), find.limit.into());
        bytes(&desk.work(found).await?)
    };
    let done = done.await;
    finish(&app, done)
}

pub(crate) async fn since(State(app): State<Arc<App>>, request: HttpRequest) -> Response {
    let done = async {
        let (desk, pace) = (app.desk()?, pace(&request));
        app.take(&desk.questions, network(address(&request)))?;
        let fetch: Fetch = body::read(request.into_body(), SMALL_BODY, pace).await?;
        bytes(&desk.work(move |directory| directory.since(&fetch.since, fetch.limit.into())).await?)
    };
    let done = done.await;
    finish(&app, done)
}

impl App {
    /// With a directory of groups.
    #[must_use]
    pub fn with_directory(mut self, desk: Desk) -> Self {
        self.desk = Some(desk);
        self
    }

    /// A service without a directory has no such thing.
    fn desk(&self) -> Result<&Desk, Rejection> {
        self.desk.as_ref().ok_or(Rejection::Forbidden)
    }
}

fn bytes(value: &impl Serialize) -> Result<Vec<u8>, Rejection> {
    encode(value).map_err(|_| Rejection::Damaged)
}

fn rejection(error: DiscoveryError) -> Rejection {
    let count = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
    match error {
        DiscoveryError::TooLarge { len, limit } => Rejection::TooLarge { len: count(len), limit: count(limit) },
        DiscoveryError::BadSignature | DiscoveryError::BrokenChain => Rejection::BadSignature,
        DiscoveryError::Untrusted => Rejection::Forbidden,
        DiscoveryError::Full(limit) => Rejection::TooMany { count: limit.saturating_add(1), limit },
        DiscoveryError::Unavailable => Rejection::Unavailable,
        DiscoveryError::Damaged | DiscoveryError::Crypto(_) => Rejection::Damaged,
        _ => Rejection::Malformed,
    }
}

/// How many devices or addresses a quota remembers.
const KEYS: usize = 100_000;
