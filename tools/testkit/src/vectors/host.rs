//! The host of an engine under test: believes every credential, allows every change, on one thread.

use std::collections::BTreeMap;

use mls_crypto::{CryptoProvider, Secret, Sequential};
use mls_engine::{
    error::Refusal,
    limits::Limits,
    message::{GroupContext, LeafNode, Lifetime, ProposalType},
    policy::{
        CommitClaim, CredentialClaim, CustomProposalRules, Env, Policy, Predecessor, ProposalClaim, PskSource,
        Timestamp,
    },
};

use crate::network::SeededRandom;

/// Some time at which the key packages of the official vectors are valid.
const NOW: Timestamp = 1_700_000_000;

/// What [`Env`] borrows from.
#[derive(Debug)]
pub(super) struct Host {
    random: SeededRandom,
    limits: Limits,
    psks: ExternalPsks,
    now: Timestamp,
}

impl Default for Host {
    fn default() -> Self {
        Self { random: SeededRandom::new(0), limits: Limits::default(), psks: ExternalPsks::default(), now: NOW }
    }
}

impl Host {
    /// A host that holds these external PSKs, by id.
    pub(super) fn with_psks<'a>(psks: impl Iterator<Item = (&'a [u8], &'a [u8])>) -> Self {
        let psks = ExternalPsks(psks.map(|(id, psk)| (id.to_vec(), psk.to_vec())).collect());
        Self { psks, ..Self::default() }
    }

    /// A host that lives when a key package with this lifetime is valid: in its middle, unless it is valid already.
    pub(super) fn within(self, lifetime: &Lifetime) -> Self {
        let Lifetime { not_before, not_after } = *lifetime;
        let middle = not_before.midpoint(not_after);
        Self { now: if lifetime.contains(self.now) { self.now } else { middle }, ..self }
    }

    pub(super) fn env<'a>(&'a self, crypto: &'a dyn CryptoProvider) -> Env<'a> {
        let Self { random, limits, psks, now } = self;
        Env { crypto, random, parallel: &Sequential, policy: &AllowAll, psks, limits, now: *now }
    }
}

/// External PSKs, and no other groups.
#[derive(Debug, Default)]
struct ExternalPsks(BTreeMap<Vec<u8>, Vec<u8>>);

impl PskSource for ExternalPsks {
    fn external(&self, psk_id: &[u8]) -> Option<Secret> {
        self.0.get(psk_id).map(|psk| Secret::copy_from(psk))
    }

    fn resumption(&self, _group_id: &[u8], _epoch: u64) -> Option<Secret> {
        None
    }

    fn predecessor(&self, _group_id: &[u8]) -> Option<Predecessor> {
        None
    }
}

/// The vectors check the protocol, not an application's rules.
#[derive(Debug)]
struct AllowAll;

impl Policy for AllowAll {
    fn validate_credential(&self, _claim: &CredentialClaim<'_>) -> Result<(), Refusal> {
        Ok(())
    }

    fn validate_successor(&self, _old: &LeafNode, _new: &LeafNode) -> Result<(), Refusal> {
        Ok(())
    }

    fn authorize_proposal(&self, _claim: &ProposalClaim<'_>) -> Result<(), Refusal> {
        Ok(())
    }

    fn authorize_commit(&self, _claim: &CommitClaim<'_>) -> Result<(), Refusal> {
        Ok(())
    }

    fn authorize_message(&self, _context: &GroupContext, _sender: &LeafNode) -> Result<(), Refusal> {
        Ok(())
    }

    fn accepts_public_handshakes(&self, _context: &GroupContext) -> bool {
        true
    }

    fn max_lifetime(&self) -> u64 {
        u64::MAX
    }

    fn custom_proposal(&self, _proposal_type: ProposalType) -> Option<CustomProposalRules> {
        None
    }
}
