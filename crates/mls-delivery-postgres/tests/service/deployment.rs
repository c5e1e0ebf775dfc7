//! What docs/deployment.md says about databases, done as it says.

use std::sync::Arc;

use delivery_conformance::{World, rules};
use mls_delivery::{Clock, Limits, SystemClock};
use postgres_lab::{Server, Tools};

use crate::{
    bench::{node, runtime},
    nodes::Fixed,
};

/// A user and a database of its own, a service in it, a backup while it runs, and the service going on from that.
pub(crate) fn commands(tools: &Tools) {
    let page = include_str!("../../../../docs/deployment.md");
    for command in
        ["createuser delivery && createdb --owner=delivery delivery", "pg_dump --format=custom", "pg_restore"]
    {
        assert!(page.contains(command), "the page says {command} no more: change this test with it");
    }
    let (runtime, server) = (runtime(), Server::start(tools));
    let folder = server.folder().display().to_string();
    let run = |program: &str, arguments: &[&str]| {
        let at = ["-h", &folder, "-U", "delivery"];
        tools.run(program, &[&at[..], arguments].concat());
    };
    run("createuser", &["operator"]);
    run("createdb", &["--owner=operator", "chat"]);
    let address = |database| server.address(database).replace("//delivery@", "//operator@");
    let (rules, clock): (_, Arc<dyn Clock>) = (rules(Limits::default()), Arc::new(SystemClock));
    let mut bench = Fixed(runtime.block_on(node(&address("chat"), &rules, &clock)));
    let world = World::open(&mut bench, Limits::default());
    let alice = world.device("alice");
    let group = world.group(&alice, "backed up");
    world.commit(&alice, &group, 0);
    let dump = format!("{folder}/chat.dump");
    run("pg_dump", &["--format=custom", "--file", &dump, "chat"]);
    world.commit(&alice, &group, 1);
    drop(world);
    run("createdb", &["--owner=operator", "again"]);
    run("pg_restore", &["--dbname=again", &dump]);
    // The copy knows what was known when it was made, and goes on from there.
    let mut bench = Fixed(runtime.block_on(node(&address("again"), &rules, &clock)));
    let world = World::open(&mut bench, Limits::default());
    assert_eq!(world.commit(&alice, &group, 1).seq.get(), 2);
}
