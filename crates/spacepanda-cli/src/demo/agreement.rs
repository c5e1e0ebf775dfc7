//! Whether members agree. Nothing here acts; it only compares.
//!
//! In: what was said, and what each member reports about it. Out: who read it, and whether that is everybody.
//! Always: silence, an error and another text count alike: as not having read.

use spacepanda_core::core_mls::MlsError;

use super::member::{Hearing, Name, View};

/// A message as its sender meant it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Said<'a> {
    pub(crate) epoch: u64,
    pub(crate) from: &'a Name,
    pub(crate) text: &'a str,
}

/// What a member understood, or why it did not.
pub(crate) type Heard = (Name, Result<Hearing, MlsError>);

/// Who read a message.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Reading {
    /// Members other than the sender who read exactly what was said, in the order of the roster.
    pub(crate) read_by: Vec<Name>,
    /// Whether these are all others, nobody else read anything, and the sender remembers it in the same way.
    pub(crate) agreed: bool,
}

/// Compares what was said with what was heard in a group with this roster.
pub(crate) fn reading(said: &Said<'_>, heard: &[Heard], roster: &[Name]) -> Reading {
    let understood = |name: &Name| {
        let mut hearings = heard.iter().filter(|(by, _)| by == name).map(|(_, hearing)| hearing);
        let exact =
            hearings.next().is_some_and(|hearing| hearing.as_ref().is_ok_and(|hearing| is_exact(said, hearing)));
        exact && hearings.next().is_none()
    };
    let read_by = roster.iter().filter(|name| *name != said.from && understood(name)).cloned().collect();
    let agreed = heard.len() == roster.len() && roster.iter().all(understood);
    Reading { read_by, agreed }
}

fn is_exact(said: &Said<'_>, hearing: &Hearing) -> bool {
    hearing.epoch == said.epoch && *hearing.from == **said.from && hearing.text == said.text.as_bytes()
}

/// Whether everybody in `roster` has the same view of `epoch`, and it is the one with this roster.
pub(crate) fn same_view(epoch: u64, views: &[(Name, View)], roster: &[Name]) -> bool {
    let Some((_, first)) = views.first() else { return false };
    let seen_by_all = views.len() == roster.len() && roster.iter().all(|name| views.iter().any(|(by, _)| by == name));
    let is_roster = first.members.iter().map(String::as_str).eq(roster.iter().map(|name| &**name));
    let same = views.iter().all(|(_, view)| view == first);
    seen_by_all && is_roster && same && first.epoch == epoch && !first.authenticator.is_empty()
}

#[cfg(test)]
mod tests;
