//! Which statement answers a question: each begins at a place of an index, and reads in its order.

use mls_discovery::{DiscoveryQuery, Order, Place};

/// A statement, and its three parameters: from which key and group on, and below which key.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) sql: &'static str,
    pub(crate) from: (Vec<u8>, Vec<u8>),
    /// There is none in the order of ids.
    pub(crate) below: Option<Vec<u8>>,
}

/// The record comes last: one that is left out for its name is not read.
macro_rules! by {
    ($column:literal) => {
        concat!(
            "SELECT ",
            $column,
            ", group_id, record FROM records WHERE head = 1 AND (",
            $column,
            ", group_id) >= (?1, ?2) AND ",
            $column,
            " < ?3 ORDER BY ",
            $column,
            ", group_id"
        )
    };
}

pub(crate) const BY_ID: &str =
    "SELECT group_id, group_id, record FROM records WHERE head = 1 AND group_id >= ?1 ORDER BY group_id";

impl Plan {
    pub(crate) fn of(query: &DiscoveryQuery, from: Option<&Place>) -> Self {
        let order = query.order();
        let (least, above) = query.range();
        let sql = match order {
            Order::Name => by!("name"),
            Order::Members => by!("members"),
            Order::Created => by!("created"),
            _ => BY_ID,
        };
        let place = from.map(|place| (place.key.as_slice().to_vec(), place.group_id.as_slice().to_vec()));
        let mut from = place.unwrap_or_default().max((least, Vec::new()));
        if order == Order::Id {
            from.0 = from.1.clone();
        }
        Self { sql, from, below: (order != Order::Id).then_some(above) }
    }
}

#[cfg(test)]
mod tests;
