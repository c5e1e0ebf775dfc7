use super::check_file;
use crate::source::SourceFile;

fn findings(path: &str, text: &str) -> Vec<String> {
    let file = SourceFile { path: path.to_owned(), text: text.to_owned() };
    check_file(&file).unwrap().iter().map(ToString::to_string).collect()
}

const PRODUCTION: &str = "crates/a/src/b.rs";

#[test]
fn a_file_has_at_most_four_hundred_lines_of_code() {
    let code = |lines: usize| format!("//! Doc.\n\n{}", "const A: u8 = 1; // why\n".repeat(lines));
    assert_eq!(findings(PRODUCTION, &code(400)), [""; 0]);
    let expected = "crates/a/src/b.rs: 401 lines of code; split it, the bar is 400";
    assert_eq!(findings(PRODUCTION, &code(401)), [expected]);
    assert_eq!(findings("crates/a/src/b/tests.rs", &code(401)), [""; 0]);
}

#[test]
fn imports_are_named() {
    let expected = "crates/a/src/b.rs:1: a glob import; name what is used";
    assert_eq!(findings(PRODUCTION, "use std::{fmt, io::*};"), [expected]);
    assert_eq!(findings("crates/a/tests/b.rs", "use std::io::*;"), [""; 0]);
}

#[test]
fn tests_have_a_file_of_their_own() {
    let expected = "crates/a/src/b.rs:2: tests live in a file of their own, `tests.rs`";
    assert_eq!(findings(PRODUCTION, "#[cfg(test)]\nmod tests { use super::*; }"), [expected]);
    assert_eq!(findings(PRODUCTION, "#[cfg(test)]\nmod tests;"), [""; 0]);
}

/// GRS-03, GRS-09
#[test]
fn grease_values_have_one_home() {
    let expected = ["crates/a/src/b.rs:1: a GREASE value outside message/grease.rs"];
    for value in ["0x0A0A", "0x1a1a", "0xEAEA_u16", "0x0A_0A"] {
        assert_eq!(findings(PRODUCTION, &format!("const A: u16 = {value};")), expected);
        assert_eq!(findings(PRODUCTION, &format!("list![{value}];")), expected);
        assert_eq!(findings("crates/a/src/message/grease.rs", &format!("const A: u16 = {value};")), [""; 0]);
    }
    assert_eq!(findings(PRODUCTION, "const A: [u16; 4] = [0xFAFA, 0x0A1A, 0x0A, 2_570];"), [""; 0]);
}

#[test]
fn unfinished_work_is_not_marked_in_code() {
    let expected = ["crates/a/src/b.rs:1: unfinished work is an issue, not a mark"];
    for mark in super::MARKS {
        assert_eq!(findings(PRODUCTION, &format!("// {mark}: later")), expected);
    }
    assert_eq!(findings(PRODUCTION, "// hack away, a todo list, XXXL"), [""; 0]);
}

#[test]
fn no_file_names_a_path_of_one_machine() {
    for path in super::MACHINE_PATHS {
        let expected = "docs/a.md:2: a path of one machine";
        assert_eq!(findings("docs/a.md", &format!("#\nsee `{path}x`")), [expected]);
        assert_eq!(findings("docs/a.md", &format!("see target{path}x")), [""; 0]);
    }
}
