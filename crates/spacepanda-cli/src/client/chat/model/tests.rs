//! What becomes of events.

use super::{Effect, Event, Group, Key, Link, Member, Model, Said};

/// A group in which others said so much.
pub(in super::super) fn group(name: &str, texts: &[&str]) -> Group {
    let said = (1_u64..).zip(texts).map(|(seq, text)| Said {
        seq,
        from: "bob".to_owned(),
        text: (*text).to_owned(),
        own: false,
    });
    let member = |name: &str| Member { name: name.to_owned(), role: None, devices: 1, trust: "" };
    Group {
        id: name.as_bytes().to_vec(),
        name: name.to_owned(),
        epoch: 7,
        safety: "11111 22222 33333 44444 55555 66666".to_owned(),
        members: vec![member("alice"), member("bob")],
        messages: said.collect(),
        ..Group::default()
    }
}

fn model(groups: Vec<Group>) -> Model {
    let mut model = Model::new("alice".to_owned(), (80, 24));
    model.update(Event::News(groups));
    model
}

fn typed(model: &mut Model, text: &str) {
    for sign in text.chars() {
        model.update(Event::Key(Key::Char(sign)));
    }
}

fn say(group: &str, text: &str) -> Effect {
    Effect::Say { group: group.as_bytes().to_vec(), text: text.to_owned() }
}

#[test]
fn what_is_typed_is_said_in_the_group_that_is_shown() {
    let mut model = model(vec![group("coffee", &[]), group("tea", &[])]);
    typed(&mut model, "helo");
    for key in [Key::Left, Key::Char('l'), Key::End, Key::Char('!')] {
        model.update(Event::Key(key));
    }
    assert_eq!(model.update(Event::Key(Key::Enter)), [say("coffee", "hello!")]);
    assert_eq!(model.update(Event::Key(Key::Enter)), [], "nothing to say");
    model.update(Event::Key(Key::NextGroup));
    model.update(Event::Pasted("two\r\nlines\u{1b}[31m".to_owned()));
    assert_eq!(model.update(Event::Key(Key::Enter)), [say("tea", "two\nlines[31m")]);
    model.update(Event::Key(Key::NextGroup));
    typed(&mut model, "one two");
    model.update(Event::Key(Key::DeleteWord));
    assert_eq!(model.update(Event::Key(Key::Enter)), [say("coffee", "one ")]);
    assert_eq!(model.update(Event::Key(Key::Quit)), [Effect::Quit]);
}

#[test]
fn what_is_refused_can_be_said_again() {
    let mut model = model(vec![group("tea", &[])]);
    let refused = |text: &str| Event::Refused { text: text.to_owned(), why: "not allowed".to_owned() };
    model.update(refused("hello"));
    assert_eq!(model.notice.as_deref(), Some("not allowed"));
    // What is being written meanwhile stays.
    model.update(refused("other"));
    assert_eq!(model.update(Event::Key(Key::Enter)), [say("tea", "hello")]);
    assert_eq!(model.notice, None);
}

#[test]
fn what_is_shown_is_read_and_nothing_else() {
    let seen = |group: &str, seq| Effect::Seen { group: group.as_bytes().to_vec(), seq };
    let (coffee, tea) = (group("coffee", &["a"]), group("tea", &["a", "b"]));
    let mut model = Model::new("alice".to_owned(), (80, 24));
    assert_eq!(model.update(Event::News(vec![coffee.clone(), tea.clone()])), [seen("coffee", 1)]);
    let unread = |model: &Model| model.groups.iter().map(Group::unread).collect::<Vec<_>>();
    assert_eq!(unread(&model), [0, 2]);
    assert_eq!(model.update(Event::Key(Key::NextGroup)), [seen("tea", 2)]);
    assert_eq!(model.update(Event::Key(Key::PreviousGroup)), []);
    // What comes while the groups are shown instead of the history has not been looked at.
    let mut narrow = Model::new("alice".to_owned(), (40, 24));
    narrow.update(Event::Key(Key::Groups));
    assert_eq!(narrow.update(Event::News(vec![tea])), []);
    assert_eq!(narrow.update(Event::Key(Key::Enter)), []);
    assert_eq!(narrow.update(Event::Key(Key::Escape)), [seen("tea", 2)]);
    // Own messages are no news.
    let mut own = coffee;
    own.messages.iter_mut().for_each(|said| said.own = true);
    assert_eq!(own.unread(), 0);
}

#[test]
fn scrolling_ends_at_the_ends_and_stays_where_it_is() {
    let texts: Vec<String> = (0..50).map(|n| format!("message {n}")).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let mut model = model(vec![group("tea", &texts)]);
    // 24 rows without title, two of header, notice, input and keys.
    let (height, page) = (18, 17);
    model.update(Event::Key(Key::PageUp));
    assert_eq!(model.scroll, page);
    for _ in 0..9 {
        model.update(Event::Key(Key::PageUp));
    }
    assert_eq!(model.scroll, 50 - height);
    model.update(Event::Key(Key::Down));
    let more: Vec<&str> = texts.iter().copied().chain(["new", "and newer"]).collect();
    assert_eq!(model.update(Event::News(vec![group("tea", &more)])), [], "nobody has seen it");
    assert_eq!(model.scroll, 50 - height - 1 + 2);
    model.update(Event::Resized(80, 200));
    assert_eq!(model.scroll, 0);
    model.update(Event::Resized(80, 24));
    model.update(Event::Key(Key::Up));
    model.update(Event::Key(Key::PageDown));
    assert_eq!(model.scroll, 0);
}

#[test]
fn the_group_that_is_shown_stays_so() {
    let mut model = model(vec![group("tea", &[])]);
    model.update(Event::News(vec![group("coffee", &[]), group("tea", &[])]));
    assert_eq!(model.group().map(|group| group.name.as_str()), Some("tea"));
    model.select(b"coffee");
    model.update(Event::News(vec![group("tea", &[])]));
    assert_eq!(model.group().map(|group| group.name.as_str()), Some("tea"));
    model.update(Event::News(Vec::new()));
    model.update(Event::Key(Key::PreviousGroup));
    typed(&mut model, "hello?");
    assert_eq!(model.update(Event::Key(Key::Enter)), []);
    assert!(model.notice.is_some_and(|notice| notice.contains("panda group create")));
}

#[test]
fn the_service_comes_and_goes() {
    let mut model = model(Vec::new());
    assert_eq!(model.link, Link::Connecting);
    model.update(Event::Link(Link::Down));
    model.update(Event::Told("bob is in".to_owned()));
    assert_eq!((model.link, model.notice.as_deref()), (Link::Down, Some("bob is in")));
}
