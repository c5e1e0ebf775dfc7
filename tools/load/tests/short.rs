//! The short forms: everything runs, nothing is lost, memory stays within bounds. Speeds are looked at elsewhere.

use std::{path::Path, time::Duration};

use load::{Report, abuse, child::Folder, idle, store, traffic};

const PROGRAM: &str = env!("CARGO_BIN_EXE_load");

/// The service may grow by so much, in KiB.
const GROWTH: u64 = 128 * 1_024;

fn held(report: &Report) {
    println!("{report}");
    assert_eq!(report.errors, 0, "{report}");
    assert!(!report.latencies.is_empty(), "{report}");
    let (before, after) = report.memory.unwrap_or_default();
    assert!(after.saturating_sub(before) < GROWTH, "{report}");
}

#[test]
fn commits() {
    let folder = Folder::new("commits");
    held(&store::commits(&folder.path(), 8, Duration::from_secs(1)));
}

#[test]
fn messages_are_read_by_all_who_read() {
    let folder = Folder::new("traffic");
    let (members, time) = ((3, 6), Duration::from_secs(3));
    let traffic = traffic::Traffic { groups: 8, members, readers: 2, rate: 80, time, churn: 10 };
    held(&traffic::run(Path::new(PROGRAM), &[folder.path()], traffic));
}

#[test]
fn connections_that_wait_cost_little() {
    let folder = Folder::new("idle");
    let report = idle::run(Path::new(PROGRAM), &folder.path(), 400);
    held(&report);
    assert_eq!(report.latencies.len(), 400);
}

#[test]
fn honest_ones_are_served_beside_abuse() {
    let folder = Folder::new("abuse");
    let abuse = abuse::Abuse { slow: 300, noise: 800, time: Duration::from_secs(2) };
    let (alone, abused) = abuse::run(Path::new(PROGRAM), &folder.path(), abuse);
    held(&alone);
    held(&abused);
    assert!(abused.what.contains("beside 300 slow"), "{abused}");
}

#[test]
fn parts_of_a_thousand() {
    let latencies = (1..=1_000).rev().map(Duration::from_millis).collect();
    let report = Report { what: String::new(), took: Duration::from_secs(1), latencies, errors: 1, memory: None };
    assert_eq!([500, 950, 990, 1_000].map(|part| report.permille(part).as_millis()), [500, 950, 990, 1_000]);
    assert!((report.errors_per_thousand() - 0.999).abs() < 0.001);
}
