//! What all connections share: the service, the gate, quotas and numbers.

use std::{
    fmt,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
};

use mls_crypto::Random;
use mls_delivery::{
    Clock, DeliveryService, DeviceId, Rejection,
    auth::Gate,
    quota::{Quota, Rate},
    request::Request,
};

use tokio::sync::watch;

use crate::Metrics;

/// How often devices and addresses may ask.
#[derive(Clone, Copy, Debug)]
pub struct Quotas {
    /// Requests of one device.
    pub requests: Rate,
    /// Commits of one device.
    pub commits: Rate,
    /// Key packages that one device claims.
    pub claims: Rate,
    /// Challenges and logins from one address.
    pub logins: Rate,
}

impl Default for Quotas {
    fn default() -> Self {
        Self {
            requests: Rate { count: 1_200, period_ms: MINUTE, burst: 600 },
            commits: Rate { count: 30, period_ms: MINUTE, burst: 30 },
            claims: Rate { count: 60, period_ms: 60 * MINUTE, burst: 60 },
            logins: Rate { count: 120, period_ms: MINUTE, burst: 120 },
        }
    }
}

/// A service that answers over HTTP.
pub struct App {
    pub(crate) service: Arc<dyn DeliveryService>,
    pub(crate) gate: Gate,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
    pub(crate) metrics: Arc<Metrics>,
    ready: watch::Sender<bool>,
    requests: Mutex<Quota<DeviceId>>,
    commits: Mutex<Quota<DeviceId>>,
    claims: Mutex<Quota<DeviceId>>,
    logins: Mutex<Quota<IpAddr>>,
    began: std::time::Instant,
}

impl App {
    /// An app around a service. `gate` knows devices.
    pub fn new(
        service: Arc<dyn DeliveryService>,
        gate: Gate,
        (clock, random): (Arc<dyn Clock>, Arc<dyn Random>),
        quotas: Quotas,
    ) -> Self {
        Self {
            service,
            gate,
            clock,
            random,
            metrics: Arc::default(),
            ready: watch::Sender::new(true),
            requests: Quota::new(quotas.requests, KEYS).into(),
            commits: Quota::new(quotas.commits, KEYS).into(),
            claims: Quota::new(quotas.claims, KEYS).into(),
            logins: Quota::new(quotas.logins, KEYS).into(),
            began: std::time::Instant::now(),
        }
    }

    /// Its numbers.
    pub fn metrics(&self) -> &Arc<Metrics> {
        &self.metrics
    }

    pub(crate) fn is_ready(&self) -> bool {
        *self.ready.borrow()
    }

    pub(crate) fn end(&self) {
        self.ready.send_replace(false);
    }

    /// Waits until the service ends.
    pub(crate) async fn ending(&self) {
        // There is no error as long as there is an app.
        let mut ready = self.ready.subscribe();
        let _ended = ready.wait_for(|ready| !ready).await;
    }

    /// Counts a request of a device.
    pub(crate) fn count(&self, device: DeviceId, request: &Request) -> Result<(), Rejection> {
        self.take(&self.requests, device)?;
        match request {
            Request::SubmitCommit(_) => self.take(&self.commits, device),
            Request::ClaimKeyPackages(_) => self.take(&self.claims, device),
            _ => Ok(()),
        }
    }

    /// Counts a request of somebody who is not known yet.
    pub(crate) fn count_login(&self, address: IpAddr) -> Result<(), Rejection> {
        self.take(&self.logins, network(address))
    }

    fn take<K: Ord>(&self, quota: &Mutex<Quota<K>>, key: K) -> Result<(), Rejection> {
        let now = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let mut quota = quota.lock().unwrap_or_else(PoisonError::into_inner);
        quota.take(key, now).map_err(|retry_after_ms| Rejection::RateLimited { retry_after_ms })
    }
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App").field("ready", &self.is_ready()).finish_non_exhaustive()
    }
}

/// Who has one address of IPv6 has 2^64.
pub(crate) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6((v6.to_bits() & !u128::from(u64::MAX)).into()),
        v4 @ IpAddr::V4(_) => v4,
    }
}

const MINUTE: u64 = 60_000;

/// How many devices or addresses a quota remembers.
const KEYS: usize = 100_000;
