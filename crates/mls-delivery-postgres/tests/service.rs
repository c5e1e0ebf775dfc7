//! The service on PostgreSQL keeps the contract: one node, two nodes, and when the database's machine is lost.
//!
//! Each trial starts a PostgreSQL of its own; where there is none, trials are ignored, unless `POSTGRES_REQUIRED` is set.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "tests"
)]

#[path = "service/bench.rs"]
mod bench;
#[path = "service/conflicts.rs"]
mod conflicts;
#[path = "service/deployment.rs"]
mod deployment;
#[path = "service/failover.rs"]
mod failover;
#[path = "service/nodes.rs"]
mod nodes;
#[path = "service/opening.rs"]
mod opening;
#[path = "service/shards.rs"]
mod shards;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};
use postgres_lab::{REQUIRED, Tools};

/// What is tried, with a PostgreSQL.
type Run = fn(&Tools);

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let tools = Tools::find();
    if tools.is_none() {
        println!("no PostgreSQL of version 15 or newer: nothing is tried (apt-get install postgresql)");
    }
    let trials: [(&str, Run); 11] = [
        ("one node conforms", nodes::one_conforms),
        ("two nodes conform", nodes::two_conform),
        ("other nodes' watchers are told", nodes::hints),
        ("a node ends, and the other goes on", nodes::one_ends),
        ("the primary is lost, and its standby goes on", failover::primary_lost),
        ("what no standby has is not acknowledged", failover::not_replicated),
        ("what would not be durable is refused", opening::refused),
        ("a transaction begins anew when others are in the way", conflicts::begun_anew),
        ("the commands for a database are as the operator is told", deployment::commands),
        ("two databases conform", shards::conform),
        ("groups move between databases while they are written to", shards::moved),
    ];
    let trial = |(name, run): (&str, Run)| {
        let found = tools.clone();
        let run = move || {
            let found = found.ok_or_else(|| Failed::from(format!("{REQUIRED} is set, and there is no PostgreSQL")))?;
            run(&found);
            Ok(())
        };
        Trial::test(name, run).with_ignored_flag(tools.is_none() && !Tools::required())
    };
    libtest_mimic::run(&arguments, trials.into_iter().map(trial).collect()).exit_code()
}
