//! Members with X.509 credentials, their keys in tokens.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, PKCS_ED25519, SanType, SigningKey as _};
use spacepanda_core::core_mls::{
    Client, CryptoError, MlsError, TrustOnFirstUse,
    policy::{X509Identities, reason},
    signer::{SignaturePublicKey, Signer},
};

use crate::support::config;

#[derive(Debug)]
struct Card(KeyPair, SignaturePublicKey);

impl Signer for Card {
    fn public_key(&self) -> &SignaturePublicKey {
        &self.1
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, CryptoError> {
        self.0.sign(message).map_err(|_| CryptoError::Signer)
    }
}

struct Authority {
    der: Vec<u8>,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate_for(&PKCS_ED25519).unwrap();
        let der = params.self_signed(&key).unwrap().der().to_vec();
        Self { der, issuer: Issuer::new(params, key) }
    }

    fn policy(&self) -> Arc<X509Identities> {
        Arc::new(X509Identities::new([self.der.as_slice()]).unwrap())
    }

    /// A member whom `believed` decides for, with a certificate of ours.
    fn member(&self, user: &str, believed: &Self) -> Client {
        let key = KeyPair::generate_for(&PKCS_ED25519).unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.subject_alt_names.push(SanType::URI(user.try_into().unwrap()));
        let der = params.signed_by(&key, &self.issuer).unwrap().der().to_vec();
        let public = SignaturePublicKey::new(key.public_key_raw().to_vec());
        let builder = Client::builder(user.as_bytes(), believed.policy()).config(config());
        builder.signer(Arc::new(Card(key, public))).certificate_chain([der]).open().unwrap()
    }
}

#[test]
fn members_are_who_their_certificates_say() {
    let authority = Authority::new();
    let alice = authority.member("mls:alice", &authority);
    let bob = authority.member("mls:bob", &authority);
    let group = alice.create_group(None).unwrap();
    let key_package = bob.generate_key_package().unwrap();
    assert_eq!(group.propose_add(&key_package, b"mls:carol").err(), Some(MlsError::IdentityMismatch));
    group.propose_add(&key_package, b"mls:bob").unwrap();
    let bobs = bob.join_group(&group.commit().unwrap().1[0]).unwrap();
    let names: Vec<_> = bobs.members().into_iter().map(|member| member.identity).collect();
    assert_eq!(names, [b"mls:alice".to_vec(), b"mls:bob".to_vec()]);
    let hello = bobs.send_message(b"hello").unwrap();
    assert_eq!(group.receive_message(&hello).unwrap().sender, b"mls:bob");
    group.receive_commit(&bobs.rotate().unwrap()).unwrap();

    let mallory = Authority::new().member("mls:bob", &authority);
    let refused = group.propose_add(&mallory.generate_key_package().unwrap(), b"mls:bob");
    assert_eq!(refused.err(), Some(MlsError::Unauthorized { reason: reason::CHAIN }));
}

/// CRED-16: who believes basic credentials only is in no group with others.
#[test]
fn another_type_of_credential_is_refused() {
    let authority = Authority::new();
    let alice = Client::builder(b"alice", Arc::new(TrustOnFirstUse::new())).config(config()).open().unwrap();
    let bob = authority.member("mls:bob", &authority).generate_key_package().unwrap();
    let refused = alice.create_group(None).unwrap().propose_add(&bob, b"mls:bob");
    assert_eq!(refused.err(), Some(MlsError::Unauthorized { reason: reason::CREDENTIAL_TYPE }));
}
