//! Two `panda serve` on one PostgreSQL, with clients on both; one is killed while they write, and nothing is lost.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "tests"
)]

use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};
use postgres_lab::{REQUIRED, Tools};

#[path = "nodes/killed.rs"]
mod killed;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let tools = Tools::find();
    if tools.is_none() {
        println!("no PostgreSQL of version 15 or newer: nothing is tried (apt-get install postgresql)");
    }
    let ignored = tools.is_none() && !Tools::required();
    let run = move || {
        let tools = tools.ok_or_else(|| Failed::from(format!("{REQUIRED} is set, and there is no PostgreSQL")))?;
        killed::one_node_killed(&tools);
        Ok(())
    };
    let trial = Trial::test("a node is killed, and its clients go on with the other", run);
    libtest_mimic::run(&arguments, vec![trial.with_ignored_flag(ignored)]).exit_code()
}
