//! What holds after every operation.

use std::{
    collections::{BTreeMap, BTreeSet},
    hash::{DefaultHasher, Hash as _, Hasher},
};

use mls_engine::{
    group::{Group, Processed, RecordClass, Status},
    math::LeafIndex,
    message::Extensions,
    tree::RatchetTree,
};

use super::{
    player::{Player, Sent},
    world::World,
};

/// What all members of an epoch agree on.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct View {
    tree_hash: Vec<u8>,
    pub(crate) roster: Vec<(LeafIndex, Vec<u8>)>,
    authenticator: Vec<u8>,
    exported: Vec<u8>,
    extensions: Extensions,
}

impl View {
    pub(crate) fn of(group: &Group) -> Self {
        let identity = |leaf: &mls_engine::message::LeafNode| leaf.credential.identity().unwrap().to_vec();
        Self {
            tree_hash: group.public().tree().tree_hash().as_slice().to_vec(),
            roster: group.members().into_iter().map(|(index, leaf)| (index, identity(leaf))).collect(),
            authenticator: group.epoch_authenticator().as_slice().to_vec(),
            exported: match group.status() {
                Status::Active => group.export_secret("model", b"", 32).unwrap().as_slice().to_vec(),
                _ => Vec::new(),
            },
            extensions: group.public().context().extensions.clone(),
        }
    }
}

impl World {
    /// Everybody against the views of their epochs, and against their own records.
    pub(crate) fn check(&mut self) {
        for player in &mut self.players {
            if !player.is_removed() {
                assert_eq!(View::of(&player.member.group), self.views[&player.epoch()], "player {}", player.id);
            }
            let past: Vec<_> = player.past.keys().copied().collect();
            assert_eq!(player.member.group.past_epochs(), past, "player {}", player.id);
            player.check_records(self.sent.last(), &self.trees);
        }
        if let Some(observer) = &self.observer {
            let view = &self.views[&self.epoch];
            assert_eq!(observer.public().tree().tree_hash().as_slice(), view.tree_hash);
            assert_eq!(observer.public().context().extensions, view.extensions);
            assert_eq!(observer.public().context().epoch, self.epoch);
        }
    }
}

impl Player {
    /// A group loaded from the records is the group, and the records hold nothing else.
    fn check_records(&mut self, sent: Option<&Sent>, trees: &BTreeMap<u64, RatchetTree>) {
        let mut hasher = DefaultHasher::new();
        self.member.records.rows.hash(&mut hasher);
        let hash = hasher.finish();
        if self.checked == Some(hash) {
            return;
        }
        self.checked = Some(hash);
        let (group, env) = (&self.member.group, self.member.host.env());
        let loaded = Group::load(&env, &self.member.records)
            .unwrap_or_else(|error| panic!("player {} does not load: {error:?}", self.id));
        same(group, &loaded);
        if let Some(sent) = sent {
            let read = |group: &Group| match group.process(&env, &sent.bytes) {
                Ok(Processed::Application(opened)) => Ok((opened.plaintext, opened.sender, opened.generation)),
                Ok(other) => panic!("a message was {other:?}"),
                Err(error) => Err(error),
            };
            assert_eq!(read(group), read(&loaded));
        }
        self.check_rows();
        self.check_nodes(trees);
    }

    /// No record outlives what it is for.
    fn check_rows(&self) {
        let (group, records) = (&self.member.group, &self.member.records);
        let epoch = group.epoch();
        let past = group.past_epochs();
        for key in records.rows.keys() {
            let alive = match key.class {
                RecordClass::Epoch | RecordClass::Proposal | RecordClass::Pending => key.epoch == epoch,
                RecordClass::SecretNode | RecordClass::Ratchet | RecordClass::Skipped => {
                    key.epoch == epoch || past.contains(&key.epoch)
                }
                RecordClass::PastEpoch => past.contains(&key.epoch),
                _ => key.epoch == 0,
            };
            let alive = alive && (!self.is_removed() || matches!(key.class, RecordClass::Header | RecordClass::Node));
            assert!(alive, "player {} in epoch {epoch} still has {key:?}", self.id);
        }
        assert_eq!(records.count(RecordClass::PastEpoch), past.len());
        assert_eq!(records.count(RecordClass::Pending), group.pending_commits().len());
        assert_eq!(records.count(RecordClass::Proposal), group.pending_proposals().len());
        assert!(records.count(RecordClass::ResumptionPsk) <= self.member.host.limits.max_resumption_psks);
    }

    /// The nodes of the trees of all readable epochs, each once, and no others.
    fn check_nodes(&self, trees: &BTreeMap<u64, RatchetTree>) {
        let (group, records) = (&self.member.group, &self.member.records);
        let past: Option<Vec<_>> = group.past_epochs().iter().map(|epoch| trees.get(epoch)).collect();
        // The first epoch of a group that continues another is its creator's alone.
        let Some(past) = past else { return };
        let alive = past.into_iter().chain([group.public().tree()]).flat_map(|tree| tree.hashes_not_in(&[]));
        let alive: BTreeSet<_> = alive.map(|hash| hash.as_slice().to_vec()).collect();
        let nodes = records.rows.keys().filter(|key| key.class == RecordClass::Node);
        let nodes: BTreeSet<_> = nodes.map(|key| key.id.clone()).collect();
        assert_eq!(nodes, alive, "player {} in epoch {}", self.id, group.epoch());
    }
}

/// Everything one can ask two groups for.
pub(crate) fn same(group: &Group, loaded: &Group) {
    assert_eq!(View::of(group), View::of(loaded));
    assert_eq!(group.epoch(), loaded.epoch());
    assert_eq!(group.own_index(), loaded.own_index());
    assert_eq!(group.own_leaf(), loaded.own_leaf());
    assert_eq!(group.status(), loaded.status());
    assert_eq!(group.pending_commits(), loaded.pending_commits());
    assert_eq!(group.past_epochs(), loaded.past_epochs());
    let proposals = |group: &Group| -> Vec<_> {
        group.pending_proposals().iter().map(|pending| (pending.reference, pending.proposer)).collect()
    };
    assert_eq!(proposals(group), proposals(loaded));
    for epoch in 0..=group.epoch() {
        let psk = |group: &Group| group.resumption_psk(epoch).map(|psk| psk.as_slice().to_vec());
        assert_eq!(psk(group), psk(loaded));
    }
    assert_eq!(secret_shape(group), secret_shape(loaded));
}

/// Which private keys and message keys a group holds, out of its `Debug` form, which shows none of them: nodes of the
/// direct path, and of every secret tree the nodes, ratchets with generations, and skipped keys.
pub(crate) fn secret_shape(group: &Group) -> Vec<String> {
    let text = format!("{group:?}");
    let mut shape: Vec<String> =
        pieces(&text, "private: TreePrivate {", ", signature_key:").map(str::to_owned).collect();
    shape.extend(pieces(&text, "SecretTree {", ", blocks:").map(str::to_owned));
    shape.extend(pieces(&text, ", skipped: SkippedKeys {", "ages:").map(str::to_owned));
    assert!(shape.len() >= 3, "the Debug form has changed");
    shape
}

fn pieces<'a>(text: &'a str, from: &'a str, to: &'a str) -> impl Iterator<Item = &'a str> {
    text.split(from).skip(1).map(move |rest| rest.split(to).next().unwrap())
}
