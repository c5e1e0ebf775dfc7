use super::Inbox;
use crate::core_mls::{MlsConfig, MlsEnvelope, MlsError};

/// A private application message of this epoch, with a body of `len` bytes; only its head is ever read here.
fn envelope(epoch: u64, tag: u8, len: u8) -> MlsEnvelope {
    let mut payload = vec![0, 1, 0, 2, 1, b'g'];
    payload.extend(epoch.to_be_bytes());
    payload.extend([1, 0, 0, len]);
    payload.extend(vec![tag; usize::from(len)]);
    MlsEnvelope::wrap_application(payload).unwrap()
}

fn pop(inbox: &mut Inbox, epoch: u64) -> Option<MlsEnvelope> {
    inbox.pop(epoch).map(|(_, envelope)| envelope)
}

/// CAP-24: a commit that overtook its proposal does not fail for it.
#[test]
fn commits_come_last() {
    let of_kind = |content_type| {
        let mut payload = envelope(1, 0, 1).payload().to_vec();
        payload[14] = content_type;
        payload
    };
    let commit = MlsEnvelope::wrap_commit(of_kind(3)).unwrap();
    let message = MlsEnvelope::wrap_application(of_kind(1)).unwrap();
    let proposal = MlsEnvelope::wrap_proposal(of_kind(2)).unwrap();
    let mut inbox = inbox(|_| {});
    for envelope in [&commit, &message, &proposal] {
        inbox.push(1, 0, envelope).unwrap();
    }
    assert_eq!(
        [pop(&mut inbox, 1), pop(&mut inbox, 1), pop(&mut inbox, 1)],
        [Some(proposal), Some(message), Some(commit)]
    );
}

fn inbox(change: impl Fn(&mut MlsConfig)) -> Inbox {
    let mut config = MlsConfig::default();
    change(&mut config);
    Inbox::new(&config)
}

#[test]
fn gives_back_what_is_due_in_the_order_it_came() {
    let mut inbox = inbox(|_| {});
    for (epoch, tag) in [(2, 1), (1, 2), (2, 3), (2, 3)] {
        inbox.push(epoch, 0, &envelope(epoch, tag, 1)).unwrap();
    }
    assert_eq!(pop(&mut inbox, 0), None);
    assert_eq!(pop(&mut inbox, 1), Some(envelope(1, 2, 1)));
    assert_eq!(pop(&mut inbox, 1), None);
    assert_eq!(pop(&mut inbox, 2), Some(envelope(2, 1, 1)));
    assert_eq!(pop(&mut inbox, 2), Some(envelope(2, 3, 1)));
    assert_eq!((pop(&mut inbox, 2), inbox.bytes), (None, 0));
}

#[test]
fn is_bounded_in_epochs_messages_and_bytes() {
    let far = inbox(|config| config.future_epochs = 2).push(3, 0, &envelope(3, 0, 1));
    assert_eq!(far, Err(MlsError::EpochMismatch { expected: 0, actual: 3 }));
    let mut few = inbox(|config| config.inbox_messages = 1);
    assert_eq!(few.push(1, 0, &envelope(1, 1, 1)), Ok(()));
    assert_eq!(few.push(1, 0, &envelope(1, 2, 1)), Err(MlsError::InboxFull));
    let mut small = inbox(|config| config.inbox_bytes = envelope(1, 1, 9).payload().len());
    assert_eq!(small.push(1, 0, &envelope(1, 1, 9)), Ok(()));
    assert_eq!(small.push(1, 0, &envelope(1, 2, 1)), Err(MlsError::InboxFull));
}
