//! The official vectors of the suites with X448 and Ed448.

use std::process::ExitCode;

use mls_crypto_openssl::OpenSsl;
use testkit::vectors::{Provider, run};

fn main() -> ExitCode {
    run(&[Provider::new("openssl", OpenSsl::default())])
}
