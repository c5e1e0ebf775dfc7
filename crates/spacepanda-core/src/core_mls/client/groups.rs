//! The groups of a client: create, join, find, delete.
//!
//! Always: a group's first records are durable before anybody holds it; a group has one cell, however many handles.

use std::sync::{Arc, PoisonError};

use mls_engine::{
    group::{Change, CreateParams, Created, Group, Joined, Status},
    message::Extensions,
};

use mls_roles::{Denied, GroupPolicy, Role};

use super::{Client, Inner, key_packages::UsedKeyPackage};
use crate::core_mls::{
    GROUP_NAME, MlsHandle,
    audit::{AuditHead, Draft},
    cell::{Alongside, GroupCell},
    envelope::{MessageType, MlsEnvelope},
    error::{MlsError, MlsResult},
    policy::USERS,
    records::{self, LOST},
    store::{Section, Space, Write},
    times::{Notes, Times},
    types::Incoming,
    watch::Began,
    welcome,
};

/// Bytes of the ids of groups we create. GRP-03
pub(super) const GROUP_ID_LEN: usize = 32;

impl Client {
    /// Creates a group with us as its only member, at epoch 0 (CAP-01). Its id is random, 32 bytes.
    ///
    /// The name is in the group's context: members agree on it, and whoever is shown a GroupInfo of the group can read it.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// let group = alice.create_group(Some("tea"))?;
    /// assert_eq!((group.epoch(), group.member_count(), group.own_index()), (0, 1, 0));
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// [`MlsError::CryptoError`] if randomness fails, [`MlsError::Store`].
    pub fn create_group(&self, name: Option<&str>) -> MlsResult<MlsHandle> {
        self.create(name, None)
    }

    /// Creates a group with a policy: who is what in it, and who may do what. All members, and a delivery service that
    /// validates, hold everybody to it. [`GroupPolicy::new`] makes us its owner.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, TrustOnFirstUse};
    /// use spacepanda_core::core_mls::roles::{GroupPolicy, Role};
    ///
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// let group = alice.create_group_with_policy(Some("tea"), &GroupPolicy::new(b"alice"))?;
    /// assert_eq!(group.members()[0].role, Some(Role::Owner));
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// As [`Client::create_group`]; [`MlsError::Denied`] if no group could live under the policy, or we do not own it.
    pub fn create_group_with_policy(&self, name: Option<&str>, policy: &GroupPolicy) -> MlsResult<MlsHandle> {
        if policy.role(self.identity()) != Role::Owner {
            return Err(Denied::LastOwner.into());
        }
        self.create(name, Some(policy))
    }

    fn create(&self, name: Option<&str>, policy: Option<&GroupPolicy>) -> MlsResult<MlsHandle> {
        let inner = &self.inner;
        let group_id = inner.new_group_id()?;
        let mut extensions = Extensions::new();
        if let Some(name) = name {
            extensions.set(GROUP_NAME, name.as_bytes().to_vec());
        }
        policy.map_or(Ok(()), |policy| policy.put(&mut extensions))?;
        let own = inner.own.current();
        let params = CreateParams {
            group_id,
            cipher_suite: inner.config.cipher_suite,
            credential: inner.credential(),
            signature_key: &own.private,
            capabilities: inner.capabilities(),
            lifetime: inner.lifetime(),
            leaf_extensions: own.leaf_extensions()?,
            extensions,
        };
        let Created { group, changes } = Group::create(&inner.env(), params)?;
        self.begin(Beginning { group, changes, key_package: None, replaces: |_| false, keeps_past: false })
    }

    /// Joins the group of a Welcome (CAP-02).
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// # let bob = Client::new(b"bob", Arc::new(TrustOnFirstUse::new()))?;
    /// let group = alice.create_group(Some("tea"))?;
    /// group.propose_add(&bob.generate_key_package()?, b"bob")?;
    /// let (_, welcomes) = group.commit()?;
    /// let joined = bob.join_group(&welcomes[0])?;
    /// assert_eq!(joined.epoch_authenticator()?, group.epoch_authenticator()?);
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// [`MlsError::NotForUs`] if none of our key packages is meant, [`MlsError::KeyPackageUsed`] or
    /// [`MlsError::KeyPackageExpired`] if it is gone; [`MlsError::GroupExists`];
    /// [`MlsError::TreeNeeded`] or [`MlsError::MissingPsk`], after which the same Welcome can be used again;
    /// [`MlsError::Unauthorized`] if the policy does not believe a member; [`MlsError::Denied`] if who added us had no right
    /// to; others if the Welcome breaks a rule.
    pub fn join_group(&self, welcome: &MlsEnvelope) -> MlsResult<MlsHandle> {
        self.join_group_with_tree(welcome, None)
    }

    /// Joins with a ratchet tree that came by another way, as [`MlsHandle::ratchet_tree`] gives it.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsConfig, MlsError, TrustOnFirstUse};
    /// let mut config = MlsConfig::default();
    /// config.tree_in_welcome = false;
    /// # let alice = Client::builder(b"alice", Arc::new(TrustOnFirstUse::new())).config(config).open()?;
    /// # let bob = Client::new(b"bob", Arc::new(TrustOnFirstUse::new()))?;
    /// # let group = alice.create_group(Some("tea"))?;
    /// # group.propose_add(&bob.generate_key_package()?, b"bob")?;
    /// # let (_, welcomes) = group.commit()?;
    /// assert_eq!(bob.join_group(&welcomes[0]).err(), Some(MlsError::TreeNeeded));
    /// bob.join_group_with_tree(&welcomes[0], Some(&group.ratchet_tree()?))?;
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// As [`Client::join_group`].
    pub fn join_group_with_tree(&self, welcome: &MlsEnvelope, tree: Option<&[u8]>) -> MlsResult<MlsHandle> {
        let inner = &self.inner;
        let message = welcome.unwrap_welcome()?;
        inner.check_free(welcome.group_id())?;
        let found = inner.key_packages_for(&welcome::decode(message)?)?;
        let keys: Vec<_> = found.iter().map(|(_, secrets)| secrets).collect();
        let Joined { group, changes, key_package, inviter, .. } = Group::join(&inner.env(), message, &keys, tree)?;
        // CAP-50: the header was only a hint until now.
        if group.group_id() != welcome.group_id() {
            return Err(MlsError::EnvelopeMismatch("group"));
        }
        let state = group.public();
        mls_roles::check_joined(&USERS, state.context(), state.tree(), inviter)?;
        let used = found.iter().find(|(key, _)| key.id == key_package.as_slice());
        let last_resort = used.is_some_and(|(_, secrets)| secrets.is_last_resort());
        let key_package = Some(UsedKeyPackage { reference: key_package, last_resort });
        self.begin(Beginning { group, changes, key_package, replaces: was_removed, keeps_past: false })
    }

    /// The groups in the store, by id, in order.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// let group = alice.create_group(None)?;
    /// assert_eq!(alice.groups()?, [group.group_id()]);
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// [`MlsError::Store`].
    pub fn groups(&self) -> MlsResult<Vec<Vec<u8>>> {
        let id = |(space, _)| match space {
            Space::Group(id) => Some(id),
            Space::Client | Space::Application(_) => None,
        };
        Ok(self.inner.store.spaces(None)?.into_iter().filter_map(id).collect())
    }

    /// A handle of the group with this id, opened whole: every leaf of its tree is read. For messages alone,
    /// [`Client::send_message`] and [`Client::handle_incoming`] need no handle.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// let group = alice.create_group(Some("tea"))?;
    /// assert_eq!(alice.group(&group.group_id())?.group_name(), group.group_name());
    /// assert_eq!(alice.group(b"another").err(), Some(MlsError::UnknownGroup));
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// [`MlsError::UnknownGroup`], [`MlsError::Store`], [`MlsError::InvalidRecord`].
    pub fn group(&self, id: &[u8]) -> MlsResult<MlsHandle> {
        Ok(MlsHandle::new(self.clone(), self.inner.cell(id)?))
    }

    /// Forgets a group: every record, every secret, and the application's rows (CAP-06). To leave it in the eyes of others, propose our own
    /// removal first and wait until somebody has committed it.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// let group = alice.create_group(None)?;
    /// alice.delete_group(&group.group_id())?;
    /// assert!(alice.groups()?.is_empty());
    /// assert_eq!(group.send_message(b"hello"), Err(MlsError::UnknownGroup));
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// [`MlsError::UnknownGroup`], [`MlsError::Store`].
    pub fn delete_group(&self, id: &[u8]) -> MlsResult<()> {
        self.inner.cell(id)?.delete(&self.inner)?;
        self.inner.watch.left(id);
        self.inner.groups.write().unwrap_or_else(PoisonError::into_inner).remove(id);
        Ok(())
    }

    /// Handles an envelope, whatever it is and whichever group it is for; a Welcome is joined. A group that is not open is
    /// opened only for what is no common message, or once many have come.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, Incoming, MlsError, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// # let bob = Client::new(b"bob", Arc::new(TrustOnFirstUse::new()))?;
    /// # let group = alice.create_group(Some("tea"))?;
    /// # group.propose_add(&bob.generate_key_package()?, b"bob")?;
    /// # let (_, welcomes) = group.commit()?;
    /// assert!(matches!(bob.handle_incoming(&welcomes[0])?, Incoming::Joined(_)));
    /// let hello = group.send_message(b"hello")?;
    /// let Incoming::Delivered(message) = bob.handle_incoming(&hello)? else { unreachable!() };
    /// assert_eq!((&message.plaintext[..], &message.sender[..]), (&b"hello"[..], &b"alice"[..]));
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// As [`Client::join_group`] and [`MlsHandle::handle_incoming`]; [`MlsError::UnknownGroup`].
    pub fn handle_incoming(&self, envelope: &MlsEnvelope) -> MlsResult<Incoming> {
        if envelope.message_type() == MessageType::Welcome {
            return self.join_group(envelope).map(Incoming::Joined);
        }
        let id = envelope.group_id();
        match self.inner.ask_closed(id, |messages| messages.receive(&self.inner, envelope))? {
            Some(incoming) => Ok(incoming),
            None => self.group(id)?.handle_incoming(envelope),
        }
    }

    /// Encrypts a message for the group with this id (CAP-20), as [`MlsHandle::send_message`] does. A group that is not
    /// open stays so: what is read grows with the height of its tree, not with its members.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, Incoming, MlsError, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// # let bob = Client::new(b"bob", Arc::new(TrustOnFirstUse::new()))?;
    /// # let group = alice.create_group(Some("tea"))?;
    /// # group.propose_add(&bob.generate_key_package()?, b"bob")?;
    /// # let joined = bob.join_group(&group.commit()?.1[0])?;
    /// let hello = alice.send_message(&group.group_id(), b"hello")?;
    /// let Incoming::Delivered(message) = bob.handle_incoming(&hello)? else { unreachable!() };
    /// assert_eq!(message.plaintext, b"hello");
    /// assert_eq!(alice.send_message(b"another", b"hello"), Err(MlsError::UnknownGroup));
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// As [`MlsHandle::send_message`]; [`MlsError::UnknownGroup`].
    pub fn send_message(&self, id: &[u8], plaintext: &[u8]) -> MlsResult<MlsEnvelope> {
        match self.inner.ask_closed(id, |messages| messages.send(&self.inner, plaintext))? {
            Some(envelope) => Ok(envelope),
            None => self.group(id)?.send_message(plaintext),
        }
    }

    /// Makes a group durable and hands it out. State of the group from before is replaced, if it may be; handles of it
    /// go on with the new.
    pub(super) fn begin(&self, beginning: Beginning) -> MlsResult<MlsHandle> {
        let Beginning { group, changes, key_package, replaces, keeps_past } = beginning;
        let inner = &self.inner;
        inner.policy.settle()?;
        let (id, epoch) = (group.group_id().to_vec(), group.epoch());
        let space = Space::Group(id.clone());
        let times = Times::begin(inner.clock.now());
        let (notes, first) = (times.first_notes(), Draft::first(&group, inner.clock.now()));
        let suite = inner.crypto.suite(group.cipher_suite())?;
        let old = inner.known_cell(&id)?;
        let mut old_serial = old.as_ref().map(|cell| cell.serial());
        let stored = inner.again(|client| {
            // Before looking at the old state: if somebody changes it in between, this batch conflicts.
            let expected = inner.revision_of(&space)?;
            if let (Some(cell), Some(serial)) = (&old, &mut old_serial) {
                // Asked under the lock: of two that join at once, the second must not put the first one's ratchets back.
                match cell.refresh(inner, serial).and_then(|()| cell.look(|group| Ok(replaces(group)))) {
                    Ok(true) | Err(MlsError::UnknownGroup | MlsError::InvalidRecord) => {}
                    Ok(false) => return Err(MlsError::GroupExists),
                    Err(error) => return Err(error),
                }
            } else if inner.known_group(&id)?.is_some_and(|group| !replaces(&group)) {
                return Err(MlsError::GroupExists);
            }
            let mut writes = vec![Write::Clear];
            let kept = inner.keep(&space, &group, keeps_past)?;
            writes.extend(kept.writes()?);
            writes.extend(records::writes(&changes)?);
            writes.extend(notes.writes());
            let head = AuditHead::load(inner.store.as_ref(), &space)?;
            let (_, logged) = head.append(suite.as_ref(), &first)?;
            writes.extend(logged.iter().map(|(key, record)| Write::Put(key.clone(), record)));
            let spent = key_package.as_ref().map_or_else(|| Ok(Notes::default()), |used| inner.spend(used))?;
            let mut ended = spent.writes();
            ended.push(Write::Delete(records::key(LOST, &id)));
            let group = Section { space: space.clone(), expected, writes };
            let own = Section { space: Space::Client, expected: client, writes: ended };
            Ok(inner.store.apply(&[own, group])?)
        })?;
        match (&old, &mut old_serial) {
            (Some(cell), Some(serial)) => {
                // What was kept is part of it.
                let (group, stored) = if keeps_past { inner.load_group(&id)? } else { (group, stored) };
                let alongside = Alongside::load(inner, &group)?;
                cell.replace(serial, (group, stored), alongside);
            }
            _ => {
                let cell = Arc::new(GroupCell::new(inner, group, stored)?);
                inner.groups.write().unwrap_or_else(PoisonError::into_inner).insert(id.clone(), cell);
            }
        }
        drop(old_serial);
        let group = self.group(&id)?;
        let how = if epoch == 0 { Began::Created } else { Began::Joined };
        inner.watch.began(&id, how, group.member_count());
        Ok(group)
    }
}

/// A group about to begin for us.
pub(super) struct Beginning {
    pub(super) group: Group,
    pub(super) changes: Vec<Change>,
    /// The key package of ours that it uses.
    pub(super) key_package: Option<UsedKeyPackage>,
    /// Whether it may take the place of this state of the same group.
    pub(super) replaces: fn(&Group) -> bool,
    /// Whether what that state could read stays readable.
    pub(super) keeps_past: bool,
}

/// WEL-08: a group we are in is not joined again; one that we were removed from is.
fn was_removed(group: &Group) -> bool {
    *group.status() == Status::Removed
}

impl Inner {
    fn check_free(&self, id: &[u8]) -> MlsResult<()> {
        match self.known_cell(id)? {
            Some(cell) => {
                let known = cell.refresh(self, &mut cell.serial());
                match known.and_then(|()| cell.look(|group| Ok(was_removed(group)))) {
                    Ok(true) | Err(MlsError::UnknownGroup) => Ok(()),
                    Ok(false) => Err(MlsError::GroupExists),
                    Err(error) => Err(error),
                }
            }
            None => Ok(()),
        }
    }

    /// The group as another process may have stored it just now.
    fn known_group(&self, id: &[u8]) -> MlsResult<Option<Group>> {
        match self.load_group(id) {
            Ok((group, _)) => Ok(Some(group)),
            Err(MlsError::UnknownGroup | MlsError::InvalidRecord) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The cell of a group, if there is such a group and it can be read; a damaged one can only be replaced.
    fn known_cell(&self, id: &[u8]) -> MlsResult<Option<Arc<GroupCell>>> {
        match self.cell(id) {
            Ok(cell) => Ok(Some(cell)),
            Err(MlsError::UnknownGroup | MlsError::InvalidRecord) => Ok(None),
            Err(error) => Err(error),
        }
    }
}
