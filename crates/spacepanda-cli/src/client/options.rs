//! What the client understands.

mod group;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use clap_complete::Shell;

pub(crate) use group::{
    CreateOptions, GroupCommand, GroupOptions, InviteOptions, JoinOptions, NamedOptions, PersonOptions, PolicyChoice,
    RenameOptions, RoleOptions, RolesOptions,
};

use crate::cli::HomeOptions;

/// Commands of a person.
#[derive(Debug, Subcommand)]
pub(crate) enum ClientCommand {
    Init(InitOptions),
    Id(IdOptions),
    Group(GroupOptions),
    Send(SendOptions),
    Read(ReadOptions),
    Chat(ChatOptions),
    Verify(VerifyOptions),
    Inspect(InspectOptions),
    Doctor(DoctorOptions),
    ExportBackup(BackupOptions),
    Restore(RestoreOptions),
    Passphrase(PassphraseOptions),
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

/// Talk in groups, on the whole terminal.
///
/// The lowest row shows the keys. Epoch and safety number of the group are always there: when two members see the same ones, they
/// agree about everything in it.
#[derive(Args, Debug)]
pub(crate) struct ChatOptions {
    /// The group to begin with
    pub(crate) group: Option<String>,

    #[command(flatten)]
    pub(crate) common: Common,
}

/// Compare keys with a person: show the safety number of you two, or note that you have compared it.
///
/// The number covers every device of both in the groups that you share: one device more, and it is another.
#[derive(Args, Debug)]
pub(crate) struct VerifyOptions {
    /// The person
    pub(crate) person: String,

    /// You have compared the number, and it is the same
    #[arg(long)]
    pub(crate) confirm: bool,

    /// Show the code for a camera too
    #[arg(long)]
    pub(crate) qr: bool,

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

/// Make a home out of a backup, when its device is lost.
///
/// Who you are, whom you know and what was said come back; of groups no key was kept: members let you in again. The old device, if
/// it should turn up, must not be used beside this one.
#[derive(Args, Debug)]
pub(crate) struct RestoreOptions {
    /// The backup, as `panda export-backup` wrote it
    pub(crate) file: PathBuf,

    /// The backup's own passphrase, in the first line of a file; asked for otherwise
    #[arg(long, value_name = "FILE")]
    pub(crate) backup_passphrase_file: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) common: Common,
}

/// Give this home another passphrase, or its first one.
///
/// What opened it before opens nothing of it any more; of copies that were made before it still does.
#[derive(Args, Debug)]
pub(crate) struct PassphraseOptions {
    /// The new passphrase, in the first line of a file; asked for otherwise. At least 12 characters
    #[arg(long, value_name = "FILE")]
    pub(crate) new_passphrase_file: Option<PathBuf>,

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
            Self::Chat(options) => Some(&options.common),
            Self::Verify(options) => Some(&options.common),
            Self::Doctor(options) => Some(&options.common),
            Self::ExportBackup(options) => Some(&options.common),
            Self::Restore(options) => Some(&options.common),
            Self::Passphrase(options) => Some(&options.common),
            Self::Inspect(_) | Self::Completions(_) | Self::Man => None,
        }
    }
}
