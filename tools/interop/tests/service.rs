//! The service itself: what a server keeps, and what it survives.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::sync::Arc;

use interop::{
    Answer, Change, CommitParams, Committed, ExternalJoinParams, Failure, Invitation, Published, Running, Server,
    Stack,
    message::{
        AddProposalRequest, CommitRequest, CreateGroupRequest, CreateKeyPackageRequest, ExportRequest, FreeRequest,
        HandlePendingCommitRequest, JoinGroupRequest, NameRequest, PreSharedKey, ProposalDescription, ProtectRequest,
        StateAuthRequest, SupportedCiphersuitesRequest, UnprotectRequest,
    },
    ours::Ours,
    serve,
    service::Stub,
};
use mls_crypto_aws_lc::AwsLc;
use tonic::{Code, transport::Channel};

/// A server of a stack, and a client of it.
async fn connected<S: Stack>(stack: S) -> (Server<S>, Running, Stub<Channel>) {
    let server = Server::new(stack);
    let running = serve(([127, 0, 0, 1], 0).into(), server.handle()).await.unwrap();
    let stub = Stub::connect(format!("http://{}", running.address)).await.unwrap();
    (server, running, stub)
}

async fn ours() -> (Server<Ours>, Running, Stub<Channel>) {
    connected(Ours::new("ours", Arc::new(AwsLc::default()))).await
}

async fn create_group(stub: &mut Stub<Channel>) -> u32 {
    let request = CreateGroupRequest {
        group_id: b"group".to_vec(),
        cipher_suite: 1,
        encrypt_handshake: true,
        identity: b"alice".to_vec(),
    };
    stub.create_group(request).await.unwrap().into_inner().state_id
}

#[tokio::test(flavor = "multi_thread")]
async fn two_members_agree_and_talk() {
    let (server, _running, mut stub) = ours().await;
    let alice = create_group(&mut stub).await;
    let request = CreateKeyPackageRequest { cipher_suite: 1, identity: b"bob".to_vec() };
    let package = stub.create_key_package(request).await.unwrap().into_inner();
    let add = ProposalDescription {
        proposal_type: b"add".to_vec(),
        key_package: package.key_package,
        ..ProposalDescription::default()
    };
    let request = CommitRequest { state_id: alice, by_value: vec![add], ..CommitRequest::default() };
    let committed = stub.commit(request).await.unwrap().into_inner();
    stub.handle_pending_commit(HandlePendingCommitRequest { state_id: alice }).await.unwrap();
    let request = JoinGroupRequest {
        transaction_id: package.transaction_id,
        welcome: committed.welcome,
        encrypt_handshake: true,
        identity: b"bob".to_vec(),
        ratchet_tree: Vec::new(),
    };
    let bob = stub.join_group(request).await.unwrap().into_inner();
    let auth = stub.state_auth(StateAuthRequest { state_id: alice }).await.unwrap().into_inner();
    assert_eq!(auth.state_auth_secret, bob.epoch_authenticator);
    let mut exported = Vec::new();
    for state_id in [alice, bob.state_id] {
        let request =
            ExportRequest { state_id, label: "label".to_owned(), context: b"context".to_vec(), key_length: 40 };
        exported.push(stub.export(request).await.unwrap().into_inner().exported_secret);
    }
    assert_eq!((exported[0].len(), &exported[0]), (40, &exported[1]));
    let request =
        ProtectRequest { state_id: alice, authenticated_data: b"beside".to_vec(), plaintext: b"hello".to_vec() };
    let ciphertext = stub.protect(request).await.unwrap().into_inner().ciphertext;
    let read = stub.unprotect(UnprotectRequest { state_id: bob.state_id, ciphertext }).await.unwrap().into_inner();
    assert_eq!((&read.authenticated_data[..], &read.plaintext[..]), (&b"beside"[..], &b"hello"[..]));
    assert_eq!(server.held(), 2, "the transaction ended with the join");
}

#[tokio::test(flavor = "multi_thread")]
async fn freeing_forgets() {
    let (server, _running, mut stub) = ours().await;
    let state_id = create_group(&mut stub).await;
    assert_eq!(server.held(), 1);
    stub.free(FreeRequest { state_id }).await.unwrap();
    assert_eq!(server.held(), 0);
    let gone = stub.state_auth(StateAuthRequest { state_id }).await.unwrap_err();
    let twice = stub.free(FreeRequest { state_id }).await.unwrap_err();
    assert_eq!((gone.code(), twice.code()), (Code::NotFound, Code::NotFound));
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_end_a_call_only() {
    let (_server, _running, mut stub) = ours().await;
    let state_id = create_group(&mut stub).await;
    let bad = AddProposalRequest { state_id, key_package: vec![7; 99] };
    assert_eq!(stub.add_proposal(bad).await.unwrap_err().code(), Code::FailedPrecondition);
    let package = CreateKeyPackageRequest { cipher_suite: 0x1_0001, identity: Vec::new() };
    assert_eq!(stub.create_key_package(package).await.unwrap_err().code(), Code::InvalidArgument);
    let pending = HandlePendingCommitRequest { state_id };
    assert_eq!(stub.handle_pending_commit(pending).await.unwrap_err().code(), Code::FailedPrecondition);
    let unknown = ProposalDescription { proposal_type: b"dance".to_vec(), ..ProposalDescription::default() };
    let commit = CommitRequest { state_id, by_value: vec![unknown], ..CommitRequest::default() };
    assert_eq!(stub.commit(commit).await.unwrap_err().code(), Code::InvalidArgument);
    stub.state_auth(StateAuthRequest { state_id }).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_ends_a_call_only() {
    let (_server, _running, mut stub) = connected(Fragile).await;
    assert_eq!(stub.name(NameRequest {}).await.unwrap_err().code(), Code::Internal);
    let suites = stub.supported_ciphersuites(SupportedCiphersuitesRequest {}).await.unwrap().into_inner();
    assert_eq!(suites.ciphersuites, [1]);
    let request = CreateKeyPackageRequest { cipher_suite: 1, identity: Vec::new() };
    assert_eq!(stub.create_key_package(request).await.unwrap_err().code(), Code::Unimplemented);
}

/// Panics when asked for its name, and cannot do anything.
struct Fragile;

const UNSUPPORTED: Failure = Failure::Unsupported("anything");

impl Stack for Fragile {
    type Member = ();
    type Joiner = ();
    type Successor = ();
    type Signer = ();

    fn name(&self) -> &str {
        panic!("on purpose")
    }

    fn cipher_suites(&self) -> Vec<u16> {
        vec![1]
    }

    fn create_group(&self, _: &CreateGroupRequest) -> Answer<()> {
        Err(UNSUPPORTED)
    }

    fn create_key_package(&self, _: u16, _: &[u8]) -> Answer<((), Published)> {
        Err(UNSUPPORTED)
    }

    fn join(&self, (): &mut (), _: Invitation<'_>, _: bool) -> Answer<()> {
        Err(UNSUPPORTED)
    }

    fn join_external(&self, _: &ExternalJoinParams<'_>) -> Answer<((), Vec<u8>)> {
        Err(UNSUPPORTED)
    }

    fn group_info(&self, (): &mut (), _: bool) -> Answer<(Vec<u8>, Vec<u8>)> {
        Err(UNSUPPORTED)
    }

    fn epoch_authenticator(&self, (): &()) -> Answer<Vec<u8>> {
        Err(UNSUPPORTED)
    }

    fn export(&self, (): &mut (), _: &str, _: &[u8], _: usize) -> Answer<Vec<u8>> {
        Err(UNSUPPORTED)
    }

    fn protect(&self, (): &mut (), _: &[u8], _: &[u8]) -> Answer<Vec<u8>> {
        Err(UNSUPPORTED)
    }

    fn unprotect(&self, (): &mut (), _: &[u8]) -> Answer<(Vec<u8>, Vec<u8>)> {
        Err(UNSUPPORTED)
    }

    fn store_psk(&self, (): &mut (), _: &PreSharedKey) -> Answer<()> {
        Err(UNSUPPORTED)
    }

    fn store_psk_to_join(&self, (): &mut (), _: &PreSharedKey) -> Answer<()> {
        Err(UNSUPPORTED)
    }

    fn propose(&self, (): &mut (), _: Change) -> Answer<Vec<u8>> {
        Err(UNSUPPORTED)
    }

    fn commit(&self, (): &mut (), _: CommitParams) -> Answer<Committed> {
        Err(UNSUPPORTED)
    }

    fn handle_pending_commit(&self, (): &mut ()) -> Answer<()> {
        Err(UNSUPPORTED)
    }

    fn handle_commit(&self, (): &mut (), _: &[Vec<u8>], _: &[u8]) -> Answer<()> {
        Err(UNSUPPORTED)
    }
}
