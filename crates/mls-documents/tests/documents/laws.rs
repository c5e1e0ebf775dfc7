//! Merging is commutative, associative and idempotent, and no bytes do harm.

use mls_documents::{Edit, GroupDocument};
use proptest::{collection::vec, prelude::*};

use crate::support::{PIN, TOPIC, UNPIN, free, make, topic, update};

const NAMES: [&str; 3] = ["alice", "bob", "carol"];

/// What a member does: edits, or begins the document anew.
fn acts() -> impl Strategy<Value = Vec<(usize, Option<Edit>, bool)>> {
    let edit = prop_oneof![
        4 => (0..3_u8).prop_map(|id| Some(Edit::Pin(vec![id]))),
        4 => (0..3_u8).prop_map(|id| Some(Edit::Unpin(vec![id]))),
        4 => (0..4_u8).prop_map(|n| Some(Edit::SetTopic(format!("topic {n}")))),
        1 => Just(None),
    ];
    vec((0..NAMES.len(), edit, any::<bool>()), 1..14)
}

/// Every message, in this order. One of a document that was begun anew since is refused, and so known to be of no use.
fn deliver(document: GroupDocument, messages: &[(usize, Vec<u8>)]) -> GroupDocument {
    messages
        .iter()
        .fold(document, |document, (by, message)| document.receive(&free(NAMES[*by]), message).unwrap_or(document))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    /// Three members edit, and hear of each other now and then; in whatever order and however often the rest comes, all end with
    /// the same, and nothing is left waiting.
    #[test]
    fn any_order_comes_to_the_same(acts in acts(), order in vec(any::<prop::sample::Index>(), 28)) {
        let mut copies = [GroupDocument::new(), GroupDocument::new(), GroupDocument::new()];
        let mut sent: Vec<(usize, Vec<u8>)> = Vec::new();
        for (by, edit, hear) in acts {
            if hear {
                copies[by] = deliver(copies[by].clone(), &sent);
            }
            let edited = match edit {
                Some(edit) => copies[by].edit(&free(NAMES[by]), &edit).unwrap(),
                None => Some(copies[by].begin_anew(&free(NAMES[by])).unwrap()),
            };
            if let Some(edited) = edited {
                copies[by] = edited.document;
                sent.push((by, edited.message));
            }
        }
        // Another order, in which some come twice, and all at least once.
        let mut shuffled = sent.clone();
        for at in &order {
            if !shuffled.is_empty() {
                let moved = shuffled.remove(at.index(shuffled.len()));
                shuffled.push(moved);
            }
        }
        let again: Vec<_> = shuffled.iter().step_by(2).cloned().collect();
        let first = deliver(GroupDocument::new(), &sent);
        for copy in copies.into_iter().chain([GroupDocument::new()]) {
            let document = deliver(deliver(copy, &shuffled), &again);
            prop_assert_eq!(&document, &first);
            prop_assert!(!document.lacks_edits());
            prop_assert_eq!((document.topic(), document.topics(), document.pins()), (first.topic(), first.topics(), first.pins()));
            let kept = GroupDocument::load(&document.save().unwrap()).unwrap();
            prop_assert_eq!(&kept, &first);
            // A snapshot makes the same of a member who has nothing.
            let late = GroupDocument::new().receive(&free("alice"), &document.snapshot().unwrap()).unwrap();
            prop_assert_eq!((&late, late.topic(), late.topics(), late.pins()), (&first, first.topic(), first.topics(), first.pins()));
        }
    }

    /// A member who breaks rules is taken or refused by all alike, in whatever order it comes.
    #[test]
    fn a_member_without_rules_divides_nobody(
        lies in vec((any::<prop::sample::Index>(), any::<bool>(), 0..3_u8, 0..2_u8), 1..8),
        order in vec(any::<prop::sample::Index>(), 16),
    ) {
        // The hashes of real edits, as another member has them, and one of none.
        let mut alice = GroupDocument::new();
        let mut sent = Vec::new();
        let mut hashes: Vec<[u8; 32]> = vec![[7; 32]];
        for n in 0..3 {
            sent.push((0, make(&mut alice, "alice", &topic(&format!("topic {n}")))));
            let next = alice.edit(&free("alice"), &Edit::Pin(vec![b'0'])).unwrap().unwrap();
            hashes.push(next.message[16..48].try_into().unwrap());
        }
        for (at, roots, what, id) in lies {
            let builds_on = if roots { vec![] } else { vec![hashes[at.index(hashes.len())]] };
            let what = [TOPIC, PIN, UNPIN][usize::from(what)];
            sent.push((2, update(0, &builds_on, &[(what, &[b'0' + id])])));
        }
        let mut shuffled = sent.clone();
        for at in &order {
            let moved = shuffled.remove(at.index(shuffled.len()));
            shuffled.push(moved);
        }
        let (one, other) = (deliver(GroupDocument::new(), &sent), deliver(GroupDocument::new(), &shuffled));
        prop_assert_eq!((&one, one.topic(), one.pins()), (&other, other.topic(), other.pins()));
    }

    /// No bytes of a peer do any harm.
    #[test]
    fn changed_bytes_do_no_harm(at in any::<prop::sample::Index>(), with in 1..=255_u8, tail in vec(any::<u8>(), 0..64)) {
        let mut alice = GroupDocument::new();
        let first = make(&mut alice, "alice", &topic("tea"));
        let known = GroupDocument::new().receive(&free("alice"), &first).unwrap();
        let second = make(&mut alice, "alice", &topic("milk"));
        let mut changed = second.clone();
        let at = at.index(changed.len());
        changed[at] ^= with;
        let after = known.receive(&free("alice"), &changed).unwrap_or_else(|_| known.clone());
        let after = after.receive(&free("bob"), &[&second[..7], &tail[..]].concat()).unwrap_or(after);
        let snapshot = [b"SPDOC\x01\x02".as_slice(), &tail[..]].concat();
        let after = after.receive(&free("bob"), &snapshot).unwrap_or(after);
        // Whatever was made of them, edits go on.
        if let Ok(after) = after.receive(&free("alice"), &second) {
            prop_assert!(after.topics().unwrap().iter().any(|topic| topic.text == "tea"));
        }
    }
}
