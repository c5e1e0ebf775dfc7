//! Numbers for Prometheus. No label names a group, a device or a user.

use std::{
    collections::BTreeMap,
    fmt::Write,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// Counters of one service.
#[derive(Debug, Default)]
pub struct Metrics {
    answers: Mutex<BTreeMap<&'static str, u64>>,
    connections: AtomicU64,
    refused_connections: AtomicU64,
    watches: AtomicU64,
    pushes: AtomicU64,
    /// How many requests took at most so long as [`BUCKETS`] says, and all.
    buckets: [AtomicU64; BUCKETS.len()],
    requests: AtomicU64,
    microseconds: AtomicU64,
}

impl Metrics {
    /// One more request was answered: `ok`, or the code of a rejection.
    pub(crate) fn answered(&self, code: &'static str) {
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        let count = answers.entry(code).or_default();
        *count = count.saturating_add(1);
    }

    /// A request of a device took so long.
    pub(crate) fn took(&self, time: Duration) {
        for (bucket, (limit, _)) in self.buckets.iter().zip(BUCKETS) {
            if time <= limit {
                bucket.fetch_add(1, Ordering::Relaxed);
            }
        }
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.microseconds.fetch_add(u64::try_from(time.as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
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
        self.render_times(&mut text);
        text
    }

    fn render_times(&self, text: &mut String) {
        let name = "delivery_request_seconds";
        let requests = self.requests.load(Ordering::Relaxed);
        let _ok = writeln!(text, "# TYPE {name} histogram");
        for (bucket, (_, limit)) in self.buckets.iter().zip(BUCKETS) {
            let _ok = writeln!(text, "{name}_bucket{{le=\"{limit}\"}} {}", bucket.load(Ordering::Relaxed));
        }
        let _ok = writeln!(text, "{name}_bucket{{le=\"+Inf\"}} {requests}");
        let seconds = Duration::from_micros(self.microseconds.load(Ordering::Relaxed)).as_secs_f64();
        let _ok = writeln!(text, "{name}_sum {seconds}\n{name}_count {requests}");
    }
}

/// Upper ends, and how they are written in seconds.
const BUCKETS: [(Duration, &str); 7] = [
    (Duration::from_millis(1), "0.001"),
    (Duration::from_millis(5), "0.005"),
    (Duration::from_millis(25), "0.025"),
    (Duration::from_millis(100), "0.1"),
    (Duration::from_millis(500), "0.5"),
    (Duration::from_millis(2_500), "2.5"),
    (Duration::from_secs(10), "10"),
];
