//! Every script of the harness, ours with ours, over gRPC.

use std::{io, process::ExitCode, sync::Arc};

use interop::trials::{Long, run};
use mls_crypto_aws_lc::AwsLc;

fn main() -> io::Result<ExitCode> {
    let long = Long { config: "deep_random", cipher_suite: 1, encrypt_handshake: true };
    run(Arc::new(AwsLc::default()), long)
}
