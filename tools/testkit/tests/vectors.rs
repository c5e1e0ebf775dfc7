//! The official vectors with every provider that needs no system library.

use std::process::ExitCode;

use mls_crypto_aws_lc::AwsLc;
use mls_crypto_rust::RustCrypto;
use testkit::vectors::{Provider, run};

fn main() -> ExitCode {
    run(&[Provider::new("rust", RustCrypto::default()), Provider::new("aws-lc", AwsLc::default())])
}
