//! The policy of a group, as an extension of its context (RFC 9420, Section 13.4).
//!
//! In: roles, a table, and a size. Out: bytes that all members agree on, and back.
//! Always: one policy has one encoding; what could not be lived under does not decode.

use core::fmt;
use std::collections::BTreeMap;

use mls_crypto::Opaque;
use mls_engine::message::{ExtensionType, Extensions};
use tls_codec::{DeserializeBytes, Serialize, TlsDeserializeBytes, TlsSerialize, TlsSize};

use crate::{
    denied::Denied,
    parameters::{GroupParameters, ParametersForm},
    right::{Rights, Table},
    role::{Rank, Role},
};

/// The type of the extension, of the range for private use.
pub const GROUP_POLICY: ExtensionType = ExtensionType(0xF0A2);

/// Bytes of an encoded policy, at most: some 10,000 users with a role of their own.
pub const POLICY_BYTES_MAX: usize = 1 << 20;

/// Of the encoding without parameters, and of the one with them.
const VERSION: u8 = 1;
const VERSION_WITH_PARAMETERS: u8 = 2;

/// Who is what in a group, who may do what, how large it may become, and what all members are set to.
#[derive(Clone, Eq, PartialEq)]
pub struct GroupPolicy {
    /// Users by name, as far as they are not what everybody is.
    roles: BTreeMap<Vec<u8>, Role>,
    /// What everybody else is.
    everybody: Role,
    /// Who may do what.
    pub table: Table,
    /// Members, at most; devices count one by one.
    pub max_members: u32,
    /// What the members agree on; `None` leaves it to each.
    pub parameters: Option<GroupParameters>,
}

#[derive(Debug, TlsDeserializeBytes, TlsSerialize, TlsSize)]
struct Named {
    user: Opaque,
    role: Role,
}

#[derive(TlsDeserializeBytes, TlsSerialize, TlsSize)]
struct Form {
    version: u8,
    everybody: Role,
    max_members: u32,
    table: Vec<u32>,
    roles: Vec<Named>,
}

impl fmt::Debug for GroupPolicy {
    /// Tells nobody's name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { roles, everybody, table, max_members, parameters } = self;
        f.debug_struct("GroupPolicy")
            .field("roles", &roles.len())
            .field("everybody", everybody)
            .field("table", table)
            .field("max_members", max_members)
            .field("parameters", parameters)
            .finish()
    }
}

impl GroupPolicy {
    /// Of a group that begins: its founder owns it, everybody else is a member, and the table is [`Table::default`]. 1,000
    /// members at most. It agrees on no parameters.
    pub fn new(owner: &[u8]) -> Self {
        let roles = BTreeMap::from([(owner.to_vec(), Role::Owner)]);
        Self { roles, everybody: Role::Member, table: Table::default(), max_members: 1_000, parameters: None }
    }

    /// What a user is, or would be.
    pub fn role(&self, user: &[u8]) -> Role {
        self.roles.get(user).copied().unwrap_or(self.everybody)
    }

    /// What users are who are not named.
    pub const fn everybody(&self) -> Role {
        self.everybody
    }

    /// Users who are not what everybody is, by name.
    pub fn roles(&self) -> impl Iterator<Item = (&[u8], Role)> {
        self.roles.iter().map(|(user, role)| (user.as_slice(), *role))
    }

    /// Makes a user this from now on.
    pub fn set_role(&mut self, user: &[u8], role: Role) {
        if role == self.everybody {
            self.roles.remove(user);
        } else {
            self.roles.insert(user.to_vec(), role);
        }
    }

    /// Makes this of everybody who is not named. Those who are named so need not be any more.
    pub fn set_everybody(&mut self, role: Role) {
        self.everybody = role;
        self.roles.retain(|_, named| *named != role);
    }

    /// The rights of a row.
    pub fn rights(&self, rank: Rank) -> Rights {
        self.table.rights(rank)
    }

    /// Encoded: the extension's body.
    ///
    /// # Errors
    /// [`Denied::Policy`] if no group can live under it, or if it is longer than [`POLICY_BYTES_MAX`].
    pub fn to_bytes(&self) -> Result<Vec<u8>, Denied> {
        if !self.is_livable() {
            return Err(Denied::Policy);
        }
        let roles = self.roles.iter().map(|(user, role)| Named { user: user.as_slice().into(), role: *role });
        let table = self.table.rows().map(Rights::bits).to_vec();
        let form = Form {
            version: if self.parameters.is_some() { VERSION_WITH_PARAMETERS } else { VERSION },
            everybody: self.everybody,
            max_members: self.max_members,
            table,
            roles: roles.collect(),
        };
        let mut bytes = form.tls_serialize_detached().map_err(|_| Denied::Policy)?;
        if let Some(parameters) = self.parameters {
            let form = parameters.to_form().ok_or(Denied::Policy)?;
            form.tls_serialize(&mut bytes).map_err(|_| Denied::Policy)?;
        }
        if bytes.len() > POLICY_BYTES_MAX { Err(Denied::Policy) } else { Ok(bytes) }
    }

    /// Out of what [`GroupPolicy::to_bytes`] gave.
    ///
    /// # Errors
    /// [`Denied::Policy`] for anything else: users out of order, twice, or named for what everybody is; a table that no
    /// group can live under; no owner; parameters out of their bounds; another version.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Denied> {
        if bytes.len() > POLICY_BYTES_MAX {
            return Err(Denied::Policy);
        }
        let (form, rest) = Form::tls_deserialize_bytes(bytes).map_err(|_| Denied::Policy)?;
        let parameters = match (form.version, rest) {
            (VERSION, []) => None,
            (VERSION_WITH_PARAMETERS, rest) => {
                let form = ParametersForm::tls_deserialize_exact_bytes(rest).map_err(|_| Denied::Policy)?;
                Some(GroupParameters::from_form(&form).ok_or(Denied::Policy)?)
            }
            _ => return Err(Denied::Policy),
        };
        let table: [u32; 7] = form.table.try_into().map_err(|_| Denied::Policy)?;
        let ordered = form.roles.is_sorted_by(|one, next| one.user.as_slice() < next.user.as_slice());
        let needed = form.roles.iter().all(|named| named.role != form.everybody);
        let policy = Self {
            roles: form.roles.into_iter().map(|named| (named.user.into(), named.role)).collect(),
            everybody: form.everybody,
            table: Table::from_rows(table.map(Rights::from_bits)),
            max_members: form.max_members,
            parameters,
        };
        if ordered && needed && policy.is_livable() { Ok(policy) } else { Err(Denied::Policy) }
    }

    /// The policy of a group whose context has these extensions; `None` if it has none.
    ///
    /// # Errors
    /// [`Denied::Policy`].
    pub fn of(extensions: &Extensions) -> Result<Option<Self>, Denied> {
        extensions.get(GROUP_POLICY).map(Self::from_bytes).transpose()
    }

    /// Puts it among the extensions of a context.
    ///
    /// # Errors
    /// As [`GroupPolicy::to_bytes`].
    pub fn put(&self, extensions: &mut Extensions) -> Result<(), Denied> {
        extensions.set(GROUP_POLICY, self.to_bytes()?);
        Ok(())
    }

    /// Somebody owns the group, not everybody does, the table is livable, and so are the parameters.
    fn is_livable(&self) -> bool {
        let owned = self.roles.values().any(|role| *role == Role::Owner);
        let agreed = self.parameters.is_none_or(|parameters| parameters.is_livable());
        owned && agreed && self.everybody != Role::Owner && self.max_members > 0 && self.table.is_livable()
    }
}
