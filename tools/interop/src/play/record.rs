//! What a member that only listens went through, for passive-client vectors.
//!
//! In: the calls of a run. Out: for each join by Welcome, the key package, the Welcome, and every commit that followed.
//! Always: a case ends where its member proposes or commits: from there it is passive no more.

use std::collections::BTreeMap;

use testkit::vectors::passive_client::{Case, Epoch, ExternalPsk};

use crate::message::CreateKeyPackageResponse;

/// The cases of a run.
pub(crate) type Recording = Vec<Case>;

/// Watches every actor.
#[derive(Debug, Default)]
pub(super) struct Recorder {
    key_packages: BTreeMap<String, CreateKeyPackageResponse>,
    psks: BTreeMap<String, Vec<ExternalPsk>>,
    listening: BTreeMap<String, Case>,
    done: Recording,
}

impl Recorder {
    pub(super) fn key_package(&mut self, actor: &str, response: &CreateKeyPackageResponse) {
        self.key_packages.insert(actor.to_owned(), response.clone());
    }

    pub(super) fn psk(&mut self, actor: &str, psk_id: &[u8], psk: &[u8]) {
        let psk = ExternalPsk { psk_id: psk_id.into(), psk: psk.into() };
        if let Some(case) = self.listening.get_mut(actor) {
            case.external_psks.push(psk.clone());
        }
        self.psks.entry(actor.to_owned()).or_default().push(psk);
    }

    pub(super) fn joined(&mut self, actor: &str, cipher_suite: u32, join: &Join<'_>) {
        let (Some(package), Ok(cipher_suite)) = (self.key_packages.remove(actor), u16::try_from(cipher_suite)) else {
            return;
        };
        // A server that keeps its keys to itself cannot be recorded.
        if package.init_priv.is_empty() {
            return;
        }
        let case = Case {
            cipher_suite,
            external_psks: self.psks.get(actor).cloned().unwrap_or_default(),
            key_package: package.key_package.into(),
            signature_priv: package.signature_priv.into(),
            encryption_priv: package.encryption_priv.into(),
            init_priv: package.init_priv.into(),
            welcome: join.welcome.into(),
            ratchet_tree: (!join.ratchet_tree.is_empty()).then(|| join.ratchet_tree.into()),
            initial_epoch_authenticator: join.epoch_authenticator.into(),
            epochs: Vec::new(),
        };
        self.done.extend(self.listening.insert(actor.to_owned(), case));
    }

    pub(super) fn handled(&mut self, actor: &str, proposals: &[Vec<u8>], commit: &[u8], epoch_authenticator: &[u8]) {
        if let Some(case) = self.listening.get_mut(actor) {
            case.epochs.push(Epoch {
                proposals: proposals.iter().map(|proposal| proposal.as_slice().into()).collect(),
                commit: commit.into(),
                epoch_authenticator: epoch_authenticator.into(),
            });
        }
    }

    /// The actor does something of its own.
    pub(super) fn acted(&mut self, actor: &str) {
        self.done.extend(self.listening.remove(actor));
    }

    pub(super) fn finish(self) -> Recording {
        let Self { listening, mut done, .. } = self;
        done.extend(listening.into_values());
        done
    }
}

/// A join by Welcome.
#[derive(Debug)]
pub(super) struct Join<'a> {
    pub(super) welcome: &'a [u8],
    pub(super) ratchet_tree: &'a [u8],
    pub(super) epoch_authenticator: &'a [u8],
}
