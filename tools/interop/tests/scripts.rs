//! Every script of the harness, ours with ours, over gRPC: one trial per script, suite and framing.
//!
//! The scripts are found as `interop::script::default_folder` says; where they are not, that is reported as ignored, or
//! as failed under `MLS_TEST_VECTORS_REQUIRED=1`.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::{env, process::ExitCode, sync::Arc};

use interop::{
    Client, Plan, Server,
    ours::Ours,
    script::{Script, default_folder, load},
    serve,
};
use libtest_mimic::{Arguments, Failed, Trial};
use mls_crypto_aws_lc::AwsLc;
use tokio::runtime::Runtime;

/// Played for one suite and framing only: it takes as long as all others together.
const LONG: &str = "deep_random";

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let runtime = Arc::new(Runtime::new().unwrap());
    let trials = match load(&default_folder()) {
        Ok(scripts) => trials(&runtime, scripts),
        Err(error) => vec![missing(error.to_string())],
    };
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn missing(why: String) -> Trial {
    let required = env::var_os("MLS_TEST_VECTORS_REQUIRED").is_some_and(|value| value == "1");
    println!("no scripts: {why}");
    Trial::test("scripts", move || Err(Failed::from(why))).with_ignored_flag(!required)
}

fn trials(runtime: &Arc<Runtime>, scripts: Vec<Script>) -> Vec<Trial> {
    let server = Server::new(Ours::new("ours", Arc::new(AwsLc::default())));
    let running = runtime.block_on(serve(([127, 0, 0, 1], 0).into(), server)).unwrap();
    let client = runtime.block_on(Client::connect(&running.address.to_string())).unwrap();
    // It serves as long as the process lives.
    runtime.spawn(running.wait());
    let mut trials = Vec::new();
    for script in scripts {
        for suite in &client.suites {
            for encrypt_handshake in [false, true] {
                if script.config == LONG && (*suite, encrypt_handshake) != (1, true) {
                    continue;
                }
                trials.push(trial(runtime, &client, &script, (*suite, encrypt_handshake)));
            }
        }
    }
    trials
}

fn trial(runtime: &Arc<Runtime>, client: &Client, script: &Script, (suite, encrypt_handshake): (u32, bool)) -> Trial {
    let framing = if encrypt_handshake { "private" } else { "public" };
    let name = format!("{}::{}::suite_{suite:#06x}_{framing}", script.config, script.name);
    let plan =
        Plan { suites: vec![suite], encrypt_handshake: vec![encrypt_handshake], ..Plan::new(vec![script.clone()]) };
    let (runtime, client) = (Arc::clone(runtime), client.clone());
    Trial::test(name, move || {
        let report = runtime.block_on(plan.run(&[client]));
        if report.counts().passed == 1 { Ok(()) } else { Err(Failed::from(report.to_string())) }
    })
}
