//! Rows are never wider than they may be.

use unicode_width::UnicodeWidthStr;

use super::{cut, rows};

#[test]
fn text_is_broken_at_spaces() {
    assert_eq!(rows("bob: milk and sugar", 10, 2), ["bob: milk ", "  and ", "  sugar"]);
    assert_eq!(rows("two\nlines", 20, 2), ["two", "  lines"]);
    assert_eq!(rows("", 5, 2), [""]);
}

#[test]
fn long_words_and_wide_signs_are_broken_too() {
    assert_eq!(rows("abcdefghij", 4, 0), ["abcd", "efgh", "ij"]);
    assert_eq!(rows("日本語です", 5, 0), ["日本", "語で", "す"]);
    // A family is one sign.
    let family = "👨\u{200d}👩\u{200d}👧";
    assert_eq!(rows(&family.repeat(3), 4, 0).concat(), family.repeat(3));
    for width in 2..40 {
        for row in rows("a longer text with 日本語 and wordswithoutanyspaceatall\nin it", width, 2) {
            assert!(row.width() <= width, "{row:?} in {width}");
        }
    }
}

#[test]
fn what_is_cut_says_so() {
    assert_eq!(
        (cut("coffee", 6).as_str(), cut("coffee", 4).as_str(), cut("日本語", 4).as_str()),
        ("coffee", "cof…", "日…")
    );
    assert_eq!(cut("coffee", 0), "");
}
