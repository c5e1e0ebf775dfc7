//! Invites: codes to be handed over, and how they are used.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use mls_delivery::hub::Topic;
use serde_json::json;
use spacepanda_core::core_mls::MlsHandle;
use spacepanda_sync::{Invite, InviteCode};

use super::{
    Printer, Trouble,
    device::read,
    groups,
    options::{InviteOptions, JoinOptions},
    printer::{from_hex, hex, printable, text},
    session::Session,
};

/// Makes an invite, lists them, or takes one back.
pub(crate) async fn invite(options: &InviteOptions, printer: &Printer) -> Result<(), Trouble> {
    let mut session = Session::open(&options.common).await?;
    let group = session.find(&options.group, printer).await?;
    if options.list {
        let now = now();
        return session.account.invites(&group)?.iter().try_for_each(|invite| show(invite, now, printer));
    }
    if let Some(id) = &options.revoke {
        let known = from_hex(id).is_some_and(|id| session.account.revoke_invite(&group, &id).unwrap_or(false));
        return if known {
            printer.data(&json!({ "id": id, "state": "taken back" }), "taken back")
        } else {
            Err(Trouble::NoInvite(printable(id)))
        };
    }
    // Whoever asks has to find the group at the service.
    session.sync(printer, Some(&group)).await?;
    let expires = now().saturating_add(options.hours.saturating_mul(3_600));
    let target = options.target.as_deref().map(str::as_bytes);
    let (invite, code) = session.account.invite(&group, options.uses, expires, target)?;
    let code = code.to_text()?;
    printer.data(&json!({ "id": hex(&invite.id), "code": code, "uses": invite.uses, "expires": expires }), &code)?;
    let (hours, uses) = (options.hours, options.uses);
    printer.talk(&format!("for {uses} device(s) and {hours} h; `panda group join` takes it. Keep it from others"));
    Ok(())
}

/// Asks to be let in, and waits if that is wanted.
pub(crate) async fn join(options: &JoinOptions, printer: &Printer) -> Result<(), Trouble> {
    let code = InviteCode::from_text(&read(options.file.as_deref())?)?;
    let mut session = Session::open(&options.common).await?;
    session.enrol_if_needed().await?;
    if let Some(group) = member_of(&session, code.group_id()) {
        return groups::show(&session, &group, printer);
    }
    session.account.ask_to_join(&code).await?;
    let mut watch = session.account.service().watch(vec![Topic::Mailbox(session.account.device())]);
    let waited = tokio::time::timeout(Duration::from_secs(options.wait), async {
        loop {
            session.sync(printer, None).await?;
            if let Some(group) = member_of(&session, code.group_id()) {
                return Ok::<_, Trouble>(group);
            }
            watch.next().await;
        }
    });
    match waited.await {
        Ok(joined) => groups::show(&session, &joined?, printer),
        Err(_) => {
            let asked = json!({ "id": hex(code.group_id()), "state": "asked" });
            printer.data(&asked, "asked; you are in as soon as a command runs where the invite was made")
        }
    }
}

fn member_of(session: &Session, id: &[u8]) -> Option<MlsHandle> {
    session.account.client().group(id).ok().filter(|group| session.account.is_member(group))
}

fn show(invite: &Invite, now: u64, printer: &Printer) -> Result<(), Trouble> {
    let used = invite.used_by.len();
    let state = match (invite.revoked, now < invite.expires) {
        (0, true) if used < usize::try_from(invite.uses).unwrap_or(usize::MAX) => "open",
        (0, true) => "used up",
        (0, false) => "over",
        _ => "taken back",
    };
    let (id, target) = (hex(&invite.id), text(invite.target.as_slice()));
    let value = json!({
        "id": id, "state": state, "used": used, "uses": invite.uses, "expires": invite.expires,
        "for": (!target.is_empty()).then_some(&target),
    });
    let whom = if target.is_empty() { "whoever has it" } else { &target };
    printer.data(&value, &format!("{id}  {state}, {used} of {} used, for {whom}", invite.uses))
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs())
}
