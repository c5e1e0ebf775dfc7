use std::{collections::BTreeMap, sync::Mutex};

use identity_conformance::{People, Shown, identity_conformance};
use mls_engine::message::{Certificate, Credential, Extensions};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256,
    PKCS_ED25519, SanType, date_time_ymd,
};

use mls_identity::{ClaimRole, IdentityClaim, IdentityError, IdentityPolicy, X509Identities, reason, user_of};

/// Bytes of one certificate, at most.
const CERTIFICATE_MAX: usize = 16_384;

/// 2030-01-01.
const NOW: u64 = 1_893_456_000;
const ALICE: &str = "mls:alice@example.org";

fn params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = date_time_ymd(2026, 1, 1);
    params.not_after = date_time_ymd(2036, 1, 1);
    params
}

fn authority(name: &str) -> CertificateParams {
    let mut params = params(name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    params
}

fn person(user: &str) -> CertificateParams {
    let mut params = params("a device");
    params.subject_alt_names.push(SanType::URI(user.try_into().unwrap()));
    params
}

fn key() -> KeyPair {
    KeyPair::generate_for(&PKCS_ED25519).unwrap()
}

/// A root, an authority below it, and another one below that.
struct World {
    root: Vec<u8>,
    upper: Vec<u8>,
    lower: Vec<u8>,
    issuer: Issuer<'static, KeyPair>,
}

impl World {
    fn new() -> Self {
        Self::with(authority("upper"), authority("lower"))
    }

    fn with(upper: CertificateParams, lower: CertificateParams) -> Self {
        let (root_key, upper_key, lower_key) = (key(), key(), key());
        let root = authority("root").self_signed(&root_key).unwrap().der().to_vec();
        let issuer = Issuer::new(authority("root"), root_key);
        let upper_der = upper.signed_by(&upper_key, &issuer).unwrap().der().to_vec();
        let issuer = Issuer::new(upper, upper_key);
        let lower_der = lower.signed_by(&lower_key, &issuer).unwrap().der().to_vec();
        Self { root, upper: upper_der, lower: lower_der, issuer: Issuer::new(lower, lower_key) }
    }

    fn policy(&self) -> X509Identities {
        X509Identities::new([self.root.as_slice()]).unwrap()
    }

    fn issue(&self, params: &CertificateParams, key: &KeyPair) -> Vec<u8> {
        params.signed_by(key, &self.issuer).unwrap().der().to_vec()
    }
}

fn credential(chain: &[&[u8]]) -> Credential {
    Credential::X509(chain.iter().map(|der| Certificate { cert_data: (*der).into() }).collect())
}

fn ask(policy: &X509Identities, chain: &[&[u8]], key: &[u8], (role, now): (ClaimRole, u64)) -> Result<(), u16> {
    let credential = credential(chain);
    let identity = user_of(&credential).unwrap_or(b"nobody").to_vec();
    policy.validate(&IdentityClaim::new(&identity, key, now).with_role(role).with_credential(&credential))
}

const JOINING: (ClaimRole, u64) = (ClaimRole::Joiner, NOW);

#[test]
fn a_chain_up_to_a_root_is_believed() {
    let (world, alice) = (World::new(), key());
    let (policy, leaf) = (world.policy(), world.issue(&person(ALICE), &alice));
    let public = alice.public_key_raw();
    assert_eq!(ask(&policy, &[&leaf, &world.lower, &world.upper], public, JOINING), Ok(()));
    // The root may be there, and need not.
    assert_eq!(ask(&policy, &[&leaf, &world.lower, &world.upper, &world.root], public, JOINING), Ok(()));
    assert_eq!(user_of(&credential(&[&leaf])), Some(ALICE.as_bytes()));
    let other = World::new();
    assert_eq!(ask(&other.policy(), &[&leaf, &world.lower, &world.upper], public, JOINING), Err(reason::CHAIN));
}

#[test]
fn keys_on_nist_curves_are_compared_as_well() {
    let (world, alice) = (World::new(), KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap());
    let leaf = world.issue(&person(ALICE), &alice);
    let chain = [leaf.as_slice(), &world.lower, &world.upper];
    assert_eq!(ask(&world.policy(), &chain, alice.public_key_raw(), JOINING), Ok(()));
    let other = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
    assert_eq!(ask(&world.policy(), &chain, other.public_key_raw(), JOINING), Err(reason::UNKNOWN_KEY));
}

/// CRED-10
#[test]
fn the_certificate_is_for_the_key_of_the_leaf() {
    let (world, alice) = (World::new(), key());
    let leaf = world.issue(&person(ALICE), &alice);
    let chain = [leaf.as_slice(), &world.lower, &world.upper];
    for other in [key().public_key_raw(), &alice.public_key_raw()[1..], b""] {
        assert_eq!(ask(&world.policy(), &chain, other, JOINING), Err(reason::UNKNOWN_KEY));
    }
}

/// CRED-11
#[test]
fn each_certificate_certifies_the_one_before() {
    let (world, alice) = (World::new(), key());
    let leaf = world.issue(&person(ALICE), &alice);
    let (leaf, lower, upper, root) = (leaf.as_slice(), &world.lower[..], &world.upper[..], &world.root[..]);
    let beside = World::new();
    let broken: [&[&[u8]]; 8] = [
        &[leaf],
        &[leaf, lower],
        &[leaf, upper, lower],
        &[leaf, upper],
        &[leaf, lower, root, upper],
        &[leaf, lower, lower, upper],
        &[leaf, lower, upper, &beside.root],
        &[leaf, lower, upper, &beside.upper],
    ];
    for (number, chain) in broken.into_iter().enumerate() {
        let refused = ask(&world.policy(), chain, alice.public_key_raw(), JOINING);
        assert_eq!(refused, Err(reason::CHAIN), "chain {number}");
    }
    // What is first is the end entity.
    let refused = ask(&world.policy(), &[lower, upper], alice.public_key_raw(), JOINING);
    assert!(refused.is_err());
}

/// CRED-11: basic constraints.
#[test]
fn only_authorities_issue() {
    let constrained = |len| IsCa::Ca(BasicConstraints::Constrained(len));
    let mut no_authority = authority("lower");
    no_authority.is_ca = IsCa::ExplicitNoCa;
    let mut unsaid = authority("lower");
    unsaid.is_ca = IsCa::NoCa;
    let mut short = authority("upper");
    short.is_ca = constrained(0);
    let mut enough = authority("upper");
    enough.is_ca = constrained(1);
    let cases = [
        (authority("upper"), no_authority, Err(reason::CHAIN)),
        (authority("upper"), unsaid, Err(reason::CHAIN)),
        (short, authority("lower"), Err(reason::CHAIN)),
        (enough, authority("lower"), Ok(())),
    ];
    let alice = key();
    for (number, (upper, lower, verdict)) in cases.into_iter().enumerate() {
        let world = World::with(upper, lower);
        let leaf = world.issue(&person(ALICE), &alice);
        let chain = [leaf.as_slice(), &world.lower, &world.upper];
        assert_eq!(ask(&world.policy(), &chain, alice.public_key_raw(), JOINING), verdict, "case {number}");
    }
    // An authority is nobody's device.
    let world = World::new();
    let mut both = authority("both");
    both.subject_alt_names.push(SanType::URI(ALICE.try_into().unwrap()));
    let leaf = world.issue(&both, &alice);
    let chain = [leaf.as_slice(), &world.lower, &world.upper];
    assert_eq!(ask(&world.policy(), &chain, alice.public_key_raw(), JOINING), Err(reason::CHAIN));
}

/// CRED-13: who ran out is not added, and is no reason to stay away.
#[test]
fn time_is_for_joiners() {
    let mut soon = authority("upper");
    soon.not_after = date_time_ymd(2028, 1, 1);
    let (worlds, alice) = ([World::new(), World::with(soon, authority("lower"))], key());
    let mut short = person(ALICE);
    short.not_after = date_time_ymd(2029, 1, 1);
    for world in &worlds {
        let leaf = world.issue(&short, &alice);
        let chain = [leaf.as_slice(), &world.lower, &world.upper];
        let (policy, public) = (world.policy(), alice.public_key_raw());
        assert_eq!(ask(&policy, &chain, public, JOINING), Err(reason::EXPIRED));
        assert_eq!(ask(&policy, &chain, public, (ClaimRole::Member, NOW)), Ok(()));
        assert_eq!(ask(&policy, &chain, public, (ClaimRole::Joiner, 1)), Err(reason::EXPIRED));
        assert_eq!(ask(&policy, &chain, public, (ClaimRole::Member, 1)), Err(reason::EXPIRED));
        // Not of these roots, in its time neither.
        let refused = ask(&World::new().policy(), &chain, public, (ClaimRole::Member, NOW));
        assert_eq!(refused, Err(reason::CHAIN));
    }
}

/// X-DOS-09
#[test]
fn long_chains_and_large_certificates_are_not_looked_at() {
    let (world, alice) = (World::new(), key());
    let leaf = world.issue(&person(ALICE), &alice);
    let mut chain = vec![leaf.as_slice(), &world.lower, &world.upper];
    chain.extend([world.root.as_slice(); 4]);
    assert_eq!(ask(&world.policy(), &chain, alice.public_key_raw(), JOINING), Err(reason::CHAIN));
    let mut large = person(ALICE);
    large
        .subject_alt_names
        .push(SanType::URI(format!("x:{}", "y".repeat(CERTIFICATE_MAX)).as_str().try_into().unwrap()));
    let leaf = world.issue(&large, &alice);
    let chain = [leaf.as_slice(), &world.lower, &world.upper];
    assert_eq!(ask(&world.policy(), &chain, alice.public_key_raw(), JOINING), Err(reason::CHAIN));
}

#[test]
fn a_certificate_without_a_name_names_nobody() {
    let (world, alice) = (World::new(), key());
    let leaf = world.issue(&params("alice"), &alice);
    assert_eq!(user_of(&credential(&[&leaf])), None);
    let dns = CertificateParams::new(["alice.example.org".to_owned()]).unwrap();
    assert_eq!(user_of(&credential(&[&world.issue(&dns, &alice)])), Some(&b"alice.example.org"[..]));
    assert_eq!(user_of(&credential(&[b"no certificate"])), None);
    assert_eq!(user_of(&credential(&[])), None);
    let claim = IdentityClaim::new(b"alice", alice.public_key_raw(), NOW);
    let credential = credential(&[&world.issue(&person(ALICE), &alice), &world.lower, &world.upper]);
    let claim = claim.with_credential(&credential);
    assert_eq!(world.policy().validate(&claim), Err(reason::OTHER_IDENTITY));
    let basic = Credential::basic(b"alice");
    let claim = claim.with_credential(&basic);
    assert_eq!(world.policy().validate(&claim), Err(reason::CREDENTIAL_TYPE));
}

#[test]
fn roots_are_certificates() {
    assert_eq!(X509Identities::new([]).err(), Some(IdentityError::Invalid));
    assert_eq!(X509Identities::new([&b"no certificate"[..]]).err(), Some(IdentityError::Malformed));
}

struct Certified {
    world: World,
    devices: Mutex<BTreeMap<String, Shown>>,
}

impl Certified {
    fn issue(world: &World, user: &str) -> Shown {
        let key = key();
        let leaf = world.issue(&person(user), &key);
        let credential = credential(&[&leaf, &world.lower, &world.upper]);
        Shown { credential, signature_key: key.public_key_raw().to_vec(), extensions: Extensions::new() }
    }
}

impl People for Certified {
    fn policy(&self) -> Box<dyn IdentityPolicy> {
        Box::new(self.world.policy())
    }

    fn device(&self, user: &str) -> Shown {
        let mut devices = self.devices.lock().unwrap();
        devices.entry(user.to_owned()).or_insert_with(|| Self::issue(&self.world, user)).clone()
    }

    fn impostor(&self, user: &str) -> Shown {
        Self::issue(&World::new(), user)
    }

    fn now(&self) -> u64 {
        NOW
    }
}

#[test]
fn conforms() {
    identity_conformance(&Certified { world: World::new(), devices: Mutex::default() });
}
