//! Files as a machine sees them, and as they would be after power loss.
//!
//! In: steps. Out: contents. Always: what no sync has made durable is kept apart, change by change, in order.

use std::{collections::BTreeMap, sync::Arc};

/// A file, whatever its name is at the moment.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct FileId(pub(crate) usize);

/// One change of state; the disk numbers them.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Step {
    /// A new empty file, with a name unless it is a temporary one; a folder if the name ends with `/`.
    Create {
        name: Option<String>,
    },
    Write {
        file: FileId,
        offset: usize,
        bytes: Arc<[u8]>,
    },
    SetLen {
        file: FileId,
        len: usize,
    },
    Sync {
        file: FileId,
    },
    Remove {
        name: String,
    },
    Rename {
        from: String,
        to: String,
    },
    SyncFolder {
        folder: String,
    },
}

impl Step {
    /// Whether it needs room on the disk.
    pub(crate) const fn grows(&self) -> bool {
        matches!(self, Self::Create { .. } | Self::Write { .. })
    }

    /// Whether it makes earlier steps durable, instead of changing something.
    pub(crate) const fn is_sync(&self) -> bool {
        matches!(self, Self::Sync { .. } | Self::SyncFolder { .. })
    }
}

/// A change of a file that is not durable yet.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    /// Orders the changes of all files.
    pub(crate) moment: u64,
    pub(crate) kind: ChangeKind,
}

#[derive(Clone, Debug)]
pub(crate) enum ChangeKind {
    Write { offset: usize, bytes: Arc<[u8]> },
    SetLen(usize),
}

/// One file.
#[derive(Clone, Debug, Default)]
pub(crate) struct Node {
    /// The last name it had.
    pub(crate) name: String,
    pub(crate) now: Vec<u8>,
    pub(crate) durable: Vec<u8>,
    pub(crate) pending: Vec<Change>,
}

/// A change of the names that is not durable yet.
#[derive(Clone, Debug)]
pub(crate) struct NameChange {
    pub(crate) moment: u64,
    pub(crate) removed: Option<String>,
    pub(crate) added: Option<(String, FileId)>,
}

/// All files.
#[derive(Clone, Debug, Default)]
pub(crate) struct State {
    pub(crate) nodes: Vec<Node>,
    pub(crate) names: BTreeMap<String, FileId>,
    pub(crate) durable_names: BTreeMap<String, FileId>,
    pub(crate) pending_names: Vec<NameChange>,
    /// Files whose name starts with this never hold noise.
    pub(crate) spared: Option<String>,
    moment: u64,
}

impl State {
    /// Does a step. What it names exists.
    pub(crate) fn apply(&mut self, step: &Step) {
        self.moment = self.moment.saturating_add(1);
        match step {
            Step::Create { name } => self.create(name.as_deref()),
            Step::Write { file, offset, bytes } => {
                self.change(*file, ChangeKind::Write { offset: *offset, bytes: Arc::clone(bytes) });
            }
            Step::SetLen { file, len } => self.change(*file, ChangeKind::SetLen(*len)),
            Step::Sync { file } => self.sync(*file),
            Step::Remove { name } => {
                self.change_names(Some(name.clone()), None);
            }
            Step::Rename { from, to } => {
                if let Some(file) = self.names.get(from).copied() {
                    self.change_names(Some(from.clone()), Some((to.clone(), file)));
                }
            }
            Step::SyncFolder { folder } => self.sync_folder(folder),
        }
    }

    pub(crate) fn node(&self, file: FileId) -> Option<&Node> {
        self.nodes.get(file.0)
    }

    /// The id that the next created file will have.
    pub(crate) const fn next_id(&self) -> FileId {
        FileId(self.nodes.len())
    }

    fn create(&mut self, name: Option<&str>) {
        let file = self.next_id();
        self.nodes.push(Node::default());
        if let Some(name) = name {
            self.change_names(None, Some((name.to_owned(), file)));
        }
    }

    fn change(&mut self, file: FileId, kind: ChangeKind) {
        let moment = self.moment;
        if let Some(node) = self.nodes.get_mut(file.0) {
            kind.apply(&mut node.now);
            node.pending.push(Change { moment, kind });
        }
    }

    fn sync(&mut self, file: FileId) {
        if let Some(node) = self.nodes.get_mut(file.0) {
            for change in node.pending.drain(..) {
                change.kind.apply(&mut node.durable);
            }
        }
    }

    /// Makes everything durable.
    pub(crate) fn settle(&mut self) {
        for file in 0..self.nodes.len() {
            self.sync(FileId(file));
        }
        self.pending_names.clear();
        self.durable_names.clone_from(&self.names);
    }

    /// Gives up on making the pending changes of a file durable.
    pub(crate) fn forget(&mut self, file: FileId) {
        if let Some(node) = self.nodes.get_mut(file.0) {
            node.pending.clear();
        }
    }

    fn change_names(&mut self, removed: Option<String>, added: Option<(String, FileId)>) {
        if let Some((name, file)) = &added
            && let Some(node) = self.nodes.get_mut(file.0)
        {
            node.name.clone_from(name);
        }
        let change = NameChange { moment: self.moment, removed, added };
        change.apply(&mut self.names);
        self.pending_names.push(change);
    }

    fn sync_folder(&mut self, folder: &str) {
        let (durable, pending) = (&mut self.durable_names, &mut self.pending_names);
        pending.retain(|change| {
            let here = change.folders().any(|touched| touched == folder);
            if here {
                change.apply(durable);
            }
            !here
        });
    }
}

impl ChangeKind {
    pub(crate) fn apply(&self, content: &mut Vec<u8>) {
        match self {
            Self::Write { offset, bytes } => write_at(content, *offset, bytes),
            Self::SetLen(len) => content.resize(*len, 0),
        }
    }
}

impl NameChange {
    pub(crate) fn apply(&self, names: &mut BTreeMap<String, FileId>) {
        if let Some(name) = &self.removed {
            names.remove(name);
        }
        if let Some((name, file)) = &self.added {
            names.insert(name.clone(), *file);
        }
    }

    fn folders(&self) -> impl Iterator<Item = &str> {
        let added = self.added.as_ref().map(|(name, _)| name.as_str());
        self.removed.as_deref().into_iter().chain(added).map(folder_of)
    }
}

/// Writes bytes, with zeros before them where the content was shorter.
pub(crate) fn write_at(content: &mut Vec<u8>, offset: usize, bytes: &[u8]) {
    let end = offset.saturating_add(bytes.len());
    if content.len() < end {
        content.resize(end, 0);
    }
    if let Some(place) = content.get_mut(offset..end) {
        place.copy_from_slice(bytes);
    }
}

/// The folder that a file or folder is in; empty for the top. The name of a folder itself ends with `/`.
pub(crate) fn folder_of(name: &str) -> &str {
    let name = name.strip_suffix('/').unwrap_or(name);
    name.rsplit_once('/').map_or("", |(folder, _)| folder)
}
