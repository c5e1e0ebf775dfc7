//! The terminal: taken for as long as the screen is shown, and given back as it was.

use std::{
    io::{self, Stdout},
    sync::{
        atomic::{AtomicBool, Ordering},
        mpsc::Sender,
    },
    time::Duration,
};

use ratatui_core::terminal::Terminal;
use ratatui_crossterm::{
    CrosstermBackend,
    crossterm::{
        cursor::Show,
        event::{self, DisableBracketedPaste, EnableBracketedPaste, KeyCode, KeyEvent, KeyEventKind, KeyModifiers},
        execute,
        terminal::{EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode},
    },
};

use super::{
    model::{Event, Key},
    worker::Report,
};

/// The terminal in raw mode, on its second screen. Dropping it gives it back.
pub(super) struct Screen {
    pub(super) terminal: Terminal<CrosstermBackend<Stdout>>,
}

impl Screen {
    pub(super) fn open() -> io::Result<Self> {
        enable_raw_mode()?;
        let opened = execute!(io::stdout(), EnterAlternateScreen, EnableBracketedPaste)
            .and_then(|()| Terminal::new(CrosstermBackend::new(io::stdout())));
        if opened.is_err() {
            give_back();
        }
        Ok(Self { terminal: opened? })
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        give_back();
    }
}

fn give_back() {
    // A terminal that is gone needs nothing.
    let _gone = execute!(io::stdout(), DisableBracketedPaste, LeaveAlternateScreen, Show);
    let _gone = disable_raw_mode();
}

/// Reads what the terminal sends, until it is told to stop, or there is nothing to read from any more.
pub(super) fn listen(stop: &AtomicBool, out: &Sender<Report>) {
    while !stop.load(Ordering::SeqCst) {
        let read = match event::poll(LOOK) {
            Ok(false) => continue,
            Ok(true) => event::read(),
            Err(error) => Err(error),
        };
        let event = match read {
            Ok(event) => meaning(event),
            // The terminal is gone, and with it whoever sat there.
            Err(_) => Some(Event::Key(Key::Quit)),
        };
        if event.is_some_and(|event| out.send(Report::Event(event)).is_err()) {
            return;
        }
    }
}

fn meaning(event: event::Event) -> Option<Event> {
    match event {
        event::Event::Key(key) if key.kind != KeyEventKind::Release => self::key(key).map(Event::Key),
        event::Event::Paste(text) => Some(Event::Pasted(text)),
        event::Event::Resize(width, height) => Some(Event::Resized(width, height)),
        _ => None,
    }
}

pub(super) fn key(key: KeyEvent) -> Option<Key> {
    let control = key.modifiers.contains(KeyModifiers::CONTROL);
    Some(match key.code {
        KeyCode::Char(letter) if control => match letter {
            'c' | 'q' | 'd' => Key::Quit,
            'n' => Key::NextGroup,
            'p' => Key::PreviousGroup,
            'g' => Key::Groups,
            'o' => Key::Members,
            'a' => Key::Home,
            'e' => Key::End,
            'w' => Key::DeleteWord,
            'u' => Key::DeleteLine,
            'h' => Key::Backspace,
            _ => return None,
        },
        KeyCode::Char(sign) if !key.modifiers.contains(KeyModifiers::ALT) => Key::Char(sign),
        KeyCode::Enter => Key::Enter,
        KeyCode::Backspace => Key::Backspace,
        KeyCode::Delete => Key::Delete,
        KeyCode::Left => Key::Left,
        KeyCode::Right => Key::Right,
        KeyCode::Home => Key::Home,
        KeyCode::End => Key::End,
        KeyCode::Up => Key::Up,
        KeyCode::Down => Key::Down,
        KeyCode::PageUp => Key::PageUp,
        KeyCode::PageDown => Key::PageDown,
        KeyCode::Tab => Key::NextGroup,
        KeyCode::BackTab => Key::PreviousGroup,
        KeyCode::F(2) => Key::Groups,
        KeyCode::F(3) => Key::Members,
        KeyCode::Esc => Key::Escape,
        _ => return None,
    })
}

/// How long to look for a key before looking whether to stop.
const LOOK: Duration = Duration::from_millis(100);
