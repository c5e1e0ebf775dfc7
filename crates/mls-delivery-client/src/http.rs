//! One request and its answer.

use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::{
    Method, Request, StatusCode, Uri,
    body::Bytes,
    header::{AUTHORIZATION, CONTENT_TYPE},
};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use mls_delivery::Rejection;
use tokio_rustls::rustls::ClientConfig;

/// The longest answer that is read.
const MAX_ANSWER: usize = 64 << 20;

/// How long an answer may take; longer than a watch.
const ANSWER_TIME: Duration = Duration::from_secs(60);

/// Connections to one service.
#[derive(Debug)]
pub(crate) struct Http {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    base: String,
    max_answer: usize,
}

impl Http {
    pub(crate) fn new(base: &str, tls: ClientConfig) -> Self {
        let connector =
            HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1().enable_http2().build();
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(Duration::from_secs(30))
            .build(connector);
        Self { client, base: base.trim_end_matches('/').to_owned(), max_answer: MAX_ANSWER }
    }

    /// Reads no answer that is longer.
    pub(crate) fn max_answer(mut self, bytes: usize) -> Self {
        self.max_answer = bytes;
        self
    }

    /// Asks, and returns what came. What did not come at all is [`Rejection::Unavailable`].
    pub(crate) async fn ask(
        &self,
        (method, path): (Method, &str),
        token: Option<&str>,
        body: Vec<u8>,
    ) -> Result<Vec<u8>, Rejection> {
        let asked = tokio::time::timeout(ANSWER_TIME, self.exchange((method, path), token, body));
        asked.await.unwrap_or(Err(Rejection::Unavailable))
    }

    async fn exchange(
        &self,
        (method, path): (Method, &str),
        token: Option<&str>,
        body: Vec<u8>,
    ) -> Result<Vec<u8>, Rejection> {
        let uri: Uri = format!("{}{path}", self.base).parse().map_err(|_| Rejection::Malformed)?;
        let mut request = Request::builder().method(method).uri(uri).header(CONTENT_TYPE, MEDIA_TYPE);
        if let Some(token) = token {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        let request = request.body(Full::from(body)).map_err(|_| Rejection::Malformed)?;
        let response = self.client.request(request).await.map_err(|_| Rejection::Unavailable)?;
        let status = response.status();
        let body = Limited::new(response.into_body(), self.max_answer).collect().await;
        let bytes = body.map_err(|_| Rejection::Unavailable)?.to_bytes();
        if status == StatusCode::OK { Ok(bytes.into()) } else { Err(rejection(status, &bytes)) }
    }
}

/// What the service says; for what a proxy says, the nearest to it.
fn rejection(status: StatusCode, body: &[u8]) -> Rejection {
    serde_json::from_slice(body).unwrap_or(match status {
        StatusCode::TOO_MANY_REQUESTS => Rejection::RateLimited { retry_after_ms: 1_000 },
        StatusCode::UNAUTHORIZED => Rejection::Unauthenticated,
        status if status.is_server_error() => Rejection::Unavailable,
        _ => Rejection::Malformed,
    })
}

const MEDIA_TYPE: &str = "application/vnd.spacepanda.delivery";
