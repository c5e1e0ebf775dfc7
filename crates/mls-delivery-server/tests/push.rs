//! Pushing over WebSockets: who is told what, and when it ends.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

#[path = "common/running.rs"]
mod running;

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use mls_delivery::{
    DeviceId, Seq,
    hub::{Seen, Subscribe, Topic},
    request::{DeliverDirect, Request},
};
use mls_delivery_server::{Listen, Quotas};
use mls_engine::codec::{decode_exact, encode};
use running::{LONG, Running, ask, crypto, device, local, serve};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Bytes, Message},
};

type Socket = WebSocketStream<TcpStream>;

async fn open(running: &Running) -> Socket {
    let stream = TcpStream::connect(running.address).await.unwrap();
    client_async(format!("ws://{}/v1/push", running.address), stream).await.unwrap().0
}

async fn subscribe(socket: &mut Socket, token: &str, known: Vec<Seen>) {
    let subscribe = Subscribe { token: running::token(token).into(), known };
    socket.send(Message::Binary(Bytes::from(encode(&subscribe).unwrap()))).await.unwrap();
}

async fn next(socket: &mut Socket) -> Message {
    timeout(LONG, socket.next()).await.expect("nothing comes").expect("it just ended").unwrap()
}

async fn news(socket: &mut Socket) -> Vec<Seen> {
    match next(socket).await {
        Message::Binary(bytes) => decode_exact(&bytes).unwrap(),
        other => panic!("{other:?}"),
    }
}

/// How it is closed.
async fn closed(socket: &mut Socket) -> (u16, String) {
    match next(socket).await {
        Message::Close(Some(frame)) => (frame.code.into(), frame.reason.to_string()),
        other => panic!("{other:?}"),
    }
}

fn mailbox(device: DeviceId, head: Option<u64>) -> Seen {
    Seen { topic: Topic::Mailbox(device), head: head.map(Seq::new) }
}

/// Puts something into a mailbox.
async fn deliver(running: &Running, token: &str, recipient: DeviceId) {
    let message = running::message().into();
    let direct = encode(&Request::DeliverDirect(DeliverDirect { recipient, message })).unwrap();
    assert_eq!(ask(running.address, "POST", "/v1/call", token, &direct).await.0, 200);
}

#[tokio::test]
async fn where_there_is_more_is_pushed_and_who_comes_back_goes_on() {
    let running = serve(local(), Quotas::default()).await;
    let (alice, token) = device(running.address, "alice").await;
    let alice = alice.device(&crypto()).unwrap();
    let mut socket = open(&running).await;
    subscribe(&mut socket, &token, vec![mailbox(alice, Some(0))]).await;
    for head in 1..=3 {
        deliver(&running, &token, alice).await;
        assert_eq!(news(&mut socket).await, [mailbox(alice, Some(head))]);
    }
    drop(socket);
    deliver(&running, &token, alice).await;
    let mut again = open(&running).await;
    subscribe(&mut again, &token, vec![mailbox(alice, Some(3))]).await;
    assert_eq!(news(&mut again).await, [mailbox(alice, Some(4))]);
    // Other topics in their place, and what is known is not said again.
    let list = encode(&vec![mailbox(alice, Some(2))]).unwrap();
    again.send(Message::Binary(Bytes::from(list))).await.unwrap();
    assert_eq!(news(&mut again).await, [mailbox(alice, Some(4))]);
    assert!(running.metrics.render().contains("delivery_pushes_total 3"), "{}", running.metrics.render());
}

#[tokio::test]
async fn who_may_not_know_is_told_so() {
    let running = serve(local(), Quotas::default()).await;
    let (_, alice) = device(running.address, "alice").await;
    let (bob, _) = device(running.address, "bob").await;
    let bob = bob.device(&crypto()).unwrap();
    let many: Vec<Seen> = (0..1_025).map(|_| mailbox(bob, None)).collect();
    for (token, known, code) in [
        (alice.as_str(), vec![mailbox(bob, None)], "forbidden"),
        ("AAAA", Vec::new(), "unauthenticated"),
        (alice.as_str(), many, "too-many"),
    ] {
        let mut socket = open(&running).await;
        subscribe(&mut socket, token, known).await;
        assert_eq!(closed(&mut socket).await, (4_000, code.to_owned()));
    }
    let mut socket = open(&running).await;
    socket.send(Message::Binary(Bytes::from_static(b"noise"))).await.unwrap();
    assert_eq!(closed(&mut socket).await, (4_000, "malformed".to_owned()));
}

#[tokio::test]
async fn a_token_is_good_all_the_time() {
    let running = serve(local(), Quotas::default()).await;
    let (alice, token) = device(running.address, "alice").await;
    let alice = alice.device(&crypto()).unwrap();
    let mut socket = open(&running).await;
    subscribe(&mut socket, &token, vec![mailbox(alice, None)]).await;
    assert_eq!(news(&mut socket).await, [mailbox(alice, Some(0))]);
    running.clock.advance(3_600);
    let (_, fresh) = device(running.address, "bob").await;
    deliver(&running, &fresh, alice).await;
    assert_eq!(closed(&mut socket).await, (4_000, "unauthenticated".to_owned()));
}

#[tokio::test]
async fn a_socket_is_a_connection_and_does_not_stay_for_nothing() {
    // Longer than opening it takes on a busy machine.
    let short = Duration::from_secs(1);
    let listen = Listen { connections_per_address: 1, header_time: short, ..local() };
    let running = serve(listen, Quotas::default()).await;
    let mut silent = open(&running).await;
    assert_eq!(running.metrics.connections(), 1);
    let mut second = TcpStream::connect(running.address).await.unwrap();
    let mut answer = [0; 1];
    let refused = timeout(LONG, tokio::io::AsyncReadExt::read(&mut second, &mut answer)).await.expect("let in");
    assert!(matches!(refused, Ok(0) | Err(_)));
    // It never says who it is.
    let end = timeout(LONG, silent.next()).await.expect("still connected");
    assert!(!matches!(end, Some(Ok(Message::Binary(_)))));
    running.nobody().await;
}

#[tokio::test]
async fn who_does_not_answer_or_is_old_is_let_go() {
    let listen = Listen { connection_age: Duration::from_secs(2), ..local() };
    let running = serve(listen, Quotas::default()).await;
    let (_, token) = device(running.address, "alice").await;
    let mut socket = open(&running).await;
    subscribe(&mut socket, &token, Vec::new()).await;
    assert_eq!(closed(&mut socket).await, (1_012, String::new()));

    let running = serve(Listen { idle_time: Duration::from_secs(1), ..local() }, Quotas::default()).await;
    let (_, token) = device(running.address, "alice").await;
    let mut socket = open(&running).await;
    subscribe(&mut socket, &token, Vec::new()).await;
    // Whoever reads answers pings; this one does not read.
    timeout(LONG, async {
        while running.metrics.connections() > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await
    .expect("still connected");
}

#[tokio::test]
async fn the_end_is_said() {
    let running = serve(local(), Quotas::default()).await;
    let (_, token) = device(running.address, "alice").await;
    let mut socket = open(&running).await;
    subscribe(&mut socket, &token, Vec::new()).await;
    timeout(LONG, async {
        while !running.metrics.render().contains("delivery_pushes_total 1") {
            tokio::task::yield_now().await;
        }
    })
    .await
    .unwrap();
    running.end.send(()).unwrap();
    assert_eq!(closed(&mut socket).await, (1_012, String::new()));
    drop(socket);
    timeout(LONG, running.ended).await.unwrap().unwrap();
}
