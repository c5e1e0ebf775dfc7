//! ADV: envelopes that are broken, too large, of the wrong kind, or for somebody else.

use mls_engine::{
    error::ProcessError,
    message::{ContentType, MlsMessage},
};
use spacepanda_core::core_mls::{
    Client, HandshakeFraming, MAX_ENVELOPE_SIZE, MessageType, MlsConfig, MlsEnvelope, MlsError, MlsHandle, MlsResult,
    Padding,
};

use crate::support::{
    Numbers, OPEN_FAILED, assert_agree, assert_echo_once, assert_opens, assert_refused, client, client_with, config,
    group_of, pair, pair_with, rewrite, state, wrap,
};

const KINDS: [MessageType; 4] =
    [MessageType::Welcome, MessageType::Proposal, MessageType::Commit, MessageType::Application];

/// Two kinds that are not the same: twelve pairs.
fn wrong_pairs() -> impl Iterator<Item = (usize, usize)> {
    (0..4).flat_map(|a| (0..4).map(move |b| (a, b))).filter(|(a, b)| a != b)
}

/// A group of two that is about to be three, and one envelope of each kind on its way, in the order of [`KINDS`].
struct Post {
    alice: MlsHandle,
    bob: MlsHandle,
    carol: Client,
    envelopes: [MlsEnvelope; 4],
}

impl Post {
    fn new(config: &MlsConfig) -> Self {
        let (alice, bob) = pair_with(config);
        let carol = client_with("carol", config);
        let application = alice.send_message(b"hello").unwrap();
        let proposal = alice.propose_add(&carol.generate_key_package().unwrap(), b"carol").unwrap();
        let (commit, welcomes) = alice.commit().unwrap();
        Self { alice, bob, carol, envelopes: [welcomes[0].clone(), proposal, commit, application] }
    }

    /// Hands an envelope to the verb for another kind, or the right one.
    fn receive(&self, verb: MessageType, envelope: &MlsEnvelope) -> MlsResult<()> {
        match verb {
            MessageType::Welcome => self.carol.join_group(envelope).map(drop),
            MessageType::Proposal => self.bob.receive_proposal(envelope).map(drop),
            MessageType::Commit => self.bob.receive_commit(envelope).map(drop),
            MessageType::Application => self.bob.receive_message(envelope).map(drop),
        }
    }

    /// After all that was refused, the originals do what they were made for.
    fn assert_arrives(&self) {
        let [welcome, proposal, commit, application] = &self.envelopes;
        assert_opens(&self.bob, application, b"hello");
        self.bob.receive_proposal(proposal).unwrap();
        self.bob.receive_commit(commit).unwrap();
        let joined = self.carol.join_group(welcome).unwrap();
        assert_agree(&[&self.alice, &self.bob, &joined]);
    }

    /// What Bob and Carol have.
    fn state(&self) -> impl PartialEq + core::fmt::Debug + use<> {
        (state(&self.bob), self.carol.groups().unwrap(), self.carol.key_package_count().unwrap())
    }
}

/// ADV-09: what is not JSON, not our JSON, too deep or too large to be a number.
#[test]
fn adv_09_malformed_json_is_refused() {
    let (alice, bob) = pair_with(&config(|c| c.handshake_framing = HandshakeFraming::Public));
    let envelope = alice.send_message(b"hello").unwrap();
    let json = envelope.to_json().unwrap();
    let deep = "[".repeat(200_000);
    let closed = format!("{deep}{}", "]".repeat(200_000));
    let replaced = |from: &str, to: &str| {
        assert!(json.contains(from), "{from}");
        json.replacen(from, to, 1)
    };
    let malformed = [
        String::new(),
        "null".into(),
        "[]".into(),
        "{}".into(),
        "\u{0}".into(),
        json[..json.len() - 1].into(),
        format!("{json}{json}"),
        deep.clone(),
        closed.clone(),
        r#"{"a":"#.repeat(200_000),
        replaced("null", &deep),
        replaced("null", &closed),
        replaced(r#""version":1"#, r#""version":65536"#),
        replaced(r#""version":1"#, r#""version":-1"#),
        replaced(r#""version":1"#, r#""version":1.0"#),
        replaced(r#""version":1"#, r#""version":1e400"#),
        replaced(r#""version":1"#, &format!(r#""version":1{}"#, "0".repeat(100_000))),
        replaced(r#""sender":null"#, r#""sender":4294967296"#),
        replaced(r#""sender":null"#, r#""sender":"0""#),
        replaced(r#""sender":null"#, r#""sender":null,"sender":null"#),
        replaced(r#""sender":null"#, r#""sender":null,"admin":true"#),
        replaced(r#""application""#, r#""Application""#),
        replaced(r#""application""#, r#""gossip""#),
        replaced(r#""payload":""#, r#""payload":"*"#),
        replaced(r#""payload":"#, r#""payload":1,"was":"#),
    ];
    for text in &malformed {
        let start: String = text.chars().take(60).collect();
        assert_eq!(MlsEnvelope::from_json(text), Err(MlsError::MalformedJson), "{start}");
    }
    let version = replaced(r#""version":1"#, r#""version":2"#);
    assert_eq!(MlsEnvelope::from_json(&version), Err(MlsError::UnsupportedVersion(2)));
    assert_opens(&bob, &MlsEnvelope::from_json(&json).unwrap(), b"hello");
}

/// ADV-10: made here, read from JSON, and read from bytes.
#[test]
fn adv_10_empty_payload_is_refused() {
    for (kind, code) in KINDS.into_iter().zip(1..) {
        assert_eq!(wrap(kind, Vec::new()), Err(MlsError::EmptyPayload), "{kind}");
        let json = format!(r#"{{"version":1,"message_type":"{kind}","group_id":"","sender":null,"payload":""}}"#);
        assert_eq!(MlsEnvelope::from_json(&json), Err(MlsError::EmptyPayload), "{kind}");
        let (version, group_id, sender, payload) = ([0, 1], 0, 0, 0);
        let bytes = [version[0], version[1], code, group_id, sender, payload];
        assert_eq!(MlsEnvelope::from_bytes(&bytes), Err(MlsError::EmptyPayload), "{kind}");
    }
}

/// ADV-11: no verb takes another kind.
#[test]
fn adv_11_envelopes_of_another_kind_are_refused() {
    for framing in [HandshakeFraming::Private, HandshakeFraming::Public] {
        let post = Post::new(&config(|c| c.handshake_framing = framing));
        let before = post.state();
        for (is, asked) in wrong_pairs() {
            let (envelope, actual, expected) = (&post.envelopes[is], KINDS[is], KINDS[asked]);
            let wrong = MlsError::WrongMessageType { expected, actual };
            let unwrapped = match expected {
                MessageType::Welcome => envelope.unwrap_welcome(),
                MessageType::Proposal => envelope.unwrap_proposal(),
                MessageType::Commit => envelope.unwrap_commit(),
                MessageType::Application => envelope.unwrap_application(),
            };
            assert_eq!(unwrapped, Err(wrong.clone()));
            assert_eq!(post.receive(expected, envelope), Err(wrong));
        }
        assert!(post.state() == before);
        post.assert_arrives();
    }
}

/// ADV-11: header and message have to agree, however the envelope comes about.
#[test]
fn adv_11_inner_and_outer_kind_must_agree() {
    let post = Post::new(&MlsConfig::interop());
    for (is, said) in wrong_pairs() {
        let (envelope, actual, expected) = (&post.envelopes[is], KINDS[is], KINDS[said]);
        let wrong = MlsError::WrongMessageType { expected, actual };
        assert_eq!(wrap(expected, envelope.payload().to_vec()), Err(wrong.clone()));
        let json = envelope.to_json().unwrap().replacen(&actual.to_string(), &expected.to_string(), 1);
        assert_eq!(MlsEnvelope::from_json(&json), Err(wrong.clone()));
        let mut bytes = envelope.to_bytes().unwrap();
        bytes[2] = u8::try_from(said).unwrap() + 1;
        assert_eq!(MlsEnvelope::from_bytes(&bytes), Err(wrong));
    }
    post.assert_arrives();
}

/// ADV-11: the message's own word for what it holds is authenticated.
#[test]
fn adv_11_relabelled_content_is_refused() {
    let post = Post::new(&MlsConfig::interop());
    let types = [ContentType::Proposal, ContentType::Commit, ContentType::Application];
    for (envelope, was) in post.envelopes[1..].iter().zip(types) {
        for (content_type, kind) in types.into_iter().zip(&KINDS[1..]).filter(|(content_type, _)| *content_type != was)
        {
            let mut message = crate::support::private(envelope);
            message.content_type = content_type;
            let message = MlsMessage::PrivateMessage(Box::new(message));
            let relabelled = wrap(*kind, mls_engine::codec::encode(&message).unwrap()).unwrap();
            assert_refused(&post.bob, &OPEN_FAILED, || post.receive(*kind, &relabelled));
        }
    }
    post.assert_arrives();
}

/// ADV-12: a mebibyte is read, as bytes and as JSON, and comes back to its sender.
#[test]
fn adv_12_a_mebibyte_is_read() {
    let (alice, bob) = pair();
    let plaintext: Vec<_> = (0..1_u32 << 20).map(|n| n.to_le_bytes()[1]).collect();
    let envelope = alice.send_message(&plaintext).unwrap();
    let bytes = envelope.to_bytes().unwrap();
    assert_opens(&bob, &MlsEnvelope::from_bytes(&bytes).unwrap(), &plaintext);
    assert_eq!(MlsEnvelope::from_json(&envelope.to_json().unwrap()), Ok(envelope.clone()));
    assert_echo_once(&alice, &envelope, &plaintext);
}

/// ADV-12: whatever a member may send, members with the same settings read.
#[test]
fn adv_12_what_may_be_sent_can_be_read() {
    for padding in [Padding::Bucketed, Padding::Step(u16::MAX)] {
        for limit in [1, u16::MAX.into(), 1 << 21, 5 << 20] {
            let (alice, bob) = pair_with(&config(|c| (c.max_message_size, c.padding) = (limit, padding)));
            assert_opens(&bob, &alice.send_message(&vec![7; limit]).unwrap(), &vec![7; limit]);
        }
    }
}

/// ADV-12: one byte over a limit is refused on length alone: by the sender, of envelopes, and of messages inside.
#[test]
fn adv_12_one_byte_more_is_refused() {
    let (alice, _bob) = pair();
    let limit = 1 << 20;
    let too_large = MlsError::TooLarge { len: limit + 1, limit };
    assert_refused(&alice, &too_large, || alice.send_message(&vec![0; limit + 1]));
    let before = state(&alice);
    let refused = alice.send_message_with(b"", &vec![0; 2 * limit]).unwrap_err();
    assert!(matches!(refused, MlsError::TooLarge { len, .. } if len > 2 * limit));
    assert_eq!(state(&alice), before);

    let envelope = alice.send_message(b"hello").unwrap();
    let (bytes, json) = (envelope.to_bytes().unwrap(), envelope.to_json().unwrap());
    assert_eq!(MlsEnvelope::from_bytes_within(&bytes, bytes.len()), Ok(envelope.clone()));
    assert_eq!(MlsEnvelope::from_json_within(&json, json.len()), Ok(envelope));
    let over = |len: usize| Err(MlsError::TooLarge { len, limit: len - 1 });
    assert_eq!(MlsEnvelope::from_bytes_within(&bytes, bytes.len() - 1), over(bytes.len()));
    assert_eq!(MlsEnvelope::from_json_within(&json, json.len() - 1), over(json.len()));
    let huge = vec![b'['; MAX_ENVELOPE_SIZE + 1];
    assert_eq!(MlsEnvelope::from_bytes(&huge), over(huge.len()));
    assert_eq!(MlsEnvelope::from_json(&String::from_utf8(huge).unwrap()), over(MAX_ENVELOPE_SIZE + 1));
    // A length that is announced but not there takes no memory either.
    let announced = [0, 1, 4, 0, 0, 0xBF, 0xFF, 0xFF, 0xFF];
    assert!(matches!(MlsEnvelope::from_bytes(&announced), Err(MlsError::Malformed(_))));
}

/// ADV-12: nor does it help that the sender has other settings.
#[test]
fn adv_12_one_byte_more_is_refused_by_receivers() {
    let generous = client_with("alice", &config(|c| c.max_message_size = 4 << 20));
    let handles = group_of(&[&generous, &client("bob")]);
    let (alice, bob) = (&handles[0], &handles[1]);
    let limit = 1 << 20;
    let envelope = alice.send_message(&vec![0; limit + 1]).unwrap();
    assert_refused(bob, &MlsError::TooLarge { len: limit + 1, limit }, || bob.receive_message(&envelope));
    // This one is refused for its own length, before it is decrypted.
    let envelope = alice.send_message(&vec![0; 2 * limit]).unwrap();
    let refused = bob.receive_message(&envelope).unwrap_err();
    assert!(matches!(refused, MlsError::TooLarge { len, .. } if len == envelope.payload().len()));
    assert_opens(bob, &alice.send_message(&vec![0; limit]).unwrap(), &vec![0; limit]);
}

/// ADV-15: cut, flipped, filled with noise and made up, at every door; nothing panics and nothing changes.
#[test]
fn adv_15_broken_bytes_change_nothing() {
    let mut numbers = Numbers(15);
    for framing in [HandshakeFraming::Private, HandshakeFraming::Public] {
        let post = Post::new(&config(|c| c.handshake_framing = framing));
        let before = post.state();
        for (envelope, kind) in post.envelopes.iter().zip(KINDS) {
            for payload in corpus(envelope.payload(), &mut numbers) {
                let _ = MlsEnvelope::from_bytes(&payload);
                let Ok(broken) = as_kind(envelope, kind, payload) else { continue };
                assert!(post.receive(kind, &broken).is_err());
            }
            for bytes in corpus(&envelope.to_bytes().unwrap(), &mut numbers) {
                let Ok(broken) = MlsEnvelope::from_bytes(&bytes) else { continue };
                // A Welcome's header is a hint that only joining can refute.
                assert!(post.receive(broken.message_type(), &broken).is_err());
            }
            for bytes in corpus(envelope.to_json().unwrap().as_bytes(), &mut numbers) {
                let Ok(broken) = MlsEnvelope::from_json(&String::from_utf8_lossy(&bytes)) else { continue };
                assert!(broken == *envelope || post.receive(broken.message_type(), &broken).is_err());
            }
        }
        assert!(post.state() == before);
        post.assert_arrives();
    }
}

/// ADV-15: key packages come from strangers as well.
#[test]
fn adv_15_broken_key_packages_change_nothing() {
    let (alice, _bob) = pair();
    let carol = client("carol");
    let key_package = carol.generate_key_package().unwrap();
    let before = state(&alice);
    for broken in corpus(&key_package, &mut Numbers(16)) {
        assert!(alice.propose_add(&broken, b"carol").is_err());
    }
    assert_eq!(state(&alice), before);
    alice.propose_add(&key_package, b"carol").unwrap();
}

fn as_kind(envelope: &MlsEnvelope, kind: MessageType, payload: Vec<u8>) -> MlsResult<MlsEnvelope> {
    match kind {
        MessageType::Welcome => MlsEnvelope::wrap_welcome(envelope.group_id(), payload),
        _ => wrap(kind, payload),
    }
}

/// Bytes that are not the original.
fn corpus(original: &[u8], numbers: &mut Numbers) -> Vec<Vec<u8>> {
    let mut corpus = vec![Vec::new(), [original, &[0]].concat(), [original, original].concat()];
    for _ in 0..40 {
        corpus.push(original[..numbers.below(original.len())].to_vec());
        corpus.push(numbers.flip(original, 1));
        let flips = 1 + numbers.below(16);
        corpus.push(numbers.flip(original, flips));
        // Noise, alone and behind a head that is right.
        let noise: Vec<_> = (0..numbers.below(200)).map(|_| u8::try_from(numbers.below(256)).unwrap()).collect();
        let head = numbers.below(original.len().min(64));
        corpus.push([&original[..head], &noise].concat());
        corpus.push(noise);
    }
    corpus.retain(|bytes| bytes != original);
    corpus
}

/// ADV-17: by every door that asks for it.
#[test]
fn adv_17_messages_of_another_group_are_refused() {
    for framing in [HandshakeFraming::Private, HandshakeFraming::Public] {
        let config = config(|c| c.handshake_framing = framing);
        let (here, there) = (Post::new(&config), Post::new(&config));
        for (envelope, kind) in there.envelopes[1..].iter().zip(&KINDS[1..]) {
            assert_refused(&here.bob, &MlsError::GroupMismatch, || here.receive(*kind, envelope));
            assert_refused(&here.bob, &MlsError::GroupMismatch, || here.bob.handle_incoming(envelope));
        }
        here.assert_arrives();
    }
}

/// ADV-17: a name tag of this group does not help.
#[test]
fn adv_17_relabelled_messages_of_another_group_are_refused() {
    for framing in [HandshakeFraming::Private, HandshakeFraming::Public] {
        let config = config(|c| c.handshake_framing = framing);
        let (here, there) = (Post::new(&config), Post::new(&config));
        for (envelope, kind) in there.envelopes[1..].iter().zip(&KINDS[1..]) {
            let mut error = OPEN_FAILED;
            let relabelled = rewrite(envelope, |message| match message {
                MlsMessage::PublicMessage(public) => {
                    public.content.group_id = here.bob.group_id().into();
                    error = MlsError::Rejected(ProcessError::BadMembershipTag);
                }
                MlsMessage::PrivateMessage(private) => private.group_id = here.bob.group_id().into(),
                other => unreachable!("{other:?}"),
            });
            assert_refused(&here.bob, &error, || here.receive(*kind, &relabelled));
        }
        here.assert_arrives();
    }
}

/// ADV-17: a Welcome does not show its group; joining finds out.
#[test]
fn adv_17_welcome_under_another_name_is_refused() {
    let post = Post::new(&MlsConfig::interop());
    let payload = post.envelopes[0].payload().to_vec();
    let renamed = MlsEnvelope::wrap_welcome(b"another group", payload).unwrap();
    let before = post.state();
    assert_eq!(post.carol.join_group(&renamed).unwrap_err(), MlsError::EnvelopeMismatch("group"));
    assert!(post.state() == before);
    post.assert_arrives();
}
