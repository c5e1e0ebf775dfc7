//! The client's settings and the application's policy, as the engine asks for them.
//!
//! Rules beside identities: in a group that has a policy, its table decides. In others every member may add and remove
//! members and change the group, and outsiders may do what the configuration allows.

use std::sync::{Arc, PoisonError, RwLock};

use mls_engine::{
    error::Refusal,
    message::{CredentialType, GroupContext, LeafNode, ProposalType},
    policy::{CommitClaim, Committer, CredentialClaim, CustomProposalRules, Policy, ProposalClaim, Proposer},
};

use mls_roles::{GROUP_NAME, GROUP_POLICY, Users};

use super::{ClaimRole, DeviceCertificate, IdentityClaim, IdentityCrypto, IdentityPolicy, reason};
use crate::core_mls::{
    config::{HandshakeFraming, MlsConfig},
    error::{MlsError, MlsResult},
};

/// How roles read credentials: the user of a basic one, the name in a certificate.
pub(crate) const USERS: Users = Users { of: mls_identity::user_of, metadata: &[GROUP_NAME] };

/// What the engine asks, answered.
#[derive(Debug)]
pub(crate) struct PolicyAdapter {
    identities: Arc<dyn IdentityPolicy>,
    crypto: IdentityCrypto,
    own: OwnKeys,
    external_joins: bool,
    public_handshakes: bool,
    public_commits: bool,
    max_lifetime: u64,
    grease_extensions: bool,
}

/// Who we are, which needs no asking.
#[derive(Debug)]
pub(crate) struct OwnKeys {
    pub(crate) identity: Vec<u8>,
    /// Signature public keys: more than one while they are rotated.
    pub(crate) keys: RwLock<Vec<Vec<u8>>>,
}

impl PolicyAdapter {
    pub(crate) fn new(
        identities: Arc<dyn IdentityPolicy>,
        crypto: IdentityCrypto,
        own: OwnKeys,
        config: &MlsConfig,
    ) -> Self {
        Self {
            identities,
            crypto,
            own,
            external_joins: config.external_joins,
            public_handshakes: config.handshake_framing == HandshakeFraming::Public,
            public_commits: config.public_commits || config.handshake_framing == HandshakeFraming::Public,
            max_lifetime: config.max_lifetime,
            grease_extensions: config.grease_extensions,
        }
    }

    /// Changes what our own keys are.
    pub(crate) fn own_keys(&self, change: impl FnOnce(&mut Vec<Vec<u8>>)) {
        change(&mut self.own.keys.write().unwrap_or_else(PoisonError::into_inner));
    }

    pub(crate) const fn crypto(&self) -> &IdentityCrypto {
        &self.crypto
    }

    /// Types of credentials that may be believed.
    pub(crate) fn credential_types(&self) -> Vec<CredentialType> {
        self.identities.credential_types()
    }

    /// Whether a claim is about one of our own keys.
    fn is_own(&self, claim: &IdentityClaim<'_>) -> bool {
        let keys = self.own.keys.read().unwrap_or_else(PoisonError::into_inner);
        claim.identity == self.own.identity && keys.iter().any(|key| key == claim.signature_key)
    }

    /// Whether a key is believed. A certificate that is shown is a valid one, also where the policy asks for none.
    pub(crate) fn judge(&self, claim: &IdentityClaim<'_>) -> Result<(), u16> {
        DeviceCertificate::shown(&self.crypto, claim)?;
        self.identities.validate(claim)
    }

    /// What was asked is about to count.
    pub(crate) fn settle(&self) -> MlsResult<()> {
        self.identities.settle().map_err(|reason| MlsError::Unauthorized { reason })
    }

    fn allow_outsider(&self, allowed: bool, reason: u16) -> Result<(), Refusal> {
        if allowed { Ok(()) } else { Err(Refusal(reason)) }
    }
}

/// Whether the group has a table of its own.
fn is_governed(context: &GroupContext) -> bool {
    context.extensions.get(GROUP_POLICY).is_some()
}

impl Policy for PolicyAdapter {
    fn validate_credential(&self, claim: &CredentialClaim<'_>) -> Result<(), Refusal> {
        // CRED-16
        if !self.identities.credential_types().contains(&claim.credential.credential_type()) {
            return Err(Refusal(reason::CREDENTIAL_TYPE));
        }
        let claim = IdentityClaim::of(claim).map_err(Refusal)?;
        if self.is_own(&claim) { Ok(()) } else { self.judge(&claim).map_err(Refusal) }
    }

    /// CRED-08: the same user; whether its new key is believed was asked before.
    fn validate_successor(&self, old: &LeafNode, new: &LeafNode) -> Result<(), Refusal> {
        let claim = |leaf| IdentityClaim::of_leaf(leaf, ClaimRole::Member, 0).map_err(Refusal);
        let (old, new) = (claim(old)?, claim(new)?);
        if old.identity != new.identity {
            return Err(Refusal(reason::OTHER_IDENTITY));
        }
        if self.is_own(&new) { Ok(()) } else { self.identities.validate_successor(&old, &new).map_err(Refusal) }
    }

    fn authorize_proposal(&self, claim: &ProposalClaim<'_>) -> Result<(), Refusal> {
        mls_roles::authorize_proposal(&USERS, claim)?;
        match claim.proposer {
            _ if is_governed(claim.context) => Ok(()),
            Proposer::Member(_) => Ok(()),
            _ => self.allow_outsider(false, reason::EXTERNAL_PROPOSAL),
        }
    }

    fn authorize_commit(&self, claim: &CommitClaim<'_>) -> Result<(), Refusal> {
        mls_roles::authorize_commit(&USERS, claim)?;
        match claim.committer {
            _ if is_governed(claim.context) => Ok(()),
            Committer::Member(_) => Ok(()),
            _ => self.allow_outsider(self.external_joins, reason::EXTERNAL_COMMIT),
        }
    }

    fn authorize_message(&self, context: &GroupContext, sender: &LeafNode) -> Result<(), Refusal> {
        Ok(mls_roles::authorize_message(&USERS, context, sender)?)
    }

    fn accepts_public_handshakes(&self, _: &GroupContext) -> bool {
        self.public_handshakes
    }

    fn accepts_public_commits(&self, _: &GroupContext) -> bool {
        self.public_commits
    }

    fn max_lifetime(&self) -> u64 {
        self.max_lifetime
    }

    fn greases_extensions(&self) -> bool {
        self.grease_extensions
    }

    fn custom_proposal(&self, _: ProposalType) -> Option<CustomProposalRules> {
        None
    }
}
