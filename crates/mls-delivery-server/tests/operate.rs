//! What operators run beside the service understands what `deploy/` has: Prometheus its rules, systemd the unit.
//!
//! A tool that is missing makes its trials ignored: `promtool` is in Debian's package `prometheus`, or where `PROMTOOL` says.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::{
    env, fs,
    path::Path,
    process::{Command, ExitCode, Output},
};

use libtest_mimic::{Arguments, Trial};

const DEPLOY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy");

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let promtool = env::var("PROMTOOL").unwrap_or_else(|_| "promtool".to_owned());
    let there = |program: &str| Command::new(program).arg("--version").output().is_ok();
    let trial = |name: &str, tool: &str, run: fn(&str)| {
        let (tool, missing) = (tool.to_owned(), !there(tool));
        let run = move || {
            run(&tool);
            Ok(())
        };
        Trial::test(name, run).with_ignored_flag(missing)
    };
    let trials = vec![
        trial("each alert fires when it should, and only then", &promtool, alerts_fire),
        trial("a rule that is changed is noticed", &promtool, changed_rules_are_noticed),
        trial("Prometheus understands its configuration", &promtool, configuration),
        trial("systemd understands the unit, and it is fenced in", "systemd-analyze", unit),
    ];
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn run(program: &str, arguments: &[&str], folder: &Path) -> Output {
    Command::new(program).args(arguments).current_dir(folder).output().unwrap()
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn alerts_fire(promtool: &str) {
    let tested = run(promtool, &["test", "rules", "alerts-test.yml"], Path::new(DEPLOY));
    assert!(tested.status.success(), "{}", text(&tested));
    let (rules, tests) = (read("alerts.yml"), read("alerts-test.yml"));
    for name in rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")) {
        assert!(tests.contains(&format!("alertname: {name}\n        exp_alerts:")), "{name} is never seen to fire");
        assert!(tests.contains(&format!("alertname: {name} }}")), "{name} is never seen to be quiet");
    }
}

fn changed_rules_are_noticed(promtool: &str) {
    let folder = env::temp_dir().join(format!("delivery-operate-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("alerts-test.yml"), read("alerts-test.yml")).unwrap();
    for (from, to) in [("> 14000", "> 14001"), ("> 50", "> 5000"), ("unsure\"}[5m])) > 0.1", "unsure\"}[5m])) > 10")] {
        let changed = read("alerts.yml").replace(from, to);
        assert_ne!(changed, read("alerts.yml"), "{from} is not there");
        fs::write(folder.join("alerts.yml"), changed).unwrap();
        let tested = run(promtool, &["test", "rules", "alerts-test.yml"], &folder);
        assert!(!tested.status.success(), "{to}: {}", text(&tested));
    }
    fs::remove_dir_all(&folder).unwrap();
}

fn configuration(promtool: &str) {
    let checked = run(promtool, &["check", "config", "prometheus.yml"], Path::new(DEPLOY));
    assert!(checked.status.success(), "{}", text(&checked));
}

/// With a program that is here: the unit's own is where it is installed.
fn unit(analyze: &str) {
    let folder = env::temp_dir().join(format!("delivery-unit-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("panda.service"), read("panda.service").replace("/usr/local/bin/panda", "/bin/true"))
        .unwrap();
    let verified = run(analyze, &["verify", "--man=no", "./panda.service"], &folder);
    // What it does not know it says, and ends well all the same.
    assert!(verified.status.success() && text(&verified).is_empty(), "{}", text(&verified));
    let exposure = run(analyze, &["security", "--offline=true", "--threshold=20", "./panda.service"], &folder);
    assert!(exposure.status.success(), "{}", text(&exposure));
    fs::remove_dir_all(&folder).unwrap();
}

fn read(file: &str) -> String {
    fs::read_to_string(Path::new(DEPLOY).join(file)).unwrap()
}
