//! A durable directory of records of groups in one file, on SQLite.
//!
//! In: a file, and whom to trust. Out: a [`mls_discovery::Directory`].
//! Always: what was taken is on the medium; a question is answered by an index, and looks at a bounded number of rows; what was
//! believed because of somebody who is not trusted any more is gone when the file is opened.

mod error;
mod plan;
mod schema;
mod sqlite;

pub use error::OpenError;
pub use sqlite::SqliteDirectory;
