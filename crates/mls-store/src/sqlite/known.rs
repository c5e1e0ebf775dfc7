//! The spaces and their revisions, as they were read last.
//!
//! Always: used only as long as the store is at the revision at which it was right, which the row of `meta` says, sealed.
//! Names of spaces are in it, and no secrets.

use std::collections::BTreeMap;

use super::{pages::Tree, session::Session};
use crate::{Revision, Section, Space, StoreError};

/// What is known of spaces.
#[derive(Default)]
pub(super) struct Known {
    /// Of the store, when this was right.
    at: u64,
    /// Whether it is all of them.
    complete: bool,
    spaces: BTreeMap<Space, Revision>,
}

impl Known {
    /// Of one space, if that is known.
    fn get(&self, at: u64, space: &Space) -> Option<Option<Revision>> {
        let known = (self.at == at).then_some(self)?;
        match known.spaces.get(space) {
            None if !known.complete => None,
            revision => Some(revision.copied()),
        }
    }

    /// Brings it to where the store is; what changed meanwhile is read.
    fn update(&mut self, at: u64, tree: &mut Tree<'_>) -> Result<(), StoreError> {
        if self.complete {
            let changed = tree.space_rows_after(Revision::new(self.at))?;
            self.spaces.extend(changed);
            // Of those that were deleted nothing is left to read.
            self.complete = tree.count_space_rows()? == self.spaces.len();
        }
        if !self.complete {
            self.spaces = tree.space_rows()?.into_iter().collect();
        }
        (self.at, self.complete) = (at, true);
        Ok(())
    }

    /// One space was read, by itself.
    fn add(&mut self, at: u64, space: &Space, revision: Option<Revision>) {
        if self.at != at {
            *self = Self { at, ..Self::default() };
        }
        self.spaces.extend(revision.map(|revision| (space.clone(), revision)));
    }

    /// A batch of ours has moved the store from one revision to the next.
    pub(super) fn moved(&mut self, batch: &[Section<'_>], revision: Revision) {
        if revision.get().checked_sub(1) == Some(self.at) {
            self.at = revision.get();
            self.spaces.extend(batch.iter().map(|section| (section.space.clone(), revision)));
        }
    }
}

impl Session {
    /// One space, or all.
    pub(super) fn spaces(&mut self, only: Option<&Space>) -> Result<Vec<(Space, Revision)>, StoreError> {
        let connection = self.connection.as_ref().ok_or(StoreError::Unavailable)?;
        let (transaction, meta) = self.keys.begin_reading(connection)?;
        let at = meta.revision;
        let Some(space) = only else {
            if self.known.at != at || !self.known.complete {
                self.known.update(at, &mut self.keys.tree(&transaction, &meta)?)?;
            }
            return Ok(self.known.spaces.iter().map(|(space, revision)| (space.clone(), *revision)).collect());
        };
        let revision = match self.known.get(at, space) {
            Some(revision) => revision,
            None => {
                let revision = self.keys.tree(&transaction, &meta)?.space_revision(space)?;
                self.known.add(at, space, revision);
                revision
            }
        };
        Ok(revision.map(|revision| (space.clone(), revision)).into_iter().collect())
    }
}
