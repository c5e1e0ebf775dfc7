use std::io::Cursor;

use super::{MAX_LINE, Script};

fn lines(input: &[u8]) -> Vec<String> {
    let mut script = Script::of(Cursor::new(input.to_vec())).unwrap();
    std::iter::from_fn(|| script.next_line().unwrap()).collect()
}

#[test]
fn lines_end_as_they_do_everywhere() {
    assert_eq!(lines(b"a\nb\r\n\nc"), ["a", "b", "", "c"]);
    assert_eq!(lines(b"a\n"), ["a"]);
    assert!(Script::of(Cursor::new(Vec::new())).unwrap().is_empty());
}

#[test]
fn what_is_not_text_is_mended_and_counted() {
    let script = Script::of(Cursor::new(b"ok\nno\xff\n".to_vec())).unwrap();
    assert_eq!((script.mended, script.known()), (1, (2, true)));
    assert_eq!(lines(b"no\xff\n"), ["no\u{fffd}"]);
}

#[test]
fn a_line_that_is_no_message_is_refused() {
    let longest = "x".repeat(MAX_LINE);
    assert_eq!(lines(format!("{longest}\r\nb").as_bytes()), [longest.as_str(), "b"]);
    let error = Script::of(Cursor::new(format!("a\n{longest}x\n").into_bytes())).err().unwrap();
    assert_eq!(error.to_string(), "line 2 is longer than 1048576 bytes; split it");
}

#[test]
fn reads_no_further_ahead_than_it_must() {
    let mut input = "x\n".repeat(super::AHEAD_LINES);
    input.push_str("last");
    let mut script = Script::of(Cursor::new(input.into_bytes())).unwrap();
    assert_eq!(script.known(), (super::AHEAD_LINES, false));
    assert_eq!(script.ahead.len(), super::AHEAD_LINES);
    let lines: Vec<_> = std::iter::from_fn(|| script.next_line().unwrap()).collect();
    assert_eq!((lines.len(), lines.last().map(String::as_str)), (super::AHEAD_LINES + 1, Some("last")));
}
