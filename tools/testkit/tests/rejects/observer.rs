//! What a delivery service refuses, without any secret (RFC 9420, Section 16.4.1): by the same rules as members.

use mls_engine::{
    error::{DecodeError, ProcessError, Signed},
    group::{Observed, Observer},
    message::{Content, Sender, WireFormat},
};
use testkit::network::Host;

use crate::scene::{BLANK, CAROL, DAVE, MALLORY, SUITE, Scene, newcomer, path_of, psk, remove};

/// The service's host, and its view of the scene's group.
fn watch(scene: &Scene) -> (Host, Observer) {
    let info = scene.mallory.group.group_info(&scene.mallory.host.env(), true, true).unwrap();
    let host = newcomer("service", 80, SUITE).host;
    let observer = Observer::new(&host.env(), &info, None).unwrap();
    (host, observer)
}

/// The service refuses the message, and goes on with an honest one.
fn refuses(scene: &Scene, message: &[u8], expected: ProcessError) {
    let (host, observer) = watch(scene);
    assert_eq!(observer.process(&host.env(), message).map(|_| ()).unwrap_err(), expected);
    let insider = scene.insider();
    let honest = insider.finish(&insider.commit_with_path(vec![]));
    let (observed, next) = observer.process(&host.env(), &honest).unwrap();
    assert!(matches!(observed, Observed::Commit { committer: MALLORY, .. }));
    assert_eq!((observer.public().context().epoch, next.public().context().epoch), (2, 3));
}

/// COM-05, LIST-03, LIST-04, PATH-02, EXT-08
#[test]
fn commit_that_members_would_refuse() {
    let scene = Scene::new();
    let insider = scene.insider();
    refuses(&scene, &insider.finish(&insider.commit(vec![])), ProcessError::PathRequired);
    let message = insider.finish(&insider.commit_with_path(vec![remove(MALLORY)]));
    refuses(&scene, &message, ProcessError::CommitterRemoved(MALLORY));
    let message = insider.finish(&insider.commit_with_path(vec![remove(DAVE), remove(DAVE)]));
    refuses(&scene, &message, ProcessError::LeafChangedTwice(DAVE));
    let mut forged = insider.commit_with_path(vec![]);
    path_of(&mut forged).nodes[1].encrypted_path_secret.pop();
    let expected = ProcessError::PathCiphertexts { position: 1, got: 1, expected: 2 };
    refuses(&scene, &insider.finish(&forged), expected);
    let message = insider.finish(&insider.external(&newcomer("frank", 50, SUITE), vec![remove(CAROL)]));
    refuses(&scene, &message, ProcessError::Refused(testkit::network::TestPolicy::SUCCESSOR));
}

/// FRM-01, FRM-03, FRM-04, FRM-07, FRM-08
#[test]
fn message_that_members_would_refuse() {
    let scene = Scene::new();
    let insider = scene.insider();
    let edited = |edit: &dyn Fn(&mut mls_engine::message::FramedContent)| {
        let mut content = insider.own_content(Content::Proposal(psk(1)));
        edit(&mut content);
        insider.public_bytes(insider.sign(WireFormat::PUBLIC_MESSAGE, content))
    };
    let data = mls_crypto::Opaque::from(&b"hello"[..]);
    let message = edited(&|content| content.content = Content::Application(data.clone()));
    refuses(&scene, &message, ProcessError::PublicApplicationData);
    let message = edited(&|content| content.group_id = data.clone());
    refuses(&scene, &message, ProcessError::WrongGroup);
    let message = edited(&|content| content.epoch = 1);
    refuses(&scene, &message, ProcessError::StaleEpoch { got: 1, current: 2 });
    let message = edited(&|content| content.sender = Sender::Member(BLANK));
    refuses(&scene, &message, ProcessError::UnknownMember(BLANK));
    let message = edited(&|content| content.sender = Sender::Member(CAROL));
    refuses(&scene, &message, ProcessError::BadSignature(Signed::Message));
    let message = edited(&|content| content.content = Content::Proposal(remove(BLANK)));
    refuses(&scene, &message, ProcessError::RemovedLeafBlank(BLANK));
}

/// FRM-02, DEC-12: what cannot be seen from outside, and what is not for a group.
#[test]
fn message_that_cannot_be_read() {
    let mut scene = Scene::new();
    let private = scene.carol.send(b"hello").unwrap();
    refuses(&scene, &private, ProcessError::WrongFraming);
    let package = newcomer("frank", 50, SUITE).key_package().message().unwrap();
    refuses(&scene, &package, ProcessError::Decode(DecodeError::UnsupportedWireFormat));
}
