//! The policies of this crate do what every policy does.

use std::sync::Arc;

use identity_conformance::{People, Shown, identity_conformance};
use mls_engine::message::{Credential, Extensions};
use spacepanda_core::core_mls::{
    IdentityPolicy, PinnedIdentities, StoredTrustOnFirstUse, TrustOnFirstUse, store::MemoryStore,
};

/// Makes policies that know Alice and Bob, or will.
struct Keys(fn() -> Box<dyn IdentityPolicy>);

fn key(user: &str) -> Vec<u8> {
    vec![user.as_bytes()[0]; 32]
}

impl People for Keys {
    fn policy(&self) -> Box<dyn IdentityPolicy> {
        (self.0)()
    }

    fn device(&self, user: &str) -> Shown {
        let credential = Credential::basic(user.as_bytes());
        Shown { credential, signature_key: key(user), extensions: Extensions::new() }
    }

    fn impostor(&self, user: &str) -> Shown {
        Shown { signature_key: vec![7; 32], ..self.device(user) }
    }

    fn now(&self) -> u64 {
        1
    }
}

#[test]
fn pinned_identities_conform() {
    identity_conformance(&Keys(|| {
        let pins = PinnedIdentities::new();
        for user in ["alice", "bob"] {
            pins.pin(user.as_bytes(), &key(user));
        }
        Box::new(pins)
    }));
}

#[test]
fn trust_on_first_use_conforms() {
    identity_conformance(&Keys(|| Box::new(TrustOnFirstUse::new())));
    identity_conformance(&Keys(|| Box::new(StoredTrustOnFirstUse::open(Arc::new(MemoryStore::new())).unwrap())));
}
