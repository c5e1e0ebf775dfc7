//! Tables and charts of a run.
//!
//! In: rows. Out: Markdown, JSON, and one SVG for each workload: cost against group size, both logarithmic.

use std::{collections::BTreeMap, fmt::Write, path::Path};

use plotters::prelude::{ChartBuilder, Circle, IntoDrawingArea, IntoLogRange, LineSeries, RGBColor, SVGBackend, WHITE};

use crate::{floor::Primitives, peer::Impl, run::Row};

/// Everything as Markdown.
pub fn markdown(primitives: &Primitives, rows: &[Row]) -> String {
    let mut out = String::from("| workload | members |");
    Impl::ALL.iter().for_each(|kind| write!(out, " {} |", kind.name()).unwrap_or_default());
    out.push_str(" ours, p95 | ours × best peer | ours ÷ floor | bytes | stored |\n|---|---:|");
    out.push_str(&"---:|".repeat(Impl::ALL.len() + 5));
    out.push('\n');
    for ((workload, members), rows) in grouped(rows) {
        write!(out, "| {workload} | {members} |").unwrap_or_default();
        for kind in Impl::ALL {
            let row = rows.iter().find(|row| row.kind == kind.name());
            write!(out, " {} |", row.map_or_else(String::new, |row| time(row.median_us))).unwrap_or_default();
        }
        if let Some(ours) = rows.iter().find(|row| row.kind == Impl::Ours.name()) {
            let stored = ours.stored.map_or_else(String::new, |bytes| bytes.to_string());
            let (p95, best, floor, bytes) = (time(ours.p95_us), ours.ratio_best_peer, ours.ratio_floor, ours.bytes);
            writeln!(out, " {p95} | {best:.2} | {floor:.2} | {bytes} | {stored} |").unwrap_or_default();
        }
    }
    out.push_str("\n| workload | growth of ours | of the best peer |\n|---|---:|---:|\n");
    for (workload, rows) in by_workload(rows) {
        let of = |kind: Impl| exponent(&points(&rows, kind.name()));
        let peers = Impl::ALL.into_iter().filter(|kind| *kind != Impl::Ours).filter_map(of);
        if let (Some(ours), peers) = (of(Impl::Ours), peers.fold(f64::INFINITY, f64::min)) {
            writeln!(out, "| {workload} | N^{ours:.2} | N^{peers:.2} |").unwrap_or_default();
        }
    }
    writeln!(out, "\nPrimitives in this run, in µs:\n\n```json").unwrap_or_default();
    out.push_str(&serde_json::to_string_pretty(primitives).unwrap_or_default());
    out.push_str("\n```\n");
    out
}

type Grouped<'a> = BTreeMap<(&'a str, u32), Vec<&'a Row>>;

fn grouped(rows: &[Row]) -> Grouped<'_> {
    let mut groups = Grouped::new();
    rows.iter().for_each(|row| groups.entry((&row.workload, row.members)).or_default().push(row));
    groups
}

fn by_workload(rows: &[Row]) -> BTreeMap<&str, Vec<&Row>> {
    let mut groups: BTreeMap<_, Vec<_>> = BTreeMap::new();
    rows.iter().for_each(|row| groups.entry(row.workload.as_str()).or_default().push(row));
    groups
}

fn points(rows: &[&Row], kind: &str) -> Vec<(f64, f64)> {
    let of_kind = rows.iter().filter(|row| row.kind == kind);
    let mut points: Vec<_> = of_kind.map(|row| (f64::from(row.members), row.median_us)).collect();
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    points
}

/// `b` of the `a · N^b` that fits best; `None` for fewer than two sizes.
fn exponent(points: &[(f64, f64)]) -> Option<f64> {
    let logs: Vec<_> = points.iter().map(|(size, cost)| (size.ln(), cost.ln())).collect();
    let count = logs.len() as f64;
    let mean = |pick: fn(&(f64, f64)) -> f64| logs.iter().map(pick).sum::<f64>() / count;
    let (x, y) = (mean(|log| log.0), mean(|log| log.1));
    let spread: f64 = logs.iter().map(|log| (log.0 - x).powi(2)).sum();
    let together: f64 = logs.iter().map(|log| (log.0 - x) * (log.1 - y)).sum();
    (logs.len() > 1 && spread > 0.0).then(|| together / spread)
}

fn time(micros: f64) -> String {
    match micros {
        micros if micros >= 1e6 => format!("{:.2} s", micros / 1e6),
        micros if micros >= 1e3 => format!("{:.2} ms", micros / 1e3),
        micros => format!("{micros:.1} µs"),
    }
}

/// Draws every workload that was measured at two sizes or more.
///
/// # Errors
/// Those of drawing, and of writing files into `folder`.
pub fn charts(rows: &[Row], folder: &Path) -> Result<(), Box<dyn std::error::Error>> {
    for (workload, rows) in by_workload(rows) {
        let lines: Vec<_> = Impl::ALL.into_iter().map(|kind| (kind, points(&rows, kind.name()))).collect();
        if lines.iter().any(|(_, points)| points.len() < 2) {
            continue;
        }
        chart(workload, &lines, &folder.join(format!("{workload}.svg")))?;
    }
    Ok(())
}

const COLORS: [RGBColor; 4] =
    [RGBColor(200, 30, 30), RGBColor(40, 90, 200), RGBColor(110, 160, 240), RGBColor(40, 150, 80)];

fn chart(name: &str, lines: &[(Impl, Vec<(f64, f64)>)], file: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let all = || lines.iter().flat_map(|(_, points)| points);
    let ends = |pick: fn(&(f64, f64)) -> f64| {
        let (low, high) = (all().map(pick).fold(f64::INFINITY, f64::min), all().map(pick).fold(0.0, f64::max));
        (low, high.max(low * 1.1))
    };
    let ((left, right), (low, high)) = (ends(|point| point.0), ends(|point| point.1));
    let area = SVGBackend::new(file, (640, 420)).into_drawing_area();
    area.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&area)
        .caption(format!("{name}: µs by members"), ("sans-serif", 18))
        .margin(10)
        .x_label_area_size(30)
        .y_label_area_size(70)
        .build_cartesian_2d((left..right).log_scale(), (low * 0.8..high * 1.25).log_scale())?;
    chart.configure_mesh().x_desc("members").y_desc("µs").draw()?;
    for ((kind, points), color) in lines.iter().zip(COLORS) {
        chart
            .draw_series(LineSeries::new(points.iter().copied(), &color))?
            .label(kind.name())
            .legend(move |at| Circle::new(at, 4, color));
        chart.draw_series(points.iter().map(|point| Circle::new(*point, 3, color)))?;
    }
    chart.configure_series_labels().border_style(RGBColor(200, 200, 200)).background_style(WHITE).draw()?;
    area.present()?;
    Ok(())
}
