//! One attacker against a running service: what is replayed, bent, forged, guessed or too large gets nowhere.
//!
//! In: a service. Out: for each attack, how often it was tried and how often it got in, which is never. Always: the attacker is a
//! device that is enrolled like any other, and for some attacks a member, or one that was removed.

use std::{collections::BTreeSet, path::Path};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use delivery_conformance::{Device, Group, World};
use mls_delivery::{
    DeliveryService, GroupId, Operation, Rejection, Seq, ask,
    hub::{Seen, Topic},
    request::{
        AcknowledgeLog, DeliverDirect, FetchGroupInfo, FetchLog, LeaveGroup, Pass, Request, SetPass, SubmitCommit,
        SubmitMessage,
    },
};
use mls_delivery_client::Remote;
use mls_engine::codec::{decode_exact, encode};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{
    Service,
    author::{Author, client, name},
};

/// One kind of attack.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Attack {
    /// Which.
    pub name: &'static str,
    /// How often it was tried.
    pub tried: u64,
    /// How often it got in, or the service gave another answer than it gives to everybody.
    pub succeeded: u64,
}

impl Attack {
    const fn new(name: &'static str) -> Self {
        Self { name, tried: 0, succeeded: 0 }
    }

    fn count(&mut self, got_in: bool) {
        self.tried += 1;
        self.succeeded += u64::from(got_in);
    }
}

/// The scene: alice and bob in a group, mallory outside.
struct Scene<'a> {
    world: &'a World<'a>,
    service: &'a Service,
    group: Group,
    alice: (Device, Remote),
    bob: (Device, Remote),
    mallory: (Device, Remote),
}

/// Plays all attacks against a service of its own, each so many times at least where that makes sense.
pub fn run(program: &Path, data: &str, times: u64) -> Vec<Attack> {
    let service = Service::start(program, data);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let mut author = Author;
    let world = author.world();
    runtime.block_on(async {
        let scene = scene(&world, &service).await;
        let before = scene.log().await;
        let mut attacks = vec![
            forged_tokens(&scene, times).await,
            bent_requests(&scene, times).await,
            others_things(&scene).await,
            guessed_names(&scene, times).await,
            large_bodies(&scene).await,
            noise(&scene, times).await,
        ];
        let mut untouched = Attack::new("a log that outsiders were at is another one");
        untouched.count(scene.log().await != before);
        attacks.push(untouched);
        attacks.push(replays(&scene, times).await);
        attacks.push(bad_member(&scene).await);
        attacks
    })
}

async fn scene<'a>(world: &'a World<'a>, service: &'a Service) -> Scene<'a> {
    let device = async |user| client(world, &service.address, user).await.unwrap();
    let (alice, bob, mallory) = (device("alice").await, device("bob").await, device("mallory").await);
    let group = Group { id: GroupId::new(name("attacked").as_bytes()) };
    ask(&alice.1, alice.0.id, world.create(&group)).await.unwrap();
    let invite = world.sign(&group, 0, world.inviting(&group, 0, &[&bob.0]));
    ask(&alice.1, alice.0.id, invite).await.unwrap();
    let hello = world.member_message(&group, 1, "hello");
    ask(&alice.1, alice.0.id, hello).await.unwrap();
    Scene { world, service, group, alice, bob, mallory }
}

impl Scene<'_> {
    /// What alice reads: places and digests.
    async fn log(&self) -> Vec<(Seq, mls_delivery::Digest)> {
        let fetch = FetchLog { group_id: self.group.id.clone(), after: Some(Seq::ZERO), limit: 250 };
        let page = ask(&self.alice.1, self.alice.0.id, fetch).await.unwrap();
        page.entries.iter().map(|entry| (entry.seq, entry.digest)).collect()
    }

    async fn by_mallory<O: Operation>(&self, operation: O) -> Result<O::Reply, Rejection> {
        ask(&self.mallory.1, self.mallory.0.id, operation).await
    }

    /// A request as bytes, with any token. The status of the answer; 0 for none.
    async fn post(&self, token: &str, body: &[u8]) -> u16 {
        let head = format!(
            "POST /v1/call HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {token}\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        self.raw(&[head.as_bytes(), body]).await
    }

    async fn raw(&self, parts: &[&[u8]]) -> u16 {
        let Ok(mut stream) = TcpStream::connect(self.service.socket()).await else { return 0 };
        for part in parts {
            if stream.write_all(part).await.is_err() {
                break;
            }
        }
        let mut answer = [0; 12];
        let read = stream.read_exact(&mut answer);
        match tokio::time::timeout(std::time::Duration::from_secs(20), read).await {
            Ok(Ok(_)) => std::str::from_utf8(&answer[9..]).ok().and_then(|code| code.parse().ok()).unwrap_or_default(),
            _ => 0,
        }
    }
}

/// Tokens with a bit changed, cut short, put together of two.
async fn forged_tokens(scene: &Scene<'_>, times: u64) -> Attack {
    let mut attack = Attack::new("a forged token is taken");
    let body = encode(&FetchLog { group_id: scene.group.id.clone(), after: None, limit: 1 }.into_request()).unwrap();
    let mine = URL_SAFE_NO_PAD.decode(scene.mallory.1.token().unwrap()).unwrap();
    let theirs = URL_SAFE_NO_PAD.decode(scene.alice.1.token().unwrap()).unwrap();
    let step = (mine.len() * 8 / usize::try_from(times).unwrap_or(1).max(1)).max(1);
    for bit in (0..mine.len() * 8).step_by(step) {
        let mut token = mine.clone();
        token[bit / 8] ^= 1 << (bit % 8);
        attack.count(scene.post(&URL_SAFE_NO_PAD.encode(token), &body).await != 401);
    }
    for cut in [0, 1, 8, mine.len() / 2] {
        attack.count(scene.post(&URL_SAFE_NO_PAD.encode(&mine[..cut]), &body).await != 401);
    }
    // Alice's name with mallory's tag.
    let tag = mine.len() - 32;
    let spliced = [&theirs[..tag], &mine[tag..]].concat();
    attack.count(scene.post(&URL_SAFE_NO_PAD.encode(spliced), &body).await != 401);
    attack
}

/// Signed requests with one bit changed, sent by a member whose token is good.
async fn bent_requests(scene: &Scene<'_>, times: u64) -> Attack {
    let mut attack = Attack::new("a request with one bit changed is taken");
    let token = scene.alice.1.token().unwrap();
    let message = scene.world.member_message(&scene.group, 1, "bent").into_request();
    let commit = scene.world.sign(&scene.group, 1, scene.world.bundle(&scene.group, 1, "bent")).into_request();
    for request in [encode(&message).unwrap(), encode(&commit).unwrap()] {
        let step = (request.len() * 8 / usize::try_from(times).unwrap_or(1).max(1)).max(1);
        for bit in (0..request.len() * 8).step_by(step) {
            let mut bent = request.clone();
            bent[bit / 8] ^= 1 << (bit % 8);
            attack.count(matches!(scene.post(&token, &bent).await, 200 | 500..));
        }
    }
    attack
}

/// Mailboxes, logs and groups of others.
async fn others_things(scene: &Scene<'_>) -> Attack {
    let mut attack = Attack::new("something of others is given out, or changed");
    let id = || scene.group.id.clone();
    attack.count(scene.by_mallory(FetchLog { group_id: id(), after: None, limit: 10 }).await.is_ok());
    attack.count(scene.by_mallory(AcknowledgeLog { group_id: id(), seq: Seq::new(1) }).await.is_ok());
    attack.count(scene.by_mallory(LeaveGroup { group_id: id() }).await.is_ok());
    attack.count(scene.by_mallory(scene.world.create(&scene.group)).await.is_ok());
    for token in [&b""[..], b"guess", &[0; 32]] {
        attack.count(scene.by_mallory(FetchGroupInfo::by_joiner(id(), token)).await.is_ok());
        let bundle = scene.world.bundle(&scene.group, 1, "intruder").by_joiner(token).unwrap();
        attack.count(scene.by_mallory(bundle).await.is_ok());
    }
    // A token is one device's: with mallory's, alice's mailbox is not even asked for.
    let as_alice = mls_delivery::request::FetchMailbox { after: Some(Seq::ZERO), limit: 10 };
    attack.count(ask(&scene.mallory.1, scene.alice.0.id, as_alice).await.is_ok());
    for topic in [Topic::Mailbox(scene.alice.0.id), Topic::Log(id())] {
        let body = encode(&vec![Seen { topic, head: None }]).unwrap();
        let token = scene.mallory.1.token().unwrap();
        let head = format!(
            "POST /v1/watch HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {token}\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        attack.count(scene.raw(&[head.as_bytes(), &body]).await != 403);
    }
    attack
}

/// What is there and not mallory's looks like what is not there.
async fn guessed_names(scene: &Scene<'_>, times: u64) -> Attack {
    let mut attack = Attack::new("a group that is there is told from one that is not");
    let look = async |group_id: GroupId| {
        let fetch = scene.by_mallory(FetchLog { group_id: group_id.clone(), after: None, limit: 1 }).await.err();
        let seen = AcknowledgeLog { group_id: group_id.clone(), seq: Seq::new(1) };
        let group = Group { id: group_id.clone() };
        let say = SubmitMessage {
            access: mls_delivery::access::Access::Join(b"guess".into()),
            ..scene.world.member_message(&group, 1, "guess")
        };
        let info = FetchGroupInfo::by_joiner(group_id, b"guess");
        (
            fetch,
            scene.by_mallory(seen).await.err(),
            scene.by_mallory(say).await.err(),
            scene.by_mallory(info).await.err(),
        )
    };
    let there = look(scene.group.id.clone()).await;
    for n in 0..times.min(64) {
        attack.count(look(GroupId::new(format!("guess {n}").as_bytes())).await != there);
    }
    attack
}

/// Bodies that say that they are large, and bodies that never end.
async fn large_bodies(scene: &Scene<'_>) -> Attack {
    let mut attack = Attack::new("a body that is too large is taken, or read to its end");
    let token = scene.mallory.1.token().unwrap();
    let head = |length: &str| {
        format!(
            "POST /v1/call HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n{length}\r\n\r\n"
        )
    };
    for length in [u64::MAX / 2, 1 << 40, 1 << 30, 18 << 20] {
        attack.count(scene.raw(&[head(&format!("Content-Length: {length}")).as_bytes()]).await != 413);
    }
    // A vector that says that it has 2^30 bytes, in a body of ten.
    attack.count(scene.post(&token, &[6, 0xbf, 0xff, 0xff, 0xff, 1, 2, 3, 4, 5]).await != 422);
    let chunk = [format!("{:x}\r\n", 1 << 20).into_bytes(), vec![0; 1 << 20], b"\r\n".to_vec()].concat();
    let head = head("Transfer-Encoding: chunked");
    let endless: Vec<&[u8]> = core::iter::once(head.as_bytes()).chain(core::iter::repeat_n(&chunk[..], 64)).collect();
    attack.count(scene.raw(&endless).await == 200);
    attack
}

/// Bytes that are no request at all.
async fn noise(scene: &Scene<'_>, times: u64) -> Attack {
    let mut attack = Attack::new("noise is taken");
    let token = scene.mallory.1.token().unwrap();
    for n in 0..times {
        let digest = scene.world.rules.crypto.digest(&n.to_be_bytes());
        let length = usize::from(digest.as_slice()[0]) % 33;
        let noise = &digest.as_slice()[..length];
        // What happens to be a request is none.
        if decode_exact::<Request>(noise).is_err() {
            attack.count(matches!(scene.post(&token, noise).await, 200 | 500..));
        }
    }
    attack
}

/// The same bytes again: answered as the first time, and there once.
async fn replays(scene: &Scene<'_>, times: u64) -> Attack {
    let mut attack = Attack::new("what is replayed is there twice, or answered in another way");
    let (device, remote) = (&scene.alice.0, &scene.alice.1);
    let message = scene.world.member_message(&scene.group, 1, "replayed");
    let commit: SubmitCommit = scene.world.sign(&scene.group, 1, scene.world.bundle(&scene.group, 1, "replayed"));
    let placed = ask(remote, device.id, message.clone()).await.unwrap().seq;
    let won = ask(remote, device.id, commit.clone()).await.unwrap();
    for _ in 0..times.min(32) {
        attack.count(ask(remote, device.id, message.clone()).await.map(|again| again.seq) != Ok(placed));
        attack.count(ask(remote, device.id, commit.clone()).await.as_ref() != Ok(&won));
        // Somebody else who has seen the bytes on the way is no reader, and the key is in no token.
        attack.count(scene.by_mallory(commit.clone()).await.is_ok());
    }
    let log = scene.log().await;
    let digests: BTreeSet<_> = log.iter().map(|(_, digest)| *digest).collect();
    attack.count(digests.len() != log.len() || log.len() != 4);
    attack
}

/// Bob is a member, and then is not: he writes as another epoch, for another group, again, and after his removal.
async fn bad_member(scene: &Scene<'_>) -> Attack {
    let mut attack = Attack::new("a member that was removed, or means ill, gets more than its due");
    let (world, group) = (scene.world, &scene.group);
    let mut removing = world.bundle(group, 2, "removing bob");
    removing.removed = vec![scene.bob.0.id];
    ask(&scene.alice.1, scene.alice.0.id, world.sign(group, 2, removing)).await.unwrap();
    let (id, bob) = (scene.bob.0.id, &scene.bob.1);
    // The epoch that is over, whose key he has.
    attack.count(ask(bob, id, world.member_message(group, 2, "still here")).await.is_ok());
    attack.count(ask(bob, id, world.sign(group, 2, world.bundle(group, 2, "rival"))).await.is_ok());
    let key = world.write_key(group, 2);
    let pass = Pass::new(&world.rules.crypto, b"back door", u64::MAX / 4, 9).unwrap();
    let door = SetPass::by_member(&world.rules.crypto, &key, (group.id.clone(), 2), pass).unwrap();
    attack.count(ask(bob, id, door).await.is_ok());
    // A message of one group under the label of another.
    let other = Group { id: GroupId::new(name("bob's own").as_bytes()) };
    ask(bob, id, world.create(&other)).await.unwrap();
    let mislabelled = SubmitMessage { group_id: group.id.clone(), ..world.member_message(&other, 0, "elsewhere") };
    attack.count(ask(bob, id, mislabelled).await.is_ok());
    // A mailbox takes a share of what strangers send, and nothing that is no message.
    let direct = |message: &[u8]| DeliverDirect { recipient: scene.alice.0.id, message: message.into() };
    attack.count(ask(bob, id, direct(b"not a message")).await.is_ok());
    // What came after his removal is not for him.
    ask(&scene.alice.1, scene.alice.0.id, world.member_message(group, 3, "without bob")).await.unwrap();
    let fetch = FetchLog { group_id: group.id.clone(), after: Some(Seq::new(1)), limit: 100 };
    let read = ask(bob, id, fetch).await.unwrap();
    attack.count(read.entries.iter().any(|entry| entry.epoch > 2));
    let _capabilities = bob.capabilities();
    attack
}
