//! Whom a stored identity believes, and keys in files.

use std::{collections::BTreeSet, sync::Arc};

use identity_conformance::{People, Shown, identity_conformance};
use mls_crypto::{CipherSuite, CryptoProvider, Secret, SignaturePrivateKey, Signer, SuiteCrypto};
use mls_crypto_aws_lc::AwsLc;
use mls_engine::message::{Credential, Extensions};
use mls_identity::{
    DeviceCertificate, DeviceClaim, IdentityClaim, IdentityCrypto, IdentityPolicy, RevocationList, Validity, reason,
};
use spacepanda_core::core_mls::store::{FileKey, MemoryStore, StateStore, StoreError};
use spacepanda_host::{Identity, KeyFile, KeyFileError, StoredIdentity};

use crate::{Folders, sqlite};

pub(crate) fn stored(name: &str, store: Arc<dyn StateStore>) -> StoredIdentity {
    StoredIdentity::open(name.as_bytes(), store, IdentityCrypto::new(&AwsLc::default()).unwrap()).unwrap()
}

fn private(seed: u8) -> SignaturePrivateKey {
    SignaturePrivateKey::new(Secret::copy_from(&[seed; 32]))
}

/// A device's key, and what a master key says about it, if one does.
fn device(user: &str, key: u8, master: Option<u8>) -> Shown {
    let (signature_key, mut extensions) = (vec![key; 32], Extensions::new());
    if let Some(master) = master {
        let crypto = IdentityCrypto::new(&AwsLc::default()).unwrap();
        let validity = Validity { not_before: 0, not_after: u64::MAX };
        let (user, serial) = (user.as_bytes(), key.into());
        let claim = DeviceClaim { user, device: &[key], signature_key: &signature_key, serial, validity };
        let master = crypto.master_signer(private(master)).unwrap();
        DeviceCertificate::issue(&master, &claim).unwrap().put(&mut extensions).unwrap();
    }
    Shown { credential: Credential::basic(user.as_bytes()), signature_key, extensions }
}

fn believes(policy: &dyn IdentityPolicy, user: &str, shown: &Shown) -> Result<(), u16> {
    let claim = IdentityClaim::new(user.as_bytes(), &shown.signature_key, 100);
    let believed = policy.validate(&claim.with_extensions(&shown.extensions));
    policy.settle().unwrap();
    believed
}

#[derive(Debug)]
struct Shared(Arc<dyn IdentityPolicy>);

impl IdentityPolicy for Shared {
    fn validate(&self, claim: &IdentityClaim<'_>) -> Result<(), u16> {
        self.0.validate(claim)
    }

    fn validate_successor(&self, old: &IdentityClaim<'_>, new: &IdentityClaim<'_>) -> Result<(), u16> {
        self.0.validate_successor(old, new)
    }

    fn settle(&self) -> Result<(), u16> {
        self.0.settle()
    }
}

/// People with master keys, or without; impostors with another one, or without.
struct Met {
    certified: bool,
    impostors_certified: bool,
}

impl People for Met {
    fn policy(&self) -> Box<dyn IdentityPolicy> {
        Box::new(Shared(stored("host", Arc::new(MemoryStore::new())).policy()))
    }

    fn device(&self, user: &str) -> Shown {
        let seed = user.as_bytes()[0];
        device(user, seed, self.certified.then_some(seed))
    }

    fn impostor(&self, user: &str) -> Shown {
        device(user, 7, self.impostors_certified.then_some(8))
    }

    fn now(&self) -> u64 {
        100
    }
}

#[test]
fn stored_identities_are_policies() {
    for (certified, impostors_certified) in [(true, true), (true, false), (false, true), (false, false)] {
        identity_conformance(&Met { certified, impostors_certified });
    }
}

/// SURF-C: one master key is believed with all its devices, and none without it; what is revoked stays so after a restart.
#[test]
fn who_has_a_master_key_is_known_by_it() {
    let folders = Folders::new("masters");
    let store = sqlite(&folders);
    let identity = stored("alice", store.clone());
    let policy = identity.policy();
    let (phone, laptop) = (device("bob", 1, Some(10)), device("bob", 2, Some(10)));
    assert_eq!(believes(policy.as_ref(), "bob", &phone), Ok(()));
    assert_eq!(believes(policy.as_ref(), "bob", &laptop), Ok(()));
    assert_eq!(believes(policy.as_ref(), "bob", &device("bob", 3, None)), Err(reason::UNKNOWN_KEY));
    assert_eq!(believes(policy.as_ref(), "bob", &device("bob", 3, Some(11))), Err(reason::UNKNOWN_KEY));
    // A device gives its certificate up for nothing.
    let name = IdentityClaim::new(b"bob", &phone.signature_key, 100);
    let bare = Extensions::new();
    let (was, is) = (name.with_extensions(&phone.extensions), name.with_extensions(&bare));
    assert_eq!(policy.validate_successor(&was, &is), Err(reason::NO_CERTIFICATE));
    let crypto = IdentityCrypto::new(&AwsLc::default()).unwrap();
    let master = crypto.master_signer(private(10)).unwrap();
    let list = RevocationList::issue(&master, b"bob", 1, &BTreeSet::from([1])).unwrap().to_bytes().unwrap();
    identity.revoke(&list).unwrap();
    for policy in [policy, stored("alice", store).policy()] {
        assert_eq!(believes(policy.as_ref(), "bob", &phone), Err(reason::REVOKED));
        assert_eq!(believes(policy.as_ref(), "bob", &laptop), Ok(()));
    }
}

fn suite() -> Arc<dyn SuiteCrypto> {
    AwsLc::default().suite(CipherSuite::X25519_CHACHA20).unwrap()
}

fn file_key(seed: u8) -> FileKey {
    FileKey::raw_key(Secret::copy_from(&[seed; 32])).unwrap()
}

#[test]
fn key_files_sign() {
    let folders = Folders::new("keys");
    let path = folders.next().join("master.key");
    let made = KeyFile::create(&path, &file_key(1), suite(), private(5)).unwrap();
    let provider: Arc<dyn CryptoProvider> = Arc::new(AwsLc::default());
    let open = || -> Arc<dyn Signer> { Arc::new(KeyFile::open(&path, &file_key(1), suite()).unwrap()) };
    crypto_conformance::signer(&provider, suite().as_ref(), &open);
    assert_eq!(open().public_key(), made.public_key());
    // It certifies devices as a key in memory does.
    let validity = Validity { not_before: 0, not_after: 1 };
    let claim = DeviceClaim { user: b"bob", device: b"phone", signature_key: &[1; 32], serial: 1, validity };
    let certificate = DeviceCertificate::issue(open().as_ref(), &claim).unwrap();
    assert_eq!(&certificate.master_key(), made.public_key());
}

#[test]
fn key_files_are_sealed_and_stay() {
    let folders = Folders::new("sealed-keys");
    let path = folders.next().join("master.key");
    KeyFile::create(&path, &file_key(1), suite(), private(5)).unwrap();
    let before = std::fs::read(&path).unwrap();
    assert!(!before.windows(32).any(|window| window == [5; 32]));
    let refused = KeyFile::create(&path, &file_key(1), suite(), private(6)).unwrap_err();
    assert_eq!(refused, KeyFileError::Exists);
    let wrong = KeyFile::open(&path, &file_key(2), suite()).unwrap_err();
    assert_eq!(wrong, KeyFileError::Store(StoreError::WrongKey));
    assert_eq!(std::fs::read(&path).unwrap(), before);
    // No key, and no passphrase to speak of: no file comes.
    let other = folders.next().join("other.key");
    let short = SignaturePrivateKey::new(Secret::copy_from(&[5; 31]));
    assert!(matches!(KeyFile::create(&other, &file_key(1), suite(), short), Err(KeyFileError::Crypto(_))));
    let weak = KeyFile::create(&other, &FileKey::passphrase("short".to_owned()), suite(), private(5)).unwrap_err();
    assert!(matches!(weak, KeyFileError::Store(StoreError::WeakPassphrase { .. })));
    assert!(!other.exists());
    // A file of another kind.
    let saved = file_key(1).seal(spacepanda_core::core_mls::store::FileKind(9), &Secret::copy_from(&[5; 32])).unwrap();
    std::fs::write(&other, saved).unwrap();
    let kind = KeyFile::open(&other, &file_key(1), suite()).unwrap_err();
    assert_eq!(kind, KeyFileError::Store(StoreError::NotASealedFile));
}
