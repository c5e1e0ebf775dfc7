//! Screens, as text.
#![allow(clippy::unwrap_used, reason = "tests")]

use ratatui_core::{backend::TestBackend, style::Color, terminal::Terminal};

use super::draw;
use crate::client::chat::model::{Event, Group, Key, Link, Member, Model, Said, tests::group};

fn screen(model: &mut Model, colours: bool) -> Terminal<TestBackend> {
    let mut terminal = Terminal::new(TestBackend::new(model.size.0, model.size.1)).unwrap();
    terminal.draw(|frame| draw(model, colours, frame)).unwrap();
    terminal
}

/// The rows of a screen, without what is blank at their ends.
fn shown(model: &mut Model) -> Vec<String> {
    let terminal = screen(model, false);
    let buffer = terminal.backend().buffer();
    let rows = buffer.content().chunks(usize::from(buffer.area.width));
    rows.map(|row| row.iter().map(|cell| cell.symbol()).collect::<String>().trim_end().to_owned()).collect()
}

fn said(seq: u64, from: &str, text: &str) -> Said {
    Said { seq, from: from.to_owned(), text: text.to_owned(), own: from == "alice" }
}

fn tea() -> Group {
    let mut tea = group("tea", &[]);
    tea.messages =
        vec![said(1, "alice", "Milk?"), said(2, "bob", "Please. And a very small piece of sugar, if you have it.")];
    tea.members = vec![
        Member { name: "alice".to_owned(), role: Some("owner"), devices: 1, trust: "" },
        Member { name: "bob".to_owned(), role: Some("member"), devices: 2, trust: "verified" },
    ];
    tea
}

fn model(width: u16, height: u16) -> Model {
    let mut model = Model::new("alice".to_owned(), (width, height));
    model.update(Event::News(vec![tea()]));
    model.update(Event::News(vec![group("coffee", &["one", "two", "three"]), tea()]));
    model.update(Event::Link(Link::Up));
    model
}

#[test]
fn a_wide_terminal_shows_everything() {
    let mut model = model(100, 9);
    for sign in "No sug".chars() {
        model.update(Event::Key(Key::Char(sign)));
    }
    let expected = [
        "panda · alice                                                                              connected",
        "tea · epoch 7 · safety 11111 22222 33333 44444 55555 66666",
        "  coffee (3)           │                                                    │ alice owner",
        "› tea                  │alice: Milk?                                        │ bob member ×2 verified",
        "                       │bob: Please. And a very small piece of sugar, if you│",
        "                       │  have it.                                          │",
        "",
        "> No sug",
        "Enter send · ^C quit · Tab group · PgUp scroll",
    ];
    assert_eq!(shown(&mut model), expected);
    screen(&mut model, false).backend_mut().assert_cursor_position((8, 7));
}

#[test]
fn a_usual_terminal_shows_the_members_when_asked() {
    let mut model = model(70, 10);
    let expected = [
        "panda · alice                                                connected",
        "tea · epoch 7",
        "safety 11111 22222 33333 44444 55555 66666",
        "  coffee (3)           │",
        "› tea                  │alice: Milk?",
        "                       │bob: Please. And a very small piece of sugar,",
        "                       │  if you have it.",
        "",
        ">",
        "Enter send · ^C quit · Tab group · PgUp scroll · ^O members",
    ];
    assert_eq!(shown(&mut model), expected);
    model.update(Event::Key(Key::Members));
    let rows = shown(&mut model);
    assert_eq!((rows[3].as_str(), rows[4].as_str()), ("alice owner", "bob member ×2 verified"));
    assert!(rows[9].starts_with("Esc close · Enter send"));
}

#[test]
fn a_narrow_terminal_shows_epoch_and_safety_number_too() {
    let mut model = model(26, 12);
    let expected = [
        "panda · alice    connected",
        "tea · epoch 7",
        "safety 11111 22222 33333",
        "       44444 55555 66666",
        "alice: Milk?",
        "bob: Please. And a very",
        "  small piece of sugar, if",
        "  you have it.",
        "",
        "",
        ">",
        "Enter send · ^C quit",
    ];
    let mut rows = shown(&mut model);
    // Five rows of history; the first of them is empty.
    assert_eq!(rows.remove(4), "");
    let mut expected = expected.to_vec();
    expected.remove(8);
    assert_eq!(rows, expected);
    model.update(Event::Key(Key::Groups));
    let rows = shown(&mut model);
    assert_eq!((rows[4].as_str(), rows[5].as_str()), ("  coffee (3)", "› tea"));
}

#[test]
fn no_size_is_too_small_to_be_told_so() {
    for width in 1..30 {
        for height in 1..12 {
            let mut model = model(width, height);
            model.scroll = 3;
            model.update(Event::Resized(width, height));
            let _drawn = shown(&mut model);
        }
    }
    assert_eq!(shown(&mut model(23, 3))[0], "too small: make it larg");
}

/// What others write stays text: it moves no cursor, has no colours of its own, leaves no pane, and feigns no line of another.
#[test]
fn what_others_write_stays_in_its_place() {
    let evil = "\u{1b}[2J\u{202e}drowssap\u{9b}31m\r\u{7}\u{2066}\u{200f}\u{e0041}";
    let mut tea = tea();
    tea.name = format!("tea{evil}");
    tea.messages = vec![said(1, "bob\nalice", &format!("{evil}\nalice: yes")), said(2, evil, &"x".repeat(200))];
    tea.members.push(Member { name: format!("carol{evil}\nowner"), role: None, devices: 1, trust: "" });
    let mut model = Model::new(evil.to_owned(), (100, 20));
    model.update(Event::News(vec![tea]));
    model.update(Event::Told(evil.to_owned()));
    let rows = shown(&mut model);
    for sign in rows.iter().flat_map(|row| row.chars()) {
        let hidden = sign.is_control() || matches!(sign, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}');
        assert!(!hidden && !matches!(sign, '\u{2066}'..='\u{2069}' | '\u{e0000}'..='\u{e007f}'), "{sign:?}");
    }
    let history: Vec<&str> = rows.iter().map(|row| row.split('│').nth(1).unwrap_or_default().trim_end()).collect();
    let at = history.iter().position(|row| row.starts_with("bob\u{fffd}alice: ")).unwrap();
    // The second line of a message stands further in: no message can look like two.
    assert_eq!(history[at + 1], "  alice: yes");
    assert!(rows.iter().skip(2).take(15).all(|row| row.matches('│').count() == 2));
}

#[test]
fn without_colours_there_are_none() {
    let mut model = model(100, 10);
    model.update(Event::Told("something".to_owned()));
    let coloured = |colours| {
        let terminal = screen(&mut Model::new("alice".to_owned(), (100, 10)), colours);
        terminal.backend().buffer().content().iter().any(|cell| cell.fg != Color::Reset || cell.bg != Color::Reset)
    };
    assert!(coloured(true));
    assert!(!coloured(false));
    let terminal = screen(&mut model, false);
    assert!(terminal.backend().buffer().content().iter().all(|cell| cell.fg == Color::Reset));
}

#[test]
fn what_waits_and_what_is_below_is_told() {
    let mut model = model(70, 10);
    let mut tea = tea();
    (tea.waiting, tea.state) = (2, "leaving".to_owned());
    model.update(Event::News(vec![tea]));
    let rows = shown(&mut model);
    assert_eq!((rows[1].as_str(), rows[7].as_str()), ("tea (leaving) · epoch 7", "2 wait to be sent"));
    model.update(Event::Resized(70, 8));
    model.update(Event::Key(Key::Up));
    assert_eq!(shown(&mut model)[5], "1 more below");
    model.update(Event::Link(Link::Down));
    assert!(shown(&mut model)[0].ends_with("offline, trying again"));
}
