//! What a test host hands to the engine.

use std::{collections::BTreeMap, sync::Mutex};

use mls_crypto::{CryptoError, CryptoProvider, Random, Secret, Sequential};
use mls_crypto_rust::RustCrypto;
use mls_engine::{
    error::Refusal,
    limits::Limits,
    message::{Credential, GroupContext, LeafNode, Proposal, ProposalType},
    policy::{
        CommitClaim, Committer, CredentialClaim, CustomProposalRules, Env, Policy, Predecessor, ProposalClaim,
        Proposer, PskSource,
    },
};
use sha2::{Digest, Sha256};

/// Random bytes that a seed decides.
#[derive(Debug)]
pub struct SeededRandom(Mutex<(u64, u64)>);

impl SeededRandom {
    /// The source of this seed.
    pub fn new(seed: u64) -> Self {
        Self(Mutex::new((seed, 0)))
    }
}

impl Random for SeededRandom {
    fn fill(&self, out: &mut [u8]) -> Result<(), CryptoError> {
        let mut state = self.0.lock().unwrap();
        for piece in out.chunks_mut(32) {
            let (seed, counter) = *state;
            let block = Sha256::digest([seed.to_be_bytes(), counter.to_be_bytes()].concat());
            piece.copy_from_slice(&block[..piece.len()]);
            state.1 += 1;
        }
        Ok(())
    }
}

/// A policy that believes everybody unless told otherwise. Only tests have one.
#[derive(Debug, Default)]
pub struct TestPolicy {
    /// Identities that are not vouched for.
    pub refused: Vec<Vec<u8>>,
    /// Whether members must encrypt handshakes.
    pub only_private: bool,
    /// Whether our leaves and key packages carry no GREASE extension.
    pub no_grease_extensions: bool,
    /// Whether joining by external commit is refused.
    pub no_external_commits: bool,
    /// Whether commits that remove somebody are refused.
    pub no_removes: bool,
    /// Whether proposals of those who are no members are refused.
    pub no_outside_proposals: bool,
    /// Whether a group may be continued under its own id.
    pub reinit_under_same_id: bool,
    /// Custom proposal types and their rules.
    pub custom: BTreeMap<u16, CustomProposalRules>,
    /// Somebody else who is asked as well.
    pub judge: Option<Judge>,
}

/// Rules of an application, beside those of [`TestPolicy`].
#[derive(Clone, Copy, Debug)]
pub struct Judge {
    /// About proposals.
    pub proposal: fn(&ProposalClaim<'_>) -> Result<(), Refusal>,
    /// About commits.
    pub commit: fn(&CommitClaim<'_>) -> Result<(), Refusal>,
    /// About application messages.
    pub message: fn(&GroupContext, &LeafNode) -> Result<(), Refusal>,
}

/// The reasons [`TestPolicy`] gives.
impl TestPolicy {
    /// The credential is not vouched for.
    pub const CREDENTIAL: Refusal = Refusal(1);
    /// The new leaf is somebody else's.
    pub const SUCCESSOR: Refusal = Refusal(2);
    /// External commits are off.
    pub const EXTERNAL: Refusal = Refusal(3);
    /// Nobody is to be removed.
    pub const REMOVES: Refusal = Refusal(4);
    /// Only members may propose.
    pub const OUTSIDE: Refusal = Refusal(5);
}

impl Policy for TestPolicy {
    fn validate_credential(&self, claim: &CredentialClaim<'_>) -> Result<(), Refusal> {
        match claim.credential.identity() {
            Some(identity) if self.refused.iter().any(|refused| refused == identity) => Err(Self::CREDENTIAL),
            _ => Ok(()),
        }
    }

    fn validate_successor(&self, old: &LeafNode, new: &LeafNode) -> Result<(), Refusal> {
        if old.credential == new.credential { Ok(()) } else { Err(Self::SUCCESSOR) }
    }

    fn authorize_proposal(&self, claim: &ProposalClaim<'_>) -> Result<(), Refusal> {
        self.judge.map_or(Ok(()), |judge| (judge.proposal)(claim))?;
        match claim.proposer {
            Proposer::Member(_) => Ok(()),
            _ if self.no_outside_proposals => Err(Self::OUTSIDE),
            _ => Ok(()),
        }
    }

    fn authorize_commit(&self, claim: &CommitClaim<'_>) -> Result<(), Refusal> {
        self.judge.map_or(Ok(()), |judge| (judge.commit)(claim))?;
        let removes = claim.proposals.iter().any(|(_, proposal)| matches!(proposal, Proposal::Remove(_)));
        match claim.committer {
            Committer::New(_) if self.no_external_commits => Err(Self::EXTERNAL),
            _ if self.no_removes && removes => Err(Self::REMOVES),
            _ => Ok(()),
        }
    }

    fn authorize_message(&self, context: &GroupContext, sender: &LeafNode) -> Result<(), Refusal> {
        self.judge.map_or(Ok(()), |judge| (judge.message)(context, sender))
    }

    fn accepts_public_handshakes(&self, _: &GroupContext) -> bool {
        !self.only_private
    }

    fn greases_extensions(&self) -> bool {
        !self.no_grease_extensions
    }

    fn accepts_reinit_under_same_id(&self) -> bool {
        self.reinit_under_same_id
    }

    fn max_lifetime(&self) -> u64 {
        400 * 24 * 3600
    }

    fn custom_proposal(&self, proposal_type: ProposalType) -> Option<CustomProposalRules> {
        self.custom.get(&proposal_type.0).copied()
    }
}

/// Everything one client's engine asks for.
#[derive(Debug)]
pub struct Host {
    /// Cipher suites.
    pub crypto: Box<dyn CryptoProvider>,
    /// Randomness.
    pub random: SeededRandom,
    /// Decisions.
    pub policy: TestPolicy,
    /// Caps.
    pub limits: Limits,
    /// Seconds since 1970.
    pub now: u64,
    /// External PSKs by id.
    pub psks: BTreeMap<Vec<u8>, Vec<u8>>,
    /// Resumption PSKs of other groups, by group and epoch.
    pub resumption_psks: BTreeMap<(Vec<u8>, u64), Vec<u8>>,
    /// Groups that others continue.
    pub predecessors: BTreeMap<Vec<u8>, Predecessor>,
}

impl Host {
    /// A host with portable cryptography and this seed.
    pub fn new(seed: u64) -> Self {
        Self::with_crypto(seed, Box::new(RustCrypto::default()))
    }

    /// A host with this cryptography and seed.
    pub fn with_crypto(seed: u64, crypto: Box<dyn CryptoProvider>) -> Self {
        Self {
            crypto,
            random: SeededRandom::new(seed),
            policy: TestPolicy::default(),
            limits: Limits::default(),
            now: 1_800_000_000,
            psks: BTreeMap::new(),
            resumption_psks: BTreeMap::new(),
            predecessors: BTreeMap::new(),
        }
    }

    /// What the engine asks of this host.
    pub fn env(&self) -> Env<'_> {
        Env {
            crypto: self.crypto.as_ref(),
            random: &self.random,
            parallel: &Sequential,
            policy: &self.policy,
            psks: self,
            limits: &self.limits,
            now: self.now,
        }
    }

    /// A basic credential.
    pub fn credential(name: &str) -> Credential {
        Credential::basic(name.as_bytes())
    }
}

impl PskSource for Host {
    fn external(&self, psk_id: &[u8]) -> Option<Secret> {
        self.psks.get(psk_id).map(|psk| Secret::copy_from(psk))
    }

    fn resumption(&self, group_id: &[u8], epoch: u64) -> Option<Secret> {
        self.resumption_psks.get(&(group_id.to_vec(), epoch)).map(|psk| Secret::copy_from(psk))
    }

    fn predecessor(&self, group_id: &[u8]) -> Option<Predecessor> {
        self.predecessors.get(group_id).cloned()
    }
}
