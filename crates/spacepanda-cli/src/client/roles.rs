//! `panda group roles`, `promote` and `demote`; and who may do what somebody was refused.

use serde_json::{Map, Value, json};
use spacepanda_core::core_mls::{
    MlsError, MlsHandle,
    roles::{Denied, GroupPolicy, Rank, Right, Role},
};
use spacepanda_sync::{SyncError, Wish};

use super::{
    Printer, Trouble,
    options::{RoleOptions, RolesOptions},
    printer::{line, one_line},
    session::Session,
};

/// Shows the roles of a group, or gives it some.
pub(crate) async fn roles(options: &RolesOptions, printer: &Printer) -> Result<(), Trouble> {
    let mut session = Session::open(&options.common).await?;
    let group = session.find(&options.group, printer).await?;
    if options.introduce {
        if group.policy()?.is_some() {
            return Err(Trouble::HasRoles);
        }
        let policy = GroupPolicy::new(group.own_identity());
        session.account.queue_wish(&group, Wish::Policy(policy)).map_err(|error| explain(&group, error))?;
    }
    let synced = session.sync(printer, Some(&group)).await;
    match group.policy()? {
        Some(policy) => show(&group, &policy, printer)?,
        // Without the service it waits.
        None if options.introduce => return synced.map(|_| ()),
        None => return synced.and(Err(SyncError::NoRoles.into())),
    }
    synced.map(|_| ())
}

/// Gives a higher role.
pub(crate) async fn promote(options: &RoleOptions, printer: &Printer) -> Result<(), Trouble> {
    give(options, true, printer).await
}

/// Gives a lower role.
pub(crate) async fn demote(options: &RoleOptions, printer: &Printer) -> Result<(), Trouble> {
    give(options, false, printer).await
}

async fn give(options: &RoleOptions, up: bool, printer: &Printer) -> Result<(), Trouble> {
    let mut session = Session::open(&options.common).await?;
    let group = session.find(&options.group, printer).await?;
    let user = options.person.as_bytes();
    let policy = group.policy()?.ok_or(SyncError::NoRoles)?;
    if group.devices_of(user).is_empty() {
        return Err(SyncError::NoSuchMember.into());
    }
    let is = policy.role(user);
    let next = if up { above(is) } else { below(is) };
    let wanted = options.to.map(Role::from).or(next).filter(|role| *role != is && (*role > is) == up);
    let role = wanted.ok_or_else(|| Trouble::NoSuchStep { person: one_line(&options.person), is: name(is), up })?;
    let wish = Wish::Role { user: user.to_vec(), role };
    session.account.queue_wish(&group, wish).map_err(|error| explain(&group, error))?;
    session.sync(printer, Some(&group)).await?;
    if let Some(policy) = group.policy()? {
        show(&group, &policy, printer)?;
    }
    Ok(())
}

fn above(role: Role) -> Option<Role> {
    Role::ALL.into_iter().find(|other| *other > role)
}

fn below(role: Role) -> Option<Role> {
    Role::ALL.into_iter().rev().find(|other| *other < role)
}

fn show(group: &MlsHandle, policy: &GroupPolicy, printer: &Printer) -> Result<(), Trouble> {
    let mut who: Vec<(String, Role)> =
        group.members().iter().map(|member| (line(&member.identity), policy.role(&member.identity))).collect();
    who.sort_by(|(first, high), (second, low)| low.cmp(high).then_with(|| first.cmp(second)));
    who.dedup();
    let rights: Map<String, Value> =
        Right::ALL.into_iter().map(|right| (verb(right).to_owned(), json!(holders(policy, right)))).collect();
    let members: Map<String, Value> = who.iter().map(|(who, role)| (who.clone(), json!(name(*role)))).collect();
    let value = json!({ "roles": members, "everybody": name(policy.everybody()), "rights": rights });
    let width = who.iter().map(|(who, _)| who.chars().count()).max().unwrap_or_default();
    let mut lines: Vec<String> = who
        .iter()
        .map(|(who, role)| format!("{}  {}", printer.strong(&format!("{who:<width$}")), name(*role)))
        .collect();
    lines.push(format!("who is added is {} {}", article(policy.everybody()), name(policy.everybody())));
    for right in Right::ALL {
        let holders = holders(policy, right);
        if !holders.is_empty() {
            lines.push(format!("to {}: {}", verb(right), holders.join(", ")));
        }
    }
    printer.data(&value, &lines.join("\n"))
}

/// The roles that have a right, from the highest.
fn holders(policy: &GroupPolicy, right: Right) -> Vec<&'static str> {
    let has = |role: &Role| policy.rights(Rank::Member(*role)).has(right);
    let mut holders: Vec<&str> = Role::ALL.into_iter().rev().filter(has).map(name).collect();
    holders.extend(policy.rights(Rank::Outsider).has(right).then_some("whoever has a code"));
    holders
}

/// What was refused by the group's table, with the name of what is missing and of those who have it.
pub(crate) fn explain(group: &MlsHandle, error: impl Into<Trouble>) -> Trouble {
    match error.into() {
        Trouble::Group(MlsError::Denied(denied)) => match group.policy() {
            Ok(Some(policy)) => refusal(group, &policy, denied),
            _ => Trouble::Group(MlsError::Denied(denied)),
        },
        other => other,
    }
}

fn refusal(group: &MlsHandle, policy: &GroupPolicy, denied: Denied) -> Trouble {
    let own = policy.role(group.own_identity());
    let rule = match denied {
        Denied::Right(right) => format!("{} {} may not {}", article(own), name(own), verb(right)),
        Denied::Rank(right) => format!("{} {} may {}, of those below only", article(own), name(own), verb(right)),
        other => return Trouble::Group(MlsError::Denied(other)),
    };
    let above = |role: Role| matches!(denied, Denied::Right(_)) || role > own;
    let right = denied.right();
    let may = |role: Role| right.is_some_and(|right| policy.rights(Rank::Member(role)).has(right)) && above(role);
    let mut who: Vec<String> = Vec::new();
    for member in group.members() {
        let (named, role) = (line(&member.identity), policy.role(&member.identity));
        let entry = format!("{named} ({})", name(role));
        if may(role) && !who.contains(&entry) {
            who.push(entry);
        }
    }
    let more = who.len().saturating_sub(MAX_NAMED);
    who.truncate(MAX_NAMED);
    let more = if more == 0 { String::new() } else { format!(" or {more} more") };
    let next = if who.is_empty() { "nobody in it does".to_owned() } else { format!("ask {}{more}", who.join(" or ")) };
    Trouble::Denied { denied, rule, next }
}

const fn article(role: Role) -> &'static str {
    match role {
        Role::Observer | Role::Admin | Role::Owner => "an",
        _ => "a",
    }
}

/// A role in a word.
pub(crate) const fn name(role: Role) -> &'static str {
    match role {
        Role::Observer => "observer",
        Role::Member => "member",
        Role::Moderator => "moderator",
        Role::Admin => "admin",
        Role::Owner => "owner",
    }
}

/// What a right allows, in words.
const fn verb(right: Right) -> &'static str {
    match right {
        Right::Send => "say something",
        Right::Commit => "carry out changes",
        Right::Add => "add people",
        Right::Remove => "remove people",
        Right::ChangeRoles => "give roles",
        Right::Rename => "rename the group",
        Right::Configure => "set sizes and senders from outside",
        Right::Admit => "let in those who ask from outside",
        Right::Rejoin => "come back by themselves",
        Right::Join => "join by themselves",
        Right::Psk => "mix in keys shared before",
        Right::ReInit => "end the group and continue it",
        Right::Govern => "change this table",
        _ => "do that",
    }
}

/// People named in an error.
const MAX_NAMED: usize = 5;
