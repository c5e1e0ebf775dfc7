//! Where events become lines: JSON for programs, or text for people.
//!
//! In: events. Out: lines on standard output, progress on standard error.
//! Always: no control character of a message reaches a terminal; colours and progress only where a person looks.

use std::{
    env,
    io::{self, IsTerminal, Write},
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{event::Event, text, trouble::Trouble};

/// Lines from which on progress is worth showing.
const LONG: usize = 50;

/// The output of one run.
pub(crate) struct Screen {
    json: bool,
    colours: bool,
    bar: ProgressBar,
}

impl Screen {
    pub(crate) fn new(json: bool) -> Self {
        let plain = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self { json, colours: !json && !plain && io::stdout().is_terminal(), bar: ProgressBar::hidden() }
    }

    /// Shows progress from now on if there are many lines, and somebody to see it. Not every line may be known of.
    pub(crate) fn expect(&mut self, lines: usize, all_known: bool) {
        if lines < LONG {
            return;
        }
        let length = if all_known { u64::try_from(lines).ok() } else { None };
        // Hidden by itself where standard error is no terminal.
        self.bar = ProgressBar::with_draw_target(length, ProgressDrawTarget::stderr());
        let template =
            if all_known { "{bar:30} {pos} of {len} lines, {eta} left" } else { "{spinner} {pos} lines, {per_sec}" };
        if let Ok(style) = ProgressStyle::with_template(template) {
            self.bar.set_style(style);
        }
    }

    /// So many lines are said.
    pub(crate) fn progress(&self, lines: usize) {
        self.bar.set_position(u64::try_from(lines).unwrap_or(u64::MAX));
    }

    /// Prints an event.
    pub(crate) fn show(&mut self, event: &Event<'_>) -> Result<(), Trouble> {
        let lines = if self.json {
            let json = serde_json::to_string(event).map_err(|error| Trouble::Output(error.into()))?;
            format!("{json}\n")
        } else {
            text::render(event, self.colours)
        };
        if let Event::Done { .. } = event {
            self.bar.finish_and_clear();
        }
        // The bar moves out of the way if both are the same terminal.
        self.bar.suspend(|| io::stdout().lock().write_all(lines.as_bytes())).map_err(Trouble::Output)
    }

    /// Says something to whoever runs this.
    pub(crate) fn notice(&self, what: &str) {
        self.bar.suspend(|| eprintln!("panda: {what}"));
    }
}
