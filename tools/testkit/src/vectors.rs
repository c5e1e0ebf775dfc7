//! The official MLS test vectors, as a library.
//!
//! In: the JSON files of the MLS working group and the cryptography providers to check them with. Out: one trial per
//! case and provider, and a table of what passed. Always: what was not checked is reported as ignored, with the
//! reason; a file or a suite that is absent never counts as passed.
//!
//! Each family has a file here with its JSON structs and one `check` function. Where a family has a direction of
//! creating as well as one of reading, `check` runs both.

pub mod crypto_basics;
pub mod deserialization;
pub mod key_schedule;
pub mod message_protection;
pub mod messages;
pub mod passive_client;
pub mod psk_secret;
pub mod secret_tree;
pub mod transcript_hashes;
pub mod tree_math;
pub mod tree_operations;
pub mod tree_validation;
pub mod treekem;
pub mod welcome;

mod family;
mod hex;
mod host;
mod keys;
mod ledger;
mod outcome;
mod source;

use std::{process::ExitCode, sync::Arc};

use libtest_mimic::Arguments;
use mls_crypto::CryptoProvider;

use family::Family;
use ledger::Ledger;
use source::Source;

pub use hex::Hex;
pub use outcome::{Failure, Outcome};

/// A provider of cryptography under test.
#[derive(Clone, Debug)]
pub struct Provider {
    /// Shown in front of each trial's name.
    pub name: &'static str,
    /// Its suites.
    pub crypto: Arc<dyn CryptoProvider>,
}

impl Provider {
    /// A provider with a name.
    pub fn new(name: &'static str, crypto: impl CryptoProvider + 'static) -> Self {
        Self { name, crypto: Arc::new(crypto) }
    }
}

/// Runs every family with every provider that has the suite, as a test program does: reads the command line, prints
/// one line per case and a table at the end.
pub fn run(providers: &[Provider]) -> ExitCode {
    let arguments = Arguments::from_args();
    let source = Source::from_environment();
    let ledger = Ledger::default();
    let trials = families().iter().flat_map(|family| family.trials(&source, providers, &ledger)).collect();
    let conclusion = libtest_mimic::run(&arguments, trials);
    if !arguments.list {
        println!("{ledger}");
    }
    conclusion.exit_code()
}

fn families() -> Vec<Family> {
    vec![
        Family::plain("tree-math", tree_math::check),
        Family::plain("deserialization", deserialization::check),
        Family::plain("messages", messages::check),
        Family::suited("crypto-basics", |case| case.cipher_suite, crypto_basics::check),
        Family::suited("key-schedule", |case| case.cipher_suite, key_schedule::check),
        Family::suited("passive-client-welcome", |case| case.cipher_suite, passive_client::check),
        Family::suited("passive-client-handling-commit", |case| case.cipher_suite, passive_client::check),
        Family::suited("passive-client-random", |case| case.cipher_suite, passive_client::check),
        Family::suited("psk_secret", |case| case.cipher_suite, psk_secret::check),
        Family::suited("transcript-hashes", |case| case.cipher_suite, transcript_hashes::check),
        Family::suited("message-protection", |case| case.cipher_suite, message_protection::check),
        Family::suited("secret-tree", |case| case.cipher_suite, secret_tree::check),
        Family::suited("tree-operations", |case| case.cipher_suite, tree_operations::check),
        Family::suited("tree-validation", |case| case.cipher_suite, tree_validation::check),
        Family::suited("treekem", |case| case.cipher_suite, treekem::check),
        Family::suited("welcome", |case| case.cipher_suite, welcome::check),
    ]
}
