//! A group opened from records of which some were changed behind its back.

use mls_engine::{
    error::OperationError,
    group::{CommitOptions, Group, Reader},
};
use testkit::network::Records;

use crate::{Target, Verdict, choices::Choices, scene::scene};

pub(super) const TARGET: Target = Target {
    name: "records",
    oracle: "a group opens or says that a record is invalid; one that opens reads, commits and does not panic",
    run,
    seeds,
};

fn run(bytes: &[u8]) -> Verdict {
    let (scene, mut choices) = (scene(), Choices::new(bytes));
    let env = scene.alice.host.env();
    let mut records = scene.alice.records.clone();
    for _ in 0..choices.of(4) {
        bend(&mut records, &mut choices);
    }
    let message = scene.insider().private_bytes(&hello());
    let _ = Reader::open(&env, &records).and_then(|reader| reader.read(&env, &message));
    let opened: Result<Group, OperationError> = Group::load(&env, &records);
    if let Ok(group) = &opened {
        let _ = group.process(&env, &message);
        let _ = group.commit(&env, CommitOptions::default());
    }
    Verdict::of(&opened)
}

fn hello() -> mls_engine::message::AuthenticatedContent {
    let insider = scene().insider();
    let content = mls_engine::message::Content::Application(mls_crypto::Opaque::from(&b"hello"[..]));
    insider.sign(mls_engine::message::WireFormat::PRIVATE_MESSAGE, insider.own_content(content))
}

fn bend(records: &mut Records, choices: &mut Choices<'_>) {
    let at = choices.of(records.rows.len());
    let Some(key) = records.rows.keys().nth(at).cloned() else { return };
    match choices.of(4) {
        0 => drop(records.rows.remove(&key)),
        1 => {
            let other = choices.of(records.rows.len());
            let value = records.rows.values().nth(other).cloned().unwrap_or_default();
            records.rows.insert(key, value);
        }
        _ => {
            let value = records.rows.entry(key).or_default();
            choices.bend(value);
        }
    }
}

fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = vec![vec![0]];
    seeds.extend((0..24).flat_map(|row| [vec![1, row, 0], vec![1, row, 2, 9, 1, 1], vec![1, row, 1, row + 1]]));
    seeds
}
