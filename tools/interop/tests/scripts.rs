//! Every script of the harness, ours with ours, over gRPC.

use std::{io, process::ExitCode, sync::Arc};

use interop::trials::run;
use mls_crypto_aws_lc::AwsLc;

fn main() -> io::Result<ExitCode> {
    run(Arc::new(AwsLc::default()), &[(1, true)])
}
