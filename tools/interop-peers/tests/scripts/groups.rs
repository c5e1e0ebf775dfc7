//! The harness's scripts for one group: joining, data, commits, external commits.

use interop::{Answer, Change, CommitParams, Failure, Stack, message::Extension};

use crate::room::{External, Room, Setup, of, psk};

pub fn welcome(setup: Setup) -> Answer<()> {
    for (force_path, external_tree, with_psk) in
        [(false, false, false), (true, false, false), (false, false, true), (false, true, false)]
    {
        let mut room = Room::create(setup, &[])?;
        let package = room.package("bob")?;
        room.propose("alice", Change::Add(package))?;
        if with_psk {
            room.install_psk(b"psk")?;
            room.propose("alice", Change::ExternalPsk(b"psk".to_vec()))?;
        }
        room.commit("alice", CommitParams { force_path, external_tree, ..CommitParams::default() })?;
        room.talk()?;
        room.commit("bob", CommitParams::default())?;
    }
    Ok(())
}

/// The private keys, in the form and of the lengths of the official vectors.
pub fn private_keys(setup: Setup) -> Answer<()> {
    let mut room = Room::create(setup, &[])?;
    let published = room.publish("bob")?;
    let len = if setup.suite == 7 { 48 } else { 32 };
    assert_eq!(published.init_priv.len(), len);
    assert_eq!(published.signature_priv.len(), len);
    let shown = setup.cast.others == crate::mixed::Peer::MlsRs;
    assert_eq!(published.encryption_priv.len(), if shown { len } else { 0 });
    Ok(())
}

pub fn out_of_order_within_an_epoch(setup: Setup) -> Answer<()> {
    let mut room = Room::create(setup, &["bob"])?;
    let mut messages = Vec::new();
    for text in [b"1", b"2", b"3"] {
        messages.push(room.stack.protect(of(&mut room.members, "alice"), b"btw", text)?);
    }
    for (message, text) in messages.iter().zip([b"1", b"2", b"3"]).rev() {
        let opened = room.stack.unprotect(of(&mut room.members, "bob"), message)?;
        assert_eq!(opened, (b"btw".to_vec(), text.to_vec()));
    }
    Ok(())
}

/// Long enough that mls-rs has written some of the epochs out, and not others.
pub fn out_of_order_across_epochs(setup: Setup) -> Answer<()> {
    let mut room = Room::create(setup, &["bob"])?;
    for round in 0..3 {
        let mut messages = Vec::new();
        for epoch in 0..4_u8 {
            messages.push(room.stack.protect(of(&mut room.members, "alice"), &[epoch], &[round])?);
            messages.push(room.stack.protect(of(&mut room.members, "alice"), &[epoch], &[round])?);
            if epoch < 3 {
                room.commit("alice", CommitParams::default())?;
            }
        }
        for (index, message) in messages.iter().enumerate().rev() {
            let opened = room.stack.unprotect(of(&mut room.members, "bob"), message)?;
            assert_eq!(opened, (vec![u8::try_from(index / 2).unwrap()], vec![round]));
        }
    }
    Ok(())
}

pub fn adds(setup: Setup) -> Answer<()> {
    let mut room = Room::create(setup, &["bob"])?;
    for (names, force_path) in [(["carl1", "carl2", "carl3"], true), (["carl4", "carl5", "carl6"], false)] {
        let [by_alice, by_bob, by_value] = names.map(|name| room.package(name));
        room.propose("alice", Change::Add(by_alice?))?;
        room.propose("bob", Change::Add(by_bob?))?;
        let by_value = vec![Change::Add(by_value?)];
        room.commit("alice", CommitParams { by_value, force_path, ..CommitParams::default() })?;
    }
    room.talk()
}

pub fn removes(setup: Setup) -> Answer<()> {
    let mut room = Room::create(setup, &["bob", "carl1", "carl2", "carl3"])?;
    room.propose("alice", Change::Remove(b"carl1".to_vec()))?;
    room.propose("bob", Change::Remove(b"carl2".to_vec()))?;
    let by_value = vec![Change::Remove(b"carl3".to_vec())];
    let params = CommitParams { by_value, ..CommitParams::default() };
    room.commit_without("alice", params, &["carl1", "carl2", "carl3"])?;
    let unknown = room.propose("alice", Change::Remove(b"carl1".to_vec()));
    assert_eq!(unknown, Err(Failure::Malformed("no member has this identity")));
    room.talk()
}

pub fn updates(setup: Setup) -> Answer<()> {
    let mut room = Room::create(setup, &["bob", "carl"])?;
    room.propose("bob", Change::Update)?;
    room.propose("carl", Change::Update)?;
    room.commit("alice", CommitParams::default())?;
    room.talk()?;
    room.commit("bob", CommitParams::default())
}

pub fn extensions(setup: Setup) -> Answer<()> {
    let mut room = Room::create(setup, &["bob"])?;
    room.propose("alice", Change::Extensions(both()))?;
    room.commit("alice", CommitParams::default())?;
    room.propose("bob", Change::Extensions(Vec::new()))?;
    room.commit("alice", CommitParams::default())?;
    let by_value = vec![Change::Extensions(both().into_iter().take(1).collect())];
    room.commit("alice", CommitParams { by_value, ..CommitParams::default() })?;
    room.talk()
}

pub fn external_psks(setup: Setup) -> Answer<()> {
    let mut room = Room::create(setup, &["bob"])?;
    for id in [b"1", b"2", b"3"] {
        room.install_psk(id)?;
    }
    for force_path in [true, false] {
        room.propose("alice", Change::ExternalPsk(b"1".to_vec()))?;
        room.propose("bob", Change::ExternalPsk(b"2".to_vec()))?;
        let by_value = vec![Change::ExternalPsk(b"3".to_vec())];
        room.commit("alice", CommitParams { by_value, force_path, ..CommitParams::default() })?;
    }
    room.talk()
}

pub fn resumption_psks(setup: Setup) -> Answer<()> {
    let mut room = Room::create(setup, &["bob"])?;
    for _ in 0..2 {
        room.commit("alice", CommitParams::default())?;
    }
    for first in [1, 2] {
        room.propose("alice", Change::ResumptionPsk(first))?;
        room.propose("bob", Change::ResumptionPsk(first + 1))?;
        let by_value = vec![Change::ResumptionPsk(first + 2)];
        room.commit("alice", CommitParams { by_value, force_path: true, ..CommitParams::default() })?;
    }
    room.talk()
}

/// Everything at once, proposed by alice, and by bob, who updates too.
pub fn all_together(setup: Setup) -> Answer<()> {
    for by in ["alice", "bob"] {
        let mut room = Room::create(setup, &["bob", "carl1", "carl2"])?;
        room.install_psk(b"1")?;
        room.install_psk(b"2")?;
        let [first, second] =
            ["carl3", "carl4"].map(|name| room.stack.create_key_package(setup.suite, name.as_bytes()));
        room.propose(by, Change::Add(first?.1.message))?;
        room.propose(by, Change::Remove(b"carl1".to_vec()))?;
        room.propose(by, Change::Extensions(both()))?;
        room.propose(by, Change::ExternalPsk(b"1".to_vec()))?;
        room.propose(by, Change::ResumptionPsk(1))?;
        if by == "bob" {
            room.propose(by, Change::Update)?;
        }
        let by_value = vec![
            Change::Add(second?.1.message),
            Change::Remove(b"carl2".to_vec()),
            Change::ExternalPsk(b"2".to_vec()),
            Change::ResumptionPsk(1),
        ];
        let params = CommitParams { by_value, ..CommitParams::default() };
        room.commit_without("alice", params, &["carl1", "carl2"])?;
        room.talk()?;
    }
    Ok(())
}

/// A commit covers what it is told to, and neither the Remove nor the PSK that are cached as well.
pub fn exactly_what_was_asked(setup: Setup) -> Answer<()> {
    let mut room = Room::create(setup, &["bob", "carl"])?;
    room.install_psk(b"psk")?;
    room.propose("alice", Change::Remove(b"carl".to_vec()))?;
    room.propose("alice", Change::ExternalPsk(b"psk".to_vec()))?;
    room.propose("bob", Change::Update)?;
    let update = room.proposals.pop().unwrap();
    room.proposals.clear();
    room.proposals.push(update);
    room.commit("alice", CommitParams::default())?;
    assert_eq!(room.members.len(), 3);
    room.talk()
}

pub fn external_joins(setup: Setup) -> Answer<()> {
    let mut room = Room::create(setup, &[])?;
    room.join_external("bob", "alice", External::default())?;
    room.join_external("bob", "alice", External { remove_prior: true, ..External::default() })?;
    room.join_external("carl", "bob", External { external_tree: true, ..External::default() })?;
    room.join_external("carl", "bob", External { external_tree: true, remove_prior: true, ..External::default() })?;
    room.install_psk(b"psk")?;
    room.join_external("dora", "carl", External { psks: &[psk(b"psk")], ..External::default() })?;
    room.talk()?;
    room.propose("dora", Change::Update)?;
    room.commit("bob", CommitParams::default())?;
    room.commit("dora", CommitParams::default())
}

/// `required_capabilities` and `external_senders`, both empty.
pub fn both() -> Vec<Extension> {
    vec![
        Extension { extension_type: 3, extension_data: vec![0; 3] },
        Extension { extension_type: 5, extension_data: vec![0] },
    ]
}
