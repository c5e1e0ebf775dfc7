//! Passes of groups.

use mls_delivery::{
    Digest, GroupId, Timestamp, UserId,
    rows::{PassRow, PassRows, RowError},
};
use tokio_postgres::Row;

use super::{PostgresRows, get_digest, get_maybe_bytes, get_number, int};

impl PassRows for PostgresRows<'_, '_> {
    async fn pass(&mut self, group: &GroupId, token: &Digest) -> Result<Option<PassRow>, RowError> {
        let sql = "SELECT token, expires, uses, used, owner FROM passes WHERE gid = $1 AND token = $2";
        let found = self.one(sql, &[&group.as_slice(), &token.as_slice()], pass_row).await?;
        Ok(found.map(|(_, row)| row))
    }

    async fn put_pass(&mut self, group: &GroupId, token: &Digest, row: &PassRow) -> Result<(), RowError> {
        let PassRow { expires, uses, used, user } = row;
        let (expires, uses, used) = (int(*expires), int(*uses), int(*used));
        let user = user.as_ref().map(UserId::as_slice);
        self.execute(
            "INSERT INTO passes VALUES($1, $2, $3, $4, $5, $6) ON CONFLICT (gid, token) DO UPDATE SET expires = $3, \
             uses = $4, used = $5, owner = $6",
            &[&group.as_slice(), &token.as_slice(), &expires, &uses, &used, &user],
        )
        .await
    }

    async fn delete_pass(&mut self, group: &GroupId, token: &Digest) -> Result<(), RowError> {
        let sql = "DELETE FROM passes WHERE gid = $1 AND token = $2";
        self.execute(sql, &[&group.as_slice(), &token.as_slice()]).await
    }

    async fn passes(&mut self, group: &GroupId) -> Result<Vec<(Digest, PassRow)>, RowError> {
        let sql = "SELECT token, expires, uses, used, owner FROM passes WHERE gid = $1 ORDER BY token";
        self.all(sql, &[&group.as_slice()], pass_row).await
    }

    async fn expire_passes(&mut self, group: &GroupId, now: Timestamp) -> Result<(), RowError> {
        self.execute("DELETE FROM passes WHERE gid = $1 AND expires <= $2", &[&group.as_slice(), &int(now)]).await
    }
}

fn pass_row(row: &Row) -> Result<(Digest, PassRow), RowError> {
    let user = get_maybe_bytes(row, 4)?.map(UserId::new);
    let pass = PassRow { expires: get_number(row, 1)?, uses: get_number(row, 2)?, used: get_number(row, 3)?, user };
    Ok((get_digest(row, 0)?, pass))
}
