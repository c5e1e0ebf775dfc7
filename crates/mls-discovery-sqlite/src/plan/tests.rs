use mls_crypto_aws_lc::OsRandom;
use mls_discovery::DiscoveryQuery;
use rusqlite::{Connection, params_from_iter};

use super::Plan;
use crate::schema;

/// CAP-69: every question is answered by an index, without sorting and without looking at all rows.
#[test]
fn questions_are_answered_by_indexes() {
    let mut connection = Connection::open_in_memory().unwrap();
    schema::prepare(&mut connection, &OsRandom).unwrap();
    let any = DiscoveryQuery::default;
    for (query, index) in [
        (any(), "SEARCH records USING INDEX heads_by_id (group_id>?)"),
        (
            DiscoveryQuery { name_pattern: Some("tea*".into()), ..any() },
            "USING INDEX heads_by_name (name>? AND name<?)",
        ),
        (
            DiscoveryQuery { name_pattern: Some("*five".into()), ..any() },
            "USING INDEX heads_by_name (name>? AND name<?)",
        ),
        (DiscoveryQuery { min_members: Some(5), ..any() }, "heads_by_members (members>? AND members<?)"),
        (DiscoveryQuery { max_members: Some(5), ..any() }, "heads_by_members (members>? AND members<?)"),
        (DiscoveryQuery { created_after: Some(5), ..any() }, "heads_by_created (created>? AND created<?)"),
    ] {
        let plan = Plan::of(&query, None);
        let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {}", plan.sql)).unwrap();
        let blank = vec![Vec::<u8>::new(); statement.parameter_count()];
        let steps: Vec<String> =
            statement.query_map(params_from_iter(blank), |row| row.get(3)).unwrap().map(Result::unwrap).collect();
        let steps = steps.join("; ").replace("(name,group_id)>(?,?)", "name>?");
        let plain =
            steps.replace("(members,group_id)>(?,?)", "members>?").replace("(created,group_id)>(?,?)", "created>?");
        assert!(plain.contains(index), "{query:?}: {plain}");
        assert!(!plain.contains("TEMP B-TREE") && !plain.contains("SCAN"), "{query:?}: {plain}");
    }
}
