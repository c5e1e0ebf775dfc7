//! A directory of groups that many keep and nobody owns: signed records, merged in any order, the same everywhere.
//!
//! In: records from anywhere, and whom to trust. Out: for each group the record that counts, and proof of forks.
//! Always: a record is checked before it is merged, by itself, whatever else is known; merging is commutative, associative and
//! idempotent; what is published holds no secret, and a name only if its members want it readable.

mod bell;
mod bounds;
mod checked;
mod contenders;
mod crypto;
mod directory;
mod error;
mod json;
mod memory;
mod name;
mod proof;
mod query;
mod record;
mod records;
mod trust;
pub mod wire;

pub use bell::{Bell, DirectoryWatch};
pub use bounds::{Bounds, Usage};
pub use checked::Checked;
pub use contenders::{Contenders, MAX_FORKS};
pub use crypto::DirectoryCrypto;
pub use directory::{Changes, Directory, Found, MAX_PAGE, PageFiller, Place, SCAN, Since};
pub use error::DiscoveryError;
pub use memory::MemoryDirectory;
pub use name::{GroupName, seal_name};
pub use proof::{Link, MAX_LINKS, Proof, Witness};
pub use query::{DiscoveryQuery, Order};
pub use record::{Authority, GroupPublicInfo, MAX_RECORD, Metadata, Rank, member_bucket};
pub use records::{Merged, Records};
pub use trust::Trust;
