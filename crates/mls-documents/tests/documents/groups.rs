//! Documents in groups.

use std::sync::Arc;

use mls_documents::{Author, DocumentError, Edit, GroupDocument};
use spacepanda_core::core_mls::{Client, TrustOnFirstUse, roles::GroupPolicy};

use crate::support::topic;

/// SURF-D: the sender of the message is the author, and the group's roles decide.
#[test]
fn documents_travel_in_application_messages() {
    let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new())).unwrap();
    let bob = Client::new(b"bob", Arc::new(TrustOnFirstUse::new())).unwrap();
    let tea = alice.create_group_with_policy(Some("tea"), &GroupPolicy::new(b"alice")).unwrap();
    tea.propose_add(&bob.generate_key_package().unwrap(), b"bob").unwrap();
    let (_, welcomes) = tea.commit().unwrap();
    let at_bob = bob.join_group(&welcomes[0]).unwrap();
    let policy = tea.policy().unwrap();
    let author = Author::new(b"alice", policy.as_ref());
    let edited = GroupDocument::new().edit(&author, &topic("five o'clock")).unwrap().unwrap();
    let received = at_bob.receive_message(&tea.send_message(&edited.message).unwrap()).unwrap();
    let policy = at_bob.policy().unwrap();
    let sender = Author::new(&received.sender, policy.as_ref());
    let document = GroupDocument::new().receive(&sender, &received.plaintext).unwrap();
    assert_eq!((&document, document.topics().unwrap()[0].author.as_slice()), (&edited.document, &b"alice"[..]));
    // Bob is a member, and no moderator: neither his own client nor Alice's lets him.
    let own = Author::new(b"bob", policy.as_ref());
    assert_eq!(document.edit(&own, &Edit::Pin(vec![1])), Err(DocumentError::Denied));
    let forced = document.edit(&Author::new(b"bob", None), &Edit::Pin(vec![1])).unwrap().unwrap();
    let received = tea.receive_message(&at_bob.send_message(&forced.message).unwrap()).unwrap();
    let policy = tea.policy().unwrap();
    let sender = Author::new(&received.sender, policy.as_ref());
    assert_eq!(edited.document.receive(&sender, &received.plaintext), Err(DocumentError::Denied));
}
