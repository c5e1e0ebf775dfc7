//! Making key packages (RFC 9420, Section 10), and keeping their private halves.
//!
//! In: who we are and what we support. Out: a package to publish, and the secrets to join with.
//! Always: KP-06: init and leaf keys are fresh; KP-12: GREASE is in every list that may hold it.

use mls_crypto::{
    CipherSuite, CryptoProvider, Hash, HpkePrivateKey, Opaque, Secret, SignaturePrivateKey, SuiteCrypto, label,
};
use tls_codec::{DeserializeBytes, Serialize, TlsSerialize, TlsSize, VLByteSlice};

use crate::{
    codec::encode,
    error::{OperationError, ProcessError},
    math::LeafIndex,
    message::{
        Capabilities, Credential, CredentialType, ExtensionType, Extensions, Grease, KeyPackage, LeafNode,
        LeafNodeSource, Lifetime, MlsMessage, ProposalType, ProtocolVersion,
    },
    policy::Env,
    tree::sign_leaf,
};

/// What a key package says.
#[derive(Debug)]
pub struct KeyPackageParams<'a> {
    /// Suite to use it with.
    pub cipher_suite: CipherSuite,
    /// Who we are.
    pub credential: Credential,
    /// Our signature key.
    pub signature_key: &'a SignaturePrivateKey,
    /// What we support (LN-14); see [`own_capabilities`].
    pub capabilities: Capabilities,
    /// When it may be used.
    pub lifetime: Lifetime,
    /// Extensions of the leaf.
    pub leaf_extensions: Extensions,
    /// Extensions of the package.
    pub extensions: Extensions,
    /// Whether it may be used more than once (KP-09).
    pub last_resort: bool,
}

/// A key package and what only its owner has. DEL-11: drop it once a join is durable.
#[derive(Debug)]
pub struct KeyPackageSecrets {
    key_package: KeyPackage,
    init_key: HpkePrivateKey,
    leaf_key: HpkePrivateKey,
    signature_key: SignaturePrivateKey,
}

/// LN-14: capabilities that list what this build supports, and these types beyond it.
pub fn own_capabilities(
    crypto: &dyn CryptoProvider,
    extensions: &[ExtensionType],
    proposals: &[ProposalType],
) -> Capabilities {
    Capabilities {
        versions: vec![ProtocolVersion::MLS10],
        cipher_suites: crypto.cipher_suites(),
        extensions: extensions.to_vec(),
        proposals: proposals.to_vec(),
        credentials: vec![CredentialType::BASIC, CredentialType::X509],
    }
}

/// What a new leaf of ours is made of.
pub(crate) struct NewLeaf<'a> {
    pub(crate) credential: Credential,
    pub(crate) capabilities: Capabilities,
    pub(crate) extensions: Extensions,
    pub(crate) source: LeafNodeSource,
    pub(crate) signature_key: &'a SignaturePrivateKey,
    pub(crate) grease: Grease,
}

impl NewLeaf<'_> {
    /// A leaf with a fresh encryption key, signed for its place. LN-13, GRS-01, GRS-05: lists hold no defaults, and GREASE.
    pub(crate) fn sign(
        self,
        env: &Env<'_>,
        suite: &dyn SuiteCrypto,
        place: (&[u8], LeafIndex),
    ) -> Result<(LeafNode, HpkePrivateKey), OperationError> {
        let (leaf_key, encryption_key) = suite.hpke_generate(env.random)?;
        let (mut capabilities, mut extensions) = (self.capabilities, self.extensions);
        let defaults = capabilities.extensions.iter().any(|kind| kind.is_default())
            || capabilities.proposals.iter().any(|kind| kind.is_default());
        if defaults {
            return Err(OperationError::InvalidOwnObject);
        }
        self.grease.capabilities(&mut capabilities);
        self.grease.member_extension(env.policy.greases_extensions(), &capabilities, &mut extensions);
        let mut leaf = LeafNode {
            encryption_key,
            signature_key: suite.signature_public_key(self.signature_key)?,
            credential: self.credential,
            capabilities,
            source: self.source,
            extensions,
            signature: Opaque::new(Vec::new()),
        };
        sign_leaf(suite, &mut leaf, place.0, place.1, self.signature_key)?;
        Ok((leaf, leaf_key))
    }
}

impl KeyPackageSecrets {
    /// Makes a key package.
    ///
    /// # Errors
    /// [`OperationError::Rule`] for an unsupported suite or failing randomness, [`OperationError::InvalidOwnObject`]
    /// for capabilities that list defaults (LN-13).
    pub fn generate(env: &Env<'_>, params: KeyPackageParams<'_>) -> Result<Self, OperationError> {
        let suite = env.crypto.suite(params.cipher_suite)?;
        let suite = suite.as_ref();
        let (init_key, init_public) = suite.hpke_generate(env.random)?;
        let grease = Grease::draw(env.random)?;
        let (mut capabilities, mut extensions) = (params.capabilities, params.extensions);
        if params.last_resort {
            // KP-07
            if !capabilities.extensions.contains(&ExtensionType::LAST_RESORT) {
                capabilities.extensions.push(ExtensionType::LAST_RESORT);
            }
            extensions.set(ExtensionType::LAST_RESORT, Vec::new());
        }
        let leaf = NewLeaf {
            credential: params.credential,
            capabilities,
            extensions: params.leaf_extensions,
            source: LeafNodeSource::KeyPackage(params.lifetime),
            signature_key: params.signature_key,
            grease,
        };
        let (leaf_node, leaf_key) = leaf.sign(env, suite, (&[], LeafIndex::FIRST))?;
        grease.member_extension(env.policy.greases_extensions(), &leaf_node.capabilities, &mut extensions);
        let mut key_package = KeyPackage {
            version: ProtocolVersion::MLS10,
            cipher_suite: params.cipher_suite,
            init_key: init_public,
            leaf_node,
            extensions,
            signature: Opaque::new(Vec::new()),
        };
        let tbs = key_package.tbs()?;
        let signature = label::sign_with_label(suite, params.signature_key, KeyPackage::SIGNATURE_LABEL, &tbs)?;
        key_package.signature = Opaque::new(signature);
        Ok(Self { key_package, init_key, leaf_key, signature_key: params.signature_key.duplicate() })
    }

    /// A key package with the private keys it was made with, as another implementation or a test vector gives them.
    ///
    /// # Errors
    /// [`ProcessError::Crypto`] if the suite is not supported or a private key is not of its public half.
    pub fn from_parts(
        env: &Env<'_>,
        key_package: KeyPackage,
        init_key: HpkePrivateKey,
        leaf_key: HpkePrivateKey,
        signature_key: SignaturePrivateKey,
    ) -> Result<Self, ProcessError> {
        let suite = env.crypto.suite(key_package.cipher_suite)?;
        let leaf = &key_package.leaf_node;
        let fits = suite.hpke_public_key(&init_key)? == key_package.init_key
            && suite.hpke_public_key(&leaf_key)? == leaf.encryption_key
            && suite.signature_public_key(&signature_key)? == leaf.signature_key;
        if fits {
            Ok(Self { key_package, init_key, leaf_key, signature_key })
        } else {
            Err(mls_crypto::CryptoError::InvalidPrivateKey.into())
        }
    }

    /// The package, and its private keys: init key, leaf key, signature key. [`KeyPackageSecrets::from_parts`] takes them
    /// back. For a host that keeps keys in a form of its own, and for test vectors.
    pub fn into_parts(self) -> (KeyPackage, HpkePrivateKey, HpkePrivateKey, SignaturePrivateKey) {
        let Self { key_package, init_key, leaf_key, signature_key } = self;
        (key_package, init_key, leaf_key, signature_key)
    }

    /// The package.
    pub fn key_package(&self) -> &KeyPackage {
        &self.key_package
    }

    /// The package as an MLSMessage, to be published.
    ///
    /// # Errors
    /// [`OperationError::Rule`] if it is too long to encode.
    pub fn message(&self) -> Result<Vec<u8>, OperationError> {
        Ok(encode(&MlsMessage::KeyPackage(Box::new(self.key_package.clone())))?)
    }

    /// `KeyPackageRef` (Section 5.2).
    ///
    /// # Errors
    /// [`OperationError::Rule`] if the suite is not supported.
    pub fn reference(&self, crypto: &dyn CryptoProvider) -> Result<Hash, OperationError> {
        let suite = crypto.suite(self.key_package.cipher_suite)?;
        Ok(self.key_package.reference(suite.as_ref())?)
    }

    /// Whether the package may be used more than once.
    pub fn is_last_resort(&self) -> bool {
        self.key_package.extensions.get(ExtensionType::LAST_RESORT).is_some()
    }

    pub(crate) fn init_key(&self) -> &HpkePrivateKey {
        &self.init_key
    }

    pub(crate) fn leaf_key(&self) -> &HpkePrivateKey {
        &self.leaf_key
    }

    pub(crate) fn signature_key(&self) -> &SignaturePrivateKey {
        &self.signature_key
    }

    /// The stored form: package and private keys.
    ///
    /// # Errors
    /// [`OperationError::Rule`] if it is too long to encode.
    pub fn encode(&self) -> Result<Secret, OperationError> {
        let stored = Stored {
            key_package: &self.key_package,
            init_key: VLByteSlice(self.init_key.secret().as_slice()),
            leaf_key: VLByteSlice(self.leaf_key.secret().as_slice()),
            signature_key: VLByteSlice(self.signature_key.secret().as_slice()),
        };
        Ok(Secret::new(stored.tls_serialize_detached().map_err(|_| crate::error::DecodeError::TooLong)?))
    }

    /// Reads the stored form.
    ///
    /// # Errors
    /// [`OperationError::InvalidRecord`].
    pub fn decode(bytes: &[u8]) -> Result<Self, OperationError> {
        let invalid = |_| OperationError::InvalidRecord;
        let (key_package, rest) = KeyPackage::tls_deserialize_bytes(bytes).map_err(invalid)?;
        let (init_key, rest) = Opaque::tls_deserialize_bytes(rest).map_err(invalid)?;
        let (leaf_key, rest) = Opaque::tls_deserialize_bytes(rest).map_err(invalid)?;
        let signature_key = Opaque::tls_deserialize_exact_bytes(rest).map_err(invalid)?;
        Ok(Self {
            key_package,
            init_key: HpkePrivateKey::new(Secret::new(init_key.into())),
            leaf_key: HpkePrivateKey::new(Secret::new(leaf_key.into())),
            signature_key: SignaturePrivateKey::new(Secret::new(signature_key.into())),
        })
    }
}

/// Stored form of [`KeyPackageSecrets`].
#[derive(TlsSerialize, TlsSize)]
struct Stored<'a> {
    key_package: &'a KeyPackage,
    init_key: VLByteSlice<'a>,
    leaf_key: VLByteSlice<'a>,
    signature_key: VLByteSlice<'a>,
}
