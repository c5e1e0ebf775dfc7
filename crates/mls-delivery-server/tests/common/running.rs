//! A service in this process, and devices that talk to it with as little as possible in between.
#![allow(dead_code, reason = "not each test program needs everything")]

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use delivery_conformance::rules;
use mls_crypto::{CipherSuite, Secret};
use mls_crypto_aws_lc::OsRandom;
use mls_delivery::{
    Clock, DeviceKey, Limits, MemoryService, ServiceCrypto, SystemClock, Timestamp, UserId,
    auth::{Challenge, Gate, Login},
    request::{Enrol, Request},
};
use mls_delivery_server::{App, Listen, Metrics, Quotas, Server};
use mls_engine::codec::{decode_exact, encode};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::oneshot,
    time::timeout,
};

/// The clock of this machine, and how much it is ahead.
#[derive(Debug, Default)]
pub(crate) struct Moving(AtomicU64);

impl Moving {
    pub(crate) fn advance(&self, seconds: u64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }
}

impl Clock for Moving {
    fn now(&self) -> Timestamp {
        SystemClock.now().saturating_add(self.0.load(Ordering::SeqCst))
    }
}

impl Running {
    /// Waits until nobody is connected.
    pub(crate) async fn nobody(&self) {
        let gone = async {
            while self.metrics.connections() > 0 {
                tokio::task::yield_now().await;
            }
        };
        timeout(LONG, gone).await.expect("somebody is still connected");
    }
}

/// A token, as bytes.
pub(crate) fn token(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).unwrap()
}

/// Some MLS message.
pub(crate) fn message() -> Vec<u8> {
    let group = mls_delivery::GroupId::new(b"direct");
    delivery_conformance::private_message(&group, 0, "direct")
}

/// Longer than anything should take, and shorter than a watch; a test that waits so long has failed.
pub(crate) const LONG: Duration = Duration::from_secs(20);

/// A service that runs.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) clock: Arc<Moving>,
    pub(crate) end: oneshot::Sender<()>,
    pub(crate) ended: tokio::task::JoinHandle<()>,
}

pub(crate) fn crypto() -> ServiceCrypto {
    rules(Limits::default()).crypto
}

pub(crate) async fn serve(listen: Listen, quotas: Quotas) -> Running {
    let moving = Arc::new(Moving::default());
    let clock: Arc<dyn Clock> = moving.clone();
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
    Running { address, metrics, clock: moving, end, ended }
}

pub(crate) fn local() -> Listen {
    Listen::plain(([127, 0, 0, 1], 0).into())
}

/// One request on a connection of its own: status and body.
pub(crate) async fn ask(address: SocketAddr, method: &str, path: &str, token: &str, body: &[u8]) -> (u16, Vec<u8>) {
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

pub(crate) fn code(body: &[u8]) -> String {
    let json: serde_json::Value = serde_json::from_slice(body).unwrap();
    json.get("code").and_then(|code| code.as_str()).unwrap().to_owned()
}

/// Logs a new device in and enrols it: its key and token.
pub(crate) async fn device(address: SocketAddr, user: &str) -> (DeviceKey, String) {
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
