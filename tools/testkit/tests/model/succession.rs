//! Groups that continue others: ReInit and branch (RFC 9420, Sections 11.2 and 11.3).

use mls_engine::{
    group::{BranchParams, CommitOptions, KeyPackageSecrets, ProposalKind, Status, Successor, SuccessorParams},
    message::{Extensions, ProtocolVersion, ReInit},
    policy::Predecessor,
};
use testkit::network::{Host, Member, NewMember, Records};

use super::world::World;

impl World {
    /// Ends the group, and goes on in the next with the same members.
    pub(crate) fn reinit(&mut self, who: u8, by_reference: bool) {
        let Some(id) = self.current(who) else { return };
        self.candidates.clear();
        self.invited.clear();
        self.successions += 1;
        let group_id = format!("group {}", self.successions).into_bytes();
        let reinit = ReInit {
            group_id: group_id.clone().into(),
            version: ProtocolVersion::MLS10,
            cipher_suite: self.config.suite,
            extensions: self.context_extensions(Some(7)),
        };
        self.commit_reinit(id, reinit, by_reference);
        self.epoch += 1;
        self.catch_up(id, usize::MAX);
        self.note_epoch(id);
        for player in 0..self.players.len() {
            self.catch_up(player, usize::MAX);
            let player = &mut self.players[player];
            if !player.is_removed() {
                assert!(matches!(player.member.group.status(), Status::ReInitialized(_)));
                assert!(player.member.send(b"too late").is_err());
            }
            player.member.reopen();
        }
        self.finish();
        self.succeed(id, group_id);
    }

    fn commit_reinit(&mut self, id: usize, reinit: ReInit, by_reference: bool) {
        let cached = self.players[id].member.group.pending_proposals();
        let without = cached.iter().map(|pending| pending.reference).collect();
        let message = self.framing(by_reference);
        let mut options = CommitOptions { without, message: message.clone(), ..CommitOptions::default() };
        if by_reference {
            let (proposal, _) = self.players[id].member.propose_with(ProposalKind::ReInit(reinit), message).unwrap();
            self.publish(proposal, Some(id));
        } else {
            options.by_value = vec![ProposalKind::ReInit(reinit)];
        }
        let (commit_id, commit, _) = self.players[id].member.commit(options).unwrap();
        assert!(self.players[id].member.group.pending_commits().contains(&commit_id));
        self.publish(commit, Some(id));
    }

    /// The group that the ReInit named replaces the old one.
    fn succeed(&mut self, id: usize, group_id: Vec<u8>) {
        let old = &self.players[id].member.group;
        let predecessor = old.predecessor();
        let others: Vec<_> = self
            .players
            .iter()
            .filter(|player| !player.is_removed() && player.id != id)
            .map(|player| player.member.name.clone())
            .collect();
        let creator = self.continuing(&self.players[id].member.name.clone(), &predecessor);
        let joiners: Vec<_> = others.iter().map(|name| self.continuing(name, &predecessor)).collect();
        let packages: Vec<_> = joiners.iter().map(NewMember::key_package).collect();
        let params = params(&creator, &packages);
        let successor = self.players[id].member.group.create_reinit(&creator.host.env(), params).unwrap();
        let key = creator.signature_key.duplicate();
        let (member, welcome) = begin(creator.name, creator.host, successor);
        self.players.clear();
        self.log.clear();
        self.sent.clear();
        self.views.clear();
        self.trees.clear();
        self.observer = None;
        self.group_id = group_id;
        self.epoch = 1;
        let id = self.enter(member, key);
        self.note_epoch(id);
        for (client, keys) in joiners.into_iter().zip(packages) {
            let key = client.signature_key.duplicate();
            let member = client.join(welcome.as_ref().unwrap(), &keys, None).unwrap();
            self.enter(member, key);
        }
    }

    /// The client of a member, ready for the next group.
    fn continuing(&mut self, name: &str, predecessor: &Predecessor) -> NewMember {
        let mut client = self.client_named(name);
        client.host.predecessors.insert(self.group_id.clone(), predecessor.clone());
        client
    }

    /// A subgroup of some members: they agree, and can talk.
    pub(crate) fn branch(&mut self, who: u8, skip: u8) {
        let Some(id) = self.current(who) else { return };
        let old = &self.players[id].member.group;
        let predecessor = old.predecessor();
        let own = old.own_index();
        let names: Vec<_> = old
            .members()
            .iter()
            .filter(|(index, _)| *index != own && index.get() % (u32::from(skip % 3) + 1) == 0)
            .map(|(_, leaf)| String::from_utf8(leaf.credential.identity().unwrap().to_vec()).unwrap())
            .collect();
        let creator = self.continuing(&self.players[id].member.name.clone(), &predecessor);
        let joiners: Vec<_> = names.iter().map(|name| self.continuing(name, &predecessor)).collect();
        let packages: Vec<_> = joiners.iter().map(NewMember::key_package).collect();
        let params = BranchParams {
            group_id: b"branch".to_vec(),
            extensions: Extensions::new(),
            successor: params(&creator, &packages),
        };
        let successor = self.players[id].member.group.create_branch(&creator.host.env(), params).unwrap();
        let (mut first, welcome) = begin(creator.name, creator.host, successor);
        let message = first.send(b"apart").unwrap();
        for (client, keys) in joiners.into_iter().zip(packages) {
            let mut joined = client.join(welcome.as_ref().unwrap(), &keys, None).unwrap();
            assert_eq!(joined.view(), first.view());
            joined.reopen();
            assert_eq!(joined.open(&message).unwrap().0, b"apart");
        }
    }
}

fn params<'a>(creator: &'a NewMember, packages: &[KeyPackageSecrets]) -> SuccessorParams<'a> {
    SuccessorParams {
        credential: Host::credential(&creator.name),
        signature_key: &creator.signature_key,
        capabilities: creator.capabilities(),
        lifetime: creator.lifetime(),
        leaf_extensions: Extensions::new(),
        key_packages: packages.iter().map(|keys| keys.message().unwrap()).collect(),
        commit: CommitOptions::default(),
    }
}

/// Adopts and accepts the first commit of a successor.
fn begin(name: String, host: Host, successor: Successor) -> (Member, Option<Vec<u8>>) {
    let Successor { group, changes, pending } = successor;
    let mut records = Records::default();
    records.apply(&changes);
    let mut member = Member { name, host, group, records };
    member.adopt(pending.step).unwrap();
    member.reopen();
    let welcome = member.accept(&pending.commit_id).unwrap();
    (member, welcome)
}
