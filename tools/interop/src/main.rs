//! The `interop` program: our stack over the native provider, the runner, and passive vectors.

use std::{process::ExitCode, sync::Arc};

use interop::cli::Cli;
use mls_crypto_aws_lc::AwsLc;

#[tokio::main]
async fn main() -> ExitCode {
    match Cli::run("spacepanda", Arc::new(AwsLc::default())).await {
        Ok(status) => status,
        Err(error) => {
            eprintln!("interop: {error}");
            ExitCode::FAILURE
        }
    }
}
