//! Who is slow, or breaks the rules of HTTP/2, is let go.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

#[path = "common/running.rs"]
mod running;

use std::{sync::Arc, time::Duration};

use mls_delivery_server::{Listen, Pace, Quotas};
use running::{LONG, Running, device, local, serve};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::rustls::{
    ServerConfig,
    crypto::aws_lc_rs,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
};

const HOUR: Duration = Duration::from_secs(3_600);

/// Longer than an honest request takes on a busy machine.
const SOON: Duration = Duration::from_secs(1);

fn certificate() -> Arc<ServerConfig> {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let builder = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
    let versions = builder.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
    Arc::new(versions.with_single_cert(vec![made.cert.der().clone()], key).unwrap())
}

/// Everything that comes until the other end closes.
async fn rest(stream: &mut TcpStream) -> Vec<u8> {
    let mut answer = Vec::new();
    let _reset = timeout(LONG, stream.read_to_end(&mut answer)).await.expect("still connected");
    answer
}

#[tokio::test]
async fn a_handshake_has_an_end() {
    let listen = Listen { tls: Some(certificate()), handshake_time: SOON, header_time: HOUR, ..local() };
    let running = serve(listen, Quotas::default()).await;
    // Nothing; half of a record; what is no TLS at all.
    for sent in [&b""[..], &[22, 3, 1, 2, 0, 1], b"GET / HTTP/1.1\r\n\r\n"] {
        let mut stream = TcpStream::connect(running.address).await.unwrap();
        stream.write_all(sent).await.unwrap();
        let answer = rest(&mut stream).await;
        assert!(!answer.starts_with(b"HTTP/"));
    }
    running.nobody().await;
    let numbers = running.metrics.render();
    assert!(numbers.contains("delivery_refused_connections_total 3"), "{numbers}");
}

/// A login whose body does not come, with one byte of it every now and then.
async fn trickle(running: &Running, every: Duration) -> Vec<u8> {
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    stream.write_all(b"POST /v1/login HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\n").await.unwrap();
    let (mut reading, mut writing) = stream.split();
    let mut answer = Vec::new();
    let answered = async {
        let mut bytes = [0; 1_024];
        let count = reading.read(&mut bytes).await.unwrap_or_default();
        answer.extend_from_slice(bytes.get(..count).unwrap());
    };
    let trickled = async {
        while writing.write_all(b"x").await.is_ok() {
            tokio::time::sleep(every).await;
        }
        std::future::pending::<()>().await;
    };
    tokio::select! {
        done = timeout(LONG, answered) => done.expect("it is still read"),
        () = trickled => {}
    }
    answer
}

#[tokio::test]
async fn a_body_has_a_pace_and_an_end() {
    let slow = Pace { longest: HOUR, grace: SOON, rate: 1_000 };
    let long = Pace { longest: SOON, grace: HOUR, rate: 0 };
    for pace in [slow, long] {
        let running = serve(Listen { pace, ..local() }, Quotas::default()).await;
        let answer = trickle(&running, Duration::from_millis(10)).await;
        assert!(answer.starts_with(b"HTTP/1.1 503"), "{}", String::from_utf8_lossy(&answer));
        // Whoever keeps the pace is served.
        device(running.address, "alice").await;
    }
}

/// HTTP/2 frames (RFC 9113, Section 4.1).
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut frame = length.get(1..).unwrap().to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

#[tokio::test]
async fn streams_are_not_opened_and_reset_for_ever() {
    let listen = Listen { header_time: HOUR, idle_time: HOUR, ..local() };
    let running = serve(listen, Quotas::default()).await;
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    bytes.extend(frame(4, 0, 0, &[]));
    for id in (1..4_001).step_by(2) {
        // GET / by the static table (RFC 7541), and away with it.
        bytes.extend(frame(1, 5, id, &[0x82, 0x86, 0x84]));
        bytes.extend(frame(3, 0, id, &[0, 0, 0, 8]));
    }
    let _cut = stream.write_all(&bytes).await;
    let answer = rest(&mut stream).await;
    // GOAWAY, ENHANCE_YOUR_CALM.
    let calm = [0, 0, 0, 11];
    assert!(answer.windows(4).any(|code| code == calm), "{} bytes", answer.len());
    running.nobody().await;
}
