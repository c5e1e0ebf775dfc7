//! Where results and talk go.
//!
//! Always: data on standard output, talk on standard error; no control character of a name or a message reaches a terminal.

use std::{
    env,
    io::{self, IsTerminal, Write},
};

use serde_json::Value;

use super::Trouble;

/// The output of one command.
#[derive(Debug)]
pub(crate) struct Printer {
    json: bool,
    bold: bool,
}

impl Printer {
    pub(crate) fn new(json: bool) -> Self {
        let plain = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self { json, bold: !json && !plain && io::stdout().is_terminal() }
    }

    /// A result: an object for programs, or text for people.
    pub(crate) fn data(&self, value: &Value, text: &str) -> Result<(), Trouble> {
        let line = if self.json { value.to_string() } else { text.to_owned() };
        let mut out = io::stdout().lock();
        writeln!(out, "{line}").and_then(|()| out.flush()).map_err(Trouble::Output)
    }

    /// Something for whoever runs this.
    pub(crate) fn talk(&self, text: &str) {
        // Not reading it is the reader's choice.
        let _told = writeln!(io::stderr(), "{}", printable(text));
    }

    /// Why it did not work.
    pub(crate) fn trouble(&self, trouble: &Trouble) {
        let text = if self.json {
            let (code, status) = (trouble.code(), trouble.exit_status());
            serde_json::json!({ "error": trouble.to_string(), "code": code, "exit": status }).to_string()
        } else {
            format!("panda: {trouble}")
        };
        self.talk(&text);
    }

    /// A name, as it stands out.
    pub(crate) fn strong(&self, text: &str) -> String {
        if self.bold { format!("\x1b[1m{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// Text from elsewhere: what could move the cursor, turn the direction of writing, or pass for something else is shown as a sign.
pub(crate) fn printable(text: &str) -> String {
    text.chars().map(|c| if c != '\n' && c != '\t' && is_unsafe(c) { SIGN } else { c }).collect()
}

/// The same of what stands on one line with other things, as a name does: nobody's name goes on below.
pub(crate) fn one_line(text: &str) -> String {
    text.chars().map(|c| if is_unsafe(c) { SIGN } else { c }).collect()
}

/// Control characters; marks and overrides of direction; separators of lines; what has no width and no form, as tags and byte
/// order marks.
fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}')
        || matches!(c, '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

/// Bytes that ought to be text.
pub(crate) fn text(bytes: &[u8]) -> String {
    printable(&String::from_utf8_lossy(bytes))
}

/// Bytes that ought to be a name.
pub(crate) fn line(bytes: &[u8]) -> String {
    one_line(&String::from_utf8_lossy(bytes))
}

const SIGN: char = '\u{fffd}';

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Hexadecimal digits, with white space around and between them.
pub(crate) fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let (pairs, rest) = digits.as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    let value = |digit: u8| char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
    pairs.iter().map(|[high, low]| Some(value(*high)?.wrapping_shl(4) | value(*low)?)).collect()
}

#[cfg(test)]
mod tests;
