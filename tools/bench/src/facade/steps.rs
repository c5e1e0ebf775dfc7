//! The steps that the library makes promises about: PERF-01 to PERF-03 and the figures beside them.

use std::sync::atomic::{AtomicUsize, Ordering};

use spacepanda_core::core_mls::{Client, MlsConfig, MlsEnvelope, MlsHandle, Secret, store::FileKey};

use super::{
    Figure, Of,
    scratch::{Scratch, passing_client},
};

const MEMBERS: u32 = 20;
const MESSAGES: usize = 500;
const TURNS: usize = 9;

/// Measures them all, with stores on the disk or in memory.
pub(super) fn run(config: &MlsConfig, durable: bool) -> Vec<Figure> {
    let scratch = Scratch::new(durable);
    let alice = scratch.client("alice", config);
    let Joined { first, idle, figure: join } = joins(&scratch, &alice, config);
    let mut figures = messages(&first);
    figures.push(add("commit-10", &alice, config, 10).at_most(Of::Median, 15.0));
    figures.push(add("add-20", &alice, config, 20).at_most(Of::Median, 1_000.0));
    figures.push(join.at_most(Of::Median, 5.0));
    figures.extend(files(&scratch, &alice, idle));
    figures
}

/// Key packages of people never seen before, each with its identity: a name has one key for ever.
fn packages(config: &MlsConfig, count: u32) -> Vec<(Vec<u8>, Vec<u8>)> {
    static GUESTS: AtomicUsize = AtomicUsize::new(0);
    let package = |_| {
        let number = GUESTS.fetch_add(1, Ordering::Relaxed);
        let client = passing_client(&format!("guest {number}"), config);
        (client.generate_key_package().unwrap(), client.identity().to_vec())
    };
    (0..count).map(package).collect()
}

/// Groups that Bob joined.
struct Joined {
    /// One of them, from both sides.
    first: (MlsHandle, MlsHandle),
    /// Another one, in which nothing was said.
    idle: MlsHandle,
    /// What joining took.
    figure: Figure,
}

/// Groups of twenty that Bob joins, one after the other.
fn joins(scratch: &Scratch, alice: &Client, config: &MlsConfig) -> Joined {
    let bob = scratch.client("bob", config);
    let groups: Vec<(MlsHandle, MlsEnvelope)> = (0..TURNS)
        .map(|_| {
            let group = alice.create_group(None).unwrap();
            let mut adds = packages(config, MEMBERS - 2);
            adds.push((bob.generate_key_package().unwrap(), bob.identity().to_vec()));
            group.propose_add_batch(&adds).unwrap();
            let (_, welcomes) = group.commit().unwrap();
            (group, welcomes.into_iter().next_back().unwrap())
        })
        .collect();
    let mut joined = None;
    let figure = Figure::measure("join", MEMBERS, TURNS, |turn| {
        joined = Some(bob.join_group(&groups[turn].1).unwrap());
    });
    let mut groups = groups.into_iter().map(|(group, _)| group);
    let idle = groups.next().unwrap();
    Joined { first: (groups.next_back().unwrap(), joined.unwrap()), idle, figure }
}

fn messages((alice, bob): &(MlsHandle, MlsHandle)) -> Vec<Figure> {
    let mut sent = Vec::new();
    let encrypt = Figure::measure("encrypt", MEMBERS, MESSAGES, |_| sent.push(alice.send_message(&[7; 32]).unwrap()));
    let decrypt = Figure::measure("decrypt", MEMBERS, MESSAGES, |turn| bob.receive_message(&sent[turn]).unwrap());
    let both = |payload: &[u8]| bob.receive_message(&alice.send_message(payload).unwrap()).unwrap();
    let hundred = Figure::measure("100-messages", MEMBERS, TURNS, |_| (0..100).for_each(|_| drop(both(&[7; 32]))));
    let long = vec![7; 1 << 20];
    let mebibyte = Figure::measure("1m", MEMBERS, TURNS, |_| both(&long));
    vec![
        encrypt.at_most(Of::P99, 1.0),
        decrypt.at_most(Of::P99, 1.0),
        hundred.at_most(Of::Median, 50.0),
        mebibyte.at_most(Of::Median, 50.0),
    ]
}

/// Proposing to add so many, and the commit with their Welcomes.
fn add(name: &str, alice: &Client, config: &MlsConfig, count: u32) -> Figure {
    let groups: Vec<_> = (0..TURNS).map(|_| (alice.create_group(None).unwrap(), packages(config, count))).collect();
    Figure::measure(name, count + 1, TURNS, |turn| {
        let (group, adds) = &groups[turn];
        group.propose_add_batch(adds).unwrap();
        group.commit().unwrap()
    })
}

/// Saving to a file and loading from it, with a key that is not a passphrase.
fn files(scratch: &Scratch, alice: &Client, group: MlsHandle) -> [Figure; 2] {
    let (file, id) = (scratch.file("group.enc"), group.group_id());
    let key = FileKey::raw_key(Secret::copy_from(&[9; 32])).unwrap();
    let save = Figure::measure("save", MEMBERS, TURNS, |_| group.save(&file, &key).unwrap());
    drop(group);
    let mut times = Vec::new();
    for _ in 0..TURNS {
        alice.delete_group(&id).unwrap();
        let load = Figure::measure("load", MEMBERS, 1, |_| MlsHandle::load(alice, &file, &key).unwrap());
        times.push((load.quantile(0.5), load.bytes));
    }
    let (times, written) = times.into_iter().unzip();
    [save.at_most(Of::Median, 10.0), Figure::of("load", MEMBERS, times, written).at_most(Of::Median, 5.0)]
}
