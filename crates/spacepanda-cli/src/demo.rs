//! `panda demo`: a real conversation in a group, on real input.
//!
//! In: lines of standard input. Out: who said what and who read it, epoch by epoch.
//! Always: every member has a store of its own, and the next run goes on in the same group; exit status 0 only if every member agreed about everything and the removed one could read nothing.
//!
//! ```text
//! script ─ lines ─> conductor ─ orders ─> member 1..N ─ envelopes ─> delivery
//!                       │  └──< reports ─────┘ └──< same order for all ──┘
//!                     screen
//! ```

mod agreement;
mod cast;
mod conductor;
mod delivery;
mod event;
mod member;
mod network;
mod place;
mod screen;
mod script;
mod text;
mod trial;
mod trouble;

use std::{
    io::{self, BufReader, IsTerminal},
    process::ExitCode,
};

use spacepanda_core::core_mls::MlsConfig;

use crate::{
    cli::{DemoOptions, Suite},
    home::Home,
};

use cast::Cast;
use conductor::{Conductor, Tally};
use event::Event;
use place::Place;
use screen::Screen;
use script::Script;
use trouble::Trouble;

/// Holds the conversation; what it came to is the exit status.
pub(crate) fn run(options: &DemoOptions) -> ExitCode {
    let (mut screen, mut tally) = (Screen::new(options.json), Tally::START);
    let outcome = hold(options, &mut screen, &mut tally).and_then(|()| conclude(&mut screen, &tally));
    if let Err(trouble) = outcome {
        tally.agreed = false;
        // Who reads the lines learns that it was not brought to its end; if even that cannot be written, there is still
        // the exit status.
        let _ = conclude(&mut screen, &tally);
        screen.notice(&trouble.to_string());
    }
    status(&tally)
}

fn conclude(screen: &mut Screen, tally: &Tally) -> Result<(), Trouble> {
    let Tally { messages, epochs, conflicts, agreed } = *tally;
    screen.show(&Event::Done { messages, agreed, epochs, conflicts })
}

fn hold(options: &DemoOptions, screen: &mut Screen, tally: &mut Tally) -> Result<(), Trouble> {
    let mut script = script(screen)?;
    let (lines, all_known) = script.known();
    screen.expect(lines, all_known);
    if options.network {
        return network::hold(options.members, &mut script, screen, tally);
    }
    let config = match options.suite {
        Suite::Hybrid => MlsConfig::default(),
        Suite::Interop => MlsConfig::interop(),
    };
    let place = place(options, screen)?;
    let cast = Cast::start(options.members, &config, &place)?;
    Conductor::new(cast, screen, tally).hold(&mut script)?;
    if script.mended > 0 {
        screen
            .notice(&format!("lines that were not UTF-8: {}; what is not text was replaced by U+FFFD", script.mended));
    }
    Ok(())
}

/// Where the members keep their state; emptied if that is wanted.
fn place(options: &DemoOptions, screen: &Screen) -> Result<Place, Trouble> {
    if options.memory {
        return Ok(Place::Memory);
    }
    let suite = match options.suite {
        Suite::Hybrid => "hybrid",
        Suite::Interop => "interop",
    };
    let dir = format!("demo/{suite}-{}", options.members);
    let home = Home::open(&options.home, || screen.notice("another panda uses this home; waiting until it ends"))?;
    Ok(Place::Home { home, dir, fresh: options.fresh })
}

fn script(screen: &Screen) -> Result<Script, Trouble> {
    let input = io::stdin();
    if input.is_terminal() {
        return Ok(Script::built_in());
    }
    let script = Script::of(BufReader::new(input)).map_err(Trouble::Input)?;
    if script.is_empty() {
        screen.notice("no lines on standard input; here is a conversation of our own");
        return Ok(Script::built_in());
    }
    Ok(script)
}

/// Anything but agreement is a failure.
const fn status(tally: &Tally) -> ExitCode {
    if tally.agreed { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

#[cfg(test)]
mod tests;
