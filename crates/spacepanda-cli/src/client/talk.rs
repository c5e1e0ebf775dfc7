//! `panda send` and `panda read`.

use std::{
    io::{self, IsTerminal},
    time::Duration,
};

use mls_delivery::{GroupId, Rejection, Seq, hub::Topic};
use serde_json::json;
use spacepanda_core::core_mls::MlsHandle;
use spacepanda_sync::HistoryEntry;

use super::{
    Printer, Trouble,
    device::read_bytes,
    groups::name,
    options::{ReadOptions, SendOptions},
    printer::{hex, line, text},
    roles,
    session::Session,
};

/// Says something.
pub(crate) async fn send(options: &SendOptions, printer: &Printer) -> Result<(), Trouble> {
    let said = match (&options.text, &options.file) {
        (Some(text), _) => text.clone().into_bytes(),
        (None, Some(file)) => read_bytes(Some(file))?,
        (None, None) if io::stdin().is_terminal() => return Err(Trouble::Nothing),
        (None, None) => {
            let mut bytes = read_bytes(None)?;
            // The line's end is the shell's.
            if bytes.last() == Some(&b'\n') {
                bytes.pop();
            }
            bytes
        }
    };
    if said.is_empty() {
        return Err(Trouble::Nothing);
    }
    let mut session = Session::open(&options.common).await?;
    let group = session.find(&options.group, printer).await?;
    session.account.queue_message(&group, &said).map_err(|error| roles::explain(&group, error))?;
    let synced = session.sync(printer, Some(&group)).await;
    let (waiting, _) = session.account.waiting(&group)?;
    if waiting == 0 && synced.is_err() {
        // Whatever became of it, the error says.
        return synced.map(|_| ());
    }
    let state = if waiting == 0 { "sent" } else { "queued" };
    let value = json!({ "group": name(&group), "state": state, "waiting": waiting, "epoch": group.epoch() });
    printer.data(&value, &format!("{state} to {}", name(&group)))?;
    synced.map(|_| ())
}

/// Shows what was said, and what is said from now on if that is wanted.
pub(crate) async fn read(options: &ReadOptions, printer: &Printer) -> Result<(), Trouble> {
    if options.offline {
        let session = Session::offline(&options.common)?;
        let group = session.group(&options.group)?;
        return show(&session, &group, options, printer).map(|_| ());
    }
    let mut session = Session::open(&options.common).await?;
    let synced = session.sync(printer, None).await;
    // It may be a group that we are in only since now.
    let group = match session.group(&options.group) {
        Ok(group) => group,
        Err(trouble) => return synced.and(Err(trouble)),
    };
    let last = show(&session, &group, options, printer)?;
    if !options.follow {
        return synced.map(|_| ());
    }
    drop(synced);
    follow(&mut session, &group, (options, last), printer).await
}

fn show(
    session: &Session,
    group: &MlsHandle,
    options: &ReadOptions,
    printer: &Printer,
) -> Result<Option<Seq>, Trouble> {
    let history = session.account.history(group)?;
    let skipped = options.last.map_or(0, |last| history.len().saturating_sub(last));
    history.iter().skip(skipped).try_for_each(|said| one(said, printer))?;
    let last = history.last().map(|said| said.seq);
    last.map(|last| session.account.mark_seen(group, last)).transpose()?;
    Ok(last)
}

/// Until whoever runs this ends it, or we are out of the group.
async fn follow(
    session: &mut Session,
    group: &MlsHandle,
    (options, mut last): (&ReadOptions, Option<Seq>),
    printer: &Printer,
) -> Result<(), Trouble> {
    let mut told = false;
    let mut watch = None;
    while session.account.is_member(group) {
        let topics = vec![Topic::Log(GroupId::new(group.group_id())), Topic::Mailbox(session.account.device())];
        let hints = watch.get_or_insert_with(|| session.account.service().watch(topics));
        session.pause();
        // A hint may be lost: what it hints at is read now and then all the same.
        let _hint = tokio::time::timeout(PATIENCE, hints.next()).await;
        session.resume(&options.common)?;
        match session.sync(printer, Some(group)).await {
            Ok(_) => told = false,
            Err(Trouble::Service(rejection)) if rejection.retryable() || rejection == Rejection::Unauthenticated => {
                if !told {
                    printer.talk("the service cannot be reached; trying again until it can");
                    told = true;
                }
                watch = None;
                session.pause();
                tokio::time::sleep(PAUSE).await;
                session.resume(&options.common)?;
                session.reconnect().await?;
            }
            Err(trouble) => return Err(trouble),
        }
        for said in session.account.history(group)? {
            if last.is_none_or(|last| said.seq > last) {
                one(&said, printer)?;
                session.account.mark_seen(group, said.seq)?;
                last = Some(said.seq);
            }
        }
    }
    Ok(())
}

fn one(said: &HistoryEntry, printer: &Printer) -> Result<(), Trouble> {
    let (from, words) = (line(said.sender.as_slice()), text(said.text.as_slice()));
    let bytes = core::str::from_utf8(said.text.as_slice()).is_err().then(|| hex(said.text.as_slice()));
    let value = json!({
        "seq": said.seq.get(), "epoch": said.epoch, "received": said.received, "from": from,
        "text": words, "bytes": bytes,
    });
    printer.data(&value, &format!("{}: {words}", printer.strong(&from)))
}

/// Longer than the service answers a watch.
const PATIENCE: Duration = Duration::from_secs(40);
const PAUSE: Duration = Duration::from_secs(1);
