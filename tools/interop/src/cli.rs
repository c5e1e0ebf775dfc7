//! The command line, for this crate's program and for others that serve another stack.
//!
//! In: arguments. Out: text or JSON on the standard output, progress on the error stream, an exit status.
//! Always: the status is 0 only if nothing failed.

mod passive;
mod run;

use std::{error::Error, net::IpAddr, process::ExitCode};

use clap::{Args, Parser, Subcommand};
use mls_crypto::CryptoProvider;

use crate::{Server, Stack, serve};

pub use passive::PassiveArgs;
pub use run::RunArgs;

/// What `main` returns.
pub type Exit = Result<ExitCode, Box<dyn Error + Send + Sync>>;

/// The MLS working group's interop harness.
#[derive(Debug, Parser)]
#[command(name = "interop", version, about)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve our stack to a runner.
    Serve {
        #[command(flatten)]
        at: ServeArgs,
        /// Leave GREASE extensions out, for clients that refuse them (OpenMLS up to 0.9.2).
        #[arg(long)]
        no_grease_extensions: bool,
    },
    /// Play scripts on servers.
    Run(RunArgs),
    /// Check passive-client vectors.
    Passive(PassiveArgs),
}

/// Where to serve.
#[derive(Args, Clone, Copy, Debug)]
pub struct ServeArgs {
    /// The address to listen on.
    #[arg(long, default_value = "127.0.0.1")]
    pub host: IpAddr,
    /// The port to listen on; 0 takes a free one.
    #[arg(long, default_value_t = 50_051)]
    pub port: u16,
}

impl Cli {
    /// Reads the command line and does what it says, with our stack over this provider.
    ///
    /// # Errors
    /// What went wrong before anything could be reported.
    pub async fn run(name: &str, provider: std::sync::Arc<dyn CryptoProvider>) -> Exit {
        match Self::parse().command {
            Command::Serve { at, no_grease_extensions } => {
                let stack = crate::ours::Ours::new(name, provider);
                at.serve(if no_grease_extensions { stack.without_grease_extensions() } else { stack }).await
            }
            Command::Run(args) => args.run().await,
            Command::Passive(args) => args.run(provider.as_ref()),
        }
    }
}

impl ServeArgs {
    /// Serves a stack until the process ends. The first line of the standard output says where.
    ///
    /// # Errors
    /// If the address cannot be had, or the server ends by itself.
    pub async fn serve<S: Stack>(self, stack: S) -> Exit {
        let name = stack.name().to_owned();
        let running = serve((self.host, self.port).into(), Server::new(stack)).await?;
        println!("{name} at {}", running.address);
        running.wait().await?;
        Ok(ExitCode::SUCCESS)
    }
}

/// Success only if nothing failed.
fn status(failed: bool) -> ExitCode {
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
