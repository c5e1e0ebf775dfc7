//! The line that is being written.

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use super::super::printer::one_line;

/// What stands before the cursor, and behind it.
#[derive(Debug, Default)]
pub(super) struct Line {
    before: String,
    after: String,
}

impl Line {
    /// What a terminal sent, be it typed or pasted. Of control characters line ends and tabs only are meant.
    pub(super) fn insert(&mut self, text: &str) {
        let text = text.replace("\r\n", "\n").replace('\r', "\n");
        self.before.extend(text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')));
    }

    pub(super) fn backspace(&mut self) {
        self.before.truncate(self.previous());
    }

    pub(super) fn delete(&mut self) {
        self.after.drain(..self.following());
    }

    /// Takes the word before the cursor away.
    pub(super) fn delete_word(&mut self) {
        let kept = self.before.trim_end();
        let end = kept.rfind(char::is_whitespace).map_or(0, |at| at.saturating_add(1));
        self.before.truncate(end);
    }

    pub(super) fn left(&mut self) {
        let moved = self.before.split_off(self.previous());
        self.after.insert_str(0, &moved);
    }

    pub(super) fn right(&mut self) {
        let moved: String = self.after.drain(..self.following()).collect();
        self.before.push_str(&moved);
    }

    pub(super) fn home(&mut self) {
        let moved = core::mem::take(&mut self.before);
        self.after.insert_str(0, &moved);
    }

    pub(super) fn end(&mut self) {
        self.before.push_str(&core::mem::take(&mut self.after));
    }

    /// Takes the text; the line is empty then.
    pub(super) fn take(&mut self) -> String {
        self.end();
        core::mem::take(&mut self.before)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.before.is_empty() && self.after.is_empty()
    }

    /// What fits into so many columns around the cursor, and the column of the cursor.
    pub(super) fn shown(&self, width: usize) -> (String, usize) {
        let clean = |text: &str| one_line(&text.replace('\n', "⏎").replace('\t', " "));
        let mut shown = String::new();
        // The cursor needs a column of its own.
        let room = width.saturating_sub(1);
        for sign in clean(&self.before).graphemes(true).rev() {
            if shown.width().saturating_add(sign.width()) > room {
                break;
            }
            shown.insert_str(0, sign);
        }
        let cursor = shown.width();
        for sign in clean(&self.after).graphemes(true) {
            if shown.width().saturating_add(sign.width()) > width {
                break;
            }
            shown.push_str(sign);
        }
        (shown, cursor)
    }

    /// Where the sign before the cursor begins.
    fn previous(&self) -> usize {
        self.before.grapheme_indices(true).next_back().map_or(0, |(at, _)| at)
    }

    /// How long the sign behind the cursor is.
    fn following(&self) -> usize {
        self.after.graphemes(true).next().map_or(0, str::len)
    }
}
