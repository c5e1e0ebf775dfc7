//! A group with one user of every role, each with two devices, as honest members and as cheats.

use mls_crypto::{CipherSuite, SignaturePrivateKey};
use mls_engine::{
    group::{Group, ProposalKind},
    message::{Credential, ExtensionType, Extensions, ExternalSender, ProtocolVersion, ReInit},
    policy::{CommitClaim, ProposalClaim},
};
use mls_roles::{GROUP_POLICY, GroupPolicy, Role, Users, authorize_commit, authorize_message, authorize_proposal};
use testkit::network::{Host, Judge, Member, NewMember, Records, SeededRandom};

pub(crate) const SUITE: CipherSuite = CipherSuite::X25519_AES128;

/// Users by role. Their second devices are so many leaves further.
pub(crate) const NAMES: [&str; 5] = ["observer", "member", "moderator", "admin", "owner"];
pub(crate) const USERS: u32 = 5;

/// The name of the group, as these tests have it.
pub(crate) const METADATA: ExtensionType = ExtensionType(0xF0B1);

/// A pre-shared key that everybody has.
pub(crate) const PSK: &[u8] = b"psk";

pub(crate) const USERS_OF: Users = Users { of: Credential::identity, metadata: &[METADATA] };

/// Somebody who asks.
pub(crate) fn honest() -> Judge {
    Judge {
        proposal: |claim: &ProposalClaim<'_>| Ok(authorize_proposal(&USERS_OF, claim)?),
        commit: |claim: &CommitClaim<'_>| Ok(authorize_commit(&USERS_OF, claim)?),
        message: |context, sender| Ok(authorize_message(&USERS_OF, context, sender)?),
    }
}

/// A client that knows the extensions of this group, and asks nobody.
pub(crate) fn newcomer(name: &str) -> NewMember {
    let seed = name.bytes().fold(7, |seed: u64, byte| seed.wrapping_mul(31).wrapping_add(u64::from(byte)));
    let mut client = NewMember::new(name, seed, SUITE);
    client.extensions.extend([METADATA, GROUP_POLICY]);
    client.host.psks.insert(PSK.to_vec(), vec![7; 32]);
    client
}

/// The same with keys of its own.
pub(crate) fn device(name: &str, number: u64) -> NewMember {
    let mut client = newcomer(name);
    client.host.random = SeededRandom::new(number);
    let suite = client.host.crypto.suite(SUITE).unwrap();
    (client.signature_key, _) = suite.signature_generate(&client.host.random).unwrap();
    client
}

pub(crate) struct Scene {
    members: Vec<(String, Records)>,
    extensions: Extensions,
}

impl Scene {
    pub(crate) fn new() -> Self {
        Self::with(|_| {})
    }

    pub(crate) fn with(change: impl FnOnce(&mut GroupPolicy)) -> Self {
        Self::build(Extensions::new(), change)
    }

    /// With an external sender.
    pub(crate) fn with_service(service: &NewMember, change: impl FnOnce(&mut GroupPolicy)) -> Self {
        let key: &SignaturePrivateKey = &service.signature_key;
        let signature_key = service.host.crypto.suite(SUITE).unwrap().signature_public_key(key).unwrap();
        let sender = ExternalSender { signature_key, credential: Credential::basic(service.name.as_bytes()) };
        let mut extensions = Extensions::new();
        extensions.set_body(ExtensionType::EXTERNAL_SENDERS, &vec![sender]).unwrap();
        Self::build(extensions, change)
    }

    fn build(mut extensions: Extensions, change: impl FnOnce(&mut GroupPolicy)) -> Self {
        let mut policy = GroupPolicy::new(b"owner");
        for (name, role) in NAMES.iter().zip(Role::ALL) {
            policy.set_role(name.as_bytes(), role);
        }
        policy.set_role(b"ghost", Role::Admin);
        change(&mut policy);
        extensions.set(METADATA, b"name".to_vec());
        policy.put(&mut extensions).unwrap();
        // Leaves in the order of the roles, then once more.
        let mut first = newcomer(NAMES[0]).create_with(b"group", extensions).unwrap();
        let others = NAMES[1..].iter().chain(&NAMES).zip(100_u64..);
        let others: Vec<_> = others.map(|(name, number)| device(name, number)).collect();
        let keys: Vec<_> = others.iter().map(NewMember::key_package).collect();
        let adds = keys.iter().map(|keys| ProposalKind::Add(keys.message().unwrap())).collect();
        let (_, welcome) = first.commit_by_value(adds).unwrap();
        let welcome = welcome.unwrap();
        let joined = others.into_iter().zip(&keys).map(|(client, keys)| client.join(&welcome, keys, None).unwrap());
        let members: Vec<_> =
            std::iter::once(first).chain(joined).map(|member| (member.name, member.records)).collect();
        let extensions = Self::context(&members);
        Self { members, extensions }
    }

    fn context(members: &[(String, Records)]) -> Extensions {
        let host = Host::new(1);
        Group::load(&host.env(), &members[0].1).unwrap().public().context().extensions.clone()
    }

    fn member(&self, role: Role, judge: Option<Judge>) -> Member {
        let place = Role::ALL.iter().position(|known| *known == role).unwrap();
        let (name, records) = self.members[place].clone();
        let mut host = newcomer(&name).host;
        host.policy.judge = judge;
        let group = Group::load(&host.env(), &records).unwrap();
        Member { name, host, group, records }
    }

    /// The first device of the user with this role.
    pub(crate) fn honest(&self, role: Role) -> Member {
        self.member(role, Some(honest()))
    }

    /// The same, asking nobody.
    pub(crate) fn cheat(&self, role: Role) -> Member {
        self.member(role, None)
    }

    pub(crate) fn change(&self, change: impl FnOnce(&mut Extensions)) -> ProposalKind {
        let mut extensions = self.extensions.clone();
        change(&mut extensions);
        ProposalKind::GroupContextExtensions(extensions)
    }

    pub(crate) fn change_policy(&self, change: impl FnOnce(&mut GroupPolicy)) -> ProposalKind {
        self.change(|extensions| {
            let mut policy = GroupPolicy::of(extensions).unwrap().unwrap();
            change(&mut policy);
            policy.put(extensions).unwrap();
        })
    }

    pub(crate) fn reinit(&self) -> ReInit {
        ReInit {
            group_id: b"next".to_vec().into(),
            version: ProtocolVersion::MLS10,
            cipher_suite: SUITE,
            extensions: Extensions::new(),
        }
    }
}
