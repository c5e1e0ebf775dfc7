//! Other transactions in the way.

use std::sync::Arc;

use delivery_conformance::{World, rules};
use mls_delivery::{Clock, Limits, Rejection, SystemClock};
use postgres_lab::{Server, Tools};

use crate::{
    bench::{node, runtime},
    nodes::Fixed,
};

/// PostgreSQL says that a transaction has to begin anew: so it does, some times, and the one who asked notices nothing.
pub(crate) fn begun_anew(tools: &Tools) {
    let (runtime, server) = (runtime(), Server::start(tools));
    let (rules, clock): (_, Arc<dyn Clock>) = (rules(Limits::default()), Arc::new(SystemClock));
    let address = server.database("conflicts");
    let mut bench = Fixed(runtime.block_on(node(&address, &rules, &clock)));
    let world = World::open(&mut bench, Limits::default());
    let alice = world.device("alice");
    let group = world.group(&alice, "conflicts");
    let refuse = |condition: &str, code: &str| {
        let sql = format!(
            "CREATE SEQUENCE IF NOT EXISTS tries; \
             CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
             IF nextval('tries') {condition} THEN RAISE EXCEPTION 'again' USING ERRCODE = '{code}'; END IF; \
             RETURN NEW; END $$; CREATE OR REPLACE TRIGGER refuse BEFORE INSERT ON log \
             FOR EACH ROW EXECUTE FUNCTION refuse()"
        );
        server.sql("conflicts", &sql);
    };
    let tries = || server.sql("conflicts", "SELECT last_value FROM tries").trim().to_owned();
    refuse("<= 2", "40001");
    assert_eq!(world.commit(&alice, &group, 0).seq.get(), 1);
    assert_eq!(tries(), "3", "two were refused, and the third was not");
    refuse("<= 7", "40P01");
    assert_eq!(world.commit(&alice, &group, 1).seq.get(), 2);
    assert_eq!(tries(), "8");
    // Not for ever: then whoever asked is told to come back, and nothing has changed.
    refuse("> 0", "40001");
    let refused = world.submit(&alice, &group, 2, world.bundle(&group, 2, "commit"));
    assert_eq!((refused, tries().as_str()), (Err(Rejection::Unavailable), "14"));
    // Anything else is not repeated.
    refuse("> 0", "22012");
    let damaged = world.submit(&alice, &group, 2, world.bundle(&group, 2, "commit"));
    assert_eq!((damaged, tries().as_str()), (Err(Rejection::Damaged), "15"));
    server.sql("conflicts", "DROP TRIGGER refuse ON log");
    assert_eq!(world.commit(&alice, &group, 2).seq.get(), 3);
}
