use std::sync::Arc;

use spacepanda_core::core_mls::{Client, MlsConfig, MlsEnvelope, MlsError, MlsHandle, TrustOnFirstUse};

use super::Trial;
use crate::demo::delivery::Parcel;

fn client(name: &str) -> Client {
    let builder = Client::builder(name.as_bytes(), Arc::new(TrustOnFirstUse::new()));
    builder.config(MlsConfig::interop()).open().unwrap()
}

fn pair() -> (MlsHandle, MlsHandle) {
    let (alice, bob) = (client("alice"), client("bob"));
    let group = alice.create_group(None).unwrap();
    group.propose_add(&bob.generate_key_package().unwrap(), b"bob").unwrap();
    let (_, welcomes) = group.commit().unwrap();
    (group, bob.join_group(&welcomes[0]).unwrap())
}

fn try_all(group: &MlsHandle, envelopes: Vec<MlsEnvelope>) -> Result<(u64, u64), MlsError> {
    let mut trial = Trial::default();
    for (position, envelope) in (1..).zip(envelopes) {
        trial.take(group, &Parcel { position, envelope: Arc::new(envelope) });
    }
    trial.conclude(group)
}

#[test]
fn a_removed_member_reads_nothing() {
    let (alice, bob) = pair();
    let removal = alice.propose_remove_identity(b"bob").unwrap().remove(0);
    let commit = alice.commit().unwrap().0;
    let (message, rotation) = (alice.send_message(b"gone?").unwrap(), alice.rotate().unwrap());
    // The message twice: before and after the removal is processed.
    assert_eq!(try_all(&bob, vec![removal, commit, message, rotation]), Ok((4, 0)));
}

/// What would be seen if a removal left the member in: it reads with its old keys, follows, and keeps its epoch.
#[test]
fn a_member_that_can_still_read_is_found_out() {
    let (alice, bob) = pair();
    let message = alice.send_message(b"still here").unwrap();
    let rotation = alice.rotate().unwrap();
    let (attempts, successes) = try_all(&bob, vec![rotation, message]).unwrap();
    assert_eq!((attempts, successes), (4, 3));
}

#[test]
fn without_a_removal_there_is_no_verdict() {
    let (alice, bob) = pair();
    assert!(try_all(&bob, vec![alice.send_message(b"hello").unwrap()]).is_err());
}
