//! Invites: codes to be handed over, and how they are used.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use mls_delivery::hub::Topic;
use serde_json::json;
use spacepanda_core::core_mls::{
    MlsError, MlsHandle,
    roles::{Denied, Right},
};
use spacepanda_sync::{Invite, InviteCode, Wish};

use super::{
    Printer, Trouble,
    device::read,
    groups,
    options::{InviteOptions, JoinOptions},
    printer::{from_hex, hex, printable, text},
    roles,
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
        let id_bytes = from_hex(id).unwrap_or_default();
        let known = session.account.revoke_open(&group, &id_bytes).await?
            || session.account.revoke_invite(&group, &id_bytes)?;
        return if known {
            printer.data(&json!({ "id": id, "state": "taken back" }), "taken back")
        } else {
            Err(Trouble::NoInvite(printable(id)))
        };
    }
    if !group.may(Right::Add)? {
        return Err(roles::explain(&group, MlsError::Denied(Denied::Right(Right::Add))));
    }
    // Whoever asks has to find the group at the service.
    session.sync(printer, Some(&group)).await?;
    let expires = now().saturating_add(options.hours.saturating_mul(3_600));
    let target = options.target.as_deref().map(str::as_bytes);
    let (invite, code) = if options.open {
        open(&mut session, &group, printer).await?;
        session.account.invite_open(&group, options.uses, expires, target).await?
    } else {
        session.account.invite(&group, options.uses, expires, target)?
    };
    let code = code.to_text()?;
    printer.data(&json!({ "id": hex(&invite.id), "code": code, "uses": invite.uses, "expires": expires }), &code)?;
    let (hours, uses) = (options.hours, options.uses);
    printer.talk(&format!("for {uses} device(s) and {hours} h; `panda group join` takes it. Keep it from others"));
    Ok(())
}

/// Lets others in who have a code, while nobody is there, if the group does not yet.
async fn open(session: &mut Session, group: &MlsHandle, printer: &Printer) -> Result<(), Trouble> {
    let policy = session.account.open_policy(group)?;
    if group.policy()?.as_ref() == Some(&policy) {
        return Ok(());
    }
    session.account.queue_wish(group, Wish::Policy(policy)).map_err(|error| roles::explain(group, error))?;
    session.sync(printer, Some(group)).await?;
    printer.talk(
        "the group is open now: who has such a code joins by itself, and the service can see who is in the group",
    );
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
    if code.is_open() {
        let group = session.account.join_open(&code).await?;
        session.sync(printer, Some(&group)).await?;
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
        "id": id, "state": state, "used": used, "uses": invite.uses, "expires": invite.expires, "open": invite.open == 1,
        "for": (!target.is_empty()).then_some(&target),
    });
    let whom = if target.is_empty() { "whoever has it" } else { &target };
    let uses =
        if invite.open == 1 { format!("{} uses", invite.uses) } else { format!("{used} of {} used", invite.uses) };
    printer.data(&value, &format!("{id}  {state}, {uses}, for {whom}"))
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs())
}
