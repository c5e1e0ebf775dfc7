//! Founding a group and joining it by Welcome.

use super::{Play, Progress, malformed, record::Join};
use crate::message::{
    CommitRequest, CreateGroupRequest, CreateKeyPackageRequest, CreateKeyPackageResponse, JoinGroupRequest,
    JoinGroupResponse, ProposalDescription,
};

impl Play {
    /// A group of one, and at once a commit that adds the members.
    pub(super) async fn create_group(&mut self, actor: &str, members: &[String]) -> Progress {
        let group_id = fresh_id(&self.cast.clients.len().to_string(), self.step);
        let request = CreateGroupRequest {
            group_id: group_id.clone(),
            cipher_suite: self.cipher_suite,
            encrypt_handshake: self.cast.encrypt_handshake,
            identity: actor.as_bytes().to_vec(),
        };
        let answer = self.stub(actor)?.create_group(request).await;
        let state = self.answer(actor, "CreateGroup", answer)?.state_id;
        self.keep_state(actor, state);
        self.note(|notes| notes.group_id = Some(group_id));
        if members.is_empty() {
            return Ok(());
        }
        let mut by_value = Vec::new();
        for member in members {
            let package = self.create_key_package(member).await?;
            by_value.push(add(package.key_package));
        }
        let request = CommitRequest { state_id: state, by_value, ..CommitRequest::default() };
        let committed = self.send_commit(actor, request).await?;
        let authenticator = self.handle_pending_commit(actor).await?;
        for member in members {
            self.join(member, (&committed.welcome, &[]), &authenticator).await?;
        }
        Ok(())
    }

    pub(super) async fn create_key_package(&mut self, actor: &str) -> Progress<CreateKeyPackageResponse> {
        let identity = actor.as_bytes().to_vec();
        let request = CreateKeyPackageRequest { cipher_suite: self.cipher_suite, identity };
        let answer = self.stub(actor)?.create_key_package(request).await;
        let response = self.answer(actor, "CreateKeyPackage", answer)?;
        self.keep_transaction(actor, response.transaction_id);
        self.recorder.key_package(actor, &response);
        self.note(|notes| notes.key_package = Some(response.key_package.clone()));
        Ok(response)
    }

    pub(super) fn keep_transaction(&mut self, actor: &str, transaction: u32) {
        self.transactions.insert(actor.to_owned(), transaction);
        self.kept.insert((actor.to_owned(), transaction));
    }

    pub(super) fn transaction(&self, actor: &str) -> Progress<u32> {
        self.transactions.get(actor).copied().ok_or_else(|| malformed(format!("{actor} has no key package")))
    }

    /// Joins by the Welcome of a step.
    pub(super) async fn join_group(&mut self, actor: &str, step: usize) -> Progress {
        let welcome = self.of_step(step, "welcome", |notes| notes.welcome.clone())?;
        let tree = self.of_step(step, "tree", |notes| Some(notes.ratchet_tree.clone()))?;
        self.send_join(actor, (&welcome, &tree)).await.map(drop)
    }

    /// Joins, and agrees with the others.
    pub(super) async fn join(&mut self, actor: &str, invitation: (&[u8], &[u8]), authenticator: &[u8]) -> Progress {
        let joined = self.send_join(actor, invitation).await?;
        self.agree(actor, &joined.epoch_authenticator, authenticator)
    }

    async fn send_join(&mut self, actor: &str, (welcome, ratchet_tree): (&[u8], &[u8])) -> Progress<JoinGroupResponse> {
        let request = JoinGroupRequest {
            transaction_id: self.transaction(actor)?,
            welcome: welcome.to_vec(),
            encrypt_handshake: self.cast.encrypt_handshake,
            identity: actor.as_bytes().to_vec(),
            ratchet_tree: ratchet_tree.to_vec(),
        };
        let answer = self.stub(actor)?.join_group(request).await;
        let joined = self.answer(actor, "JoinGroup", answer)?;
        self.keep_state(actor, joined.state_id);
        let join = Join { welcome, ratchet_tree, epoch_authenticator: &joined.epoch_authenticator };
        self.recorder.joined(actor, self.cipher_suite, &join);
        Ok(joined)
    }
}

/// An Add by value.
fn add(key_package: Vec<u8>) -> ProposalDescription {
    ProposalDescription { proposal_type: b"add".to_vec(), key_package, ..ProposalDescription::default() }
}

/// A group id that no other run uses. Runs are told apart by a counter of this process and by its start.
pub(super) fn fresh_id(kind: &str, step: usize) -> Vec<u8> {
    use std::{
        sync::atomic::{AtomicU64, Ordering},
        time::{SystemTime, UNIX_EPOCH},
    };
    static RUNS: AtomicU64 = AtomicU64::new(0);
    let started = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos());
    let run = RUNS.fetch_add(1, Ordering::Relaxed);
    format!("interop-{started:x}-{run}-{kind}-{step}").into_bytes()
}
