//! Which shard this is, and groups that are moved.

use mls_delivery::{
    DeviceId, Digest, GroupId, Seq,
    rows::{EpochRow, InfoRow, PlaceRows, RowError},
    shard::{Place, PlaceState, ShardName},
};
use rusqlite::{Error, Row, params};

use super::{
    SqliteRows, get_device, get_digest, get_number, get_seq, groups::epoch_row, logs::info_row, place, unknown,
};

impl PlaceRows for SqliteRows<'_> {
    async fn shard_names(&mut self) -> Result<Option<(ShardName, ShardName)>, RowError> {
        self.one("SELECT name, home FROM shard", [], |row| Ok((get_shard(row, 0)?, get_shard(row, 1)?)))
    }

    async fn put_shard_names(&mut self, name: &ShardName, home: &ShardName) -> Result<(), RowError> {
        self.execute("INSERT INTO shard VALUES(?1, ?2)", params![name.as_slice(), home.as_slice()])
    }

    async fn place(&mut self, group: &GroupId) -> Result<Option<Place>, RowError> {
        let sql = "SELECT state, shard, mover FROM places WHERE gid = ?1";
        self.one(sql, params![group.as_slice()], |row| {
            Ok(Place { state: state(row.get(0)?)?, shard: get_shard(row, 1)?, mover: get_digest(row, 2)? })
        })
    }

    async fn put_place(&mut self, group: &GroupId, place: &Place) -> Result<(), RowError> {
        let Place { state, shard, mover } = place;
        self.execute(
            "INSERT OR REPLACE INTO places VALUES(?1, ?2, ?3, ?4)",
            params![group.as_slice(), number(*state), shard.as_slice(), mover.as_slice()],
        )
    }

    async fn delete_place(&mut self, group: &GroupId) -> Result<(), RowError> {
        self.execute("DELETE FROM places WHERE gid = ?1", params![group.as_slice()])
    }

    async fn epochs(&mut self, group: &GroupId) -> Result<Vec<(u64, EpochRow)>, RowError> {
        let sql = "SELECT epoch, write_key, began, end_seq, end_attempt, end_digest, end_at FROM epochs \
                   WHERE gid = ?1 ORDER BY epoch";
        self.all(sql, params![group.as_slice()], epoch_row)
    }

    async fn all_reports(&mut self, group: &GroupId) -> Result<Vec<(u64, u32, DeviceId)>, RowError> {
        let sql = "SELECT epoch, attempt, device FROM reports WHERE gid = ?1";
        let read = |row: &Row<'_>| Ok((get_number(row, 0)?, row.get(1)?, get_device(row, 2)?));
        self.all(sql, params![group.as_slice()], read)
    }

    async fn info_after(&mut self, group: &GroupId, after: Option<Seq>) -> Result<Option<InfoRow>, RowError> {
        let sql = "SELECT seq, epoch, group_info, ratchet_tree, invites FROM infos \
                   WHERE gid = ?1 AND seq > ?2 ORDER BY seq LIMIT 1";
        self.one(sql, params![group.as_slice(), after.map_or(-1, place)], info_row)
    }

    async fn delete_group(&mut self, group: &GroupId) -> Result<(), RowError> {
        for sql in [
            "DELETE FROM groups WHERE gid = ?1",
            "DELETE FROM epochs WHERE gid = ?1",
            "DELETE FROM log WHERE gid = ?1",
            "DELETE FROM infos WHERE gid = ?1",
            "DELETE FROM readers WHERE gid = ?1",
            "DELETE FROM reports WHERE gid = ?1",
            "DELETE FROM passes WHERE gid = ?1",
        ] {
            self.execute(sql, params![group.as_slice()])?;
        }
        Ok(())
    }

    async fn relayed(&mut self, from: &ShardName, device: &DeviceId) -> Result<Seq, RowError> {
        let sql = "SELECT seq FROM relayed WHERE shard = ?1 AND device = ?2";
        let found = self.one(sql, params![from.as_slice(), device.as_slice()], |row| get_seq(row, 0))?;
        Ok(found.unwrap_or_default())
    }

    async fn put_relayed(&mut self, from: &ShardName, device: &DeviceId, seq: Seq) -> Result<(), RowError> {
        let sql = "INSERT OR REPLACE INTO relayed VALUES(?1, ?2, ?3)";
        self.execute(sql, params![from.as_slice(), device.as_slice(), place(seq)])
    }
}

const fn number(state: PlaceState) -> i64 {
    match state {
        PlaceState::Moving => 1,
        PlaceState::Moved => 2,
        _ => 3,
    }
}

fn state(number: i64) -> Result<PlaceState, Error> {
    match number {
        1 => Ok(PlaceState::Moving),
        2 => Ok(PlaceState::Moved),
        3 => Ok(PlaceState::Arriving),
        other => Err(unknown(0, other)),
    }
}

fn get_shard(row: &Row<'_>, at: usize) -> Result<ShardName, Error> {
    Ok(ShardName::new(Digest::new(row.get(at)?)))
}
