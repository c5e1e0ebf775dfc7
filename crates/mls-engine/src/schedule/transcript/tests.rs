use mls_crypto::{Hash, Opaque, Tag};

use super::{confirmation_tag, confirmed_transcript_hash, interim_transcript_hash};
use crate::{
    math::LeafIndex,
    message::{AuthenticatedContent, Commit, Content, FramedContent, FramedContentAuthData, Sender, WireFormat},
    schedule::{
        ConfirmationKey,
        testing::{Counting, secret},
    },
};

fn commit() -> AuthenticatedContent {
    AuthenticatedContent {
        wire_format: WireFormat::PUBLIC_MESSAGE,
        content: FramedContent {
            group_id: Opaque::new(vec![1]),
            epoch: 2,
            sender: Sender::Member(LeafIndex::new(3)),
            authenticated_data: Opaque::new(vec![4]),
            content: Content::Commit(Commit { proposals: vec![], path: None }),
        },
        auth: FramedContentAuthData { signature: Opaque::new(vec![5]), confirmation_tag: Tag::from_slice(&[6; 32]) },
    }
}

/// KS-04
#[test]
fn confirmed_hash_covers_all_but_the_tag() {
    let suite = Counting::new();
    let hash =
        |interim: &Hash, commit: &AuthenticatedContent| confirmed_transcript_hash(&suite, interim, commit).unwrap();
    let reference = hash(&Hash::EMPTY, &commit());
    assert_ne!(hash(&reference, &commit()), reference);
    let mut changed = commit();
    changed.wire_format = WireFormat::PRIVATE_MESSAGE;
    assert_ne!(hash(&Hash::EMPTY, &changed), reference);
    let mut changed = commit();
    changed.content.epoch = 3;
    assert_ne!(hash(&Hash::EMPTY, &changed), reference);
    let mut changed = commit();
    changed.auth.signature = Opaque::new(vec![6]);
    assert_ne!(hash(&Hash::EMPTY, &changed), reference);
    let mut changed = commit();
    changed.auth.confirmation_tag = None;
    assert_eq!(hash(&Hash::EMPTY, &changed), reference);
}

/// KS-04, KS-05
#[test]
fn interim_hash_covers_the_confirmed_hash_and_the_tag() {
    let suite = Counting::new();
    let tag = confirmation_tag(&suite, &ConfirmationKey::from_secret(secret(1)), &Hash::EMPTY);
    let other = confirmation_tag(&suite, &ConfirmationKey::from_secret(secret(2)), &Hash::EMPTY);
    assert!(!tag.ct_eq(&other));
    let interim = interim_transcript_hash(&suite, &Hash::EMPTY, &tag).unwrap();
    assert_eq!(interim.as_slice().len(), 32);
    assert_ne!(interim_transcript_hash(&suite, &Hash::EMPTY, &other).unwrap(), interim);
    assert_ne!(interim_transcript_hash(&suite, &interim, &tag).unwrap(), interim);
}
