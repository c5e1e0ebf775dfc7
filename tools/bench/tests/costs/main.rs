//! What a step costs does not grow unnoticed: every counted cost is held to the one in `costs.txt`.
//!
//! Counted are operations of cryptography and the bytes they touch, bytes to be made durable, allocations, the bytes
//! allocated, and those still held afterwards. No clock is read. A step that became cheaper, or that is dearer on
//! purpose, is written down again with `MLS_COSTS=write cargo test -p mls-bench --test costs`.
#![allow(clippy::unwrap_used, clippy::arithmetic_side_effects, clippy::panic, clippy::print_stdout, reason = "tests")]

mod meter;
mod table;
mod work;

use std::{fs, path::Path};

use table::{Row, Table};

/// Group sizes that are measured.
const SIZES: [u32; 2] = [100, 1_000];

/// One test only: allocations are counted for the whole process.
#[test]
fn costs_do_not_grow() {
    let rows: Vec<Row> = SIZES.into_iter().flat_map(work::rows).collect();
    let now = Table::new(rows);
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("costs.txt");
    if std::env::var_os("MLS_COSTS").is_some_and(|what| what == "write") {
        fs::write(&file, now.to_string()).unwrap();
        return;
    }
    println!("{now}");
    let before: Table = fs::read_to_string(&file).unwrap().parse().unwrap();
    let grown = now.grown_from(&before);
    assert!(grown.is_empty(), "dearer than costs.txt says:\n{}", grown.join("\n"));
}
