//! The harness's scripts, as the JSON files say them.
//!
//! In: files of scripts. Out: steps, and who plays in them.
//! Always: an unknown action or field is an error, so that a script never runs with a part of it ignored.

mod load;

use std::collections::BTreeSet;

use serde::Deserialize;

use crate::message::Extension;

pub use load::{ScriptError, default_folder, load};

/// A script of one file.
#[derive(Clone, Debug)]
pub struct Script {
    /// The file's name without its ending.
    pub config: String,
    /// The script's name in it.
    pub name: String,
    /// What happens, in order.
    pub steps: Vec<Step>,
}

/// One step. Steps refer to earlier ones by number.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "action", rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
#[expect(missing_docs, reason = "fields are named as the harness names them")]
pub enum Step {
    /// A group, with members from the start.
    CreateGroup {
        actor: String,
        #[serde(default)]
        members: Vec<String>,
    },
    /// A key package.
    CreateKeyPackage { actor: String },
    /// Joining by the Welcome of a step.
    JoinGroup { actor: String, welcome: usize },
    /// Joining by external commit; `actor` gives the GroupInfo.
    ExternalJoin {
        actor: String,
        joiner: String,
        #[serde(default)]
        members: Vec<String>,
        #[serde(default)]
        external_tree: bool,
        #[serde(default)]
        remove_prior: bool,
        #[serde(default)]
        psks: Vec<usize>,
    },
    /// An external PSK that these know.
    #[serde(rename = "installExternalPSK")]
    InstallExternalPsk { clients: Vec<String> },
    /// A GroupInfo.
    GroupInfo {
        actor: String,
        #[serde(default)]
        external_tree: bool,
    },
    /// An Add of a step's key package.
    AddProposal { actor: String, key_package: usize },
    /// An Update.
    UpdateProposal { actor: String },
    /// A Remove of the member with this name.
    RemoveProposal { actor: String, removed: String },
    /// A step's PSK.
    #[serde(rename = "externalPSKProposal")]
    ExternalPskProposal {
        actor: String,
        #[serde(rename = "pskID")]
        psk_id: usize,
    },
    /// The resumption PSK of an epoch.
    #[serde(rename = "resumptionPSKProposal")]
    ResumptionPskProposal {
        actor: String,
        #[serde(rename = "epochID")]
        epoch_id: u64,
    },
    /// A new list of extensions.
    GroupContextExtensionsProposal { actor: String, extensions: Vec<ExtensionItem> },
    /// A commit that all members process and all joiners join by.
    FullCommit {
        actor: String,
        #[serde(flatten)]
        commit: CommitStep,
    },
    /// A commit, to be handled in later steps.
    Commit {
        actor: String,
        #[serde(flatten)]
        commit: CommitStep,
    },
    /// A step's commit, by another member.
    HandleCommit {
        actor: String,
        commit: usize,
        #[serde(default)]
        by_reference: Vec<usize>,
    },
    /// One's own commit.
    HandlePendingCommit { actor: String },
    /// A message.
    Protect { actor: String, authenticated_data: String, plaintext: String },
    /// A step's message.
    Unprotect { actor: String, ciphertext: usize },
    /// The end of a group and the group that continues it.
    #[serde(rename = "reinit")]
    ReInit(ReInitStep),
    /// A subgroup.
    Branch {
        actor: String,
        members: Vec<String>,
        #[serde(default, alias = "force_path")]
        force_path: bool,
        #[serde(default, alias = "external_tree")]
        external_tree: bool,
        #[serde(default)]
        extensions: Vec<ExtensionItem>,
    },
    /// An Add of the joiner's own; `actor` gives the GroupInfo.
    NewMemberAddProposal { actor: String, joiner: String },
    /// A GroupContextExtensions proposal with one external sender more.
    AddExternalSigner { actor: String, signer: String },
    /// A proposal by an external sender; `member` gives the GroupInfo.
    ExternalSignerProposal { actor: String, member: String, description: Description },
}

/// What a commit holds and who is concerned.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CommitStep {
    /// Steps with proposals.
    #[serde(default)]
    pub by_reference: Vec<usize>,
    /// Proposals inside.
    #[serde(default)]
    pub by_value: Vec<Description>,
    /// Who processes it.
    #[serde(default)]
    pub members: Vec<String>,
    /// Who joins by it.
    #[serde(default)]
    pub joiners: Vec<String>,
    /// Whether there must be a path.
    #[serde(default, rename = "force_path")]
    pub force_path: bool,
    /// Whether the tree travels beside the Welcome.
    #[serde(default, rename = "external_tree")]
    pub external_tree: bool,
}

/// The parts of a reinitialization.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReInitStep {
    /// Who proposes it; else `external_reinit_proposal` says which step did.
    #[serde(default)]
    pub proposer: Option<String>,
    /// Who commits it.
    pub committer: String,
    /// Who founds the next group.
    pub welcomer: String,
    /// Everybody else.
    #[serde(default)]
    pub members: Vec<String>,
    /// Whether the next group has another suite.
    #[serde(default)]
    pub change_ciphersuite: bool,
    /// Whether the next group has another id.
    #[serde(default, rename = "changeGroupID")]
    pub change_group_id: bool,
    /// The next group's extensions.
    #[serde(default)]
    pub extensions: Vec<ExtensionItem>,
    /// Whether its first commit must have a path.
    #[serde(default)]
    pub force_path: bool,
    /// Whether its tree travels beside the Welcome.
    #[serde(default)]
    pub external_tree: bool,
    /// The step with the external sender's ReInit.
    #[serde(default)]
    pub external_reinit_proposal: Option<usize>,
}

/// A proposal by value.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Description {
    /// The service's name of its type.
    pub proposal_type: String,
    /// The step with the key package.
    #[serde(default)]
    pub key_package: usize,
    /// The member to remove.
    #[serde(default)]
    pub removed: String,
    /// The step with the PSK.
    #[serde(default, rename = "pskID")]
    pub psk_id: usize,
    /// The epoch of the resumption PSK.
    #[serde(default, rename = "epochID")]
    pub epoch_id: u64,
    /// Extensions of the group, or of the next.
    #[serde(default)]
    pub extensions: Vec<ExtensionItem>,
    /// Whether the next group has another id.
    #[serde(default, rename = "changeGroupID")]
    pub change_group_id: bool,
    /// Whether the next group has another suite.
    #[serde(default)]
    pub change_cipher_suite: bool,
}

/// An extension, its data in base64.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExtensionItem {
    /// Its number.
    pub extension_type: u32,
    /// Its body.
    #[serde(deserialize_with = "load::base64")]
    pub extension_data: Vec<u8>,
}

impl Script {
    /// Everybody who needs a client, each once, in the order of their names.
    pub fn actors(&self) -> Vec<String> {
        let named: BTreeSet<&String> = self.steps.iter().flat_map(Step::actors).collect();
        named.into_iter().cloned().collect()
    }
}

impl Step {
    /// The clients that a step names. Members of later steps have been named before.
    fn actors(&self) -> Vec<&String> {
        match self {
            Self::CreateGroup { actor, members } => members.iter().chain([actor]).collect(),
            Self::ExternalJoin { actor, joiner, .. } | Self::NewMemberAddProposal { actor, joiner } => {
                vec![actor, joiner]
            }
            Self::AddExternalSigner { actor, signer } => vec![actor, signer],
            Self::InstallExternalPsk { clients } => clients.iter().collect(),
            Self::ReInit(step) => vec![&step.committer, &step.welcomer],
            Self::CreateKeyPackage { actor }
            | Self::JoinGroup { actor, .. }
            | Self::GroupInfo { actor, .. }
            | Self::AddProposal { actor, .. }
            | Self::UpdateProposal { actor }
            | Self::RemoveProposal { actor, .. }
            | Self::ExternalPskProposal { actor, .. }
            | Self::ResumptionPskProposal { actor, .. }
            | Self::GroupContextExtensionsProposal { actor, .. }
            | Self::FullCommit { actor, .. }
            | Self::Commit { actor, .. }
            | Self::HandleCommit { actor, .. }
            | Self::HandlePendingCommit { actor }
            | Self::Protect { actor, .. }
            | Self::Unprotect { actor, .. }
            | Self::Branch { actor, .. }
            | Self::ExternalSignerProposal { actor, .. } => vec![actor],
        }
    }
}

impl From<&ExtensionItem> for Extension {
    fn from(item: &ExtensionItem) -> Self {
        Self { extension_type: item.extension_type, extension_data: item.extension_data.clone() }
    }
}

/// Extensions as the service wants them.
pub(crate) fn extensions(list: &[ExtensionItem]) -> Vec<Extension> {
    list.iter().map(Extension::from).collect()
}
