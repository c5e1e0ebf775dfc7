use std::collections::BTreeSet;

use super::{accounted, map::markdown, presence::absent, promised, rows::parse};
use crate::{finding::Finding, source::SourceFile};

fn file(path: &str, text: &str) -> SourceFile {
    SourceFile { path: path.to_owned(), text: text.to_owned() }
}

fn found(line: usize, what: &str) -> Finding {
    Finding::new("docs/seed-rows.txt", line, what)
}

/// What is wrong with a list whose only row names `test`, when `file` is all there is.
fn absent_of(test: &str, file: &SourceFile) -> Vec<Finding> {
    let (sections, findings) = parse(&format!("## A\nCAP-01 one\n  test: {test}\n"));
    assert_eq!(findings, []);
    absent(&sections, |path| (path == file.path).then_some(file))
}

#[test]
fn promises_are_some_families_and_the_surfaces() {
    let ids = promised("ADV-01\nLN-01\nREQ-1\nX-AUTH-11\nX-CAP-01");
    let surfaces = ["SURF-A", "SURF-B", "SURF-C", "SURF-D", "SURF-E", "SURF-F", "SURF-G"];
    assert_eq!(ids, BTreeSet::from_iter(["ADV-01", "REQ-1"].into_iter().chain(surfaces)));
}

#[test]
fn every_promise_has_one_row() {
    let (sections, _) =
        parse("## A\nCAP-01 one\n  missing: it\nCAP-01 again\n  missing: it\nCAP-77 stray\n  missing: it\n");
    assert_eq!(
        accounted(&BTreeSet::from(["CAP-01", "CAP-02"]), &sections),
        [
            found(4, "CAP-01 has a row already"),
            found(6, "CAP-77 is not in docs/rule-ids.txt"),
            found(0, "CAP-02 has no row"),
        ]
    );
}

#[test]
fn a_row_says_one_thing() {
    let says = |said: &str| parse(&format!("## A\nCAP-01 one\n{said}")).1;
    for right in ["  test: a.rs::b\n", "  test: a.rs::b\n  partly: c\n", "  exception: why\n", "  missing: it\n"] {
        assert_eq!(says(right), [], "{right}");
    }
    assert_eq!(says(""), [found(2, "CAP-01 has no test, no exception and nothing that is missing")]);
    assert_eq!(says("  partly: c\n"), [found(2, "CAP-01 says `partly` and names no test")]);
    let both = [found(2, "CAP-01 says more than one of tests, exception and missing")];
    assert_eq!(says("  test: a.rs::b\n  missing: it\n"), both);
    assert_eq!(says("  test: a.rs::b\n  exception: why\n"), both);
    assert_eq!(says("  exception: why\n  missing: it\n"), both);
    assert_eq!(says("  partly: c\n  missing: it\n"), both);
}

#[test]
fn a_line_that_is_nothing_is_found() {
    let (sections, findings) = parse(
        "CAP-01 early\n# a remark\n\n## A\n  missing: no row yet\nCAP-02\nCAP-03 three\n  missing: it\n  missing: again\n  \
         because: why\n  nothing\n",
    );
    assert_eq!(sections.len(), 1);
    assert_eq!(
        findings,
        [
            found(1, "stands before the first `## section`"),
            found(5, "stands before the first row of its section"),
            found(6, "is no `ID title`"),
            found(9, "is said twice, or nothing that a row can say"),
            found(10, "is said twice, or nothing that a row can say"),
            found(11, "is no `key: value`"),
        ]
    );
}

#[test]
fn a_test_is_found_by_what_makes_it_run() {
    for (path, text) in [
        ("c/tests/a.rs", "#[test]\nfn goes() {}"),
        ("c/tests/a.rs", "#[tokio::test]\n#[allow(x)]\nasync fn goes() {}"),
        ("c/tests/a.rs", "proptest! {\n    /// Any.\n    #[test]\n    fn goes(n in 0..2) {}"),
        ("c/src/a.rs", "/// ```\n/// goes();\n/// ```\npub fn goes<T>() {}"),
        ("c/tests/a.rs", "const ALL: [T; 1] = [(\"goes\", goes)];\nfn goes() {}"),
    ] {
        assert_eq!(absent_of(&format!("{path}::goes"), &file(path, text)), [], "{text}");
    }
    assert_eq!(absent_of("c/tests/a.rs::main", &file("c/tests/a.rs", "fn main() {}")), []);
    assert_eq!(absent_of("c/tests/a.trycmd", &file("c/tests/a.trycmd", "$ panda")), []);
}

#[test]
fn a_test_that_is_not_there_is_found() {
    for text in [
        "#[test]\nfn goes_on() {}",
        "#[test]\nfn it_goes() {}",
        "// #[test]\n// fn goes() {}",
        "fn goes() {}",
        "#[test]\nfn other() {}\nfn goes() {}",
        "#[test]\nfn other() { goes() }",
        "/// Without an example.\npub fn goes() {}",
        "/// For a #[test].\nfn goes() {}",
        "#[cfg(test)]\nfn goes() {}",
        "/// ```\n/// fn goes() {}\n/// ```\nfn other() {}",
    ] {
        let findings = absent_of("c/tests/a.rs::goes", &file("c/tests/a.rs", text));
        assert_eq!(findings, [found(3, "CAP-01: no such test (c/tests/a.rs::goes)")], "{text}");
    }
    let somewhere = file("c/tests/a.rs", "");
    assert_eq!(absent_of("c/b.rs::goes", &somewhere), [found(3, "CAP-01: no such file (c/b.rs::goes)")]);
    let whole = [found(3, "CAP-01: names a file and no function (c/tests/a.rs::)")];
    assert_eq!(absent_of("c/tests/a.rs", &somewhere), whole);
    let main = file("c/src/main.rs", "fn main() {}");
    assert_eq!(absent_of("c/src/main.rs::main", &main), [found(3, "CAP-01: no such test (c/src/main.rs::main)")]);
}

#[test]
fn the_map_counts_and_tells_standings_apart() {
    let (sections, findings) = parse(
        "## A\nCAP-01 one\n  test: b.rs::y\n  test: a.rs::x\n  test: b.rs::z\nCAP-02 two\n  test: c.trycmd\n  \
         partly: the rest\n## B\nCAP-03 three\n  exception: a reason\nCAP-04 four\n  missing: all of it\n",
    );
    assert_eq!(findings, []);
    let text = markdown(&sections);
    for line in [
        "| A | 2 | 1 | 1 | 0 | 0 |\n| B | 2 | 0 | 0 | 1 | 1 |\n| all | 4 | 1 | 1 | 1 | 1 |\n\n## A\n",
        "| CAP-01 | one | held | `a.rs`: `x`<br>`b.rs`: `y`, `z` |\n",
        "| CAP-02 | two | in part | `c.trycmd`<br>*not shown:* the rest |\n",
        "| CAP-03 | three | excepted | a reason |\n",
        "| CAP-04 | four | missing | all of it |\n",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
}
