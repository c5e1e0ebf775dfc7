//! The harness's scripts, shortened, without its runner. One trial per script, cast, suite and framing.
//!
//! What a stack's interface does not have is expected as exactly that: a release that has it turns the trial red.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::arithmetic_side_effects,
    missing_docs,
    unreachable_pub,
    reason = "tests"
)]

mod beyond;
mod groups;
mod mixed;
mod room;

use interop::{Answer, Failure};
use libtest_mimic::{Arguments, Failed, Trial};

use crate::{
    mixed::{Cast, MLS_RS, OPEN_MLS_FIRST, Peer},
    room::Setup,
};

type Script = fn(Setup) -> Answer<()>;
type Stop = fn(Cast) -> Answer<()>;

/// What every cast can do.
const SUPPORTED: [(&str, Script); 18] = [
    ("welcome", groups::welcome),
    ("private_keys", groups::private_keys),
    ("out_of_order_within_an_epoch", groups::out_of_order_within_an_epoch),
    ("out_of_order_across_epochs", groups::out_of_order_across_epochs),
    ("adds", groups::adds),
    ("removes", groups::removes),
    ("updates", groups::updates),
    ("extensions", groups::extensions),
    ("external_psks", groups::external_psks),
    ("resumption_psks", groups::resumption_psks),
    ("all_together", groups::all_together),
    ("exactly_what_was_asked", groups::exactly_what_was_asked),
    ("external_joins", groups::external_joins),
    ("wrong_welcome", beyond::wrong_welcome),
    ("new_member_add", beyond::new_member_add),
    ("signer_adds", beyond::signer_adds),
    ("signer_removes", beyond::signer_removes),
    ("signer_sets_extensions", beyond::signer_sets_extensions),
];

/// What only some casts can do: the script, and how it ends.
const PARTLY: [(&str, Script, Stop); 7] = [
    ("signer_external_psks", beyond::signer_external_psks, of_signer),
    ("signer_resumption_psk", beyond::signer_resumption_psk, of_signer),
    ("signer_reinit", beyond::signer_reinit, of_signed_reinit),
    ("reinit_to_another_suite", beyond::reinit_to_another_suite, of_reinit),
    ("reinit_by_one", beyond::reinit_by_one, of_reinit),
    ("branches", beyond::branches, of_branch),
    ("branches_with_extensions", beyond::branches_with_extensions, of_branch_with_extensions),
];

fn main() {
    let arguments = Arguments::from_args();
    let mut trials = Vec::new();
    for cast in Cast::ALL {
        for suite in cast.suites() {
            for encrypted in [false, true] {
                trials.extend(of_setup(Setup { cast, suite, encrypted }));
            }
        }
    }
    libtest_mimic::run(&arguments, trials).exit();
}

fn of_setup(setup: Setup) -> Vec<Trial> {
    let framing = if setup.encrypted { "private" } else { "public" };
    let place = format!("{}_suite{}_{framing}", setup.cast.name(), setup.suite);
    let supported =
        SUPPORTED.map(|(name, script)| Trial::test(format!("{name}::{place}"), move || compare(script(setup), Ok(()))));
    let partly = PARTLY.map(|(name, script, end)| {
        Trial::test(format!("{name}::{place}"), move || compare(script(setup), end(setup.cast)))
    });
    supported.into_iter().chain(partly).collect()
}

fn compare(answer: Answer<()>, expected: Answer<()>) -> Result<(), Failed> {
    if answer == expected { Ok(()) } else { Err(format!("{answer:?} instead of {expected:?}").into()) }
}

fn of_signer(cast: Cast) -> Answer<()> {
    match cast {
        MLS_RS => Ok(()),
        // A member that is OpenMLS's does not take from others what OpenMLS does not make.
        OPEN_MLS_FIRST => Err(Failure::Refused("UnsupportedProposalType".to_owned())),
        _ => Err(Failure::Unsupported("a PSK of an external sender")),
    }
}

fn of_signed_reinit(cast: Cast) -> Answer<()> {
    if cast == OPEN_MLS_FIRST { of_signer(cast) } else { of_reinit(cast) }
}

fn of_reinit(cast: Cast) -> Answer<()> {
    if cast == MLS_RS { Ok(()) } else { Err(Failure::Unsupported("ReInit")) }
}

fn of_branch(cast: Cast) -> Answer<()> {
    if cast == MLS_RS { Ok(()) } else { Err(Failure::Unsupported("branching")) }
}

fn of_branch_with_extensions(cast: Cast) -> Answer<()> {
    Err(Failure::Unsupported(match cast.alice {
        Peer::OpenMls => "branching",
        Peer::MlsRs => "a branch with other extensions than its parent",
    }))
}
