//! Decoding every structure that a peer can send (RFC 9420, Sections 2 and 6).

use mls_engine::{
    codec::{decode_exact, encode},
    group::{Group, KeyPackageSecrets, Observer},
    message::{
        AuthenticatedContent, Commit, Extensions, GroupContext, GroupInfo, GroupSecrets, KeyPackage, LeafNode,
        MlsMessage, Proposal, UpdatePath, Welcome,
    },
    tree::Node,
};
use tls_codec::{DeserializeBytes, Serialize};

use crate::{
    Target, Verdict,
    scene::{SUITE, scene},
};

pub(super) const TARGET: Target = Target {
    name: "message",
    oracle: "what decodes encodes to the same bytes; random bytes at a group's doors never panic",
    run,
    seeds,
};

/// The structures, by the first byte.
const KINDS: [fn(&[u8]) -> Verdict; 13] = [
    round_trip::<MlsMessage>,
    round_trip::<KeyPackage>,
    round_trip::<LeafNode>,
    round_trip::<GroupInfo>,
    round_trip::<Welcome>,
    round_trip::<Commit>,
    round_trip::<UpdatePath>,
    round_trip::<Proposal>,
    round_trip::<Extensions>,
    round_trip::<GroupContext>,
    round_trip::<AuthenticatedContent>,
    round_trip::<Vec<Option<Node>>>,
    round_trip::<GroupSecrets>,
];

fn run(bytes: &[u8]) -> Verdict {
    let Some((kind, bytes)) = bytes.split_first() else { return Verdict::Refused };
    if let Some(decode) = KINDS.get(usize::from(*kind)) {
        return decode(bytes);
    }
    let alice = &scene().alice;
    let env = alice.host.env();
    let _ = alice.group.process(&env, bytes);
    let _ = Observer::new(&env, bytes, None);
    let _ = KeyPackageSecrets::decode(bytes);
    Verdict::of(&Group::join(&scene().frank.host.env(), bytes, &[&scene().keys], None))
}

fn round_trip<T: DeserializeBytes + Serialize>(bytes: &[u8]) -> Verdict {
    let decoded = decode_exact::<T>(bytes);
    if let Ok(value) = &decoded {
        assert_eq!(encode(value).unwrap(), bytes);
    }
    Verdict::of(&decoded)
}

fn seeds() -> Vec<Vec<u8>> {
    let scene = scene();
    let (insider, env) = (scene.insider(), scene.alice.host.env());
    let proposal = Proposal::Remove(mls_engine::message::Remove { removed: mls_engine::math::LeafIndex::new(2) });
    let commit = insider.commit_with_path(vec![proposal.clone()]);
    let package = scene.keys.key_package();
    let parts: [(u8, Vec<u8>); 8] = [
        (0, insider.finish(&commit)),
        (1, encode(package).unwrap()),
        (2, encode(insider.leaf()).unwrap()),
        (6, encode(commit.path.as_ref().unwrap()).unwrap()),
        (7, encode(&proposal).unwrap()),
        (9, encode(insider.context()).unwrap()),
        (11, encode(&insider.tree().nodes()).unwrap()),
        (0, scene.alice.group.group_info(&env, true, true).unwrap()),
    ];
    assert_eq!(package.cipher_suite, SUITE);
    parts.into_iter().map(|(kind, bytes)| [&[kind][..], &bytes].concat()).collect()
}
