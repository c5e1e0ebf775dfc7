//! What a connection costs that waits.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{Report, Service, report::progress};

/// Opens so many connections, asks once on each, and leaves them open. The report's memory is before and with them.
pub fn run(program: &Path, data: &str, sockets: usize) -> Report {
    let service = Service::start(program, data);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        // What the first connections cost once is not theirs.
        drop(open(&service, 64, 0).await);
        tokio::time::sleep(Duration::from_millis(500)).await;
        let (before, began) = (service.memory(), Instant::now());
        let (held, latencies, errors) = open(&service, sockets, 1).await;
        tokio::time::sleep(Duration::from_millis(500)).await;
        let after = service.memory();
        drop(held);
        let each = after.saturating_sub(before) as f64 / sockets.max(1) as f64;
        let what = format!("idle connections, {each:.1} KiB each");
        Report { what, took: began.elapsed(), latencies, errors, memory: Some((before, after)) }
    })
}

async fn open(service: &Service, sockets: usize, first: usize) -> (Vec<TcpStream>, Vec<Duration>, u64) {
    let bar = progress("sockets", sockets as u64);
    let (mut held, mut latencies, mut errors) = (Vec::new(), Vec::new(), 0);
    for n in 0..sockets {
        let began = Instant::now();
        match ask(service, crate::abuse::source(first + n / 32)).await {
            Some(stream) => {
                latencies.push(began.elapsed());
                held.push(stream);
            }
            None => errors += 1,
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    (held, latencies, errors)
}

async fn ask(service: &Service, source: std::net::SocketAddr) -> Option<TcpStream> {
    let socket = tokio::net::TcpSocket::new_v4().ok()?;
    socket.bind(source).ok()?;
    let mut stream = socket.connect(service.socket()).await.ok()?;
    stream.write_all(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n").await.ok()?;
    let mut answer = [0; 512];
    let count = stream.read(&mut answer).await.ok()?;
    answer.get(..count)?.starts_with(b"HTTP/1.1 200").then_some(stream)
}
