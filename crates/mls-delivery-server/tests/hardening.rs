//! What a stranger can do to the service over a socket: little, and not for long.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

#[path = "common/running.rs"]
mod running;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use delivery_conformance::{Bench, Group, World, rules};
use mls_crypto::Secret;
use mls_crypto_aws_lc::OsRandom;
use mls_delivery::{
    Clock, DeliveryService, GroupId, Limits, MemoryService, SystemClock, UserId,
    auth::Gate,
    hub::{Seen, Topic},
    quota::Rate,
    request::{ClaimKeyPackages, FetchMailbox, Request},
    rules::Rules,
};
use mls_delivery_server::{App, Listen, Quotas, ServeError, Server};
use mls_engine::codec::{decode_exact, encode};
use running::{LONG, ask, code, crypto, device, local, serve};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

/// Never, as far as a test is concerned.
const HOUR: Duration = Duration::from_secs(3_600);

fn fetch() -> Vec<u8> {
    encode(&Request::FetchMailbox(FetchMailbox { after: None, limit: 1 })).unwrap()
}

#[tokio::test]
async fn a_public_address_needs_tls_or_a_proxy() {
    let open: SocketAddr = ([0, 0, 0, 0], 0).into();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let app = || {
        let service = MemoryService::new(rules(Limits::default()), clock.clone());
        let gate = Gate::new(crypto(), b"test", Secret::copy_from(&[9; 32]));
        Arc::new(App::new(Arc::new(service), gate, (clock.clone(), Arc::new(OsRandom)), Quotas::default()))
    };
    let refused = Server::bind(Listen::plain(open), app()).await;
    assert!(matches!(refused, Err(ServeError::NeedsTls(address)) if address == open));
    Server::bind(Listen { behind_proxy: true, ..Listen::plain(open) }, app()).await.unwrap();
}

#[tokio::test]
async fn who_sends_no_header_or_half_of_one_is_cut_off() {
    let listen = Listen { header_time: Duration::from_millis(100), ..local() };
    let running = serve(listen, Quotas::default()).await;
    for sent in ["", "GET /health HTTP/1.1\r\nHost: x\r\nX-Slow: ", "PRI * HTTP/2.0\r\n"] {
        let mut stream = TcpStream::connect(running.address).await.unwrap();
        stream.write_all(sent.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        let _reset = timeout(LONG, stream.read_to_end(&mut answer)).await.expect("still connected");
    }
}

#[tokio::test]
async fn who_asks_once_and_stays_is_cut_off() {
    // hyper's own timer is not what is looked at.
    let listen = Listen { header_time: HOUR, idle_time: Duration::from_millis(100), ..local() };
    let running = serve(listen, Quotas::default()).await;
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    // The connection is watched before its first request has come, and the time of idling is the shorter one.
    timeout(LONG, async {
        while running.metrics.connections() == 0 {
            tokio::task::yield_now().await;
        }
    })
    .await
    .unwrap();
    stream.write_all(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    let _reset = timeout(LONG, stream.read_to_end(&mut answer)).await.expect("still connected");
    assert!(answer.starts_with(b"HTTP/1.1 200"));
}

#[tokio::test]
async fn one_address_has_so_many_connections() {
    let running = serve(Listen { connections_per_address: 2, header_time: HOUR, ..local() }, Quotas::default()).await;
    let held = [TcpStream::connect(running.address).await.unwrap(), TcpStream::connect(running.address).await.unwrap()];
    let mut third = TcpStream::connect(running.address).await.unwrap();
    let mut answer = [0; 1];
    let closed = timeout(LONG, third.read(&mut answer)).await.expect("still connected");
    assert!(matches!(closed, Ok(0) | Err(_)));
    // A place that was given back is free again.
    drop(held);
    timeout(LONG, async {
        while running.metrics.connections() > 0 {
            tokio::task::yield_now().await
        }
    })
    .await
    .unwrap();
    assert_eq!(ask(running.address, "GET", "/health", "", b"").await.0, 200);
}

#[tokio::test]
async fn all_addresses_together_have_so_many_connections() {
    let running = serve(Listen { connections: 1, header_time: HOUR, ..local() }, Quotas::default()).await;
    let _held = TcpStream::connect(running.address).await.unwrap();
    let mut second = TcpStream::connect(running.address).await.unwrap();
    let mut answer = [0; 1];
    let closed = timeout(LONG, second.read(&mut answer)).await.expect("still connected");
    assert!(matches!(closed, Ok(0) | Err(_)));
}

#[tokio::test]
async fn nothing_is_done_without_a_good_token() {
    let running = serve(local(), Quotas::default()).await;
    let (_, token) = device(running.address, "alice").await;
    assert_eq!(ask(running.address, "POST", "/v1/call", &token, &fetch()).await.0, 200);
    let mut forged = token.clone();
    let last = if forged.pop() == Some('A') { 'Q' } else { 'A' };
    forged.push(last);
    for bad in ["", "AAAA", "not base64", &forged] {
        for path in ["/v1/call", "/v1/watch"] {
            let (status, body) = ask(running.address, "POST", path, bad, &fetch()).await;
            assert_eq!((status, code(&body)), (401, "unauthenticated".to_owned()), "{path} {bad:?}");
        }
    }
}

#[tokio::test]
async fn a_watch_shows_nothing_of_others() {
    let running = serve(local(), Quotas::default()).await;
    let (_, alice) = device(running.address, "alice").await;
    let (bob, _) = device(running.address, "bob").await;
    let group = GroupId::new(b"not there");
    for topic in [Topic::Mailbox(bob.device(&crypto()).unwrap()), Topic::Log(group)] {
        let known = encode(&vec![Seen { topic, head: None }]).unwrap();
        let (status, body) = ask(running.address, "POST", "/v1/watch", &alice, &known).await;
        assert_eq!((status, code(&body)), (403, "forbidden".to_owned()));
    }
}

#[tokio::test]
async fn bodies_are_as_long_as_the_route_allows() {
    let running = serve(local(), Quotas::default()).await;
    let (_, token) = device(running.address, "alice").await;
    let long = vec![0; 70_000];
    let (status, body) = ask(running.address, "POST", "/v1/login", "", &long).await;
    assert_eq!((status, code(&body)), (413, "too-large".to_owned()));
    let longer = vec![0; (1 << 20) + 10_001];
    let (status, body) = ask(running.address, "POST", "/v1/call", &token, &longer).await;
    assert_eq!((status, code(&body)), (413, "too-large".to_owned()));
    let (status, body) = ask(running.address, "POST", "/v1/call", &token, b"noise").await;
    assert_eq!((status, code(&body)), (422, "malformed".to_owned()));
}

#[tokio::test]
async fn devices_and_addresses_ask_so_often() {
    let slow = |burst| Rate { count: 1, period_ms: 3_600_000, burst };
    let quotas = Quotas { requests: slow(3), logins: slow(4), ..Quotas::default() };
    let running = serve(local(), quotas).await;
    let (_, alice) = device(running.address, "alice").await;
    let (_, bob) = device(running.address, "bob").await;
    assert_eq!(ask(running.address, "POST", "/v1/challenge", "", b"").await.0, 429);
    for expected in [200, 200, 429] {
        assert_eq!(ask(running.address, "POST", "/v1/call", &alice, &fetch()).await.0, expected);
    }
    // Others are not held back by that.
    assert_eq!(ask(running.address, "POST", "/v1/call", &bob, &fetch()).await.0, 200);
    let metrics = running.metrics.render();
    assert!(metrics.contains("delivery_answers_total{code=\"rate-limited\"} 2"), "{metrics}");
}

#[tokio::test]
async fn the_end_drains() {
    let running = serve(local(), Quotas::default()).await;
    let (key, token) = device(running.address, "alice").await;
    assert_eq!(ask(running.address, "GET", "/ready", "", b"").await.0, 200);
    // A watch that waits is answered when the service ends, not cut.
    let topic = Topic::Mailbox(key.device(&crypto()).unwrap());
    let known = encode(&vec![Seen { topic, head: Some(mls_delivery::Seq::ZERO) }]).unwrap();
    let address = running.address;
    let waiting = tokio::spawn(async move { ask(address, "POST", "/v1/watch", &token, &known).await });
    timeout(LONG, async {
        while !running.metrics.render().contains("delivery_watches_total 1") {
            tokio::task::yield_now().await;
        }
    })
    .await
    .unwrap();
    running.end.send(()).unwrap();
    let (status, body) = timeout(LONG, waiting).await.expect("the watch goes on").unwrap();
    assert_eq!((status, decode_exact::<Vec<Seen>>(&body).unwrap()), (200, Vec::new()));
    timeout(LONG, running.ended).await.unwrap().unwrap();
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn a_group_and_who_is_claimed_have_a_share_too() {
    let slow = |burst| Rate { count: 1, period_ms: 3_600_000, burst };
    let quotas = Quotas { group_commits: slow(2), claimed: slow(2), ..Quotas::default() };
    let running = serve(local(), quotas).await;
    let (_, alice) = device(running.address, "alice").await;
    let (_, bob) = device(running.address, "bob").await;
    let mut author = Author;
    let world = World::open(&mut author, Limits::default());
    let address = running.address;
    let call = async |token: &str, request: Request| {
        ask(address, "POST", "/v1/call", token, &encode(&request).unwrap()).await.0
    };
    let group = |name: &str| Group { id: GroupId::new(name.as_bytes()) };
    let commit =
        |group: &Group, epoch| Request::SubmitCommit(world.sign(group, epoch, world.bundle(group, epoch, "c")));
    let (one, other) = (group("one"), group("other"));
    for group in [&one, &other] {
        assert_eq!(call(&alice, Request::CreateGroup(world.create(group))).await, 200);
    }
    // Strangers use up nothing of it.
    for _ in 0..3 {
        let with_another_key = world.sign(&one, 7, world.bundle(&one, 0, "c"));
        assert_eq!(call(&bob, Request::SubmitCommit(with_another_key)).await, 403);
    }
    for (epoch, expected) in [(0, 200), (1, 200), (2, 429)] {
        assert_eq!(call(&alice, commit(&one, epoch)).await, expected);
    }
    assert_eq!(call(&alice, commit(&other, 0)).await, 200);
    let claim = |user: &str| {
        let cipher_suite = mls_crypto::CipherSuite::X25519_AES128;
        Request::ClaimKeyPackages(ClaimKeyPackages { user: UserId::new(user.as_bytes()), cipher_suite })
    };
    for (claimer, expected) in [(&alice, 200), (&bob, 200), (&bob, 429)] {
        assert_eq!(call(claimer, claim("alice")).await, expected);
    }
    assert_eq!(call(&bob, claim("bob")).await, 200);
}

/// Makes what is sent to another service.
#[derive(Debug)]
struct Author;

impl Bench for Author {
    fn open(&mut self, rules: Rules, clock: Arc<dyn Clock>) -> Arc<dyn DeliveryService> {
        Arc::new(MemoryService::new(rules, clock))
    }

    fn reopen(&mut self) -> Arc<dyn DeliveryService> {
        self.open(rules(Limits::default()), Arc::new(SystemClock))
    }

    fn sweep(&self) {}
}
