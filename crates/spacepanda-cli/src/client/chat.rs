//! `panda chat`: groups, members and messages on the whole terminal.
//!
//! ```text
//! keys ────┐
//!          ├──> event ──> model ──> view ──> terminal
//! worker ──┘                 │
//!    ^                       │ effects
//!    └───────────────────────┘
//! ```

mod layout;
mod line;
mod model;
mod screen;
mod view;
mod worker;
mod wrap;

use std::{
    env,
    io::{self, IsTerminal},
    sync::{
        atomic::{AtomicBool, Ordering},
        mpsc::{self, Receiver, Sender},
    },
    thread,
};

use ratatui_core::{backend::Backend, terminal::Terminal};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use super::{Trouble, options::ChatOptions};
use model::{Effect, Model};
use screen::Screen;
use worker::{Order, Report};

/// Shows the screen until whoever sits there ends it.
pub(crate) fn run(options: &ChatOptions) -> Result<(), Trouble> {
    if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
        return Err(Trouble::NoTerminal);
    }
    let (out, reports) = mpsc::channel();
    let (orders, taken) = unbounded_channel();
    let stopped = AtomicBool::new(false);
    let stop = &stopped;
    thread::scope(|scope| {
        let keys = out.clone();
        let worker = scope.spawn(move || {
            let worked = work(options, taken, &out);
            let _shown = out.send(Report::Ended);
            worked
        });
        let shown = match reports.recv() {
            Ok(Report::Ready { who, selected }) => {
                let listener = move || scope.spawn(move || screen::listen(stop, &keys));
                show((who, selected), (&reports, &orders), listener)
            }
            _ => Ok(()),
        };
        stop.store(true, Ordering::SeqCst);
        drop(orders);
        let worked = worker.join().unwrap_or(Err(Trouble::System(io::Error::other("a thread ended early"))));
        shown.and(worked)
    })
}

fn work(
    options: &ChatOptions,
    orders: tokio::sync::mpsc::UnboundedReceiver<Order>,
    out: &Sender<Report>,
) -> Result<(), Trouble> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Trouble::System)?;
    runtime.block_on(worker::work(&options.common, options.group.as_deref(), orders, out))
}

type Lines<'a> = (&'a Receiver<Report>, &'a UnboundedSender<Order>);

fn show<T>(
    (who, selected): (String, Option<Vec<u8>>),
    lines: Lines<'_>,
    listen: impl FnOnce() -> T,
) -> Result<(), Trouble> {
    let mut screen = Screen::open().map_err(Trouble::Output)?;
    let size = screen.terminal.size().map_err(Trouble::Output)?;
    let _listening = listen();
    let mut model = Model::new(who, (size.width, size.height));
    let plain = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    talk(&mut screen.terminal, (&mut model, selected), !plain, lines).map_err(Trouble::Output)
}

/// Takes events until somebody ends it, and shows what has become of them.
fn talk<B: Backend<Error = io::Error>>(
    terminal: &mut Terminal<B>,
    (model, mut selected): (&mut Model, Option<Vec<u8>>),
    colours: bool,
    (reports, orders): Lines<'_>,
) -> io::Result<()> {
    loop {
        terminal.draw(|frame| view::draw(model, colours, frame))?;
        let Ok(first) = reports.recv() else { return Ok(()) };
        // What has come meanwhile is shown together.
        for report in core::iter::once(first).chain(reports.try_iter()) {
            let event = match report {
                Report::Event(event) => event,
                Report::Ready { .. } => continue,
                Report::Ended => return Ok(()),
            };
            for effect in model.update(event) {
                match effect {
                    Effect::Quit => return Ok(()),
                    // Without a worker the end is near.
                    Effect::Say { group, text } => drop(orders.send(Order::Say { group, text })),
                    Effect::Seen { group, seq } => drop(orders.send(Order::Seen { group, seq })),
                }
            }
            if !model.groups.is_empty()
                && let Some(id) = selected.take()
            {
                model.select(&id);
            }
        }
    }
}
