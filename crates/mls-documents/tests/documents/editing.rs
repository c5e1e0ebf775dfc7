//! Topics, pins, and what comes late.

use mls_documents::{Author, DocumentError, Edit, GroupDocument, MAX_WAITING, is_document};
use mls_roles::{GroupPolicy, Role};

use crate::support::{PIN, TOPIC, free, make, topic, update};

#[test]
fn edits_travel_and_merge() {
    let (mut alice, mut bob) = (GroupDocument::new(), GroupDocument::new());
    let first = make(&mut alice, "alice", &topic("tea"));
    assert!(is_document(&first) && !is_document(b"hello"));
    bob = bob.receive(&free("alice"), &first).unwrap();
    assert_eq!((bob.topic().as_deref(), &bob), (Some("tea"), &alice));
    assert_eq!(bob.receive(&free("alice"), &first).unwrap(), bob, "known");
    assert_eq!(alice.edit(&free("alice"), &topic("tea")).unwrap(), None);
    // At the same time: both topics are in the history, and one is shown, the same to both.
    let (by_alice, by_bob) = (make(&mut alice, "alice", &topic("coffee")), make(&mut bob, "bob", &topic("milk")));
    alice = alice.receive(&free("bob"), &by_bob).unwrap();
    bob = bob.receive(&free("alice"), &by_alice).unwrap();
    assert_eq!((alice.topic(), alice.topics()), (bob.topic(), bob.topics()));
    let topics = alice.topics().unwrap();
    let mut told: Vec<(&[u8], &str)> = topics.iter().map(|one| (one.author.as_slice(), one.text.as_str())).collect();
    told[1..].sort_unstable();
    assert_eq!(told, [(&b"alice"[..], "tea"), (b"alice", "coffee"), (b"bob", "milk")]);
    assert_eq!(alice.topic().as_deref(), Some(topics[2].text.as_str()));
    make(&mut alice, "alice", &topic(""));
    assert_eq!((alice.topic(), alice.edits()), (None, 4));
}

#[test]
fn what_is_pinned_anew_meanwhile_stays() {
    let (mut alice, mut bob) = (GroupDocument::new(), GroupDocument::new());
    let pin = make(&mut alice, "alice", &Edit::Pin(vec![7]));
    bob = bob.receive(&free("alice"), &pin).unwrap();
    let unpin = make(&mut bob, "bob", &Edit::Unpin(vec![7]));
    assert!(bob.pins().is_empty());
    for edit in [Edit::Unpin(vec![7]), Edit::Pin(vec![7])] {
        let message = make(&mut alice, "alice", &edit);
        bob = bob.receive(&free("alice"), &message).unwrap();
    }
    alice = alice.receive(&free("bob"), &unpin).unwrap();
    assert_eq!((alice.pins(), bob.pins()), (vec![vec![7]], vec![vec![7]]));
    assert_eq!(alice, bob);
}

/// What says it is by somebody is by who sent it: nothing in an update names anybody.
#[test]
fn the_sender_is_the_author() {
    let message = make(&mut GroupDocument::new(), "alice", &topic("tea"));
    let received = GroupDocument::new().receive(&free("mallory"), &message).unwrap();
    assert_eq!(received.topics().unwrap()[0].author, b"mallory");
    // The same bytes by two are two edits, of which none takes the other's place.
    let both = received.receive(&free("alice"), &message).unwrap();
    assert_eq!(both.edits(), 2);
}

#[test]
fn roles_say_who_edits() {
    fn by<'a>(name: &'a str, policy: &'a GroupPolicy) -> Author<'a> {
        Author::new(name.as_bytes(), Some(policy))
    }
    let mut policy = GroupPolicy::new(b"alice");
    policy.set_role(b"bob", Role::Moderator);
    policy.set_role(b"carol", Role::Admin);
    let denied = Some(DocumentError::Denied);
    let some = {
        let mut document = GroupDocument::new();
        make(&mut document, "alice", &Edit::Pin(vec![9]));
        document
    };
    let people = [("alice", true, true), ("carol", true, true), ("bob", true, false), ("dave", false, false)];
    for (name, pins, topics) in people {
        let author = by(name, &policy);
        let edits = [(Edit::Pin(vec![1]), pins), (Edit::Unpin(vec![9]), pins), (topic("tea"), topics)];
        for (edit, allowed) in edits {
            assert_eq!(some.edit(&author, &edit).err(), denied.clone().filter(|_| !allowed), "{name}");
            // A client that does not care is refused by all others.
            let message = make(&mut some.clone(), name, &edit);
            assert_eq!(some.receive(&author, &message).err(), denied.clone().filter(|_| !allowed), "{name}");
            // And so if its turn has not come yet.
            let early = GroupDocument::new().receive(&author, &message);
            assert_eq!(early.err(), denied.clone().filter(|_| !allowed), "{name}");
        }
        let refused = denied.clone().filter(|_| !(pins && topics));
        assert_eq!(some.begin_anew(&author).err(), refused, "{name}");
        let anew = some.begin_anew(&free(name)).unwrap().message;
        assert_eq!(some.receive(&author, &anew).err(), refused, "{name}");
        let snapshot = some.snapshot().unwrap();
        assert_eq!(GroupDocument::new().receive(&author, &snapshot).err(), refused, "{name}");
    }
}

#[test]
fn what_is_early_waits() {
    let mut alice = GroupDocument::new();
    let messages: Vec<Vec<u8>> = (0..4).map(|n| make(&mut alice, "alice", &topic(&format!("topic {n}")))).collect();
    let mut late = GroupDocument::new();
    for message in messages[1..].iter().rev() {
        late = late.receive(&free("alice"), message).unwrap();
        assert!(late.lacks_edits() && late.topic().is_none());
    }
    // They wait through a restart.
    late = GroupDocument::load(&late.save().unwrap()).unwrap();
    late = late.receive(&free("alice"), &messages[0]).unwrap();
    assert!(!late.lacks_edits());
    assert_eq!((late.topic(), &late), (Some("topic 3".to_owned()), &alice));
}

/// A member who sends what builds on nothing that exists fills their own room, and later everybody's, and no more.
#[test]
fn so_much_waits_and_no_more() {
    let mut document = GroupDocument::new();
    let names: Vec<String> = (0..9).map(|n| format!("member {n}")).collect();
    for (place, name) in names.iter().enumerate() {
        for n in 0..MAX_WAITING {
            let message = update(0, &[[1; 32]], &[(PIN, &n.to_be_bytes())]);
            let received = document.receive(&free(name), &message);
            if place == 8 {
                assert_eq!(received, Err(DocumentError::MissingEdits), "all together");
            } else {
                document = received.unwrap();
            }
        }
        if place == 0 {
            let again = update(0, &[[1; 32]], &[(PIN, &0_usize.to_be_bytes())]);
            assert_eq!(document.receive(&free(name), &again), Ok(document.clone()), "it waits already");
            let more = update(0, &[[1; 32]], &[(TOPIC, b"tea")]);
            assert_eq!(document.receive(&free(name), &more), Err(DocumentError::MissingEdits), "of one author");
        }
    }
    // Everybody goes on editing.
    make(&mut document, "alice", &topic("tea"));
    assert_eq!(document.topic().as_deref(), Some("tea"));
}
