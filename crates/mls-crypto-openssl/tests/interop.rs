//! The harness's scripts for the suites with X448 and Ed448, ours with ours, over gRPC.

use std::{io, process::ExitCode, sync::Arc};

use interop::trials::run;
use mls_crypto_openssl::OpenSsl;

fn main() -> io::Result<ExitCode> {
    run(Arc::new(OpenSsl::default()), &[])
}
