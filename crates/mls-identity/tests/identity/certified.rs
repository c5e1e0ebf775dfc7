use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

use identity_conformance::{People, Shown, identity_conformance};
use mls_engine::message::{Credential, Extensions};

use mls_identity::{
    CertifiedDevices, ClaimRole, DeviceCertificate, DeviceClaim, IdentityClaim, IdentityError, IdentityPolicy,
    RevocationList, reason,
};

use crate::support::{claim, crypto, master};

/// Believes the first key of each identity.
#[derive(Debug, Default)]
struct First(Mutex<BTreeMap<Vec<u8>, Vec<u8>>>);

impl IdentityPolicy for First {
    fn validate(&self, claim: &IdentityClaim<'_>) -> Result<(), u16> {
        let mut seen = self.0.lock().unwrap();
        let first = seen.entry(claim.identity.to_vec()).or_insert_with(|| claim.signature_key.to_vec());
        if first == claim.signature_key { Ok(()) } else { Err(reason::UNKNOWN_KEY) }
    }
}

fn policy() -> CertifiedDevices {
    CertifiedDevices::new(crypto(), Arc::new(First::default()))
}

struct Owned {
    user: Vec<u8>,
    key: Vec<u8>,
    extensions: Extensions,
}

impl Owned {
    fn new(seed: u8, claim: &DeviceClaim<'_>) -> Self {
        let mut extensions = Extensions::new();
        DeviceCertificate::issue(master(seed).as_ref(), claim).unwrap().put(&mut extensions).unwrap();
        Self { user: claim.user.to_vec(), key: claim.signature_key.to_vec(), extensions }
    }

    fn claim(&self, role: ClaimRole, now: u64) -> IdentityClaim<'_> {
        IdentityClaim::new(&self.user, &self.key, now).with_role(role).with_extensions(&self.extensions)
    }
}

fn seed(user: &str) -> u8 {
    user.as_bytes()[0]
}

struct Certified;

impl Certified {
    fn shown(user: &str, key: u8, master: u8) -> Shown {
        let owned = Owned::new(master, &claim(user.as_bytes(), &[key; 32], 1));
        let credential = Credential::basic(user.as_bytes());
        Shown { credential, signature_key: owned.key, extensions: owned.extensions }
    }
}

impl People for Certified {
    fn policy(&self) -> Box<dyn IdentityPolicy> {
        Box::new(policy())
    }

    fn device(&self, user: &str) -> Shown {
        Self::shown(user, seed(user), seed(user))
    }

    fn impostor(&self, user: &str) -> Shown {
        Self::shown(user, 200, 201)
    }

    fn now(&self) -> u64 {
        150
    }
}

#[test]
fn conforms() {
    identity_conformance(&Certified);
}

/// CAP-27: a second device needs no second look: the master key vouches for it.
#[test]
fn all_devices_of_a_master_key_are_believed() {
    let policy = policy();
    let laptop = DeviceClaim { device: b"laptop", ..claim(b"alice", &[8; 32], 2) };
    for device in [Owned::new(1, &claim(b"alice", &[7; 32], 1)), Owned::new(1, &laptop)] {
        assert_eq!(policy.validate(&device.claim(ClaimRole::Joiner, 150)), Ok(()));
    }
    let bare = IdentityClaim::new(b"alice", &[7; 32], 150).with_role(ClaimRole::Joiner);
    assert_eq!(policy.validate(&bare), Err(reason::NO_CERTIFICATE));
    let other = Owned::new(2, &claim(b"alice", &[9; 32], 3));
    assert_eq!(policy.validate(&other.claim(ClaimRole::Joiner, 150)), Err(reason::UNKNOWN_KEY));
}

/// CRED-13: what ran out is no joiner any more, and no reason to leave.
#[test]
fn time_is_for_joiners() {
    let policy = policy();
    let alice = Owned::new(1, &claim(b"alice", &[7; 32], 1));
    for now in [99, 201] {
        assert_eq!(policy.validate(&alice.claim(ClaimRole::Joiner, now)), Err(reason::EXPIRED));
        assert_eq!(policy.validate(&alice.claim(ClaimRole::Member, now)), Ok(()));
    }
}

/// CRED-08
#[test]
fn a_successor_is_the_same_device_with_a_newer_certificate() {
    let policy = policy();
    let (old, new) = (Owned::new(1, &claim(b"alice", &[7; 32], 5)), Owned::new(1, &claim(b"alice", &[8; 32], 6)));
    let laptop = DeviceClaim { device: b"laptop", ..claim(b"alice", &[9; 32], 7) };
    let (laptop, bob) = (Owned::new(1, &laptop), Owned::new(1, &claim(b"bob", &[7; 32], 8)));
    let judge = |one: &Owned, next: &Owned| {
        policy.validate_successor(&one.claim(ClaimRole::Member, 150), &next.claim(ClaimRole::Member, 150))
    };
    assert_eq!(judge(&old, &old), Ok(()));
    assert_eq!(judge(&old, &new), Ok(()));
    assert_eq!(judge(&new, &old), Err(reason::NO_SUCCESSOR));
    assert_eq!(judge(&old, &laptop), Err(reason::NO_SUCCESSOR));
    assert_eq!(judge(&old, &bob), Err(reason::OTHER_IDENTITY));
}

#[test]
fn outsiders_have_a_policy_of_their_own() {
    let alice = Owned::new(1, &claim(b"alice", &[7; 32], 1));
    let refused = policy().validate(&alice.claim(ClaimRole::ExternalSender, 150));
    assert_eq!(refused, Err(reason::NO_CERTIFICATE));
    let policy = policy().with_external_senders(Arc::new(First::default()));
    assert_eq!(policy.validate(&alice.claim(ClaimRole::ExternalSender, 150)), Ok(()));
}

fn list(seed: u8, number: u64, serials: &[u64]) -> Vec<u8> {
    let serials = BTreeSet::from_iter(serials.iter().copied());
    RevocationList::issue(master(seed).as_ref(), b"alice", number, &serials).unwrap().to_bytes().unwrap()
}

#[test]
fn revoked_devices_are_refused_in_every_role() {
    let policy = policy();
    let (phone, laptop) = (Owned::new(1, &claim(b"alice", &[7; 32], 1)), Owned::new(1, &claim(b"alice", &[8; 32], 2)));
    // Somebody else's list says nothing about hers.
    policy.revoke(&list(2, 9, &[1])).unwrap();
    assert_eq!(policy.validate(&phone.claim(ClaimRole::Joiner, 150)), Ok(()));
    policy.revoke(&list(1, 1, &[1])).unwrap();
    for role in [ClaimRole::Joiner, ClaimRole::Member] {
        assert_eq!(policy.validate(&phone.claim(role, 150)), Err(reason::REVOKED));
        assert_eq!(policy.validate(&laptop.claim(role, 150)), Ok(()));
    }
    // As after a restart.
    let again = self::policy();
    for list in policy.revocation_lists() {
        again.revoke(&list).unwrap();
    }
    assert_eq!(again.validate(&phone.claim(ClaimRole::Joiner, 150)), Err(reason::REVOKED));
}

#[test]
fn lists_only_grow() {
    let policy = policy();
    policy.revoke(&list(1, 5, &[1, 3])).unwrap();
    let before = policy.revocation_lists();
    for stale in [list(1, 5, &[1, 3]), list(1, 4, &[1, 3, 4]), list(1, 6, &[3])] {
        assert_eq!(policy.revoke(&stale), Err(IdentityError::Stale));
    }
    let good = list(1, 6, &[1, 3, 4]);
    for place in 0..good.len() {
        let mut bent = good.clone();
        bent[place] ^= 1;
        let refused = policy.revoke(&bent);
        assert!(matches!(refused, Err(IdentityError::Malformed | IdentityError::BadSignature)), "byte {place}");
    }
    assert_eq!(policy.revocation_lists(), before);
    policy.revoke(&good).unwrap();
    assert_ne!(policy.revocation_lists(), before);
}
