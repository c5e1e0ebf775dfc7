//! Clients: one per device, the owner of an identity, key packages and groups.
//!
//! In: an identity, a policy, and what the host provides. Out: key packages and group handles.
//! Always: everything a client knows is in its store; a new client over the same store continues every group.

use core::fmt;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
    time::Instant,
};

use mls_crypto::{CryptoProvider, Parallel, Random, Secret};
use mls_engine::{
    group::{Group, own_capabilities},
    limits::Limits,
    message::{Capabilities, Credential, Lifetime},
    policy::{Env, Predecessor, PskSource},
};

use mls_identity::DEVICE_CERTIFICATE;
use mls_roles::GROUP_POLICY;

use super::{
    GROUP_NAME,
    cell::{GroupCell, Messages},
    clock::Clock,
    config::{MlsConfig, SKEW},
    error::{MlsError, MlsResult},
    policy::{IdentityPolicy, PolicyAdapter},
    receipt::Receipt,
    records::{PSK, key},
    store::{Revision, Section, Space, StateStore, StoreError, Write},
    watch::Watch,
};

mod backup;
mod builder;
mod device;
mod external;
mod groups;
mod keep;
mod key_packages;
mod own;
mod peek;
mod rotation;
mod source;
mod succession;

pub use builder::ClientBuilder;
pub use external::ExternalJoin;
pub use key_packages::{KeyPackagePool, NewKeyPackages};
pub use peek::PeekedMessage;
pub use rotation::IdentityRotation;

pub(crate) use own::{Own, OwnKey};
pub(crate) use source::StoredRecords;

/// One device of one user. Cheap to clone; clones are the same client. May be used from many threads.
#[derive(Clone)]
pub struct Client {
    pub(crate) inner: Arc<Inner>,
}

/// What all clones and all group handles share.
pub(crate) struct Inner {
    pub(crate) identity: Vec<u8>,
    pub(crate) config: MlsConfig,
    pub(crate) crypto: Arc<dyn CryptoProvider>,
    pub(crate) store: Arc<dyn StateStore>,
    pub(crate) clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    parallel: Arc<dyn Parallel>,
    pub(crate) policy: PolicyAdapter,
    pub(crate) watch: Watch,
    pub(crate) limits: Limits,
    pub(crate) own: Own,
    /// An X.509 credential, if we have one.
    chain: Option<Credential>,
    /// Of the client's own space; held by whoever changes it.
    revision: Mutex<Revision>,
    /// How far groups had come, as others remember it.
    marks: BTreeMap<Vec<u8>, Receipt>,
    /// Groups that are in memory. Locked to look one up, never while one works.
    groups: RwLock<BTreeMap<Vec<u8>, Arc<GroupCell>>>,
    /// Groups that are not, and give and take messages all the same. Locked to look one up.
    closed: Mutex<BTreeMap<Vec<u8>, Arc<Messages>>>,
}

impl Client {
    /// A client in memory with default settings; [`Client::builder`] offers the rest.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use spacepanda_core::core_mls::{Client, TrustOnFirstUse};
    ///
    /// let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// assert_eq!(alice.identity(), b"alice");
    /// # Ok::<(), spacepanda_core::core_mls::MlsError>(())
    /// ```
    ///
    /// # Errors
    /// [`MlsError::CryptoError`] if randomness fails.
    pub fn new(identity: &[u8], policy: Arc<dyn IdentityPolicy>) -> MlsResult<Self> {
        Self::builder(identity, policy).open()
    }

    /// Settings for a client. `identity` is what others know the user by: bytes that the policies of all clients
    /// understand, the same on each device of one user.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsConfig, TrustOnFirstUse};
    /// let policy = Arc::new(TrustOnFirstUse::new());
    /// let alice = Client::builder(b"alice", policy).config(MlsConfig::interop()).open()?;
    /// # Ok::<(), spacepanda_core::core_mls::MlsError>(())
    /// ```
    pub fn builder(identity: &[u8], policy: Arc<dyn IdentityPolicy>) -> ClientBuilder {
        ClientBuilder::new(identity, policy)
    }

    /// The identity in our credential.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// assert_eq!(alice.identity(), b"alice");
    /// # Ok::<(), spacepanda_core::core_mls::MlsError>(())
    /// ```
    pub fn identity(&self) -> &[u8] {
        &self.inner.identity
    }

    /// Our signature public key, to be compared with what others see.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// assert_eq!(alice.signature_key().len(), 32); // Ed25519
    /// # Ok::<(), spacepanda_core::core_mls::MlsError>(())
    /// ```
    pub fn signature_key(&self) -> &[u8] {
        self.inner.own.public()
    }

    /// The settings in force.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsConfig, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// assert_eq!(alice.config(), &MlsConfig::default());
    /// # Ok::<(), spacepanda_core::core_mls::MlsError>(())
    /// ```
    pub fn config(&self) -> &MlsConfig {
        &self.inner.config
    }

    /// Keeps a pre-shared key that members agreed on by other means, for [`crate::core_mls::MlsHandle::propose_psk`] (CAP-08).
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, Secret, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// alice.store_psk(b"from the notary", &Secret::copy_from(&[7; 32]))?;
    /// # Ok::<(), spacepanda_core::core_mls::MlsError>(())
    /// ```
    ///
    /// # Errors
    /// [`MlsError::Store`].
    pub fn store_psk(&self, psk_id: &[u8], psk: &Secret) -> MlsResult<()> {
        self.inner.write(vec![Write::Put(key(PSK, psk_id), psk)])
    }

    /// Deletes a pre-shared key.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, Secret, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// alice.delete_psk(b"from the notary")?;
    /// # Ok::<(), spacepanda_core::core_mls::MlsError>(())
    /// ```
    ///
    /// # Errors
    /// [`MlsError::Store`].
    pub fn delete_psk(&self, psk_id: &[u8]) -> MlsResult<()> {
        self.inner.write(vec![Write::Delete(key(PSK, psk_id))])
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("config", &self.inner.config).finish_non_exhaustive()
    }
}

impl Inner {
    /// What the engine asks of its host.
    pub(crate) fn env(&self) -> Env<'_> {
        Env {
            crypto: self.crypto.as_ref(),
            random: self.random.as_ref(),
            parallel: self.parallel.as_ref(),
            policy: &self.policy,
            psks: self,
            limits: &self.limits,
            now: self.clock.now(),
        }
    }

    /// LN-14: what we support beyond the defaults.
    pub(crate) fn capabilities(&self) -> Capabilities {
        let extensions = [GROUP_NAME, GROUP_POLICY, DEVICE_CERTIFICATE];
        let capabilities = own_capabilities(self.crypto.as_ref(), &extensions, &[]);
        // CRED-16: our policy believes no others; LN-11: our own is among them.
        let mut credentials = self.policy.credential_types();
        let own = self.credential().credential_type();
        if !credentials.contains(&own) {
            credentials.push(own);
        }
        Capabilities { credentials, ..capabilities }
    }

    /// LN-18: valid from a little before now, for clocks that run late.
    fn lifetime(&self) -> Lifetime {
        let now = self.clock.now();
        Lifetime {
            not_before: now.saturating_sub(SKEW),
            not_after: now.saturating_add(self.config.key_package_lifetime),
        }
    }

    fn revision(&self) -> MutexGuard<'_, Revision> {
        self.revision.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the client's own space, whatever is in it.
    fn write(&self, writes: Vec<Write<'_>>) -> MlsResult<()> {
        let mut section = Section { space: Space::Client, expected: Revision::NONE, writes };
        self.again(|revision| {
            section.expected = revision;
            Ok(self.store.apply(core::slice::from_ref(&section))?)
        })
        .map(|_| ())
    }

    /// Carries out a change of the client's own space, worked out from the revision it is given; once more whenever another
    /// process was faster, for as long as the configuration says.
    fn again(&self, mut change: impl FnMut(Revision) -> MlsResult<Revision>) -> MlsResult<Revision> {
        let mut revision = self.revision();
        let begun = Instant::now();
        let _turn = self.store.lease(&Space::Client, self.config.store_patience)?;
        loop {
            match change(*revision) {
                Ok(next) => {
                    *revision = next;
                    return Ok(next);
                }
                Err(MlsError::Store(StoreError::Conflict { .. })) => {
                    *revision = self.revision_of(&Space::Client)?;
                    if begun.elapsed() >= self.config.store_patience {
                        return Err(StoreError::TimedOut.into());
                    }
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// How far a group had come, if anybody remembers.
    pub(crate) fn mark_of(&self, id: &[u8]) -> Option<&Receipt> {
        self.marks.get(id)
    }

    pub(crate) fn revision_of(&self, space: &Space) -> MlsResult<Revision> {
        Ok(self.store.spaces(Some(space))?.first().map_or(Revision::NONE, |(_, revision)| *revision))
    }

    /// A group as the store has it.
    pub(crate) fn load_group(&self, id: &[u8]) -> MlsResult<(Group, Revision)> {
        self.read_stored(id, |env, records| Ok(Group::load(env, records)?))
    }

    /// Reads records of a group that belong together.
    pub(crate) fn read_stored<T>(
        &self,
        id: &[u8],
        read: impl Fn(&Env<'_>, &StoredRecords<'_>) -> MlsResult<T>,
    ) -> MlsResult<(T, Revision)> {
        let space = Space::Group(id.to_vec());
        let begun = Instant::now();
        loop {
            let revision = self.revision_of(&space)?;
            if revision == Revision::NONE {
                return Err(MlsError::UnknownGroup);
            }
            let records = StoredRecords::new(self.store.as_ref(), &space);
            let value = read(&self.env(), &records);
            // Records are read one by one: those of two revisions make no group.
            if self.revision_of(&space)? == revision {
                records.failure().map_or(Ok(()), Err)?;
                return Ok((value?, revision));
            }
            if begun.elapsed() >= self.config.store_patience {
                return Err(StoreError::TimedOut.into());
            }
        }
    }

    /// The cell of a group, loaded if it is not in memory.
    pub(crate) fn cell(&self, id: &[u8]) -> MlsResult<Arc<GroupCell>> {
        let groups = self.groups.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(cell) = groups.get(id) {
            return Ok(Arc::clone(cell));
        }
        drop(groups);
        let mut groups = self.groups.write().unwrap_or_else(PoisonError::into_inner);
        // Somebody may have been faster; two cells of one group must never be.
        if let Some(cell) = groups.get(id) {
            return Ok(Arc::clone(cell));
        }
        let (group, revision) = self.load_group(id)?;
        let cell = Arc::new(GroupCell::new(self, group, revision)?);
        cell.settle(self)?;
        groups.insert(id.to_vec(), Arc::clone(&cell));
        self.closed().remove(id);
        Ok(cell)
    }

    /// Asks a group that is not open, for what needs no more than messages. `None` if it is open, or has to be.
    fn ask_closed<T>(&self, id: &[u8], ask: impl FnOnce(&Messages) -> MlsResult<Option<T>>) -> MlsResult<Option<T>> {
        if self.groups.read().unwrap_or_else(PoisonError::into_inner).contains_key(id) {
            return Ok(None);
        }
        let known = self.closed().get(id).cloned();
        let messages = match known {
            Some(messages) => messages,
            None => {
                // What is wrong with it, opening it will say.
                let Ok(Some(messages)) = Messages::open(self, id) else { return Ok(None) };
                Arc::clone(self.closed().entry(id.to_vec()).or_insert_with(|| Arc::new(messages)))
            }
        };
        let answer = ask(&messages);
        if !matches!(answer, Ok(Some(_))) {
            self.closed().remove(id);
        }
        answer
    }

    fn closed(&self) -> MutexGuard<'_, BTreeMap<Vec<u8>, Arc<Messages>>> {
        self.closed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Pre-shared keys, and other groups, as the store has them: asking takes no lock of a group.
impl PskSource for Inner {
    fn external(&self, psk_id: &[u8]) -> Option<Secret> {
        self.store.get(&Space::Client, &key(PSK, psk_id)).ok().flatten()
    }

    fn resumption(&self, group_id: &[u8], epoch: u64) -> Option<Secret> {
        self.load_group(group_id).ok().and_then(|(group, _)| group.resumption_psk(epoch))
    }

    fn predecessor(&self, group_id: &[u8]) -> Option<Predecessor> {
        self.load_group(group_id).ok().map(|(group, _)| group.predecessor())
    }
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inner").field("config", &self.config).finish_non_exhaustive()
    }
}
