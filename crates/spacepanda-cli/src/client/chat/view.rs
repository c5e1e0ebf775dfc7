//! How it looks.
//!
//! In: the model, and a screen. Out: nothing but what is on the screen.
//! Always: what others wrote is made safe here, in the one place where text becomes cells: it moves no cursor, turns no direction
//! of writing, and stays in its own pane. Without colours nothing is missing.

use ratatui_core::{
    buffer::Buffer,
    layout::{Position, Rect},
    style::{Color, Modifier, Style},
    terminal::Frame,
};
use unicode_width::UnicodeWidthStr;

use super::{
    super::printer::{one_line, printable},
    layout::{Layout, Pane},
    model::{Group, Link, Member, Model},
    wrap::{cut, rows},
};

/// A row of the history: what is said, and how much of its beginning is the name.
pub(super) struct Row {
    pub(super) text: String,
    name: usize,
    own: bool,
}

/// The history in rows of a width.
pub(super) fn history(group: &Group, width: usize) -> Vec<Row> {
    let mut all = Vec::new();
    for said in &group.messages {
        let name = one_line(&said.from);
        let text = format!("{name}: {}", printable(&said.text).replace('\t', "    "));
        for (n, text) in rows(&text, width, INDENT).into_iter().enumerate() {
            let name = if n == 0 { name.width() } else { 0 };
            all.push(Row { text, name, own: said.own });
        }
    }
    all
}

/// Draws everything.
pub(super) fn draw(model: &Model, colours: bool, frame: &mut Frame<'_>) {
    let area = frame.area();
    let mut canvas = Canvas { buffer: frame.buffer_mut(), colours };
    let Some(layout) = Layout::of((area.width, area.height), model.pane) else {
        canvas.put(area, 0, "too small: make it larger", PLAIN);
        return;
    };
    title(model, layout.title, &mut canvas);
    header(model, layout.header, &mut canvas);
    if let Some(area) = layout.groups {
        groups(model, framed(&mut canvas, area, layout.history.is_some(), false), &mut canvas);
    }
    if let Some(area) = layout.members {
        let area = framed(&mut canvas, area, false, layout.history.is_some());
        let members = model.group().map(|group| group.members.as_slice()).unwrap_or_default();
        member_list(members, area, &mut canvas);
    }
    if let Some(area) = layout.history {
        said(model, area, &mut canvas);
    }
    notice(model, &layout, &mut canvas);
    keys(model, &layout, &mut canvas);
    let (text, cursor) = model.line.shown(usize::from(layout.input.width).saturating_sub(PROMPT.width()));
    canvas.put(layout.input, 0, &format!("{PROMPT}{text}"), PLAIN);
    let column = u16::try_from(PROMPT.width().saturating_add(cursor)).unwrap_or(u16::MAX);
    frame.set_cursor_position(Position::new(layout.input.x.saturating_add(column), layout.input.y));
}

fn title(model: &Model, area: Rect, canvas: &mut Canvas<'_>) {
    let (link, colour) = match model.link {
        Link::Connecting => ("connecting", Color::Yellow),
        Link::Up => ("connected", Color::Green),
        Link::Down => ("offline, trying again", Color::Red),
    };
    let right = u16::try_from(link.width()).unwrap_or(u16::MAX);
    let room = area.width.saturating_sub(right).saturating_sub(1);
    let who = format!("panda · {}", one_line(&model.who));
    canvas.put(Rect { width: room, ..area }, 0, &cut(&who, room.into()), STRONG);
    let link_area = Rect { x: area.right().saturating_sub(right), width: right.min(area.width), ..area };
    canvas.coloured(link_area, 0, link, colour);
}

/// Name, epoch and safety number, on as many rows as they need.
fn header(model: &Model, area: Rect, canvas: &mut Canvas<'_>) {
    let Some(group) = model.group() else {
        canvas.put(area, 0, "no group yet", PLAIN);
        return;
    };
    let state = if group.state.is_empty() { String::new() } else { format!(" ({})", group.state) };
    let safety = format!("safety {}", group.safety);
    let epoch = format!("{state} · epoch {}", group.epoch);
    let beside = if area.height == 1 { format!("{epoch} · {safety}") } else { epoch };
    let name = cut(&one_line(&group.name), usize::from(area.width).saturating_sub(beside.width()).max(4));
    canvas.put(area, 0, &format!("{name}{beside}"), STRONG);
    match area.height {
        1 => {}
        2 => canvas.put(area, 1, &safety, STRONG),
        _ => {
            // Three groups of digits on each of two rows.
            let middle = group.safety.match_indices(' ').nth(2).map_or(group.safety.len(), |(at, _)| at);
            let (first, second) = group.safety.split_at_checked(middle).unwrap_or((&group.safety, ""));
            canvas.put(area, 1, &format!("safety {first}"), STRONG);
            canvas.put(area, 2, &format!("       {}", second.trim_start()), STRONG);
        }
    }
}

fn groups(model: &Model, area: Rect, canvas: &mut Canvas<'_>) {
    let height = usize::from(area.height);
    // The one that is shown is always among those that are seen.
    let skipped = model.selected.saturating_add(1).saturating_sub(height);
    for (row, (n, group)) in (0..area.height).zip(model.groups.iter().enumerate().skip(skipped)) {
        let unread = match group.unread() {
            0 => String::new(),
            unread => format!(" ({unread})"),
        };
        let chosen = n == model.selected;
        let mark = if chosen { "› " } else { "  " };
        let room = usize::from(area.width).saturating_sub(mark.width()).saturating_sub(unread.width());
        let line = format!("{mark}{}{unread}", cut(&one_line(&group.name), room));
        let style = if chosen || !unread.is_empty() { STRONG } else { PLAIN };
        canvas.put(area, row, &line, style);
    }
}

fn member_list(members: &[Member], area: Rect, canvas: &mut Canvas<'_>) {
    for (row, member) in (0..area.height).zip(members) {
        let mut beside = member.role.map(|role| format!(" {role}")).unwrap_or_default();
        if member.devices > 1 {
            beside.push_str(&format!(" ×{}", member.devices));
        }
        if !member.trust.is_empty() {
            beside.push_str(&format!(" {}", member.trust));
        }
        let room = usize::from(area.width).saturating_sub(beside.width());
        canvas.put(area, row, &format!("{}{beside}", cut(&one_line(&member.name), room)), PLAIN);
    }
}

fn said(model: &Model, area: Rect, canvas: &mut Canvas<'_>) {
    let Some(group) = model.group() else {
        canvas.put(area, 0, "`panda group create NAME` founds one,", PLAIN);
        canvas.put(area, 1, "`panda group join` uses an invite", PLAIN);
        return;
    };
    let rows = history(group, area.width.into());
    let end = rows.len().saturating_sub(model.scroll);
    let start = end.saturating_sub(area.height.into());
    // What there is stands at the bottom, where the next one comes.
    let empty = area.height.saturating_sub(u16::try_from(end.saturating_sub(start)).unwrap_or(u16::MAX));
    for (y, row) in (empty..area.height).zip(rows.iter().skip(start)) {
        canvas.put(area, y, &row.text, PLAIN);
        let name = Rect { width: u16::try_from(row.name).unwrap_or(u16::MAX).min(area.width), ..area };
        if row.name > 0 && row.own {
            canvas.coloured(name, y, &row.text, Color::Cyan);
        } else if row.name > 0 {
            canvas.put(name, y, &row.text, STRONG);
        }
    }
}

fn notice(model: &Model, layout: &Layout, canvas: &mut Canvas<'_>) {
    let waiting = model.group().map_or(0, |group| group.waiting);
    let text = match &model.notice {
        Some(notice) => one_line(notice),
        None if model.scroll > 0 => format!("{} more below", model.scroll),
        None if waiting > 0 => format!("{waiting} wait to be sent"),
        None => return,
    };
    canvas.coloured(layout.notice, 0, &cut(&text, layout.notice.width.into()), Color::Yellow);
}

/// As many as have room, the most needed first.
fn keys(model: &Model, layout: &Layout, canvas: &mut Canvas<'_>) {
    let hidden = |shown: bool, hint: &'static str| if shown { None } else { Some(hint) };
    let pane = model.pane.map(|pane| if pane == Pane::Groups { "Esc back" } else { "Esc close" });
    let hints = [
        pane.filter(|_| layout.history.is_none()),
        Some("Enter send"),
        Some("^C quit"),
        Some("Tab group"),
        Some("PgUp scroll"),
        hidden(layout.groups.is_some(), "^G groups"),
        hidden(layout.members.is_some(), "^O members"),
    ];
    let mut line = String::new();
    for hint in hints.into_iter().flatten() {
        let more = if line.is_empty() { hint.to_owned() } else { format!(" · {hint}") };
        if line.width().saturating_add(more.width()) > layout.keys.width.into() {
            break;
        }
        line.push_str(&more);
    }
    canvas.put(layout.keys, 0, &line, Style::new().add_modifier(Modifier::DIM));
}

/// A line between this pane and the history; what is left of it.
fn framed(canvas: &mut Canvas<'_>, area: Rect, right: bool, left: bool) -> Rect {
    let (edge, inner) = match (right, left) {
        (true, _) => (area.right().saturating_sub(1), Rect { width: area.width.saturating_sub(1), ..area }),
        (_, true) => {
            let x = area.x.saturating_add(2);
            (area.x, Rect { x, width: area.width.saturating_sub(2), ..area })
        }
        _ => return area,
    };
    for y in 0..area.height {
        canvas.put(Rect { x: edge, width: 1, ..area }, y, "│", PLAIN);
    }
    inner
}

struct Canvas<'a> {
    buffer: &'a mut Buffer,
    colours: bool,
}

impl Canvas<'_> {
    /// Writes on a row of an area, and never outside it.
    fn put(&mut self, area: Rect, row: u16, text: &str, style: Style) {
        let area = area.intersection(self.buffer.area);
        if row < area.height {
            self.buffer.set_stringn(area.x, area.y.saturating_add(row), text, area.width.into(), style);
        }
    }

    fn coloured(&mut self, area: Rect, row: u16, text: &str, colour: Color) {
        let style = if self.colours { STRONG.fg(colour) } else { STRONG };
        self.put(area, row, text, style);
    }
}

const PLAIN: Style = Style::new();
const STRONG: Style = Style::new().add_modifier(Modifier::BOLD);
const PROMPT: &str = "> ";
const INDENT: usize = 2;

#[cfg(test)]
mod tests;
