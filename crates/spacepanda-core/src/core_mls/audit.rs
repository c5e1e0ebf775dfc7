//! Who did what in a group: a log that only grows, each entry bound to all before it.
//!
//! In: what a commit does, as the engine has checked it. Out: a record for the batch that adopts the commit.
//! Always: an epoch and its entry are durable together; an entry holds the hash of the group's tree of its epoch, which is
//! the same at every member; what was changed, taken out, put elsewhere or cut off shows.
//!
//! ```text
//! entry n: u16 version = 1 | u64 n | u64 epoch | u64 at | u32 leaf | opaque identity<V> | opaque tree_hash<V> | acts<V>
//! link n = H("SpacePanda audit 1" || link n-1 || entry n); the record is link and entry; the head is count and last link
//! ```

use std::collections::BTreeMap;

use mls_crypto::{Hash, Opaque, Secret, SuiteCrypto};
use mls_engine::{
    group::{Event, Group, PublicState},
    math::LeafIndex,
    message::Extensions,
    tree::RatchetTree,
};
use mls_roles::{GROUP_POLICY, GroupPolicy, Role};
use tls_codec::{DeserializeBytes, Serialize, TlsDeserializeBytes, TlsSerialize, TlsSize};

use super::{
    GROUP_NAME,
    error::{MlsError, MlsResult},
    records::{AUDIT, key},
    store::{Key, Space, StateStore},
    types::{group_name, identity},
};

/// One commit, and who made it.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct AuditEntry {
    /// Its place in the log, from 0.
    pub number: u64,
    /// The epoch that it began.
    pub epoch: u64,
    /// When it reached us, in seconds since 1970. A local hint.
    pub at: u64,
    /// The identity of who made it.
    pub identity: Vec<u8>,
    /// Its leaf in that epoch, or in the one before if it left.
    pub leaf_index: u32,
    /// The tree hash of the epoch (RFC 9420, Section 7.8): the same at every member.
    pub tree_hash: Vec<u8>,
    /// What it did.
    pub acts: Vec<AuditAct>,
}

/// Something that a commit did.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum AuditAct {
    /// We founded the group.
    Created,
    /// We joined, and know nothing of what was before.
    Joined,
    /// A member came.
    Added {
        /// Its identity.
        identity: Vec<u8>,
        /// Its leaf.
        leaf_index: u32,
    },
    /// A member went.
    Removed {
        /// Its identity.
        identity: Vec<u8>,
        /// Its leaf, until then.
        leaf_index: u32,
    },
    /// A member renewed its keys.
    Updated {
        /// Its leaf.
        leaf_index: u32,
    },
    /// The group has this name.
    Renamed {
        /// `None` if it has none any more.
        name: Option<String>,
    },
    /// A user has this role.
    RoleChanged {
        /// The user.
        identity: Vec<u8>,
        /// The role.
        role: Role,
    },
    /// What roles may do is another; or the group has a policy now, or none any more.
    PolicyChanged,
    /// The group's context changed in another way.
    ContextChanged,
    /// A pre-shared key was mixed in.
    PskInjected,
    /// The group ended, to continue under other parameters.
    ReInitialized,
    /// We were removed.
    WeWereRemoved,
}

/// Where a log ends.
#[derive(Clone, Debug, Default, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub(crate) struct AuditHead {
    pub(crate) count: u64,
    link: Opaque,
}

/// An entry before it has its place.
#[derive(Debug)]
pub(crate) struct Draft {
    epoch: u64,
    at: u64,
    actor: (LeafIndex, Vec<u8>),
    tree_hash: Hash,
    acts: Vec<AuditAct>,
}

/// An epoch to come, as far as the log needs it.
#[derive(Clone, Copy)]
pub(crate) struct Next<'a> {
    pub(crate) tree: &'a RatchetTree,
    pub(crate) extensions: &'a Extensions,
}

impl Draft {
    /// Of a commit.
    pub(crate) fn new(before: &PublicState, after: Next<'_>, committer: LeafIndex, events: &[Event], at: u64) -> Self {
        let name_in = |tree: &RatchetTree, leaf: LeafIndex| tree.leaf(leaf).map(identity);
        let (was, is) = (before.tree(), after.tree);
        let joiner = events.iter().any(|event| matches!(event, Event::JoinedExternally(leaf) if *leaf == committer));
        let actor = if joiner { name_in(is, committer) } else { name_in(was, committer) };
        let mut acts = Vec::new();
        for event in events {
            let leaf_index = |leaf: &LeafIndex| leaf.get();
            acts.extend(match event {
                Event::Added(leaf) | Event::JoinedExternally(leaf) => Some(AuditAct::Added {
                    identity: name_in(is, *leaf).unwrap_or_default(),
                    leaf_index: leaf_index(leaf),
                }),
                Event::Removed(leaf) => Some(AuditAct::Removed {
                    identity: name_in(was, *leaf).unwrap_or_default(),
                    leaf_index: leaf_index(leaf),
                }),
                Event::Updated(leaf) => Some(AuditAct::Updated { leaf_index: leaf_index(leaf) }),
                Event::PskInjected => Some(AuditAct::PskInjected),
                Event::ReInitialized(_) => Some(AuditAct::ReInitialized),
                Event::SelfRemoved => Some(AuditAct::WeWereRemoved),
                _ => None,
            });
        }
        acts.extend(context_acts(&before.context().extensions, after.extensions));
        let epoch = before.context().epoch.saturating_add(1);
        let actor = (committer, actor.unwrap_or_default());
        Self { epoch, at, actor, tree_hash: after.tree.tree_hash(), acts }
    }

    /// When it is.
    pub(crate) const fn at(&self) -> u64 {
        self.at
    }

    /// Whether it renews the keys of this leaf.
    pub(crate) fn renews(&self, leaf: LeafIndex) -> bool {
        self.acts.contains(&AuditAct::Updated { leaf_index: leaf.get() })
    }

    /// Of a group that begins, for us.
    pub(crate) fn first(group: &Group, at: u64) -> Self {
        let act = if group.epoch() == 0 { AuditAct::Created } else { AuditAct::Joined };
        let own = group.own_leaf().map(identity).unwrap_or_default();
        let tree_hash = group.public().tree().tree_hash();
        Self { epoch: group.epoch(), at, actor: (group.own_index(), own), tree_hash, acts: vec![act] }
    }
}

/// What changed in a group's context.
fn context_acts(was: &Extensions, is: &Extensions) -> Vec<AuditAct> {
    let mut acts = Vec::new();
    if was.get(GROUP_NAME) != is.get(GROUP_NAME) {
        acts.push(AuditAct::Renamed { name: group_name(is.get(GROUP_NAME)) });
    }
    if was.get(GROUP_POLICY) != is.get(GROUP_POLICY) {
        acts.extend(policy_acts(was, is));
    }
    let others = |list: &Extensions| -> BTreeMap<u16, Vec<u8>> {
        let kinds = list.types().filter(|kind| ![GROUP_NAME, GROUP_POLICY].contains(kind));
        kinds.map(|kind| (kind.0, list.get(kind).unwrap_or_default().to_vec())).collect()
    };
    if others(was) != others(is) {
        acts.push(AuditAct::ContextChanged);
    }
    acts
}

fn policy_acts(was: &Extensions, is: &Extensions) -> Vec<AuditAct> {
    let (was, is) = (GroupPolicy::of(was).ok().flatten(), GroupPolicy::of(is).ok().flatten());
    let (Some(was), Some(is)) = (was, is) else { return vec![AuditAct::PolicyChanged] };
    let named: std::collections::BTreeSet<_> = was.roles().chain(is.roles()).map(|(user, _)| user.to_vec()).collect();
    let changed = named.into_iter().filter(|user| was.role(user) != is.role(user));
    let mut acts: Vec<_> = changed.map(|user| AuditAct::RoleChanged { role: is.role(&user), identity: user }).collect();
    if was.table != is.table
        || was.max_members != is.max_members
        || was.parameters != is.parameters
        || was.everybody() != is.everybody()
    {
        acts.push(AuditAct::PolicyChanged);
    }
    acts
}

impl AuditHead {
    /// As stored.
    pub(crate) fn load(store: &dyn StateStore, space: &Space) -> MlsResult<Self> {
        match store.get(space, &head_key())? {
            Some(record) => Self::tls_deserialize_exact_bytes(record.as_slice()).map_err(|_| MlsError::InvalidRecord),
            None => Ok(Self::default()),
        }
    }

    /// The head after one more entry, and the records that make it.
    pub(crate) fn append(&self, suite: &dyn SuiteCrypto, draft: &Draft) -> MlsResult<(Self, [(Key, Secret); 2])> {
        let entry = encode(&EntryForm::new(self.count, draft))?;
        let link = link(suite, self.link.as_slice(), &entry);
        let next = Self { count: self.count.saturating_add(1), link: link.as_slice().into() };
        let record = Secret::new([link.as_slice(), &entry].concat());
        let head = Secret::new(encode(&next)?);
        Ok((next, [(entry_key(self.count), record), (head_key(), head)]))
    }
}

/// The log of one group, as stored.
#[derive(Clone, Copy)]
pub(crate) struct Log<'a> {
    pub(crate) store: &'a dyn StateStore,
    pub(crate) space: &'a Space,
    pub(crate) suite: &'a dyn SuiteCrypto,
}

impl Log<'_> {
    /// Entries from one number on, so many at most, each bound to the one before.
    pub(crate) fn page(&self, from: u64, len: u64) -> MlsResult<Vec<AuditEntry>> {
        let head = AuditHead::load(self.store, self.space)?;
        let mut before = match from.checked_sub(1) {
            Some(last) if from < head.count => self.record(last)?.0,
            _ => Vec::new(),
        };
        let mut entries = Vec::new();
        for number in from..from.saturating_add(len).min(head.count) {
            let (stored, entry) = self.record(number)?;
            let form = EntryForm::tls_deserialize_exact_bytes(&entry).map_err(|_| broken(number))?;
            let fits = link(self.suite, &before, &entry).as_slice() == stored && form.number == number;
            if !fits || form.version != VERSION {
                return Err(broken(number));
            }
            entries.push(form.into_entry());
            before = stored;
        }
        let last = from.saturating_add(len) >= head.count && from < head.count;
        if last && before != head.link.as_slice() {
            return Err(broken(head.count));
        }
        Ok(entries)
    }

    /// Link and entry of a record.
    fn record(&self, number: u64) -> MlsResult<(Vec<u8>, Vec<u8>)> {
        let record = self.store.get(self.space, &entry_key(number))?.ok_or(broken(number))?;
        let len = self.suite.hash_len();
        let (link, entry) = record.as_slice().split_at_checked(len).ok_or(broken(number))?;
        Ok((link.to_vec(), entry.to_vec()))
    }
}

pub(crate) const fn broken(number: u64) -> MlsError {
    MlsError::AuditBroken { number }
}

fn link(suite: &dyn SuiteCrypto, before: &[u8], entry: &[u8]) -> Hash {
    suite.hash(&[b"SpacePanda audit 1", before, entry])
}

fn entry_key(number: u64) -> Key {
    key(AUDIT, &number.to_be_bytes())
}

fn head_key() -> Key {
    key(AUDIT, b"head")
}

fn encode(form: &impl Serialize) -> MlsResult<Vec<u8>> {
    form.tls_serialize_detached().map_err(|_| MlsError::InvalidRecord)
}

/// Of the encoding.
const VERSION: u16 = 1;

mod form;

use form::EntryForm;
