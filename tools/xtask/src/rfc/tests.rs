use super::{collect, ids::ids_in};
use crate::{finding::Finding, source::SourceFile};

fn file(path: &str, text: &str) -> SourceFile {
    SourceFile { path: path.to_owned(), text: text.to_owned() }
}

fn known(ids: &[&str]) -> std::collections::BTreeSet<String> {
    ids.iter().map(|id| (*id).to_owned()).collect()
}

#[test]
fn ids_are_letters_hyphen_two_digits() {
    assert_eq!(ids_in("// LIST-03 (Section 12.2), X-DOS-01: why"), ["LIST-03", "X-DOS-01"]);
    assert_eq!(ids_in("SHA-512, P-256, ML-KEM-768, UTF-16, X-Wing, CVE-2026-12852, LN-1, a_LN-01, LN-01a"), [""; 0]);
}

#[test]
fn a_range_is_every_id_in_it() {
    assert_eq!(ids_in("(FRM-11 to FRM-14)."), ["FRM-11", "FRM-12", "FRM-13", "FRM-14"]);
    assert_eq!(ids_in("FRM-11 and FRM-14, LN-03 to FRM-14"), ["FRM-11", "FRM-14", "LN-03", "FRM-14"]);
    assert_eq!(ids_in("FRM-14 to FRM-11"), ["FRM-14", "FRM-11"]);
}

#[test]
fn an_unknown_id_is_found_wherever_it_stands() {
    let sources = [
        file("crates/a/src/b.rs", "\n// LN-77"),
        file("crates/a/src/error.rs", "/// LSIT-03"),
        file("tools/t/src/lib.rs", "// ok LN-01"),
    ];
    let (_, findings) = collect(known(&["LN-01"]), sources.iter());
    assert_eq!(
        findings,
        [
            Finding::new("crates/a/src/b.rs", 2, "LN-77 is not in docs/rule-ids.txt"),
            Finding::new("crates/a/src/error.rs", 1, "LSIT-03 is not in docs/rule-ids.txt"),
        ]
    );
}

#[test]
fn the_map_tells_production_from_tests_and_from_naming() {
    let sources = [
        file("crates/a/src/b.rs", "// LN-01\n// LN-02, LN-01"),
        file("crates/a/src/b/tests.rs", "/// LN-02"),
        file("crates/a/src/error.rs", "/// LN-03"),
        file("tools/t/src/lib.rs", "// LN-04"),
        file("tools/t/tests/x.rs", "// LN-05"),
    ];
    let (map, findings) = collect(known(&["LN-01", "LN-02", "LN-03", "LN-04", "LN-05"]), sources.iter());
    assert_eq!(findings, []);
    let markdown = map.markdown();
    assert!(markdown.contains("5 ids: 2 cited in production code, 2 in tests, 1 in both, 2 nowhere."), "{markdown}");
    assert!(markdown.contains("| LN-01 | `crates/a/src/b.rs` |  |\n"), "{markdown}");
    assert!(markdown.contains("| LN-02 | `crates/a/src/b.rs` | `crates/a/src/b/tests.rs` |\n"), "{markdown}");
    assert!(markdown.contains("| LN-05 |  | `tools/t/tests/x.rs` |\n"), "{markdown}");
    assert!(markdown.ends_with("\n## Cited nowhere yet\n\nLN-03, LN-04\n"), "{markdown}");
    let listing = map.listing();
    assert!(listing.contains("LN-01  production: crates/a/src/b.rs:1 crates/a/src/b.rs:2  tests: -\n"), "{listing}");
    assert!(listing.contains("only in production code (1): LN-01\nonly in tests (1): LN-05"), "{listing}");
}
