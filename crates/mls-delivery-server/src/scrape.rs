//! Numbers, on an address of their own: they are the operator's, not the devices'.

use std::{convert::Infallible, future::Future, net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    body::Body,
    http::{Method, Request, Response, StatusCode, header},
};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
};

use crate::{Metrics, ServeError};

/// Answers `GET /metrics`, and nothing else. Plain HTTP: the address should be loopback, or in a network of its own.
#[derive(Debug)]
pub struct Scrape {
    listener: TcpListener,
    address: SocketAddr,
    metrics: Arc<Metrics>,
    /// A connection ends after this, whatever it does.
    time: Duration,
}

impl Scrape {
    /// Begins to listen; [`Scrape::run`] answers.
    ///
    /// # Errors
    /// [`ServeError::Bind`].
    pub async fn bind(address: SocketAddr, metrics: Arc<Metrics>) -> Result<Self, ServeError> {
        let bind = |source| ServeError::Bind { address, source };
        let listener = TcpListener::bind(address).await.map_err(bind)?;
        let address = listener.local_addr().map_err(bind)?;
        Ok(Self { listener, address, metrics, time: Duration::from_secs(10) })
    }

    /// Where it listens; useful if port 0 was asked for.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers until `end`.
    pub async fn run(self, end: impl Future<Output = ()>) {
        let mut end = std::pin::pin!(end);
        let places = Arc::new(Semaphore::new(CONNECTIONS));
        loop {
            tokio::select! {
                () = &mut end => return,
                accepted = self.listener.accept() => match (accepted, places.clone().try_acquire_owned()) {
                    (Ok((stream, _)), Ok(place)) => {
                        let (metrics, time) = (self.metrics.clone(), self.time);
                        tokio::spawn(async move {
                            let _in_time = tokio::time::timeout(time, speak(stream, metrics)).await;
                            drop(place);
                        });
                    }
                    (Ok(_), Err(_)) => {}
                    // Out of file descriptors, mostly: others have to go first.
                    (Err(_), _) => tokio::time::sleep(PAUSE).await,
                },
            }
        }
    }
}

async fn speak(stream: TcpStream, metrics: Arc<Metrics>) {
    let service = service_fn(move |request: Request<Incoming>| {
        let response = answer(&request, &metrics);
        async move { Ok::<_, Infallible>(response) }
    });
    let mut builder = hyper::server::conn::http1::Builder::new();
    builder.timer(TokioTimer::new()).keep_alive(false);
    let _ended = builder.serve_connection(TokioIo::new(stream), service).await;
}

fn answer(request: &Request<Incoming>, metrics: &Metrics) -> Response<Body> {
    if (request.method(), request.uri().path()) != (&Method::GET, "/metrics") {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NOT_FOUND;
        return response;
    }
    let mut response = Response::new(Body::from(metrics.render()));
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static("text/plain; version=0.0.4"));
    response
}

/// Who scrapes has one connection.
const CONNECTIONS: usize = 16;

const PAUSE: Duration = Duration::from_millis(50);

#[cfg(test)]
mod tests;
