//! One member of one group, with its host and its records.

use mls_crypto::{CipherSuite, SignaturePrivateKey};
use mls_engine::{
    error::{OperationError, ProcessError},
    group::{
        CommitId, CommitOptions, CreateParams, Event, ExternalJoinParams, Group, KeyPackageParams, KeyPackageSecrets,
        MessageOptions, Opened, Pending, Processed, ProposalKind, Step, own_capabilities,
    },
    math::LeafIndex,
    message::{Capabilities, ExtensionType, Extensions, Lifetime, ProposalRef, ProposalType},
};

use super::{Host, Records};

/// A pending commit: its name, the commit, and the Welcome.
pub type Offered = (CommitId, Vec<u8>, Option<Vec<u8>>);

/// A client that is in no group yet.
#[derive(Debug)]
pub struct NewMember {
    /// Its name, also its identity.
    pub name: String,
    /// Its host.
    pub host: Host,
    /// Its suite.
    pub cipher_suite: CipherSuite,
    /// Its signature key.
    pub signature_key: SignaturePrivateKey,
    /// Extension types it supports.
    pub extensions: Vec<ExtensionType>,
    /// Proposal types it supports.
    pub proposals: Vec<ProposalType>,
}

/// A member of a group.
#[derive(Debug)]
pub struct Member {
    /// Its name, also its identity.
    pub name: String,
    /// Its host.
    pub host: Host,
    /// The group.
    pub group: Group,
    /// What is durable of it.
    pub records: Records,
}

impl NewMember {
    /// A client with this name; `seed` decides all its randomness.
    pub fn new(name: &str, seed: u64, cipher_suite: CipherSuite) -> Self {
        Self::with_host(name, Host::new(seed), cipher_suite)
    }

    /// A client with this name and host.
    pub fn with_host(name: &str, host: Host, cipher_suite: CipherSuite) -> Self {
        let suite = host.crypto.suite(cipher_suite).unwrap();
        let (signature_key, _) = suite.signature_generate(&host.random).unwrap();
        let name = name.to_owned();
        Self { name, host, cipher_suite, signature_key, extensions: Vec::new(), proposals: Vec::new() }
    }

    /// What it supports.
    pub fn capabilities(&self) -> Capabilities {
        own_capabilities(self.host.crypto.as_ref(), &self.extensions, &self.proposals)
    }

    /// A lifetime around the host's time.
    pub fn lifetime(&self) -> Lifetime {
        Lifetime { not_before: self.host.now - 3_600, not_after: self.host.now + 90 * 24 * 3_600 }
    }

    /// A fresh key package.
    pub fn key_package(&self) -> KeyPackageSecrets {
        KeyPackageSecrets::generate(
            &self.host.env(),
            KeyPackageParams {
                cipher_suite: self.cipher_suite,
                credential: Host::credential(&self.name),
                signature_key: &self.signature_key,
                capabilities: self.capabilities(),
                lifetime: self.lifetime(),
                leaf_extensions: Extensions::new(),
                extensions: Extensions::new(),
                last_resort: false,
            },
        )
        .unwrap()
    }

    /// Creates a group.
    pub fn create(self, group_id: &[u8]) -> Member {
        self.create_with(group_id, Extensions::new()).unwrap()
    }

    /// Creates a group with context extensions.
    pub fn create_with(self, group_id: &[u8], extensions: Extensions) -> Result<Member, OperationError> {
        let created = Group::create(
            &self.host.env(),
            CreateParams {
                group_id: group_id.to_vec(),
                cipher_suite: self.cipher_suite,
                credential: Host::credential(&self.name),
                signature_key: &self.signature_key,
                capabilities: self.capabilities(),
                lifetime: self.lifetime(),
                leaf_extensions: Extensions::new(),
                extensions,
            },
        )?;
        let mut records = Records::default();
        records.apply(&created.changes);
        Ok(Member { name: self.name, host: self.host, group: created.group, records })
    }

    /// Joins by Welcome.
    pub fn join(self, welcome: &[u8], keys: &KeyPackageSecrets, tree: Option<&[u8]>) -> Result<Member, ProcessError> {
        let joined = Group::join(&self.host.env(), welcome, &[keys], tree)?;
        let mut records = Records::default();
        records.apply(&joined.changes);
        Ok(Member { name: self.name, host: self.host, group: joined.group, records })
    }

    /// Joins by external commit; the commit is for the others.
    pub fn join_external(
        self,
        group_info: &[u8],
        tree: Option<&[u8]>,
        remove: Option<LeafIndex>,
    ) -> Result<(Member, Vec<u8>), OperationError> {
        let joined = Group::join_external(
            &self.host.env(),
            group_info,
            tree,
            ExternalJoinParams {
                credential: Host::credential(&self.name),
                signature_key: &self.signature_key,
                capabilities: self.capabilities(),
                leaf_extensions: Extensions::new(),
                remove,
                psks: Vec::new(),
                authenticated_data: Vec::new(),
            },
        )?;
        let mut records = Records::default();
        records.apply(&joined.changes);
        Ok((Member { name: self.name, host: self.host, group: joined.group, records }, joined.commit))
    }
}

impl Member {
    /// Makes a step durable, then adopts it.
    pub fn adopt(&mut self, step: Step) -> Result<Vec<Event>, OperationError> {
        self.records.apply(step.changes());
        self.group.adopt(&self.host.env(), step)
    }

    /// Closes the group and opens it again from its records.
    pub fn reopen(&mut self) {
        self.group = Group::load(&self.host.env(), &self.records).unwrap();
    }

    /// Makes a proposal.
    pub fn propose(&mut self, kind: ProposalKind) -> Result<(Vec<u8>, ProposalRef), OperationError> {
        self.propose_with(kind, MessageOptions::default())
    }

    /// Makes a proposal, framed as told.
    pub fn propose_with(
        &mut self,
        kind: ProposalKind,
        options: MessageOptions,
    ) -> Result<(Vec<u8>, ProposalRef), OperationError> {
        let proposed = self.group.propose(&self.host.env(), kind, options)?;
        self.adopt(proposed.step)?;
        Ok((proposed.message, proposed.reference))
    }

    /// Makes a commit and keeps it pending: name, commit, Welcome.
    pub fn commit(&mut self, options: CommitOptions) -> Result<Offered, OperationError> {
        let Pending { commit_id, commit, welcome, added: _, step } = self.group.commit(&self.host.env(), options)?;
        self.adopt(step)?;
        Ok((commit_id, commit, welcome))
    }

    /// Makes a commit and accepts it at once: commit, Welcome.
    pub fn commit_now(&mut self, options: CommitOptions) -> Result<(Vec<u8>, Option<Vec<u8>>), OperationError> {
        let (id, commit, _) = self.commit(options)?;
        Ok((commit, self.accept(&id)?))
    }

    /// Accepts a pending commit; returns its Welcome.
    pub fn accept(&mut self, id: &CommitId) -> Result<Option<Vec<u8>>, OperationError> {
        let accepted = self.group.accept(&self.host.env(), id)?;
        self.adopt(accepted.step)?;
        Ok(accepted.welcome)
    }

    /// Commits these proposals by value and accepts at once.
    pub fn commit_by_value(
        &mut self,
        by_value: Vec<ProposalKind>,
    ) -> Result<(Vec<u8>, Option<Vec<u8>>), OperationError> {
        self.commit_now(CommitOptions { by_value, ..CommitOptions::default() })
    }

    /// Takes a handshake: remembers a proposal, adopts a commit.
    pub fn receive(&mut self, message: &[u8]) -> Result<Vec<Event>, ProcessError> {
        let step = match self.group.process(&self.host.env(), message)? {
            Processed::Proposal(proposal) => proposal.step,
            Processed::Commit(staged) => staged.step,
            Processed::OwnCommit(id) => self.group.accept(&self.host.env(), &id).unwrap().step,
            Processed::Application(opened) => self.group.record(&self.host.env(), opened.spent)?,
            other => panic!("unexpected {other:?}"),
        };
        Ok(self.adopt(step).unwrap())
    }

    /// Encrypts a message.
    pub fn send(&mut self, plaintext: &[u8]) -> Result<Vec<u8>, OperationError> {
        let sealed = self.group.send(&self.host.env(), plaintext, &MessageOptions::default())?;
        self.adopt(sealed.step)?;
        Ok(sealed.message)
    }

    /// Opens a message, records it, and returns what it says and by which leaf.
    pub fn open(&mut self, message: &[u8]) -> Result<(Vec<u8>, LeafIndex), ProcessError> {
        let opened = self.peek(message)?;
        let step = self.group.record(&self.host.env(), opened.spent)?;
        self.adopt(step).unwrap();
        Ok((opened.plaintext, opened.sender))
    }

    /// Opens a message without recording it.
    pub fn peek(&self, message: &[u8]) -> Result<Opened, ProcessError> {
        match self.group.process(&self.host.env(), message)? {
            Processed::Application(opened) => Ok(*opened),
            other => panic!("no application message: {other:?}"),
        }
    }

    /// What all members of an epoch agree on.
    pub fn view(&self) -> (u64, Vec<u8>, Vec<u8>) {
        let authenticator = self.group.epoch_authenticator().as_slice().to_vec();
        (self.group.epoch(), self.group.public().tree().tree_hash().as_slice().to_vec(), authenticator)
    }
}
