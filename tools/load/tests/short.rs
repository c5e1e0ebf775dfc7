//! The short forms: everything runs, nothing is lost, memory stays within bounds. Speeds are looked at elsewhere.

use std::{path::Path, time::Duration};

use load::{
    Report, abuse, attack,
    child::Folder,
    idle,
    machine::{self, Threshold},
    soak, store, traffic,
};

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

#[test]
fn nothing_gets_in() {
    let folder = Folder::new("attack");
    let attacks = attack::run(Path::new(PROGRAM), &folder.path(), 64);
    for attack in &attacks {
        assert!(attack.tried > 0, "{attack:?}");
        assert_eq!(attack.succeeded, 0, "{attack:?}");
    }
    assert_eq!(attacks.len(), 9);
}

#[test]
fn nothing_is_lost_or_grows_while_the_service_is_killed() {
    let folder = Folder::new("soak");
    let seconds = std::env::var("LOAD_SOAK_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(15);
    let soak = soak::Soak { time: Duration::from_secs(seconds), kill: Duration::from_secs(4), groups: 4 };
    let report = soak::run(Path::new(PROGRAM), &folder.path(), soak);
    assert_eq!(report.errors, 0, "{report}");
    assert!(report.latencies.len() > 100, "{report}");
    assert!(!soak::grows(report.memory.unwrap()), "{report}");
}

#[test]
fn what_grows_is_noticed() {
    assert!(!soak::grows((100_000, 150_000)));
    assert!(soak::grows((100_000, 160_000)));
}

#[test]
fn a_report_says_on_what_and_against_what() {
    let latencies = vec![Duration::from_millis(3); 10];
    let report = Report { what: "w".to_owned(), took: Duration::from_secs(1), latencies, errors: 1, memory: None };
    let kept = Threshold::at_least("rate", report.rate(), 10.0);
    let broken = Threshold::at_most("errors", 1.0, 0.0);
    let text = machine::json("commits", &[report], &[], &[kept, broken]);
    assert_eq!(text["runs"][0]["p99_ms"], 3.0);
    assert!(text["machine"]["cores"].as_u64().unwrap() > 0);
    assert_eq!([&text["thresholds"][0]["kept"], &text["thresholds"][1]["kept"]], [true, false]);
}
