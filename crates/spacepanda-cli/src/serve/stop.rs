//! When to end: as soon as the terminal or the service manager says so.

use std::{future::Future, io};

use tokio::signal::unix::{SignalKind, signal};

/// From now on both signals are waited for, instead of ending the program at once. Needs a runtime.
pub(crate) fn watch() -> io::Result<impl Future<Output = ()>> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}
