//! CAP-32, REQ-2, DEP-02: the key of a member is somewhere else.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU32, Ordering},
};

use spacepanda_core::core_mls::{
    AwsLc, Client, CryptoError, CryptoProvider, MlsError, OsRandom, TrustOnFirstUse,
    signer::{KeySigner, SignaturePublicKey, Signer},
    store::{MemoryStore, StateStore},
};

use crate::support::{config, dump};

/// A token that counts, and can be pulled out.
#[derive(Debug)]
struct Token {
    key: KeySigner,
    used: AtomicU32,
    away: AtomicBool,
    broken: AtomicBool,
}

impl Signer for Token {
    fn public_key(&self) -> &SignaturePublicKey {
        self.key.public_key()
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, CryptoError> {
        self.used.fetch_add(1, Ordering::SeqCst);
        if self.away.load(Ordering::SeqCst) {
            return Err(CryptoError::Signer);
        }
        let message = if self.broken.load(Ordering::SeqCst) { b"something else" } else { message };
        self.key.sign(message)
    }
}

/// A token, and the key in it.
fn token() -> (Arc<Token>, Vec<u8>) {
    let suite = AwsLc::default().suite(config().cipher_suite).unwrap();
    let (private, _) = suite.signature_generate(&OsRandom).unwrap();
    let secret = private.secret().as_slice().to_vec();
    let key = KeySigner::new(suite, private).unwrap();
    let (used, away, broken) = (AtomicU32::new(0), AtomicBool::new(false), AtomicBool::new(false));
    (Arc::new(Token { key, used, away, broken }), secret)
}

fn open(token: Option<&Arc<Token>>, store: &Arc<dyn StateStore>) -> Result<Client, MlsError> {
    let builder = Client::builder(b"alice", Arc::new(TrustOnFirstUse::new())).config(config());
    let builder = builder.store(Arc::clone(store));
    match token {
        Some(token) => builder.signer(Arc::<Token>::clone(token)).open(),
        None => builder.open(),
    }
}

fn bob() -> Client {
    Client::builder(b"bob", Arc::new(TrustOnFirstUse::new())).config(config()).open().unwrap()
}

#[test]
fn the_token_signs_and_the_store_has_no_key() {
    let store: Arc<dyn StateStore> = Arc::new(MemoryStore::new());
    let (token, secret) = token();
    let alice = open(Some(&token), &store).unwrap();
    assert_eq!(alice.signature_key(), token.public_key().as_slice());
    let (group, bob) = (alice.create_group(None).unwrap(), bob());
    group.propose_add(&bob.generate_key_package().unwrap(), b"bob").unwrap();
    let bobs = bob.join_group(&group.commit().unwrap().1[0]).unwrap();
    drop((group, alice));

    let alice = open(Some(&token), &store).unwrap();
    let before = token.used.load(Ordering::SeqCst);
    let hello = alice.send_message(&bobs.group_id(), b"hello").unwrap();
    assert_eq!(token.used.load(Ordering::SeqCst), before + 1);
    assert_eq!(bobs.receive_message(&hello).unwrap().plaintext, b"hello");
    alice.generate_key_package().unwrap();
    let holds = dump(store.as_ref()).iter().any(|(_, _, value)| value.windows(32).any(|window| window == secret));
    assert!(!holds);
}

#[test]
fn a_token_that_refuses_changes_nothing() {
    let store: Arc<dyn StateStore> = Arc::new(MemoryStore::new());
    let (token, _) = token();
    let alice = open(Some(&token), &store).unwrap();
    let (group, bob) = (alice.create_group(None).unwrap(), bob());
    let key_package = bob.generate_key_package().unwrap();
    let before = dump(store.as_ref());
    for (flag, error) in [(&token.away, CryptoError::Signer), (&token.broken, CryptoError::InvalidSignature)] {
        flag.store(true, Ordering::SeqCst);
        let refused = Some(MlsError::CryptoError(error));
        assert_eq!(group.propose_add(&key_package, b"bob").err(), refused);
        assert_eq!(group.rotate().err(), refused);
        assert_eq!(alice.generate_key_package().err(), refused);
        assert_eq!(alice.create_group(None).err(), refused);
        assert_eq!((dump(store.as_ref()), group.epoch()), (before.clone(), 0));
        flag.store(false, Ordering::SeqCst);
    }
    assert!(MlsError::CryptoError(CryptoError::Signer).retryable());
    group.propose_add(&key_package, b"bob").unwrap();
    group.commit().unwrap();
}

#[test]
fn a_store_goes_with_its_signer() {
    let store: Arc<dyn StateStore> = Arc::new(MemoryStore::new());
    let ((inside, _), (other, _)) = (token(), token());
    let alice = open(Some(&inside), &store).unwrap();
    // Its key is renewed where it is.
    assert_eq!(alice.rotate_identity(|_| Ok(None)).err(), Some(MlsError::InvalidConfig("signer")));
    drop(alice);
    assert_eq!(open(None, &store).err(), Some(MlsError::CryptoError(CryptoError::Signer)));
    assert_eq!(open(Some(&other), &store).err(), Some(MlsError::IdentityMismatch));
    let plain: Arc<dyn StateStore> = Arc::new(MemoryStore::new());
    open(None, &plain).unwrap();
    assert_eq!(open(Some(&inside), &plain).err(), Some(MlsError::IdentityMismatch));
}
