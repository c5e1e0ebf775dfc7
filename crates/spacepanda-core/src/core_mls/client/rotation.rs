//! Another signature key for this device, in every group (RFC 9420, Sections 5.3.1 and 12.1.2).
//!
//! In: a certificate for the new key, if devices have certificates. Out: a commit for each group.
//! Always: which key is in force is durable before the first group has it; how far the rotation came is what the groups
//! themselves say, so a crash between two of them loses nothing; with the last one the old key is destroyed.

use mls_crypto::{Secret, SignaturePrivateKey};
use mls_engine::group::Status;

use super::{Client, Inner, OwnKey};
use crate::core_mls::{
    envelope::MlsEnvelope,
    error::{MlsError, MlsResult},
    policy::DeviceCertificate,
    records::{CERTIFICATE, IDENTITY, Identity, ROTATION, key},
    store::{Section, Space, Write},
    times::Notes,
};

/// How far a rotation of the own key is.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct IdentityRotation {
    /// What this call did in each group: the commit, to be delivered to its members, or why there is none.
    pub groups: Vec<(Vec<u8>, MlsResult<MlsEnvelope>)>,
    /// Groups that do not have the new key yet, by id.
    pub left: Vec<Vec<u8>>,
}

impl IdentityRotation {
    /// Whether every group has the new key, and the old one is destroyed.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// assert!(alice.rotate_identity(|_| Ok(None))?.is_over());
    /// # Ok::<(), MlsError>(())
    /// ```
    pub fn is_over(&self) -> bool {
        self.left.is_empty()
    }
}

impl Client {
    /// Makes a new signature key for this device and commits it in every group, at once: for groups with one writer, or a
    /// transport that cannot refuse. In others, [`Client::begin_identity_rotation`] and
    /// [`crate::core_mls::MlsHandle::stage_identity_rotation`] do the same step by step.
    ///
    /// `certify` gets the new public key and returns the master key's certificate for it, of the same device and with a
    /// larger serial; `None` if devices have no certificates: then others have to be told of the new key before, as their
    /// policies demand. Publish new key packages afterwards.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// let group = alice.create_group(None)?;
    /// let old = alice.signature_key().to_vec();
    /// let rotation = alice.rotate_identity(|_| Ok(None))?;
    /// assert!(rotation.is_over());
    /// assert_ne!(alice.signature_key(), old);
    /// assert_eq!(group.members()[0].signature_key, alice.signature_key());
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// As [`Client::begin_identity_rotation`]. A group that fails keeps no other back: it is in
    /// [`IdentityRotation::groups`] with the reason, and [`Client::resume_identity_rotation`] tries again.
    pub fn rotate_identity(
        &self,
        certify: impl FnOnce(&[u8]) -> MlsResult<Option<DeviceCertificate>>,
    ) -> MlsResult<IdentityRotation> {
        self.begin_identity_rotation(certify)?;
        self.resume_identity_rotation()
    }

    /// Goes on with a rotation that something interrupted. Nothing to do if there is none.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, IdentityRotation, MlsError, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// assert_eq!(alice.resume_identity_rotation()?, IdentityRotation::default());
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// [`MlsError::Store`], [`MlsError::InvalidRecord`].
    pub fn resume_identity_rotation(&self) -> MlsResult<IdentityRotation> {
        let mut groups = Vec::new();
        for id in self.inner.groups_with_old_key()? {
            let rotated = self.group(&id).and_then(|group| group.rotate_own_key());
            groups.push((id, rotated));
        }
        Ok(IdentityRotation { groups, left: self.end_identity_rotation()? })
    }

    /// Begins a rotation: the new key is in force for key packages and groups to come. Groups that are there get it by
    /// [`crate::core_mls::MlsHandle::stage_identity_rotation`], until [`Client::end_identity_rotation`] names none.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// let group = alice.create_group(None)?;
    /// alice.begin_identity_rotation(|_| Ok(None))?;
    /// assert_eq!(alice.end_identity_rotation()?, [group.group_id()]);
    /// let pending = group.stage_identity_rotation()?;
    /// // ... the delivery service accepts `pending.commit` ...
    /// group.apply_pending_commit(&pending.id)?;
    /// assert!(alice.end_identity_rotation()?.is_empty());
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// [`MlsError::RotationPending`]; [`MlsError::InvalidConfig`] if the key is a signer's, or certificates of X.509 vouch for
    /// it: those are renewed where they came from. [`MlsError::IdentityMismatch`] and [`MlsError::Identity`] for a certificate
    /// that is not for the new key or no successor; what `certify` returns; [`MlsError::CryptoError`] if randomness fails;
    /// [`MlsError::Store`]. Nothing has changed then.
    pub fn begin_identity_rotation(
        &self,
        certify: impl FnOnce(&[u8]) -> MlsResult<Option<DeviceCertificate>>,
    ) -> MlsResult<()> {
        let inner = &self.inner;
        let own = inner.own.current();
        if inner.has(ROTATION)? {
            return Err(MlsError::RotationPending);
        }
        if own.private.handle_of().is_some() || inner.chain.is_some() {
            return Err(MlsError::InvalidConfig("signer"));
        }
        let suite = inner.crypto.suite(inner.config.cipher_suite)?;
        let (private, public) = suite.signature_generate(inner.random.as_ref())?;
        let certificate = certify(public.as_slice())?;
        inner.check_next(&own, public.as_slice(), certificate.as_ref())?;
        let next = OwnKey { private, public: public.as_slice().to_vec(), certificate };
        inner.store_next(&own, &next)?;
        inner.policy.own_keys(|keys| keys.push(next.public.clone()));
        inner.own.replace(next);
        Ok(())
    }

    /// Ends a rotation if every group has the new key: destroys the old one, and the key packages that were made with it.
    /// Returns the groups that do not have it yet; of those nothing changes. Groups that we are not in any more do not count.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// assert!(alice.end_identity_rotation()?.is_empty());
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// [`MlsError::Store`], [`MlsError::InvalidRecord`].
    pub fn end_identity_rotation(&self) -> MlsResult<Vec<Vec<u8>>> {
        let inner = &self.inner;
        let left = inner.groups_with_old_key()?;
        if !left.is_empty() || !inner.has(ROTATION)? {
            return Ok(left);
        }
        let own = inner.own.current();
        let mut notes = Notes::default();
        notes.delete(key(ROTATION, &[]));
        inner.bury_packages_of_others(&own.public, &mut notes)?;
        inner.write(notes.writes())?;
        inner.policy.own_keys(|keys| keys.retain(|key| *key == own.public));
        Ok(left)
    }
}

impl Inner {
    fn has(&self, class: u8) -> MlsResult<bool> {
        Ok(self.store.get(&Space::Client, &key(class, &[]))?.is_some())
    }

    /// The certificate is for the new key, and a successor of the one there was.
    fn check_next(&self, own: &OwnKey, key: &[u8], next: Option<&DeviceCertificate>) -> MlsResult<()> {
        let Some(next) = next else { return Ok(()) };
        self.check_certificate(next, key)?;
        match &own.certificate {
            Some(was) if was.device() != next.device() || was.serial() >= next.serial() => {
                Err(mls_identity::IdentityError::Stale.into())
            }
            _ => Ok(()),
        }
    }

    /// The new key, its certificate, and that a rotation goes on: in one batch.
    fn store_next(&self, own: &OwnKey, next: &OwnKey) -> MlsResult<()> {
        let cipher_suite = self.config.cipher_suite;
        let signature_key: SignaturePrivateKey = next.private.duplicate();
        let identity = Identity { identity: self.identity.clone(), cipher_suite, signature_key }.encode()?;
        let old = Secret::copy_from(&own.public);
        let certificate =
            next.certificate.as_ref().map(|certificate| certificate.to_bytes()).transpose()?.map(Secret::new);
        self.again(|expected| {
            // Another process may have begun one.
            if self.has(ROTATION)? {
                return Err(MlsError::RotationPending);
            }
            let mut writes = vec![Write::Put(key(IDENTITY, &[]), &identity), Write::Put(key(ROTATION, &[]), &old)];
            writes.push(match &certificate {
                Some(certificate) => Write::Put(key(CERTIFICATE, &[]), certificate),
                None => Write::Delete(key(CERTIFICATE, &[])),
            });
            Ok(self.store.apply(&[Section { space: Space::Client, expected, writes }])?)
        })
        .map(|_| ())
    }

    /// Groups that we are in with another key than the one in force, by id; none unless a rotation goes on.
    fn groups_with_old_key(&self) -> MlsResult<Vec<Vec<u8>>> {
        let mut left = Vec::new();
        if !self.has(ROTATION)? {
            return Ok(left);
        }
        let own = self.own.current();
        for (space, _) in self.store.spaces(None)? {
            let Space::Group(id) = space else { continue };
            let has_old = self.cell(&id).and_then(|cell| {
                cell.glance(self);
                cell.look(|group| {
                    let key = group.own_leaf().map(|leaf| leaf.signature_key.as_slice());
                    Ok(*group.status() == Status::Active && key.is_some_and(|key| key != own.public))
                })
            });
            match has_old {
                Ok(false) | Err(MlsError::UnknownGroup) => {}
                Ok(true) => left.push(id),
                Err(error) => return Err(error),
            }
        }
        Ok(left)
    }
}
