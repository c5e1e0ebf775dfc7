//! The question that every policy answers (RFC 9420, Section 5.3.1).

use core::fmt;

use mls_engine::{
    message::{Credential, CredentialType, Extensions, LeafNode},
    policy::{CredentialClaim, CredentialRole, Timestamp},
};

use crate::{reason, x509};

/// In what role a key is shown.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum ClaimRole {
    /// Of somebody who is to be added: has to be valid now.
    Joiner,
    /// Of a member: in a group that we join, in an update, in a commit. What has only run out is no reason to refuse it: one
    /// stale member would keep everybody else out.
    Member,
    /// Of a sender from outside, which has no leaf.
    ExternalSender,
}

/// A user shown together with a signature key.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct IdentityClaim<'a> {
    /// The user: the identity of a basic credential, the name in an X.509 certificate. See [`user_of`].
    pub identity: &'a [u8],
    /// The signature public key.
    pub signature_key: &'a [u8],
    /// In what role.
    pub role: ClaimRole,
    /// The credential as a whole; `None` where only identity and key are known.
    pub credential: Option<&'a Credential>,
    /// The extensions of the leaf; `None` where there is no leaf.
    pub extensions: Option<&'a Extensions>,
    /// The group, if one is known.
    pub group_id: Option<&'a [u8]>,
    /// Seconds since 1970.
    pub now: Timestamp,
}

impl<'a> IdentityClaim<'a> {
    /// A member's identity and key, and nothing else.
    pub const fn new(identity: &'a [u8], signature_key: &'a [u8], now: Timestamp) -> Self {
        let (credential, extensions, group_id) = (None, None, None);
        Self { identity, signature_key, role: ClaimRole::Member, credential, extensions, group_id, now }
    }

    /// What an engine asks.
    ///
    /// # Errors
    /// [`reason::CREDENTIAL_TYPE`] if the credential names no user.
    pub fn of(claim: &CredentialClaim<'a>) -> Result<Self, u16> {
        Ok(Self {
            identity: user_of(claim.credential).ok_or(reason::CREDENTIAL_TYPE)?,
            signature_key: claim.signature_key.as_slice(),
            role: match claim.role {
                CredentialRole::Joiner => ClaimRole::Joiner,
                CredentialRole::Member => ClaimRole::Member,
                _ => ClaimRole::ExternalSender,
            },
            credential: Some(claim.credential),
            extensions: claim.extensions,
            group_id: claim.group_id,
            now: claim.now,
        })
    }

    /// A leaf of a group.
    ///
    /// # Errors
    /// [`reason::CREDENTIAL_TYPE`] if its credential names no user.
    pub fn of_leaf(leaf: &'a LeafNode, role: ClaimRole, now: Timestamp) -> Result<Self, u16> {
        let identity = user_of(&leaf.credential).ok_or(reason::CREDENTIAL_TYPE)?;
        let claim = Self::new(identity, leaf.signature_key.as_slice(), now);
        Ok(Self { role, credential: Some(&leaf.credential), extensions: Some(&leaf.extensions), ..claim })
    }

    /// The same claim with another key, to be asked of somebody else.
    #[must_use]
    pub const fn with_key(self, signature_key: &'a [u8]) -> Self {
        Self { signature_key, ..self }
    }

    /// The same claim with this credential.
    #[must_use]
    pub const fn with_credential(self, credential: &'a Credential) -> Self {
        Self { credential: Some(credential), ..self }
    }

    /// The same claim with these extensions of its leaf.
    #[must_use]
    pub const fn with_extensions(self, extensions: &'a Extensions) -> Self {
        Self { extensions: Some(extensions), ..self }
    }

    /// The same claim in another role.
    #[must_use]
    pub const fn with_role(self, role: ClaimRole) -> Self {
        Self { role, ..self }
    }
}

impl fmt::Debug for IdentityClaim<'_> {
    /// Tells no identity.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IdentityClaim").field("role", &self.role).field("now", &self.now).finish_non_exhaustive()
    }
}

/// The application's answer to "is this key really theirs?". Asked for every key that enters a group, for each of its
/// members' keys when we join, and for key packages; never for our own key.
///
/// All members should answer alike, or some will refuse commits that others follow. It is asked in the middle of the
/// client's work: it must not call back into the client. It answers a question that it cannot decide with a refusal.
pub trait IdentityPolicy: Send + Sync + fmt::Debug {
    /// Whether `claim.signature_key` belongs to `claim.identity`, and may be shown in this role now.
    ///
    /// # Errors
    /// A reason, see [`reason`].
    fn validate(&self, claim: &IdentityClaim<'_>) -> Result<(), u16>;

    /// Whether `new` may take the place of `old` in a leaf: the same user, unless the policy asks for more. Whether the new
    /// key is believed was asked before.
    ///
    /// # Errors
    /// A reason, see [`reason`].
    fn validate_successor(&self, old: &IdentityClaim<'_>, new: &IdentityClaim<'_>) -> Result<(), u16> {
        if old.identity == new.identity { Ok(()) } else { Err(reason::OTHER_IDENTITY) }
    }

    /// CRED-16: the types of credentials that may be believed at all. Basic ones, unless the policy says otherwise.
    fn credential_types(&self) -> Vec<CredentialType> {
        vec![CredentialType::BASIC]
    }

    /// A step that asked is about to become durable: so must be whatever the answers were remembered by. Nothing to do for
    /// a policy that remembers nothing.
    ///
    /// # Errors
    /// A reason, see [`reason`]; the step does not happen then.
    fn settle(&self) -> Result<(), u16> {
        Ok(())
    }
}

/// The user that a credential names, whether or not anybody believes it: the same for all devices of one user. The identity
/// of a basic credential; the first URI or DNS name in the end-entity certificate of an X.509 credential.
pub fn user_of(credential: &Credential) -> Option<&[u8]> {
    match credential {
        Credential::Basic(identity) => Some(identity.as_slice()),
        Credential::X509(chain) => x509::user_of(chain.first()?.cert_data.as_slice()),
        _ => None,
    }
}
