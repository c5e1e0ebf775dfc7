//! Epochs and exporters (RFC 9420, Sections 8 and 8.5).

use mls_engine::{
    codec::encode,
    error::{OperationError, ProcessError},
    group::{CommitOptions, RecordClass},
    message::GroupContext,
};
use testkit::network::Member;
use tls_codec::DeserializeBytes;

use crate::scene::{Scene, psk};

/// Moves a member to the last epoch there is, in its records.
fn to_the_last_epoch(member: &mut Member) {
    let rows = std::mem::take(&mut member.records.rows);
    for (mut key, mut value) in rows {
        if key.epoch == member.group.epoch() {
            key.epoch = u64::MAX;
        }
        if key.class == RecordClass::Header {
            let (context, rest) = GroupContext::tls_deserialize_bytes(&value[2..]).unwrap();
            let context = encode(&GroupContext { epoch: u64::MAX, ..context }).unwrap();
            value = [&value[..2], &context, rest].concat();
        }
        member.records.rows.insert(key, value);
    }
    member.reopen();
}

/// COM-09
#[test]
fn epoch_counter_at_its_end() {
    let mut scene = Scene::new();
    to_the_last_epoch(&mut scene.alice);
    to_the_last_epoch(&mut scene.mallory);
    assert_eq!(scene.alice.group.epoch(), u64::MAX);
    let insider = scene.insider();
    for forged in [insider.commit(vec![psk(1)]), insider.commit_with_path(vec![])] {
        crate::scene::refuses(&scene.alice, &insider.finish(&forged), ProcessError::EpochExhausted);
    }
    let expected = OperationError::Rule(ProcessError::EpochExhausted);
    assert_eq!(scene.alice.commit(CommitOptions::default()).unwrap_err(), expected);
    let message = scene.mallory.send(b"the last").unwrap();
    assert_eq!(scene.alice.open(&message).unwrap().0, b"the last");
}

/// KS-06
#[test]
fn exporter_label_that_is_reserved_or_empty() {
    let scene = Scene::new();
    for label in ["", "MLS 1.0 external init secret"] {
        let error = scene.alice.group.export_secret(label, b"", 32).unwrap_err();
        assert_eq!(error, OperationError::ReservedLabel);
    }
    assert_eq!(scene.alice.group.export_secret("app", b"", 32).unwrap().len(), 32);
}

/// CRY-10
#[test]
fn exporter_length_that_is_too_long() {
    let scene = Scene::new();
    assert_eq!(scene.alice.group.export_secret("app", b"", 255 * 32).unwrap().len(), 255 * 32);
    assert!(scene.alice.group.export_secret("app", b"", 255 * 32 + 1).is_err());
    assert!(scene.alice.group.export_secret("app", b"", 1 << 16).is_err());
}
