//! What was measured.

use std::{fmt, time::Duration};

use indicatif::{ProgressBar, ProgressStyle};

/// What one run has shown.
#[derive(Clone, Debug)]
pub struct Report {
    /// Of what.
    pub what: String,
    /// How long it went on.
    pub took: Duration,
    /// How long each took.
    pub latencies: Vec<Duration>,
    /// What was not done.
    pub errors: u64,
    /// Memory of the service, in KiB, before and after, if it is a process of its own.
    pub memory: Option<(u64, u64)>,
}

impl Report {
    /// How long so many of a thousand took at most; zero if there are none.
    pub fn permille(&self, part: usize) -> Duration {
        let mut sorted = self.latencies.clone();
        sorted.sort_unstable();
        let at = (sorted.len() * part).div_ceil(1_000).saturating_sub(1);
        sorted.get(at).copied().unwrap_or_default()
    }

    /// Of a thousand, how many were not done.
    pub fn errors_per_thousand(&self) -> f64 {
        let all = self.latencies.len() as f64 + self.errors as f64;
        if all == 0.0 { 0.0 } else { self.errors as f64 * 1_000.0 / all }
    }

    /// As JSON: milliseconds and KiB.
    pub fn json(&self) -> serde_json::Value {
        let milliseconds = |part| self.permille(part).as_secs_f64() * 1_000.0;
        serde_json::json!({
            "what": self.what,
            "seconds": self.took.as_secs_f64(),
            "count": self.latencies.len(),
            "per_second": self.rate(),
            "p50_ms": milliseconds(500),
            "p95_ms": milliseconds(950),
            "p99_ms": milliseconds(990),
            "errors": self.errors,
            "errors_per_thousand": self.errors_per_thousand(),
            "memory_kib": self.memory.map(|(before, after)| [before, after]),
        })
    }

    /// Done in a second.
    pub fn rate(&self) -> f64 {
        self.latencies.len() as f64 / self.took.as_secs_f64().max(f64::MIN_POSITIVE)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let milliseconds = |part| self.permille(part).as_secs_f64() * 1_000.0;
        write!(
            f,
            "{}: {} in {:.1} s, {:.0}/s; p50 {:.2} ms, p95 {:.2} ms, p99 {:.2} ms; errors {} ({:.3} of 1,000)",
            self.what,
            self.latencies.len(),
            self.took.as_secs_f64(),
            self.rate(),
            milliseconds(500),
            milliseconds(950),
            milliseconds(990),
            self.errors,
            self.errors_per_thousand(),
        )?;
        match self.memory {
            Some((before, after)) => write!(f, "; memory {before} KiB, then {after} KiB"),
            None => Ok(()),
        }
    }
}

/// Shows how far a run has come, where somebody is looking.
pub fn progress(what: &str, length: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg} [{bar:30}] {pos}/{len} {elapsed} left {eta}").unwrap();
    ProgressBar::new(length).with_style(style.progress_chars("=> ")).with_message(what.to_owned())
}
