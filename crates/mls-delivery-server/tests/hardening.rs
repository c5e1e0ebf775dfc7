//! What a stranger can do to the service over a socket: little, and not for long.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::{net::SocketAddr, sync::Arc, time::Duration};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use delivery_conformance::rules;
use mls_crypto::{CipherSuite, Secret};
use mls_crypto_aws_lc::OsRandom;
use mls_delivery::{
    Clock, DeviceKey, Limits, MemoryService, ServiceCrypto, SystemClock, UserId,
    auth::{Challenge, Gate, Login},
    hub::{Seen, Topic},
    quota::Rate,
    request::{Enrol, FetchMailbox, Request},
};
use mls_delivery_server::{App, Listen, Metrics, Quotas, ServeError, Server};
use mls_engine::codec::{decode_exact, encode};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::oneshot,
    time::timeout,
};

/// Longer than anything should take, and shorter than a watch; a test that waits so long has failed.
const LONG: Duration = Duration::from_secs(20);

/// Never, as far as a test is concerned.
const HOUR: Duration = Duration::from_secs(3_600);

struct Running {
    address: SocketAddr,
    metrics: Arc<Metrics>,
    end: oneshot::Sender<()>,
    ended: tokio::task::JoinHandle<()>,
}

fn crypto() -> ServiceCrypto {
    rules(Limits::default()).crypto
}

async fn serve(listen: Listen, quotas: Quotas) -> Running {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let limits = Limits { max_bundle: 10_000, ..Limits::default() };
    let service = MemoryService::new(rules(limits), clock.clone());
    let gate = Gate::new(crypto(), b"test", Secret::copy_from(&[9; 32]));
    let app = Arc::new(App::new(Arc::new(service), gate, (clock, Arc::new(OsRandom)), quotas));
    let metrics = app.metrics().clone();
    let server = Server::bind(listen, app).await.unwrap();
    let address = server.address();
    let (end, told) = oneshot::channel();
    let ended = tokio::spawn(server.run(async {
        let _told = told.await;
    }));
    Running { address, metrics, end, ended }
}

fn local() -> Listen {
    Listen::plain(([127, 0, 0, 1], 0).into())
}

/// One request on a connection of its own: status and body.
async fn ask(address: SocketAddr, method: &str, path: &str, token: &str, body: &[u8]) -> (u16, Vec<u8>) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n\
         Content-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    // The service may answer and close before it has read everything.
    let _cut = stream.write_all(body).await;
    let mut answer = Vec::new();
    let _reset = timeout(LONG, stream.read_to_end(&mut answer)).await.expect("no answer");
    let split = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n").expect("no head");
    let status = std::str::from_utf8(answer.get(9..12).unwrap()).unwrap().parse().unwrap();
    (status, answer.get(split.saturating_add(4)..).unwrap().to_vec())
}

fn code(body: &[u8]) -> String {
    let json: serde_json::Value = serde_json::from_slice(body).unwrap();
    json.get("code").and_then(|code| code.as_str()).unwrap().to_owned()
}

/// Logs a new device in and enrols it: its key and token.
async fn device(address: SocketAddr, user: &str) -> (DeviceKey, String) {
    let crypto = crypto();
    let (private_key, public_key) = crypto.own().signature_generate(&OsRandom).unwrap();
    let key = DeviceKey { cipher_suite: CipherSuite::X25519_AES128, public_key };
    let (status, challenge) = ask(address, "POST", "/v1/challenge", "", b"").await;
    assert_eq!(status, 200);
    let challenge: Challenge = decode_exact(&challenge).unwrap();
    let login = Login::sign(&crypto, (key.clone(), &private_key), b"test", challenge).unwrap();
    let (status, token) = ask(address, "POST", "/v1/login", "", &encode(&login).unwrap()).await;
    assert_eq!(status, 200);
    let token = URL_SAFE_NO_PAD.encode(token);
    let enrol =
        Enrol { user: UserId::new(user.as_bytes()), key: key.clone(), invite: Vec::new().into(), voucher: None };
    let enrol = encode(&Request::Enrol(enrol)).unwrap();
    assert_eq!(ask(address, "POST", "/v1/call", &token, &enrol).await.0, 200);
    (key, token)
}

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
    let group = mls_delivery::GroupId::new(b"not there");
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
