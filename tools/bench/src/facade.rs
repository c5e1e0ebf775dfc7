//! spacepanda-core over its durable store: what a call costs an application, with threads, sealing and the disk.
//!
//! In: nothing. Out: [`Figure`]s, as a table with goals and as rows for the comparison's JSON.
//! Always: stores are SQLite in a folder of their own under the system's folder for temporary files, unlocked by a raw
//! key, so that no passphrase is stretched within a measured step. The same steps over a store in memory, and the time of
//! one page that is written and synced, tell what of it is the disk.
#![allow(clippy::arithmetic_side_effects, clippy::as_conversions, clippy::cast_precision_loss, reason = "a benchmark")]

mod files;
mod scratch;
mod steps;

use std::{fmt::Write, time::Instant};

use spacepanda_core::core_mls::MlsConfig;

/// A quantile of a figure's times that a goal is about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Of {
    /// Half of them are shorter.
    Median,
    /// 99 of 100 are shorter.
    P99,
}

/// What one step of an application costs.
#[derive(Clone, Debug)]
pub struct Figure {
    /// The step.
    pub name: String,
    /// Size of the group.
    pub members: u32,
    /// Times in microseconds, in order of size.
    times: Vec<f64>,
    /// Bytes written to files for one step, as a median.
    pub bytes: u64,
    /// The most that a quantile may be, in microseconds.
    pub goal: Option<(Of, f64)>,
}

/// A row of the comparison's JSON.
#[derive(Clone, Debug, serde::Serialize)]
struct Row<'a> {
    workload: &'a str,
    members: u32,
    #[serde(rename = "impl")]
    kind: &'static str,
    median_us: f64,
    p95_us: f64,
    ratio_best_peer: Option<f64>,
    ratio_floor: Option<f64>,
    bytes: u64,
}

/// Measures everything; says on the way what is next.
pub fn run(mut next: impl FnMut(&str)) -> Vec<Figure> {
    let mut figures = vec![files::sync()];
    for (config, suffix) in [(MlsConfig::interop(), ""), (MlsConfig::default(), "@0x004E")] {
        for (durable, place) in [(true, ""), (false, "-in-memory")] {
            next(&format!("steps of a group of 20{place}{suffix}"));
            let steps = steps::run(&config, durable);
            let named = |figure: Figure| Figure { name: figure.name.clone() + place + suffix, ..figure };
            figures.extend(steps.into_iter().map(named));
        }
    }
    for members in [100, 1_000, 10_000] {
        next(&format!("bytes of files, {members} members"));
        figures.extend(files::run(members));
    }
    figures
}

impl Figure {
    /// Takes a step so often; it is given its number. What it returns is dropped outside the clock.
    fn measure<T>(name: &str, members: u32, times: usize, mut step: impl FnMut(usize) -> T) -> Self {
        let (mut micros, mut written) = (Vec::new(), Vec::new());
        for turn in 0..times {
            let (before, start) = (scratch::written(), Instant::now());
            let result = step(turn);
            micros.push(start.elapsed().as_secs_f64() * 1e6);
            written.push(scratch::written().saturating_sub(before));
            drop(result);
        }
        Self::of(name, members, micros, written)
    }

    /// A figure of these times and bytes.
    fn of(name: &str, members: u32, mut times: Vec<f64>, mut written: Vec<u64>) -> Self {
        times.sort_by(f64::total_cmp);
        written.sort_unstable();
        let bytes = written.get(written.len() / 2).copied().unwrap_or_default();
        Self { name: format!("facade-{name}"), members, times, bytes, goal: None }
    }

    #[must_use]
    fn at_most(self, of: Of, millis: f64) -> Self {
        Self { goal: Some((of, millis * 1e3)), ..self }
    }

    /// The time that this part of all is under, in microseconds.
    pub fn quantile(&self, part: f64) -> f64 {
        let place = (self.times.len().saturating_sub(1) as f64 * part).round() as usize;
        self.times.get(place).copied().unwrap_or(f64::NAN)
    }

    /// Whether the goal is reached, if there is one.
    pub fn reached(&self) -> Option<bool> {
        let (of, most) = self.goal?;
        let quantile = match of {
            Of::Median => self.quantile(0.5),
            Of::P99 => self.quantile(0.99),
        };
        Some(quantile <= most)
    }
}

/// A table of all figures.
pub fn markdown(figures: &[Figure]) -> String {
    let mut out = "## spacepanda-core over SQLite\n\n".to_owned();
    out.push_str("| step | members | median | p95 | p99 | file bytes | goal | reached |\n");
    out.push_str("|---|---:|---:|---:|---:|---:|---:|---:|\n");
    for figure in figures {
        let [median, p95, p99] = [0.5, 0.95, 0.99].map(|part| millis(figure.quantile(part)));
        let goal = figure.goal.map_or_else(String::new, |(of, most)| {
            let of = if of == Of::Median { "median" } else { "p99" };
            format!("{of} ≤ {}", millis(most))
        });
        let reached = figure.reached().map_or("", |reached| if reached { "yes" } else { "no" });
        let (name, members, bytes) = (&figure.name, figure.members, figure.bytes);
        let line = format!("| {name} | {members} | {median} | {p95} | {p99} | {bytes} | {goal} | {reached} |");
        writeln!(out, "{line}").unwrap_or_default();
    }
    out
}

fn millis(micros: f64) -> String {
    format!("{:.2} ms", micros / 1e3)
}

/// All figures as rows of the comparison's JSON, with the table.
pub fn json(figures: &[Figure]) -> String {
    let row = |figure: &Figure| {
        serde_json::json!(Row {
            workload: &figure.name,
            members: figure.members,
            kind: "spacepanda-core",
            median_us: figure.quantile(0.5),
            p95_us: figure.quantile(0.95),
            ratio_best_peer: None,
            ratio_floor: None,
            bytes: figure.bytes,
        })
    };
    let rows: Vec<_> = figures.iter().map(row).collect();
    serde_json::json!({ "rows": rows, "markdown": markdown(figures) }).to_string()
}
