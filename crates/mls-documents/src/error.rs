//! Why an edit was not made or not taken.

/// Why an edit was not made or not taken. The document is what it was.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DocumentError {
    /// The message is none of a document.
    #[error("this is no edit of a document; show it as what was said")]
    NotADocument,
    /// A later version of this program made it.
    #[error("edits of version {0} are not supported; update this program")]
    UnsupportedVersion(u8),
    /// The bytes are not what they should be, or the edit is one that nobody makes.
    #[error("the edit cannot be read, and is left out; whoever sent it has to make it again")]
    Malformed,
    /// More than there may be: of a topic, a name, an edit.
    #[error("{len} are more than the limit of {limit}; make it shorter")]
    TooLarge {
        /// How much there is.
        len: usize,
        /// How much may be.
        limit: usize,
    },
    /// There are as many edits, or pins, as there may be.
    #[error("the document is full, {limit} are the limit; take pins back, or let an admin begin it anew")]
    Full {
        /// How many there may be.
        limit: usize,
    },
    /// The role of who made it does not allow it.
    #[error("the role does not allow this edit; ask an admin")]
    Denied,
    /// Too much waits for earlier edits that did not come.
    #[error("earlier edits are missing; ask an admin for a snapshot")]
    MissingEdits,
    /// It is for a document that was begun anew since.
    #[error("the document was begun anew; make the edit again if it is still wanted")]
    Superseded,
    /// A snapshot for who misses nothing.
    #[error("nothing is missing here; a snapshot is for who has nothing, or misses something")]
    NotNeeded,
}
