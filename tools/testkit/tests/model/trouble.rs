//! What the world does to members: restarts, time, and messages that should not be.

use mls_engine::group::Processed;

use super::{
    check::secret_shape,
    world::{Candidate, World},
};

impl World {
    pub(crate) fn reopen(&mut self, id: usize) {
        self.players[id].member.reopen();
    }

    pub(crate) fn wait(&mut self, hours: u8) {
        self.now += u64::from(hours) * 3_600;
        self.outside.now = self.now;
        for player in &mut self.players {
            player.member.host.now = self.now;
        }
        for candidate in &mut self.candidates {
            if let Candidate::External { player, .. } = candidate {
                player.member.host.now = self.now;
            }
        }
    }

    pub(crate) fn expire(&mut self, id: usize) {
        let player = &mut self.players[id];
        let member = &mut player.member;
        if let Some(step) = member.group.expire(&member.host.env()) {
            member.adopt(step).unwrap();
        }
        player.expired();
    }

    /// A handshake the member has seen comes once more.
    pub(crate) fn replay(&mut self, id: usize, handshake: u8) {
        let player = &mut self.players[id];
        let Some(at) = usize::from(handshake).checked_rem(player.cursor.min(8)) else { return };
        let handshake = &self.log[player.cursor - 1 - at];
        let before = player.member.group.pending_proposals().len();
        let member = &mut player.member;
        match member.group.process(&member.host.env(), &handshake.bytes) {
            // PUB-04: public proposals are idempotent.
            Ok(Processed::Proposal(proposal)) => {
                let step = proposal.step;
                member.adopt(step).unwrap();
            }
            Ok(other) => panic!("a replay was {other:?}"),
            Err(_) => {}
        }
        assert_eq!(member.group.pending_proposals().len(), before);
    }

    /// Judging the next handshake changes nothing.
    pub(crate) fn stage_and_drop(&mut self, id: usize) {
        let player = &self.players[id];
        let Some(handshake) = self.log.get(player.cursor) else { return };
        let before = secret_shape(&player.member.group);
        drop(player.member.group.process(&player.member.host.env(), &handshake.bytes));
        assert_eq!(before, secret_shape(&player.member.group));
    }

    /// A broken form of the next handshake is refused, and one of a candidate by the observer, too.
    pub(crate) fn tamper(&mut self, id: usize, at: u16) {
        self.tamper_candidate(at);
        let player = &self.players[id];
        let Some(handshake) = self.log.get(player.cursor) else { return };
        let mut bytes = handshake.bytes.clone();
        let at = usize::from(at) % bytes.len();
        bytes[at] ^= 1;
        let result = player.member.group.process(&player.member.host.env(), &bytes);
        assert!(result.is_err(), "byte {at} of {} was changed: {result:?}", bytes.len());
    }

    /// Membership and confirmation tag stand at the end; an observer cannot check them.
    fn tamper_candidate(&self, at: u16) {
        const TAGS: usize = 2 * (2 + 64);
        let (Some(observer), Some(candidate)) = (&self.observer, self.candidates.first()) else { return };
        let mut bytes = candidate.commit().to_vec();
        let at = usize::from(at) % (bytes.len() - TAGS);
        bytes[at] ^= 1;
        assert!(observer.process(&self.outside.env(), &bytes).is_err(), "byte {at} of {} was changed", bytes.len());
    }
}
