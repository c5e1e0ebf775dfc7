//! `panda group log`: who did what in a group.

use serde_json::json;
use spacepanda_core::core_mls::{AuditAct, AuditEntry};

use super::{
    Printer, Trouble,
    options::NamedOptions,
    printer::{line, one_line},
    roles,
    session::Session,
};

/// Checks the whole log, and shows it.
pub(crate) fn log(options: &NamedOptions, printer: &Printer) -> Result<(), Trouble> {
    let session = Session::offline(&options.common)?;
    let group = session.group(&options.group)?;
    group.verify_audit()?;
    let (mut from, count) = (0, group.audit_len()?);
    while from < count {
        let page = group.audit_log(from, PAGE)?;
        let Some(last) = page.last() else { break };
        from = last.number.saturating_add(1);
        page.iter().try_for_each(|entry| show(entry, printer))?;
    }
    Ok(())
}

fn show(entry: &AuditEntry, printer: &Printer) -> Result<(), Trouble> {
    let (who, acts) = (line(&entry.identity), entry.acts.iter().map(act).collect::<Vec<_>>());
    let value = json!({ "number": entry.number, "epoch": entry.epoch, "at": entry.at, "by": who, "acts": acts });
    printer.data(&value, &format!("epoch {}  {}  {}", entry.epoch, printer.strong(&who), acts.join(", ")))
}

fn act(act: &AuditAct) -> String {
    match act {
        AuditAct::Created => "founded the group".to_owned(),
        AuditAct::Joined => "joined: what was before is not known here".to_owned(),
        AuditAct::Added { identity, .. } => format!("added {}", line(identity)),
        AuditAct::Removed { identity, .. } => format!("removed {}", line(identity)),
        AuditAct::Updated { .. } => "renewed keys".to_owned(),
        AuditAct::Renamed { name: Some(name) } => format!("called the group {}", one_line(name)),
        AuditAct::Renamed { name: None } => "took the group's name away".to_owned(),
        AuditAct::RoleChanged { identity, role } => format!("made {} {}", line(identity), roles::name(*role)),
        AuditAct::PolicyChanged => "changed what roles may do".to_owned(),
        AuditAct::PskInjected => "mixed in a key shared before".to_owned(),
        AuditAct::ReInitialized => "ended the group, to continue it".to_owned(),
        AuditAct::WeWereRemoved => "let us go".to_owned(),
        _ => "changed something else".to_owned(),
    }
}

/// Entries that are read at once.
const PAGE: u64 = 256;
