//! Live groups whose members are ours, OpenMLS's and mls-rs's. One trial per scenario, creator, suite and framing.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unreachable,
    clippy::arithmetic_side_effects,
    missing_docs,
    unreachable_pub,
    reason = "tests"
)]

mod crowd;
mod divergences;
mod peer;
mod peers;
mod room;
mod scenarios;
mod walk;

use libtest_mimic::{Arguments, Conclusion, Trial};

use crate::{
    peer::{Kind, Setup},
    room::{Test, UNSUPPORTED},
};

fn main() {
    let arguments = Arguments::from_args();
    let mut trials = Vec::new();
    for suite in [1, 2, 3] {
        for private in [false, true] {
            for creator in Kind::ALL {
                let setup = Setup { suite, private, inline_tree: true };
                trials.extend(of_setup(creator, setup));
            }
        }
    }
    trials.extend(crowds());
    trials.extend(divergences::ALL.map(|(name, run)| trial(format!("divergences::{name}"), run)));
    let conclusion: Conclusion = libtest_mimic::run(&arguments, trials);
    for missing in UNSUPPORTED.lock().unwrap().iter() {
        println!("not in the peer's interface, left out: {missing}");
    }
    conclusion.exit();
}

fn of_setup(creator: Kind, setup: Setup) -> Vec<Trial> {
    let framing = if setup.private { "private" } else { "public" };
    let place = format!("suite{}_{framing}_by_{}", setup.suite, creator.name());
    let mut trials = Vec::new();
    for (name, scenario) in scenarios::ALL {
        trials.push(trial(format!("{name}::{place}"), move || scenario(creator, setup)));
    }
    let seed = u64::from(setup.suite) * 2 + u64::from(setup.private);
    trials.push(trial(format!("walk::{place}"), move || walk::walk(creator, setup, seed)));
    trials
}

fn crowds() -> Vec<Trial> {
    let setup = Setup { suite: 1, private: true, inline_tree: true };
    let mut trials = Vec::new();
    for (creator, kind) in [
        (Kind::Ours, Kind::Ours),
        (Kind::OpenMls, Kind::OpenMls),
        (Kind::MlsRs, Kind::MlsRs),
        (Kind::OpenMls, Kind::Ours),
        (Kind::MlsRs, Kind::Ours),
    ] {
        let name = format!("crowd::of_{}_by_{}", kind.name(), creator.name());
        trials.push(trial(name, move || crowd::crowd(creator, kind, setup)));
    }
    trials
}

fn trial(name: String, run: impl FnOnce() -> Test + Send + 'static) -> Trial {
    Trial::test(name, move || run().map_err(Into::into))
}
