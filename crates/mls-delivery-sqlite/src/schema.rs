//! The tables. `gid` is a group's id; places are counted from 1.
//!
//! Always: a log has one commit at most for an epoch and attempt: the index says so, whatever the rules say.

use rusqlite::{Connection, Transaction, TransactionBehavior};

use crate::OpenError;

/// "SPDS": tells our files from others.
const APPLICATION_ID: i64 = 0x5350_4453;

/// What this program writes.
const SCHEMA: i64 = 2;

const TABLES: &str = "
CREATE TABLE groups(gid BLOB PRIMARY KEY, epoch INTEGER NOT NULL, attempt INTEGER NOT NULL, mode INTEGER NOT NULL,
    head INTEGER NOT NULL, first INTEGER NOT NULL, bytes INTEGER NOT NULL, join_token BLOB) STRICT, WITHOUT ROWID;
CREATE TABLE epochs(gid BLOB NOT NULL, epoch INTEGER NOT NULL, write_key BLOB NOT NULL, began INTEGER NOT NULL,
    end_seq INTEGER, end_attempt INTEGER, end_digest BLOB, end_at INTEGER, PRIMARY KEY(gid, epoch))
    STRICT, WITHOUT ROWID;
CREATE TABLE log(gid BLOB NOT NULL, seq INTEGER NOT NULL, kind INTEGER NOT NULL, epoch INTEGER NOT NULL,
    attempt INTEGER NOT NULL, digest BLOB NOT NULL, received INTEGER NOT NULL, message BLOB NOT NULL) STRICT;
CREATE UNIQUE INDEX log_place ON log(gid, seq);
CREATE UNIQUE INDEX log_digest ON log(gid, digest);
CREATE UNIQUE INDEX log_commit ON log(gid, epoch, attempt) WHERE kind = 1;
CREATE INDEX log_proposal ON log(gid, seq) WHERE kind = 2;
CREATE TABLE infos(gid BLOB NOT NULL, seq INTEGER NOT NULL, epoch INTEGER NOT NULL, group_info BLOB, ratchet_tree BLOB,
    invites INTEGER NOT NULL) STRICT;
CREATE UNIQUE INDEX info_place ON infos(gid, seq);
CREATE TABLE readers(gid BLOB NOT NULL, device BLOB NOT NULL, since INTEGER NOT NULL, until INTEGER,
    acknowledged INTEGER NOT NULL, PRIMARY KEY(gid, device)) STRICT, WITHOUT ROWID;
CREATE INDEX reader_device ON readers(device, gid);
CREATE TABLE reports(gid BLOB NOT NULL, epoch INTEGER NOT NULL, attempt INTEGER NOT NULL, device BLOB NOT NULL,
    PRIMARY KEY(gid, epoch, attempt, device)) STRICT, WITHOUT ROWID;
CREATE TABLE mailboxes(device BLOB PRIMARY KEY, head INTEGER NOT NULL, acknowledged INTEGER NOT NULL,
    entries INTEGER NOT NULL, direct INTEGER NOT NULL, bytes INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE mail(device BLOB NOT NULL, seq INTEGER NOT NULL, kind INTEGER NOT NULL, received INTEGER NOT NULL,
    gid BLOB, commit_seq INTEGER, message BLOB NOT NULL) STRICT;
CREATE UNIQUE INDEX mail_place ON mail(device, seq);
CREATE INDEX mail_received ON mail(received);
CREATE TABLE devices(device BLOB PRIMARY KEY, user BLOB NOT NULL, suite INTEGER NOT NULL, public_key BLOB NOT NULL,
    enrolled INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX device_user ON devices(user, device);
CREATE TABLE invites(token BLOB PRIMARY KEY, uses INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE key_packages(device BLOB NOT NULL, digest BLOB NOT NULL, suite INTEGER NOT NULL,
    last_resort INTEGER NOT NULL, expires INTEGER NOT NULL, key_package BLOB NOT NULL) STRICT;
CREATE UNIQUE INDEX key_package_digest ON key_packages(device, digest);
CREATE INDEX key_package_order ON key_packages(device, suite, last_resort, expires, digest);
CREATE INDEX key_package_expiry ON key_packages(expires);
";

/// What schema 2 adds.
const TABLES_2: &str = "
CREATE TABLE passes(gid BLOB NOT NULL, token BLOB NOT NULL, expires INTEGER NOT NULL, uses INTEGER NOT NULL,
    used INTEGER NOT NULL, user BLOB, PRIMARY KEY(gid, token)) STRICT, WITHOUT ROWID;
CREATE TABLE places(gid BLOB PRIMARY KEY, state INTEGER NOT NULL, shard BLOB NOT NULL, mover BLOB NOT NULL)
    STRICT, WITHOUT ROWID;
CREATE TABLE relayed(shard BLOB NOT NULL, device BLOB NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY(shard, device))
    STRICT, WITHOUT ROWID;
CREATE TABLE shard(name BLOB NOT NULL, home BLOB NOT NULL) STRICT;
CREATE TABLE quotas(name BLOB PRIMARY KEY, full_again INTEGER NOT NULL) STRICT, WITHOUT ROWID;
";

/// Makes the tables in an empty file; refuses files of others and of the future.
pub(crate) fn prepare(connection: &mut Connection) -> Result<(), OpenError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let number = |transaction: &Transaction<'_>, name| -> Result<i64, OpenError> {
        Ok(transaction.pragma_query_value(None, name, |row| row.get(0))?)
    };
    let (application, found) = (number(&transaction, "application_id")?, number(&transaction, "user_version")?);
    let objects: i64 = transaction.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    match (application, found, objects) {
        (0, 0, 0) => {
            transaction.execute_batch(TABLES)?;
            transaction.execute_batch(TABLES_2)?;
            transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
            transaction.pragma_update(None, "user_version", SCHEMA)?;
        }
        (APPLICATION_ID, 1, _) => {
            transaction.execute_batch(TABLES_2)?;
            transaction.pragma_update(None, "user_version", SCHEMA)?;
        }
        (APPLICATION_ID, SCHEMA, _) => {}
        (APPLICATION_ID, _, _) => return Err(OpenError::NewerSchema { found, known: SCHEMA }),
        _ => return Err(OpenError::NotOurs),
    }
    Ok(transaction.commit()?)
}
