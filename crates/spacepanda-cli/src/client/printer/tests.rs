//! What a terminal gets to see.

use super::{from_hex, hex, one_line, printable};

#[test]
fn no_message_moves_the_cursor() {
    assert_eq!(printable("a\x1b[2Jb\u{202e}c\u{2066}\r"), "a\u{fffd}[2Jb\u{fffd}c\u{fffd}\u{fffd}");
    let marks = "\u{200b}\u{200e}\u{200f}\u{2028}\u{2029}\u{202a}\u{206f}\u{feff}\u{e0041}\u{9b}\u{61c}";
    assert!(printable(marks).chars().all(|c| c == '\u{fffd}'));
    assert_eq!(one_line("bob\nowner\t!"), "bob\u{fffd}owner\u{fffd}!");
    assert_eq!(printable("two\nlines\tand a grüße 🐼"), "two\nlines\tand a grüße 🐼");
}

#[test]
fn digits_are_read_back() {
    assert_eq!(from_hex(&hex(&[0, 1, 254, 255])), Some(vec![0, 1, 254, 255]));
    assert_eq!(from_hex(" 00\n 0a "), Some(vec![0, 10]));
    assert_eq!((from_hex("0"), from_hex("0g"), from_hex("+1")), (None, None, None));
}
