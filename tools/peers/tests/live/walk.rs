//! Random walks: whatever members do in whatever order, all go on agreeing.

use crate::{
    peer::{Change, Kind, NO_EXTENSIONS, Setup},
    peers::extension_list,
    room::{Room, Test},
};

const STEPS: usize = 60;
const MEMBERS: usize = 6;

/// Numbers that a seed decides (SplitMix64).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((z ^ (z >> 31)) % u64::try_from(sides).unwrap()).unwrap()
    }

    fn kind(&mut self) -> Kind {
        Kind::ALL[self.roll(3)]
    }

    /// A member other than `not`.
    fn other(&mut self, room: &Room, not: usize) -> usize {
        (not + 1 + self.roll(room.peers.len() - 1)) % room.peers.len()
    }
}

/// A walk of this seed.
pub fn walk(creator: Kind, setup: Setup, seed: u64) -> Test {
    let mut room = Room::full(creator, setup, 1)?;
    room.share_psk(b"walk", b"a secret")?;
    let mut dice = Dice(seed);
    let mut done = Vec::new();
    for step in 0..STEPS {
        let mut one = || -> Test {
            done.push(take_step(&mut room, &mut dice)?);
            if step % 7 == 0 {
                let index = dice.roll(room.peers.len());
                room.peers[index].reopen().map_err(|error| format!("{error:?}"))?;
                room.agree()?;
            }
            Ok(())
        };
        one().map_err(|error| format!("seed {seed}, step {step}, after {done:?}: {error}"))?;
    }
    Ok(())
}

fn take_step(room: &mut Room, dice: &mut Dice) -> Test<&'static str> {
    let by = dice.roll(room.peers.len());
    let other = dice.other(room, by);
    let (few, many) = (room.peers.len() <= 2, room.peers.len() >= MEMBERS);
    match dice.roll(10) {
        0 | 1 if !many => room.add(by, &[dice.kind()]).map(|()| "add"),
        0 | 1 if !few => {
            let leaf = room.leaf(other)?;
            room.commit(by, &[Change::Remove(leaf)], Vec::new()).map(|_| "remove")
        }
        2 if !few => {
            // Another proposes, a third is removed, or it is the proposer's own wish to go.
            let leaf = room.leaf(other)?;
            room.propose(dice.other(room, by), &Change::Remove(leaf))?;
            room.commit(by, &[], Vec::new()).map(|_| "remove by reference")
        }
        3 if !many => {
            let (joiners, changes) = room.invite(&[dice.kind()])?;
            room.propose(other, &changes[0])?;
            room.propose(dice.other(room, by), &Change::Update)?;
            room.commit(by, &[], joiners).map(|_| "add and update by reference")
        }
        4 if !many => room.join_external(dice.kind(), by, None).map(|_| "external join"),
        5 => {
            room.propose(other, &Change::Update)?;
            room.commit(by, &[], Vec::new()).map(|_| "update by reference")
        }
        6 => room.commit(by, &[Change::ExternalPsk(b"walk".to_vec())], Vec::new()).map(|_| "psk"),
        7 => {
            let value = [u8::try_from(dice.roll(256)).unwrap()];
            let list = if dice.roll(3) == 0 { NO_EXTENSIONS.to_vec() } else { extension_list(&value, true) };
            room.commit(by, &[Change::Extensions(list)], Vec::new()).map(|_| "extensions")
        }
        8 => {
            let message = room.say(by, "in between")?;
            room.commit(other, &[], Vec::new())?;
            room.hear_all(by, &message)?;
            Ok("late message")
        }
        9 => room.talk(2).map(|()| "talk"),
        _ => room.commit(by, &[], Vec::new()).map(|_| "update"),
    }
}
