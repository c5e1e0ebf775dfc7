//! mls-rs 0.57, with its portable cryptography and its storage in memory.

use mls_rs::{
    CipherSuite, CipherSuiteProvider, Client, CryptoProvider, ExtensionList, Group, MlsMessage,
    client_builder::{MlsConfig, PaddingMode},
    extension::ExtensionType,
    group::{CommitEffect, ExportedTree, ReceivedMessage},
    identity::{
        SigningIdentity,
        basic::{BasicCredential, BasicIdentityProvider},
    },
    mls_rs_codec::MlsDecode,
    mls_rules::{CommitOptions, DefaultMlsRules, EncryptionOptions},
    psk::ExternalPskId,
    storage_provider::in_memory::InMemoryPreSharedKeyStorage,
};
use mls_rs_crypto_rustcrypto::RustCryptoProvider;

use crate::peer::{
    Change, Committed, EXTENSION, ExternalJoin, Kind, Outcome, Peer, PeerError, Received, Setup, View, refused,
};

/// A client of mls-rs.
struct MlsRs<C: MlsConfig> {
    setup: Setup,
    name: String,
    psks: InMemoryPreSharedKeyStorage,
    client: Client<C>,
    group: Option<Group<C>>,
}

/// A client in no group yet.
pub fn new(name: &str, setup: Setup) -> Box<dyn Peer> {
    let (suite, crypto) = (CipherSuite::new(setup.suite), RustCryptoProvider::default());
    let provider = crypto.cipher_suite_provider(suite).unwrap();
    let (secret_key, public_key) = provider.signature_key_generate().unwrap();
    let credential = BasicCredential::new(name.as_bytes().to_vec()).into_credential();
    let psks = InMemoryPreSharedKeyStorage::default();
    let commits = CommitOptions::new()
        .with_path_required(true)
        .with_ratchet_tree_extension(setup.inline_tree)
        .with_single_welcome_message(true);
    let rules = DefaultMlsRules::new()
        .with_commit_options(commits)
        .with_encryption_options(EncryptionOptions::new(setup.private, PaddingMode::StepFunction));
    let client = Client::builder()
        .crypto_provider(crypto)
        .identity_provider(BasicIdentityProvider::new())
        .mls_rules(rules)
        .psk_store(psks.clone())
        .extension_type(ExtensionType::new(EXTENSION))
        .signing_identity(SigningIdentity::new(credential, public_key), secret_key, suite)
        .build();
    Box::new(MlsRs { setup, name: name.to_owned(), psks, client, group: None })
}

impl<C: MlsConfig> MlsRs<C> {
    fn group(&mut self) -> Outcome<&mut Group<C>> {
        self.group.as_mut().ok_or_else(|| refused("in no group"))
    }
}

fn decode(message: &[u8]) -> Outcome<MlsMessage> {
    MlsMessage::from_bytes(message).map_err(refused)
}

fn encoded(message: &MlsMessage) -> Outcome<Vec<u8>> {
    message.to_bytes().map_err(refused)
}

fn tree_in(tree: Option<&[u8]>) -> Outcome<Option<ExportedTree<'static>>> {
    tree.map(|tree| ExportedTree::from_bytes(tree).map_err(refused)).transpose()
}

fn extensions(list: &[u8]) -> Outcome<ExtensionList> {
    ExtensionList::mls_decode(&mut &*list).map_err(refused)
}

fn psk_id(id: &[u8]) -> ExternalPskId {
    ExternalPskId::new(id.to_vec())
}

impl<C: MlsConfig> Peer for MlsRs<C> {
    fn kind(&self) -> Kind {
        Kind::MlsRs
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn key_package(&mut self) -> Outcome<Vec<u8>> {
        let (package, leaf) = (ExtensionList::new(), ExtensionList::new());
        encoded(&self.client.generate_key_package_message(package, leaf, None).map_err(refused)?)
    }

    fn store_psk(&mut self, id: &[u8], psk: &[u8]) -> Outcome<()> {
        self.psks.insert(psk_id(id), psk.to_vec().into());
        Ok(())
    }

    fn create(&mut self, group_id: &[u8], list: &[u8]) -> Outcome<()> {
        let (id, list) = (group_id.to_vec(), extensions(list)?);
        self.group = Some(self.client.create_group_with_id(id, list, ExtensionList::new(), None).map_err(refused)?);
        Ok(())
    }

    fn join(&mut self, welcome: &[u8], tree: Option<&[u8]>) -> Outcome<()> {
        let (group, _) = self.client.join_group(tree_in(tree)?, &decode(welcome)?, None).map_err(refused)?;
        self.group = Some(group);
        Ok(())
    }

    fn join_external(&mut self, how: &ExternalJoin<'_>) -> Outcome<Vec<u8>> {
        let mut builder = self.client.external_commit_builder().map_err(refused)?;
        if let Some(tree) = tree_in(how.tree)? {
            builder = builder.with_tree_data(tree);
        }
        if let Some(leaf) = how.resync {
            builder = builder.with_removal(leaf);
        }
        if let Some(id) = how.psk {
            builder = builder.with_external_psk(psk_id(id));
        }
        let (group, commit) = builder.build(decode(how.group_info)?).map_err(refused)?;
        self.group = Some(group);
        encoded(&commit)
    }

    fn propose(&mut self, change: &Change) -> Outcome<Vec<u8>> {
        let group = self.group()?;
        let proposed = match change {
            Change::Add(key_package) => group.propose_add(decode(key_package)?, Vec::new()),
            Change::Remove(leaf) => group.propose_remove(*leaf, Vec::new()),
            Change::Update => group.propose_update(Vec::new()),
            Change::ExternalPsk(id) => group.propose_external_psk(psk_id(id), Vec::new()),
            Change::Extensions(list) => group.propose_group_context_extensions(extensions(list)?, Vec::new()),
        };
        encoded(&proposed.map_err(refused)?)
    }

    fn commit(&mut self, changes: &[Change]) -> Outcome<Committed> {
        let mut builder = self.group()?.commit_builder();
        for change in changes {
            builder = match change {
                Change::Add(key_package) => builder.add_member(decode(key_package)?),
                Change::Remove(leaf) => builder.remove_member(*leaf),
                Change::ExternalPsk(id) => builder.add_external_psk(psk_id(id)),
                Change::Extensions(list) => builder.set_group_context_ext(extensions(list)?),
                Change::Update => return Err(PeerError::Unsupported("an Update of one's own in a commit")),
            }
            .map_err(refused)?;
        }
        let output = builder.build().map_err(refused)?;
        let welcome = output.welcome_messages().first().map(encoded).transpose()?;
        Ok(Committed { commit: encoded(output.commit_message())?, welcome })
    }

    fn apply(&mut self) -> Outcome<()> {
        self.group()?.apply_pending_commit().map(drop).map_err(refused)
    }

    fn process(&mut self, message: &[u8]) -> Outcome<Received> {
        match self.group()?.process_incoming_message(decode(message)?).map_err(refused)? {
            ReceivedMessage::ApplicationMessage(message) => {
                Ok(Received::Application { sender: message.sender_index, plaintext: message.data().to_vec() })
            }
            ReceivedMessage::Proposal(_) => Ok(Received::Proposal),
            ReceivedMessage::Commit(commit) => match commit.effect {
                CommitEffect::Removed { .. } => Ok(Received::Removed),
                _ => Ok(Received::Commit),
            },
            _ => Err(refused("unexpected content")),
        }
    }

    fn send(&mut self, plaintext: &[u8]) -> Outcome<Vec<u8>> {
        encoded(&self.group()?.encrypt_application_message(plaintext, Vec::new()).map_err(refused)?)
    }

    fn group_info(&mut self) -> Outcome<Vec<u8>> {
        let inline_tree = self.setup.inline_tree;
        encoded(&self.group()?.group_info_message_allowing_ext_commit(inline_tree).map_err(refused)?)
    }

    fn tree(&mut self) -> Outcome<Vec<u8>> {
        self.group()?.export_tree().to_bytes().map_err(refused)
    }

    fn view(&mut self) -> Outcome<View> {
        let group = self.group()?;
        let (label, context, len) = View::EXPORT;
        let mut members = Vec::new();
        for member in group.roster().members_iter() {
            let credential = member.signing_identity.credential.as_basic().ok_or_else(|| refused("not basic"))?;
            members.push((member.index, String::from_utf8_lossy(credential.identifier()).into_owned()));
        }
        let exported = group.export_secret(label.as_bytes(), context, len).map_err(refused)?;
        Ok(View {
            epoch: group.current_epoch(),
            authenticator: group.epoch_authenticator().map_err(refused)?.to_vec(),
            exported: exported.to_vec(),
            members,
        })
    }

    fn reopen(&mut self) -> Outcome<()> {
        let group = self.group()?;
        group.write_to_storage().map_err(refused)?;
        let id = group.group_id().to_vec();
        self.group = Some(self.client.load_group(&id).map_err(refused)?);
        Ok(())
    }
}
