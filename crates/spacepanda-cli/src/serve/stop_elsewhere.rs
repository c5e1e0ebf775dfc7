//! When to end, where there are no signals but the terminal's.

use std::{future::Future, io};

/// Waits for an interrupt.
pub(crate) fn watch() -> io::Result<impl Future<Output = ()>> {
    Ok(async {
        let _interrupted = tokio::signal::ctrl_c().await;
    })
}
