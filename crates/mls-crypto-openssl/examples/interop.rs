//! The interop program over OpenSSL: serves the suites with X448 and Ed448 to a runner.

use std::{process::ExitCode, sync::Arc};

use interop::cli::Cli;
use mls_crypto_openssl::OpenSsl;

#[tokio::main]
async fn main() -> ExitCode {
    match Cli::run("spacepanda", Arc::new(OpenSsl::default())).await {
        Ok(status) => status,
        Err(error) => {
            eprintln!("interop: {error}");
            ExitCode::FAILURE
        }
    }
}
