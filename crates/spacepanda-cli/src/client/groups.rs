//! `panda group`: found, look at and change groups. People are named by their names.

use serde_json::{Value, json};
use spacepanda_core::core_mls::{MlsError, MlsHandle};
use spacepanda_sync::{DeviceTrust, Wish, safety_number};

use super::{
    Common, Printer, Trouble,
    options::{CreateOptions, NamedOptions, PersonOptions, PolicyChoice, RenameOptions},
    printer::{hex, line, one_line},
    roles,
    session::Session,
    verify,
};

/// Founds a group.
pub(crate) async fn create(options: &CreateOptions, printer: &Printer) -> Result<(), Trouble> {
    let mut session = Session::open(&options.common).await?;
    let group = match options.policy {
        PolicyChoice::Open => session.account.create_group(&options.group)?,
        PolicyChoice::Roles => session.account.create_group_with_roles(&options.group)?,
    };
    session.sync(printer, Some(&group)).await?;
    show(&session, &group, printer)
}

/// Lists all groups, those that we left too.
pub(crate) fn list(common: &Common, printer: &Printer) -> Result<(), Trouble> {
    let session = Session::offline(common)?;
    for id in session.account.client().groups()? {
        let group = session.account.client().group(&id)?;
        let value = summary(&session, &group)?;
        let state = value.get("state").and_then(Value::as_str).unwrap_or_default().to_owned();
        let name = printer.strong(&name(&group));
        let (members, short) = (group.member_count(), hex(&id).chars().take(12).collect::<String>());
        printer.data(&value, &format!("{name}  {short}  {members} devices, epoch {}, {state}", group.epoch()))?;
    }
    Ok(())
}

/// Shows one group, as it is now.
pub(crate) async fn info(options: &NamedOptions, printer: &Printer) -> Result<(), Trouble> {
    let mut session = Session::open(&options.common).await?;
    let group = session.find(&options.group, printer).await?;
    let synced = session.sync(printer, Some(&group)).await;
    show(&session, &group, printer)?;
    synced.map(|_| ())
}

/// Lists the people of a group, with their devices.
pub(crate) async fn members(options: &NamedOptions, printer: &Printer) -> Result<(), Trouble> {
    let mut session = Session::open(&options.common).await?;
    let group = session.find(&options.group, printer).await?;
    let synced = session.sync(printer, Some(&group)).await;
    let trust = DeviceTrust::open(session.store.clone())?;
    for member in group.members() {
        let device = session.account.device_of(&group, &member.signature_key)?;
        let (who, safety) = (line(&member.identity), safety_number(device.as_slice()));
        let (own, role) = (device == session.account.device(), member.role.map(roles::name));
        let compared = verify::word(trust.compared_in(&group, &member.identity));
        let value = json!({
            "name": who, "role": role, "device": device.to_string(), "safety": safety, "own": own, "keys": compared,
        });
        let role = role.map(|role| format!("  {role}")).unwrap_or_default();
        let mark = match (own, compared) {
            (true, _) => "  (this device)".to_owned(),
            (false, "unverified") => String::new(),
            (false, compared) => format!("  ({compared})"),
        };
        printer.data(&value, &format!("{}{role}  {safety}{mark}", printer.strong(&who)))?;
    }
    synced.map(|_| ())
}

/// Adds a person.
pub(crate) async fn add(options: &PersonOptions, printer: &Printer) -> Result<(), Trouble> {
    change(&options.common, &options.group, Wish::Add(options.person.as_bytes().to_vec()), printer).await
}

/// Removes a person.
pub(crate) async fn remove(options: &PersonOptions, printer: &Printer) -> Result<(), Trouble> {
    change(&options.common, &options.group, Wish::Remove(options.person.as_bytes().to_vec()), printer).await
}

/// Renames a group.
pub(crate) async fn rename(options: &RenameOptions, printer: &Printer) -> Result<(), Trouble> {
    change(&options.common, &options.group, Wish::Rename(options.name.clone()), printer).await
}

/// Renews our keys.
pub(crate) async fn rotate(options: &NamedOptions, printer: &Printer) -> Result<(), Trouble> {
    change(&options.common, &options.group, Wish::Rotate, printer).await
}

/// Leaves a group. The last one to leave takes it along.
pub(crate) async fn leave(options: &NamedOptions, printer: &Printer) -> Result<(), Trouble> {
    let mut session = Session::open(&options.common).await?;
    let group = session.find(&options.group, printer).await?;
    if !session.account.is_member(&group) {
        return show(&session, &group, printer);
    }
    if !session.account.is_leaving(&group)? {
        session.account.queue_wish(&group, Wish::Leave)?;
    }
    let synced = session.sync(printer, Some(&group)).await;
    if let Err(MlsError::UnknownGroup) = session.account.client().group(&group.group_id()) {
        synced?;
        return printer.data(&json!({ "state": "left" }), "left; nobody else was in it");
    }
    show(&session, &group, printer)?;
    synced?;
    if session.account.is_member(&group) {
        printer.talk("you are out as soon as anybody else of the group is there");
    }
    Ok(())
}

async fn change(common: &Common, group: &str, wish: Wish, printer: &Printer) -> Result<(), Trouble> {
    let mut session = Session::open(common).await?;
    let group = session.find(group, printer).await?;
    session.account.queue_wish(&group, wish).map_err(|error| roles::explain(&group, error))?;
    session.sync(printer, Some(&group)).await?;
    show(&session, &group, printer)
}

/// What is to be said about a group.
pub(crate) fn show(session: &Session, group: &MlsHandle, printer: &Printer) -> Result<(), Trouble> {
    let value = summary(session, group)?;
    let field = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut who: Vec<String> = group.members().iter().map(|member| line(&member.identity)).collect();
    who.dedup();
    let role = value.get("role").and_then(Value::as_str).map(|role| format!("\nrole     {role}")).unwrap_or_default();
    let (name, epoch) = (printer.strong(&name(group)), group.epoch());
    let (state, safety, id) = (field("state"), field("safety"), field("id"));
    let lines = format!(
        "{name}\nmembers  {}\nepoch    {epoch}\nsafety   {safety}{role}\nstate    {state}\nid       {id}",
        who.join(", ")
    );
    printer.data(&value, &lines)
}

fn summary(session: &Session, group: &MlsHandle) -> Result<Value, Trouble> {
    let safety = group.epoch_authenticator().map(|bytes| safety_number(&bytes)).unwrap_or_default();
    let (messages, wishes) = session.account.waiting(group)?;
    let state = state(session, group)?;
    let members: Vec<String> = group.members().iter().map(|member| line(&member.identity)).collect();
    let own = group.own_identity();
    let role = group.policy()?.map(|policy| roles::name(policy.role(own)));
    Ok(json!({
        "id": hex(&group.group_id()), "name": name(group), "epoch": group.epoch(), "members": members,
        "safety": safety, "role": role, "state": state, "waiting": messages.saturating_add(wishes),
    }))
}

/// In what state it is, in a word or two.
pub(crate) fn state(session: &Session, group: &MlsHandle) -> Result<&'static str, Trouble> {
    let (messages, wishes) = session.account.waiting(group)?;
    Ok(match (session.account.is_member(group), session.account.is_leaving(group)?) {
        (false, _) => "left",
        (true, true) => "leaving",
        (true, false) if group.is_read_only()? => "read-only",
        (true, false) if messages > 0 || wishes > 0 => "waiting to send",
        (true, false) => "in step",
    })
}

pub(crate) fn name(group: &MlsHandle) -> String {
    one_line(&group.group_name().unwrap_or_else(|| hex(&group.group_id())))
}
