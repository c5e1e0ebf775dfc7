//! On what was measured, and what it is held against.

use std::{fs, thread};

use serde_json::{Value, json};

use crate::{Report, attack::Attack};

/// Something a run promises.
#[derive(Clone, Debug)]
pub struct Threshold {
    /// What.
    pub name: &'static str,
    /// What was measured.
    pub value: f64,
    /// What it is held against.
    pub limit: f64,
    /// Whether it has to be at least that, and not at most.
    pub at_least: bool,
}

impl Threshold {
    /// At most so much.
    pub const fn at_most(name: &'static str, value: f64, limit: f64) -> Self {
        Self { name, value, limit, at_least: false }
    }

    /// At least so much.
    pub const fn at_least(name: &'static str, value: f64, limit: f64) -> Self {
        Self { name, value, limit, at_least: true }
    }

    /// Whether it is kept.
    pub fn is_kept(&self) -> bool {
        if self.at_least { self.value >= self.limit } else { self.value <= self.limit }
    }

    fn json(&self) -> Value {
        let bound = if self.at_least { "at least" } else { "at most" };
        json!({ "name": self.name, "value": self.value, "bound": bound, "limit": self.limit, "kept": self.is_kept() })
    }
}

/// The machine that this runs on: processor, cores, memory, system, and how busy it was.
pub fn description() -> Value {
    let read = |file: &str| fs::read_to_string(file).unwrap_or_default();
    let after = |text: &str, key: &str| {
        let line = text.lines().find(|line| line.starts_with(key)).unwrap_or_default();
        line.split(':').nth(1).unwrap_or_default().trim().to_owned()
    };
    let build = if cfg!(debug_assertions) { "debug" } else { "release" };
    json!({
        "processor": after(&read("/proc/cpuinfo"), "model name"),
        "cores": thread::available_parallelism().map_or(0, usize::from),
        "memory": after(&read("/proc/meminfo"), "MemTotal"),
        "system": read("/proc/sys/kernel/osrelease").trim(),
        "load": read("/proc/loadavg").split(' ').next().unwrap_or_default(),
        "build": build,
    })
}

/// Reports as one JSON object.
pub fn json(command: &str, reports: &[Report], attacks: &[Attack], thresholds: &[Threshold]) -> Value {
    let attacks: Vec<Value> = attacks
        .iter()
        .map(|attack| json!({ "name": attack.name, "tried": attack.tried, "succeeded": attack.succeeded }))
        .collect();
    json!({
        "command": command,
        "machine": description(),
        "runs": reports.iter().map(Report::json).collect::<Vec<_>>(),
        "attacks": attacks,
        "thresholds": thresholds.iter().map(Threshold::json).collect::<Vec<_>>(),
    })
}
