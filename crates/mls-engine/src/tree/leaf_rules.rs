//! When a leaf or a key package is acceptable (RFC 9420, Sections 7.3 and 10.1).
//!
//! In: a leaf, where it appears, and the context it has to fit. Out: [`Checked`], the only way into a tree.
//! Always: what one leaf can be judged by is judged here; what needs all members is asked of the tree's summary.

use std::sync::OnceLock;

use mls_crypto::{CryptoError, Opaque, SignaturePublicKey, SignedItem, SuiteCrypto, label};

use super::RatchetTree;
use crate::{
    error::{ProcessError, Signed},
    math::LeafIndex,
    message::{
        Capabilities, Credential, ExtensionType, Extensions, GroupContext, KeyPackage, LeafNode, LeafNodeSource,
        ProtocolVersion, RequiredCapabilities,
    },
    policy::{CredentialClaim, CredentialRole, Env},
};

/// Evidence that a value passed the rules of this file.
#[derive(Clone, Debug)]
pub struct Checked<T>(T);

impl<T> Checked<T> {
    /// The value.
    pub fn get(&self) -> &T {
        &self.0
    }

    /// The value, without its evidence.
    pub fn into_inner(self) -> T {
        self.0
    }
}

/// Where a leaf appears.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum LeafPlace<'a> {
    /// In a key package. `sending` is whether we are about to use it ourselves (LN-17, LN-18).
    KeyPackage {
        /// We are the ones who add it.
        sending: bool,
    },
    /// In an Update by the member at this leaf.
    Update(LeafIndex, &'a LeafNode),
    /// In the path of a commit. The old leaf is `None` for a client that joins without removing one.
    Commit(LeafIndex, Option<&'a LeafNode>),
    /// In a tree that we receive.
    Tree(LeafIndex),
}

/// The context a leaf has to fit.
#[derive(Debug)]
pub struct LeafRules<'a> {
    env: &'a Env<'a>,
    suite: &'a dyn SuiteCrypto,
    group_id: &'a [u8],
    required: RequiredCapabilities,
    context_extensions: Vec<ExtensionType>,
}

impl<'a> LeafRules<'a> {
    /// Rules of a group with this context: LN-16 (Section 13.4) takes the extensions of the *resulting* context.
    ///
    /// # Errors
    /// [`ProcessError::Decode`] if `required_capabilities` does not decode.
    pub fn new(env: &'a Env<'a>, suite: &'a dyn SuiteCrypto, context: &'a GroupContext) -> Result<Self, ProcessError> {
        Ok(Self {
            env,
            suite,
            group_id: context.group_id.as_slice(),
            required: context.extensions.required_capabilities()?.unwrap_or_default(),
            context_extensions: context.extensions.types().filter(|kind| !kind.is_default()).collect(),
        })
    }

    /// KP-01 to KP-08 (Section 10.1), and the leaf inside. `sending` is whether we are about to use it (LN-17, LN-18).
    ///
    /// # Errors
    /// [`ProcessError`] naming the rule.
    pub fn check_key_package(&self, package: &KeyPackage, sending: bool) -> Result<Checked<KeyPackage>, ProcessError> {
        let mut checked = self.check_key_packages(&[package], sending)?;
        checked.pop().ok_or(ProcessError::NotForUs)
    }

    /// [`LeafRules::check_key_package`] for many, in order; signatures are verified in batches, in parallel.
    ///
    /// # Errors
    /// [`ProcessError`] naming the rule, for the first package that breaks one.
    pub fn check_key_packages(
        &self,
        packages: &[&KeyPackage],
        sending: bool,
    ) -> Result<Vec<Checked<KeyPackage>>, ProcessError> {
        self.in_parallel(packages, &|packages| {
            packages.iter().try_for_each(|package| self.check_key_package_unsigned(package, sending))?;
            let mut batch = Vec::with_capacity(packages.len().saturating_mul(2));
            for package in packages {
                // KP-03: under the leaf's own key. LN-02
                let package_content = label::sign_content(KeyPackage::SIGNATURE_LABEL, &package.tbs()?)?;
                let leaf_tbs = package.leaf_node.tbs(self.group_id, LeafIndex::FIRST)?;
                let leaf_content = label::sign_content(LeafNode::SIGNATURE_LABEL, &leaf_tbs)?;
                let key = &package.leaf_node.signature_key;
                batch.push(Signature::new(Signed::KeyPackage, key, package_content, &package.signature));
                let signature = &package.leaf_node.signature;
                batch.push(Signature::new(Signed::LeafNode(None), key, leaf_content, signature));
            }
            self.verify(&batch)
        })?;
        for package in packages {
            self.check_credential(&package.leaf_node, LeafPlace::KeyPackage { sending })?;
        }
        Ok(packages.iter().map(|package| Checked((*package).clone())).collect())
    }

    fn check_key_package_unsigned(&self, package: &KeyPackage, sending: bool) -> Result<(), ProcessError> {
        let suite = self.suite;
        // KP-01
        if package.version != ProtocolVersion::MLS10 || package.cipher_suite != suite.cipher_suite() {
            return Err(ProcessError::SuiteMismatch);
        }
        // KP-04
        if package.init_key == package.leaf_node.encryption_key {
            return Err(ProcessError::InitKeyNotUnique);
        }
        // KP-05
        suite.validate_hpke_public_key(&package.init_key)?;
        // DEC-26: the types of Section 17.3 that every client supports all belong to other objects.
        if let Some(kind) = package.extensions.types().find(|kind| kind.is_default()) {
            return Err(ProcessError::MisplacedExtension(kind));
        }
        // KP-07; KP-08: what is inside is ignored.
        listed(&package.leaf_node.capabilities, &package.extensions)?;
        self.check_without_signature_key(&package.leaf_node, LeafPlace::KeyPackage { sending })
    }

    /// LN-01 to LN-26 (Section 7.3) as far as the leaf alone can show.
    ///
    /// # Errors
    /// [`ProcessError`] naming the rule.
    pub fn check_leaf(&self, leaf: LeafNode, place: LeafPlace<'_>) -> Result<Checked<LeafNode>, ProcessError> {
        self.check(&leaf, place)?;
        Ok(Checked(leaf))
    }

    fn check(&self, leaf: &LeafNode, place: LeafPlace<'_>) -> Result<(), ProcessError> {
        self.check_unsigned(leaf, place)?;
        let index = index_of(place);
        let tbs = leaf.tbs(self.group_id, index)?;
        // LN-02, LN-03: over our group id and the actual index.
        verify(self.suite, leaf, LeafNode::SIGNATURE_LABEL, &tbs, leaf.signature.as_slice())
            .map_err(|_| ProcessError::BadSignature(Signed::LeafNode(place_index(place))))?;
        self.check_credential(leaf, place)
    }

    /// Everything but the signature, and the credential: the policy is asked about keys that their owner has shown to
    /// hold, so that a forged leaf teaches it nothing.
    fn check_unsigned(&self, leaf: &LeafNode, place: LeafPlace<'_>) -> Result<(), ProcessError> {
        self.check_without_signature_key(leaf, place)?;
        // CRY-03
        Ok(self.suite.validate_signature_public_key(&leaf.signature_key)?)
    }

    /// The same, but for the signature key, which is checked with the signature.
    fn check_without_signature_key(&self, leaf: &LeafNode, place: LeafPlace<'_>) -> Result<(), ProcessError> {
        check_source(leaf, place)?;
        self.check_lifetime(leaf, place)?;
        self.check_capabilities(leaf)?;
        check_extensions(leaf)?;
        // CRY-02
        Ok(self.suite.validate_hpke_public_key(&leaf.encryption_key)?)
    }

    /// LN-17 to LN-20: our own use demands a current lifetime; in a received tree an expired leaf is tolerated, so that
    /// one stale member does not keep others out.
    fn check_lifetime(&self, leaf: &LeafNode, place: LeafPlace<'_>) -> Result<(), ProcessError> {
        let LeafNodeSource::KeyPackage(lifetime) = &leaf.source else { return Ok(()) };
        let length = lifetime.not_after.checked_sub(lifetime.not_before).ok_or(ProcessError::InvalidLifetime)?;
        let too_long = length > self.env.policy.max_lifetime();
        match place {
            LeafPlace::KeyPackage { sending } if too_long || (sending && !lifetime.contains(self.env.now)) => {
                Err(ProcessError::InvalidLifetime)
            }
            _ => Ok(()),
        }
    }

    fn check_capabilities(&self, leaf: &LeafNode) -> Result<(), ProcessError> {
        let capabilities = &leaf.capabilities;
        // LN-15
        let suite = self.suite.cipher_suite();
        if !capabilities.versions.contains(&ProtocolVersion::MLS10) || !capabilities.cipher_suites.contains(&suite) {
            return Err(ProcessError::MissingCapability);
        }
        // LN-11
        let credential = leaf.credential.credential_type();
        if !capabilities.credentials.contains(&credential) {
            return Err(ProcessError::UnsupportedCredential(credential));
        }
        // LN-08, LN-16
        let supports = |kind: &ExtensionType| kind.is_default() || capabilities.extensions.contains(kind);
        let required = &self.required;
        let complete = required.extension_types.iter().all(supports)
            && required.proposal_types.iter().all(|kind| kind.is_default() || capabilities.proposals.contains(kind))
            && required.credential_types.iter().all(|kind| capabilities.credentials.contains(kind))
            && self.context_extensions.iter().all(supports);
        if complete { Ok(()) } else { Err(ProcessError::MissingCapability) }
    }

    /// LN-01, CRED-01 to CRED-05, CRED-08.
    fn check_credential(&self, leaf: &LeafNode, place: LeafPlace<'_>) -> Result<(), ProcessError> {
        let role = match place {
            LeafPlace::KeyPackage { .. } => CredentialRole::Joiner,
            _ => CredentialRole::Member,
        };
        if let Credential::X509(chain) = &leaf.credential
            && chain.is_empty()
        {
            // CRED-11
            return Err(ProcessError::UnsupportedCredential(leaf.credential.credential_type()));
        }
        self.env.policy.validate_credential(&CredentialClaim {
            credential: &leaf.credential,
            signature_key: &leaf.signature_key,
            extensions: Some(&leaf.extensions),
            role,
            group_id: Some(self.group_id),
            now: self.env.now,
        })?;
        if let LeafPlace::Update(_, old) | LeafPlace::Commit(_, Some(old)) = place {
            self.env.policy.validate_successor(old, leaf)?;
        }
        Ok(())
    }

    /// TREE-10 (Section 12.4.3.1): every leaf of a received tree, in parallel; signatures are verified in batches, which
    /// check the signature keys too.
    ///
    /// # Errors
    /// [`ProcessError`] naming the rule.
    pub fn check_tree(&self, tree: &RatchetTree) -> Result<(), ProcessError> {
        let members = tree.members();
        self.in_parallel(&members, &|members| {
            for (index, leaf) in members {
                self.check_without_signature_key(leaf, LeafPlace::Tree(*index))?;
            }
            let signature = |(index, leaf): &(LeafIndex, &'_ LeafNode)| {
                let content = label::sign_content(LeafNode::SIGNATURE_LABEL, &leaf.tbs(self.group_id, *index)?)?;
                Ok((Signed::LeafNode(Some(*index)), content))
            };
            let contents = members.iter().map(signature).collect::<Result<Vec<_>, ProcessError>>()?;
            let with_keys = contents.into_iter().zip(members).map(|((object, content), (_, leaf))| {
                Signature::new(object, &leaf.signature_key, content, &leaf.signature)
            });
            self.verify(&with_keys.collect::<Vec<_>>())
        })?;
        members.iter().try_for_each(|(index, leaf)| self.check_credential(leaf, LeafPlace::Tree(*index)))
    }

    /// Does `check` on consecutive pieces of the items, split over what `env.parallel` offers.
    fn in_parallel<T: Sync>(
        &self,
        items: &[T],
        check: &(dyn Fn(&[T]) -> Result<(), ProcessError> + Sync),
    ) -> Result<(), ProcessError> {
        let piece_len = items.len().div_ceil(self.env.parallel.width().max(1)).max(1);
        let pieces: Vec<_> = items.chunks(piece_len).collect();
        let results: Vec<_> = pieces.iter().map(|_| OnceLock::new()).collect();
        self.env.parallel.run(pieces.len(), &|piece| {
            if let (Some(items), Some(result)) = (pieces.get(piece), results.get(piece)) {
                let _ = result.set(check(items));
            }
        });
        results.into_iter().try_for_each(|result| result.into_inner().unwrap_or(Ok(())))
    }

    /// One batch, by keys that are checked with it. CRY-03: a key that is none is named as such, before any signature.
    fn verify(&self, batch: &[Signature<'_>]) -> Result<(), ProcessError> {
        let signed: Vec<_> = batch
            .iter()
            .map(|item| SignedItem { public_key: item.key, message: &item.content, signature: item.signature })
            .collect();
        self.suite.verify_batch_of_new_keys(&signed).map_err(|(position, error)| match (error, batch.get(position)) {
            (CryptoError::InvalidPublicKey, _) | (_, None) => ProcessError::Crypto(error),
            (_, Some(item)) => ProcessError::BadSignature(item.object),
        })
    }
}

/// One signature to verify.
struct Signature<'a> {
    object: Signed,
    key: &'a SignaturePublicKey,
    content: Vec<u8>,
    signature: &'a [u8],
}

impl<'a> Signature<'a> {
    fn new(object: Signed, key: &'a SignaturePublicKey, content: Vec<u8>, signature: &'a Opaque) -> Self {
        Self { object, key, content, signature: signature.as_slice() }
    }
}

/// LN-04 to LN-07, COM-07.
fn check_source(leaf: &LeafNode, place: LeafPlace<'_>) -> Result<(), ProcessError> {
    let old = match (place, &leaf.source) {
        (LeafPlace::KeyPackage { .. }, LeafNodeSource::KeyPackage(_)) | (LeafPlace::Tree(_), _) => None,
        (LeafPlace::Update(_, old), LeafNodeSource::Update) => Some(old),
        (LeafPlace::Commit(_, old), LeafNodeSource::Commit(_)) => old,
        _ => return Err(ProcessError::WrongLeafSource),
    };
    match old {
        Some(old) if old.encryption_key == leaf.encryption_key => Err(ProcessError::LeafKeyNotFresh),
        _ => Ok(()),
    }
}

/// LN-12, DEC-26.
fn check_extensions(leaf: &LeafNode) -> Result<(), ProcessError> {
    for kind in leaf.extensions.types() {
        if kind.is_default() && kind != ExtensionType::APPLICATION_ID {
            return Err(ProcessError::MisplacedExtension(kind));
        }
    }
    listed(&leaf.capabilities, &leaf.extensions)
}

/// LN-12, KP-07: every non-default extension is in the capabilities, GREASE included.
fn listed(capabilities: &Capabilities, extensions: &Extensions) -> Result<(), ProcessError> {
    match extensions.types().find(|kind| !kind.is_default() && !capabilities.extensions.contains(kind)) {
        Some(kind) => Err(ProcessError::UnsupportedExtension(kind)),
        None => Ok(()),
    }
}

fn verify(
    suite: &dyn SuiteCrypto,
    leaf: &LeafNode,
    label: &str,
    content: &[u8],
    signature: &[u8],
) -> Result<(), CryptoError> {
    label::verify_with_label(suite, &leaf.signature_key, label, content, signature)
}

/// The index a leaf is signed for; a key package's is not part of what is signed.
fn index_of(place: LeafPlace<'_>) -> LeafIndex {
    place_index(place).unwrap_or(LeafIndex::FIRST)
}

fn place_index(place: LeafPlace<'_>) -> Option<LeafIndex> {
    match place {
        LeafPlace::KeyPackage { .. } => None,
        LeafPlace::Update(index, _) | LeafPlace::Commit(index, _) | LeafPlace::Tree(index) => Some(index),
    }
}
