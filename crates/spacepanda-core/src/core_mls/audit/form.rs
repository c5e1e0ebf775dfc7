//! Entries as bytes.

use mls_crypto::Opaque;
use mls_roles::Role;
use tls_codec::{TlsDeserializeBytes, TlsSerialize, TlsSize};

use super::{AuditAct, AuditEntry, Draft, VERSION};

#[derive(Debug, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub(super) struct EntryForm {
    pub(super) version: u16,
    pub(super) number: u64,
    epoch: u64,
    at: u64,
    leaf: u32,
    identity: Opaque,
    tree_hash: Opaque,
    acts: Vec<ActForm>,
}

#[derive(Debug, TlsDeserializeBytes, TlsSerialize, TlsSize)]
#[repr(u8)]
enum ActForm {
    #[tls_codec(discriminant = 1)]
    Created,
    #[tls_codec(discriminant = 2)]
    Joined,
    #[tls_codec(discriminant = 3)]
    Added(Opaque, u32),
    #[tls_codec(discriminant = 4)]
    Removed(Opaque, u32),
    #[tls_codec(discriminant = 5)]
    Updated(u32),
    #[tls_codec(discriminant = 6)]
    Renamed(Option<Opaque>),
    #[tls_codec(discriminant = 7)]
    Role(Opaque, Role),
    #[tls_codec(discriminant = 8)]
    Policy,
    #[tls_codec(discriminant = 9)]
    Context,
    #[tls_codec(discriminant = 10)]
    Psk,
    #[tls_codec(discriminant = 11)]
    ReInit,
    #[tls_codec(discriminant = 12)]
    WeWereRemoved,
}

impl EntryForm {
    pub(super) fn new(number: u64, draft: &Draft) -> Self {
        let (leaf, identity) = &draft.actor;
        Self {
            version: VERSION,
            number,
            epoch: draft.epoch,
            at: draft.at,
            leaf: leaf.get(),
            identity: identity.as_slice().into(),
            tree_hash: draft.tree_hash.as_slice().into(),
            acts: draft.acts.iter().map(ActForm::new).collect(),
        }
    }

    pub(super) fn into_entry(self) -> AuditEntry {
        AuditEntry {
            number: self.number,
            epoch: self.epoch,
            at: self.at,
            identity: self.identity.into(),
            leaf_index: self.leaf,
            tree_hash: self.tree_hash.into(),
            acts: self.acts.into_iter().map(ActForm::into_act).collect(),
        }
    }
}

impl ActForm {
    fn new(act: &AuditAct) -> Self {
        match act {
            AuditAct::Created => Self::Created,
            AuditAct::Joined => Self::Joined,
            AuditAct::Added { identity, leaf_index } => Self::Added(identity.as_slice().into(), *leaf_index),
            AuditAct::Removed { identity, leaf_index } => Self::Removed(identity.as_slice().into(), *leaf_index),
            AuditAct::Updated { leaf_index } => Self::Updated(*leaf_index),
            AuditAct::Renamed { name } => Self::Renamed(name.as_ref().map(|name| name.as_bytes().into())),
            AuditAct::RoleChanged { identity, role } => Self::Role(identity.as_slice().into(), *role),
            AuditAct::PolicyChanged => Self::Policy,
            AuditAct::ContextChanged => Self::Context,
            AuditAct::PskInjected => Self::Psk,
            AuditAct::ReInitialized => Self::ReInit,
            AuditAct::WeWereRemoved => Self::WeWereRemoved,
        }
    }

    fn into_act(self) -> AuditAct {
        match self {
            Self::Created => AuditAct::Created,
            Self::Joined => AuditAct::Joined,
            Self::Added(identity, leaf_index) => AuditAct::Added { identity: identity.into(), leaf_index },
            Self::Removed(identity, leaf_index) => AuditAct::Removed { identity: identity.into(), leaf_index },
            Self::Updated(leaf_index) => AuditAct::Updated { leaf_index },
            Self::Renamed(name) => {
                AuditAct::Renamed { name: name.map(|name| String::from_utf8_lossy(name.as_slice()).into_owned()) }
            }
            Self::Role(identity, role) => AuditAct::RoleChanged { identity: identity.into(), role },
            Self::Policy => AuditAct::PolicyChanged,
            Self::Context => AuditAct::ContextChanged,
            Self::Psk => AuditAct::PskInjected,
            Self::ReInit => AuditAct::ReInitialized,
            Self::WeWereRemoved => AuditAct::WeWereRemoved,
        }
    }
}
