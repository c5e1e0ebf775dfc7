//! The host of an engine under test: believes every credential, allows every change, on one thread.

use mls_crypto::{CryptoProvider, Sequential};
use mls_engine::{
    error::Refusal,
    limits::Limits,
    message::{LeafNode, ProposalType},
    policy::{CommitClaim, CredentialClaim, CustomProposalRules, Env, Policy, ProposalClaim, Timestamp},
};

use super::random::Repeatable;

/// Some time at which the key packages of the vectors are valid.
const NOW: Timestamp = 1_700_000_000;

/// What [`Env`] borrows from.
#[derive(Debug, Default)]
pub(super) struct Host {
    random: Repeatable,
    limits: Limits,
}

impl Host {
    pub(super) fn env<'a>(&'a self, crypto: &'a dyn CryptoProvider) -> Env<'a> {
        let Self { random, limits } = self;
        Env { crypto, random, parallel: &Sequential, policy: &AllowAll, limits, now: NOW }
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

    fn max_lifetime(&self) -> u64 {
        u64::MAX
    }

    fn custom_proposal(&self, _proposal_type: ProposalType) -> Option<CustomProposalRules> {
        None
    }
}
