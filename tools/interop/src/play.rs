//! One run of a script: every call to every client, in order.
//!
//! In: a script, who plays whom, a suite, a framing. Out: whether all agreed, or the step and call that failed.
//! Always: whatever happens, the servers are told to free what the run made them keep.

mod application;
mod commit;
mod external;
mod join;
mod notes;
mod propose;
mod record;
mod subgroup;

use std::collections::{BTreeMap, BTreeSet};

use tonic::{Code, Response, Status, transport::Channel};

use crate::{
    client::Client,
    message::FreeRequest,
    script::{Script, Step},
    service::Stub,
};
use notes::Notes;
use record::Recorder;
pub(crate) use record::Recording;

/// How a script is to be played.
#[derive(Clone, Debug)]
pub(crate) struct Cast {
    /// Who plays whom.
    pub(crate) clients: BTreeMap<String, Client>,
    /// The suite to begin with.
    pub(crate) cipher_suite: u32,
    /// Whether handshakes are encrypted.
    pub(crate) encrypt_handshake: bool,
}

/// Why a step did not do what it should.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Trouble {
    /// A server said that it cannot do this at all.
    Unsupported(String),
    /// A server refused, or did not agree with the others.
    Failed(String),
}

/// A result of one step.
pub(crate) type Progress<T = ()> = Result<T, Trouble>;

/// The state of a run.
#[derive(Debug)]
pub(crate) struct Play {
    cast: Cast,
    /// The suite now; ReInit may change it.
    cipher_suite: u32,
    states: BTreeMap<String, u32>,
    transactions: BTreeMap<String, u32>,
    signers: BTreeMap<String, u32>,
    /// Everything that a server keeps for us, to be freed at the end.
    kept: BTreeSet<(String, u32)>,
    notes: Vec<Notes>,
    recorder: Recorder,
    /// The step under way.
    step: usize,
}

impl Play {
    /// Plays the script to its end or to the first trouble: the step, and what happened there.
    pub(crate) async fn run(script: &Script, cast: Cast) -> (Result<(), (usize, Trouble)>, Recording) {
        let mut play = Self {
            cipher_suite: cast.cipher_suite,
            cast,
            states: BTreeMap::new(),
            transactions: BTreeMap::new(),
            signers: BTreeMap::new(),
            kept: BTreeSet::new(),
            notes: vec![Notes::default(); script.steps.len()],
            recorder: Recorder::default(),
            step: 0,
        };
        let mut result = Ok(());
        for (number, step) in script.steps.iter().enumerate() {
            play.step = number;
            if let Err(trouble) = play.step(step).await {
                result = Err((number, trouble));
                break;
            }
        }
        let freed = play.free_all().await;
        if result.is_ok()
            && let Err(trouble) = freed
        {
            result = Err((script.steps.len(), trouble));
        }
        (result, play.recorder.finish())
    }

    async fn step(&mut self, step: &Step) -> Progress {
        match step {
            Step::CreateGroup { actor, members } => self.create_group(actor, members).await,
            Step::CreateKeyPackage { actor } => self.create_key_package(actor).await.map(drop),
            Step::JoinGroup { actor, welcome } => self.join_group(actor, *welcome).await,
            Step::ExternalJoin { .. } => self.external_join(step).await,
            Step::InstallExternalPsk { clients } => self.install_external_psk(clients).await,
            Step::GroupInfo { actor, external_tree } => self.group_info(actor, *external_tree).await.map(drop),
            Step::FullCommit { actor, commit } => self.full_commit(actor, commit).await,
            Step::Commit { actor, commit } => self.commit(actor, commit).await,
            Step::HandleCommit { actor, commit, by_reference } => {
                self.handle_commit_of(actor, *commit, by_reference).await
            }
            Step::HandlePendingCommit { actor } => self.handle_pending_commit(actor).await.map(drop),
            Step::Protect { actor, authenticated_data, plaintext } => {
                self.protect(actor, authenticated_data.as_bytes(), plaintext.as_bytes()).await
            }
            Step::Unprotect { actor, ciphertext } => self.unprotect(actor, *ciphertext).await,
            Step::ReInit(reinit) => self.reinit(reinit).await,
            Step::Branch { .. } => self.branch(step).await,
            Step::NewMemberAddProposal { actor, joiner } => self.new_member_add_proposal(actor, joiner).await,
            Step::AddExternalSigner { actor, signer } => self.add_external_signer(actor, signer).await,
            Step::ExternalSignerProposal { actor, member, description } => {
                self.external_signer_proposal(actor, member, description).await
            }
            Step::AddProposal { .. }
            | Step::UpdateProposal { .. }
            | Step::RemoveProposal { .. }
            | Step::ExternalPskProposal { .. }
            | Step::ResumptionPskProposal { .. }
            | Step::GroupContextExtensionsProposal { .. } => self.propose(step).await,
        }
    }

    /// An actor's client.
    fn stub(&self, actor: &str) -> Progress<Stub<Channel>> {
        self.cast.clients.get(actor).map(Client::stub).ok_or_else(|| malformed(format!("nobody plays {actor}")))
    }

    /// What an actor's client answered.
    fn answer<T>(&self, actor: &str, call: &str, answer: Result<Response<T>, Status>) -> Progress<T> {
        let name = self.cast.clients.get(actor).map_or("?", |client| client.name.as_str());
        answer.map(Response::into_inner).map_err(|status| {
            let text = format!("{call} at {actor} ({name}): {}", status.message());
            if status.code() == Code::Unimplemented { Trouble::Unsupported(text) } else { Trouble::Failed(text) }
        })
    }

    fn state(&self, actor: &str) -> Progress<u32> {
        self.states.get(actor).copied().ok_or_else(|| malformed(format!("{actor} is in no group")))
    }

    /// An actor's state is this from now on.
    fn keep_state(&mut self, actor: &str, state: u32) {
        self.states.insert(actor.to_owned(), state);
        self.kept.insert((actor.to_owned(), state));
    }

    /// Members of one epoch have one authenticator.
    fn agree(&self, actor: &str, got: &[u8], expected: &[u8]) -> Progress {
        if got == expected { Ok(()) } else { Err(Trouble::Failed(format!("{actor} has another epoch authenticator"))) }
    }

    /// Frees everything. Final states must be there to be freed; of the rest, servers may have freed some already.
    async fn free_all(&mut self) -> Progress {
        let last: BTreeSet<_> = self.states.iter().map(|(actor, state)| (actor.clone(), *state)).collect();
        let mut result = Ok(());
        for (actor, number) in std::mem::take(&mut self.kept) {
            let answer = self.stub(&actor)?.free(FreeRequest { state_id: number }).await;
            let freed = self.answer(&actor, "Free", answer).map(drop);
            if result.is_ok() && last.contains(&(actor, number)) {
                result = freed;
            }
        }
        result
    }
}

/// A script that makes no sense.
fn malformed(what: String) -> Trouble {
    Trouble::Failed(format!("malformed script: {what}"))
}
