//! Every cap on what others choose, and the test that holds it: no cap is forgotten, and no test that is named here is gone.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::{collections::BTreeSet, fs, path::Path};

/// A cap, and where it is held: at the limit and beyond it.
const CAPS: &[(&str, &str, &str)] = &[
    ("MAX_LEAVES", "crates/spacepanda-core/src/core_mls/config/tests.rs", "names_the_field_that_is_wrong"),
    ("MAX_EXTENSIONS", REJECTS_LIMITS, "extensions_at_and_over_the_limit"),
    ("MAX_PSKS", "tools/testkit/tests/rejects/proposals.rs", "psks_at_and_over_the_limit"),
    (
        "MAX_EXTERNAL_SENDERS",
        "tools/testkit/tests/rejects/external_senders.rs",
        "external_senders_at_and_over_the_limit",
    ),
    ("MAX_CERTIFICATES", DECODE, "certificate_chain_at_and_over_the_limit"),
    ("MAX_CERTIFICATE_CHAIN", DECODE, "certificate_chain_at_and_over_the_limit"),
    ("MAX_PENDING_COMMITS", REJECTS_LIMITS, "pending_commits_at_and_over_the_limit"),
    ("max_members", REJECTS_LIMITS, "members_at_and_over_the_limit"),
    ("max_application_data", PRIVATE, "payload_at_and_over_the_limit"),
    ("max_key_package", "tools/testkit/tests/rejects/key_package.rs", "size_at_and_over_the_limit"),
    ("max_message", PRIVATE, "message_at_and_over_the_limit"),
    ("max_forward_generations", PRIVATE, "generation_too_far_ahead"),
    ("max_derivations", PRIVATE, "generation_beyond_the_epochs_cap"),
    ("max_skipped_keys_per_sender", PRIVATE, "skipped_keys_are_capped"),
    ("max_skipped_keys", PRIVATE, "skipped_keys_of_all_senders_are_capped"),
    ("max_skipped_key_age", PRIVATE, "skipped_keys_age"),
    ("max_past_epochs", PRIVATE, "past_epochs_end"),
    ("max_past_epoch_age", PRIVATE, "past_epochs_end"),
    ("max_resumption_psks", REJECTS_LIMITS, "resumption_psks_are_capped"),
    ("max_cached_proposals", PROPOSALS, "cached_proposals_at_and_over_the_limit"),
    ("max_cached_proposals_per_sender", PROPOSALS, "cached_proposals_at_and_over_the_limit"),
    ("generation_block", PRIVATE, "own_generations_are_used_up"),
    ("max_group_size", REJECTS_LIMITS, "members_at_and_over_the_limit"),
    ("max_lifetime", "tools/testkit/tests/rejects/leaf.rs", "lifetime_that_is_too_long"),
    ("own_echo_messages", ECHO, "forgets_the_oldest_beyond_its_bounds"),
    ("own_echo_bytes", ECHO, "forgets_the_oldest_beyond_its_bounds"),
    ("out_of_order_window", PRIVATE, "skipped_keys_are_capped"),
    ("max_forward_distance", PRIVATE, "generation_too_far_ahead"),
    ("max_message_size", PRIVATE, "payload_at_and_over_the_limit"),
    ("max_proposals", PROPOSALS, "cached_proposals_at_and_over_the_limit"),
    ("future_epochs", INBOX, "is_bounded_in_epochs_messages_and_bytes"),
    ("inbox_messages", INBOX, "is_bounded_in_epochs_messages_and_bytes"),
    ("inbox_bytes", INBOX, "is_bounded_in_epochs_messages_and_bytes"),
    ("replay_cache_size", "crates/spacepanda-core/src/core_mls/duplicates/tests.rs", "forgets_the_oldest_first"),
    ("outbox_messages", CAPS_HERE, "the_outbox_is_bounded"),
    ("outbox_bytes", CAPS_HERE, "the_outbox_is_bounded"),
    ("max_commit", REJECTS_LIMITS, "commit_over_the_limit"),
    ("max_welcome", "tools/testkit/tests/rejects/welcome.rs", "group_that_is_too_large"),
];

const REJECTS_LIMITS: &str = "tools/testkit/tests/rejects/limits.rs";
const DECODE: &str = "tools/testkit/tests/rejects/decode.rs";
const PRIVATE: &str = "tools/testkit/tests/rejects/private.rs";
const PROPOSALS: &str = "tools/testkit/tests/rejects/proposals.rs";
const ECHO: &str = "crates/spacepanda-core/src/core_mls/echo/tests.rs";
const INBOX: &str = "crates/spacepanda-core/src/core_mls/inbox/tests.rs";
const CAPS_HERE: &str = "crates/spacepanda-core/tests/caps.rs";

/// Settings that bound nothing that others choose.
const NO_CAPS: [&str; 15] = [
    "cipher_suite",
    "rotation_interval",
    "key_package_lifetime",
    "key_package_target",
    "key_package_low_water",
    "key_package_grace",
    "handshake_framing",
    "public_commits",
    "padding",
    "tree_in_welcome",
    "own_echo",
    "strict_epoch_check",
    "grease_extensions",
    "external_joins",
    "store_patience",
];

fn source(path: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    fs::read_to_string(root.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// What a source defines after this word, outside comments.
fn names<'a>(source: &'a str, word: &str) -> BTreeSet<&'a str> {
    let rest = source.lines().filter_map(|line| line.trim_start().strip_prefix(word));
    rest.filter_map(|rest| rest.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next()).collect()
}

/// DEP-08
#[test]
fn every_cap_has_a_test() {
    let (limits, config) =
        (source("crates/mls-engine/src/limits.rs"), source("crates/spacepanda-core/src/core_mls/config.rs"));
    let body = |source: &str, name: &str| {
        let (_, body) = source.split_once(&format!("pub struct {name} {{")).unwrap();
        body.split_once("\n}").unwrap().0.to_owned()
    };
    let (limits_body, config_body) = (body(&limits, "Limits"), body(&config, "MlsConfig"));
    let mut all = names(&limits, "pub const ");
    all.extend(names(&limits, "pub fn "));
    all.extend(names(&limits_body, "pub "));
    all.extend(names(&config_body, "pub ").into_iter().filter(|name| !NO_CAPS.contains(name)));
    let table: BTreeSet<_> = CAPS.iter().map(|(cap, ..)| *cap).collect();
    assert_eq!(all, table);
    for (cap, path, test) in CAPS.iter().copied() {
        let source = source(path);
        assert!(source.contains(&format!("#[test]\nfn {test}(")), "{cap}: no test {test} in {path}");
    }
}

/// The oldest goes when there is no room; commits have room of their own.
#[test]
fn the_outbox_is_bounded() {
    use spacepanda_core::core_mls::{Client, MlsConfig, TrustOnFirstUse};
    let with = |messages: usize, bytes: usize| {
        let mut config = MlsConfig::interop();
        (config.outbox_messages, config.outbox_bytes) = (messages, bytes);
        let builder = Client::builder(b"alice", std::sync::Arc::new(TrustOnFirstUse::new())).config(config);
        builder.open().unwrap().create_group(None).unwrap()
    };
    let few = with(2, 1 << 20);
    let sent: Vec<_> = (0..3).map(|_| few.send_message(b"hello").unwrap()).collect();
    // What falls out goes with the next batch.
    few.write_application_rows(Vec::new()).unwrap();
    let kept: Vec<_> = few.outbox().unwrap().into_iter().map(|entry| entry.envelope).collect();
    assert_eq!(kept, sent.get(1..).unwrap());
    let len = sent.first().unwrap().to_bytes().unwrap().len();
    let small = with(100, 2 * len);
    let sent: Vec<_> = (0..3).map(|_| small.send_message(b"hello").unwrap()).collect();
    small.write_application_rows(Vec::new()).unwrap();
    let kept: Vec<_> = small.outbox().unwrap().into_iter().map(|entry| entry.envelope).collect();
    assert_eq!(kept, sent.get(1..).unwrap());
    assert_eq!(few.stage_rotation().map(|_| few.outbox().unwrap().len()).unwrap(), 3);
}
