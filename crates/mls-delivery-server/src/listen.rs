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

use crate::{App, Pace, app::network, quiet::Activity, routes::router};

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
    /// How slowly a body may come.
    pub pace: Pace,
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
            pace: Pace::default(),
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
            let held = Arc::new(Held::new(app.clone(), pass));
            let connection = Connection { app: app.clone(), line: Line { listen: listen.clone(), peer, _held: held } };
            tokio::spawn(connection.serve(stream, router.clone(), graceful.watcher()));
        }
        app.end();
        drop(listener);
        let all_gone = async {
            graceful.shutdown().await;
            // Sockets are no requests any more, and close by themselves.
            doors.empty().await;
        };
        let _in_time = tokio::time::timeout(listen.drain_time, all_gone).await;
    }
}

/// One connection that was let in.
struct Connection {
    app: Arc<App>,
    line: Line,
}

/// What a request knows of the connection it came on. Who keeps it keeps the connection's place.
#[derive(Clone)]
pub(crate) struct Line {
    pub(crate) listen: Arc<Listen>,
    pub(crate) peer: SocketAddr,
    _held: Arc<Held>,
}

/// The place of a connection, given back when neither the connection nor a socket made of it is left.
struct Held {
    app: Arc<App>,
    _pass: Pass,
}

impl Held {
    fn new(app: Arc<App>, pass: Pass) -> Self {
        app.metrics.connected();
        Self { app, _pass: pass }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.app.metrics.disconnected();
    }
}

impl Connection {
    async fn serve(self, stream: TcpStream, router: Router, watcher: hyper_util::server::graceful::Watcher) {
        let _nodelay = stream.set_nodelay(true);
        match &self.line.listen.tls {
            None => self.speak(stream, router, watcher).await,
            Some(config) => {
                let handshake = TlsAcceptor::from(config.clone()).accept(stream);
                match tokio::time::timeout(self.line.listen.handshake_time, handshake).await {
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
        let listen = self.line.listen.clone();
        let line = self.line.clone();
        let activity = Activity::new(listen.header_time, listen.idle_time);
        let watched = activity.clone();
        let service = hyper::service::service_fn(move |request: Request<Incoming>| {
            let busy = activity.busy();
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(line.clone());
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
        builder.http1().timer(TokioTimer::new()).header_read_timeout(listen.header_time);
        builder
            .http2()
            .timer(TokioTimer::new())
            .max_concurrent_streams(128)
            .max_header_list_size(64 * 1024)
            // Streams that a client opens and resets at once, and errors that it provokes.
            .max_pending_accept_reset_streams(RESETS)
            .max_local_error_reset_streams(RESETS)
            .keep_alive_interval(Duration::from_secs(30))
            .keep_alive_timeout(Duration::from_secs(30));
        let connection =
            watcher.watch(builder.serve_connection_with_upgrades(TokioIo::new(stream), service).into_owned());
        tokio::select! {
            _ended = connection => {}
            () = watched.quiet() => {}
            () = tokio::time::sleep(listen.connection_age) => {}
        }
    }
}

/// Who may come in, before a byte is read.
struct Doors {
    all: Arc<Semaphore>,
    per_address: Arc<Mutex<BTreeMap<IpAddr, usize>>>,
    limit: usize,
    connections: u32,
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
        let connections = u32::try_from(listen.connections).unwrap_or(u32::MAX);
        Self { all, per_address: Arc::default(), limit: listen.connections_per_address, connections }
    }

    /// Waits until nobody is in.
    async fn empty(&self) {
        let _all = self.all.acquire_many(self.connections).await;
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

/// How many streams of one connection may have been reset and not yet dealt with.
const RESETS: usize = 20;

const PAUSE: Duration = Duration::from_millis(50);
