//! What `panda` understands.

use clap::{Args, Parser, Subcommand, ValueEnum, builder::RangedU64ValueParser};

/// Groups that only their members can read: Messaging Layer Security (RFC 9420).
#[derive(Debug, Parser)]
#[command(name = "panda", version, arg_required_else_help = true, subcommand_required = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Demo(DemoOptions),
}

/// Hold a conversation in a group, on the lines of standard input.
///
/// Several members, each with keys of its own and on its own thread, found a group, and say the lines in turn, each
/// encrypted for all others. Now and then two of them renew their keys at once, and only one can be first. Half-way one
/// member is removed, and tries to read on. The exit status is not zero if anybody disagreed about anything.
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
}

/// A choice of cryptography.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Suite {
    /// 0x004E: X25519 with ML-KEM-768, AES-256-GCM, Ed25519
    Hybrid,
    /// 0x0001: X25519, AES-128-GCM, Ed25519, which every implementation has
    Interop,
}
