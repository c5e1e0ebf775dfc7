//! Which shard this is, and groups that are moved.

use mls_delivery::{
    DeviceId, GroupId, Seq,
    rows::{EpochRow, InfoRow, PlaceRows, RowError},
    shard::{Place, PlaceState, ShardName},
};
use tokio_postgres::Row;

use super::{PostgresRows, get, get_device, get_digest, get_number, get_seq, groups::epoch_row, logs::info_row, place};

impl PlaceRows for PostgresRows<'_, '_> {
    async fn shard_names(&mut self) -> Result<Option<(ShardName, ShardName)>, RowError> {
        let read = |row: &Row| Ok((get_shard(row, 0)?, get_shard(row, 1)?));
        self.one("SELECT name, home FROM shard", &[], read).await
    }

    async fn put_shard_names(&mut self, name: &ShardName, home: &ShardName) -> Result<(), RowError> {
        self.execute("INSERT INTO shard VALUES($1, $2)", &[&name.as_slice(), &home.as_slice()]).await
    }

    async fn place(&mut self, group: &GroupId) -> Result<Option<Place>, RowError> {
        let sql = "SELECT state, shard, mover FROM places WHERE gid = $1";
        let read = |row: &Row| {
            Ok(Place { state: state(get(row, 0)?)?, shard: get_shard(row, 1)?, mover: get_digest(row, 2)? })
        };
        self.one(sql, &[&group.as_slice()], read).await
    }

    async fn put_place(&mut self, group: &GroupId, place: &Place) -> Result<(), RowError> {
        let Place { state, shard, mover } = place;
        let sql = "INSERT INTO places VALUES($1, $2, $3, $4) ON CONFLICT (gid) DO UPDATE SET state = $2, \
                   shard = $3, mover = $4";
        self.execute(sql, &[&group.as_slice(), &number(*state), &shard.as_slice(), &mover.as_slice()]).await
    }

    async fn delete_place(&mut self, group: &GroupId) -> Result<(), RowError> {
        self.execute("DELETE FROM places WHERE gid = $1", &[&group.as_slice()]).await
    }

    async fn epochs(&mut self, group: &GroupId) -> Result<Vec<(u64, EpochRow)>, RowError> {
        let sql = "SELECT epoch, write_key, began, end_seq, end_attempt, end_digest, end_at FROM epochs \
                   WHERE gid = $1 ORDER BY epoch";
        self.all(sql, &[&group.as_slice()], epoch_row).await
    }

    async fn all_reports(&mut self, group: &GroupId) -> Result<Vec<(u64, u32, DeviceId)>, RowError> {
        let sql = "SELECT epoch, attempt, device FROM reports WHERE gid = $1";
        let read = |row: &Row| Ok((get_number(row, 0)?, get_number(row, 1)?, get_device(row, 2)?));
        self.all(sql, &[&group.as_slice()], read).await
    }

    async fn info_after(&mut self, group: &GroupId, after: Option<Seq>) -> Result<Option<InfoRow>, RowError> {
        let sql = "SELECT seq, epoch, group_info, ratchet_tree, invites FROM infos \
                   WHERE gid = $1 AND seq > $2 ORDER BY seq LIMIT 1";
        self.one(sql, &[&group.as_slice(), &after.map_or(-1, place)], info_row).await
    }

    async fn delete_group(&mut self, group: &GroupId) -> Result<(), RowError> {
        for sql in [
            "DELETE FROM groups WHERE gid = $1",
            "DELETE FROM epochs WHERE gid = $1",
            "DELETE FROM log WHERE gid = $1",
            "DELETE FROM infos WHERE gid = $1",
            "DELETE FROM readers WHERE gid = $1",
            "DELETE FROM reports WHERE gid = $1",
            "DELETE FROM passes WHERE gid = $1",
        ] {
            self.execute(sql, &[&group.as_slice()]).await?;
        }
        Ok(())
    }

    async fn relayed(&mut self, from: &ShardName, device: &DeviceId) -> Result<Seq, RowError> {
        let sql = "SELECT seq FROM relayed WHERE shard = $1 AND device = $2";
        let found = self.one(sql, &[&from.as_slice(), &device.as_slice()], |row| get_seq(row, 0)).await?;
        Ok(found.unwrap_or_default())
    }

    async fn put_relayed(&mut self, from: &ShardName, device: &DeviceId, seq: Seq) -> Result<(), RowError> {
        let sql = "INSERT INTO relayed VALUES($1, $2, $3) ON CONFLICT (shard, device) DO UPDATE SET seq = $3";
        self.execute(sql, &[&from.as_slice(), &device.as_slice(), &place(seq)]).await
    }
}

const fn number(state: PlaceState) -> i64 {
    match state {
        PlaceState::Moving => 1,
        PlaceState::Moved => 2,
        _ => 3,
    }
}

fn state(number: i64) -> Result<PlaceState, RowError> {
    match number {
        1 => Ok(PlaceState::Moving),
        2 => Ok(PlaceState::Moved),
        3 => Ok(PlaceState::Arriving),
        _ => Err(RowError::Damaged),
    }
}

fn get_shard(row: &Row, at: usize) -> Result<ShardName, RowError> {
    Ok(ShardName::new(get_digest(row, at)?))
}
