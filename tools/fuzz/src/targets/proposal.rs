//! Proposals that a member signs, whatever they say (RFC 9420, Sections 12.1 and 12.2).

use mls_crypto::Opaque;
use mls_engine::{
    codec::encode,
    math::LeafIndex,
    message::{
        Add, Content, CustomProposal, ExtensionType, Extensions, ExternalInit, GroupContextExtensions, PreSharedKey,
        PreSharedKeyId, Proposal, ProposalType, ProtocolVersion, PskKind, ReInit, Remove, ResumptionPskUsage, Sender,
        Update, WireFormat,
    },
};
use testkit::forge::insider::Insider;

use crate::{
    Target, Verdict,
    choices::Choices,
    scene::{EXTENSION, SUITE, scene},
};

pub(super) const TARGET: Target = Target {
    name: "proposal",
    oracle: "a signed and tagged proposal is remembered or refused, in either framing, and never panics",
    run,
    seeds,
};

fn run(bytes: &[u8]) -> Verdict {
    let (scene, mut choices) = (scene(), Choices::new(bytes));
    let insider = scene.insider();
    let proposal = any_proposal(&insider, &mut choices);
    let mut content = insider.own_content(Content::Proposal(proposal));
    content.sender = any_sender(&insider, &mut choices);
    content.authenticated_data = Opaque::from(choices.bytes());
    content.epoch = content.epoch.wrapping_add(u64::from(choices.number()));
    let mut message = if choices.flag() {
        insider.private_bytes(&insider.sign(WireFormat::PRIVATE_MESSAGE, content))
    } else {
        insider.public_bytes(insider.sign(WireFormat::PUBLIC_MESSAGE, content))
    };
    choices.bend(&mut message);
    scene.handshake(&message)
}

/// A proposal of any kind.
pub(super) fn any_proposal(insider: &Insider, choices: &mut Choices<'_>) -> Proposal {
    match choices.of(8) {
        0 => Proposal::Remove(Remove { removed: LeafIndex::new(choices.number()) }),
        1 => Proposal::Add(Box::new(Add { key_package: any_package(choices) })),
        2 => Proposal::PreSharedKey(PreSharedKey { psk: any_psk(choices) }),
        3 => Proposal::GroupContextExtensions(GroupContextExtensions { extensions: any_extensions(choices) }),
        4 => Proposal::Update(Box::new(Update { leaf_node: insider.update_leaf(|leaf| bend_leaf(leaf, choices)) })),
        5 => Proposal::ReInit(ReInit {
            group_id: Opaque::from(choices.bytes()),
            version: ProtocolVersion(1 + u16::from(choices.byte()) / 128),
            cipher_suite: mls_crypto::CipherSuite(SUITE.0 + u16::from(choices.byte()) / 32),
            extensions: any_extensions(choices),
        }),
        6 => Proposal::ExternalInit(ExternalInit { kem_output: Opaque::from(choices.bytes()) }),
        _ => {
            let proposal_type = ProposalType(u16::try_from(choices.number() & 0xFFFF).unwrap());
            Proposal::Custom(CustomProposal { proposal_type, body: Opaque::from(choices.bytes()) })
        }
    }
}

fn any_package(choices: &mut Choices<'_>) -> mls_engine::message::KeyPackage {
    let scene = scene();
    let mut package = scene.keys.key_package().clone();
    if choices.flag() {
        bend_leaf(&mut package.leaf_node, choices);
        package.extensions = any_extensions(choices);
        let suite = scene.frank.host.crypto.suite(SUITE).unwrap();
        let key = &scene.frank.signature_key;
        testkit::forge::insider::sign_leaf(suite.as_ref(), key, &mut package.leaf_node, (&[], LeafIndex::FIRST));
        let label = mls_engine::message::KeyPackage::SIGNATURE_LABEL;
        let signed = mls_crypto::label::sign_with_label(suite.as_ref(), key, label, &package.tbs().unwrap());
        package.signature = Opaque::new(signed.unwrap());
    }
    package
}

fn any_psk(choices: &mut Choices<'_>) -> PreSharedKeyId {
    let kind = match choices.of(3) {
        0 => PskKind::External(Opaque::from(&b"psk"[..])),
        1 => PskKind::External(Opaque::from(choices.bytes())),
        _ => PskKind::Resumption {
            usage: [ResumptionPskUsage::Application, ResumptionPskUsage::ReInit, ResumptionPskUsage::Branch]
                [choices.of(3)],
            psk_group_id: Opaque::from(&b"group"[..]),
            psk_epoch: u64::from(choices.number()),
        },
    };
    let nonce = if choices.flag() { choices.bytes().to_vec() } else { vec![9; 32] };
    PreSharedKeyId { kind, psk_nonce: Opaque::new(nonce) }
}

/// Extensions of types that matter, with any body.
pub(super) fn any_extensions(choices: &mut Choices<'_>) -> Extensions {
    let mut extensions = Extensions::new();
    for (kind, body) in choices.some(|choices| {
        let known = [
            EXTENSION,
            ExtensionType::REQUIRED_CAPABILITIES,
            ExtensionType::EXTERNAL_SENDERS,
            ExtensionType::EXTERNAL_PUB,
            ExtensionType::RATCHET_TREE,
            ExtensionType::APPLICATION_ID,
            ExtensionType(0xF043),
        ];
        (known[choices.of(known.len())], choices.bytes().to_vec())
    }) {
        extensions.set(kind, body);
    }
    extensions
}

/// Changes a leaf, which is then signed again.
pub(super) fn bend_leaf(leaf: &mut mls_engine::message::LeafNode, choices: &mut Choices<'_>) {
    match choices.of(8) {
        1 => leaf.extensions = any_extensions(choices),
        2 => leaf.credential = mls_engine::message::Credential::basic(choices.bytes()),
        3 => leaf.encryption_key = mls_crypto::HpkePublicKey::new(choices.bytes().to_vec()),
        4 => leaf.signature_key = mls_crypto::SignaturePublicKey::new(choices.bytes().to_vec()),
        5 => {
            let mut encoded = encode(leaf).unwrap();
            choices.bend(&mut encoded);
            if let Ok(bent) = mls_engine::codec::decode_exact(&encoded) {
                *leaf = bent;
            }
        }
        _ => {}
    }
}

fn any_sender(insider: &Insider, choices: &mut Choices<'_>) -> Sender {
    match choices.of(8) {
        5 => Sender::Member(LeafIndex::new(choices.number())),
        6 => Sender::External(choices.number()),
        7 => Sender::NewMemberProposal,
        _ => Sender::Member(insider.own),
    }
}

fn seeds() -> Vec<Vec<u8>> {
    let mut seeds: Vec<Vec<u8>> = vec![vec![0, 2]];
    seeds
        .extend((0..8).flat_map(|kind| [vec![kind], vec![kind, 1, 1, 1, 0, 1, 2, 3], vec![kind, 0, 0, 0, 0, 0, 0, 1]]));
    seeds
}
