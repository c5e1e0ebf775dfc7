//! Text in rows that are as wide as a pane.
//!
//! In: text that is safe to show, and columns. Out: rows.
//! Always: no row is wider than the columns; what a reader takes for one sign is never torn (UAX #29).

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// Breaks text at its line ends, and at spaces where that is possible; all rows but the first begin further in.
pub(super) fn rows(text: &str, width: usize, indent: usize) -> Vec<String> {
    let indent = if indent.saturating_mul(3) > width { 0 } else { indent };
    let mut rows = Rows { done: Vec::new(), row: String::new(), used: 0, width, indent };
    for (n, line) in text.split('\n').enumerate() {
        if n > 0 {
            rows.next();
        }
        line.split_inclusive(' ').for_each(|word| rows.word(word));
    }
    rows.done.push(rows.row);
    rows.done
}

/// The beginning of a text, with a sign if something is missing.
pub(super) fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut kept = String::new();
    for sign in text.graphemes(true) {
        if kept.width().saturating_add(sign.width()) >= width {
            break;
        }
        kept.push_str(sign);
    }
    if width > 0 {
        kept.push('…');
    }
    kept
}

struct Rows {
    done: Vec<String>,
    row: String,
    used: usize,
    width: usize,
    indent: usize,
}

impl Rows {
    fn next(&mut self) {
        self.done.push(core::mem::replace(&mut self.row, " ".repeat(self.indent)));
        self.used = self.indent;
    }

    fn word(&mut self, word: &str) {
        let fits = |used: usize, more: usize, width: usize| used.saturating_add(more) <= width;
        let begun = self.used > if self.done.is_empty() { 0 } else { self.indent };
        if begun && !fits(self.used, word.trim_end().width(), self.width) {
            self.next();
        }
        for sign in word.graphemes(true) {
            if !fits(self.used, sign.width(), self.width) {
                // The space at a row's end is its end.
                if sign == " " {
                    continue;
                }
                self.next();
            }
            self.row.push_str(sign);
            self.used = self.used.saturating_add(sign.width());
        }
    }
}

#[cfg(test)]
mod tests;
