//! Profiles as tables and as a chart of stacked bars.

use std::{collections::BTreeMap, fmt::Write, path::Path};

use plotters::prelude::{Color, IntoDrawingArea, IntoFont, RGBColor, Rectangle, SVGBackend, Text, WHITE};

use super::{Part, Profile, Subject};
use crate::{row::name, workload::Workload};

/// Head of the page.
const HEAD: &str = "# Where the time goes

Written by the run itself, together with [results.md](results.md): for each workload that misses a goal, where the time
of all processors goes in a step of ours, by samples; [what bounds it](bounds.md) is said in words. A column is what the
function does in which a sample fell: within cryptography the call into it, with all that it does; outside of it the
innermost function. *Memory* is allocating, freeing, copying and clearing, with the pages that the system gives; *records*
the store in memory, and what prepares records for it. With *n* samples a share of *p* is right to about
√(*p*(1−*p*)/*n*): three points for 300.
";

/// All profiles: a heading for each workload of the suites that were measured.
pub fn markdown(suites: &[u16], workloads: &[Workload], profiles: &BTreeMap<Subject, Profile>) -> String {
    let mut out = HEAD.to_owned();
    for suite in suites {
        writeln!(out, "\n![Shares of each part]({})", chart_name(*suite)).unwrap_or_default();
        for workload in workloads {
            writeln!(out, "\n## {}\n", name(*workload, *suite)).unwrap_or_default();
            let of = profiles.iter().filter(|((of, which, _), _)| (of, which) == (suite, workload));
            let of: Vec<_> = of.map(|((_, _, members), profile)| (*members, profile)).collect();
            if of.is_empty() {
                out.push_str("Every goal is reached.\n");
            } else {
                table(&mut out, &of);
            }
        }
    }
    out
}

/// The file of a suite's chart, beside the page.
fn chart_name(suite: u16) -> String {
    if suite == 1 { "charts/profile.svg".to_owned() } else { format!("charts/profile-0x{suite:04X}.svg") }
}

fn table(out: &mut String, profiles: &[(u32, &Profile)]) {
    let parts: Vec<_> =
        Part::ALL.into_iter().filter(|part| profiles.iter().any(|(_, of)| share(of, *part) >= 0.005)).collect();
    let names: Vec<_> = parts.iter().map(|part| part.name()).collect();
    writeln!(out, "| members | samples | {} |", names.join(" | ")).unwrap_or_default();
    writeln!(out, "|---:|---:|{}", "---:|".repeat(parts.len())).unwrap_or_default();
    for (members, profile) in profiles {
        let cells: Vec<_> = parts.iter().map(|part| format!("{:.0} %", share(profile, *part) * 100.0)).collect();
        writeln!(out, "| {members} | {} | {} |", total(profile), cells.join(" | ")).unwrap_or_default();
    }
}

fn total(profile: &Profile) -> usize {
    profile.values().sum()
}

fn share(profile: &Profile, part: Part) -> f64 {
    profile.get(&part).copied().unwrap_or_default() as f64 / total(profile).max(1) as f64
}

const fn color(part: Part) -> RGBColor {
    match part {
        Part::Verify => RGBColor(31, 90, 180),
        Part::Sign => RGBColor(110, 160, 230),
        Part::Hpke => RGBColor(20, 130, 120),
        Part::Hash => RGBColor(90, 180, 110),
        Part::Aead => RGBColor(170, 215, 130),
        Part::Codec => RGBColor(230, 170, 40),
        Part::Tree => RGBColor(220, 110, 40),
        Part::Engine => RGBColor(190, 50, 50),
        Part::Records => RGBColor(150, 80, 160),
        Part::Memory => RGBColor(110, 110, 110),
        Part::System => RGBColor(170, 170, 170),
        Part::Other => RGBColor(220, 220, 220),
    }
}

/// Places of the chart, in points.
const LEFT: i32 = 170;
const BAR: i32 = 560;
const LINE: i32 = 18;
const TOP: i32 = 56;

/// Draws the profiles of a suite as stacked bars, one for each workload and size, into `folder/charts/profile….svg`.
///
/// # Errors
/// Those of drawing and of writing the file.
pub fn chart(
    suite: u16,
    profiles: &BTreeMap<Subject, Profile>,
    folder: &Path,
) -> Result<(), Box<dyn std::error::Error>> {
    let of: Vec<_> = profiles.iter().filter(|((of, ..), _)| *of == suite).collect();
    let height = TOP + LINE * i32::try_from(of.len())? + 12;
    let file = folder.join(chart_name(suite));
    let area = SVGBackend::new(&file, (u32::try_from(LEFT + BAR + 20)?, u32::try_from(height)?)).into_drawing_area();
    area.fill(&WHITE)?;
    let words = ("sans-serif", 12).into_font();
    for (place, part) in Part::ALL.into_iter().enumerate() {
        let (column, line) = (i32::try_from(place % 6)?, i32::try_from(place / 6)?);
        let (x, y) = (12 + column * 122, 10 + line * LINE);
        area.draw(&Rectangle::new([(x, y), (x + 10, y + 10)], color(part).filled()))?;
        area.draw(&Text::new(part.name(), (x + 14, y), words.clone()))?;
    }
    for (place, ((_, workload, members), profile)) in of.into_iter().enumerate() {
        let y = TOP + LINE * i32::try_from(place)?;
        area.draw(&Text::new(format!("{} {members}", name(*workload, 1)), (12, y + 1), words.clone()))?;
        let mut before = 0.0;
        for part in Part::ALL {
            let after = before + share(profile, part);
            let at = |share: f64| LEFT + (share * f64::from(BAR)).round() as i32;
            area.draw(&Rectangle::new([(at(before), y), (at(after), y + LINE - 4)], color(part).filled()))?;
            before = after;
        }
    }
    area.present()?;
    Ok(())
}
