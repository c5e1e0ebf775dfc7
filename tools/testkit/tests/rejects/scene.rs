//! Alice, Mallory, Carol, Dave and Erin in one group; Mallory is the insider, Alice the victim.

use mls_crypto::{CipherSuite, Opaque};
use mls_engine::{
    error::ProcessError,
    group::{CommitOptions, Framing, MessageOptions, Processed, ProposalKind},
    limits::Limits,
    math::LeafIndex,
    message::{
        Add, ExtensionType, Extensions, GroupContextExtensions, KeyPackage, LeafNode, Lifetime, PreSharedKey,
        PreSharedKeyId, Proposal, ProposalType, PskKind, Remove, Update,
    },
    policy::CustomProposalRules,
};
use testkit::{
    forge::insider::{ForgedCommit, Insider, sign_leaf},
    network::{Host, Member, NewMember, Records},
};

/// The suite of most tests.
pub(crate) const SUITE: CipherSuite = CipherSuite::X25519_AES128;
/// An extension type that every member supports.
pub(crate) const EXTENSION: ExtensionType = ExtensionType(0xF042);
/// An extension type that nobody supports.
pub(crate) const UNKNOWN_EXTENSION: ExtensionType = ExtensionType(0xF043);
/// A proposal type that every member and policy supports.
pub(crate) const CUSTOM: ProposalType = ProposalType(0xF001);
/// A proposal type that every policy knows, and no member lists.
pub(crate) const UNLISTED: ProposalType = ProposalType(0xF002);

/// A proposal type that every member but Erin supports.
pub(crate) const ALMOST: ProposalType = ProposalType(0xF003);

/// The leaves, by name.
pub(crate) const ALICE: LeafIndex = LeafIndex::new(0);
pub(crate) const MALLORY: LeafIndex = LeafIndex::new(1);
pub(crate) const CAROL: LeafIndex = LeafIndex::new(2);
pub(crate) const DAVE: LeafIndex = LeafIndex::new(3);
pub(crate) const ERIN: LeafIndex = LeafIndex::new(4);
/// In range and blank.
pub(crate) const BLANK: LeafIndex = LeafIndex::new(6);
/// Out of range.
pub(crate) const OUTSIDE: LeafIndex = LeafIndex::new(99);

/// Five members of one group at epoch 2, after a commit of Mallory's.
pub(crate) struct Scene {
    pub(crate) alice: Member,
    pub(crate) mallory: Member,
    pub(crate) carol: Member,
    pub(crate) dave: Member,
    pub(crate) erin: Member,
}

/// A client that supports what the scene's members do.
pub(crate) fn newcomer(name: &str, seed: u64, suite: CipherSuite) -> NewMember {
    let mut host = Host::new(seed);
    let rules =
        CustomProposalRules { external_senders: false, path_required: true, external_commit: false, repeatable: false };
    host.policy.custom.insert(CUSTOM.0, rules);
    host.policy.custom.insert(UNLISTED.0, CustomProposalRules { path_required: false, ..rules });
    host.policy.custom.insert(ALMOST.0, rules);
    host.psks.insert(b"psk".to_vec(), b"psk".to_vec());
    let mut client = NewMember::with_host(name, host, suite);
    client.extensions = vec![EXTENSION];
    client.proposals = if name == "erin" { vec![CUSTOM] } else { vec![CUSTOM, ALMOST] };
    client
}

impl Scene {
    pub(crate) fn new() -> Self {
        Self::with(SUITE, Extensions::new())
    }

    pub(crate) fn with_extensions(extensions: Extensions) -> Self {
        Self::with(SUITE, extensions)
    }

    pub(crate) fn with(suite: CipherSuite, extensions: Extensions) -> Self {
        let mut alice = newcomer("alice", 1, suite).create_with(b"group", extensions).unwrap();
        let others: Vec<_> =
            (2..).zip(["mallory", "carol", "dave", "erin"]).map(|(seed, name)| newcomer(name, seed, suite)).collect();
        let keys: Vec<_> = others.iter().map(NewMember::key_package).collect();
        let adds = keys.iter().map(|keys| ProposalKind::Add(keys.message().unwrap())).collect();
        let welcome = alice.commit_by_value(adds).unwrap().1.unwrap();
        let mut joined = others.into_iter().zip(&keys).map(|(other, keys)| other.join(&welcome, keys, None).unwrap());
        let mut next = || joined.next().unwrap();
        let (mut mallory, mut carol, mut dave, mut erin) = (next(), next(), next(), next());
        let (commit, _) = mallory.commit_now(CommitOptions::default()).unwrap();
        for member in [&mut alice, &mut carol, &mut dave, &mut erin] {
            member.receive(&commit).unwrap();
        }
        Self { alice, mallory, carol, dave, erin }
    }

    pub(crate) fn insider(&self) -> Insider {
        Insider::of(&self.mallory)
    }

    /// Alice refuses the message for this reason, is as before, and goes on.
    pub(crate) fn refuses(&self, message: &[u8], expected: ProcessError) {
        refuses(&self.alice, message, expected);
        self.goes_on();
    }

    /// Alice refuses a commit that Mallory made of these proposals by value, with a path.
    pub(crate) fn refuses_list(&self, proposals: Vec<Proposal>, expected: ProcessError) {
        let insider = self.insider();
        self.refuses(&insider.finish(&insider.commit_with_path(proposals)), expected);
    }

    /// Alice refuses this proposal of Mallory's, alone and in a commit.
    pub(crate) fn refuses_proposal(&self, proposal: Proposal, expected: ProcessError) {
        let insider = self.insider();
        self.refuses(&insider.proposal(proposal.clone()).0, expected.clone());
        self.refuses_list(vec![proposal], expected);
    }

    /// Alice accepts a commit, which is checked to its end.
    pub(crate) fn accepts(&self, message: &[u8]) {
        let processed = self.alice.group.process(&self.alice.host.env(), message).unwrap();
        assert!(matches!(processed, Processed::Commit(_)), "{processed:?}");
    }

    /// Alice accepts a commit of these proposals by value.
    pub(crate) fn accepts_list(&self, proposals: Vec<Proposal>) {
        let insider = self.insider();
        self.accepts(&insider.finish(&insider.commit_with_path(proposals)));
    }

    /// Alice takes an honest commit of Mallory's.
    pub(crate) fn goes_on(&self) {
        let options = CommitOptions { message: public(), ..CommitOptions::default() };
        let honest = self.mallory.group.commit(&self.mallory.host.env(), options).unwrap();
        if self.alice.host.policy.only_private {
            return;
        }
        self.accepts(&honest.commit);
    }

    /// Everybody takes a message.
    pub(crate) fn deliver(&mut self, message: &[u8], from: LeafIndex) {
        let members = [&mut self.alice, &mut self.mallory, &mut self.carol, &mut self.dave, &mut self.erin];
        for member in members {
            if member.group.own_index() != from {
                member.receive(message).unwrap();
            }
        }
    }

    /// Carol updates by proposal; everybody has it. Returns what to put into a commit.
    pub(crate) fn proposal_of_carol(
        &mut self,
        kind: ProposalKind,
    ) -> (mls_engine::message::ProposalOrRef, Proposal, LeafIndex) {
        let (message, reference) = self.carol.propose_with(kind, public()).unwrap();
        self.deliver(&message, CAROL);
        let pending = self.carol.group.pending_proposals();
        let found = pending.iter().find(|pending| pending.reference == reference).unwrap();
        (mls_engine::message::ProposalOrRef::Reference(reference), found.proposal.clone(), CAROL)
    }
}

/// Options of a readable handshake.
pub(crate) fn public() -> MessageOptions {
    MessageOptions { framing: Framing::Public, ..MessageOptions::default() }
}

/// All that can be seen of a member.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Snapshot {
    records: Records,
    view: (u64, Vec<u8>, Vec<u8>),
    group: String,
}

impl Snapshot {
    pub(crate) fn of(member: &Member) -> Self {
        Self { records: member.records.clone(), view: member.view(), group: format!("{:?}", member.group) }
    }
}

/// A member refuses the message for this reason and is as before.
pub(crate) fn refuses(victim: &Member, message: &[u8], expected: ProcessError) {
    let before = Snapshot::of(victim);
    let error = victim.group.process(&victim.host.env(), message).map(|processed| format!("{processed:?}"));
    assert_eq!(error.unwrap_err(), expected);
    assert!(Snapshot::of(victim) == before);
}

/// A key package of a fresh client.
pub(crate) fn package(name: &str, seed: u64) -> KeyPackage {
    newcomer(name, seed, SUITE).key_package().key_package().clone()
}

/// The Add of a key package.
pub(crate) fn add(key_package: KeyPackage) -> Proposal {
    Proposal::Add(Box::new(Add { key_package }))
}

/// The Update to a leaf.
pub(crate) fn update(leaf_node: LeafNode) -> Proposal {
    Proposal::Update(Box::new(Update { leaf_node }))
}

/// The Remove of a leaf.
pub(crate) fn remove(removed: LeafIndex) -> Proposal {
    Proposal::Remove(Remove { removed })
}

/// The change of the context extensions.
pub(crate) fn extensions(extensions: Extensions) -> Proposal {
    Proposal::GroupContextExtensions(GroupContextExtensions { extensions })
}

/// A PSK that every host of the scene has, with a nonce of this byte.
pub(crate) fn psk(nonce: u8) -> Proposal {
    psk_of(PskKind::External(Opaque::from(&b"psk"[..])), nonce)
}

/// A PSK of this kind.
pub(crate) fn psk_of(kind: PskKind, nonce: u8) -> Proposal {
    Proposal::PreSharedKey(PreSharedKey { psk: PreSharedKeyId { kind, psk_nonce: Opaque::new(vec![nonce; 32]) } })
}

/// A custom proposal.
pub(crate) fn custom(proposal_type: ProposalType) -> Proposal {
    Proposal::Custom(mls_engine::message::CustomProposal { proposal_type, body: Opaque::new(Vec::new()) })
}

/// The end of the group, to go on with the same suite.
pub(crate) fn reinit(group_id: &[u8]) -> mls_engine::message::ReInit {
    mls_engine::message::ReInit {
        group_id: Opaque::from(group_id),
        version: mls_engine::message::ProtocolVersion::MLS10,
        cipher_suite: SUITE,
        extensions: Extensions::new(),
    }
}

/// One extension with a body.
pub(crate) fn one_extension(kind: ExtensionType, body: &[u8]) -> Extensions {
    let mut extensions = Extensions::new();
    extensions.set(kind, body.to_vec());
    extensions
}

/// A key package edited and signed again, leaf and all.
pub(crate) fn edited_package(client: &NewMember, edit: impl FnOnce(&mut KeyPackage)) -> KeyPackage {
    let suite = client.host.crypto.suite(client.cipher_suite).unwrap();
    let mut package = client.key_package().key_package().clone();
    edit(&mut package);
    sign_leaf(suite.as_ref(), &client.signature_key, &mut package.leaf_node, (&[], LeafIndex::FIRST));
    sign_package(client, &mut package);
    package
}

/// Signs a key package, but not its leaf.
pub(crate) fn sign_package(client: &NewMember, package: &mut KeyPackage) {
    let suite = client.host.crypto.suite(client.cipher_suite).unwrap();
    let tbs = package.tbs().unwrap();
    let signature =
        mls_crypto::label::sign_with_label(suite.as_ref(), &client.signature_key, KeyPackage::SIGNATURE_LABEL, &tbs);
    package.signature = Opaque::new(signature.unwrap());
}

/// Limits, changed.
pub(crate) fn limits(edit: impl FnOnce(&mut Limits)) -> Limits {
    let mut limits = Limits::default();
    edit(&mut limits);
    limits
}

/// A lifetime of this many seconds from an hour ago.
pub(crate) fn lifetime(host: &Host, seconds: u64) -> Lifetime {
    Lifetime { not_before: host.now - 3_600, not_after: host.now - 3_600 + seconds }
}

/// The path of a forged commit.
pub(crate) fn path_of(forged: &mut ForgedCommit) -> &mut mls_engine::message::UpdatePath {
    forged.path.as_mut().unwrap()
}
