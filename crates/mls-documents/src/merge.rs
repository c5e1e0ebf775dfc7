//! The changes of one document, merged by automerge.
//!
//! In: changes whose sizes were looked at, each after those it builds on. Out: what they come to.
//! Always: whether a change is taken depends on what it builds on and on nothing else, so that all members take the same. Every
//! change is the first and only one of an automerge actor of its own; numbers of operations, and those that an operation takes the
//! place of, follow from what the change builds on.

use core::num::NonZeroU64;

use automerge::{
    ActorId, Automerge, ChangeHash, ExpandedChange, ObjId, ROOT, ReadDoc, ScalarValue,
    legacy::{Key, ObjectId, Op, OpId, OpType},
};

use crate::{
    DocumentError, MAX_CHANGES,
    change::{Change, EditForm, Hash, NAME},
    document::Topic,
};

/// The key of the topic; those of pins begin with [`PIN`].
const TOPIC: &str = "topic";
const PIN: &str = "pin ";

#[derive(Clone)]
pub(crate) struct Merged {
    document: Automerge,
}

impl Merged {
    pub(crate) fn new() -> Self {
        Self { document: Automerge::new() }
    }

    /// What [`Merged::save`] gave.
    pub(crate) fn load(bytes: &[u8]) -> Result<Self, DocumentError> {
        let document = Automerge::load(bytes).map_err(|_| DocumentError::Malformed)?;
        let loaded = Self { document };
        for change in loaded.document.get_changes(&[]) {
            if of_automerge(&change.decode())?.actor()? != change.actor_id().to_bytes() {
                return Err(DocumentError::Malformed);
            }
        }
        Ok(loaded)
    }

    /// All changes in few bytes.
    pub(crate) fn save(&self) -> Vec<u8> {
        self.document.save()
    }

    pub(crate) fn len(&self) -> usize {
        self.document.get_changes_meta(&[]).len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.document.get_heads().is_empty()
    }

    /// Whether everything that a change builds on is here.
    pub(crate) fn knows_all(&self, builds_on: &[Hash]) -> bool {
        builds_on.iter().all(|hash| self.document.get_change_meta_by_hash(&ChangeHash(*hash)).is_some())
    }

    /// The changes that nothing builds on yet.
    pub(crate) fn newest(&self) -> Vec<Hash> {
        let mut heads: Vec<Hash> = self.document.get_heads().iter().map(|head| head.0).collect();
        heads.sort_unstable();
        heads
    }

    /// Takes a change; one that is here already changes nothing. After an error the document is worth nothing.
    pub(crate) fn add(&mut self, change: &Change) -> Result<(), DocumentError> {
        let made = self.to_automerge(change)?;
        if self.document.get_change_meta_by_hash(&made.hash()).is_some() {
            return Ok(());
        }
        let limit = MAX_CHANGES.saturating_mul(2);
        if self.len() >= limit {
            return Err(DocumentError::Full { limit });
        }
        self.document.apply_changes([made]).map_err(|_| DocumentError::Malformed)
    }

    /// Every change, each after those it builds on.
    pub(crate) fn changes(&self) -> Result<Vec<Change>, DocumentError> {
        self.document.get_changes(&[]).iter().map(|change| of_automerge(&change.decode())).collect()
    }

    pub(crate) fn topic(&self) -> Option<String> {
        let (value, _) = self.document.get(ROOT, TOPIC).ok()??;
        value.as_str().filter(|topic| !topic.is_empty()).map(str::to_owned)
    }

    /// Topics by the number of their operation, which is larger than those of all that were seen, then by actor: automerge shows
    /// the last in the same order.
    pub(crate) fn topics(&self) -> Result<Vec<Topic>, DocumentError> {
        let mut topics = Vec::new();
        for change in self.document.get_changes(&[]) {
            let place = (change.start_op(), change.actor_id().clone());
            let Change { author, edits, .. } = of_automerge(&change.decode())?;
            for edit in edits {
                if let EditForm::Topic(text) = edit {
                    let text = String::from_utf8(text.into()).map_err(|_| DocumentError::Malformed)?;
                    topics.push((place.clone(), Topic { author: author.as_slice().to_vec(), text }));
                }
            }
        }
        topics.sort_by(|(one, _), (other, _)| one.cmp(other));
        Ok(topics.into_iter().map(|(_, topic)| topic).collect())
    }

    pub(crate) fn pins(&self) -> Vec<Vec<u8>> {
        self.document.keys(ROOT).filter_map(|key| hex::decode(key.strip_prefix(PIN)?).ok()).collect()
    }

    pub(crate) fn is_pinned(&self, id: &[u8]) -> bool {
        matches!(self.document.get(ROOT, pin_key(id)), Ok(Some(_)))
    }

    fn to_automerge(&self, change: &Change) -> Result<automerge::Change, DocumentError> {
        let deps: Vec<ChangeHash> = change.builds_on.iter().map(|hash| ChangeHash(*hash)).collect();
        let mut last = 0_u64;
        for dep in &deps {
            let dep = self.document.get_change_meta_by_hash(dep).ok_or(DocumentError::MissingEdits)?;
            last = last.max(dep.max_op);
        }
        let operations: Result<Vec<_>, _> = change.edits.iter().map(|edit| self.operation(edit, &deps)).collect();
        Ok(automerge::Change::from(ExpandedChange {
            operations: operations?,
            actor_id: ActorId::from(change.actor()?),
            hash: None,
            seq: 1,
            start_op: NonZeroU64::MIN.saturating_add(last),
            time: 0,
            message: None,
            deps,
            extra_bytes: Vec::new(),
            author: None,
        }))
    }

    /// An edit takes the place of everything that its author saw of the same.
    fn operation(&self, edit: &EditForm, deps: &[ChangeHash]) -> Result<Op, DocumentError> {
        let (key, action) = match edit {
            EditForm::Topic(text) => {
                let text = core::str::from_utf8(text.as_slice()).map_err(|_| DocumentError::Malformed)?;
                (TOPIC.to_owned(), OpType::Put(ScalarValue::Str(text.into())))
            }
            EditForm::Pin(id) => (pin_key(id.as_slice()), OpType::Put(ScalarValue::Boolean(true))),
            EditForm::Unpin(id) => (pin_key(id.as_slice()), OpType::Delete),
        };
        let seen = if deps.is_empty() {
            Vec::new()
        } else {
            self.document.get_all_at(ROOT, key.as_str(), deps).map_err(|_| DocumentError::Malformed)?
        };
        let pred: Vec<OpId> = seen.iter().filter_map(|(_, id)| name_of(id)).collect();
        if pred.is_empty() && action == OpType::Delete {
            return Err(DocumentError::Malformed);
        }
        Ok(Op { action, obj: ObjectId::Root, key: Key::Map(key.into()), pred: pred.into(), insert: false })
    }
}

fn name_of(id: &ObjId) -> Option<OpId> {
    match id {
        ObjId::Root => None,
        ObjId::Id(counter, actor, _) => Some(OpId::new(*counter, actor)),
    }
}

fn of_automerge(change: &ExpandedChange) -> Result<Change, DocumentError> {
    let actor = change.actor_id.to_bytes();
    let (_, author) = actor.split_at_checked(NAME).ok_or(DocumentError::Malformed)?;
    let mut builds_on: Vec<Hash> = change.deps.iter().map(|dep| dep.0).collect();
    builds_on.sort_unstable();
    let edits: Result<Vec<_>, _> = change.operations.iter().map(edit_of).collect();
    Ok(Change { author: author.into(), builds_on, edits: edits? })
}

fn edit_of(operation: &Op) -> Result<EditForm, DocumentError> {
    let Op { action, obj: ObjectId::Root, key: Key::Map(key), pred: _, insert: false } = operation else {
        return Err(DocumentError::Malformed);
    };
    let id = |digits| hex::decode(digits).map_err(|_| DocumentError::Malformed);
    match (key.strip_prefix(PIN), action) {
        (None, OpType::Put(ScalarValue::Str(topic))) if key == TOPIC => Ok(EditForm::Topic(topic.as_bytes().into())),
        (Some(digits), OpType::Put(ScalarValue::Boolean(true))) => Ok(EditForm::Pin(id(digits)?.into())),
        (Some(digits), OpType::Delete) => Ok(EditForm::Unpin(id(digits)?.into())),
        _ => Err(DocumentError::Malformed),
    }
}

fn pin_key(id: &[u8]) -> String {
    [PIN, &hex::encode(id)].concat()
}
