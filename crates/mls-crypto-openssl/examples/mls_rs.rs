//! mls-rs over OpenSSL: serves the suites that mls-rs has with OpenSSL only to a runner.

use std::process::ExitCode;

use clap::Parser;
use interop::cli::{Exit, ServeArgs};
use interop_peers::MlsRs;
use mls_rs_crypto_openssl::OpensslCryptoProvider;

/// Serve mls-rs over OpenSSL, with suites 4, 5 and 6.
#[derive(Parser)]
#[command(name = "mls_rs", version)]
struct Arguments {
    #[command(flatten)]
    at: ServeArgs,
}

/// What mls-rs's portable cryptography does not have: that is another server's, and suites must not overlap.
const SUITES: [u16; 3] = [4, 5, 6];

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(status) => status,
        Err(error) => {
            eprintln!("mls_rs: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Exit {
    let suites = SUITES.map(Into::into).to_vec();
    let stack = MlsRs::over(OpensslCryptoProvider::with_enabled_cipher_suites(suites));
    Arguments::parse().at.serve(stack).await
}
