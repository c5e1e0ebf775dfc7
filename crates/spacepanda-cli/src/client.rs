//! `panda` as a client: an identity in a home, groups, and a delivery service that carries what is said.
//!
//! In: a command. Out: what was asked for on standard output, as text or as one JSON object per line; everything else on
//! standard error.
//! Always: what is wanted is stored before anything is sent, so that a command that was stopped is carried on by the next one; an
//! error says what to do next, and its kind is the exit status.
//!
//! ```text
//! options ──> session: home, profile, client, account ──> command ──> printer
//!                                       │
//!                            spacepanda-sync ──> service
//! ```

mod audit;
mod backup;
mod chat;
mod device;
mod doctor;
mod groups;
mod inspect;
mod invites;
mod link;
mod news;
mod options;
mod printer;
mod profile;
mod restore;
mod roles;
mod session;
mod shell;
mod talk;
mod trouble;
mod verify;

use std::process::ExitCode;

pub(crate) use options::ClientCommand;

use options::{Common, GroupCommand};
use printer::Printer;
use trouble::Trouble;

/// Carries a command out; its kind of failure is the exit status.
pub(crate) fn run(command: &ClientCommand) -> ExitCode {
    let printer = Printer::new(command.common().is_some_and(|common| common.json));
    match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => match runtime.block_on(carry_out(command, &printer)) {
            Ok(()) => ExitCode::SUCCESS,
            Err(trouble) => {
                printer.trouble(&trouble);
                ExitCode::from(trouble.exit_status())
            }
        },
        Err(error) => {
            printer.trouble(&Trouble::System(error));
            ExitCode::FAILURE
        }
    }
}

async fn carry_out(command: &ClientCommand, printer: &Printer) -> Result<(), Trouble> {
    match command {
        ClientCommand::Init(options) => device::init(options, printer).await,
        ClientCommand::Id(options) => device::id(options, printer).await,
        ClientCommand::Group(group) => carry_out_group(&group.command, printer).await,
        ClientCommand::Send(options) => talk::send(options, printer).await,
        ClientCommand::Read(options) => talk::read(options, printer).await,
        ClientCommand::Chat(options) => chat::run(options),
        ClientCommand::Verify(options) => verify::verify(options, printer),
        ClientCommand::Inspect(options) => inspect::run(options, printer),
        ClientCommand::Doctor(options) => doctor::run(options, printer).await,
        ClientCommand::ExportBackup(options) => backup::export(options, printer),
        ClientCommand::Restore(options) => restore::restore(options, printer),
        ClientCommand::Passphrase(options) => backup::passphrase(options, printer),
        ClientCommand::Completions(options) => shell::completions(options),
        ClientCommand::Man => shell::man(),
    }
}

async fn carry_out_group(command: &GroupCommand, printer: &Printer) -> Result<(), Trouble> {
    match command {
        GroupCommand::Create(options) => groups::create(options, printer).await,
        GroupCommand::List(common) => groups::list(common, printer),
        GroupCommand::Info(options) => groups::info(options, printer).await,
        GroupCommand::Members(options) => groups::members(options, printer).await,
        GroupCommand::Log(options) => audit::log(options, printer),
        GroupCommand::Invite(options) => invites::invite(options, printer).await,
        GroupCommand::Join(options) => invites::join(options, printer).await,
        GroupCommand::Add(options) => groups::add(options, printer).await,
        GroupCommand::Remove(options) => groups::remove(options, printer).await,
        GroupCommand::Roles(options) => roles::roles(options, printer).await,
        GroupCommand::Promote(options) => roles::promote(options, printer).await,
        GroupCommand::Demote(options) => roles::demote(options, printer).await,
        GroupCommand::Rename(options) => groups::rename(options, printer).await,
        GroupCommand::Rotate(options) => groups::rotate(options, printer).await,
        GroupCommand::Leave(options) => groups::leave(options, printer).await,
    }
}
