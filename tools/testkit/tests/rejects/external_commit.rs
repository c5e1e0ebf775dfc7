//! External commits (RFC 9420, Sections 12.2 and 12.4.3.2): the members' side, and the joiner's.

use mls_crypto::Opaque;
use mls_engine::{
    codec::{decode_exact, encode},
    error::{OperationError, ProcessError, Signed},
    message::{ExtensionType, Extensions, ExternalInit, GroupInfo, MlsMessage, Proposal, ProposalOrRef, ProposalType},
};
use testkit::network::{NewMember, TestPolicy};

use crate::scene::{
    ALICE, BLANK, CAROL, CUSTOM, DAVE, MALLORY, SUITE, Scene, UNKNOWN_EXTENSION, add, custom, extensions, newcomer,
    one_extension, package, path_of, psk, reinit, remove, update,
};

fn frank() -> NewMember {
    newcomer("frank", 50, SUITE)
}

/// Alice refuses an external commit of Frank's with these proposals after his ExternalInit.
fn refuses(scene: &Scene, proposals: Vec<Proposal>, expected: ProcessError) {
    let insider = scene.insider();
    scene.refuses(&insider.finish(&insider.external(&frank(), proposals)), expected);
}

fn accepts(scene: &Scene, newcomer: &NewMember, proposals: Vec<Proposal>) {
    let insider = scene.insider();
    scene.accepts(&insider.finish(&insider.external(newcomer, proposals)));
}

/// EXT-01
#[test]
fn not_exactly_one_external_init() {
    let scene = Scene::new();
    accepts(&scene, &frank(), vec![]);
    let insider = scene.insider();
    let mut forged = insider.external(&frank(), vec![]);
    let init = forged.proposals.clone();
    forged.proposals.clear();
    scene.refuses(&insider.finish(&forged), ProcessError::ExternalInitCount);
    forged.proposals = [init.clone(), init].concat();
    scene.refuses(&insider.finish(&forged), ProcessError::ExternalInitCount);
}

/// EXT-02
#[test]
fn two_removes() {
    refuses(&Scene::new(), vec![remove(CAROL), remove(DAVE)], ProcessError::InvalidExternalCommit);
}

/// EXT-03
#[test]
fn proposals_of_other_types() {
    let scene = Scene::new();
    accepts(&scene, &frank(), vec![psk(1)]);
    let leaf = scene.insider().update_leaf(|_| {});
    for (proposal, kind) in [
        (add(package("grace", 51)), ProposalType::ADD),
        (update(leaf), ProposalType::UPDATE),
        (Proposal::ReInit(reinit(b"next")), ProposalType::REINIT),
        (extensions(Extensions::new()), ProposalType::GROUP_CONTEXT_EXTENSIONS),
        (custom(CUSTOM), CUSTOM),
    ] {
        refuses(&scene, vec![proposal], ProcessError::ProposalNotAllowed(kind));
    }
}

/// EXT-03, PROP-09, LIST-07: PSKs are judged as in any commit.
#[test]
fn bad_psks() {
    let scene = Scene::new();
    refuses(&scene, vec![psk(1), psk(1)], ProcessError::DuplicatePsk);
    let Proposal::PreSharedKey(mut short) = psk(1) else { panic!("no PSK") };
    short.psk.psk_nonce = Opaque::new(vec![1; 31]);
    refuses(&scene, vec![Proposal::PreSharedKey(short)], ProcessError::PskNonceLength);
}

/// EXT-04
#[test]
fn proposal_by_reference() {
    let mut scene = Scene::new();
    let insider = scene.insider();
    let (message, reference) = insider.proposal(psk(1));
    scene.alice.receive(&message).unwrap();
    let mut forged = insider.external(&frank(), vec![psk(1)]);
    forged.proposals[1] = ProposalOrRef::Reference(reference);
    scene.refuses(&insider.finish(&forged), ProcessError::InvalidExternalCommit);
}

/// EXT-05, FRM-11
#[test]
fn no_path() {
    let scene = Scene::new();
    let insider = scene.insider();
    let mut forged = insider.external(&frank(), vec![]);
    forged.path = None;
    scene.refuses(&insider.finish(&forged), ProcessError::InvalidExternalCommit);
}

/// EXT-07, FRM-11
#[test]
fn signed_with_another_key() {
    let scene = Scene::new();
    let insider = scene.insider();
    let mut forged = insider.external(&frank(), vec![]);
    forged.signature_key = insider.signature_key.duplicate();
    scene.refuses(&insider.finish(&forged), ProcessError::BadSignature(Signed::Message));
}

/// EXT-08, CRED-08, X-AUTH-07: the joiner removes somebody who is not itself.
#[test]
fn removal_of_another_identity() {
    let scene = Scene::new();
    refuses(&scene, vec![remove(CAROL)], ProcessError::Refused(TestPolicy::SUCCESSOR));
}

/// EXT-08, EXT-09: the boundary: Carol replaces herself, with a new signature key or the old one.
#[test]
fn removal_of_the_old_self() {
    let scene = Scene::new();
    accepts(&scene, &newcomer("carol", 53, SUITE), vec![remove(CAROL)]);
    let same_key = newcomer("carol", 3, SUITE);
    accepts(&scene, &same_key, vec![remove(CAROL)]);
}

/// EXT-09, LN-22: without the removal, the key is there twice.
#[test]
fn old_self_that_stays() {
    let scene = Scene::new();
    let insider = scene.insider();
    let carol = newcomer("carol", 3, SUITE);
    let mut forged = insider.external(&newcomer("carol", 53, SUITE), vec![]);
    forged.signature_key = carol.signature_key.duplicate();
    let key = scene.carol.group.own_leaf().unwrap().signature_key.clone();
    insider.remake_path(&mut forged, |path| path.leaf_node.signature_key = key);
    scene.refuses(&insider.finish(&forged), ProcessError::DuplicateKey);
}

/// EXT-08, LN-07
#[test]
fn removal_with_the_same_encryption_key() {
    let scene = Scene::new();
    let insider = scene.insider();
    let mut forged = insider.external(&newcomer("carol", 53, SUITE), vec![remove(CAROL)]);
    let key = scene.carol.group.own_leaf().unwrap().encryption_key.clone();
    insider.remake_path(&mut forged, |path| path.leaf_node.encryption_key = key);
    scene.refuses(&insider.finish(&forged), ProcessError::LeafKeyNotFresh);
}

/// EXT-03, PROP-06
#[test]
fn removal_of_a_blank_leaf() {
    refuses(&Scene::new(), vec![remove(BLANK)], ProcessError::RemovedLeafBlank(BLANK));
}

/// EXT-11, LN-03: the joiner signs its leaf for another place than the leftmost blank one.
#[test]
fn leaf_at_another_place() {
    let scene = Scene::new();
    let insider = scene.insider();
    let mut forged = insider.external(&frank(), vec![]);
    let index = std::mem::replace(&mut forged.index, BLANK);
    insider.edit_path(&mut forged, |_| {});
    forged.index = index;
    scene.refuses(&insider.finish(&forged), ProcessError::BadSignature(Signed::LeafNode(Some(index))));
}

/// EXT-11: the leaf that was just removed may be the leftmost blank one.
#[test]
fn joiner_takes_the_leftmost_blank_leaf() {
    let scene = Scene::new();
    let insider = scene.insider();
    assert_eq!(insider.external(&frank(), vec![]).index.get(), 5);
    let forged = insider.external(&newcomer("carol", 53, SUITE), vec![remove(CAROL)]);
    assert_eq!(forged.index, CAROL);
    scene.accepts(&insider.finish(&forged));
}

/// EXT-16
#[test]
fn application_wants_none() {
    let mut scene = Scene::new();
    scene.alice.host.policy.no_external_commits = true;
    refuses(&scene, vec![], ProcessError::Refused(TestPolicy::EXTERNAL));
}

/// EXT-10, COM-20: keyed from this epoch's init secret instead of the external one.
#[test]
fn init_secret_of_the_epoch() {
    let scene = Scene::new();
    let insider = scene.insider();
    let mut forged = insider.external(&frank(), vec![]);
    forged.init_secret = None;
    scene.refuses(&insider.finish(&forged), ProcessError::BadConfirmationTag);
}

/// PROP-15
#[test]
fn kem_output_of_a_wrong_length() {
    let scene = Scene::new();
    let insider = scene.insider();
    let mut forged = insider.external(&frank(), vec![]);
    let init = ExternalInit { kem_output: Opaque::new(vec![9; 31]) };
    forged.proposals[0] = ProposalOrRef::Proposal(Proposal::ExternalInit(init));
    let expected = ProcessError::Crypto(mls_crypto::CryptoError::InvalidKemOutput);
    scene.refuses(&insider.finish(&forged), expected);
}

/// CRY-08, PROP-15: a point of small order.
#[test]
fn kem_output_of_small_order() {
    let scene = Scene::new();
    let insider = scene.insider();
    let mut forged = insider.external(&frank(), vec![]);
    let init = ExternalInit { kem_output: Opaque::new(vec![0; 32]) };
    forged.proposals[0] = ProposalOrRef::Proposal(Proposal::ExternalInit(init));
    let expected = ProcessError::Crypto(mls_crypto::CryptoError::ZeroSharedSecret);
    scene.refuses(&insider.finish(&forged), expected);
}

/// EXT-07, LN-01, LN-08, LN-12: the joiner's leaf is judged as any other.
#[test]
fn unacceptable_leaf() {
    let mut scene = Scene::new();
    let insider = scene.insider();
    let mut forged = insider.external(&frank(), vec![]);
    insider.edit_path(&mut forged, |path| path.leaf_node.extensions = one_extension(UNKNOWN_EXTENSION, b""));
    scene.refuses(&insider.finish(&forged), ProcessError::UnsupportedExtension(UNKNOWN_EXTENSION));
    scene.alice.host.policy.refused = vec![b"frank".to_vec()];
    refuses(&scene, vec![], ProcessError::Refused(TestPolicy::CREDENTIAL));
}

/// PATH-01 in an external commit.
#[test]
fn path_of_another_length() {
    let scene = Scene::new();
    let insider = scene.insider();
    let mut forged = insider.external(&frank(), vec![]);
    let expected = path_of(&mut forged).nodes.len();
    path_of(&mut forged).nodes.pop();
    scene.refuses(&insider.finish(&forged), ProcessError::PathLength { got: expected - 1, expected });
}

/// EXT-17, COM-24: the old self is removed by its return.
#[test]
fn old_self_is_removed() {
    let mut scene = Scene::new();
    let insider = scene.insider();
    let message = insider.finish(&insider.external(&newcomer("alice", 54, SUITE), vec![remove(ALICE)]));
    scene.alice.receive(&message).unwrap();
    assert_eq!(*scene.alice.group.status(), mls_engine::group::Status::Removed);
}

/// The GroupInfo that Mallory publishes, edited and signed again.
fn group_info(scene: &Scene, edit: impl FnOnce(&mut GroupInfo)) -> Vec<u8> {
    let bytes = scene.mallory.group.group_info(&scene.mallory.host.env(), true, true).unwrap();
    let MlsMessage::GroupInfo(mut info) = decode_exact(&bytes).unwrap() else { panic!("no GroupInfo") };
    edit(&mut info);
    let (insider, tbs) = (scene.insider(), info.tbs().unwrap());
    let label = GroupInfo::SIGNATURE_LABEL;
    let signature = mls_crypto::label::sign_with_label(insider.suite.as_ref(), &insider.signature_key, label, &tbs);
    info.signature = Opaque::new(signature.unwrap());
    encode(&MlsMessage::GroupInfo(info)).unwrap()
}

fn joiner_refuses(scene: &Scene, expected: ProcessError, edit: impl FnOnce(&mut GroupInfo)) {
    let result = frank().join_external(&group_info(scene, edit), None, None);
    assert_eq!(result.map(|_| ()).unwrap_err(), OperationError::Rule(expected));
}

/// EXT-12
#[test]
fn group_info_without_external_pub() {
    let scene = Scene::new();
    frank().join_external(&group_info(&scene, |_| {}), None, None).unwrap();
    joiner_refuses(&scene, ProcessError::NoExternalPub, |info| info.extensions.remove(ExtensionType::EXTERNAL_PUB));
}

/// DEC-08, EXT-12: the body of `external_pub` is exactly one key, and the key is one.
#[test]
fn external_pub_that_is_no_key() {
    let scene = Scene::new();
    for (body, expected) in [
        (&[1, 9, 0][..], ProcessError::Decode(mls_engine::error::DecodeError::TrailingBytes)),
        (&[1, 9], ProcessError::Crypto(mls_crypto::CryptoError::InvalidPublicKey)),
    ] {
        joiner_refuses(&scene, expected, |info| info.extensions.set(ExtensionType::EXTERNAL_PUB, body.to_vec()));
    }
}

/// EXT-13: signer, signature, tree hash, tree, suite, extensions, credentials.
#[test]
fn group_info_that_is_not_sound() {
    let scene = Scene::new();
    joiner_refuses(&scene, ProcessError::BadSignature(Signed::GroupInfo), |info| info.signer = ALICE);
    joiner_refuses(&scene, ProcessError::UnknownMember(BLANK), |info| info.signer = BLANK);
    joiner_refuses(&scene, ProcessError::TreeNeeded, |info| info.extensions.remove(ExtensionType::RATCHET_TREE));
    let other = *scene.alice.group.public().interim_transcript_hash();
    joiner_refuses(&scene, ProcessError::TreeHashMismatch, |info| info.group_context.tree_hash = other);
    let suite = mls_crypto::CipherSuite::P256_AES128;
    let expected = ProcessError::BadSignature(Signed::GroupInfo);
    let result = frank().join_external(&group_info(&scene, |info| info.group_context.cipher_suite = suite), None, None);
    assert!(matches!(result, Err(OperationError::Rule(_))), "{expected:?}");
    joiner_refuses(&scene, ProcessError::MissingCapability, |info| {
        info.group_context.extensions = one_extension(UNKNOWN_EXTENSION, b"");
    });
    let mut wary = frank();
    wary.host.policy.refused = vec![b"dave".to_vec()];
    let refused = wary.join_external(&group_info(&scene, |_| {}), None, None).map(|_| ()).unwrap_err();
    assert_eq!(refused, OperationError::Rule(ProcessError::Refused(TestPolicy::CREDENTIAL)));
}

/// EXT-01 to EXT-03, EXT-08: the joiner does not even make a commit that members would refuse.
#[test]
fn joiner_checks_its_own_commit() {
    let scene = Scene::new();
    let info = group_info(&scene, |_| {});
    for (target, expected) in
        [(BLANK, ProcessError::RemovedLeafBlank(BLANK)), (MALLORY, ProcessError::Refused(TestPolicy::SUCCESSOR))]
    {
        let result = frank().join_external(&info, None, Some(target)).map(|_| ()).unwrap_err();
        assert_eq!(result, OperationError::Rule(expected));
    }
}
