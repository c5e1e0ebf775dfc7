//! From a live run to passive-client vectors and back.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::Arc,
};

use interop::{Client, Plan, Server, ours::Ours, passive_vectors, script::Script, serve};
use mls_crypto_aws_lc::AwsLc;
use serde_json::{Value, json};

/// A group with a PSK, Adds and an Update by reference, a Remove, and a tree beside the Welcome.
fn script() -> Script {
    let steps = json!([
        {"action": "createGroup", "actor": "alice", "members": ["bob"]},
        {"action": "createKeyPackage", "actor": "carol"},
        {"action": "addProposal", "actor": "alice", "keyPackage": 1},
        {"action": "installExternalPSK", "clients": ["alice", "bob", "carol"]},
        {"action": "externalPSKProposal", "actor": "alice", "pskID": 3},
        {"action": "fullCommit", "actor": "alice", "byReference": [2, 4], "members": ["bob"], "joiners": ["carol"],
         "external_tree": true},
        {"action": "updateProposal", "actor": "bob"},
        {"action": "fullCommit", "actor": "alice", "byReference": [6], "members": ["bob", "carol"]},
        {"action": "fullCommit", "actor": "alice", "byValue": [{"proposalType": "remove", "removed": "bob"}],
         "members": ["carol"]},
    ]);
    Script { config: "tests".to_owned(), name: "listening".to_owned(), steps: serde_json::from_value(steps).unwrap() }
}

/// What the listening members of a run went through, in a file of its own.
async fn exported(name: &str) -> PathBuf {
    let server = Server::new(Ours::new("ours", Arc::new(AwsLc::default())));
    let running = serve(([127, 0, 0, 1], 0).into(), server).await.unwrap();
    let client = Client::connect(&running.address.to_string()).await.unwrap();
    let plan = Plan { suites: vec![1, 2], record: true, ..Plan::new(vec![script()]) };
    let report = plan.run(&[client]).await;
    assert_eq!(report.counts().passed, 4, "{report}");
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&file, passive_vectors(&report.recording).unwrap()).unwrap();
    file
}

fn passive(files: &[&Path]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_interop")).arg("passive").args(files).arg("--json").output().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn exported_members_are_followed() {
    let file = exported("followed.json").await;
    let cases: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    let epochs: Vec<usize> =
        cases.as_array().unwrap().iter().map(|case| case["epochs"].as_array().unwrap().len()).collect();
    // In each of the four runs Bob listens to one commit before he proposes, and Carol to two.
    assert_eq!(epochs.iter().filter(|epochs| **epochs == 1).count(), 4, "{epochs:?}");
    assert_eq!(epochs.iter().filter(|epochs| **epochs == 2).count(), 4, "{epochs:?}");
    let output = passive(&[&file]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(output.status.success(), "{report}");
    assert_eq!((&report["passed"], &report["failed"], &report["skipped"]), (&json!(8), &json!(0), &json!(0)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_case_that_is_not_so_fails_with_its_reason() {
    let file = exported("spoilt.json").await;
    let mut cases: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    let all = cases.as_array().unwrap().len();
    let spoilt = cases.as_array_mut().unwrap().iter_mut().find(|case| case["epochs"].as_array().unwrap().len() == 2);
    let epoch = &mut spoilt.unwrap()["epochs"][1];
    epoch["epoch_authenticator"] = json!(format!("00{}", &epoch["epoch_authenticator"].as_str().unwrap()[2..]));
    fs::write(&file, cases.to_string()).unwrap();
    let output = passive(&[&file]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&report["failed"], &report["passed"], output.status.code()), (&json!(1), &json!(all - 1), Some(1)));
    let failed = report["cases"].as_array().unwrap().iter().find(|case| case["result"] == "failed").unwrap();
    assert!(failed["reason"].as_str().unwrap().starts_with("epochs[1]: epoch_authenticator: got "), "{failed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suite_that_is_not_here_is_no_pass() {
    let file = exported("strange.json").await;
    let mut cases: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    for case in cases.as_array_mut().unwrap() {
        case["cipher_suite"] = json!(0xF000);
    }
    fs::write(&file, cases.to_string()).unwrap();
    let output = passive(&[&file]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&report["skipped"], &report["passed"], output.status.code()), (&json!(8), &json!(0), Some(1)));
}

#[test]
fn a_file_of_another_kind_is_an_error() {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("other.json");
    fs::write(&file, "[{}]").unwrap();
    let output = passive(&[&file, Path::new("/nowhere.json")]);
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(text.contains("not passive-client vectors"), "{text}");
}
