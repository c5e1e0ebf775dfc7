//! Charts: cost against group size, both logarithmic, one SVG for each workload.

use std::{collections::BTreeMap, path::Path};

use plotters::prelude::{ChartBuilder, Circle, IntoDrawingArea, IntoLogRange, LineSeries, RGBColor, SVGBackend, WHITE};

use crate::{
    peer::Impl,
    row::{Row, name},
};

/// The points of one implementation.
type Line = (Impl, Vec<(f64, f64)>);

/// Draws every workload that ours was measured in at two sizes or more; returns the names of the charts.
///
/// # Errors
/// Those of drawing, and of writing files into `folder`.
pub fn draw(rows: &[Row], folder: &Path) -> Result<Vec<String>, Box<dyn std::error::Error>> {
    let mut charts: BTreeMap<_, BTreeMap<Impl, Vec<(f64, f64)>>> = BTreeMap::new();
    for row in rows.iter().filter(|row| row.median_us.is_finite()) {
        let lines = charts.entry((row.suite, row.workload)).or_default();
        lines.entry(row.kind).or_default().push((f64::from(row.members), row.median_us));
    }
    let mut drawn = Vec::new();
    for ((suite, workload), lines) in charts {
        if lines.get(&Impl::Ours).is_none_or(|points| points.len() < 2) {
            continue;
        }
        let name = name(workload, suite).replace('@', "-");
        let lines: Vec<_> = lines.into_iter().collect();
        chart(&name, &lines, &folder.join(format!("{name}.svg")))?;
        drawn.push(name);
    }
    Ok(drawn)
}

const fn color(kind: Impl) -> RGBColor {
    match kind {
        Impl::Ours => RGBColor(200, 30, 30),
        Impl::MlsRsAwsLc => RGBColor(40, 90, 200),
        Impl::MlsRsRustCrypto => RGBColor(110, 160, 240),
        Impl::OpenMls => RGBColor(40, 150, 80),
        Impl::OpenMlsLibcrux => RGBColor(150, 190, 60),
    }
}

fn chart(name: &str, lines: &[Line], file: &Path) -> Result<(), Box<dyn std::error::Error>> {
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
    for (kind, points) in lines {
        let color = color(*kind);
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
