//! What is watched exists: dashboards and alert rules name series and codes that the service has.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

#[path = "common/running.rs"]
mod running;

use std::collections::BTreeSet;

use mls_delivery_server::Quotas;
use running::{device, local, serve};

const FILES: [(&str, &str); 2] = [
    ("alerts.yml", include_str!("../../../deploy/alerts.yml")),
    ("dashboard.json", include_str!("../../../deploy/dashboard.json")),
];

/// Words that begin like our series.
fn series(text: &str) -> BTreeSet<String> {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.split(|c| !word(c)).filter(|name| name.starts_with("delivery_")).map(str::to_owned).collect()
}

#[tokio::test]
async fn every_series_that_is_watched_exists() {
    let running = serve(local(), Quotas::default()).await;
    device(running.address, "alice").await;
    let numbers = running.metrics.render();
    let samples: Vec<&str> = numbers.lines().filter(|line| !line.starts_with('#')).collect();
    let there = series(&samples.join("\n"));
    for (file, text) in FILES {
        let named = series(text);
        assert!(named.len() > 3, "{file}");
        let missing: Vec<_> = named.difference(&there).collect();
        assert!(missing.is_empty(), "{file} watches what is not there: {missing:?}");
    }
    // And nothing that is there is left unseen.
    let (_, dashboard) = FILES.get(1).unwrap();
    let shown = series(dashboard);
    let unseen: Vec<_> = there.difference(&shown).collect();
    assert!(unseen.is_empty(), "no panel shows {unseen:?}");
    serde_json::from_str::<serde_json::Value>(dashboard).unwrap();
}

#[test]
fn every_code_that_is_watched_exists() {
    let protocol = include_str!("../../../docs/delivery-protocol.md");
    for (file, text) in FILES {
        for matcher in text.split("{code").skip(1).filter(|rest| rest.starts_with(['=', '~'])) {
            let codes = matcher.split('"').nth(1).unwrap().trim_end_matches('\\');
            for code in codes.split('|') {
                assert!(protocol.contains(&format!("`{code}`")), "{file} watches for {code}");
            }
        }
    }
}
