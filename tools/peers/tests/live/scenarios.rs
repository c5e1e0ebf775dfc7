//! What every implementation does with every other.

use crate::{
    peer::{Change, Kind, NO_EXTENSIONS, Setup},
    peers::extension_list,
    room::{Room, Test},
};

/// A scenario: who creates the group, and how it is set up.
pub type Scenario = fn(Kind, Setup) -> Test;

pub const ALL: [(&str, Scenario); 10] = [
    ("adds", adds),
    ("updates", updates),
    ("removes", removes),
    ("external_joins", external_joins),
    ("resyncs", resyncs),
    ("messages", messages),
    ("psks", psks),
    ("extensions", extensions),
    ("mixed_commits", mixed_commits),
    ("tree_out_of_band", tree_out_of_band),
];

/// The kinds after this one, around the circle.
fn others(kind: Kind) -> [Kind; 2] {
    match kind {
        Kind::Ours => [Kind::OpenMls, Kind::MlsRs],
        Kind::OpenMls => [Kind::MlsRs, Kind::Ours],
        Kind::MlsRs => [Kind::Ours, Kind::OpenMls],
    }
}

/// Each adds clients of all kinds by value; each proposes an Add that another commits.
fn adds(creator: Kind, setup: Setup) -> Test {
    let mut room = Room::full(creator, setup, 1)?;
    for by in Kind::ALL {
        room.add(room.of(by), &Kind::ALL)?;
    }
    for by in Kind::ALL {
        let [added, committer] = others(by);
        let (joiners, changes) = room.invite(&[added])?;
        if room.propose(room.of(by), &changes[0])? {
            room.commit(room.of(committer), &[], joiners)?;
        }
    }
    room.talk(1)
}

/// Each commits a path; each proposes an Update that each other commits.
fn updates(creator: Kind, setup: Setup) -> Test {
    let mut room = Room::full(creator, setup, 2)?;
    for by in Kind::ALL {
        room.commit(room.of(by), &[], Vec::new())?;
        for committer in others(by) {
            room.propose(room.of(by), &Change::Update)?;
            room.commit(room.of(committer), &[], Vec::new())?;
        }
    }
    room.talk(1)
}

/// Each removes each kind, by value and by reference, at the right edge and in the middle of the tree.
fn removes(creator: Kind, setup: Setup) -> Test {
    let mut room = Room::full(creator, setup, 2)?;
    for by in Kind::ALL {
        for target in Kind::ALL {
            room.add(room.of(by), &[target])?;
            let leaf = room.leaf(room.peers.len() - 1)?;
            room.commit(room.of(by), &[Change::Remove(leaf)], Vec::new())?;
        }
        room.talk(1)?;
    }
    for by in Kind::ALL {
        let [target, committer] = others(by);
        let leaf = room.leaf(room.of(target))?;
        room.propose(room.of(by), &Change::Remove(leaf))?;
        let last = room.peers.iter().rposition(|peer| peer.kind() == committer).unwrap_or_default();
        room.commit(last, &[], Vec::new())?;
        room.talk(1)?;
        room.add(room.of(by), &[target])?;
    }
    room.talk(1)
}

/// Each joins on a GroupInfo of each, and commits.
fn external_joins(creator: Kind, setup: Setup) -> Test {
    let mut room = Room::full(creator, setup, 1)?;
    for via in Kind::ALL {
        for kind in Kind::ALL {
            room.join_external(kind, room.of(via), None)?;
            room.commit(room.peers.len() - 1, &[], Vec::new())?;
        }
    }
    room.share_psk(b"door", b"knock knock")?;
    for kind in Kind::ALL {
        room.join_external(kind, 0, Some(b"door"))?;
    }
    room.talk(1)
}

/// Each takes its own place again by an external commit.
fn resyncs(creator: Kind, setup: Setup) -> Test {
    let mut room = Room::full(creator, setup, 2)?;
    for kind in Kind::ALL {
        for via in others(kind) {
            room.resync(room.of(kind), room.of(via))?;
        }
        room.talk(1)?;
    }
    room.commit(0, &[], Vec::new())?;
    room.talk(1)
}

/// Out of order within an epoch, after a commit, and empty or long.
fn messages(creator: Kind, setup: Setup) -> Test {
    let mut room = Room::full(creator, setup, 1)?;
    room.talk(5)?;
    let mut late = Vec::new();
    for by in 0..room.peers.len() {
        late.push((by, room.say(by, &format!("late, by {by}"))?));
    }
    for by in 0..room.peers.len() {
        room.commit(by, &[], Vec::new())?;
    }
    for (by, message) in &late {
        room.hear_all(*by, message)?;
    }
    for by in 0..room.peers.len() {
        for text in [String::new(), "long ".repeat(10_000)] {
            let message = room.say(by, &text)?;
            room.hear_all(by, &message)?;
        }
    }
    Ok(())
}

/// Each mixes in an external PSK by value, by reference, and for a joiner.
fn psks(creator: Kind, setup: Setup) -> Test {
    let mut room = Room::full(creator, setup, 1)?;
    for by in Kind::ALL {
        let id = by.name().as_bytes();
        room.share_psk(id, &[id, b"'s secret"].concat())?;
        let change = Change::ExternalPsk(id.to_vec());
        room.commit(room.of(by), std::slice::from_ref(&change), Vec::new())?;
        let [added, committer] = others(by);
        room.propose(room.of(by), &change)?;
        room.commit(room.of(committer), &[], Vec::new())?;
        let (joiners, mut changes) = room.invite(&[added, by])?;
        changes.push(change);
        room.commit(room.of(by), &changes, joiners)?;
    }
    room.talk(1)
}

/// Each changes the group context extensions, by value and by reference; each joins a group that requires them.
fn extensions(creator: Kind, setup: Setup) -> Test {
    let mut room = Room::create_with(creator, setup, &extension_list(b"first", true))?;
    room.add(0, &others(creator))?;
    for by in Kind::ALL {
        let list = extension_list(by.name().as_bytes(), true);
        room.commit(room.of(by), &[Change::Extensions(list)], Vec::new())?;
        let [added, committer] = others(by);
        room.propose(room.of(by), &Change::Extensions(NO_EXTENSIONS.to_vec()))?;
        room.commit(room.of(committer), &[], Vec::new())?;
        let list = extension_list(committer.name().as_bytes(), true);
        room.propose(room.of(committer), &Change::Extensions(list))?;
        room.commit(room.of(by), &[], Vec::new())?;
        room.add(room.of(by), &[added])?;
        room.join_external(by, room.of(added), None)?;
    }
    room.talk(1)
}

/// Add, Remove, Update and PreSharedKey of several proposers in one commit of each kind.
fn mixed_commits(creator: Kind, setup: Setup) -> Test {
    let mut room = Room::full(creator, setup, 3)?;
    room.share_psk(b"mixed", b"in")?;
    for by in Kind::ALL {
        let [second, third] = others(by);
        let last = |room: &Room, kind| room.peers.iter().rposition(|peer| peer.kind() == kind).unwrap_or_default();
        let removed = last(&room, third);
        let leaf = room.leaf(removed)?;
        let (mut joiners, changes) = room.invite(&[by, second])?;
        room.propose(room.of(second), &changes[0])?;
        room.propose(room.of(third), &Change::Remove(leaf))?;
        room.propose(room.of(second), &Change::Update)?;
        room.propose(last(&room, second), &Change::Update)?;
        room.propose(room.of(third), &Change::ExternalPsk(b"mixed".to_vec()))?;
        let (more, by_value) = room.invite(&[third])?;
        joiners.extend(more);
        room.propose(room.of(by), &changes[1])?;
        room.commit(room.of(by), &by_value, joiners)?;
    }
    room.talk(1)
}

/// The tree travels beside Welcome and GroupInfo.
fn tree_out_of_band(creator: Kind, setup: Setup) -> Test {
    let setup = Setup { inline_tree: false, ..setup };
    let mut room = Room::full(creator, setup, 1)?;
    for by in Kind::ALL {
        room.add(room.of(by), &others(by))?;
        for kind in Kind::ALL {
            room.join_external(kind, room.of(by), None)?;
        }
    }
    room.talk(1)
}
