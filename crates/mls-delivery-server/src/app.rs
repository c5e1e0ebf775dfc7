//! What all connections share: the service, the gate, quotas and numbers.

use std::{
    fmt,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
};

use mls_crypto::Random;
use mls_delivery::{
    Clock, DeliveryService, DeviceId, GroupId, Rejection, UserId,
    auth::Gate,
    quota::{Quota, Rate},
    request::Request,
};

use tokio::sync::watch;

use crate::{Desk, Metrics};

/// How often devices and addresses may ask.
#[derive(Clone, Copy, Debug)]
pub struct Quotas {
    /// Requests of one device.
    pub requests: Rate,
    /// Commits of one device.
    pub commits: Rate,
    /// Commits that are taken in one group, whoever makes them.
    pub group_commits: Rate,
    /// How often the key packages of one user are claimed, by whomever.
    pub claimed: Rate,
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
            group_commits: Rate { count: 30, period_ms: MINUTE, burst: 60 },
            claimed: Rate { count: 100, period_ms: DAY, burst: 100 },
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
    group_commits: Mutex<Quota<GroupId>>,
    claimed: Mutex<Quota<UserId>>,
    claims: Mutex<Quota<DeviceId>>,
    logins: Mutex<Quota<IpAddr>>,
    began: std::time::Instant,
    pub(crate) desk: Option<Desk>,
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
            group_commits: Quota::new(quotas.group_commits, KEYS).into(),
            claimed: Quota::new(quotas.claimed, KEYS).into(),
            claims: Quota::new(quotas.claims, KEYS).into(),
            logins: Quota::new(quotas.logins, KEYS).into(),
            began: std::time::Instant::now(),
            desk: None,
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
            Request::SubmitCommit(submit) => {
                self.take(&self.commits, device)?;
                let quota = self.group_commits.lock().unwrap_or_else(PoisonError::into_inner);
                quota.check(&submit.group_id, self.now()).map_err(limited)
            }
            Request::ClaimKeyPackages(claim) => {
                self.take(&self.claims, device)?;
                self.take(&self.claimed, claim.user.clone())
            }
            _ => Ok(()),
        }
    }

    /// Counts a commit that was taken. Those that are refused count for their device only, or strangers could use up what a
    /// group has.
    pub(crate) fn committed(&self, group_id: GroupId) {
        // It has happened, whatever the quota says.
        let _counted = self.take(&self.group_commits, group_id);
    }

    /// Counts a request of somebody who is not known yet.
    pub(crate) fn count_login(&self, address: IpAddr) -> Result<(), Rejection> {
        self.take(&self.logins, network(address))
    }

    pub(crate) fn take<K: Ord>(&self, quota: &Mutex<Quota<K>>, key: K) -> Result<(), Rejection> {
        let mut quota = quota.lock().unwrap_or_else(PoisonError::into_inner);
        quota.take(key, self.now()).map_err(limited)
    }

    fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App").field("ready", &self.is_ready()).finish_non_exhaustive()
    }
}

const fn limited(retry_after_ms: u64) -> Rejection {
    Rejection::RateLimited { retry_after_ms }
}

/// Who has one address of IPv6 has 2^64.
pub(crate) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6((v6.to_bits() & !u128::from(u64::MAX)).into()),
        v4 @ IpAddr::V4(_) => v4,
    }
}

const MINUTE: u64 = 60_000;

const DAY: u64 = 24 * 60 * MINUTE;

/// How many devices or addresses a quota remembers.
const KEYS: usize = 100_000;
