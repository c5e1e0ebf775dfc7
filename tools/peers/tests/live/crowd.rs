//! Big groups: a hundred members of one implementation, added by one commit of its own, and then everybody.

use crate::{
    peer::{Kind, Setup},
    room::{Room, Test},
};

const MEMBERS: usize = 100;

/// `creator` adds clients of `kind` by one commit; all kinds join, by Welcome and by external commit, and talk.
pub fn crowd(creator: Kind, kind: Kind, setup: Setup) -> Test {
    let mut room = Room::create(creator, setup)?;
    let mut kinds = vec![kind; MEMBERS - 4];
    kinds.extend(Kind::ALL);
    room.add(0, &kinds)?;
    for kind in Kind::ALL {
        room.join_external(kind, 0, None)?;
    }
    let last = room.peers.len() - 1;
    room.commit(last, &[], Vec::new())?;
    for by in [0, last, last - 1, last - 2] {
        let message = room.say(by, "hello, crowd")?;
        room.hear_all(by, &message)?;
    }
    Ok(())
}
