//! The tables. `gid` is a group's id; places are counted from 1.
//!
//! Always: a log has one commit at most for an epoch and attempt: the index says so, whatever the rules say.

use deadpool_postgres::{Client, Transaction};

use crate::OpenError;

/// What this program writes.
const SCHEMA: i64 = 2;

/// How many rows there are to lock. Each group, device or user has one, which others may have too.
pub(crate) const STRIPES: u64 = 1_024;

const TABLES: &str = "
CREATE TABLE groups(gid BYTEA PRIMARY KEY, epoch BIGINT NOT NULL, attempt BIGINT NOT NULL, mode BIGINT NOT NULL,
    head BIGINT NOT NULL, first BIGINT NOT NULL, bytes BIGINT NOT NULL, join_token BYTEA);
CREATE TABLE epochs(gid BYTEA NOT NULL, epoch BIGINT NOT NULL, write_key BYTEA NOT NULL, began BIGINT NOT NULL,
    end_seq BIGINT, end_attempt BIGINT, end_digest BYTEA, end_at BIGINT, PRIMARY KEY(gid, epoch));
CREATE TABLE log(gid BYTEA NOT NULL, seq BIGINT NOT NULL, kind BIGINT NOT NULL, epoch BIGINT NOT NULL,
    attempt BIGINT NOT NULL, digest BYTEA NOT NULL, received BIGINT NOT NULL, message BYTEA NOT NULL,
    PRIMARY KEY(gid, seq));
CREATE UNIQUE INDEX log_digest ON log(gid, digest);
CREATE UNIQUE INDEX log_commit ON log(gid, epoch, attempt) WHERE kind = 1;
CREATE INDEX log_proposal ON log(gid, seq) WHERE kind = 2;
CREATE TABLE infos(gid BYTEA NOT NULL, seq BIGINT NOT NULL, epoch BIGINT NOT NULL, group_info BYTEA,
    ratchet_tree BYTEA, invites BOOLEAN NOT NULL, PRIMARY KEY(gid, seq));
CREATE TABLE readers(gid BYTEA NOT NULL, device BYTEA NOT NULL, since BIGINT NOT NULL, until BIGINT,
    acknowledged BIGINT NOT NULL, PRIMARY KEY(gid, device));
CREATE INDEX reader_device ON readers(device, gid);
CREATE TABLE reports(gid BYTEA NOT NULL, epoch BIGINT NOT NULL, attempt BIGINT NOT NULL, device BYTEA NOT NULL,
    PRIMARY KEY(gid, epoch, attempt, device));
CREATE TABLE mailboxes(device BYTEA PRIMARY KEY, head BIGINT NOT NULL, acknowledged BIGINT NOT NULL,
    entries BIGINT NOT NULL, direct BIGINT NOT NULL, bytes BIGINT NOT NULL);
CREATE TABLE mail(device BYTEA NOT NULL, seq BIGINT NOT NULL, kind BIGINT NOT NULL, received BIGINT NOT NULL,
    gid BYTEA, commit_seq BIGINT, message BYTEA NOT NULL, PRIMARY KEY(device, seq));
CREATE INDEX mail_received ON mail(received);
CREATE TABLE devices(device BYTEA PRIMARY KEY, owner BYTEA NOT NULL, suite BIGINT NOT NULL, public_key BYTEA NOT NULL,
    enrolled BIGINT NOT NULL);
CREATE INDEX device_owner ON devices(owner, device);
CREATE TABLE invites(token BYTEA PRIMARY KEY, uses BIGINT NOT NULL);
CREATE TABLE key_packages(device BYTEA NOT NULL, digest BYTEA NOT NULL, suite BIGINT NOT NULL,
    last_resort BOOLEAN NOT NULL, expires BIGINT NOT NULL, key_package BYTEA NOT NULL, PRIMARY KEY(device, digest));
CREATE INDEX key_package_order ON key_packages(device, suite, last_resort, expires, digest);
CREATE INDEX key_package_expiry ON key_packages(expires);
CREATE TABLE locks(stripe BIGINT PRIMARY KEY);
CREATE TABLE delivery_schema(version BIGINT NOT NULL, service_key BYTEA NOT NULL);
";

/// What schema 2 adds.
const TABLES_2: &str = "
CREATE TABLE passes(gid BYTEA NOT NULL, token BYTEA NOT NULL, expires BIGINT NOT NULL, uses BIGINT NOT NULL,
    used BIGINT NOT NULL, owner BYTEA, PRIMARY KEY(gid, token));
CREATE TABLE places(gid BYTEA PRIMARY KEY, state BIGINT NOT NULL, shard BYTEA NOT NULL, mover BYTEA NOT NULL);
CREATE TABLE relayed(shard BYTEA NOT NULL, device BYTEA NOT NULL, seq BIGINT NOT NULL, PRIMARY KEY(shard, device));
CREATE TABLE shard(name BYTEA NOT NULL, home BYTEA NOT NULL);
CREATE TABLE quotas(name BYTEA PRIMARY KEY, full_again BIGINT NOT NULL);
";

/// Makes the tables in an empty database; refuses those of the future or of another service, and servers that may lose what
/// they acknowledged.
pub(crate) async fn prepare(client: &mut Client, service_key: &[u8]) -> Result<(), OpenError> {
    let version: i64 = setting(client, "server_version_num").await?.parse().unwrap_or_default();
    if version < MIN_VERSION {
        return Err(OpenError::TooOld { found: version / 10_000 });
    }
    for name in ["fsync", "full_page_writes", "synchronous_commit"] {
        let found = setting(client, name).await?;
        if !matches!(found.as_str(), "on" | "remote_apply") {
            return Err(OpenError::SettingRefused { name, found });
        }
    }
    let transaction = client.transaction().await?;
    // Nodes that start together make the tables once.
    transaction.execute("SELECT pg_advisory_xact_lock($1)", &[&ADVISORY]).await?;
    match made_by(&transaction).await? {
        None => create(&transaction, service_key).await?,
        Some((found, _)) if found > SCHEMA => return Err(OpenError::NewerSchema { found, known: SCHEMA }),
        // Receipts of two keys would say of one log what nobody can compare.
        Some((_, key)) if key != service_key => return Err(OpenError::OtherKey),
        Some((1, _)) => {
            transaction.batch_execute(TABLES_2).await?;
            transaction.execute("UPDATE delivery_schema SET version = $1", &[&SCHEMA]).await?;
        }
        Some(_) => {}
    }
    Ok(transaction.commit().await?)
}

async fn setting(client: &Client, name: &str) -> Result<String, OpenError> {
    Ok(client.query_one("SELECT current_setting($1)", &[&name]).await?.try_get(0)?)
}

async fn made_by(transaction: &Transaction<'_>) -> Result<Option<(i64, Vec<u8>)>, OpenError> {
    let there = transaction.query_one("SELECT to_regclass('delivery_schema') IS NOT NULL", &[]).await?;
    if !there.try_get::<_, bool>(0)? {
        return Ok(None);
    }
    let row = transaction.query_one("SELECT version, service_key FROM delivery_schema", &[]).await?;
    Ok(Some((row.try_get(0)?, row.try_get(1)?)))
}

async fn create(transaction: &Transaction<'_>, service_key: &[u8]) -> Result<(), OpenError> {
    transaction.batch_execute(TABLES).await?;
    transaction.batch_execute(TABLES_2).await?;
    let stripes = i64::try_from(STRIPES).unwrap_or(i64::MAX);
    transaction.execute("INSERT INTO locks SELECT generate_series(0::BIGINT, $1::BIGINT - 1)", &[&stripes]).await?;
    transaction.execute("INSERT INTO delivery_schema VALUES($1, $2)", &[&SCHEMA, &service_key]).await?;
    Ok(())
}

const MIN_VERSION: i64 = 150_000;

/// "SPDS": tells our lock from others.
const ADVISORY: i64 = 0x5350_4453;
