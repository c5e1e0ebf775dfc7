//! PrivateMessages that a member seals, with any content, padding, sender data and generation (RFC 9420, Section 6.3).

use mls_crypto::Opaque;
use mls_engine::{
    group::Processed,
    math::LeafIndex,
    message::{Content, ContentType, WireFormat},
};
use testkit::forge::insider::Insider;

use crate::{Target, Verdict, choices::Choices, scene::scene};

pub(super) const TARGET: Target = Target {
    name: "private",
    oracle: "what opens was signed by the leaf it names, says what was sealed, and is refused after it was recorded",
    run,
    seeds,
};

fn run(bytes: &[u8]) -> Verdict {
    let (scene, mut choices) = (scene(), Choices::new(bytes));
    let insider = scene.insider();
    let text = choices.bytes().to_vec();
    let mut content = insider.own_content(Content::Application(Opaque::from(text.as_slice())));
    let content_type = [ContentType::Application, ContentType::Proposal, ContentType::Commit][choices.of(3)];
    let leaf = if choices.byte() > 200 { LeafIndex::new(choices.number() % 5) } else { insider.own };
    let mut envelope = insider.envelope(content_type, leaf, choices.number() % 300);
    envelope.authenticated_data = choices.bytes().to_vec();
    content.authenticated_data = Opaque::from(envelope.authenticated_data.as_slice());
    if choices.byte() > 200 {
        envelope.sender_data = Some(choices.bytes().to_vec());
    }
    let mut plaintext = Insider::plaintext(&insider.sign(WireFormat::PRIVATE_MESSAGE, content));
    plaintext.resize(plaintext.len() + choices.of(64), 0);
    choices.bend(&mut plaintext);
    // Sender data are sealed with a sample of the ciphertext, of one hash's length.
    plaintext.resize(plaintext.len().max(insider.suite.hash_len()), 0);
    let mut message = insider.seal_bytes(&envelope, plaintext);
    choices.bend(&mut message);
    open(&message, &text, insider.own)
}

fn open(message: &[u8], text: &[u8], sender: LeafIndex) -> Verdict {
    let alice = &scene().alice;
    let env = alice.host.env();
    let Ok(processed) = alice.group.process(&env, message) else { return Verdict::Refused };
    let Processed::Application(opened) = processed else { return Verdict::Accepted };
    assert_eq!((opened.plaintext.as_slice(), opened.sender), (text, sender));
    let step = alice.group.record(&env, opened.spent).unwrap();
    let mut records = alice.records.clone();
    records.apply(step.changes());
    let later = mls_engine::group::Group::load(&env, &records).unwrap();
    assert!(later.process(&env, message).is_err(), "one message was read twice");
    Verdict::Accepted
}

fn seeds() -> Vec<Vec<u8>> {
    vec![
        [&[5][..], b"hello"].concat(),
        [&[5][..], b"hello", &[0, 0, 9, 3], b"aad", &[0, 0, 7]].concat(),
        [&[0][..], &[1, 0, 1]].concat(),
        [&[0][..], &[0, 250, 2, 1]].concat(),
        vec![1, 65, 0, 0, 0, 0, 255, 4, 0, 0, 0, 9],
    ]
}
