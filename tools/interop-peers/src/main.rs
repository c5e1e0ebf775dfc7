//! OpenMLS and mls-rs in the MLS working group's interop harness: as servers, and in groups with us.
//!
//! In: a command line. Out: the harness's gRPC service over one of them, or the matrix of who was in groups with whom.
//! Always: the status is 0 only if nothing failed that is not explained.

mod matrix;

use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};
use interop::cli::{Exit, ServeArgs};
use interop_peers::{MlsRs, OpenMls};

use matrix::MatrixArgs;

/// Other MLS implementations in the MLS working group's interop harness.
#[derive(Parser)]
#[command(name = "interop-peers", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Answer the harness's calls until stopped.
    Serve {
        /// The implementation under test.
        #[arg(long)]
        stack: Peer,
        #[command(flatten)]
        at: ServeArgs,
    },
    /// Play all scripts in groups of ours and theirs, and write down what came of it.
    Matrix(MatrixArgs),
}

#[derive(Clone, Copy, ValueEnum)]
enum Peer {
    Openmls,
    MlsRs,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(status) => status,
        Err(error) => {
            eprintln!("interop-peers: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Exit {
    match Arguments::parse().command {
        Command::Serve { stack: Peer::Openmls, at } => at.serve(OpenMls::default()).await,
        Command::Serve { stack: Peer::MlsRs, at } => at.serve(MlsRs::default()).await,
        Command::Matrix(args) => args.run().await,
    }
}
