//! The accept loop: caps before anything is read, timers for everything that may not come.
//!
//! Always: an address that is not this machine's own is served with TLS, unless a proxy is said to stand in front.

use std::{
    collections::BTreeMap,
    future::Future,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{Router, body::Body, http::Request};
use hyper::body::Incoming;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto::Builder, graceful::GracefulShutdown},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
};
use tokio_rustls::{TlsAcceptor, rustls::ServerConfig};

use crate::{App, app::network, calls::router, quiet::Activity};

/// How to listen.
#[derive(Clone, Debug)]
pub struct Listen {
    /// Where.
    pub address: SocketAddr,
    /// With which certificate; `None` for plain HTTP.
    pub tls: Option<Arc<ServerConfig>>,
    /// Whether a proxy that speaks TLS stands in front.
    pub behind_proxy: bool,
    /// Connections at a time.
    pub connections: usize,
    /// Connections at a time from one address; of IPv6, from one /64.
    pub connections_per_address: usize,
    /// How long a header may take.
    pub header_time: Duration,
    /// How long a connection may be without a request, and a reply may take to be read.
    pub idle_time: Duration,
    /// How long a TLS handshake may take.
    pub handshake_time: Duration,
    /// How long a connection lives at most.
    pub connection_age: Duration,
    /// How long requests may go on once the service ends.
    pub drain_time: Duration,
}

impl Listen {
    /// Plain HTTP at this address, under the caps of the project.
    pub fn plain(address: SocketAddr) -> Self {
        Self {
            address,
            tls: None,
            behind_proxy: false,
            connections: 16_384,
            connections_per_address: 64,
            header_time: Duration::from_secs(10),
            idle_time: Duration::from_secs(60),
            handshake_time: Duration::from_secs(10),
            connection_age: Duration::from_secs(3_600),
            drain_time: Duration::from_secs(25),
        }
    }
}

/// Why the service does not listen.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The address is open to others, and what is said there would be too.
    #[error("{0} is not loopback: configure TLS, or say that a proxy with TLS stands in front")]
    NeedsTls(SocketAddr),
    /// The address cannot be had.
    #[error("cannot listen at {address}: {source}")]
    Bind {
        /// Which.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
}

/// A service that listens.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    listen: Arc<Listen>,
    app: Arc<App>,
}

impl Server {
    /// Begins to listen; [`Server::run`] answers.
    ///
    /// # Errors
    /// [`ServeError`].
    pub async fn bind(listen: Listen, app: Arc<App>) -> Result<Self, ServeError> {
        let address = listen.address;
        if listen.tls.is_none() && !listen.behind_proxy && !address.ip().is_loopback() {
            return Err(ServeError::NeedsTls(address));
        }
        let listener = TcpListener::bind(address).await.map_err(|source| ServeError::Bind { address, source })?;
        Ok(Self { listener, listen: Arc::new(listen), app })
    }

    /// Where it listens; useful if port 0 was asked for.
    pub fn address(&self) -> SocketAddr {
        self.listener.local_addr().unwrap_or(self.listen.address)
    }

    /// Answers until `end`; then takes no more connections, lets requests end, and returns after [`Listen::drain_time`]
    /// at the latest.
    pub async fn run(self, end: impl Future<Output = ()>) {
        let Self { listener, listen, app } = self;
        let graceful = GracefulShutdown::new();
        let doors = Doors::new(&listen);
        let router = router(app.clone());
        let mut end = std::pin::pin!(end);
        loop {
            let (stream, peer) = tokio::select! {
                () = &mut end => break,
                accepted = listener.accept() => match accepted {
                    Ok(accepted) => accepted,
                    Err(error) => {
                        // Out of file descriptors, mostly: others have to go first.
                        tracing::warn!(kind = ?error.kind(), "accept failed");
                        tokio::time::sleep(PAUSE).await;
                        continue;
                    }
                },
            };
            let Some(pass) = doors.admit(peer.ip()) else {
                app.metrics.refused();
                continue;
            };
            let connection = Connection { listen: listen.clone(), app: app.clone(), peer, _pass: pass };
            tokio::spawn(connection.serve(stream, router.clone(), graceful.watcher()));
        }
        app.end();
        drop(listener);
        let _in_time = tokio::time::timeout(listen.drain_time, graceful.shutdown()).await;
    }
}

/// One connection that was let in.
struct Connection {
    listen: Arc<Listen>,
    app: Arc<App>,
    peer: SocketAddr,
    _pass: Pass,
}

impl Connection {
    async fn serve(self, stream: TcpStream, router: Router, watcher: hyper_util::server::graceful::Watcher) {
        let _nodelay = stream.set_nodelay(true);
        match &self.listen.tls {
            None => self.speak(stream, router, watcher).await,
            Some(config) => {
                let handshake = TlsAcceptor::from(config.clone()).accept(stream);
                match tokio::time::timeout(self.listen.handshake_time, handshake).await {
                    Ok(Ok(stream)) => self.speak(stream, router, watcher).await,
                    _ => self.app.metrics.refused(),
                }
            }
        }
    }

    async fn speak<S>(&self, stream: S, router: Router, watcher: hyper_util::server::graceful::Watcher)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let peer = self.peer;
        let activity = Activity::new(self.listen.header_time, self.listen.idle_time);
        let watched = activity.clone();
        let service = hyper::service::service_fn(move |request: Request<Incoming>| {
            let busy = activity.busy();
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(peer);
            let service = hyper_util::service::TowerToHyperService::new(router.clone());
            let answered = hyper::service::Service::call(&service, request);
            async move {
                let response = answered.await;
                drop(busy);
                response
            }
        });
        let mut builder = Builder::new(TokioExecutor::new());
        // Without a timer hyper's timeouts do nothing.
        builder.http1().timer(TokioTimer::new()).header_read_timeout(self.listen.header_time);
        builder
            .http2()
            .timer(TokioTimer::new())
            .max_concurrent_streams(128)
            .max_header_list_size(64 * 1024)
            .keep_alive_interval(Duration::from_secs(30))
            .keep_alive_timeout(Duration::from_secs(30));
        let connection = watcher.watch(builder.serve_connection(TokioIo::new(stream), service).into_owned());
        self.app.metrics.connected();
        tokio::select! {
            _ended = connection => {}
            () = watched.quiet() => {}
            () = tokio::time::sleep(self.listen.connection_age) => {}
        }
        self.app.metrics.disconnected();
    }
}

/// Who may come in, before a byte is read.
struct Doors {
    all: Arc<Semaphore>,
    per_address: Arc<Mutex<BTreeMap<IpAddr, usize>>>,
    limit: usize,
}

/// Gives back its place when it is dropped.
struct Pass {
    _permit: OwnedSemaphorePermit,
    address: IpAddr,
    per_address: Arc<Mutex<BTreeMap<IpAddr, usize>>>,
}

impl Doors {
    fn new(listen: &Listen) -> Self {
        let all = Arc::new(Semaphore::new(listen.connections));
        Self { all, per_address: Arc::default(), limit: listen.connections_per_address }
    }

    fn admit(&self, address: IpAddr) -> Option<Pass> {
        let permit = self.all.clone().try_acquire_owned().ok()?;
        let address = network(address);
        let mut counts = self.per_address.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(address).or_default();
        if *count >= self.limit {
            return None;
        }
        *count = count.saturating_add(1);
        Some(Pass { _permit: permit, address, per_address: self.per_address.clone() })
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        let mut counts = self.per_address.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.address) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                counts.remove(&self.address);
            }
        }
    }
}

const PAUSE: Duration = Duration::from_millis(50);
