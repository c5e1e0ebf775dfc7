//! The client's settings and the application's policy, as the engine asks for them.
//!
//! Rules beside identities: in a group that has a policy, its table decides. In others every member may add and remove
//! members and change the group, and outsiders may do what the configuration allows.

use std::sync::Arc;

use mls_crypto::SignaturePublicKey;
use mls_engine::{
    error::Refusal,
    message::{GroupContext, LeafNode, ProposalType},
    policy::{CommitClaim, Committer, CredentialClaim, CustomProposalRules, Policy, ProposalClaim, Proposer},
};

use mls_roles::{GROUP_POLICY, Users};

use super::{IdentityClaim, IdentityPolicy, reason};
use crate::core_mls::{
    config::{HandshakeFraming, MlsConfig},
    error::{MlsError, MlsResult},
};

/// What the engine asks, answered.
#[derive(Debug)]
pub(crate) struct PolicyAdapter {
    identities: Arc<dyn IdentityPolicy>,
    own: (Vec<u8>, SignaturePublicKey),
    external_joins: bool,
    public_handshakes: bool,
    public_commits: bool,
    max_lifetime: u64,
    grease_extensions: bool,
}

impl PolicyAdapter {
    pub(crate) fn new(
        identities: Arc<dyn IdentityPolicy>,
        own: (Vec<u8>, SignaturePublicKey),
        config: &MlsConfig,
    ) -> Self {
        Self {
            identities,
            own,
            external_joins: config.external_joins,
            public_handshakes: config.handshake_framing == HandshakeFraming::Public,
            public_commits: config.public_commits || config.handshake_framing == HandshakeFraming::Public,
            max_lifetime: config.max_lifetime,
            grease_extensions: config.grease_extensions,
        }
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
        let identity = claim.credential.identity().ok_or(Refusal(reason::CREDENTIAL_TYPE))?;
        if identity == self.own.0 && *claim.signature_key == self.own.1 {
            return Ok(());
        }
        let claim = IdentityClaim {
            identity,
            signature_key: claim.signature_key.as_slice(),
            group_id: claim.group_id,
            now: claim.now,
        };
        self.identities.validate(&claim).map_err(Refusal)
    }

    /// CRED-08: the same identity; whether its new key is believed was asked before.
    fn validate_successor(&self, old: &LeafNode, new: &LeafNode) -> Result<(), Refusal> {
        if old.credential == new.credential { Ok(()) } else { Err(Refusal(reason::OTHER_IDENTITY)) }
    }

    fn authorize_proposal(&self, claim: &ProposalClaim<'_>) -> Result<(), Refusal> {
        mls_roles::authorize_proposal(&Users::BASIC, claim)?;
        match claim.proposer {
            _ if is_governed(claim.context) => Ok(()),
            Proposer::Member(_) => Ok(()),
            _ => self.allow_outsider(false, reason::EXTERNAL_PROPOSAL),
        }
    }

    fn authorize_commit(&self, claim: &CommitClaim<'_>) -> Result<(), Refusal> {
        mls_roles::authorize_commit(&Users::BASIC, claim)?;
        match claim.committer {
            _ if is_governed(claim.context) => Ok(()),
            Committer::Member(_) => Ok(()),
            _ => self.allow_outsider(self.external_joins, reason::EXTERNAL_COMMIT),
        }
    }

    fn authorize_message(&self, context: &GroupContext, sender: &LeafNode) -> Result<(), Refusal> {
        Ok(mls_roles::authorize_message(&Users::BASIC, context, sender)?)
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
