//! Events as text for people.
//!
//! Always: one line per message, aligned; what members wrote is shown without control characters.

use core::fmt::Write;

use super::{event::Event, member::Goal};

/// Columns for a name.
const NAME_WIDTH: usize = 10;
/// Hexadecimal digits of the authenticator that are shown, in groups of four: enough to compare at a glance.
const SHORT: usize = 16;

const BOLD: &str = "1";
const DIM: &str = "2";
const RED: &str = "31";
const GREEN: &str = "32";
const CYAN: &str = "36";

/// The lines for an event, each with its end.
pub(crate) fn render(event: &Event<'_>, colours: bool) -> String {
    let pen = Pen { colours };
    match event {
        Event::Epoch { epoch, members, authenticator, commit } => {
            let (title, short) = (pen.paint(BOLD, &format!("epoch {epoch}")), short(authenticator));
            let who = &*commit.by;
            let mut what = match &commit.goal {
                Goal::Resume => "the conversation goes on where it stopped".to_owned(),
                Goal::Invite(others) if *epoch > 1 => format!("{who} invited {}", others.join(" ")),
                Goal::Invite(others) => format!("{who} founded the group and added {}", count(others.len(), "member")),
                Goal::Remove(removed) => format!("{who} removed {removed}"),
                Goal::Renew => format!("{who} renewed keys"),
            };
            if commit.conflicts > 0 {
                // Writing to a String cannot fail.
                let _ = write!(what, ", second try: another commit was first");
            }
            let agreed = pen.paint(DIM, &format!("authenticator {short}"));
            let members = pen.paint(DIM, &members.join(" "));
            format!("\n{title}  {what}\n         {agreed}\n         {members}\n")
        }
        Event::Message { from, text, read_by, .. } => {
            let name = pen.paint(CYAN, &format!("{from:<NAME_WIDTH$}"));
            let readers = pen.paint(DIM, &format!("read by {}", read_by.len()));
            format!("  {name} {}  {readers}\n", printable(text))
        }
        Event::Removed { who, could_read, attempts } => {
            let verdict =
                if *could_read { pen.paint(RED, "and could still read") } else { pen.paint(GREEN, "and failed") };
            format!(
                "\n{who} kept all keys after being removed, tried {} to read on, {verdict}.\n",
                count_u64(*attempts, "time")
            )
        }
        Event::Done { messages, agreed, epochs, conflicts } => {
            let verdict = if *agreed {
                pen.paint(GREEN, "all members agreed on everything")
            } else {
                pen.paint(RED, "the members did not agree")
            };
            let (messages, epochs) = (count_u64(*messages, "message"), count_u64(*epochs, "epoch"));
            let lost = count_u64(*conflicts, "commit");
            format!("\n{messages} in {epochs}; {lost} came second and went again; {verdict}.\n")
        }
    }
}

#[derive(Clone, Copy)]
struct Pen {
    colours: bool,
}

impl Pen {
    fn paint(self, colour: &str, text: &str) -> String {
        if self.colours { format!("\u{1b}[{colour}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

/// Control characters can move the cursor and rename the window: they become U+FFFD. A tab becomes a space.
fn printable(text: &str) -> String {
    text.chars()
        .map(|character| match character {
            '\t' => ' ',
            // Also the characters that turn the direction of writing.
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => char::REPLACEMENT_CHARACTER,
            other if other.is_control() => char::REPLACEMENT_CHARACTER,
            other => other,
        })
        .collect()
}

/// The beginning of an authenticator, in groups of four digits.
fn short(authenticator: &str) -> String {
    let mut groups = String::new();
    for (position, digit) in authenticator.chars().take(SHORT).enumerate() {
        if position > 0 && position.checked_rem(4) == Some(0) {
            groups.push(' ');
        }
        groups.push(digit);
    }
    groups
}

fn count(number: usize, noun: &str) -> String {
    count_u64(u64::try_from(number).unwrap_or(u64::MAX), noun)
}

fn count_u64(number: u64, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

#[cfg(test)]
mod tests;
