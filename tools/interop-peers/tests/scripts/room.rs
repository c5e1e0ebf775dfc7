//! A group of named actors, stepped through as the harness's runner does.

use std::collections::BTreeMap;

use interop::{
    Answer, Change, CommitParams, Committed, ExternalJoinParams, Invitation, Outside, Published, Stack, SubgroupParams,
    message::{CreateGroupRequest, Extension, PreSharedKey},
};

use crate::mixed::{Cast, Mixed};

pub type Name = &'static str;
type Member = <Mixed as Stack>::Member;
type Joiner = <Mixed as Stack>::Joiner;
type Successor = <Mixed as Stack>::Successor;

/// Who plays, and how.
#[derive(Clone, Copy, Debug)]
pub struct Setup {
    pub cast: Cast,
    pub suite: u16,
    pub encrypted: bool,
}

pub struct Room {
    pub setup: Setup,
    pub stack: Mixed,
    pub members: BTreeMap<Name, Member>,
    joiners: BTreeMap<Name, Joiner>,
    pub proposals: Vec<Vec<u8>>,
}

impl Room {
    /// alice founds a group, and adds the others by one commit.
    pub fn create(setup: Setup, others: &[Name]) -> Answer<Self> {
        let mut room = Self {
            setup,
            stack: Mixed::new(setup.cast),
            members: BTreeMap::new(),
            joiners: BTreeMap::new(),
            proposals: Vec::new(),
        };
        let call = CreateGroupRequest {
            group_id: b"group".to_vec(),
            cipher_suite: setup.suite.into(),
            encrypt_handshake: setup.encrypted,
            identity: b"alice".to_vec(),
        };
        room.members.insert("alice", room.stack.create_group(&call)?);
        if !others.is_empty() {
            let by_value = others.iter().map(|name| room.package(name).map(Change::Add)).collect::<Answer<_>>()?;
            room.commit("alice", CommitParams { by_value, ..CommitParams::default() })?;
        }
        Ok(room)
    }

    pub fn publish(&mut self, name: Name) -> Answer<Published> {
        let (joiner, published) = self.stack.create_key_package(self.setup.suite, name.as_bytes())?;
        self.joiners.insert(name, joiner);
        Ok(published)
    }

    pub fn package(&mut self, name: Name) -> Answer<Vec<u8>> {
        Ok(self.publish(name)?.message)
    }

    pub fn joiner(&mut self, name: Name) -> &mut Joiner {
        self.joiners.get_mut(name).unwrap()
    }

    pub fn keep_joiner(&mut self, name: Name, joiner: Joiner) {
        self.joiners.insert(name, joiner);
    }

    /// A proposal by reference, which the next commit covers.
    pub fn propose(&mut self, name: Name, change: Change) -> Answer<()> {
        let proposal = self.stack.propose(self.members.get_mut(name).unwrap(), change)?;
        self.proposals.push(proposal);
        Ok(())
    }

    /// Everybody here learns a PSK, those who will join as well.
    pub fn install_psk(&mut self, id: &[u8]) -> Answer<()> {
        let psk = psk(id);
        for member in self.members.values_mut() {
            self.stack.store_psk(member, &psk)?;
        }
        for joiner in self.joiners.values_mut() {
            self.stack.store_psk_to_join(joiner, &psk)?;
        }
        Ok(())
    }

    /// A commit of all proposals and what is in `params`; everybody follows, and whoever was added joins.
    pub fn commit(&mut self, by: Name, params: CommitParams) -> Answer<()> {
        self.commit_without(by, params, &[])
    }

    /// The same, but for those who are removed by it.
    pub fn commit_without(&mut self, by: Name, mut params: CommitParams, removed: &[Name]) -> Answer<()> {
        params.by_reference.append(&mut self.proposals);
        let by_reference = params.by_reference.clone();
        let external_tree = params.external_tree;
        let Committed { commit, welcome, ratchet_tree } = self.stack.commit(of(&mut self.members, by), params)?;
        assert_eq!(!ratchet_tree.is_empty(), external_tree);
        for name in removed {
            self.members.remove(name).unwrap();
        }
        for (name, member) in &mut self.members {
            if *name == by {
                self.stack.handle_pending_commit(member)?;
            } else {
                self.stack.handle_commit(member, &by_reference, &commit)?;
            }
        }
        let tree = external_tree.then_some(ratchet_tree.as_slice());
        for (name, mut joiner) in std::mem::take(&mut self.joiners) {
            let invitation = Invitation { welcome: &welcome, ratchet_tree: tree };
            let member = self.stack.join(&mut joiner, invitation, self.setup.encrypted)?;
            self.members.insert(name, member);
        }
        self.agree()
    }

    /// Everybody is in the same epoch and exports the same.
    pub fn agree(&mut self) -> Answer<()> {
        let mut views = Vec::new();
        for member in self.members.values_mut() {
            let authenticator = self.stack.epoch_authenticator(member)?;
            views.push((authenticator, self.stack.export(member, "label", b"context", 32)?));
        }
        assert!(views.windows(2).all(|pair| pair[0] == pair[1]), "members disagree");
        Ok(())
    }

    /// Everybody else reads a message of each.
    pub fn talk(&mut self) -> Answer<()> {
        let names: Vec<Name> = self.members.keys().copied().collect();
        for by in &names {
            let (data, text) = (format!("data of {by}"), format!("text of {by}"));
            let message = self.stack.protect(of(&mut self.members, by), data.as_bytes(), text.as_bytes())?;
            for name in names.iter().filter(|name| *name != by) {
                let opened = self.stack.unprotect(of(&mut self.members, name), &message)?;
                assert_eq!(opened, (data.clone().into_bytes(), text.clone().into_bytes()));
            }
        }
        Ok(())
    }

    /// Somebody joins by external commit, with the help of `via`.
    pub fn join_external(&mut self, name: Name, via: Name, how: External<'_>) -> Answer<()> {
        let (group_info, tree) = self.stack.group_info(of(&mut self.members, via), how.external_tree)?;
        assert_eq!(!tree.is_empty(), how.external_tree);
        let (member, commit) = self.stack.join_external(&ExternalJoinParams {
            group_info: &group_info,
            ratchet_tree: how.external_tree.then_some(tree.as_slice()),
            encrypt_handshake: self.setup.encrypted,
            identity: name.as_bytes(),
            remove_prior: how.remove_prior,
            psks: how.psks,
        })?;
        if how.remove_prior {
            self.members.remove(name).unwrap();
        }
        for other in self.members.values_mut() {
            self.stack.handle_commit(other, &[], &commit)?;
        }
        self.members.insert(name, member);
        self.agree()
    }

    /// alice adds an external sender to the group's list.
    pub fn add_signer(&mut self, name: Name) -> Answer<<Mixed as Stack>::Signer> {
        let (signer, entry) = self.stack.create_external_signer(self.setup.suite, name.as_bytes())?;
        self.propose("alice", Change::ExternalSender(entry))?;
        self.commit("alice", CommitParams::default())?;
        Ok(signer)
    }

    /// A proposal of an external sender, which the next commit covers.
    pub fn propose_external(
        &mut self,
        signer: &<Mixed as Stack>::Signer,
        change: Change,
        external_tree: bool,
    ) -> Answer<()> {
        let (group_info, tree) = self.stack.group_info(of(&mut self.members, "alice"), external_tree)?;
        let ratchet_tree = external_tree.then_some(tree.as_slice());
        let outside = Outside { group_info: &group_info, ratchet_tree };
        let proposal = self.stack.external_signer_proposal(signer, outside, change)?;
        self.proposals.push(proposal);
        Ok(())
    }

    /// After the commit of a ReInit: `welcomer` founds the next group, the others join it.
    pub fn reinit(mut self, welcomer: Name, force_path: bool, external_tree: bool) -> Answer<Self> {
        let mut successors: BTreeMap<Name, Successor> = BTreeMap::new();
        let mut packages = Vec::new();
        for (name, member) in std::mem::take(&mut self.members) {
            let (successor, package) = self.stack.begin_reinit(member)?;
            successors.insert(name, successor);
            if name != welcomer {
                packages.push(package);
            }
        }
        let params = SubgroupParams { key_packages: &packages, force_path, external_tree };
        let mut founder = successors.remove(welcomer).unwrap();
        let (member, committed) = self.stack.reinit_welcome(&mut founder, &params)?;
        assert_eq!(!committed.ratchet_tree.is_empty(), external_tree);
        self.members.insert(welcomer, member);
        let tree = external_tree.then_some(committed.ratchet_tree.as_slice());
        for (name, mut successor) in successors {
            let invitation = Invitation { welcome: &committed.welcome, ratchet_tree: tree };
            self.members.insert(name, self.stack.handle_reinit_welcome(&mut successor, invitation)?);
        }
        self.agree()?;
        Ok(self)
    }

    /// alice founds a subgroup of everybody. Out: its members.
    pub fn branch(&mut self, list: &[Extension], force_path: bool, external_tree: bool) -> Answer<Vec<(Name, Member)>> {
        let others: Vec<Name> = self.members.keys().copied().filter(|name| *name != "alice").collect();
        let packages = others.iter().map(|name| self.package(name)).collect::<Answer<Vec<_>>>()?;
        let params = SubgroupParams { key_packages: &packages, force_path, external_tree };
        let alice = self.members.get_mut("alice").unwrap();
        let (member, committed) = self.stack.create_branch(alice, (b"branch", list), &params)?;
        let tree = external_tree.then_some(committed.ratchet_tree.as_slice());
        let mut branch = vec![("alice", member)];
        for name in others {
            let (mut joiner, invitation) =
                (self.joiners.remove(name).unwrap(), Invitation { welcome: &committed.welcome, ratchet_tree: tree });
            let parent = self.members.get_mut(name).unwrap();
            branch.push((name, self.stack.handle_branch(parent, &mut joiner, invitation)?));
        }
        Ok(branch)
    }
}

/// The member of this name, while the rest of the room is at hand.
pub fn of(members: &mut BTreeMap<Name, Member>, name: Name) -> &mut Member {
    members.get_mut(name).unwrap()
}

/// How somebody joins by external commit.
#[derive(Clone, Copy, Default)]
pub struct External<'a> {
    pub external_tree: bool,
    pub remove_prior: bool,
    pub psks: &'a [PreSharedKey],
}

pub fn psk(id: &[u8]) -> PreSharedKey {
    PreSharedKey { psk_id: id.to_vec(), psk_secret: [id, b" secret"].concat() }
}
