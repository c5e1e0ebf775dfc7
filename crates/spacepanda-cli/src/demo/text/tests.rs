use super::{printable, render, short};
use crate::demo::event::Event;

fn message(text: &str, colours: bool) -> String {
    render(&Event::Message { epoch: 1, from: "alice", text, read_by: vec!["bob", "carol"] }, colours)
}

#[test]
fn messages_are_aligned_and_plain_without_a_terminal() {
    assert_eq!(message("hello", false), "  alice      hello  read by 2\n");
    assert!(message("hello", true).contains("\u{1b}[36malice"));
}

#[test]
fn a_message_cannot_steer_the_terminal() {
    assert_eq!(
        printable("a\u{1b}[2Jb\tc\u{7}\u{202e}\r\u{9b}é🐼"),
        "a\u{fffd}[2Jb c\u{fffd}\u{fffd}\u{fffd}\u{fffd}é🐼"
    );
    assert!(!message("\u{1b}]0;owned\u{7}", false).contains('\u{1b}'));
}

#[test]
fn disagreement_is_said() {
    let end = |agreed| render(&Event::Done { messages: 1, agreed, epochs: 2, conflicts: 1 }, false);
    assert_eq!(
        end(true),
        "\n1 message in 2 epochs; 1 commit came second and went again; all members agreed on everything.\n"
    );
    assert!(end(false).contains("the members did not agree"));
    let removed = |could_read| render(&Event::Removed { who: "dave", could_read, attempts: 3 }, false);
    assert!(removed(false).contains("tried 3 times to read on, and failed"));
    assert!(removed(true).contains("could still read"));
}

#[test]
fn the_authenticator_is_grouped() {
    assert_eq!(short("00112233445566778899"), "0011 2233 4455 6677");
    assert_eq!(short("00"), "00");
}
