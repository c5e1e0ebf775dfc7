//! Passes of groups.

use mls_delivery::{
    Digest, GroupId, Timestamp, UserId,
    rows::{PassRow, PassRows, RowError},
};
use rusqlite::{Error, Row, params};

use super::{SqliteRows, get_digest, get_maybe_bytes, get_number, int};

impl PassRows for SqliteRows<'_> {
    async fn pass(&mut self, group: &GroupId, token: &Digest) -> Result<Option<PassRow>, RowError> {
        let sql = "SELECT token, expires, uses, used, user FROM passes WHERE gid = ?1 AND token = ?2";
        Ok(self.one(sql, params![group.as_slice(), token.as_slice()], pass_row)?.map(|(_, row)| row))
    }

    async fn put_pass(&mut self, group: &GroupId, token: &Digest, row: &PassRow) -> Result<(), RowError> {
        let PassRow { expires, uses, used, user } = row;
        let user = user.as_ref().map(UserId::as_slice);
        self.execute(
            "INSERT OR REPLACE INTO passes VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
            params![group.as_slice(), token.as_slice(), int(*expires), int(*uses), int(*used), user],
        )
    }

    async fn delete_pass(&mut self, group: &GroupId, token: &Digest) -> Result<(), RowError> {
        let sql = "DELETE FROM passes WHERE gid = ?1 AND token = ?2";
        self.execute(sql, params![group.as_slice(), token.as_slice()])
    }

    async fn passes(&mut self, group: &GroupId) -> Result<Vec<(Digest, PassRow)>, RowError> {
        let sql = "SELECT token, expires, uses, used, user FROM passes WHERE gid = ?1 ORDER BY token";
        self.all(sql, params![group.as_slice()], pass_row)
    }

    async fn expire_passes(&mut self, group: &GroupId, now: Timestamp) -> Result<(), RowError> {
        self.execute("DELETE FROM passes WHERE gid = ?1 AND expires <= ?2", params![group.as_slice(), int(now)])
    }
}

fn pass_row(row: &Row<'_>) -> Result<(Digest, PassRow), Error> {
    let user = get_maybe_bytes(row, 4)?.map(UserId::new);
    let row_of = PassRow { expires: get_number(row, 1)?, uses: get_number(row, 2)?, used: get_number(row, 3)?, user };
    Ok((get_digest(row, 0)?, row_of))
}
