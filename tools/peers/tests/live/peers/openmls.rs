//! OpenMLS 0.9, with its portable cryptography and its storage in memory.

use openmls::prelude::{
    BasicCredential, Capabilities, Ciphersuite, CredentialType, CredentialWithKey, Extensions, GroupContext, GroupId,
    KeyPackage, KeyPackageBuilder, KeyPackageIn, LeafNodeIndex, LeafNodeParameters,
    MIXED_CIPHERTEXT_WIRE_FORMAT_POLICY, MIXED_PLAINTEXT_WIRE_FORMAT_POLICY, MlsGroup, MlsGroupCreateConfig,
    MlsGroupJoinConfig, MlsMessageBodyIn, MlsMessageIn, MlsMessageOut, OpenMlsProvider, PreSharedKeyProposal,
    ProcessedMessageContent, Proposal, ProtocolMessage, ProtocolVersion, RatchetTreeIn, Sender,
    SenderRatchetConfiguration, StagedWelcome, WireFormatPolicy,
};
use openmls::schedule::{ExternalPsk, PreSharedKeyId, Psk};
use openmls_basic_credential::SignatureKeyPair;
use openmls_rust_crypto::OpenMlsRustCrypto;
use tls_codec::{Deserialize, Serialize};

use crate::peer::{
    Change, Committed, EXTENSION, ExternalJoin, Kind, Outcome, Peer, PeerError, Received, Setup, View, refused,
};

/// A client of OpenMLS.
pub struct OpenMls {
    setup: Setup,
    name: String,
    suite: Ciphersuite,
    provider: OpenMlsRustCrypto,
    signer: SignatureKeyPair,
    credential: CredentialWithKey,
    group: Option<MlsGroup>,
}

impl OpenMls {
    pub fn new(name: &str, setup: Setup) -> Self {
        let suite = Ciphersuite::try_from(setup.suite).unwrap();
        let signer = SignatureKeyPair::new(suite.signature_algorithm()).unwrap();
        let credential = CredentialWithKey {
            credential: BasicCredential::new(name.as_bytes().to_vec()).into(),
            signature_key: signer.to_public_vec().into(),
        };
        let provider = OpenMlsRustCrypto::default();
        Self { setup, name: name.to_owned(), suite, provider, signer, credential, group: None }
    }

    fn group(&mut self) -> Outcome<(&mut MlsGroup, &OpenMlsRustCrypto, &SignatureKeyPair)> {
        let group = self.group.as_mut().ok_or_else(|| refused("in no group"))?;
        Ok((group, &self.provider, &self.signer))
    }

    fn wire_format_policy(&self) -> WireFormatPolicy {
        if self.setup.private { MIXED_CIPHERTEXT_WIRE_FORMAT_POLICY } else { MIXED_PLAINTEXT_WIRE_FORMAT_POLICY }
    }

    fn join_config(&self) -> MlsGroupJoinConfig {
        MlsGroupJoinConfig::builder()
            .wire_format_policy(self.wire_format_policy())
            .max_past_epochs(PAST_EPOCHS)
            .sender_ratchet_configuration(ratchets())
            .use_ratchet_tree_extension(self.setup.inline_tree)
            .build()
    }

    fn psk_id(&self, id: &[u8]) -> Outcome<PreSharedKeyId> {
        let psk = Psk::External(ExternalPsk::new(id.to_vec()));
        PreSharedKeyId::new(self.suite, self.provider.rand(), psk).map_err(refused)
    }

    fn validated(&self, message: &[u8]) -> Outcome<KeyPackage> {
        match decode(message)? {
            MlsMessageBodyIn::KeyPackage(key_package) => {
                let key_package: KeyPackageIn = key_package;
                key_package.validate(self.provider.crypto(), ProtocolVersion::Mls10).map_err(refused)
            }
            _ => Err(refused("no key package")),
        }
    }
}

/// A key package as the builder says, for a client that is then forgotten.
pub fn key_package(name: &str, setup: Setup, builder: KeyPackageBuilder) -> Vec<u8> {
    let client = OpenMls::new(name, setup);
    let bundle = builder.build(client.suite, &client.provider, &client.signer, client.credential.clone()).unwrap();
    MlsMessageOut::from(bundle.key_package().clone()).to_bytes().unwrap()
}

/// As many as our engine keeps.
const PAST_EPOCHS: usize = 3;

fn ratchets() -> SenderRatchetConfiguration {
    SenderRatchetConfiguration::new(32, 1_000)
}

fn capabilities() -> Capabilities {
    let extensions = [openmls::prelude::ExtensionType::Unknown(EXTENSION)];
    Capabilities::new(None, None, Some(&extensions), None, Some(&[CredentialType::Basic]))
}

fn decode(message: &[u8]) -> Outcome<MlsMessageBodyIn> {
    Ok(MlsMessageIn::tls_deserialize_exact(message).map_err(refused)?.extract())
}

fn tree_in(tree: Option<&[u8]>) -> Outcome<Option<RatchetTreeIn>> {
    tree.map(|tree| RatchetTreeIn::tls_deserialize_exact(tree).map_err(refused)).transpose()
}

fn context_extensions(encoded: &[u8]) -> Outcome<Extensions<GroupContext>> {
    Extensions::tls_deserialize_exact(encoded).map_err(refused)
}

fn encoded(message: &MlsMessageOut) -> Outcome<Vec<u8>> {
    message.to_bytes().map_err(refused)
}

impl Peer for OpenMls {
    fn kind(&self) -> Kind {
        Kind::OpenMls
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn key_package(&mut self) -> Outcome<Vec<u8>> {
        let bundle = KeyPackage::builder()
            .leaf_node_capabilities(capabilities())
            .build(self.suite, &self.provider, &self.signer, self.credential.clone())
            .map_err(refused)?;
        encoded(&MlsMessageOut::from(bundle.key_package().clone()))
    }

    fn store_psk(&mut self, id: &[u8], psk: &[u8]) -> Outcome<()> {
        self.psk_id(id)?.store(&self.provider, psk).map_err(refused)
    }

    fn create(&mut self, group_id: &[u8], extensions: &[u8]) -> Outcome<()> {
        let config = MlsGroupCreateConfig::builder()
            .ciphersuite(self.suite)
            .wire_format_policy(self.wire_format_policy())
            .max_past_epochs(PAST_EPOCHS)
            .sender_ratchet_configuration(ratchets())
            .use_ratchet_tree_extension(self.setup.inline_tree)
            .capabilities(capabilities())
            .with_group_context_extensions(context_extensions(extensions)?)
            .build();
        let (id, credential) = (GroupId::from_slice(group_id), self.credential.clone());
        let group = MlsGroup::new_with_group_id(&self.provider, &self.signer, &config, id, credential);
        self.group = Some(group.map_err(refused)?);
        Ok(())
    }

    fn join(&mut self, welcome: &[u8], tree: Option<&[u8]>) -> Outcome<()> {
        let MlsMessageBodyIn::Welcome(welcome) = decode(welcome)? else { return Err(refused("no Welcome")) };
        let staged = StagedWelcome::new_from_welcome(&self.provider, &self.join_config(), welcome, tree_in(tree)?);
        self.group = Some(staged.map_err(refused)?.into_group(&self.provider).map_err(refused)?);
        Ok(())
    }

    fn join_external(&mut self, how: &ExternalJoin<'_>) -> Outcome<Vec<u8>> {
        let MlsMessageBodyIn::GroupInfo(info) = decode(how.group_info)? else { return Err(refused("no GroupInfo")) };
        if let Some(mut group) = self.group.take() {
            group.delete(self.provider.storage()).map_err(refused)?;
        }
        let mut builder = MlsGroup::external_commit_builder().with_config(self.join_config());
        if let Some(tree) = tree_in(how.tree)? {
            builder = builder.with_ratchet_tree(tree);
        }
        let leaf = LeafNodeParameters::builder().with_capabilities(capabilities()).build();
        let mut commit = builder
            .build_group(&self.provider, info, self.credential.clone())
            .map_err(refused)?
            .leaf_node_parameters(leaf);
        if let Some(id) = how.psk {
            commit = commit.add_psk_proposal(PreSharedKeyProposal::new(self.psk_id(id)?));
        }
        let (group, bundle) = commit
            .load_psks(self.provider.storage())
            .map_err(refused)?
            .build(self.provider.rand(), self.provider.crypto(), &self.signer, |_| true)
            .map_err(refused)?
            .finalize(&self.provider)
            .map_err(refused)?;
        self.group = Some(group);
        encoded(bundle.commit())
    }

    fn propose(&mut self, change: &Change) -> Outcome<Vec<u8>> {
        let add = match change {
            Change::Add(message) => Some(self.validated(message)?),
            _ => None,
        };
        let psk = match change {
            Change::ExternalPsk(id) => Some(self.psk_id(id)?),
            _ => None,
        };
        let (group, provider, signer) = self.group()?;
        let proposed = match (change, add, psk) {
            (_, Some(key_package), _) => group.propose_add_member(provider, signer, &key_package).map_err(refused)?,
            (_, _, Some(psk)) => group.propose_pre_shared_key(provider, signer, psk).map_err(refused)?,
            (Change::Remove(leaf), ..) => {
                group.propose_remove_member(provider, signer, LeafNodeIndex::new(*leaf)).map_err(refused)?
            }
            (Change::Update, ..) => {
                group.propose_self_update(provider, signer, LeafNodeParameters::default()).map_err(refused)?
            }
            (Change::Extensions(list), ..) => {
                group.propose_group_context_extensions(provider, context_extensions(list)?, signer).map_err(refused)?
            }
            (Change::Add(_) | Change::ExternalPsk(_), None, None) => unreachable!("made above"),
        };
        encoded(&proposed.0)
    }

    fn commit(&mut self, changes: &[Change]) -> Outcome<Committed> {
        let mut adds = Vec::new();
        let mut psks = Vec::new();
        for change in changes {
            match change {
                Change::Add(message) => adds.push(self.validated(message)?),
                Change::ExternalPsk(id) => psks.push(self.psk_id(id)?),
                _ => {}
            }
        }
        let inline_tree = self.setup.inline_tree;
        let (group, provider, signer) = self.group()?;
        let mut builder = group.commit_builder().force_self_update(true).propose_adds(adds);
        for psk in psks {
            builder = builder.add_proposal(Proposal::PreSharedKey(Box::new(PreSharedKeyProposal::new(psk))));
        }
        for change in changes {
            builder = match change {
                Change::Remove(leaf) => builder.propose_removals([LeafNodeIndex::new(*leaf)]),
                Change::Extensions(list) => {
                    builder.propose_group_context_extensions(context_extensions(list)?).map_err(refused)?
                }
                Change::Update => return Err(PeerError::Unsupported("an Update of one's own in a commit")),
                Change::Add(_) | Change::ExternalPsk(_) => builder,
            };
        }
        let bundle = builder
            .load_psks(provider.storage())
            .map_err(refused)?
            .use_ratchet_tree_extension(inline_tree)
            .build(provider.rand(), provider.crypto(), signer, |_| true)
            .map_err(refused)?
            .stage_commit(provider)
            .map_err(refused)?;
        let welcome = bundle.to_welcome_msg();
        Ok(Committed { commit: encoded(bundle.commit())?, welcome: welcome.as_ref().map(encoded).transpose()? })
    }

    fn apply(&mut self) -> Outcome<()> {
        let (group, provider, _) = self.group()?;
        group.merge_pending_commit(provider).map_err(refused)
    }

    fn process(&mut self, message: &[u8]) -> Outcome<Received> {
        let message: ProtocolMessage = match decode(message)? {
            MlsMessageBodyIn::PublicMessage(message) => message.into(),
            MlsMessageBodyIn::PrivateMessage(message) => message.into(),
            _ => return Err(refused("no message for a group")),
        };
        let (group, provider, _) = self.group()?;
        let processed = group.process_message(provider, message).map_err(refused)?;
        let sender = processed.sender().clone();
        match processed.into_content() {
            ProcessedMessageContent::ApplicationMessage(message) => {
                let Sender::Member(leaf) = sender else { return Err(refused("not from a member")) };
                Ok(Received::Application { sender: leaf.u32(), plaintext: message.into_bytes() })
            }
            ProcessedMessageContent::ProposalMessage(proposal) => {
                group.store_pending_proposal(provider.storage(), *proposal).map_err(refused)?;
                Ok(Received::Proposal)
            }
            ProcessedMessageContent::StagedCommitMessage(commit) => {
                let removed = commit.self_removed();
                group.merge_staged_commit(provider, *commit).map_err(refused)?;
                Ok(if removed { Received::Removed } else { Received::Commit })
            }
            _ => Err(refused("unexpected content")),
        }
    }

    fn send(&mut self, plaintext: &[u8]) -> Outcome<Vec<u8>> {
        let (group, provider, signer) = self.group()?;
        encoded(&group.create_message(provider, signer, plaintext).map_err(refused)?)
    }

    fn group_info(&mut self) -> Outcome<Vec<u8>> {
        let inline_tree = self.setup.inline_tree;
        let (group, provider, signer) = self.group()?;
        encoded(&group.export_group_info(provider.crypto(), signer, inline_tree).map_err(refused)?)
    }

    fn tree(&mut self) -> Outcome<Vec<u8>> {
        self.group()?.0.export_ratchet_tree().tls_serialize_detached().map_err(refused)
    }

    fn view(&mut self) -> Outcome<View> {
        let (group, provider, _) = self.group()?;
        let (label, context, len) = View::EXPORT;
        let mut members = Vec::new();
        for member in group.members() {
            let identity = BasicCredential::try_from(member.credential).map_err(refused)?;
            members.push((member.index.u32(), String::from_utf8_lossy(identity.identity()).into_owned()));
        }
        Ok(View {
            epoch: group.epoch().as_u64(),
            authenticator: group.epoch_authenticator().as_slice().to_vec(),
            exported: group.export_secret(provider.crypto(), label, context, len).map_err(refused)?,
            members,
        })
    }

    fn reopen(&mut self) -> Outcome<()> {
        let id = self.group()?.0.group_id().clone();
        self.group = MlsGroup::load(self.provider.storage(), &id).map_err(refused)?;
        Ok(())
    }
}
