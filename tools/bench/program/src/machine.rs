//! What a run ran on, and what a process took of it; as Linux tells.

use std::{fs, process::Command, thread};

/// Processors, load and compiler, as a sentence for each.
pub fn describe() -> String {
    let cpu = line_of("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown processor".to_owned());
    let processors = thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load: Vec<_> = load.split_whitespace().take(3).collect();
    let rustc = Command::new("rustc").arg("--version").output();
    let rustc = rustc.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default();
    format!("{processors} processors, {cpu}. Load before the run: {}. {rustc}.", load.join(", "))
}

/// The most memory this process ever had, in KiB.
pub fn peak_kib() -> Option<u64> {
    line_of("/proc/self/status", "VmHWM")?.split_whitespace().next()?.parse().ok()
}

/// What stands behind `name` and a colon.
fn line_of(file: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}
