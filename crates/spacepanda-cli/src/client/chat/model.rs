//! What a person sees, and what becomes of it when something happens.
//!
//! In: one event. Out: what is to be done, as values.
//! Always: nothing here reads a key, draws, waits or talks to a service; the screen is a function of this and of nothing else.

use super::{
    layout::{Layout, Pane},
    line::Line,
    view,
};

/// Something happened.
#[derive(Debug)]
pub(super) enum Event {
    Key(Key),
    Pasted(String),
    Resized(u16, u16),
    /// All groups, as they are now.
    News(Vec<Group>),
    Link(Link),
    /// Something to be told.
    Told(String),
    /// What was said could not be taken, and why.
    Refused {
        text: String,
        why: String,
    },
}

/// What a key means.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Key {
    Char(char),
    Enter,
    Backspace,
    Delete,
    DeleteWord,
    DeleteLine,
    Left,
    Right,
    Home,
    End,
    Up,
    Down,
    PageUp,
    PageDown,
    NextGroup,
    PreviousGroup,
    Groups,
    Members,
    Escape,
    Quit,
}

/// Something is to be done.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Effect {
    Say { group: Vec<u8>, text: String },
    Seen { group: Vec<u8>, seq: u64 },
    Quit,
}

/// How it stands with the service.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Link {
    Connecting,
    Up,
    Down,
}

/// A group, as far as it is shown. Texts are as others wrote them: the view makes them safe.
#[derive(Clone, Debug, Default)]
pub(super) struct Group {
    pub(super) id: Vec<u8>,
    pub(super) name: String,
    pub(super) epoch: u64,
    pub(super) safety: String,
    /// What is unusual about it; empty if nothing is.
    pub(super) state: String,
    pub(super) members: Vec<Member>,
    pub(super) messages: Vec<Said>,
    /// Messages and changes that wait to be sent.
    pub(super) waiting: usize,
    /// The last place that was looked at.
    pub(super) seen: u64,
}

/// A person in a group.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Member {
    pub(super) name: String,
    pub(super) role: Option<&'static str>,
    pub(super) devices: usize,
    /// What is known of its keys; empty if that is nothing.
    pub(super) trust: &'static str,
}

/// A message.
#[derive(Clone, Debug)]
pub(super) struct Said {
    pub(super) seq: u64,
    pub(super) from: String,
    pub(super) text: String,
    pub(super) own: bool,
}

/// Everything that is shown.
#[derive(Debug)]
pub(super) struct Model {
    pub(super) who: String,
    pub(super) groups: Vec<Group>,
    pub(super) selected: usize,
    pub(super) line: Line,
    /// Rows of the history below what is shown.
    pub(super) scroll: usize,
    pub(super) link: Link,
    pub(super) notice: Option<String>,
    pub(super) pane: Option<Pane>,
    pub(super) size: (u16, u16),
}

impl Group {
    /// Messages of others that nobody has looked at.
    pub(super) fn unread(&self) -> usize {
        self.messages.iter().filter(|said| said.seq > self.seen && !said.own).count()
    }
}

impl Model {
    pub(super) fn new(who: String, size: (u16, u16)) -> Self {
        Self {
            who,
            groups: Vec::new(),
            selected: 0,
            line: Line::default(),
            scroll: 0,
            link: Link::Connecting,
            notice: None,
            pane: None,
            size,
        }
    }

    pub(super) fn layout(&self) -> Option<Layout> {
        Layout::of(self.size, self.pane)
    }

    pub(super) fn group(&self) -> Option<&Group> {
        self.groups.get(self.selected)
    }

    /// Makes a group the one that is shown.
    pub(super) fn select(&mut self, id: &[u8]) {
        self.selected = self.groups.iter().position(|group| group.id == id).unwrap_or_default();
        self.scroll = 0;
    }

    /// Takes one event.
    pub(super) fn update(&mut self, event: Event) -> Vec<Effect> {
        match event {
            Event::Key(key) => return self.key(key),
            Event::Pasted(text) => self.line.insert(&text),
            Event::Resized(width, height) => {
                self.size = (width, height);
                self.scroll_to(self.scroll);
            }
            Event::News(groups) => self.take(groups),
            Event::Link(link) => self.link = link,
            Event::Told(text) => self.notice = Some(text),
            Event::Refused { text, why } => {
                self.notice = Some(why);
                if self.line.is_empty() {
                    self.line.insert(&text);
                }
            }
        }
        self.look()
    }

    fn key(&mut self, key: Key) -> Vec<Effect> {
        match key {
            Key::Char(sign) => self.line.insert(sign.encode_utf8(&mut [0; 4])),
            Key::Enter => return self.say(),
            Key::Backspace => self.line.backspace(),
            Key::Delete => self.line.delete(),
            Key::DeleteWord => self.line.delete_word(),
            Key::DeleteLine => drop(self.line.take()),
            Key::Left => self.line.left(),
            Key::Right => self.line.right(),
            Key::Home => self.line.home(),
            Key::End => self.line.end(),
            Key::Up => self.scroll_to(self.scroll.saturating_add(1)),
            Key::Down => self.scroll_to(self.scroll.saturating_sub(1)),
            Key::PageUp => self.scroll_to(self.scroll.saturating_add(self.page())),
            Key::PageDown => self.scroll_to(self.scroll.saturating_sub(self.page())),
            Key::NextGroup => self.step(1),
            Key::PreviousGroup => self.step(self.groups.len().saturating_sub(1)),
            Key::Groups => self.toggle(Pane::Groups),
            Key::Members => self.toggle(Pane::Members),
            Key::Escape => (self.pane, self.notice) = (None, None),
            Key::Quit => return vec![Effect::Quit],
        }
        self.look()
    }

    fn say(&mut self) -> Vec<Effect> {
        if let Some(Pane::Groups) = self.pane {
            self.pane = None;
        }
        let Some(group) = self.group().map(|group| group.id.clone()) else {
            self.notice = Some("there is no group yet; `panda group create NAME` founds one".to_owned());
            return Vec::new();
        };
        let text = self.line.take();
        if text.trim().is_empty() {
            return Vec::new();
        }
        (self.scroll, self.notice) = (0, None);
        let mut effects = self.look();
        effects.push(Effect::Say { group, text });
        effects
    }

    /// The group that was shown stays so, and what was on the screen stays there if somebody has scrolled up to it.
    fn take(&mut self, groups: Vec<Group>) {
        let (shown, before) = (self.group().map(|group| group.id.clone()), self.rows());
        self.groups = groups;
        if let Some(at) = shown.and_then(|id| self.groups.iter().position(|group| group.id == id)) {
            self.selected = at;
        } else {
            (self.selected, self.scroll) = (0, 0);
        }
        if self.scroll > 0 {
            self.scroll_to(self.scroll.saturating_add(self.rows().saturating_sub(before)));
        }
    }

    fn step(&mut self, by: usize) {
        self.selected = self.selected.saturating_add(by).checked_rem(self.groups.len()).unwrap_or_default();
        self.scroll = 0;
    }

    fn toggle(&mut self, pane: Pane) {
        self.pane = if self.pane == Some(pane) { None } else { Some(pane) };
    }

    /// What is on the screen has been looked at.
    fn look(&mut self) -> Vec<Effect> {
        let visible = self.layout().is_some_and(|layout| layout.history.is_some()) && self.scroll == 0;
        let selected = self.selected;
        let Some(group) = self.groups.get_mut(selected).filter(|_| visible) else { return Vec::new() };
        let newest = group.messages.last().map_or(0, |said| said.seq);
        if newest <= group.seen {
            return Vec::new();
        }
        group.seen = newest;
        vec![Effect::Seen { group: group.id.clone(), seq: newest }]
    }

    fn scroll_to(&mut self, wanted: usize) {
        self.scroll = wanted.min(self.rows().saturating_sub(self.height()));
    }

    /// A page overlaps with the one before by a row.
    fn page(&self) -> usize {
        self.height().saturating_sub(1).max(1)
    }

    fn height(&self) -> usize {
        let history = self.layout().and_then(|layout| layout.history);
        history.map_or(0, |history| history.height.into())
    }

    /// Rows of the whole history.
    fn rows(&self) -> usize {
        let history = self.layout().and_then(|layout| layout.history);
        match (self.group(), history) {
            (Some(group), Some(history)) => view::history(group, history.width.into()).len(),
            _ => 0,
        }
    }
}

#[cfg(test)]
pub(super) mod tests;
