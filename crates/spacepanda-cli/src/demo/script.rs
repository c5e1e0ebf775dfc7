//! What is said: the lines of standard input, or a conversation of our own.
//!
//! In: bytes, any number of them. Out: lines of text, in order, and how many there are if that is known yet.
//! Always: memory is bounded. Up to [`AHEAD_LINES`] lines and [`AHEAD_BYTES`] bytes are read before the first is said, to
//! know where half-way is; the rest is read as it is needed.

use std::{
    collections::VecDeque,
    io::{self, BufRead, Read},
};

/// Lines read ahead.
const AHEAD_LINES: usize = 100_000;
/// Bytes read ahead.
const AHEAD_BYTES: usize = 16 << 20;
/// Bytes of a line: a message can hold no more.
pub(crate) const MAX_LINE: usize = 1 << 20;

/// A conversation for when nobody brings one.
const BUILT_IN: [&str; 12] = [
    "Is this thing on?",
    "Loud and clear. Who else is here?",
    "All of us. And nobody else can read it.",
    "Not even whoever carries the messages?",
    "Not even them. They see that we talk, and how much.",
    "Good. Then about tomorrow's picnic ...",
    "Now there is one of us less. Whoever is gone cannot read this.",
    "Not even with all the keys they had?",
    "Not even then: what we use now was made after they left.",
    "And what we said before they joined?",
    "They never had the keys for that either.",
    "Then bamboo, at noon, at the usual place. 🐼",
];

/// Lines still to be said.
pub(crate) struct Script {
    ahead: VecDeque<String>,
    rest: Option<Box<dyn BufRead>>,
    /// Lines read so far.
    read: usize,
    /// Lines that were not text.
    pub(crate) mended: usize,
}

impl Script {
    /// The built-in conversation.
    pub(crate) fn built_in() -> Self {
        let ahead: VecDeque<_> = BUILT_IN.iter().map(|&line| line.to_owned()).collect();
        Self { read: ahead.len(), ahead, rest: None, mended: 0 }
    }

    /// The lines of `input`. An empty line is an empty message. Bytes that are not UTF-8 become U+FFFD.
    pub(crate) fn of(input: impl BufRead + 'static) -> io::Result<Self> {
        let mut script = Self { ahead: VecDeque::new(), rest: Some(Box::new(input)), read: 0, mended: 0 };
        let mut bytes = 0_usize;
        while script.ahead.len() < AHEAD_LINES && bytes < AHEAD_BYTES {
            let Some(line) = script.read_line()? else { break };
            bytes = bytes.saturating_add(line.len());
            script.ahead.push_back(line);
        }
        Ok(script)
    }

    /// Whether there is nothing to be said at all.
    pub(crate) fn is_empty(&self) -> bool {
        self.read == 0
    }

    /// Lines that are known of: all of them, if the second value says so.
    pub(crate) fn known(&self) -> (usize, bool) {
        (self.read, self.rest.is_none())
    }

    /// The next line.
    pub(crate) fn next_line(&mut self) -> io::Result<Option<String>> {
        match self.ahead.pop_front() {
            Some(line) => Ok(Some(line)),
            None => self.read_line(),
        }
    }

    fn read_line(&mut self) -> io::Result<Option<String>> {
        let Some(rest) = &mut self.rest else { return Ok(None) };
        let mut line = Vec::new();
        // One byte more, to see that it is too long; two for the end of the line.
        let limit = u64::try_from(MAX_LINE.saturating_add(3)).unwrap_or(u64::MAX);
        rest.take(limit).read_until(b'\n', &mut line)?;
        if line.is_empty() {
            self.rest = None;
            return Ok(None);
        }
        self.read = self.read.saturating_add(1);
        if line.pop_if(|byte| *byte == b'\n').is_some() {
            line.pop_if(|byte| *byte == b'\r');
        }
        let text = String::from_utf8(line).unwrap_or_else(|error| {
            self.mended = self.mended.saturating_add(1);
            String::from_utf8_lossy(error.as_bytes()).into_owned()
        });
        if text.len() > MAX_LINE {
            let what = format!("line {} is longer than {MAX_LINE} bytes; split it", self.read);
            return Err(io::Error::new(io::ErrorKind::InvalidData, what));
        }
        Ok(Some(text))
    }
}

#[cfg(test)]
mod tests;
