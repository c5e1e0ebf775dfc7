#![allow(clippy::unwrap_used, reason = "tests")]

use std::{future::pending, net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use super::{CONNECTIONS, Scrape};

/// Longer than anything should take; a test that waits so long has failed.
const LONG: Duration = Duration::from_secs(30);

async fn running(time: Duration) -> SocketAddr {
    let scrape = Scrape::bind(([127, 0, 0, 1], 0).into(), Default::default()).await.unwrap();
    let address = scrape.address();
    tokio::spawn(Scrape { time, ..scrape }.run(pending()));
    address
}

async fn read_all(mut stream: TcpStream) -> Vec<u8> {
    let mut answer = Vec::new();
    let _reset = timeout(LONG, stream.read_to_end(&mut answer)).await.unwrap();
    answer
}

#[tokio::test]
async fn who_asks_for_nothing_is_cut_off() {
    let address = running(Duration::from_millis(50)).await;
    let mut half = TcpStream::connect(address).await.unwrap();
    half.write_all(b"GET /metrics HTTP/1.1\r\nX-Slow: ").await.unwrap();
    for stream in [TcpStream::connect(address).await.unwrap(), half] {
        let _answer = read_all(stream).await;
    }
}

#[tokio::test]
async fn there_are_so_many_connections() {
    let address = running(LONG.saturating_mul(2)).await;
    let mut held = Vec::new();
    for _ in 0..CONNECTIONS {
        held.push(TcpStream::connect(address).await.unwrap());
    }
    assert!(read_all(TcpStream::connect(address).await.unwrap()).await.is_empty());
    // Those that were let in are served.
    let mut last = held.pop().unwrap();
    last.write_all(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    assert!(read_all(last).await.starts_with(b"HTTP/1.1 200 "));
}
