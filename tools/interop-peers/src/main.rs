//! Serves OpenMLS or mls-rs to the MLS working group's interop harness.
//!
//! In: which of them, and where. Out: the harness's gRPC service.
//! Always: it runs until it is stopped.

use std::net::{IpAddr, SocketAddr};

use clap::{Parser, Subcommand, ValueEnum};
use interop::{Running, Server, serve};
use interop_peers::{MlsRs, OpenMls};

/// Other MLS implementations behind the MLS working group's interop harness.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Answers the harness's calls until stopped.
    Serve {
        /// The implementation under test.
        #[arg(long)]
        stack: Peer,
        /// Where to listen; 0 takes a free port.
        #[arg(long)]
        port: u16,
        /// The address to listen at.
        #[arg(long, default_value = "127.0.0.1")]
        host: IpAddr,
    },
}

#[derive(Clone, Copy, ValueEnum)]
enum Peer {
    Openmls,
    #[value(name = "mls-rs")]
    MlsRs,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let Command::Serve { stack, port, host } = Arguments::parse().command;
    let running = start(stack, SocketAddr::new(host, port)).await?;
    println!("listening at {}", running.address);
    Ok(running.wait().await?)
}

async fn start(stack: Peer, address: SocketAddr) -> std::io::Result<Running> {
    match stack {
        Peer::Openmls => serve(address, Server::new(OpenMls::default())).await,
        Peer::MlsRs => serve(address, Server::new(MlsRs::default())).await,
    }
}
