//! The demo's events, read one by one.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::finding::Finding;

/// What the lines said so far.
#[derive(Debug, Default)]
pub(crate) struct Transcript {
    /// Members of each epoch.
    rosters: BTreeMap<u64, BTreeSet<String>>,
    /// Texts of the messages that every other member read.
    pub(crate) texts: Vec<String>,
    /// The most members any epoch had.
    pub(crate) largest: usize,
    /// Members removed who could not read on.
    pub(crate) removed: usize,
    /// Whether the last line is the end, and says that all agreed on what was said.
    pub(crate) agreed: bool,
    pub(crate) findings: Vec<Finding>,
}

impl Transcript {
    /// Takes the next line.
    pub(crate) fn read(&mut self, line: usize, event: &Value) {
        self.agreed = false;
        let understood = match event.get("event").and_then(Value::as_str) {
            Some("epoch") => self.epoch(event),
            Some("message") => self.message(event),
            Some("removed") => self.removal(event),
            Some("done") => self.done(event),
            Some(_) => Some(Ok(())),
            None => None,
        };
        match understood {
            Some(Ok(())) => {}
            Some(Err(what)) => self.findings.push(Finding::new("demo", line, what)),
            None => self.findings.push(Finding::new("demo", line, "a field is missing or of the wrong type")),
        }
    }

    fn epoch(&mut self, event: &Value) -> Option<Result<(), &'static str>> {
        let epoch = event.get("epoch")?.as_u64()?;
        let members = names(event.get("members")?)?;
        let authenticator = event.get("authenticator")?.as_str()?;
        self.largest = self.largest.max(members.len());
        if self.rosters.last_key_value().is_some_and(|(last, _)| *last >= epoch) {
            return Some(Err("epochs do not advance"));
        }
        self.rosters.insert(epoch, members);
        Some(if authenticator.is_empty() { Err("no epoch authenticator") } else { Ok(()) })
    }

    fn message(&mut self, event: &Value) -> Option<Result<(), &'static str>> {
        let epoch = event.get("epoch")?.as_u64()?;
        let from = event.get("from")?.as_str()?;
        let text = event.get("text")?.as_str()?;
        let read_by = names(event.get("read_by")?)?;
        let Some(mut others) = self.rosters.get(&epoch).cloned() else { return Some(Err("an epoch never announced")) };
        if !others.remove(from) {
            return Some(Err("sent by somebody who is not a member"));
        }
        if read_by != others || others.is_empty() {
            return Some(Err("not read by every other member, and by nobody else"));
        }
        self.texts.push(text.to_owned());
        Some(Ok(()))
    }

    fn removal(&mut self, event: &Value) -> Option<Result<(), &'static str>> {
        event.get("who")?.as_str()?;
        if event.get("could_read")?.as_bool()? {
            return Some(Err("the removed member could still read"));
        }
        self.removed = self.removed.saturating_add(1);
        Some(Ok(()))
    }

    fn done(&mut self, event: &Value) -> Option<Result<(), &'static str>> {
        let messages = event.get("messages")?.as_u64()?;
        self.agreed = event.get("agreed")?.as_bool()?;
        let counted = u64::try_from(self.texts.len()).is_ok_and(|count| count == messages);
        Some(if counted { Ok(()) } else { Err("the number of messages is not the number that all read") })
    }
}

/// A list of distinct names.
fn names(value: &Value) -> Option<BTreeSet<String>> {
    let list = value.as_array()?;
    let names: BTreeSet<String> = list.iter().map(|name| name.as_str().map(str::to_owned)).collect::<Option<_>>()?;
    (names.len() == list.len()).then_some(names)
}
