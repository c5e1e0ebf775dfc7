use super::{check, check_file};
use crate::source::{Repository, SourceFile};

fn findings(path: &str, text: &str) -> Vec<String> {
    let file = SourceFile { path: format!("crates/mls-engine/src/{path}"), text: text.to_owned() };
    check_file(&file).unwrap().iter().map(|finding| finding.what.clone()).collect()
}

fn rejects(path: &str, text: &str, from: &str, to: &str) {
    let expected = vec![format!("`{from}` must not use `{to}`: the arrow points the other way")];
    assert_eq!(findings(path, text), expected, "{path}: {text}");
}

#[test]
fn allows_the_right_way() {
    let text = "use crate::{error::ProcessError, math::LeafIndex, tree::RatchetTree};\nuse mls_crypto::Hash;";
    assert_eq!(findings("group/process.rs", text), [""; 0]);
    assert_eq!(findings("math.rs", "mod inner { use super::group::Local; }"), [""; 0]);
    assert_eq!(findings("message/psk.rs", "use super::Extensions;\nuse super::super::math::LeafIndex;"), [""; 0]);
}

#[test]
fn rejects_each_arrow_turned_around() {
    rejects("math.rs", "use crate::message::Commit;", "math", "message");
    rejects("message/commit.rs", "use crate::policy::Policy;", "message", "policy");
    rejects("policy.rs", "use crate::tree::RatchetTree;", "policy", "tree");
    rejects("tree/node.rs", "use crate::framing::auth;", "tree", "framing");
    rejects("framing.rs", "use crate::group::Group;", "framing", "group");
    rejects("limits.rs", "use crate::error::DecodeError;", "limits", "error");
    rejects("codec.rs", "use crate::message::Commit;", "codec", "message");
    rejects("error.rs", "use crate::tree::RatchetTree;", "error", "tree");
}

#[test]
fn tree_and_schedule_do_not_know_each_other() {
    rejects("tree/path.rs", "use crate::schedule::PathSecret;", "tree", "schedule");
    rejects("schedule/psk.rs", "use crate::tree::RatchetTree;", "schedule", "tree");
}

#[test]
fn finds_the_path_in_every_kind_of_place() {
    let places = [
        "use super::group::Group;",
        "use crate::{math::LeafIndex, group};",
        "pub use crate::group as other;",
        "use crate::group::*;",
        "fn f() { crate::group::go(); }",
        "fn f(_: &super::group::Group) {}",
        "fn f() { let _: Vec<crate::group::Group>; }",
        "fn f() { println!(\"{}\", crate::group::NAME); }",
        "macro_rules! m { () => { $crate::group::go() } }",
        "macro_rules! m { () => { use crate::{math, group}; } }",
        "#[tls_codec(with = \"crate::group::codec\")] struct S;",
        "#[doc_alias = \"crate::group::codec\"] struct S;",
        "mod inner { use super::super::group::Group; }",
        "mod inner { macro_rules! m { () => { super::super::group::go() } } }",
        "impl crate::group::Trait for u8 {}",
    ];
    for text in places {
        rejects("math.rs", text, "math", "group");
    }
}

#[test]
fn what_only_tests_or_readers_see_is_free() {
    let text = "/// See [`crate::group::Group`].\n/// crate::group::Group\npub(crate) struct S;\n#[cfg(test)]\nmod tests { use crate::group::Group; }\n\
                #[cfg(test)]\nuse crate::group::Group;\npub(in crate::math) fn f(self_: u8) {}";
    assert_eq!(findings("math.rs", text), [""; 0]);
}

#[test]
fn the_root_is_no_way_around() {
    let through_root = vec!["names the crate root; name the module instead".to_owned()];
    assert_eq!(findings("math.rs", "use crate::*;"), through_root);
    assert_eq!(findings("math.rs", "use super::*;"), through_root);
    assert_eq!(findings("math.rs", "use crate as engine;"), through_root);
    assert_eq!(findings("math.rs", "extern crate self as engine;"), through_root);
    assert_eq!(findings("math.rs", "use crate::Group;"), ["`Group` has no place in the order of layers"]);
    assert_eq!(findings("util.rs", "use crate::math::LeafIndex;"), ["`util` has no place in the order of layers"]);
}

#[test]
fn the_engine_keeps_the_order() {
    assert_eq!(check(&Repository::open().unwrap()).unwrap(), []);
}
