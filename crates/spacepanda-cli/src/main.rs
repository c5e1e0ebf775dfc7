//! `panda`: SpacePanda on the command line.
//!
//! In: arguments, and standard input. Out: results on standard output; progress, notices and errors on standard error.
//! Always: the exit status is 0 if all went well, 1 if it did not, 2 if the arguments make no sense.

mod cli;
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
    }
}
