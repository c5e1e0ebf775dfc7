//! The harness's scripts as a test program: ours with ours, over gRPC, one trial per script, suite and framing.
//!
//! In: a provider; the command line of a test program; scripts, found as [`default_folder`] says. Out: its exit status.
//! Always: where the scripts are not, that is reported as ignored, or as failed under `MLS_TEST_VECTORS_REQUIRED=1`.

use std::{env, io, process::ExitCode, sync::Arc};

use libtest_mimic::{Arguments, Failed, Trial};
use mls_crypto::CryptoProvider;
use tokio::runtime::Runtime;

use crate::{
    client::Client,
    ours::Ours,
    runner::Plan,
    script::{Script, default_folder, load},
    server::{Server, serve},
};

/// Which suites and framings to play the long script with: it takes as long as all others together.
pub type Long = &'static [(u32, bool)];

/// Plays every script with every suite of the provider.
///
/// # Errors
/// If no server can be started.
pub fn run(provider: Arc<dyn CryptoProvider>, long: Long) -> io::Result<ExitCode> {
    let arguments = Arguments::from_args();
    let runtime = Arc::new(Runtime::new()?);
    let trials = match load(&default_folder()) {
        Ok(scripts) => trials(&runtime, connect(&runtime, provider)?, (scripts, long)),
        Err(error) => vec![missing(error.to_string())],
    };
    Ok(libtest_mimic::run(&arguments, trials).exit_code())
}

fn missing(why: String) -> Trial {
    let required = env::var_os("MLS_TEST_VECTORS_REQUIRED").is_some_and(|value| value == "1");
    println!("no scripts: {why}");
    Trial::test("scripts", move || Err(Failed::from(why))).with_ignored_flag(!required)
}

/// A client of a server that serves as long as the process lives.
fn connect(runtime: &Runtime, provider: Arc<dyn CryptoProvider>) -> io::Result<Client> {
    let server = Server::new(Ours::new("ours", provider));
    let running = runtime.block_on(serve(([127, 0, 0, 1], 0).into(), server))?;
    let address = running.address.to_string();
    runtime.spawn(running.wait());
    runtime.block_on(Client::connect(&address)).map_err(io::Error::other)
}

fn trials(runtime: &Arc<Runtime>, client: Client, (scripts, long): (Vec<Script>, Long)) -> Vec<Trial> {
    let mut trials = Vec::new();
    for script in scripts {
        for suite in &client.suites {
            for encrypt_handshake in [false, true] {
                if script.config == LONG && !long.contains(&(*suite, encrypt_handshake)) {
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

/// The file of the long script.
const LONG: &str = "deep_random";
