//! What `panda group` understands.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use spacepanda_core::core_mls::roles::Role;

use super::Common;

/// Found, join, look at and change groups.
#[derive(Args, Debug)]
pub(crate) struct GroupOptions {
    #[command(subcommand)]
    pub(crate) command: GroupCommand,
}

/// What can be done with groups. A group is named by its name, or by the beginning of its id.
#[derive(Debug, Subcommand)]
pub(crate) enum GroupCommand {
    /// Found a group
    Create(CreateOptions),
    /// List the groups of this home
    List(Common),
    /// Show a group: members, epoch, safety number
    Info(NamedOptions),
    /// List the members of a group
    Members(NamedOptions),
    /// Show who did what in a group, as far as this device was there
    Log(NamedOptions),
    /// Make a code with which others can ask to be let in
    Invite(InviteOptions),
    /// Ask to be let into a group, with a code from standard input or a file
    Join(JoinOptions),
    /// Add a person, with all devices
    Add(PersonOptions),
    /// Remove a person, with all devices
    Remove(PersonOptions),
    /// Show who has which role, and what each role may do
    Roles(RolesOptions),
    /// Give a person a higher role
    Promote(RoleOptions),
    /// Give a person a lower role
    Demote(RoleOptions),
    /// Give a group another name
    Rename(RenameOptions),
    /// Renew our keys
    Rotate(NamedOptions),
    /// Leave a group; whoever is there next carries it out
    Leave(NamedOptions),
}

/// One group.
#[derive(Args, Debug)]
pub(crate) struct NamedOptions {
    /// The group
    pub(crate) group: String,

    #[command(flatten)]
    pub(crate) common: Common,
}

/// A group that begins.
#[derive(Args, Debug)]
pub(crate) struct CreateOptions {
    /// Its name
    pub(crate) group: String,

    /// Who may do what in it
    #[arg(long, value_enum, default_value_t = PolicyChoice::Open)]
    pub(crate) policy: PolicyChoice,

    #[command(flatten)]
    pub(crate) common: Common,
}

/// Who may do what in a new group.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum PolicyChoice {
    /// Every member may do everything
    Open,
    /// You own it, and what others may do depends on their roles: see `panda group roles`
    Roles,
}

/// Roles of a group.
#[derive(Args, Debug)]
pub(crate) struct RolesOptions {
    /// The group
    pub(crate) group: String,

    /// Give roles to a group that has none: you own it from now on
    #[arg(long)]
    pub(crate) introduce: bool,

    #[command(flatten)]
    pub(crate) common: Common,
}

/// A person's role in a group.
#[derive(Args, Debug)]
pub(crate) struct RoleOptions {
    /// The group
    pub(crate) group: String,

    /// The name the person is known by
    pub(crate) person: String,

    /// The role to give; the next one otherwise
    #[arg(long, value_enum, value_name = "ROLE")]
    pub(crate) to: Option<RoleName>,

    #[command(flatten)]
    pub(crate) common: Common,
}

/// A role, as it is typed.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum RoleName {
    /// Reads
    Observer,
    /// Takes part
    Member,
    /// Keeps order: removes members
    Moderator,
    /// Runs the group: adds people, renames it, gives roles below its own
    Admin,
    /// Answers for the group; there is always one
    Owner,
}

impl From<RoleName> for Role {
    fn from(name: RoleName) -> Self {
        match name {
            RoleName::Observer => Self::Observer,
            RoleName::Member => Self::Member,
            RoleName::Moderator => Self::Moderator,
            RoleName::Admin => Self::Admin,
            RoleName::Owner => Self::Owner,
        }
    }
}

/// A group, and somebody.
#[derive(Args, Debug)]
pub(crate) struct PersonOptions {
    /// The group
    pub(crate) group: String,

    /// The name the person is known by
    pub(crate) person: String,

    #[command(flatten)]
    pub(crate) common: Common,
}

/// A group, and a name.
#[derive(Args, Debug)]
pub(crate) struct RenameOptions {
    /// The group
    pub(crate) group: String,

    /// Its name from now on
    pub(crate) name: String,

    #[command(flatten)]
    pub(crate) common: Common,
}

/// An invite. The code is a secret: hand it over by a way that you trust. It opens nothing by itself: whoever made it lets people
/// in, the next time a command of theirs runs.
#[derive(Args, Debug)]
pub(crate) struct InviteOptions {
    /// The group
    pub(crate) group: String,

    /// How many devices it lets in
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub(crate) uses: u32,

    /// For how many hours
    #[arg(long, value_name = "N", default_value_t = 24, value_parser = clap::value_parser!(u64).range(1..=8_760))]
    pub(crate) hours: u64,

    /// The only person it lets in
    #[arg(long = "for", value_name = "NAME")]
    pub(crate) target: Option<String>,

    /// Whoever has the code joins by itself, also while nobody of the group is there; for groups with roles. The service can see
    /// who is in such a group
    #[arg(long, conflicts_with_all = ["list", "revoke"])]
    pub(crate) open: bool,

    /// List the invites made here, instead
    #[arg(long, conflicts_with = "revoke")]
    pub(crate) list: bool,

    /// Take an invite back, by its id, instead
    #[arg(long, value_name = "ID")]
    pub(crate) revoke: Option<String>,

    #[command(flatten)]
    pub(crate) common: Common,
}

/// Joining.
#[derive(Args, Debug)]
pub(crate) struct JoinOptions {
    /// File with the code; standard input otherwise
    pub(crate) file: Option<PathBuf>,

    /// How many seconds to wait for being let in
    #[arg(long, value_name = "SECONDS", default_value_t = 0, value_parser = clap::value_parser!(u64).range(0..=3_600))]
    pub(crate) wait: u64,

    #[command(flatten)]
    pub(crate) common: Common,
}

impl GroupCommand {
    pub(super) const fn common(&self) -> &Common {
        match self {
            Self::Create(options) => &options.common,
            Self::Roles(options) => &options.common,
            Self::Promote(options) | Self::Demote(options) => &options.common,
            Self::Log(options) => &options.common,
            Self::Info(options) | Self::Members(options) | Self::Rotate(options) | Self::Leave(options) => {
                &options.common
            }
            Self::List(common) => common,
            Self::Invite(options) => &options.common,
            Self::Join(options) => &options.common,
            Self::Add(options) | Self::Remove(options) => &options.common,
            Self::Rename(options) => &options.common,
        }
    }
}
