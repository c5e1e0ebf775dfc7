//! Signature keys that are elsewhere: in a keystore, a token, another process (RFC 9420, Section 5.1.2).
//!
//! In: a [`Signer`] for each such key. Out: a provider that signs with them where an engine names them.
//! Always: what stands for the key inside is a handle, which holds the public half and nothing that is secret; a signature
//! is verified before it goes anywhere; who does not sign is a [`CryptoError::Signer`].

use core::fmt;
use std::sync::Arc;

use crate::{CipherSuite, CryptoError, CryptoProvider, Secret, SignaturePrivateKey, SignaturePublicKey, SuiteCrypto};

mod suite;

/// Signs with one key, wherever it is. It may take as long as a person needs to touch a token.
pub trait Signer: Send + Sync + fmt::Debug {
    /// The public half.
    fn public_key(&self) -> &SignaturePublicKey;

    /// Signs `message`, in the form of the key's scheme: 64 bytes of Ed25519 (RFC 8032), DER with low `s` for ECDSA. The
    /// message begins with a label that says what it is for.
    ///
    /// # Errors
    /// [`CryptoError::Signer`] if it refuses, or the key cannot be reached.
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, CryptoError>;
}

/// A key in this process.
#[derive(Debug)]
pub struct KeySigner {
    suite: Arc<dyn SuiteCrypto>,
    private: SignaturePrivateKey,
    public: SignaturePublicKey,
}

impl KeySigner {
    /// Signs with `private` under the scheme of `suite`.
    ///
    /// # Errors
    /// [`CryptoError::InvalidPrivateKey`].
    pub fn new(suite: Arc<dyn SuiteCrypto>, private: SignaturePrivateKey) -> Result<Self, CryptoError> {
        let public = suite.signature_public_key(&private)?;
        Ok(Self { suite, private, public })
    }
}

impl Signer for KeySigner {
    fn public_key(&self) -> &SignaturePublicKey {
        &self.public
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, CryptoError> {
        self.suite.sign(&self.private, message)
    }
}

/// What a handle begins with; it is longer than any private key of a registered suite.
const HANDLE: &[u8] = b"SpacePanda: this signature key is held by a signer elsewhere, public half follows ";

impl SignaturePrivateKey {
    /// What stands for the key of a signer: to be handed to an engine, and stored, in place of a private key.
    pub fn handle(public_key: &SignaturePublicKey) -> Self {
        Self::new(Secret::new([HANDLE, public_key.as_slice()].concat()))
    }

    /// Whose handle it is; `None` for a key itself.
    pub fn handle_of(&self) -> Option<SignaturePublicKey> {
        self.secret().as_slice().strip_prefix(HANDLE).map(|public| SignaturePublicKey::new(public.to_vec()))
    }
}

/// A provider whose suites sign with signers where they are handed a handle, and are the suites below otherwise.
#[derive(Clone, Debug)]
pub struct WithSigners {
    below: Arc<dyn CryptoProvider>,
    signers: Vec<Arc<dyn Signer>>,
}

impl WithSigners {
    /// These signers, over this provider.
    pub fn new(below: Arc<dyn CryptoProvider>, signers: Vec<Arc<dyn Signer>>) -> Self {
        Self { below, signers }
    }
}

impl CryptoProvider for WithSigners {
    fn cipher_suites(&self) -> Vec<CipherSuite> {
        self.below.cipher_suites()
    }

    fn suite(&self, cipher_suite: CipherSuite) -> Result<Arc<dyn SuiteCrypto>, CryptoError> {
        let below = self.below.suite(cipher_suite)?;
        Ok(Arc::new(suite::Suite { below, signers: self.signers.clone() }))
    }
}
