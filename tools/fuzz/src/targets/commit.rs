//! Commits that a member signs, tags and encrypts, whatever they do (RFC 9420, Section 12.4.2).

use mls_crypto::{Hash, HpkePublicKey, Opaque, Tag};
use mls_engine::{
    math::LeafIndex,
    message::{LeafNodeSource, Sender, UpdatePath},
};
use testkit::forge::insider::{ForgedCommit, Insider};

use super::proposal::{any_extensions, any_proposal, bend_leaf};
use crate::{
    Target, Verdict,
    choices::Choices,
    scene::{newcomer, scene},
};

pub(super) const TARGET: Target = Target {
    name: "commit",
    oracle: "two members who accept a commit are in one epoch after it, and can open it again from their records",
    run,
    seeds,
};

fn run(bytes: &[u8]) -> Verdict {
    let (scene, mut choices) = (scene(), Choices::new(bytes));
    let insider = scene.insider();
    let mut forged = begin(&insider, &mut choices);
    for _ in 0..choices.of(4) {
        edit(&insider, &mut forged, &mut choices);
    }
    let mut message = insider.finish(&forged);
    choices.bend(&mut message);
    scene.handshake(&message)
}

/// A commit of some proposals: by the member, with or without a path, or by somebody new.
fn begin(insider: &Insider, choices: &mut Choices<'_>) -> ForgedCommit {
    let proposals = choices.some(|choices| any_proposal(insider, choices));
    match choices.of(4) {
        1 => insider.commit(proposals),
        2 => insider.external(&newcomer("grace", 51), proposals),
        _ => insider.commit_with_path(proposals),
    }
}

fn edit(insider: &Insider, forged: &mut ForgedCommit, choices: &mut Choices<'_>) {
    match choices.of(8) {
        0 => forged.confirmation_tag = Tag::from_slice(choices.bytes()),
        1 => forged.sender = Sender::Member(LeafIndex::new(choices.number())),
        2 => forged.extensions = any_extensions(choices),
        3 if forged.path.is_some() => insider.edit_path(forged, |path| bend_path(path, choices)),
        4 if forged.path.is_some() => insider.remake_path(forged, |path| bend_path(path, choices)),
        5 if forged.path.is_some() => {
            for secret in &mut forged.path_secrets {
                choices.bend(secret);
            }
            insider.reseal_path(forged);
        }
        6 => forged.path = None,
        _ => {}
    }
}

fn bend_path(path: &mut UpdatePath, choices: &mut Choices<'_>) {
    let at = choices.of(path.nodes.len());
    match choices.of(8) {
        0 => bend_leaf(&mut path.leaf_node, choices),
        1 => path.nodes.truncate(at),
        2 => {
            if let Some(node) = path.nodes.get(at).cloned() {
                path.nodes.push(node);
            }
        }
        3 => path.leaf_node.source = LeafNodeSource::Commit(Hash::from_slice(choices.bytes()).unwrap_or(Hash::EMPTY)),
        4 => path.leaf_node.source = LeafNodeSource::Update,
        _ => {
            let Some(node) = path.nodes.get_mut(at) else { return };
            match choices.of(4) {
                0 => node.encryption_key = HpkePublicKey::new(choices.bytes().to_vec()),
                1 => node.encrypted_path_secret.truncate(choices.of(4)),
                2 => node.encrypted_path_secret.extend(node.encrypted_path_secret.clone()),
                _ => {
                    for sealed in &mut node.encrypted_path_secret {
                        sealed.ciphertext = Opaque::from(choices.bytes());
                    }
                }
            }
        }
    }
}

fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = vec![vec![0], vec![1, 0, 2], vec![0, 1], vec![0, 2]];
    seeds.extend((0..8).map(|kind| vec![1, kind, 0, 0, 0, 0, 0, 0]));
    seeds.extend((0..8).map(|kind| vec![0, 0, 1, kind, 0, 0, 0, 0]));
    seeds.extend((0..8).map(|kind| vec![0, 0, 1, 4, 0, kind, 0, 0]));
    seeds
}
