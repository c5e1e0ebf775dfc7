//! Numbers for Prometheus. No label names a group, a device or a user.

use std::{
    collections::BTreeMap,
    fmt::Write,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

/// Counters of one service.
#[derive(Debug, Default)]
pub struct Metrics {
    answers: Mutex<BTreeMap<&'static str, u64>>,
    connections: AtomicU64,
    refused_connections: AtomicU64,
    watches: AtomicU64,
    pushes: AtomicU64,
}

impl Metrics {
    /// One more request was answered: `ok`, or the code of a rejection.
    pub(crate) fn answered(&self, code: &'static str) {
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        let count = answers.entry(code).or_default();
        *count = count.saturating_add(1);
    }

    pub(crate) fn connected(&self) {
        self.connections.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn disconnected(&self) {
        self.connections.fetch_sub(1, Ordering::Relaxed);
    }

    pub(crate) fn refused(&self) {
        self.refused_connections.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn watched(&self) {
        self.watches.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn pushed(&self) {
        self.pushes.fetch_add(1, Ordering::Relaxed);
    }

    /// Connections that are open.
    pub fn connections(&self) -> u64 {
        self.connections.load(Ordering::Relaxed)
    }

    /// The exposition format of Prometheus.
    pub fn render(&self) -> String {
        let mut text = String::new();
        let mut line = |name: &str, kind: &str, labels: &str, value: u64| {
            if !kind.is_empty() {
                // Writing to a string does not fail.
                let _ok = writeln!(text, "# TYPE {name} {kind}");
            }
            let _ok = writeln!(text, "{name}{labels} {value}");
        };
        line("delivery_connections", "gauge", "", self.connections());
        line("delivery_refused_connections_total", "counter", "", self.refused_connections.load(Ordering::Relaxed));
        line("delivery_watches_total", "counter", "", self.watches.load(Ordering::Relaxed));
        line("delivery_pushes_total", "counter", "", self.pushes.load(Ordering::Relaxed));
        let mut kind = "counter";
        for (code, count) in self.answers.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            line("delivery_answers_total", kind, &format!("{{code=\"{code}\"}}"), *count);
            kind = "";
        }
        text
    }
}
