//! What every [`IdentityPolicy`] must do, as checks that a new implementation runs in its tests.
//!
//! In: a way to make policies that have met nobody, and people whom they believe. Out: nothing, or a panic that names what was
//! broken.
//! Always: checks know the contract only, not the implementation.
#![allow(clippy::panic, clippy::unwrap_used, reason = "tests")]

use mls_crypto::SignaturePublicKey;
use mls_engine::{
    message::{Credential, CredentialType, Extensions},
    policy::{CredentialClaim, CredentialRole},
};
use mls_identity::{IdentityClaim, IdentityPolicy, reason};

/// A key as somebody shows it.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_structs, reason = "made by tests")]
pub struct Shown {
    /// The credential.
    pub credential: Credential,
    /// The signature public key.
    pub signature_key: Vec<u8>,
    /// The extensions of the leaf.
    pub extensions: Extensions,
}

/// People, and a policy that believes them: at once, or because it meets them first.
pub trait People {
    /// A policy that has met nobody.
    fn policy(&self) -> Box<dyn IdentityPolicy>;

    /// A user's own device: one call, one user; the same call gives the same.
    fn device(&self, user: &str) -> Shown;

    /// Somebody else's device that says to be the user's.
    fn impostor(&self, user: &str) -> Shown;

    /// The time at which they are valid.
    fn now(&self) -> u64;
}

const ROLES: [CredentialRole; 2] = [CredentialRole::Joiner, CredentialRole::Member];

/// Every check; panics at the first that fails.
pub fn identity_conformance(people: &dyn People) {
    for (name, check) in CHECKS {
        println!("identity conformance: {name}");
        check(people);
    }
}

type Check = fn(&dyn People);

const CHECKS: [(&str, Check); 6] = [
    ("who is believed is believed again", believed_again),
    ("an impostor is refused, and changes nothing", impostor_refused),
    ("a key goes with its own credential", keys_are_not_exchanged),
    ("a successor is the same user", successors),
    ("a credential that names nobody is refused", nobody),
    ("senders from outside are not believed for a member's key alone", outsiders),
];

impl Shown {
    fn ask<T>(
        &self,
        role: CredentialRole,
        now: u64,
        ask: impl FnOnce(&IdentityClaim<'_>) -> Result<T, u16>,
    ) -> Result<T, u16> {
        let signature_key = SignaturePublicKey::new(self.signature_key.clone());
        let claim = CredentialClaim {
            credential: &self.credential,
            signature_key: &signature_key,
            extensions: (role != CredentialRole::ExternalSender).then_some(&self.extensions),
            role,
            group_id: Some(b"group"),
            now,
        };
        ask(&IdentityClaim::of(&claim)?)
    }

    fn validate(&self, policy: &dyn IdentityPolicy, role: CredentialRole, now: u64) -> Result<(), u16> {
        self.ask(role, now, |claim| policy.validate(claim))
    }
}

fn believed_again(people: &dyn People) {
    let policy = people.policy();
    let alice = people.device("alice");
    for role in ROLES.into_iter().chain(ROLES) {
        assert_eq!(alice.validate(policy.as_ref(), role, people.now()), Ok(()), "{role:?}");
        assert_eq!(policy.settle(), Ok(()));
    }
    assert!(policy.credential_types().contains(&alice.credential.credential_type()));
}

fn impostor_refused(people: &dyn People) {
    let policy = people.policy();
    let (alice, mallory) = (people.device("alice"), people.impostor("alice"));
    assert_eq!(alice.validate(policy.as_ref(), CredentialRole::Joiner, people.now()), Ok(()));
    for role in ROLES {
        assert!(mallory.validate(policy.as_ref(), role, people.now()).is_err(), "{role:?}");
        assert_eq!(policy.settle(), Ok(()));
        assert_eq!(alice.validate(policy.as_ref(), role, people.now()), Ok(()), "after an impostor, {role:?}");
    }
}

fn keys_are_not_exchanged(people: &dyn People) {
    let policy = people.policy();
    let (alice, bob) = (people.device("alice"), people.device("bob"));
    for one in [&alice, &bob] {
        assert_eq!(one.validate(policy.as_ref(), CredentialRole::Joiner, people.now()), Ok(()));
    }
    for role in ROLES {
        let swapped = Shown { signature_key: bob.signature_key.clone(), ..alice.clone() };
        assert!(swapped.validate(policy.as_ref(), role, people.now()).is_err(), "bob's key, {role:?}");
        let swapped = Shown { credential: bob.credential.clone(), ..alice.clone() };
        assert!(swapped.validate(policy.as_ref(), role, people.now()).is_err(), "bob's name, {role:?}");
    }
}

fn successors(people: &dyn People) {
    let policy = people.policy();
    let (alice, bob) = (people.device("alice"), people.device("bob"));
    let judge = |old: &Shown, new: &Shown| {
        old.ask(CredentialRole::Member, people.now(), |was| {
            new.ask(CredentialRole::Member, people.now(), |is| policy.validate_successor(was, is))
        })
    };
    assert_eq!(judge(&alice, &alice), Ok(()));
    assert_eq!(judge(&alice, &bob), Err(reason::OTHER_IDENTITY));
}

fn nobody(people: &dyn People) {
    let policy = people.policy();
    let kind = CredentialType(0xF0FF);
    let alice = people.device("alice");
    let shown = Shown { credential: Credential::Custom(kind, b"alice".as_slice().into()), ..alice };
    let refused = shown.validate(policy.as_ref(), CredentialRole::Joiner, people.now());
    assert_eq!(refused, Err(reason::CREDENTIAL_TYPE));
    assert!(!policy.credential_types().contains(&kind));
}

fn outsiders(people: &dyn People) {
    let policy = people.policy();
    let (alice, mallory) = (people.device("alice"), people.impostor("alice"));
    assert_eq!(alice.validate(policy.as_ref(), CredentialRole::Member, people.now()), Ok(()));
    assert!(mallory.validate(policy.as_ref(), CredentialRole::ExternalSender, people.now()).is_err());
}
