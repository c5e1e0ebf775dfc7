//! The steps that are measured, as a host runs them without storage.

use mls_bench::{SUITE, adds};
use mls_crypto_aws_lc::AwsLc;
use mls_engine::{
    group::{
        CommitOptions, Group, KeyPackageSecrets, MessageOptions, PathChoice, Pending, Processed, ProposalKind, Reader,
    },
    math::LeafIndex,
};
use testkit::{
    counting::CountingCrypto,
    forge::FullTree,
    network::{Host, Member, NewMember},
};

use crate::{meter::Meter, table::Row};

/// What all steps cost in groups of this size.
pub(crate) fn rows(members: u32) -> Vec<Row> {
    let mut meter = Meter::new(members);
    full_tree(&mut meter, members);
    bulk_add(&mut meter, members);
    meter.rows
}

fn host(meter: &Meter, seed: u64) -> Host {
    let crypto = CountingCrypto::new(Box::new(AwsLc::default()), &meter.counter);
    let mut host = Host::with_crypto(seed, Box::new(crypto));
    host.limits.max_members = 1 << 20;
    host
}

fn newcomer(meter: &Meter, seed: u64) -> NewMember {
    NewMember::with_host(&format!("member {seed}"), host(meter, seed), SUITE)
}

fn full_tree(meter: &mut Meter, members: u32) {
    let forged = FullTree::new(members, SUITE).forge(&host(meter, 1));
    let mut first = forged.member(0, host(meter, 2)).unwrap();
    let mut last = forged.member(members - 1, host(meter, 3)).unwrap();
    for (payload, [send, receive, read]) in [
        (32, ["send_32", "receive_32", "read_stored_32"]),
        (65_536, ["send_65536", "receive_65536", "read_stored_65536"]),
    ] {
        // Not the first of its sender: that one walks down the secret tree.
        let early = first.send(b"early").unwrap();
        last.open(&early).unwrap();
        messages(meter, [&mut first, &mut last], &vec![7; payload], [send, receive, read]);
    }
    catch_up(meter, [&mut first, &mut last]);
    commits(meter, &first, members);
    process(meter, &first, &last);
    joins(meter, &first);
}

fn messages(meter: &mut Meter, [first, last]: [&mut Member; 2], plaintext: &[u8], names: [&'static str; 3]) {
    let [send, receive, read] = names;
    let sealed = meter.measure(send, || {
        let sealed = first.group.send(&first.host.env(), plaintext, &MessageOptions::default()).unwrap();
        let durable = sealed.step.bytes();
        (sealed, durable)
    });
    first.adopt(sealed.step).unwrap();
    meter.measure(read, || {
        let env = last.host.env();
        (Reader::open(&env, &last.records).unwrap().read(&env, &sealed.message).unwrap().unwrap(), 0)
    });
    let step = meter.measure(receive, || {
        let env = last.host.env();
        let Processed::Application(opened) = last.group.process(&env, &sealed.message).unwrap() else {
            panic!("an application message")
        };
        let step = last.group.record(&env, opened.spent).unwrap();
        let durable = step.bytes();
        (step, durable)
    });
    last.adopt(step).unwrap();
}

/// Messages that have waited, in one call.
fn catch_up(meter: &mut Meter, [first, last]: [&mut Member; 2]) {
    let waiting: Vec<_> = (0..100).map(|_| first.send(&[7; 32]).unwrap()).collect();
    let waiting: Vec<&[u8]> = waiting.iter().map(Vec::as_slice).collect();
    let step = meter.measure("catch_up_100", || {
        let env = last.host.env();
        let opened = last.group.open_all(&env, &waiting);
        let spent = opened.into_iter().map(|opened| opened.unwrap().unwrap().spent).collect();
        let step = last.group.record_all(&env, spent).unwrap();
        let durable = step.bytes();
        (step, durable)
    });
    last.adopt(step).unwrap();
}

/// Makes a commit and drops it.
fn commit(meter: &mut Meter, name: &'static str, member: &Member, options: CommitOptions) -> Pending {
    meter.measure(name, || {
        let pending = member.group.commit(&member.host.env(), options).unwrap();
        let durable = pending.step.bytes();
        (pending, durable)
    })
}

fn commits(meter: &mut Meter, first: &Member, members: u32) {
    let packages = [newcomer(meter, 9_001).key_package()];
    let packages: Vec<&KeyPackageSecrets> = packages.iter().collect();
    commit(meter, "update", first, CommitOptions::default());
    let by_value = vec![ProposalKind::Remove(LeafIndex::new(members / 2))];
    commit(meter, "remove_1", first, CommitOptions { by_value, ..CommitOptions::default() });
    commit(meter, "add_1", first, adds(&packages, PathChoice::Always));
    commit(meter, "add_1_no_path", first, adds(&packages, PathChoice::WhenRequired));
    let by_hash = CommitOptions { tree_in_welcome: false, ..adds(&packages, PathChoice::Always) };
    commit(meter, "add_1_tree_by_hash", first, by_hash);
}

fn process(meter: &mut Meter, first: &Member, last: &Member) {
    let pending = first.group.commit(&first.host.env(), CommitOptions::default()).unwrap();
    meter.measure("process_update", || match last.group.process(&last.host.env(), &pending.commit).unwrap() {
        Processed::Commit(staged) => {
            let durable = staged.step.bytes();
            (staged, durable)
        }
        other => panic!("no commit: {other:?}"),
    });
}

fn joins(meter: &mut Meter, first: &Member) {
    let newcomer = newcomer(meter, 9_002);
    let keys = newcomer.key_package();
    let pending = first.group.commit(&first.host.env(), adds(&[&keys], PathChoice::Always)).unwrap();
    let welcome = pending.welcome.unwrap();
    meter.measure("join", || (Group::join(&newcomer.host.env(), &welcome, &[&keys], None).unwrap().group, 0));
    let info = first.group.group_info(&first.host.env(), true, true).unwrap();
    meter.measure("join_external", || (newcomer.join_external(&info, None, None).unwrap(), 0));
}

/// One commit that adds all, and the next one.
fn bulk_add(meter: &mut Meter, members: u32) {
    let mut first = newcomer(meter, 0).create(b"cold group");
    let packages: Vec<_> = (1..members).map(|seed| newcomer(meter, u64::from(seed)).key_package()).collect();
    let packages: Vec<_> = packages.iter().collect();
    let pending = commit(meter, "create_group", &first, adds(&packages, PathChoice::Always));
    first.adopt(pending.step).unwrap();
    first.accept(&pending.commit_id).unwrap();
    commit(meter, "update_blank_tree", &first, CommitOptions::default());
}
