//! What the client understands.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use clap_complete::Shell;

use crate::cli::HomeOptions;

/// Commands of a person.
#[derive(Debug, Subcommand)]
pub(crate) enum ClientCommand {
    Init(InitOptions),
    Id(IdOptions),
    Group(GroupOptions),
    Send(SendOptions),
    Read(ReadOptions),
    Inspect(InspectOptions),
    Doctor(DoctorOptions),
    ExportBackup(BackupOptions),
    Completions(CompletionOptions),
    /// Print the manual page, for `man -l -`
    Man,
}

/// What every command of a person takes.
#[derive(Args, Debug)]
pub(crate) struct Common {
    /// Print one JSON object per line
    #[arg(long)]
    pub(crate) json: bool,

    #[command(flatten)]
    pub(crate) home: HomeOptions,
}

/// Make an identity in this home, and enrol this device at a service.
///
/// The name is what others know you by; it stays. A second device of the same person gets the same name, and is vouched for by
/// one that is there: see `panda id`.
#[derive(Args, Debug)]
pub(crate) struct InitOptions {
    /// The name others know you by
    pub(crate) name: String,

    /// Where the service is: https://host:port, or http:// on this machine
    #[arg(long, value_name = "URL", env = "PANDA_SERVICE", default_value = "http://127.0.0.1:8470")]
    pub(crate) service: String,

    /// The name that the service gives itself: mostly its host, `localhost` on this machine
    #[arg(long, value_name = "NAME")]
    pub(crate) service_name: Option<String>,

    /// The service's key, which it prints when it starts; otherwise the one that it shows now is believed, and kept
    #[arg(long, value_name = "HEX")]
    pub(crate) service_key: Option<String>,

    /// Certificates to believe, PEM; otherwise those that the system trusts
    #[arg(long, value_name = "FILE")]
    pub(crate) service_ca: Option<PathBuf>,

    /// File with the service's invite, if it asks for one
    #[arg(long, value_name = "FILE")]
    pub(crate) enrol_with: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) common: Common,
}

/// Show who this is, or let a further device of this person in.
#[derive(Args, Debug)]
pub(crate) struct IdOptions {
    #[command(subcommand)]
    pub(crate) command: Option<IdCommand>,

    #[command(flatten)]
    pub(crate) common: Common,
}

/// Devices of one person.
#[derive(Debug, Subcommand)]
pub(crate) enum IdCommand {
    /// On a device that is enrolled: print a voucher for another one
    Vouch {
        /// The other device, as its `panda id` shows it
        device: String,
        #[command(flatten)]
        common: Common,
    },
    /// On the other device: enrol, with a voucher from standard input or a file
    Enrol {
        /// File with the voucher; standard input otherwise
        file: Option<PathBuf>,
        #[command(flatten)]
        common: Common,
    },
}

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
    Create(NamedOptions),
    /// List the groups of this home
    List(Common),
    /// Show a group: members, epoch, safety number
    Info(NamedOptions),
    /// List the members of a group
    Members(NamedOptions),
    /// Make a code with which others can ask to be let in
    Invite(InviteOptions),
    /// Ask to be let into a group, with a code from standard input or a file
    Join(JoinOptions),
    /// Add a person, with all devices
    Add(PersonOptions),
    /// Remove a person, with all devices
    Remove(PersonOptions),
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

/// Say something to a group.
///
/// What is said is stored first: if the service cannot be reached it goes out with the next command that can.
#[derive(Args, Debug)]
pub(crate) struct SendOptions {
    /// The group
    pub(crate) group: String,

    /// What to say; standard input otherwise
    pub(crate) text: Option<String>,

    /// What to say is in this file
    #[arg(long, value_name = "FILE", conflicts_with = "text")]
    pub(crate) file: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) common: Common,
}

/// Show what was said in a group, the oldest first.
#[derive(Args, Debug)]
pub(crate) struct ReadOptions {
    /// The group
    pub(crate) group: String,

    /// Go on, and show what is said from now on too
    #[arg(long, short)]
    pub(crate) follow: bool,

    /// Only the last ones
    #[arg(long, value_name = "N")]
    pub(crate) last: Option<usize>,

    /// Only what is here, without asking the service
    #[arg(long, conflicts_with = "follow")]
    pub(crate) offline: bool,

    #[command(flatten)]
    pub(crate) common: Common,
}

/// Show what an MLS message or a key package says in the open.
///
/// Nothing is decrypted, and no home is needed.
#[derive(Args, Debug)]
pub(crate) struct InspectOptions {
    /// File with the message, as bytes or as hexadecimal digits; standard input otherwise
    pub(crate) file: Option<PathBuf>,

    /// Print one JSON object per line
    #[arg(long)]
    pub(crate) json: bool,
}

/// Say in what state this home is, and what to do about it. The exit status is 0 if there is nothing to do.
#[derive(Args, Debug)]
pub(crate) struct DoctorOptions {
    #[command(flatten)]
    pub(crate) common: Common,
}

/// Write a sealed backup: who you are, and what was said. It holds no key of any group.
#[derive(Args, Debug)]
pub(crate) struct BackupOptions {
    /// The file to write; it must not be there
    pub(crate) file: PathBuf,

    /// The backup's own passphrase, in the first line of a file; asked for otherwise. At least 12 characters
    #[arg(long, value_name = "FILE")]
    pub(crate) backup_passphrase_file: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) common: Common,
}

/// Print completions for a shell.
#[derive(Args, Debug)]
pub(crate) struct CompletionOptions {
    /// Which shell
    pub(crate) shell: Shell,
}

impl ClientCommand {
    /// What is common, of commands that have it.
    pub(crate) fn common(&self) -> Option<&Common> {
        match self {
            Self::Init(options) => Some(&options.common),
            Self::Id(options) => Some(match &options.command {
                Some(IdCommand::Vouch { common, .. } | IdCommand::Enrol { common, .. }) => common,
                None => &options.common,
            }),
            Self::Group(group) => Some(group.command.common()),
            Self::Send(options) => Some(&options.common),
            Self::Read(options) => Some(&options.common),
            Self::Doctor(options) => Some(&options.common),
            Self::ExportBackup(options) => Some(&options.common),
            Self::Inspect(_) | Self::Completions(_) | Self::Man => None,
        }
    }
}

impl GroupCommand {
    const fn common(&self) -> &Common {
        match self {
            Self::Create(options)
            | Self::Info(options)
            | Self::Members(options)
            | Self::Rotate(options)
            | Self::Leave(options) => &options.common,
            Self::List(common) => common,
            Self::Invite(options) => &options.common,
            Self::Join(options) => &options.common,
            Self::Add(options) | Self::Remove(options) => &options.common,
            Self::Rename(options) => &options.common,
        }
    }
}
