//! A directory of groups that many keep and nobody owns: signed records, merged in any order, the same everywhere.
//!
//! In: records from anywhere, and whom to trust. Out: for each group the record that counts, and proof of forks.
//! Always: a record is checked before it is merged, by itself, whatever else is known; merging is commutative, associative and
//! idempotent; what is published holds no secret, and a name only if its members want it readable.

mod crypto;
mod directory;
mod error;
mod json;
mod name;
mod proof;
mod query;
mod record;
mod trust;

pub use crypto::DirectoryCrypto;
pub use directory::{Directory, MAX_FORKS, Merged};
pub use error::DiscoveryError;
pub use name::{GroupName, seal_name};
pub use proof::{Link, MAX_LINKS, Proof, Witness};
pub use query::DiscoveryQuery;
pub use record::{GroupPublicInfo, MAX_RECORD, Metadata, Rank, member_bucket};
pub use trust::Trust;
