//! What a terminal gets to see.

use super::{from_hex, hex, printable};

#[test]
fn no_message_moves_the_cursor() {
    assert_eq!(printable("a\x1b[2Jb\u{202e}c\u{2066}\r"), "a\u{fffd}[2Jb\u{fffd}c\u{fffd}\u{fffd}");
    assert_eq!(printable("two\nlines\tand a grüße 🐼"), "two\nlines\tand a grüße 🐼");
}

#[test]
fn digits_are_read_back() {
    assert_eq!(from_hex(&hex(&[0, 1, 254, 255])), Some(vec![0, 1, 254, 255]));
    assert_eq!(from_hex(" 00\n 0a "), Some(vec![0, 10]));
    assert_eq!((from_hex("0"), from_hex("0g"), from_hex("+1")), (None, None, None));
}
