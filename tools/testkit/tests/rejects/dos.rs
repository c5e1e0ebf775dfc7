//! Arbitrary bytes at every door: an error, never a panic, and nothing changes.

use std::sync::LazyLock;

use mls_engine::{
    codec::{decode_exact, encode},
    error::OperationError,
    group::{Group, KeyPackageSecrets, Observer, RecordClass},
    message::MlsMessage,
    tree::RatchetTree,
};
use proptest::prelude::{ProptestConfig, any, prop, proptest};
use testkit::network::{Member, NewMember, Records};

use crate::{
    scene::{SUITE, Scene, newcomer, psk, remove},
    welcome::Invitation,
};

/// Sound messages of every kind, to be bent.
struct Samples {
    alice: Member,
    frank: NewMember,
    keys: KeyPackageSecrets,
    handshakes: Vec<Vec<u8>>,
    welcome: Vec<u8>,
    group_info: Vec<u8>,
    tree: Vec<u8>,
    records: Records,
}

static SAMPLES: LazyLock<Samples> = LazyLock::new(|| {
    let Invitation { scene, frank, keys, welcome } = Invitation::new();
    let Scene { mut alice, mut mallory, mut carol, .. } = scene;
    let insider = testkit::forge::insider::Insider::of(&mallory);
    alice.open(&mallory.send(b"hello").unwrap()).unwrap();
    let handshakes = vec![
        insider.proposal(psk(1)).0,
        insider.finish(&insider.commit_with_path(vec![remove(crate::scene::CAROL)])),
        insider.finish(&insider.external(&newcomer("grace", 51, SUITE), vec![])),
        carol.send(b"hello").unwrap(),
    ];
    let welcome = welcome.seal(&frank.host);
    let group_info = alice.group.group_info(&alice.host.env(), true, true).unwrap();
    let tree = alice.group.ratchet_tree().unwrap();
    let (proposal, _) = carol
        .propose_with(mls_engine::group::ProposalKind::ExternalPsk(b"psk".to_vec()), crate::scene::public())
        .unwrap();
    alice.receive(&proposal).unwrap();
    alice.commit(mls_engine::group::CommitOptions::default()).unwrap();
    let records = alice.records.clone();
    Samples { alice, frank, keys, handshakes, welcome, group_info, tree, records }
});

/// Bends one byte, or cuts, or repeats.
fn bend(bytes: &[u8], (position, with, kind): (prop::sample::Index, u8, u8)) -> Vec<u8> {
    if bytes.is_empty() {
        return vec![with];
    }
    let at = position.index(bytes.len());
    let mut bent = bytes.to_vec();
    match kind % 4 {
        0 => bent[at] ^= with.max(1),
        1 => bent.truncate(at),
        2 => bent.insert(at, with),
        _ => {
            bent.remove(at);
        }
    }
    bent
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    /// X-DOS-01, DEC-25: random bytes.
    #[test]
    fn random_bytes(bytes in prop::collection::vec(any::<u8>(), 0..400), wire_format in 0u8..7) {
        let samples = &*SAMPLES;
        let env = samples.alice.host.env();
        let suite = env.crypto.suite(SUITE).unwrap();
        let headed = [&[0, 1, 0, wire_format][..], &bytes].concat();
        for bytes in [&bytes, &headed] {
            if let Ok(message) = decode_exact::<MlsMessage>(bytes) {
                assert_eq!(&encode(&message).unwrap(), bytes);
            }
            assert!(samples.alice.group.process(&env, bytes).is_err());
            assert!(Group::join(&env, bytes, &[&samples.keys], None).is_err());
            assert!(Observer::new(&env, bytes, None).is_err());
            let _ = RatchetTree::decode(suite.as_ref(), bytes);
            assert!(KeyPackageSecrets::decode(bytes).is_err());
        }
    }

    /// X-AUTH-04, DEC-25: one change to a sound message is always noticed.
    #[test]
    fn bent_handshakes(which in 0usize..4, change in any::<(prop::sample::Index, u8, u8)>()) {
        let samples = &*SAMPLES;
        let bent = bend(&samples.handshakes[which], change);
        if let Ok(message) = decode_exact::<MlsMessage>(&bent) {
            assert_eq!(encode(&message).unwrap(), bent);
        }
        if bent != samples.handshakes[which] {
            assert!(samples.alice.group.process(&samples.alice.host.env(), &bent).is_err());
        }
    }

    /// WEL-22: one change to a Welcome or a GroupInfo is always noticed.
    #[test]
    fn bent_invitations(change in any::<(prop::sample::Index, u8, u8)>()) {
        let samples = &*SAMPLES;
        let env = samples.frank.host.env();
        let bent = bend(&samples.welcome, change);
        assert!(bent == samples.welcome || Group::join(&env, &bent, &[&samples.keys], None).is_err());
        let bent = bend(&samples.group_info, change);
        assert!(bent == samples.group_info || Observer::new(&env, &bent, None).is_err());
        let suite = env.crypto.suite(SUITE).unwrap();
        let bent = bend(&samples.tree, change);
        if let Ok(tree) = RatchetTree::decode(suite.as_ref(), &bent) {
            assert_eq!(tree.encode().unwrap(), bent);
        }
    }

    /// X-STATE-05: a record that is not what was written: refused, or at least no panic, then and later.
    #[test]
    fn bent_records(row in any::<prop::sample::Index>(), change in any::<(prop::sample::Index, u8, u8)>()) {
        let samples = &*SAMPLES;
        let mut records = samples.records.clone();
        let key = records.rows.keys().nth(row.index(records.rows.len())).unwrap().clone();
        let bent = bend(&records.rows[&key], change);
        records.rows.insert(key, bent);
        let env = samples.alice.host.env();
        if let Ok(group) = Group::load(&env, &records) {
            for handshake in &samples.handshakes {
                let _ = group.process(&env, handshake);
            }
            let _ = group.commit(&env, mls_engine::group::CommitOptions::default());
            let _ = group.group_info(&env, true, true);
        }
    }
}

/// X-STATE-05: a record that is gone.
#[test]
fn missing_records() {
    let samples = &*SAMPLES;
    let env = samples.alice.host.env();
    assert!(Group::load(&env, &samples.records).is_ok());
    for class in [RecordClass::Header, RecordClass::Epoch] {
        let mut records = samples.records.clone();
        records.rows.retain(|key, _| key.class != class);
        assert_eq!(Group::load(&env, &records).map(|_| ()).unwrap_err(), OperationError::InvalidRecord, "{class:?}");
    }
    for (key, _) in samples.records.rows.iter().filter(|(key, _)| key.class == RecordClass::Node) {
        let mut records = samples.records.clone();
        records.rows.remove(key);
        assert_eq!(Group::load(&env, &records).map(|_| ()).unwrap_err(), OperationError::InvalidRecord);
    }
    assert_eq!(Group::load(&env, &Records::default()).map(|_| ()).unwrap_err(), OperationError::InvalidRecord);
}

/// X-STATE-05: each record cut short or made longer.
#[test]
fn records_of_a_wrong_length() {
    let samples = &*SAMPLES;
    let env = samples.alice.host.env();
    for (key, value) in &samples.records.rows {
        for other in [value[..value.len() - 1].to_vec(), [&value[..], &[0]].concat(), Vec::new()] {
            let mut records = samples.records.clone();
            records.rows.insert(key.clone(), other);
            let loaded = Group::load(&env, &records);
            assert!(loaded.is_err(), "{:?}", key.class);
        }
    }
}
