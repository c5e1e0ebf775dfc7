//! `panda`: SpacePanda on the command line.
//!
//! In: arguments, and standard input. Out: results on standard output; progress, notices and errors on standard error.
//! Always: the exit status is 0 if all went well, 1 if it did not, 2 if the arguments make no sense, 3 if the service cannot be
//! reached, 4 if it does not let us, 5 if a group has gone on without us, 6 if the home cannot be opened.

mod cli;
mod client;
mod demo;
mod home;
mod serve;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::{Cli, Command};

fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Demo(options) => demo::run(&options),
        Command::Serve(options) => serve::run(&options),
        Command::Client(command) => client::run(&command),
    }
}
