//! Where things are on a screen of a size: always epoch and safety number, then the history, then what else has room.
//!
//! ```text
//! title                         who we are, and whether the service is there
//! header, 1 to 3 rows           group, epoch, safety number
//! groups │ history │ members    as far as they have room
//! notice                        what went wrong, what waits
//! input
//! keys
//! ```

use ratatui_core::layout::Rect;

/// What a person asked to see where there is no room for everything.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Pane {
    Groups,
    Members,
}

/// The places of a screen. Those in the middle may be missing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    pub(super) title: Rect,
    pub(super) header: Rect,
    pub(super) groups: Option<Rect>,
    pub(super) history: Option<Rect>,
    pub(super) members: Option<Rect>,
    pub(super) notice: Rect,
    pub(super) input: Rect,
    pub(super) keys: Rect,
}

impl Layout {
    /// Of a screen of this size; none if that is too small for anybody to use.
    pub(super) fn of((width, height): (u16, u16), pane: Option<Pane>) -> Option<Self> {
        if width < MIN_WIDTH || height < MIN_HEIGHT {
            return None;
        }
        let header: u16 = match width {
            WIDE_HEADER.. => 1,
            HEADER.. => 2,
            _ => 3,
        };
        let row = |y: u16, rows: u16| Rect::new(0, y, width, rows);
        let top = header.saturating_add(1);
        let rows = height.saturating_sub(top).saturating_sub(3);
        let below = |n: u16| row(top.saturating_add(rows).saturating_add(n), 1);
        let (groups, history, members) = columns(Rect::new(0, top, width, rows), pane);
        let (title, header) = (row(0, 1), row(1, header));
        Some(Self { title, header, groups, history, members, notice: below(0), input: below(1), keys: below(2) })
    }
}

type Column = Option<Rect>;

fn columns(body: Rect, pane: Option<Pane>) -> (Column, Column, Column) {
    let left = if body.width >= WITH_GROUPS { SIDE } else { 0 };
    let right = if body.width >= WITH_MEMBERS { SIDE } else { 0 };
    match pane {
        Some(Pane::Groups) if left == 0 => return (Some(body), None, None),
        Some(Pane::Members) if right == 0 => return (None, None, Some(body)),
        _ => {}
    }
    let side = |x: u16, width: u16| (width > 0).then_some(Rect { x, width, ..body });
    let middle = body.width.saturating_sub(left).saturating_sub(right);
    let history = Rect { x: left, width: middle, ..body };
    (side(0, left), Some(history), side(left.saturating_add(middle), right))
}

const MIN_WIDTH: u16 = 24;
const MIN_HEIGHT: u16 = 8;
const HEADER: u16 = 44;
const WIDE_HEADER: u16 = 90;
const WITH_GROUPS: u16 = 60;
const WITH_MEMBERS: u16 = 90;
const SIDE: u16 = 24;
