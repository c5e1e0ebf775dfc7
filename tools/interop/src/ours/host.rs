//! What the engine asks of its host.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use mls_crypto::{CryptoProvider, Secret, Sequential};
use mls_crypto_aws_lc::OsRandom;
use mls_engine::{
    group::Group,
    limits::Limits,
    policy::{Env, Predecessor, PskSource, Timestamp},
};
use testkit::network::TestPolicy;

use crate::message::PreSharedKey;

/// One client's host.
#[derive(Debug)]
pub(super) struct Host {
    pub(super) provider: Arc<dyn CryptoProvider>,
    policy: TestPolicy,
    limits: Limits,
    psks: BTreeMap<Vec<u8>, Secret>,
    resumption_psks: BTreeMap<(Vec<u8>, u64), Secret>,
    predecessors: BTreeMap<Vec<u8>, Predecessor>,
}

impl Host {
    pub(super) fn new(provider: Arc<dyn CryptoProvider>, grease_extensions: bool) -> Self {
        Self {
            provider,
            policy: TestPolicy {
                no_grease_extensions: !grease_extensions,
                // The harness keeps groups apart by number.
                reinit_under_same_id: true,
                ..TestPolicy::default()
            },
            limits: Limits { max_members: LARGEST_GROUP, ..Limits::default() },
            psks: BTreeMap::new(),
            resumption_psks: BTreeMap::new(),
            predecessors: BTreeMap::new(),
        }
    }

    pub(super) fn env(&self) -> Env<'_> {
        Env {
            crypto: self.provider.as_ref(),
            random: &OsRandom,
            parallel: &Sequential,
            policy: &self.policy,
            psks: self,
            limits: &self.limits,
            now: now(),
        }
    }

    /// Learns an external PSK.
    pub(super) fn add_psk(&mut self, psk: &PreSharedKey) {
        self.psks.insert(psk.psk_id.clone(), Secret::copy_from(&psk.psk_secret));
    }

    /// Another host with the same settings and external PSKs.
    pub(super) fn again(&self) -> Self {
        let mut again = Self::new(Arc::clone(&self.provider), !self.policy.no_grease_extensions);
        again.psks.extend(self.psks.iter().map(|(id, psk)| (id.clone(), psk.duplicate())));
        again
    }

    /// Remembers a group for those that continue it (Sections 11.2 and 11.3).
    pub(super) fn remember(&mut self, group: &Group) {
        let (id, epoch) = (group.group_id().to_vec(), group.epoch());
        if let Some(psk) = group.resumption_psk(epoch) {
            self.resumption_psks.insert((id.clone(), epoch), psk);
        }
        self.predecessors.insert(id, group.predecessor());
    }
}

impl PskSource for Host {
    fn external(&self, psk_id: &[u8]) -> Option<Secret> {
        self.psks.get(psk_id).map(Secret::duplicate)
    }

    fn resumption(&self, group_id: &[u8], epoch: u64) -> Option<Secret> {
        self.resumption_psks.get(&(group_id.to_vec(), epoch)).map(Secret::duplicate)
    }

    fn predecessor(&self, group_id: &[u8]) -> Option<Predecessor> {
        self.predecessors.get(group_id).cloned()
    }
}

/// Seconds since 1970.
pub(super) fn now() -> Timestamp {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// Members a group under test may have.
const LARGEST_GROUP: u32 = 10_000;
