//! Those who are slow or speak nonsense, and what honest ones notice of it.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use delivery_conformance::Device;
use mls_delivery::{ask, request::FetchMailbox};
use mls_delivery_client::Remote;
use tokio::{io::AsyncWriteExt, net::TcpSocket, task::JoinSet};

use crate::{
    Report, Service,
    author::{Author, client},
    report::progress,
};

/// How much.
#[derive(Clone, Copy, Debug)]
pub struct Abuse {
    /// Connections that send a header a byte at a time, from addresses of their own.
    pub slow: usize,
    /// Connections that send noise and go, one after the other in each of some tasks.
    pub noise: usize,
    /// For how long honest ones ask, without and then with the abuse.
    pub time: Duration,
}

/// Honest requests without abuse, and with it.
pub fn run(program: &Path, data: &str, abuse: Abuse) -> (Report, Report) {
    let service = Arc::new(Service::start(program, data));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let mut author = Author;
    let world = author.world();
    runtime.block_on(async {
        let honest = client(&world, &service.address, "honest").await.unwrap();
        let quiet = honestly(&service, &honest, "honest, alone", abuse.time).await;
        let stop = Arc::new(AtomicBool::new(false));
        let (opened, said) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let mut abusers = JoinSet::new();
        for n in 0..abuse.slow {
            abusers.spawn(slowly(service.clone(), n, (stop.clone(), opened.clone())));
        }
        for n in 0..NOISY {
            abusers.spawn(noisily(service.clone(), n, abuse.noise / NOISY, (stop.clone(), said.clone())));
        }
        let bar = progress("slow connections", abuse.slow as u64);
        let patience = Instant::now();
        while opened.load(Ordering::SeqCst) < abuse.slow as u64 && patience.elapsed() < PATIENCE {
            tokio::time::sleep(Duration::from_millis(50)).await;
            bar.set_position(opened.load(Ordering::SeqCst));
        }
        bar.finish_and_clear();
        let mut abused = honestly(&service, &honest, "honest", abuse.time).await;
        stop.store(true, Ordering::SeqCst);
        abusers.shutdown().await;
        let (opened, said) = (opened.load(Ordering::SeqCst), said.load(Ordering::SeqCst));
        abused.what = format!("honest, beside {opened} slow connections and {said} bad handshakes");
        (quiet, abused)
    })
}

/// A source address for each n: all of 127.0.0.0/8 is this machine.
pub fn source(n: usize) -> SocketAddr {
    let n = u32::try_from(n % 0x00ff_0000).unwrap_or_default() + 0x0001_0001;
    (Ipv4Addr::from(0x7f00_0000 | n), 0).into()
}

async fn honestly(service: &Service, (device, remote): &(Device, Remote), what: &str, time: Duration) -> Report {
    let (before, began) = (service.memory(), Instant::now());
    let (mut latencies, mut errors) = (Vec::new(), 0);
    let bar = progress(what, time.as_secs());
    while began.elapsed() < time {
        let asked = Instant::now();
        match ask(remote, device.id, FetchMailbox { after: None, limit: 1 }).await {
            Ok(_) => latencies.push(asked.elapsed()),
            Err(_) => errors += 1,
        }
        bar.set_position(began.elapsed().as_secs());
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    bar.finish_and_clear();
    let memory = Some((before, service.memory()));
    Report { what: what.to_owned(), took: began.elapsed(), latencies, errors, memory }
}

/// A header that never ends; when it is cut off, another one begins.
async fn slowly(service: Arc<Service>, n: usize, (stop, opened): (Arc<AtomicBool>, Arc<AtomicU64>)) {
    let mut counted = false;
    while !stop.load(Ordering::SeqCst) {
        let Ok(socket) = TcpSocket::new_v4() else { return };
        // Some share an address, fewer than the cap.
        if socket.bind(source(1_000 + n / 16)).is_err() {
            return;
        }
        if let Ok(mut stream) = socket.connect(service.socket()).await {
            if !core::mem::replace(&mut counted, true) {
                opened.fetch_add(1, Ordering::SeqCst);
            }
            while stream.write_all(b"G").await.is_ok() && !stop.load(Ordering::SeqCst) {
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// What is neither HTTP nor TLS.
async fn noisily(service: Arc<Service>, n: usize, count: usize, (stop, said): (Arc<AtomicBool>, Arc<AtomicU64>)) {
    for _ in 0..count {
        if stop.load(Ordering::SeqCst) {
            return;
        }
        let Ok(socket) = TcpSocket::new_v4() else { return };
        if socket.bind(source(100_000 + n)).is_ok()
            && let Ok(mut stream) = socket.connect(service.socket()).await
        {
            let _refused = stream.write_all(&[22, 3, 1, 0xff, 0xff, 0, 1, 2, 3]).await;
            said.fetch_add(1, Ordering::SeqCst);
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

const NOISY: usize = 8;

/// How long opening may take.
const PATIENCE: Duration = Duration::from_secs(60);
