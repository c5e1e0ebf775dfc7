//! A service that validates holds everybody to the group's own table (CAP-28).
#![allow(clippy::unwrap_used, reason = "tests")]

use mls_crypto::CipherSuite;
use mls_delivery::rules::StructurePolicy;
use mls_engine::{
    error::{ProcessError, Refusal},
    group::{
        CommitOptions, CreateParams, Framing, Group, KeyPackageParams, KeyPackageSecrets, MessageOptions, Observer,
        ProposalKind,
    },
    math::LeafIndex,
    message::{Certificate, Credential, Extensions},
    policy::Env,
};
use mls_roles::{Denied, GROUP_POLICY, GroupPolicy, Right};
use rcgen::{CertificateParams, KeyPair, SanType};
use testkit::network::{Host, Member, NewMember, Records};

const SUITE: CipherSuite = CipherSuite::X25519_AES128;

fn newcomer(name: &str, seed: u64) -> NewMember {
    let mut client = NewMember::new(name, seed, SUITE);
    client.extensions.push(GROUP_POLICY);
    client
}

fn in_public() -> MessageOptions {
    MessageOptions { framing: Framing::Public, ..MessageOptions::default() }
}

/// An owner and a member, who asks nobody what it may.
fn pair() -> [Member; 2] {
    let mut extensions = Extensions::new();
    GroupPolicy::new(b"owner").put(&mut extensions).unwrap();
    let mut owner = newcomer("owner", 1).create_with(b"group", extensions).unwrap();
    let member = newcomer("member", 2);
    let keys = member.key_package();
    let (_, welcome) = owner.commit_by_value(vec![ProposalKind::Add(keys.message().unwrap())]).unwrap();
    let member = member.join(&welcome.unwrap(), &keys, None).unwrap();
    [owner, member]
}

#[test]
fn the_table_is_the_services_too() {
    let [mut owner, mut member] = pair();
    let host = Host::new(9);
    let policy = StructurePolicy;
    let env = Env { policy: &policy, ..host.env() };
    let info = owner.group.group_info(&owner.host.env(), true, false).unwrap();
    let service = Observer::new(&env, &info, None).unwrap();
    let remove = ProposalKind::Remove(LeafIndex::FIRST);
    let denied = |right| ProcessError::from(Refusal::from(Denied::Right(right)));
    let (proposal, reference) = member.propose_with(remove.clone(), in_public()).unwrap();
    assert_eq!(service.process(&env, &proposal).err(), Some(denied(Right::Remove)));
    let without = [reference].into();
    let options = CommitOptions { by_value: vec![remove], without, message: in_public(), ..CommitOptions::default() };
    let (_, commit, _) = member.commit(options).unwrap();
    assert_eq!(service.process(&env, &commit).err(), Some(denied(Right::Remove)));
    let (_, commit, _) = owner.commit(CommitOptions { message: in_public(), ..CommitOptions::default() }).unwrap();
    assert!(service.process(&env, &commit).is_ok());
}

/// A credential with a certificate that names this user. The service asks nobody who issued it.
fn certified(user: &str) -> Credential {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.subject_alt_names.push(SanType::URI(user.try_into().unwrap()));
    let certificate = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
    Credential::X509(vec![Certificate { cert_data: certificate.der().to_vec().into() }])
}

/// An owner and a member, both with X.509 credentials.
fn certified_pair() -> [Member; 2] {
    let (client, joiner) = (newcomer("owner", 1), newcomer("member", 2));
    let mut extensions = Extensions::new();
    GroupPolicy::new(b"mls:owner").put(&mut extensions).unwrap();
    let params = CreateParams {
        group_id: b"group".to_vec(),
        cipher_suite: SUITE,
        credential: certified("mls:owner"),
        signature_key: &client.signature_key,
        capabilities: client.capabilities(),
        lifetime: client.lifetime(),
        leaf_extensions: Extensions::new(),
        extensions,
    };
    let created = Group::create(&client.host.env(), params).unwrap();
    let mut records = Records::default();
    records.apply(&created.changes);
    let NewMember { name, host, .. } = client;
    let mut owner = Member { name, host, group: created.group, records };
    let params = KeyPackageParams {
        cipher_suite: SUITE,
        credential: certified("mls:member"),
        signature_key: &joiner.signature_key,
        capabilities: joiner.capabilities(),
        lifetime: joiner.lifetime(),
        leaf_extensions: Extensions::new(),
        extensions: Extensions::new(),
        last_resort: false,
    };
    let keys = KeyPackageSecrets::generate(&joiner.host.env(), params).unwrap();
    let (_, welcome) = owner.commit_by_value(vec![ProposalKind::Add(keys.message().unwrap())]).unwrap();
    let member = joiner.join(&welcome.unwrap(), &keys, None).unwrap();
    [owner, member]
}

/// The user of an X.509 credential is the name in it, at the service as at the members.
#[test]
fn users_with_certificates_have_their_roles() {
    let [mut owner, mut member] = certified_pair();
    let host = Host::new(9);
    let policy = StructurePolicy;
    let env = Env { policy: &policy, ..host.env() };
    let info = owner.group.group_info(&owner.host.env(), true, false).unwrap();
    let service = Observer::new(&env, &info, None).unwrap();
    let (proposal, reference) = member.propose_with(ProposalKind::Remove(LeafIndex::FIRST), in_public()).unwrap();
    let denied = ProcessError::from(Refusal::from(Denied::Right(Right::Remove)));
    assert_eq!(service.process(&env, &proposal).err(), Some(denied));
    let options = CommitOptions { without: [reference].into(), message: in_public(), ..CommitOptions::default() };
    let (_, commit, _) = member.commit(options).unwrap();
    assert!(service.process(&env, &commit).is_ok());
    let by_value = vec![ProposalKind::Remove(member.group.own_index())];
    let (_, commit, _) = owner.commit(CommitOptions { by_value, message: in_public(), ..Default::default() }).unwrap();
    assert!(service.process(&env, &commit).is_ok());
}
