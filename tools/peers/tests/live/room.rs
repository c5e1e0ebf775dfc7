//! A group with members of several implementations, who must agree after every commit.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Display,
    sync::Mutex,
};

use crate::{
    peer::{Change, ExternalJoin, Kind, NO_EXTENSIONS, Outcome, Peer, PeerError, Received, Setup, View},
    peers,
};

/// What a trial says.
pub type Test<T = ()> = Result<T, String>;

/// Clients in no group yet, and the changes that add them.
pub type Invited = (Vec<Box<dyn Peer>>, Vec<Change>);

/// A group, and everything its delivery service would know.
pub struct Room {
    pub setup: Setup,
    pub peers: Vec<Box<dyn Peer>>,
    /// Members that were removed.
    pub gone: Vec<Box<dyn Peer>>,
    psks: BTreeMap<Vec<u8>, Vec<u8>>,
    named: usize,
}

/// What a peer's interface has no way to ask for, in words.
pub static UNSUPPORTED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

impl Room {
    /// A group of one.
    pub fn create(creator: Kind, setup: Setup) -> Test<Self> {
        Self::create_with(creator, setup, NO_EXTENSIONS)
    }

    /// A group of one with these encoded context extensions.
    pub fn create_with(creator: Kind, setup: Setup, extensions: &[u8]) -> Test<Self> {
        let mut room = Self { setup, peers: Vec::new(), gone: Vec::new(), psks: BTreeMap::new(), named: 0 };
        let mut first = room.newcomer(creator)?;
        must("create", first.create(b"room", extensions), first.as_ref())?;
        room.peers.push(first);
        room.agree()?;
        Ok(room)
    }

    /// A group of `rounds` members of each kind, all added by one commit of the creator.
    pub fn full(creator: Kind, setup: Setup, rounds: usize) -> Test<Self> {
        let mut room = Self::create(creator, setup)?;
        let kinds: Vec<_> = Kind::ALL.into_iter().filter(|kind| *kind != creator).collect();
        let kinds = (0..rounds).flat_map(|round| if round == 0 { kinds.clone() } else { Kind::ALL.to_vec() });
        room.add(0, &kinds.collect::<Vec<_>>())?;
        Ok(room)
    }

    /// A client with a new name and all PSKs, in no group yet.
    pub fn newcomer(&mut self, kind: Kind) -> Test<Box<dyn Peer>> {
        self.named += 1;
        let mut peer = peers::new(kind, &format!("{}{}", kind.name(), self.named), self.setup);
        for (id, psk) in &self.psks {
            must("store a PSK", peer.store_psk(id, psk), peer.as_ref())?;
        }
        Ok(peer)
    }

    /// Gives everybody a PSK.
    pub fn share_psk(&mut self, id: &[u8], psk: &[u8]) -> Test {
        self.psks.insert(id.to_vec(), psk.to_vec());
        for peer in &mut self.peers {
            must("store a PSK", peer.store_psk(id, psk), peer.as_ref())?;
        }
        Ok(())
    }

    /// The first member of a kind.
    pub fn of(&self, kind: Kind) -> usize {
        self.peers.iter().position(|peer| peer.kind() == kind).unwrap_or_default()
    }

    /// The leaf of the member at `index`.
    pub fn leaf(&mut self, index: usize) -> Test<u32> {
        let peer = &mut self.peers[index];
        let view = must("view", peer.view(), peer.as_ref())?;
        view.leaf(peer.name()).ok_or_else(|| format!("{} is not in its own group", peer.name()))
    }

    /// `by` adds clients of these kinds in one commit.
    pub fn add(&mut self, by: usize, kinds: &[Kind]) -> Test {
        let (joiners, changes) = self.invite(kinds)?;
        self.commit(by, &changes, joiners).map(drop)
    }

    /// New clients, and the changes that add them.
    pub fn invite(&mut self, kinds: &[Kind]) -> Test<Invited> {
        let (mut joiners, mut changes) = (Vec::new(), Vec::new());
        for kind in kinds {
            let mut joiner = self.newcomer(*kind)?;
            changes.push(Change::Add(must("make a key package", joiner.key_package(), joiner.as_ref())?));
            joiners.push(joiner);
        }
        Ok((joiners, changes))
    }

    /// `by` proposes; everybody hears it. False if it cannot.
    pub fn propose(&mut self, by: usize, change: &Change) -> Test<bool> {
        let outcome = self.peers[by].propose(change);
        let Some(message) = can("propose", outcome, self.peers[by].as_ref())? else { return Ok(false) };
        self.check_framing(&message)?;
        for index in (0..self.peers.len()).filter(|index| *index != by) {
            self.hear(index, by, &message, &Received::Proposal)?;
        }
        Ok(true)
    }

    /// `by` commits, everybody follows, `joiners` join. False if it cannot.
    pub fn commit(&mut self, by: usize, changes: &[Change], joiners: Vec<Box<dyn Peer>>) -> Test<bool> {
        let outcome = self.peers[by].commit(changes);
        let Some(committed) = can("commit", outcome, self.peers[by].as_ref())? else { return Ok(false) };
        self.check_framing(&committed.commit)?;
        let removed = self.deliver_commit(by, &committed.commit)?;
        let committer = &mut self.peers[by];
        must("apply its own commit", committer.apply(), committer.as_ref())?;
        let tree = must("give the tree", committer.tree(), committer.as_ref())?;
        let tree = (!self.setup.inline_tree).then_some(tree.as_slice());
        for mut joiner in joiners {
            let welcome = committed.welcome.as_deref().ok_or("a commit with Adds has no Welcome")?;
            let from = self.peers[by].name().to_owned();
            must(format!("join by the Welcome of {from}"), joiner.join(welcome, tree), joiner.as_ref())?;
            self.peers.push(joiner);
        }
        for index in removed.into_iter().rev() {
            let peer = self.peers.remove(index);
            self.gone.push(peer);
        }
        self.agree()?;
        Ok(true)
    }

    /// Gives a commit to all but the committer; returns who was removed by it.
    fn deliver_commit(&mut self, by: usize, commit: &[u8]) -> Test<Vec<usize>> {
        let from = self.peers[by].name().to_owned();
        let mut removed = Vec::new();
        for (index, peer) in self.peers.iter_mut().enumerate().filter(|(index, _)| *index != by) {
            match must(format!("process a commit of {from}"), peer.process(commit), peer.as_ref())? {
                Received::Commit => {}
                Received::Removed => removed.push(index),
                other => return Err(format!("{} took a commit for {other:?}", peer.name())),
            }
        }
        Ok(removed)
    }

    /// A client of this kind joins by external commit on a GroupInfo of `via`.
    pub fn join_external(&mut self, kind: Kind, via: usize, psk: Option<&[u8]>) -> Test<bool> {
        let newcomer = self.newcomer(kind)?;
        let epoch = self.epoch()?;
        self.enter(newcomer, via, None, psk)?;
        Ok(self.epoch()? > epoch)
    }

    /// The member at `index` joins again in place of its old leaf.
    pub fn resync(&mut self, index: usize, via: usize) -> Test {
        let leaf = self.leaf(index)?;
        let via = self.peers[via].name().to_owned();
        let peer = self.peers.remove(index);
        let via = self.peers.iter().position(|peer| peer.name() == via).ok_or("no member to ask")?;
        self.enter(peer, via, Some(leaf), None)
    }

    fn enter(&mut self, mut peer: Box<dyn Peer>, via: usize, resync: Option<u32>, psk: Option<&[u8]>) -> Test {
        let host = &mut self.peers[via];
        let group_info = must("make a GroupInfo", host.group_info(), host.as_ref())?;
        let tree = must("give the tree", host.tree(), host.as_ref())?;
        let tree = (!self.setup.inline_tree).then_some(tree.as_slice());
        let how = ExternalJoin { group_info: &group_info, tree, resync, psk };
        let what = format!("join by external commit on a GroupInfo of {}", host.name());
        let Some(commit) = can(what, peer.join_external(&how), peer.as_ref())? else { return Ok(()) };
        // EXT-06: an external commit is always a PublicMessage.
        if commit.get(..4) != Some(&PUBLIC) {
            return Err(format!("the external commit of {} is not public", peer.name()));
        }
        let from = peer.name().to_owned();
        for peer in &mut self.peers {
            let what = format!("process an external commit of {from}");
            let received = must(what, peer.process(&commit), peer.as_ref())?;
            if received != Received::Commit {
                return Err(format!("{} took an external commit for {received:?}", peer.name()));
            }
        }
        self.peers.push(peer);
        self.agree()
    }

    /// Everybody says `count` things, which everybody else hears last to first; who was removed hears nothing.
    pub fn talk(&mut self, count: usize) -> Test {
        for by in 0..self.peers.len() {
            let mut said = Vec::new();
            for round in 0..count {
                said.push(self.say(by, &format!("{round} by {by}"))?);
            }
            for message in said.iter().rev() {
                self.hear_all(by, message)?;
            }
        }
        Ok(())
    }

    /// `by` says something: what, with the message.
    pub fn say(&mut self, by: usize, text: &str) -> Test<(Vec<u8>, Vec<u8>)> {
        let peer = &mut self.peers[by];
        let message = must("send", peer.send(text.as_bytes()), peer.as_ref())?;
        Ok((text.as_bytes().to_vec(), message))
    }

    /// Everybody but `by` opens a message, once; who was removed cannot.
    pub fn hear_all(&mut self, by: usize, (plaintext, message): &(Vec<u8>, Vec<u8>)) -> Test {
        let expected = Received::Application { sender: self.leaf(by)?, plaintext: plaintext.clone() };
        for index in (0..self.peers.len()).filter(|index| *index != by) {
            self.hear(index, by, message, &expected)?;
            if self.peers[index].process(message).is_ok() {
                return Err(format!("{} opens a message twice", self.peers[index].name()));
            }
        }
        for gone in &mut self.gone {
            if gone.process(message).is_ok() {
                return Err(format!("{} was removed and still reads", gone.name()));
            }
        }
        Ok(())
    }

    fn hear(&mut self, index: usize, by: usize, message: &[u8], expected: &Received) -> Test {
        let from = self.peers[by].name().to_owned();
        let peer = &mut self.peers[index];
        let received = must(format!("process a message of {from}"), peer.process(message), peer.as_ref())?;
        match received == *expected {
            true => Ok(()),
            false => Err(format!("{} got {received:?} of {from}, not {expected:?}", peer.name())),
        }
    }

    /// Members are asked on which wire format they agreed (FRM-02).
    fn check_framing(&self, message: &[u8]) -> Test {
        let expected = if self.setup.private { PRIVATE } else { PUBLIC };
        match message.get(..4) == Some(&expected) {
            true => Ok(()),
            false => Err(format!("wrong framing: {:?}", message.get(..4))),
        }
    }

    /// The epoch all members are in.
    pub fn epoch(&mut self) -> Test<u64> {
        let first = &mut self.peers[0];
        Ok(must("view", first.view(), first.as_ref())?.epoch)
    }

    /// All members see the same group, and it is this room.
    pub fn agree(&mut self) -> Test {
        let mut agreed: Option<(String, View)> = None;
        for peer in &mut self.peers {
            let view = must("view", peer.view(), peer.as_ref())?;
            match &agreed {
                Some((name, first)) if *first != view => {
                    return Err(format!("{name} and {} disagree:\n{first:?}\n{view:?}", peer.name()));
                }
                Some(_) => {}
                None => agreed = Some((peer.name().to_owned(), view)),
            }
        }
        let members: BTreeSet<_> =
            agreed.into_iter().flat_map(|(_, view)| view.members).map(|(_, name)| name).collect();
        let expected: BTreeSet<_> = self.peers.iter().map(|peer| peer.name().to_owned()).collect();
        if members == expected { Ok(()) } else { Err(format!("members {members:?}, expected {expected:?}")) }
    }
}

/// `mls10`, `mls_public_message`.
const PUBLIC: [u8; 4] = [0, 1, 0, 1];
/// `mls10`, `mls_private_message`.
const PRIVATE: [u8; 4] = [0, 1, 0, 2];

/// A refusal fails the trial.
pub fn must<T>(what: impl Display, outcome: Outcome<T>, peer: &dyn Peer) -> Test<T> {
    outcome.map_err(|error| match error {
        PeerError::Refused(error) => format!("{} cannot {what}: {error}", peer.name()),
        PeerError::Unsupported(missing) => format!("{} cannot {what}: it does not support {missing}", peer.name()),
    })
}

/// What a peer's interface has no way to ask for is noted, and left out.
fn can<T>(what: impl Display, outcome: Outcome<T>, peer: &dyn Peer) -> Test<Option<T>> {
    if let Err(PeerError::Unsupported(missing)) = outcome {
        UNSUPPORTED.lock().unwrap().insert(format!("{}: {missing}", peer.kind().name()));
        return Ok(None);
    }
    must(what, outcome, peer).map(Some)
}
