//! The document of a group.

use core::fmt;

use tls_codec::{TlsDeserializeBytes, TlsSerialize, TlsSize};

use crate::{
    Author, DocumentError, MAX_CHANGES, MAX_PIN, MAX_PINS, MAX_SNAPSHOT, MAX_TOPIC, MAX_WAITING,
    change::{Change, EditForm},
    merge::Merged,
    message::{Message, Snapshot, Update, check_len, read, write},
};

/// Something that a member wants to change.
#[derive(Clone, Eq, PartialEq)]
#[non_exhaustive]
pub enum Edit {
    /// This message is pinned, whatever names it: its place in the group's order, or a hash. [`MAX_PIN`] bytes at most.
    Pin(Vec<u8>),
    /// It is not.
    Unpin(Vec<u8>),
    /// The topic is this, of [`MAX_TOPIC`] bytes at most; an empty one is none.
    SetTopic(String),
}

/// An edit that was made.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Edited {
    /// The document with it: to be adopted when it is durable.
    pub document: GroupDocument,
    /// The application message that tells the others, to be sent after that.
    pub message: Vec<u8>,
}

/// A topic that was set.
#[derive(Clone, Eq, PartialEq)]
#[non_exhaustive]
pub struct Topic {
    /// The identity of who set it. Out of a snapshot, who its sender says did.
    pub author: Vec<u8>,
    /// What it was.
    pub text: String,
}

/// The document of a group, as one member has it. A value: what changes it returns another.
#[derive(Clone)]
pub struct GroupDocument {
    /// How often it was begun anew.
    pub(crate) number: u64,
    pub(crate) merged: Merged,
    /// What came before that which it builds on.
    pub(crate) waiting: Vec<Waiting>,
}

/// A change, allowed when it came, that builds on what is not here.
#[derive(Clone, Debug, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub(crate) struct Waiting {
    number: u64,
    change: Change,
}

impl Default for GroupDocument {
    fn default() -> Self {
        Self::new()
    }
}

impl GroupDocument {
    /// An empty one.
    pub fn new() -> Self {
        Self { number: 0, merged: Merged::new(), waiting: Vec::new() }
    }

    /// Makes an edit. `None` if it changes nothing.
    ///
    /// # Errors
    /// [`DocumentError::Denied`] if the author's role does not allow it; [`DocumentError::TooLarge`]; [`DocumentError::Full`].
    pub fn edit(&self, author: &Author<'_>, edit: &Edit) -> Result<Option<Edited>, DocumentError> {
        let changes = match edit {
            Edit::Pin(id) => !self.merged.is_pinned(id),
            Edit::Unpin(id) => self.merged.is_pinned(id),
            Edit::SetTopic(topic) => self.topic().as_deref().unwrap_or_default() != topic,
        };
        match edit {
            Edit::Pin(id) | Edit::Unpin(id) => check_len(id.len(), MAX_PIN)?,
            Edit::SetTopic(topic) => check_len(topic.len(), MAX_TOPIC)?,
        }
        if !changes {
            return Ok(None);
        }
        if matches!(edit, Edit::Pin(_)) && self.pins().len() >= MAX_PINS {
            return Err(DocumentError::Full { limit: MAX_PINS });
        }
        if self.merged.len() >= MAX_CHANGES {
            return Err(DocumentError::Full { limit: MAX_CHANGES });
        }
        let update = Update { number: self.number, builds_on: self.merged.newest(), edits: vec![EditForm::from(edit)] };
        self.make(author, update).map(Some)
    }

    /// Begins the document anew, with the topic and the pins it has and without its history: what makes room in one that is full.
    /// Edits that others make of the old one meanwhile are lost, which tells them [`DocumentError::Superseded`].
    ///
    /// # Errors
    /// [`DocumentError::Denied`] for who may not edit everything; [`DocumentError::Full`] with more than twice [`MAX_PINS`] pins.
    pub fn begin_anew(&self, author: &Author<'_>) -> Result<Edited, DocumentError> {
        let limit = MAX_PINS.saturating_mul(2);
        let mut pins: Vec<EditForm> = self.pins().into_iter().map(|id| EditForm::Pin(id.into())).collect();
        if pins.len() > limit {
            return Err(DocumentError::Full { limit });
        }
        pins.sort_unstable();
        let topic = EditForm::Topic(self.topic().unwrap_or_default().as_bytes().into());
        let number = self.number.checked_add(1).ok_or(DocumentError::Malformed)?;
        let edits = core::iter::once(topic).chain(pins).collect();
        self.make(author, Update { number, builds_on: Vec::new(), edits })
    }

    /// Takes what a member sent; `author` is the sender, in the epoch of the message. What is known already changes nothing, and
    /// what builds on messages that did not come waits for them: see [`GroupDocument::lacks_edits`].
    ///
    /// # Errors
    /// [`DocumentError::NotADocument`], [`DocumentError::UnsupportedVersion`], [`DocumentError::Malformed`],
    /// [`DocumentError::TooLarge`] for the bytes; [`DocumentError::Denied`] for who sent them; [`DocumentError::Superseded`] for
    /// an edit of a document that was begun anew; [`DocumentError::MissingEdits`] if too much waits; [`DocumentError::Full`];
    /// [`DocumentError::NotNeeded`] for a snapshot.
    pub fn receive(&self, author: &Author<'_>, plaintext: &[u8]) -> Result<Self, DocumentError> {
        match read(plaintext)? {
            Message::Update(update) => self.take(author, update),
            Message::Snapshot(snapshot) => self.take_all(author, &snapshot),
        }
    }

    /// Everything, as an application message for who joined late or lacks edits. They take it from who may edit everything.
    ///
    /// # Errors
    /// [`DocumentError::Full`] if it has grown too large to be sent.
    pub fn snapshot(&self) -> Result<Vec<u8>, DocumentError> {
        let snapshot = Snapshot { number: self.number, changes: self.merged.changes()? };
        write(&Message::Snapshot(snapshot)).map_err(|error| match error {
            DocumentError::TooLarge { .. } => DocumentError::Full { limit: MAX_SNAPSHOT },
            other => other,
        })
    }

    /// The topic, if one was set.
    pub fn topic(&self) -> Option<String> {
        self.merged.topic()
    }

    /// Every topic since the document was last begun, in an order that is the same at every member who has the same edits.
    ///
    /// # Errors
    /// [`DocumentError::Malformed`], which does not happen.
    pub fn topics(&self) -> Result<Vec<Topic>, DocumentError> {
        self.merged.topics()
    }

    /// What names the messages that are pinned, in order.
    pub fn pins(&self) -> Vec<Vec<u8>> {
        self.merged.pins()
    }

    /// Edits since the document was last begun; an application begins anew before there are [`MAX_CHANGES`].
    pub fn edits(&self) -> usize {
        self.merged.len()
    }

    /// Whether edits wait for others that did not come: after a while it is time to ask for a snapshot.
    pub const fn lacks_edits(&self) -> bool {
        !self.waiting.is_empty()
    }

    fn make(&self, author: &Author<'_>, update: Update) -> Result<Edited, DocumentError> {
        let message = write(&Message::Update(update.clone()))?;
        Ok(Edited { document: self.take(author, update)?, message })
    }

    fn take(&self, author: &Author<'_>, update: Update) -> Result<Self, DocumentError> {
        let number = update.number;
        if number < self.number {
            return Err(DocumentError::Superseded);
        }
        let change = update.into_change(author.identity());
        change.check(number)?;
        change.check_author(number, author)?;
        let mut next = self.clone();
        let came = Waiting { number, change };
        if next.is_ready(&came) {
            next.add(&came)?;
            next.settle();
        } else {
            next.wait(came)?;
        }
        Ok(next)
    }

    fn take_all(&self, author: &Author<'_>, snapshot: &Snapshot) -> Result<Self, DocumentError> {
        if !author.may_edit_everything() {
            return Err(DocumentError::Denied);
        }
        let is_new = self.number == 0 && self.merged.is_empty();
        if !is_new && !self.lacks_edits() {
            return Err(DocumentError::NotNeeded);
        }
        if snapshot.number < self.number {
            return Err(DocumentError::Superseded);
        }
        let mut next = self.clone();
        if snapshot.number > self.number {
            next.begin(snapshot.number, Merged::new());
        }
        for change in &snapshot.changes {
            change.check(snapshot.number)?;
            next.merged.add(change).map_err(|error| match error {
                DocumentError::MissingEdits => DocumentError::Malformed,
                other => other,
            })?;
        }
        next.settle();
        Ok(next)
    }

    /// Whether everything is here that it builds on.
    fn is_ready(&self, came: &Waiting) -> bool {
        let Waiting { number, change } = came;
        let begins_next = self.number.checked_add(1) == Some(*number) && change.builds_on.is_empty();
        begins_next || *number == self.number && self.merged.knows_all(&change.builds_on)
    }

    fn add(&mut self, came: &Waiting) -> Result<(), DocumentError> {
        if came.number == self.number {
            return self.merged.add(&came.change);
        }
        let mut merged = Merged::new();
        merged.add(&came.change)?;
        self.begin(came.number, merged);
        Ok(())
    }

    fn begin(&mut self, number: u64, merged: Merged) {
        self.number = number;
        self.merged = merged;
        self.waiting.retain(|waiting| waiting.number >= number);
    }

    fn wait(&mut self, came: Waiting) -> Result<(), DocumentError> {
        if self.waiting.contains(&came) {
            return Ok(());
        }
        let by_author = self.waiting.iter().filter(|waiting| waiting.change.author == came.change.author).count();
        if by_author >= MAX_WAITING || self.waiting.len() >= MAX_WAITING.saturating_mul(8) {
            return Err(DocumentError::MissingEdits);
        }
        self.waiting.push(came);
        Ok(())
    }

    /// Takes what waited, as far as it can be taken. What is wrong is left out, as it would have been had it come in time.
    fn settle(&mut self) {
        while let Some(at) = self.waiting.iter().position(|waiting| self.is_ready(waiting)) {
            let came = self.waiting.remove(at);
            let mut next = self.clone();
            if next.add(&came).is_ok() {
                *self = next;
            }
        }
    }
}

/// Equal with the same edits, whatever waits.
impl PartialEq for GroupDocument {
    fn eq(&self, other: &Self) -> bool {
        (self.number, self.merged.newest()) == (other.number, other.merged.newest())
    }
}

impl Eq for GroupDocument {}

impl fmt::Debug for GroupDocument {
    /// Tells nothing that was said.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { number, merged, waiting } = self;
        let mut form = f.debug_struct("GroupDocument");
        form.field("number", number).field("edits", &merged.len()).field("waiting", &waiting.len()).finish()
    }
}

impl fmt::Debug for Edit {
    /// Tells how long it is, and not what it says.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pin(id) => f.debug_tuple("Pin").field(&id.len()).finish(),
            Self::Unpin(id) => f.debug_tuple("Unpin").field(&id.len()).finish(),
            Self::SetTopic(topic) => f.debug_tuple("SetTopic").field(&topic.len()).finish(),
        }
    }
}

impl fmt::Debug for Topic {
    /// Tells neither who nor what.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { author: _, text } = self;
        f.debug_struct("Topic").field("len", &text.len()).finish_non_exhaustive()
    }
}
