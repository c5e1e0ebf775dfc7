//! Welcomes and GroupInfos that a member signs and seals, with any tree inside (RFC 9420, Section 12.4.3).

use mls_crypto::{Opaque, Tag};
use mls_engine::{
    codec::{decode_exact, encode},
    group::{ExternalJoinParams, Group},
    math::LeafIndex,
    message::{Extensions, PreSharedKeyId, PskKind},
};
use testkit::{forge::insider::ForgedWelcome, network::Host};

use super::proposal::any_extensions;
use crate::{
    Target, Verdict,
    choices::Choices,
    scene::{FRANK, MALLORY, scene},
};

pub(super) const TARGET: Target = Target {
    name: "welcome",
    oracle: "a joiner has the tree that its group context names, and a group that opens again from its records",
    run,
    seeds,
};

fn run(bytes: &[u8]) -> Verdict {
    let (scene, mut choices) = (scene(), Choices::new(bytes));
    let insider = scene.insider();
    let package = scene.keys.key_package();
    let (tree, index) = insider.tree().with_added(insider.suite.as_ref(), package.leaf_node.clone()).unwrap();
    assert_eq!(index, FRANK);
    let signer = (MALLORY, &insider.signature_key);
    let mut forged = ForgedWelcome::new((insider.context(), &tree), signer, package);
    let external = choices.flag();
    for _ in 0..choices.of(5) {
        edit(&mut forged, &mut choices);
    }
    if external {
        return external_join(&forged.group_info_message(&insider.host));
    }
    let mut message = forged.seal(&insider.host);
    choices.bend(&mut message);
    let joined = Group::join(&scene.frank.host.env(), &message, &[&scene.keys], None);
    if let Ok(joined) = &joined {
        holds(&joined.group);
    }
    Verdict::of(&joined)
}

fn external_join(group_info: &[u8]) -> Verdict {
    let frank = &scene().frank;
    let params = ExternalJoinParams {
        credential: Host::credential("frank"),
        signature_key: &frank.signature_key,
        capabilities: frank.capabilities(),
        leaf_extensions: Extensions::new(),
        remove: None,
        psks: Vec::new(),
        authenticated_data: Vec::new(),
    };
    let joined = Group::join_external(&frank.host.env(), group_info, None, params);
    if let Ok(joined) = &joined {
        holds(&joined.group);
    }
    Verdict::of(&joined)
}

fn holds(group: &Group) {
    let public = group.public();
    assert_eq!(public.tree().tree_hash(), public.context().tree_hash);
    assert!(public.tree().leaf(group.own_index()).is_some());
}

fn edit(forged: &mut ForgedWelcome, choices: &mut Choices<'_>) {
    let at = choices.of(forged.nodes.len());
    match choices.of(12) {
        0 => forged.nodes[at] = None,
        1 => forged.nodes.truncate(at + 1),
        2 => forged.nodes.swap(at, 0),
        3 => {
            let copy = forged.nodes[at].clone();
            forged.nodes.push(copy);
        }
        4 => {
            let mut encoded = encode(&forged.nodes[at]).unwrap();
            choices.bend(&mut encoded);
            if let Ok(node) = decode_exact(&encoded) {
                forged.nodes[at] = node;
            }
        }
        5 => forged.extensions = any_extensions(choices),
        6 => forged.context.extensions = any_extensions(choices),
        7 => forged.signer = LeafIndex::new(choices.number()),
        8 => forged.path_secret = Some(choices.bytes().to_vec()),
        9 => {
            let kind = PskKind::External(Opaque::from(&b"psk"[..]));
            forged.psks.push((PreSharedKeyId { kind, psk_nonce: Opaque::new(vec![1; 32]) }, b"psk".to_vec()));
        }
        10 => forged.confirmation_tag = Tag::from_slice(choices.bytes()),
        _ => forged.entries = choices.of(4),
    }
}

fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = vec![vec![0], vec![1]];
    seeds.extend((0..12).flat_map(|kind| [vec![0, 1, 2, kind, 1, 2, 3], vec![1, 1, 2, kind, 1, 2, 3]]));
    seeds
}
