//! The secrets of an epoch, and the candidate for the next (RFC 9420, Sections 8 and 14).
//!
//! In: the init secret of this epoch, and what a commit contributes. Out: a [`Candidate`].
//! Always: a candidate stands beside the current epoch; nothing of it is used before it is adopted.

use std::sync::Arc;

use mls_crypto::{Secret, SignaturePrivateKey, SuiteCrypto};

use super::{state::PublicState, transition::Event};
use crate::{
    codec::encode,
    error::ProcessError,
    math::LeafCount,
    message::{AuthenticatedContent, GroupContext, ProposalRef, ReInit},
    schedule::{
        CommitSecret, ConfirmationKey, EpochAuthenticator, EpochSecrets, ExporterSecret, ExternalSecret, InitSecret,
        JoinerSecret, MembershipKey, PskSecret, ResumptionPsk, SecretTree, SenderDataSecret, WelcomeSecret,
        confirmation_tag, confirmed_transcript_hash, interim_transcript_hash,
    },
    tree::{PrivateChange, RatchetTree},
};

/// What is secret in an epoch and not tied to one member's path.
#[derive(Debug)]
pub(crate) struct EpochKeys {
    pub(crate) init_secret: InitSecret,
    pub(crate) sender_data_secret: SenderDataSecret,
    pub(crate) exporter_secret: ExporterSecret,
    pub(crate) external_secret: ExternalSecret,
    pub(crate) confirmation_key: ConfirmationKey,
    pub(crate) membership_key: MembershipKey,
    pub(crate) resumption_psk: ResumptionPsk,
    pub(crate) epoch_authenticator: EpochAuthenticator,
    pub(crate) secret_tree: SecretTree,
}

impl EpochKeys {
    pub(crate) fn new(secrets: EpochSecrets, leaves: LeafCount) -> Self {
        Self {
            init_secret: secrets.init_secret,
            sender_data_secret: secrets.sender_data_secret,
            exporter_secret: secrets.exporter_secret,
            external_secret: secrets.external_secret,
            confirmation_key: secrets.confirmation_key,
            membership_key: secrets.membership_key,
            resumption_psk: secrets.resumption_psk,
            epoch_authenticator: secrets.epoch_authenticator,
            secret_tree: SecretTree::new(secrets.encryption_secret, leaves),
        }
    }

    /// DEL-13: keys that hold nothing, for a group we are no member of.
    pub(crate) fn empty(leaves: LeafCount) -> Self {
        let none = || Secret::new(Vec::new());
        Self {
            init_secret: InitSecret::from_secret(none()),
            sender_data_secret: SenderDataSecret::from_secret(none()),
            exporter_secret: ExporterSecret::from_secret(none()),
            external_secret: ExternalSecret::from_secret(none()),
            confirmation_key: ConfirmationKey::from_secret(none()),
            membership_key: MembershipKey::from_secret(none()),
            resumption_psk: ResumptionPsk::from_secret(none()),
            epoch_authenticator: EpochAuthenticator::from_secret(none()),
            secret_tree: SecretTree::empty(leaves),
        }
    }
}

/// A next epoch, complete and checked.
#[derive(Debug)]
pub(crate) struct Candidate {
    pub(crate) public: Arc<PublicState>,
    pub(crate) keys: EpochKeys,
    pub(crate) private: PrivateChange,
    /// The Update of ours that the commit applied.
    pub(crate) own_update: Option<ProposalRef>,
    /// Our next signature key, if we rotated it.
    pub(crate) signature_key: Option<SignaturePrivateKey>,
    pub(crate) reinit: Option<ReInit>,
    pub(crate) events: Vec<Event>,
    /// Welcomes that may leave on acceptance (COM-22).
    pub(crate) welcome: Option<Vec<u8>>,
}

/// What a commit contributes to the next epoch.
#[derive(Debug)]
pub(crate) struct Advance<'a> {
    pub(crate) suite: &'a dyn SuiteCrypto,
    pub(crate) current: &'a PublicState,
    /// The provisional context: next epoch, next tree hash and extensions, old confirmed transcript hash.
    pub(crate) provisional: GroupContext,
    pub(crate) tree: RatchetTree,
    pub(crate) init_secret: &'a InitSecret,
    pub(crate) commit_secret: Secret,
    pub(crate) psk_secret: PskSecret,
}

/// The next epoch's public state and secrets, and what a Welcome is made of.
#[derive(Debug)]
pub(crate) struct Advanced {
    pub(crate) public: PublicState,
    pub(crate) keys: EpochKeys,
    pub(crate) joiner_secret: JoinerSecret,
    pub(crate) welcome_secret: WelcomeSecret,
}

impl Advance<'_> {
    /// Sections 8, 8.2 and 12.4.1: the transcript moves over `commit`, and the key schedule with it.
    pub(crate) fn run(self, commit: &AuthenticatedContent) -> Result<Advanced, ProcessError> {
        let suite = self.suite;
        let confirmed = confirmed_transcript_hash(suite, self.current.interim_transcript_hash(), commit)?;
        let context = GroupContext { confirmed_transcript_hash: confirmed, ..self.provisional };
        let encoded = encode(&context)?;
        let commit_secret = CommitSecret::from_secret(self.commit_secret);
        let joiner_secret = JoinerSecret::derive(suite, self.init_secret, &commit_secret, &encoded)?;
        let (welcome_secret, epoch_secret) = joiner_secret.welcome_and_epoch(suite, &self.psk_secret, &encoded)?;
        let secrets = epoch_secret.split(suite)?;
        let tag = confirmation_tag(suite, &secrets.confirmation_key, &confirmed);
        let interim = interim_transcript_hash(suite, &confirmed, &tag)?;
        let keys = EpochKeys::new(secrets, self.tree.leaf_count());
        let public = PublicState::new(context, self.tree, interim, tag)?;
        Ok(Advanced { public, keys, joiner_secret, welcome_secret })
    }
}

/// The context of the next epoch before its transcript is known (COM-09 to COM-11).
pub(crate) fn provisional_context(
    current: &GroupContext,
    tree: &RatchetTree,
    extensions: crate::message::Extensions,
) -> Result<GroupContext, ProcessError> {
    Ok(GroupContext {
        // COM-09
        epoch: current.epoch.checked_add(1).ok_or(ProcessError::EpochExhausted)?,
        tree_hash: tree.tree_hash(),
        extensions,
        ..current.clone()
    })
}
