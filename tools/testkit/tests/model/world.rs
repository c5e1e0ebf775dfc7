//! The delivery service, the clients, and what all epochs looked like.

use std::collections::BTreeMap;

use mls_crypto::{SignaturePrivateKey, SuiteCrypto};
use mls_crypto_aws_lc::AwsLc;
use mls_engine::{
    error::ProcessError,
    group::{CommitId, KeyPackageSecrets, Observer, Processed},
    message::{Credential, ExtensionType, Extensions, ExternalSender, LeafNode, ProposalType},
    policy::CustomProposalRules,
    tree::RatchetTree,
};
use testkit::network::{Host, NewMember};

use super::{
    check::View,
    ops::{By, Config, Handshakes},
    player::{Player, Sent},
};

/// An extension type all clients support.
pub(crate) const EXTENSION: ExtensionType = ExtensionType(0xF0A1);
/// A proposal type all clients support.
pub(crate) const CUSTOM: ProposalType = ProposalType(0xF0B1);
/// External PSKs all clients hold.
pub(crate) const PSKS: u8 = 3;
/// Most members a group grows to.
pub(crate) const MOST: usize = 30;

/// A handshake in the order of the delivery service.
pub(crate) struct Handshake {
    pub(crate) bytes: Vec<u8>,
    /// Who made it, if a member did.
    pub(crate) by: Option<usize>,
}

/// A commit that may become the next of the log.
pub(crate) enum Candidate {
    Member { player: usize, id: CommitId, commit: Vec<u8>, tree: bool },
    External { player: Box<Player>, commit: Vec<u8> },
}

impl Candidate {
    pub(crate) fn commit(&self) -> &[u8] {
        let (Self::Member { commit, .. } | Self::External { commit, .. }) = self;
        commit
    }
}

pub(crate) struct World {
    pub(crate) config: Config,
    pub(crate) group_id: Vec<u8>,
    pub(crate) players: Vec<Player>,
    pub(crate) log: Vec<Handshake>,
    /// The epoch at the end of the log.
    pub(crate) epoch: u64,
    pub(crate) views: BTreeMap<u64, View>,
    pub(crate) trees: BTreeMap<u64, RatchetTree>,
    pub(crate) sent: Vec<Sent>,
    pub(crate) candidates: Vec<Candidate>,
    /// Clients whose key packages are in proposals of this epoch.
    pub(crate) invited: Vec<(NewMember, KeyPackageSecrets)>,
    pub(crate) observer: Option<Observer>,
    pub(crate) outside: Host,
    pub(crate) external_key: SignaturePrivateKey,
    pub(crate) resumption: BTreeMap<(Vec<u8>, u64), Vec<u8>>,
    pub(crate) now: u64,
    pub(crate) names: u64,
    pub(crate) ids: usize,
    pub(crate) successions: u32,
}

impl World {
    pub(crate) fn new(config: Config) -> Self {
        let mut outside = Host::new(0);
        open_policy(&mut outside);
        let suite = outside.crypto.suite(config.suite).unwrap();
        let (external_key, _) = suite.signature_generate(&outside.random).unwrap();
        let mut world = Self {
            config,
            group_id: b"group".to_vec(),
            players: Vec::new(),
            log: Vec::new(),
            epoch: 0,
            views: BTreeMap::new(),
            trees: BTreeMap::new(),
            sent: Vec::new(),
            candidates: Vec::new(),
            invited: Vec::new(),
            observer: None,
            now: outside.now,
            outside,
            external_key,
            resumption: BTreeMap::new(),
            names: 0,
            ids: 0,
            successions: 0,
        };
        world.begin();
        world
    }

    fn begin(&mut self) {
        let creator = self.client();
        let key = creator.signature_key.duplicate();
        let member = creator.create_with(&self.group_id.clone(), self.context_extensions(None)).unwrap();
        self.enter(member, key);
        self.note_epoch(0);
        if self.config.handshakes == Handshakes::Public {
            let info = self.group_info(0, true);
            self.observer = Some(Observer::new(&self.outside.env(), &info, None).unwrap());
        }
        self.step(&super::ops::Op::Commit {
            by: By { who: 0, public: true },
            changes: vec![super::ops::Change::Add(self.config.members)],
            path: false,
            tree: true,
            rotate: false,
            all: true,
        });
        self.step(&super::ops::Op::Settle(0));
    }

    /// A client that is in no group yet.
    pub(crate) fn client(&mut self) -> NewMember {
        self.names += 1;
        let name = format!("m{}", self.names);
        self.client_named(&name)
    }

    pub(crate) fn client_named(&mut self, name: &str) -> NewMember {
        self.ids += 1;
        let seed = u64::try_from(self.ids).unwrap();
        let mut host = match seed % 2 {
            0 => Host::with_crypto(seed, Box::new(AwsLc::default())),
            _ => Host::new(seed),
        };
        open_policy(&mut host);
        host.now = self.now;
        host.policy.only_private = self.config.handshakes == Handshakes::Private;
        host.resumption_psks = self.resumption.clone();
        host.limits.generation_block = 3;
        host.limits.max_past_epochs = self.config.past_epochs[self.ids % self.config.past_epochs.len()];
        let mut client = NewMember::with_host(name, host, self.config.suite);
        client.extensions = vec![EXTENSION];
        client.proposals = vec![CUSTOM];
        client
    }

    pub(crate) fn suite(&self) -> std::sync::Arc<dyn SuiteCrypto> {
        self.outside.crypto.suite(self.config.suite).unwrap()
    }

    /// Context extensions with an external sender, and perhaps a value of ours.
    pub(crate) fn context_extensions(&self, value: Option<u8>) -> Extensions {
        let mut extensions = Extensions::new();
        let signature_key = self.suite().signature_public_key(&self.external_key).unwrap();
        let sender = ExternalSender { signature_key, credential: Credential::basic(b"service") };
        extensions.set_body(ExtensionType::EXTERNAL_SENDERS, &vec![sender]).unwrap();
        if let Some(value) = value {
            extensions.set(EXTENSION, vec![value]);
        }
        extensions
    }

    /// A new player at the end of the log.
    pub(crate) fn enter(&mut self, member: testkit::network::Member, key: SignaturePrivateKey) -> usize {
        let id = self.players.len();
        self.players.push(Player::new(id, member, key, self.log.len()));
        id
    }

    /// An active member at the end of the log, if there is one where `who` points.
    pub(crate) fn current(&mut self, who: u8) -> Option<usize> {
        let candidates: Vec<_> =
            self.players.iter().filter(|player| player.is_active()).map(|player| player.id).collect();
        let id = pick(&candidates, who)?;
        self.catch_up(id, usize::MAX);
        self.players[id].is_active().then_some(id)
    }

    pub(crate) fn any(&self, who: u8) -> usize {
        usize::from(who) % self.players.len()
    }

    pub(crate) fn group_info(&self, id: usize, tree: bool) -> Vec<u8> {
        let member = &self.players[id].member;
        member.group.group_info(&member.host.env(), tree, true).unwrap()
    }

    /// The epoch of a member at the end of the log is the one all will agree on.
    pub(crate) fn note_epoch(&mut self, id: usize) {
        let member = &self.players[id].member;
        let epoch = member.group.epoch();
        assert_eq!(epoch, self.epoch);
        self.views.insert(epoch, View::of(&member.group));
        self.trees.insert(epoch, member.group.public().tree().clone());
        let psk = member.group.resumption_psk(epoch).unwrap().as_slice().to_vec();
        self.resumption.insert((self.group_id.clone(), epoch), psk);
    }

    /// Puts a handshake into the log.
    pub(crate) fn publish(&mut self, bytes: Vec<u8>, by: Option<usize>) {
        if let Some(observer) = &self.observer {
            let (_, next) = observer.process(&self.outside.env(), &bytes).unwrap();
            self.observer = Some(next);
        }
        self.log.push(Handshake { bytes, by });
    }

    /// Lets a member see up to `most` more handshakes.
    pub(crate) fn catch_up(&mut self, id: usize, most: usize) {
        for _ in 0..most {
            let player = &mut self.players[id];
            let Some(handshake) = self.log.get(player.cursor) else { return };
            if !player.is_active() {
                return;
            }
            player.cursor += 1;
            player.take(handshake);
        }
    }
}

impl Player {
    /// One handshake of the log: it must be accepted.
    fn take(&mut self, handshake: &Handshake) {
        let before = self.epoch();
        let member = &mut self.member;
        let processed = match member.group.process(&member.host.env(), &handshake.bytes) {
            Err(ProcessError::OwnMessage) if handshake.by == Some(self.id) => return,
            processed => processed.unwrap(),
        };
        let step = match processed {
            Processed::Proposal(proposal) => proposal.step,
            Processed::Commit(staged) => {
                assert_ne!(handshake.by, Some(self.id));
                staged.step
            }
            Processed::OwnCommit(commit) => {
                let accepted = member.group.accept(&member.host.env(), &commit).unwrap();
                self.welcome = accepted.welcome;
                accepted.step
            }
            other => panic!("a handshake was {other:?}"),
        };
        member.adopt(step).unwrap();
        if self.is_removed() || self.epoch() != before {
            self.epoch_ended(before);
        }
    }
}

pub(crate) fn pick<T: Copy>(list: &[T], at: u8) -> Option<T> {
    list.get(usize::from(at).checked_rem(list.len())?).copied()
}

/// The same leaf, whatever its place.
pub(crate) fn is_of(leaf: &LeafNode, keys: &KeyPackageSecrets) -> bool {
    leaf.encryption_key == keys.key_package().leaf_node.encryption_key
}

fn open_policy(host: &mut Host) {
    let rules =
        CustomProposalRules { external_senders: true, path_required: false, external_commit: true, repeatable: true };
    host.policy.custom.insert(CUSTOM.0, rules);
    for id in 0..PSKS {
        host.psks.insert(vec![b'p', id], vec![id; 32]);
    }
}
