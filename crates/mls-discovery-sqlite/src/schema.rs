//! The table, and the file it is in.
//!
//! A row is a record that is kept of a group; `head` is 1 for the one that is found. Keys are those of
//! [`mls_discovery::Order`], so that they compare as bytes; `name` is null if nobody but members reads it.

use mls_crypto::Random;
use mls_discovery::DiscoveryError;
use rusqlite::{Connection, Transaction, TransactionBehavior};

use crate::OpenError;

/// "SPDI": tells our files from others.
const APPLICATION_ID: i64 = 0x5350_4449;

const SCHEMA: i64 = 1;

const TABLES: &str = "
CREATE TABLE records(group_id BLOB NOT NULL, content BLOB NOT NULL, change INTEGER NOT NULL, head INTEGER NOT NULL,
    publisher BLOB NOT NULL, rank BLOB NOT NULL, name BLOB, members BLOB NOT NULL, created BLOB NOT NULL,
    record BLOB NOT NULL, PRIMARY KEY(group_id, content)) STRICT;
CREATE INDEX records_by_change ON records(change);
CREATE INDEX records_by_publisher ON records(publisher, group_id);
CREATE INDEX heads_by_id ON records(group_id) WHERE head = 1;
CREATE INDEX heads_by_name ON records(name, group_id) WHERE head = 1;
CREATE INDEX heads_by_members ON records(members, group_id) WHERE head = 1;
CREATE INDEX heads_by_created ON records(created, group_id) WHERE head = 1;
CREATE TABLE state(one INTEGER PRIMARY KEY CHECK(one = 1), life BLOB NOT NULL, change INTEGER NOT NULL,
    groups INTEGER NOT NULL, bytes INTEGER NOT NULL, trust BLOB NOT NULL) STRICT;
";

/// Makes the tables in an empty file; refuses files of others and of the future.
pub(crate) fn prepare(connection: &mut Connection, random: &dyn Random) -> Result<(), OpenError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let number = |transaction: &Transaction<'_>, name| -> Result<i64, OpenError> {
        Ok(transaction.pragma_query_value(None, name, |row| row.get(0))?)
    };
    let (application, found) = (number(&transaction, "application_id")?, number(&transaction, "user_version")?);
    let objects: i64 = transaction.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    match (application, found, objects) {
        (0, 0, 0) => {
            let mut life = [0; 16];
            random.fill(&mut life).map_err(DiscoveryError::from)?;
            transaction.execute_batch(TABLES)?;
            transaction.execute("INSERT INTO state VALUES(1, ?1, 0, 0, 0, x'')", [life.as_slice()])?;
            transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
            transaction.pragma_update(None, "user_version", SCHEMA)?;
        }
        (APPLICATION_ID, 1..=SCHEMA, _) => {}
        (APPLICATION_ID, _, _) => return Err(OpenError::NewerSchema { found, known: SCHEMA }),
        _ => return Err(OpenError::NotOurs),
    }
    Ok(transaction.commit()?)
}
