use super::{IdentityClaim, IdentityPolicy, PinnedIdentities, TrustOnFirstUse, reason};

const fn claim<'a>(identity: &'a [u8], signature_key: &'a [u8]) -> IdentityClaim<'a> {
    IdentityClaim::new(identity, signature_key, 0)
}

/// CRED-09
#[test]
fn pinned_refuses_what_it_does_not_know() {
    let pins = PinnedIdentities::new();
    assert_eq!(pins.validate(&claim(b"bob", b"key")), Err(reason::UNKNOWN_IDENTITY));
    pins.pin(b"bob", b"key");
    assert_eq!(pins.validate(&claim(b"bob", b"key")), Ok(()));
    assert_eq!(pins.validate(&claim(b"bob", b"other")), Err(reason::UNKNOWN_KEY));
    assert_eq!(pins.validate(&claim(b"alice", b"key")), Err(reason::UNKNOWN_IDENTITY));
    pins.unpin(b"bob", b"key");
    assert_eq!(pins.validate(&claim(b"bob", b"key")), Err(reason::UNKNOWN_IDENTITY));
}

#[test]
fn first_use_is_believed_and_the_second_is_not() {
    let policy = TrustOnFirstUse::new();
    assert_eq!(policy.validate(&claim(b"bob", b"first")), Ok(()));
    assert_eq!(policy.validate(&claim(b"bob", b"first")), Ok(()));
    assert_eq!(policy.validate(&claim(b"bob", b"second")), Err(reason::UNKNOWN_KEY));
    policy.pin(b"bob", b"second");
    assert_eq!(policy.validate(&claim(b"bob", b"second")), Ok(()));
    assert_eq!(policy.pins().len(), 2);
}
