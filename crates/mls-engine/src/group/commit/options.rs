//! What to commit, and how (RFC 9420, Section 12.4.1): the caller's choices.

use std::collections::BTreeSet;

use mls_crypto::{CryptoError, SignaturePrivateKey, SignaturePublicKey, SuiteCrypto};

use super::super::propose::{MessageOptions, ProposalKind};
use crate::message::{Capabilities, Credential, Extensions, ProposalRef};

/// What changes in our own leaf; `None` keeps what is there.
#[derive(Clone, Debug, Default)]
pub struct LeafChange {
    /// A new credential (CRED-08: a successor of the old one).
    pub credential: Option<Credential>,
    /// New capabilities.
    pub capabilities: Option<Capabilities>,
    /// New leaf extensions.
    pub extensions: Option<Extensions>,
    /// A new signature key.
    pub signature_key: Option<SignatureKeyPair>,
}

/// A signature key pair.
#[derive(Debug)]
pub struct SignatureKeyPair {
    private: SignaturePrivateKey,
    public: SignaturePublicKey,
}

impl SignatureKeyPair {
    /// The pair of this private key.
    ///
    /// # Errors
    /// [`CryptoError::InvalidPrivateKey`].
    pub fn new(suite: &dyn SuiteCrypto, private: SignaturePrivateKey) -> Result<Self, CryptoError> {
        let public = suite.signature_public_key(&private)?;
        Ok(Self { private, public })
    }

    /// The private half.
    pub fn private(&self) -> &SignaturePrivateKey {
        &self.private
    }

    /// The public half.
    pub fn public(&self) -> &SignaturePublicKey {
        &self.public
    }

    pub(in super::super) fn into_private(self) -> SignaturePrivateKey {
        self.private
    }
}

impl Clone for SignatureKeyPair {
    /// One description of a change may be used in several candidates.
    fn clone(&self) -> Self {
        Self { private: self.private.duplicate(), public: self.public.clone() }
    }
}

/// When a commit carries a path.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum PathChoice {
    /// X-AUTH-20: always, so that every commit heals.
    #[default]
    Always,
    /// Only when the proposals need one (COM-05).
    WhenRequired,
}

/// What to commit, and how.
#[derive(Clone, Debug)]
pub struct CommitOptions {
    /// Proposals of our own that travel in the commit.
    pub by_value: Vec<ProposalKind>,
    /// Cached proposals to leave out. LIST-18: all others that keep the list valid are committed.
    pub without: BTreeSet<ProposalRef>,
    /// When to send a path.
    pub path: PathChoice,
    /// What changes in our own leaf; anything here asks for a path.
    pub leaf: LeafChange,
    /// Whether the Welcome and the GroupInfo carry the ratchet tree (TREE-16).
    pub tree_in_welcome: bool,
    /// Whether the GroupInfo in the Welcome allows external commits (EXT-12).
    pub external_pub: bool,
    /// Framing of the commit.
    pub message: MessageOptions,
}

impl Default for CommitOptions {
    fn default() -> Self {
        Self {
            by_value: Vec::new(),
            without: BTreeSet::new(),
            path: PathChoice::Always,
            leaf: LeafChange::default(),
            tree_in_welcome: true,
            external_pub: false,
            message: MessageOptions::default(),
        }
    }
}

impl LeafChange {
    /// Whether anything changes.
    pub(in super::super) fn is_some(&self) -> bool {
        let Self { credential, capabilities, extensions, signature_key } = self;
        credential.is_some() || capabilities.is_some() || extensions.is_some() || signature_key.is_some()
    }
}
