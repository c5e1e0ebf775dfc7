//! Opening a client: settings, what the host provides, and the identity in the store.
//!
//! Always: a store belongs to one identity and one signature scheme, from its first use on.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, RwLock},
};

use mls_crypto::{CryptoError, CryptoProvider, Parallel, Random, Secret, SignaturePrivateKey, Signer, WithSigners};
use mls_crypto_aws_lc::{AwsLc, OsRandom};
use mls_engine::message::{Certificate, Credential};

use super::{
    Client, Inner, Own, OwnKey,
    own::{stored_certificate, stored_old_key},
};
use crate::core_mls::{
    clock::{Clock, SystemClock},
    config::MlsConfig,
    error::{MlsError, MlsResult},
    policy::{IdentityCrypto, IdentityPolicy, OwnKeys, PolicyAdapter},
    receipt::Receipt,
    recorder::{NoRecorder, Recorder},
    records::{IDENTITY, Identity, key},
    store::{MemoryStore, Revision, Section, Space, StateStore, StoreError, Write},
    threads::Threads,
    watch::Watch,
};

/// Settings for a client. What is not set is as in production, with a store in memory.
#[derive(Debug)]
#[must_use = "a client begins with `open`"]
pub struct ClientBuilder {
    identity: Vec<u8>,
    policy: Arc<dyn IdentityPolicy>,
    config: MlsConfig,
    store: Arc<dyn StateStore>,
    marks: BTreeMap<Vec<u8>, Receipt>,
    old_copy: bool,
    recorder: Arc<dyn Recorder>,
    signer: Option<Arc<dyn Signer>>,
    chain: Option<Credential>,
    host: Host,
}

/// What the host provides.
struct Host {
    crypto: Arc<dyn CryptoProvider>,
    random: Arc<dyn Random>,
    clock: Arc<dyn Clock>,
    parallel: Arc<dyn Parallel>,
}

impl core::fmt::Debug for Host {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Host").field("crypto", &self.crypto).field("clock", &self.clock).finish_non_exhaustive()
    }
}

impl ClientBuilder {
    pub(super) fn new(identity: &[u8], policy: Arc<dyn IdentityPolicy>) -> Self {
        Self {
            identity: identity.to_vec(),
            policy,
            config: MlsConfig::default(),
            store: Arc::new(MemoryStore::new()),
            marks: BTreeMap::new(),
            old_copy: false,
            recorder: Arc::new(NoRecorder),
            signer: None,
            chain: None,
            host: Host {
                crypto: Arc::new(AwsLc::default()),
                random: Arc::new(OsRandom),
                clock: Arc::new(SystemClock),
                parallel: Arc::new(Threads::default()),
            },
        }
    }

    /// Settings; [`MlsConfig::default`] otherwise.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsConfig, TrustOnFirstUse};
    /// # let builder = Client::builder(b"alice", Arc::new(TrustOnFirstUse::new()));
    /// let alice = builder.config(MlsConfig::interop()).open()?;
    /// # Ok::<(), spacepanda_core::core_mls::MlsError>(())
    /// ```
    pub fn config(mut self, config: MlsConfig) -> Self {
        self.config = config;
        self
    }

    /// Where state lives; a new [`MemoryStore`] otherwise. Give a store that was used before to continue its groups.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, TrustOnFirstUse, store::MemoryStore};
    /// # let policy = Arc::new(TrustOnFirstUse::new());
    /// let store = Arc::new(MemoryStore::new());
    /// let alice = Client::builder(b"alice", policy.clone()).store(store.clone()).open()?;
    /// let id = alice.create_group(Some("tea"))?.group_id().to_vec();
    /// drop(alice);
    /// let alice = Client::builder(b"alice", policy).store(store).open()?;
    /// assert_eq!(alice.group(&id)?.group_name().as_deref(), Some("tea"));
    /// # Ok::<(), spacepanda_core::core_mls::MlsError>(())
    /// ```
    pub fn store(mut self, store: Arc<dyn StateStore>) -> Self {
        self.store = store;
        self
    }

    /// How far groups had come, from outside the store: from the delivery service, a keystore, another device. A group whose
    /// stored state is behind its receipt is an old copy that was put back; it is read-only
    /// ([`crate::core_mls::MlsHandle::is_read_only`]) from now on, whether or not the receipt is given again. Of several
    /// receipts of one group the latest counts.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, TrustOnFirstUse, store::MemoryStore};
    /// # let policy = Arc::new(TrustOnFirstUse::new());
    /// let store = Arc::new(MemoryStore::new());
    /// let alice = Client::builder(b"alice", policy.clone()).store(store.clone()).open()?;
    /// let receipt = alice.create_group(Some("tea"))?.receipt()?;
    /// drop(alice);
    /// let alice = Client::builder(b"alice", policy).store(store).not_older_than([receipt.clone()]).open()?;
    /// assert!(!alice.group(receipt.group_id())?.is_read_only()?);
    /// # Ok::<(), MlsError>(())
    /// ```
    pub fn not_older_than(mut self, receipts: impl IntoIterator<Item = Receipt>) -> Self {
        for receipt in receipts {
            let known = self.marks.get(receipt.group_id());
            if known.is_none_or(|known| receipt.covers(known)) {
                self.marks.insert(receipt.group_id().to_vec(), receipt);
            }
        }
        self
    }

    /// The store is a copy that was put back, or may be: one that [`crate::core_mls::store::OpenOptions::at_least`] refused as
    /// [`crate::core_mls::store::StoreError::RolledBack`], a restored disk, a cloned machine. Every group in it is read-only
    /// ([`crate::core_mls::MlsHandle::is_read_only`]) from now on, unless its receipt
    /// ([`ClientBuilder::not_older_than`]) says that nothing newer was ever there.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, TrustOnFirstUse, store::MemoryStore};
    /// # let policy = Arc::new(TrustOnFirstUse::new());
    /// # let store = Arc::new(MemoryStore::new());
    /// # let alice = Client::builder(b"alice", policy.clone()).store(store.clone()).open()?;
    /// # let id = alice.create_group(Some("tea"))?.group_id();
    /// # drop(alice);
    /// let alice = Client::builder(b"alice", policy).store(store).from_old_copy().open()?;
    /// let group = alice.group(&id)?;
    /// assert_eq!(group.send_message(b"hello"), Err(MlsError::ReadOnly));
    /// group.rotate()?;
    /// group.send_message(b"hello")?;
    /// # Ok::<(), MlsError>(())
    /// ```
    pub fn from_old_copy(mut self) -> Self {
        self.old_copy = true;
        self
    }

    /// Where the time is read; [`SystemClock`] otherwise.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, SystemClock, TrustOnFirstUse};
    /// # let builder = Client::builder(b"alice", Arc::new(TrustOnFirstUse::new()));
    /// let alice = builder.clock(Arc::new(SystemClock)).open()?;
    /// # Ok::<(), spacepanda_core::core_mls::MlsError>(())
    /// ```
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.host.clock = clock;
        self
    }

    /// Randomness; the operating system's otherwise.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, CryptoError, MlsError, Random, TrustOnFirstUse};
    /// struct Broken;
    /// impl Random for Broken {
    ///     fn fill(&self, _: &mut [u8]) -> Result<(), CryptoError> {
    ///         Err(CryptoError::Random)
    ///     }
    /// }
    /// # let builder = Client::builder(b"alice", Arc::new(TrustOnFirstUse::new()));
    /// let refused = builder.random(Arc::new(Broken)).open();
    /// assert_eq!(refused.err(), Some(MlsError::CryptoError(CryptoError::Random)));
    /// ```
    pub fn random(mut self, random: Arc<dyn Random>) -> Self {
        self.host.random = random;
        self
    }

    /// Takes the numbers of what happens; nobody does otherwise. What happens is told to `tracing` as well, under the target
    /// `spacepanda`: which group by a keyed hash that changes daily, and never what was said or by whom.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, Counter, MemoryRecorder, TrustOnFirstUse};
    /// # let builder = Client::builder(b"alice", Arc::new(TrustOnFirstUse::new()));
    /// let recorder = Arc::new(MemoryRecorder::new());
    /// let alice = builder.recorder(recorder.clone()).open()?;
    /// alice.create_group(None)?.send_message(b"hello")?;
    /// assert_eq!(recorder.counted(Counter::MessagesSealed), 1);
    /// # Ok::<(), spacepanda_core::core_mls::MlsError>(())
    /// ```
    pub fn recorder(mut self, recorder: Arc<dyn Recorder>) -> Self {
        self.recorder = recorder;
        self
    }

    /// Cryptography; aws-lc otherwise.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{AwsLc, Client, TrustOnFirstUse};
    /// # let builder = Client::builder(b"alice", Arc::new(TrustOnFirstUse::new()));
    /// let alice = builder.crypto(Arc::new(AwsLc::default())).open()?;
    /// # Ok::<(), spacepanda_core::core_mls::MlsError>(())
    /// ```
    pub fn crypto(mut self, crypto: Arc<dyn CryptoProvider>) -> Self {
        self.host.crypto = crypto;
        self
    }

    /// Threads for work that splits; as many as there are processors otherwise.
    ///
    /// ```
    /// # use std::{num::NonZeroUsize, sync::Arc};
    /// # use spacepanda_core::core_mls::{Client, Threads, TrustOnFirstUse};
    /// # let builder = Client::builder(b"alice", Arc::new(TrustOnFirstUse::new()));
    /// let alice = builder.parallel(Arc::new(Threads::new(NonZeroUsize::MIN))).open()?;
    /// # Ok::<(), spacepanda_core::core_mls::MlsError>(())
    /// ```
    pub fn parallel(mut self, parallel: Arc<dyn Parallel>) -> Self {
        self.host.parallel = parallel;
        self
    }

    /// Where our signature key is, if not in the store: a keystore, a token. The store has the public half alone. Give the same
    /// signer each time; it is asked for every handshake and message that we sign. One that refuses makes the call fail
    /// with [`CryptoError::Signer`], and nothing has changed then.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// use spacepanda_core::core_mls::{
    ///     AwsLc, Client, CryptoProvider, MlsConfig, MlsError, OsRandom, TrustOnFirstUse,
    ///     signer::{KeySigner, Signer},
    /// };
    ///
    /// let suite = AwsLc::default().suite(MlsConfig::default().cipher_suite)?;
    /// let (key, public) = suite.signature_generate(&OsRandom)?;
    /// let signer = Arc::new(KeySigner::new(suite, key)?);
    /// let alice = Client::builder(b"alice", Arc::new(TrustOnFirstUse::new())).signer(signer).open()?;
    /// assert_eq!(alice.signature_key(), public.as_slice());
    /// # Ok::<(), MlsError>(())
    /// ```
    pub fn signer(mut self, signer: Arc<dyn Signer>) -> Self {
        self.signer = Some(signer);
        self
    }

    /// An X.509 credential in place of a basic one: certificates in DER, that of our signature key first, each certified by
    /// the next. Our identity is the first URI in it, or else the first DNS name. The key is the signer's
    /// ([`ClientBuilder::signer`]). Others need a policy that believes such credentials.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, TrustOnFirstUse};
    /// let builder = Client::builder(b"mls:alice@example.org", Arc::new(TrustOnFirstUse::new()));
    /// let refused = builder.certificate_chain([b"no certificate".to_vec()]).open();
    /// assert_eq!(refused.err(), Some(MlsError::IdentityMismatch));
    /// ```
    pub fn certificate_chain(mut self, chain: impl IntoIterator<Item = Vec<u8>>) -> Self {
        let chain = chain.into_iter().map(|der| Certificate { cert_data: der.into() });
        self.chain = Some(Credential::X509(chain.collect()));
        self
    }

    /// Opens the client: as it is in the store, or new with a signature key of its own.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, TrustOnFirstUse};
    /// let alice = Client::builder(b"alice", Arc::new(TrustOnFirstUse::new())).open()?;
    /// # Ok::<(), spacepanda_core::core_mls::MlsError>(())
    /// ```
    ///
    /// # Errors
    /// [`MlsError::InvalidConfig`]; [`MlsError::CryptoError`] if the suite is not available or randomness fails;
    /// [`MlsError::IdentityMismatch`] if the store is another identity's, or another signer's;
    /// [`CryptoError::Signer`] if the store's key is a signer's and none was given; [`MlsError::Store`], [`MlsError::InvalidRecord`].
    pub fn open(mut self) -> MlsResult<Client> {
        if let Some(signer) = &self.signer {
            self.host.crypto = Arc::new(WithSigners::new(self.host.crypto, vec![Arc::clone(signer)]));
        }
        self.config.validate()?;
        self.check_chain()?;
        let suite = self.host.crypto.suite(self.config.cipher_suite)?;
        let (identity, revision) = match self.identity() {
            // Another process made it just now.
            Err(MlsError::Store(StoreError::Conflict { .. })) => self.identity()?,
            found => found?,
        };
        let scheme = self.host.crypto.suite(identity.cipher_suite)?.parameters().signature;
        if scheme != suite.parameters().signature {
            return Err(MlsError::InvalidConfig("cipher_suite"));
        }
        let public = suite.signature_public_key(&identity.signature_key)?.as_slice().to_vec();
        let certificate = stored_certificate(self.store.as_ref())?;
        let keys = stored_old_key(self.store.as_ref())?.into_iter().chain([public.clone()]).collect();
        let own = OwnKeys { identity: identity.identity.clone(), keys: RwLock::new(keys) };
        let crypto =
            IdentityCrypto::new(self.host.crypto.as_ref()).or_else(|_| IdentityCrypto::new(&AwsLc::default()))?;
        let policy = PolicyAdapter::new(self.policy, crypto, own, &self.config);
        let mut watch_key = vec![0; 32];
        self.host.random.fill(&mut watch_key)?;
        let watch = Watch::new(self.recorder, self.host.clock.clone(), suite, Secret::new(watch_key));
        let inner = Inner {
            watch,
            identity: identity.identity,
            limits: self.config.limits(),
            config: self.config,
            crypto: self.host.crypto,
            store: self.store,
            clock: self.host.clock,
            random: self.host.random,
            parallel: self.host.parallel,
            policy,
            own: Own::new(OwnKey { private: identity.signature_key, public, certificate }),
            chain: self.chain,
            revision: Mutex::new(revision),
            marks: self.marks,
            groups: RwLock::new(BTreeMap::new()),
            closed: Mutex::new(BTreeMap::new()),
        };
        let client = Client { inner: Arc::new(inner) };
        if self.old_copy {
            client.distrust_groups()?;
        }
        Ok(client)
    }

    /// Opens a client that has to have this identity, as a record: a new store gets it.
    pub(crate) fn open_as(self, record: &Secret) -> MlsResult<Client> {
        let identity = Identity::decode(record)?;
        if identity.identity != self.identity {
            return Err(MlsError::IdentityMismatch);
        }
        let own = key(IDENTITY, &[]);
        if self.store.get(&Space::Client, &own)?.is_none() {
            let expected = self.store.spaces(Some(&Space::Client))?.first().map(|(_, revision)| *revision);
            let writes = vec![Write::Put(own, record)];
            let expected = expected.unwrap_or_default();
            self.store.apply(&[Section { space: Space::Client, expected, writes }])?;
        }
        let client = self.open()?;
        client.inner.check_own(record)?;
        Ok(client)
    }

    /// The certificates that were given name us.
    fn check_chain(&self) -> MlsResult<()> {
        match &self.chain {
            Some(chain) if mls_identity::user_of(chain) != Some(&self.identity) => Err(MlsError::IdentityMismatch),
            _ => Ok(()),
        }
    }

    /// The stored key is the signer's, or there is none.
    fn check_signer(&self, stored: &SignaturePrivateKey) -> MlsResult<()> {
        match (stored.handle_of(), &self.signer) {
            (Some(_), None) => Err(CryptoError::Signer.into()),
            (stored, Some(signer)) if stored.as_ref() != Some(signer.public_key()) => Err(MlsError::IdentityMismatch),
            _ => Ok(()),
        }
    }

    /// The identity in the store; a new one if there is none.
    fn identity(&self) -> MlsResult<(Identity, Revision)> {
        let revision = self.store.spaces(Some(&Space::Client))?.first().map(|(_, revision)| *revision);
        if let Some(record) = self.store.get(&Space::Client, &key(IDENTITY, &[]))? {
            let identity = Identity::decode(&record)?;
            if identity.identity != self.identity {
                return Err(MlsError::IdentityMismatch);
            }
            self.check_signer(&identity.signature_key)?;
            return Ok((identity, revision.unwrap_or_default()));
        }
        let cipher_suite = self.config.cipher_suite;
        let signature_key = match &self.signer {
            Some(signer) => SignaturePrivateKey::handle(signer.public_key()),
            None => self.host.crypto.suite(cipher_suite)?.signature_generate(self.host.random.as_ref())?.0,
        };
        let identity = Identity { identity: self.identity.clone(), cipher_suite, signature_key };
        let record = identity.encode()?;
        let section = Section {
            space: Space::Client,
            expected: revision.unwrap_or_default(),
            writes: vec![Write::Put(key(IDENTITY, &[]), &record)],
        };
        Ok((identity, self.store.apply(&[section])?))
    }
}
