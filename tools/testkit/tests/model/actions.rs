//! What each operation does.

use std::collections::BTreeSet;

use mls_crypto::SignaturePrivateKey;
use mls_engine::{
    error::{OperationError, ProcessError},
    group::{
        CommitOptions, ExternalProposals, Framing, LeafChange, MessageOptions, PathChoice, ProposalKind,
        SignatureKeyPair,
    },
    message::{Add, CustomProposal, GroupContextExtensions, Proposal, PskKind, Remove, ResumptionPskUsage},
};
use testkit::network::NewMember;

use super::{
    ops::{By, Change, Handshakes, Op},
    player::{Player, Sent},
    world::{CUSTOM, Candidate, MOST, PSKS, World, is_of, pick},
};

/// Candidates that may stand side by side.
const CANDIDATES: usize = 6;

impl World {
    /// Does one operation; what makes no sense now does nothing.
    pub(crate) fn step(&mut self, op: &Op) {
        match op {
            Op::Send(who) => self.send(*who),
            Op::Deliver { who, message } => self.deliver(*who, *message),
            Op::DeliverAll(who) => self.deliver_all(self.any(*who)),
            Op::CatchUp { who, handshakes } => self.catch_up(self.any(*who), usize::from(handshakes % 8)),
            Op::Propose(by, change) => self.propose(*by, change),
            Op::ProposeUpdate(by, rotate) => self.propose_update(*by, *rotate),
            Op::ProposeExternally(who, change) => self.propose_externally(*who, change),
            Op::AskToJoin => self.ask_to_join(),
            Op::Commit { .. } => self.commit(op),
            Op::Settle(which) => self.settle(*which),
            Op::Discard(which) => self.discard(*which),
            Op::JoinExternally { via, tree } => self.join_externally(*via, *tree),
            Op::Resync { who, via, same_key } => self.resync(*who, *via, *same_key),
            Op::Reopen(who) => self.reopen(self.any(*who)),
            Op::ReopenAll => (0..self.players.len()).for_each(|id| self.reopen(id)),
            Op::Wait(hours) => self.wait(*hours),
            Op::Expire(who) => self.expire(self.any(*who)),
            Op::Replay { who, handshake } => self.replay(self.any(*who), *handshake),
            Op::StageAndDrop(who) => self.stage_and_drop(self.any(*who)),
            Op::Tamper { who, at } => self.tamper(self.any(*who), *at),
            Op::ReInit { who, by_reference } => self.reinit(*who, *by_reference),
            Op::Branch { who, skip } => self.branch(*who, *skip),
        }
        if !self.players.is_empty() {
            self.check();
        }
    }

    /// Everything arrives at last.
    pub(crate) fn finish(&mut self) {
        for id in 0..self.players.len() {
            self.catch_up(id, usize::MAX);
            self.deliver_all(id);
            self.deliver_all(id);
        }
        self.check();
    }

    pub(crate) fn framing(&self, public: bool) -> MessageOptions {
        let framing = match (self.config.handshakes, public) {
            (Handshakes::Public, _) | (Handshakes::Mixed, true) => Framing::Public,
            _ => Framing::Private,
        };
        MessageOptions { framing, ..MessageOptions::default() }
    }

    fn send(&mut self, who: u8) {
        let id = self.any(who);
        let message = self.sent.len();
        let player = &mut self.players[id];
        let plaintext = format!("message {message} of {id}").into_bytes();
        let member = &mut player.member;
        let sealed = match member.group.send(&member.host.env(), &plaintext, &MessageOptions::default()) {
            Ok(sealed) => sealed,
            Err(OperationError::CommitRequired) => return assert!(!member.group.pending_proposals().is_empty()),
            Err(OperationError::Rule(ProcessError::NotAMember)) => return assert!(player.is_removed()),
            Err(other) => panic!("sending: {other:?}"),
        };
        let (bytes, generation) = (sealed.message, sealed.generation);
        member.adopt(sealed.step).unwrap();
        let (epoch, leaf) = (member.group.epoch(), member.group.own_index());
        self.sent.push(Sent { bytes, plaintext, epoch, sender: id, leaf, generation });
    }

    fn deliver(&mut self, who: u8, message: u8) {
        let id = self.any(who);
        // The newest are the most interesting.
        let Some(back) = usize::from(message).checked_rem(self.sent.len().min(12)) else { return };
        let message = self.sent.len() - 1 - back;
        self.players[id].deliver(&self.sent[message], message);
    }

    pub(crate) fn deliver_all(&mut self, id: usize) {
        for (message, sent) in self.sent.iter().enumerate() {
            self.players[id].deliver(sent, message);
        }
    }

    /// The engine's words for a change, as `id` would make it now.
    fn kinds(&mut self, id: usize, change: &Change) -> Vec<ProposalKind> {
        let group = &self.players[id].member.group;
        let own = group.own_index();
        let others: Vec<_> = group.members().iter().map(|(index, _)| *index).filter(|index| *index != own).collect();
        match change {
            Change::Add(count) => (0..*count).filter_map(|_| self.invite()).map(ProposalKind::Add).collect(),
            Change::Readd(which) => {
                let Some(leaf) = pick(&others, *which) else { return Vec::new() };
                let client = self.same_client(id, leaf, *which % 2 == 0);
                vec![ProposalKind::Remove(leaf), ProposalKind::Add(self.invite_client(client))]
            }
            Change::Remove(which) => pick(&others, *which).map(ProposalKind::Remove).into_iter().collect(),
            Change::RemoveOthers => others.into_iter().map(ProposalKind::Remove).collect(),
            Change::Psk(which) => vec![ProposalKind::ExternalPsk(vec![b'p', which % PSKS])],
            Change::Resumption(back) => {
                let epoch = self.resumption_epoch(*back);
                let group_id = self.group_id.clone();
                epoch.map(|epoch| ProposalKind::ResumptionPsk { group_id, epoch }).into_iter().collect()
            }
            Change::Extensions(value) => {
                let value = (value % 4 != 0).then_some(*value);
                vec![ProposalKind::GroupContextExtensions(self.context_extensions(value))]
            }
            Change::Custom(body) => vec![ProposalKind::Custom(custom(*body))],
        }
    }

    /// An epoch whose PSK every member has.
    fn resumption_epoch(&self, back: u8) -> Option<u64> {
        let members = self.players.iter().filter(|player| player.is_active());
        let since = members.map(|player| player.joined).max()?;
        let epoch = self.epoch.checked_sub(u64::from(back % 4))?;
        (epoch >= since).then_some(epoch)
    }

    /// A client like the one at `leaf`, seen by `id`.
    fn same_client(&mut self, id: usize, leaf: mls_engine::math::LeafIndex, same_key: bool) -> NewMember {
        let node = self.players[id].member.group.public().tree().leaf(leaf).unwrap();
        let name = String::from_utf8(node.credential.identity().unwrap().to_vec()).unwrap();
        let key =
            self.players.iter().rev().find(|player| player.member.name == name).map(|player| player.key.duplicate());
        let mut client = self.client_named(&name);
        if same_key && let Some(key) = key {
            client.signature_key = key;
        }
        client
    }

    fn invite(&mut self) -> Option<Vec<u8>> {
        if usize::try_from(self.roster_size()).unwrap() + self.invited.len() >= MOST {
            return None;
        }
        let client = self.client();
        Some(self.invite_client(client))
    }

    fn invite_client(&mut self, client: NewMember) -> Vec<u8> {
        let keys = client.key_package();
        let message = keys.message().unwrap();
        self.invited.push((client, keys));
        message
    }

    fn roster_size(&self) -> u32 {
        u32::try_from(self.views[&self.epoch].roster.len()).unwrap()
    }

    fn propose(&mut self, by: By, change: &Change) {
        let Some(id) = self.current(by.who) else { return };
        let change = if let Change::RemoveOthers = change { &Change::Remove(0) } else { change };
        for kind in self.kinds(id, change) {
            let options = self.framing(by.public);
            let (message, _) = self.players[id].member.propose_with(kind, options).unwrap();
            self.publish(message, Some(id));
        }
    }

    fn propose_update(&mut self, by: By, rotate: bool) {
        let Some(id) = self.current(by.who) else { return };
        let leaf = if rotate { self.rotation(id) } else { LeafChange::default() };
        let options = self.framing(by.public);
        let (message, _) = self.players[id].member.propose_with(ProposalKind::Update(Box::new(leaf)), options).unwrap();
        self.publish(message, Some(id));
    }

    fn rotation(&self, id: usize) -> LeafChange {
        let host = &self.players[id].member.host;
        let suite = host.crypto.suite(self.config.suite).unwrap();
        let (key, _): (SignaturePrivateKey, _) = suite.signature_generate(&host.random).unwrap();
        let pair = SignatureKeyPair::new(suite.as_ref(), key).unwrap();
        LeafChange { signature_key: Some(pair), ..LeafChange::default() }
    }

    fn propose_externally(&mut self, who: u8, change: &Change) {
        let Some(id) = self.current(who) else { return };
        let info = self.group_info(id, false);
        let invited = self.invited.len();
        let kinds = self.kinds(id, change);
        let mut packages = self.invited[invited..].iter().map(|(_, keys)| keys.key_package().clone());
        let env = self.outside.env();
        let outside = ExternalProposals::new(&env, &info).unwrap();
        let mut messages = Vec::new();
        for kind in kinds {
            let proposal = match kind {
                ProposalKind::Add(_) => Proposal::Add(Box::new(Add { key_package: packages.next().unwrap() })),
                ProposalKind::Remove(removed) => Proposal::Remove(Remove { removed }),
                ProposalKind::ExternalPsk(psk) => outside.psk(PskKind::External(psk.into())).unwrap(),
                ProposalKind::ResumptionPsk { group_id, epoch } => {
                    let usage = ResumptionPskUsage::Application;
                    outside.psk(PskKind::Resumption { usage, psk_group_id: group_id.into(), psk_epoch: epoch }).unwrap()
                }
                ProposalKind::GroupContextExtensions(extensions) => {
                    Proposal::GroupContextExtensions(GroupContextExtensions { extensions })
                }
                ProposalKind::Custom(custom) => Proposal::Custom(custom),
                other => panic!("no such change: {other:?}"),
            };
            messages.push(outside.propose(0, &self.external_key, proposal).unwrap());
        }
        drop(packages);
        messages.into_iter().for_each(|message| self.publish(message, None));
    }

    fn ask_to_join(&mut self) {
        let Some(id) = self.current(0) else { return };
        let info = self.group_info(id, false);
        if self.invite().is_none() {
            return;
        }
        let (_, keys) = self.invited.last().unwrap();
        let env = self.outside.env();
        let message = ExternalProposals::new(&env, &info).unwrap().join(keys).unwrap();
        self.publish(message, None);
    }

    fn commit(&mut self, op: &Op) {
        let Op::Commit { by, changes, path, tree, rotate, all } = op else { return };
        let Some(id) = self.current(by.who) else { return };
        if self.candidates.len() >= CANDIDATES {
            return;
        }
        let by_value = changes.iter().flat_map(|change| self.kinds(id, change)).collect();
        let cached = self.players[id].member.group.pending_proposals();
        let cached: Vec<_> = cached.iter().map(|pending| pending.reference).collect();
        let options = CommitOptions {
            by_value,
            without: if *all { BTreeSet::new() } else { cached.iter().step_by(2).copied().collect() },
            path: if *path { PathChoice::Always } else { PathChoice::WhenRequired },
            leaf: if *rotate { self.rotation(id) } else { LeafChange::default() },
            tree_in_welcome: *tree,
            message: self.framing(by.public),
            ..CommitOptions::default()
        };
        let member = &mut self.players[id].member;
        let made = member.commit(options).or_else(|error| {
            // The same client twice, by value.
            let twice = [ProcessError::DuplicateClient, ProcessError::DuplicateKey].map(OperationError::Rule);
            assert!(twice.contains(&error), "committing: {error:?}");
            let message = match &self.config.handshakes {
                Handshakes::Public => MessageOptions { framing: Framing::Public, ..MessageOptions::default() },
                _ => MessageOptions::default(),
            };
            member.commit(CommitOptions { message, ..CommitOptions::default() })
        });
        let (commit_id, commit, _) = made.unwrap();
        self.candidates.push(Candidate::Member { player: id, id: commit_id, commit, tree: *tree });
    }

    /// The delivery service takes one candidate; all others lose.
    pub(crate) fn settle(&mut self, which: u8) {
        let Some(winner) = usize::from(which).checked_rem(self.candidates.len()) else { return };
        let winner = self.candidates.remove(winner);
        self.epoch += 1;
        let id = match winner {
            Candidate::Member { player, commit, tree, .. } => {
                self.publish(commit, Some(player));
                self.catch_up(player, usize::MAX);
                self.welcome(player, tree);
                player
            }
            Candidate::External { player, commit } => {
                self.publish(commit, None);
                let Player { member, key, .. } = *player;
                self.enter(member, key)
            }
        };
        self.note_epoch(id);
        for loser in std::mem::take(&mut self.candidates) {
            let commit = loser.commit();
            let member = &self.players[id].member;
            let late = member.group.process(&member.host.env(), commit);
            assert!(matches!(late, Err(ProcessError::StaleEpoch { .. })), "{late:?}");
            if let Some(observer) = &self.observer {
                let late = observer.process(&self.outside.env(), commit);
                assert!(matches!(late, Err(ProcessError::StaleEpoch { .. })), "{late:?}");
            }
        }
        self.invited.clear();
    }

    /// Everybody who was added joins.
    fn welcome(&mut self, committer: usize, tree_inside: bool) {
        let welcome = self.players[committer].welcome.take();
        let group = &self.players[committer].member.group;
        let tree = (!tree_inside).then(|| group.ratchet_tree().unwrap());
        let is_in = |keys: &_| group.members().iter().any(|(_, leaf)| is_of(leaf, keys));
        let invited = std::mem::take(&mut self.invited);
        let added: Vec<_> = invited.into_iter().filter(|(_, keys)| is_in(keys)).collect();
        assert_eq!(welcome.is_some(), !added.is_empty());
        for (mut client, keys) in added {
            client.host.now = self.now;
            client.host.resumption_psks = self.resumption.clone();
            let key = client.signature_key.duplicate();
            let member = client.join(welcome.as_ref().unwrap(), &keys, tree.as_deref()).unwrap();
            self.enter(member, key);
        }
    }

    fn discard(&mut self, which: u8) {
        let Some(at) = usize::from(which).checked_rem(self.candidates.len()) else { return };
        if let Candidate::Member { player, id, .. } = self.candidates.remove(at) {
            let member = &mut self.players[player].member;
            let step = member.group.discard(&id).unwrap();
            member.adopt(step).unwrap();
        }
    }

    fn join_externally(&mut self, via: u8, tree: bool) {
        let Some(via) = self.current(via) else { return };
        if usize::try_from(self.roster_size()).unwrap() < MOST {
            let client = self.client();
            self.external_commit(via, client, tree, None);
        }
    }

    fn resync(&mut self, who: u8, via: u8, same_key: bool) {
        let Some(via) = self.current(via) else { return };
        let members = self.players[via].member.group.members();
        let leaves: Vec<_> = members.iter().map(|(index, _)| *index).collect();
        let leaf = pick(&leaves, who).unwrap();
        let client = self.same_client(via, leaf, same_key);
        self.external_commit(via, client, true, Some(leaf));
    }

    fn external_commit(
        &mut self,
        via: usize,
        client: NewMember,
        tree: bool,
        remove: Option<mls_engine::math::LeafIndex>,
    ) {
        if self.candidates.len() >= CANDIDATES {
            return;
        }
        let info = self.group_info(via, tree);
        let apart = (!tree).then(|| self.players[via].member.group.ratchet_tree().unwrap());
        let key = client.signature_key.duplicate();
        let (member, commit) = client.join_external(&info, apart.as_deref(), remove).unwrap();
        let player = Box::new(Player::new(usize::MAX, member, key, 0));
        self.candidates.push(Candidate::External { player, commit });
    }
}

pub(crate) fn custom(body: u8) -> CustomProposal {
    CustomProposal { proposal_type: CUSTOM, body: vec![body].into() }
}
