//! Our engine, with its records.

use std::time::{SystemTime, UNIX_EPOCH};

use mls_crypto::{CipherSuite, CryptoProvider, SignaturePrivateKey};
use mls_crypto_aws_lc::AwsLc;
use mls_crypto_rust::RustCrypto;
use mls_engine::{
    codec::{decode_exact, encode},
    group::{
        CommitId, CommitOptions, Event, ExternalJoinParams, Framing, Group, KeyPackageSecrets, LeafChange,
        MessageOptions, Processed, ProposalKind,
    },
    math::LeafIndex,
    message::{ExtensionType, Extensions, PskKind},
};
use testkit::network::{Host, Member, NewMember, Records};

use crate::peer::{
    Change, Committed, EXTENSION, ExternalJoin, Kind, Outcome, Peer, PeerError, Received, Setup, View, refused,
};

/// Seeds of one client differ below this bit.
const CLIENT_SHIFT: u32 = 20;

/// A client of ours.
pub struct Ours {
    setup: Setup,
    seed: u64,
    name: String,
    signature_key: SignaturePrivateKey,
    psks: Vec<(Vec<u8>, Vec<u8>)>,
    key_packages: Vec<KeyPackageSecrets>,
    member: Option<Member>,
    pending: Option<CommitId>,
}

impl Ours {
    pub fn new(name: &str, setup: Setup, seed: u64) -> Self {
        let signature_key =
            NewMember::with_host(name, host(seed << CLIENT_SHIFT), CipherSuite(setup.suite)).signature_key;
        Self {
            setup,
            seed: seed << CLIENT_SHIFT,
            name: name.to_owned(),
            signature_key,
            psks: Vec::new(),
            key_packages: Vec::new(),
            member: None,
            pending: None,
        }
    }

    /// A client with our key and the next seed.
    fn client(&mut self) -> NewMember {
        self.seed += 1;
        let mut client = NewMember::with_host(&self.name, host(self.seed), CipherSuite(self.setup.suite));
        client.signature_key = self.signature_key.duplicate();
        client.extensions = vec![ExtensionType(EXTENSION)];
        client.host.psks.extend(self.psks.iter().cloned());
        client
    }

    fn member(&mut self) -> Outcome<&mut Member> {
        let member = self.member.as_mut().ok_or_else(|| refused("in no group"))?;
        member.host.now = now();
        Ok(member)
    }

    fn options(&self) -> MessageOptions {
        let framing = if self.setup.private { Framing::Private } else { Framing::Public };
        MessageOptions { framing, ..MessageOptions::default() }
    }
}

/// Every other client of ours uses the portable provider.
fn host(seed: u64) -> Host {
    let native = (seed >> CLIENT_SHIFT).is_multiple_of(2);
    let crypto: Box<dyn CryptoProvider> = if native { Box::<AwsLc>::default() } else { Box::<RustCrypto>::default() };
    let mut host = Host::with_crypto(seed, crypto);
    // OpenMLS up to 0.9.2 refuses them: see docs/divergences.md.
    host.policy.no_grease_extensions = true;
    host.now = now();
    host
}

/// Seconds since 1970.
pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

fn proposal(change: &Change) -> Outcome<ProposalKind> {
    Ok(match change {
        Change::Add(key_package) => ProposalKind::Add(key_package.clone()),
        Change::Remove(leaf) => ProposalKind::Remove(LeafIndex::new(*leaf)),
        Change::Update => ProposalKind::Update(Box::<LeafChange>::default()),
        Change::ExternalPsk(id) => ProposalKind::ExternalPsk(id.clone()),
        Change::Extensions(list) => ProposalKind::GroupContextExtensions(decode_exact(list).map_err(refused)?),
    })
}

impl Peer for Ours {
    fn kind(&self) -> Kind {
        Kind::Ours
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn key_package(&mut self) -> Outcome<Vec<u8>> {
        let key_package = self.client().key_package();
        let message = key_package.message().map_err(refused)?;
        self.key_packages.push(key_package);
        Ok(message)
    }

    fn store_psk(&mut self, id: &[u8], psk: &[u8]) -> Outcome<()> {
        self.psks.push((id.to_vec(), psk.to_vec()));
        if let Some(member) = &mut self.member {
            member.host.psks.insert(id.to_vec(), psk.to_vec());
        }
        Ok(())
    }

    fn create(&mut self, group_id: &[u8], extensions: &[u8]) -> Outcome<()> {
        let extensions: Extensions = decode_exact(extensions).map_err(refused)?;
        self.member = Some(self.client().create_with(group_id, extensions).map_err(refused)?);
        Ok(())
    }

    fn join(&mut self, welcome: &[u8], tree: Option<&[u8]>) -> Outcome<()> {
        let client = self.client();
        let keys: Vec<_> = self.key_packages.iter().collect();
        let joined = Group::join(&client.host.env(), welcome, &keys, tree).map_err(refused)?;
        let mut records = Records::default();
        records.apply(&joined.changes);
        self.member = Some(Member { name: client.name, host: client.host, group: joined.group, records });
        Ok(())
    }

    fn join_external(&mut self, how: &ExternalJoin<'_>) -> Outcome<Vec<u8>> {
        let client = self.client();
        let params = ExternalJoinParams {
            credential: Host::credential(&client.name),
            signature_key: &client.signature_key,
            capabilities: client.capabilities(),
            leaf_extensions: Extensions::new(),
            remove: how.resync.map(LeafIndex::new),
            psks: how.psk.map(|id| PskKind::External(id.into())).into_iter().collect(),
            authenticated_data: Vec::new(),
        };
        let joined = Group::join_external(&client.host.env(), how.group_info, how.tree, params).map_err(refused)?;
        let mut records = Records::default();
        records.apply(&joined.changes);
        self.member = Some(Member { name: client.name, host: client.host, group: joined.group, records });
        Ok(joined.commit)
    }

    fn propose(&mut self, change: &Change) -> Outcome<Vec<u8>> {
        let options = self.options();
        Ok(self.member()?.propose_with(proposal(change)?, options).map_err(refused)?.0)
    }

    fn commit(&mut self, changes: &[Change]) -> Outcome<Committed> {
        let by_value = changes.iter().map(proposal).collect::<Outcome<_>>()?;
        let (tree_in_welcome, message) = (self.setup.inline_tree, self.options());
        let options = CommitOptions { by_value, tree_in_welcome, message, ..CommitOptions::default() };
        let (id, commit, welcome) = self.member()?.commit(options).map_err(refused)?;
        self.pending = Some(id);
        Ok(Committed { commit, welcome })
    }

    fn apply(&mut self) -> Outcome<()> {
        let id = self.pending.take().ok_or_else(|| refused("no commit"))?;
        self.member()?.accept(&id).map(drop).map_err(refused)
    }

    fn process(&mut self, message: &[u8]) -> Outcome<Received> {
        let member = self.member()?;
        let processed = member.group.process(&member.host.env(), message).map_err(refused)?;
        let (step, received) = match processed {
            Processed::Proposal(proposal) => (proposal.step, Received::Proposal),
            Processed::Commit(staged) => (staged.step, Received::Commit),
            Processed::Application(opened) => {
                let step = member.group.record(&member.host.env(), opened.spent).map_err(refused)?;
                (step, Received::Application { sender: opened.sender.get(), plaintext: opened.plaintext })
            }
            other => return Err(refused(other)),
        };
        let events = member.adopt(step).map_err(refused)?;
        Ok(if events.contains(&Event::SelfRemoved) { Received::Removed } else { received })
    }

    fn send(&mut self, plaintext: &[u8]) -> Outcome<Vec<u8>> {
        self.member()?.send(plaintext).map_err(refused)
    }

    fn group_info(&mut self) -> Outcome<Vec<u8>> {
        let inline_tree = self.setup.inline_tree;
        let member = self.member()?;
        member.group.group_info(&member.host.env(), inline_tree, true).map_err(refused)
    }

    fn tree(&mut self) -> Outcome<Vec<u8>> {
        self.member()?.group.ratchet_tree().map_err(refused)
    }

    fn view(&mut self) -> Outcome<View> {
        let group = &self.member()?.group;
        let (label, context, len) = View::EXPORT;
        let named = |(leaf, node): (LeafIndex, &mls_engine::message::LeafNode)| {
            let identity = node.credential.identity().ok_or_else(|| refused("not a basic credential"))?;
            Ok::<_, PeerError>((leaf.get(), String::from_utf8_lossy(identity).into_owned()))
        };
        Ok(View {
            epoch: group.epoch(),
            authenticator: group.epoch_authenticator().as_slice().to_vec(),
            exported: group.export_secret(label, context, len).map_err(refused)?.as_slice().to_vec(),
            members: group.members().into_iter().map(named).collect::<Result<_, _>>()?,
        })
    }

    fn reopen(&mut self) -> Outcome<()> {
        self.member()?.reopen();
        Ok(())
    }
}

/// An encoded list with one extension of private use, and the capabilities it requires.
pub fn extension_list(value: &[u8], required: bool) -> Vec<u8> {
    let mut list = Extensions::new();
    list.set(ExtensionType(EXTENSION), value.to_vec());
    if required {
        let required = mls_engine::message::RequiredCapabilities {
            extension_types: vec![ExtensionType(EXTENSION)],
            proposal_types: Vec::new(),
            credential_types: vec![mls_engine::message::CredentialType::BASIC],
        };
        list.set_body(ExtensionType::REQUIRED_CAPABILITIES, &required).unwrap();
    }
    encode(&list).unwrap()
}
