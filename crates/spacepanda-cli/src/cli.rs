//! What `panda` understands.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum, builder::RangedU64ValueParser};

use crate::{client::ClientCommand, serve::ServeOptions};

/// Groups that only their members can read: Messaging Layer Security (RFC 9420).
#[derive(Debug, Parser)]
#[command(name = "panda", version, arg_required_else_help = true, subcommand_required = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    #[command(flatten)]
    Client(ClientCommand),
    Serve(ServeOptions),
    Demo(DemoOptions),
}

/// Hold a conversation in a group, on the lines of standard input.
///
/// Several members, each with keys of its own and on its own thread, found a group, and say the lines in turn, each
/// encrypted for all others. Now and then two of them renew their keys at once, and only one can be first. Half-way one
/// member is removed, and tries to read on. The exit status is not zero if anybody disagreed about anything.
///
/// The state of every member is kept in a sealed store: the next run goes on where this one stopped, in the same group,
/// and whoever was removed is invited again.
///
/// With a terminal as standard input, or no lines in it, a built-in conversation is held.
#[derive(Args, Debug)]
pub(crate) struct DemoOptions {
    /// Members of the group, 2 to 64: a member may propose no more than that at once. From 3 on one of them is removed
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = RangedU64ValueParser::<usize>::new().range(2..=64))]
    pub(crate) members: usize,

    /// Print one JSON object per line
    #[arg(long)]
    pub(crate) json: bool,

    /// Cryptography of the group
    #[arg(long, value_enum, default_value_t = Suite::Hybrid)]
    pub(crate) suite: Suite,

    /// Keep nothing: all state is gone when the program ends. Much faster, because nothing waits for the disk
    #[arg(long, conflicts_with_all = ["home", "fresh", "passphrase", "passphrase_file", "passphrase_fd"])]
    pub(crate) memory: bool,

    /// Hold it over a real service on a free port of this machine, with a program of its own for each step; nothing is kept
    #[arg(long, conflicts_with_all = ["memory", "home", "fresh", "suite", "passphrase", "passphrase_file", "passphrase_fd"])]
    pub(crate) network: bool,

    /// Destroy what earlier runs with as many members and the same suite have left, and begin a new group
    #[arg(long)]
    pub(crate) fresh: bool,

    #[command(flatten)]
    pub(crate) home: HomeOptions,
}

/// Where state is kept, and what opens it.
#[derive(Args, Debug)]
pub(crate) struct HomeOptions {
    /// Folder of the state; otherwise the one in PANDA_HOME, or `spacepanda` where this platform keeps data of programs.
    /// Without a passphrase the key that opens it lies in the same folder, readable for its owner only: that protects
    /// nothing from whoever can read or copy the folder
    #[arg(long, value_name = "DIR")]
    pub(crate) home: Option<PathBuf>,

    /// Ask for a passphrase; of a new home it becomes the only way to open it. At least 12 characters
    #[arg(long, conflicts_with_all = ["passphrase_file", "passphrase_fd"])]
    pub(crate) passphrase: bool,

    /// The same, with the passphrase in the first line of a file
    #[arg(long, value_name = "FILE", conflicts_with = "passphrase_fd")]
    pub(crate) passphrase_file: Option<PathBuf>,

    /// The same, read from an open file descriptor
    #[arg(long, value_name = "N")]
    pub(crate) passphrase_fd: Option<u32>,
}

impl HomeOptions {
    /// Whether the home is to be opened with a passphrase.
    pub(crate) const fn wants_passphrase(&self) -> bool {
        self.passphrase || self.passphrase_file.is_some() || self.passphrase_fd.is_some()
    }
}

/// A choice of cryptography.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Suite {
    /// 0x004E: X25519 with ML-KEM-768, AES-256-GCM, Ed25519
    Hybrid,
    /// 0x0001: X25519, AES-128-GCM, Ed25519, which every implementation has
    Interop,
}
