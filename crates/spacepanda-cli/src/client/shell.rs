//! Completions and the manual page, made from what the program understands.

use std::io;

use clap::CommandFactory;

use super::{Trouble, options::CompletionOptions};
use crate::cli::Cli;

/// Prints completions.
pub(crate) fn completions(options: &CompletionOptions) -> Result<(), Trouble> {
    let mut script = Vec::new();
    clap_complete::generate(options.shell, &mut Cli::command(), "panda", &mut script);
    io::Write::write_all(&mut io::stdout(), &script).map_err(Trouble::Output)
}

/// Prints the manual page.
pub(crate) fn man() -> Result<(), Trouble> {
    clap_mangen::Man::new(Cli::command()).render(&mut io::stdout()).map_err(Trouble::Output)
}
