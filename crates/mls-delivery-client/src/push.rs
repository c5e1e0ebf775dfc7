//! A WebSocket on which the service says where there is more (RFC 6455).

use core::fmt;
use std::{sync::Arc, time::Duration};

use futures_util::{SinkExt, StreamExt};
use hyper::Uri;
use mls_delivery::{Rejection, hub::Seen};
use mls_engine::codec::decode_exact;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::{
    TlsConnector,
    rustls::{ClientConfig, pki_types::ServerName},
};
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{Bytes, Message, protocol::WebSocketConfig},
};

/// An open one.
pub(crate) struct Push(WebSocketStream<Box<dyn Line>>);

/// What it runs on.
trait Line: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Line for T {}

/// Why there is nothing more on it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Closed {
    /// The token is not good any more.
    Unauthenticated,
    /// It broke, or the service closed it.
    Gone,
}

impl Push {
    /// Connects, and says who asks. Any trouble is [`Rejection::Unavailable`]: there is another way to wait.
    pub(crate) async fn open(base: &str, tls: &ClientConfig, first: Vec<u8>) -> Result<Self, Rejection> {
        let opened = timeout(OPENING, Self::try_open(base, tls, first)).await;
        opened.ok().flatten().ok_or(Rejection::Unavailable)
    }

    async fn try_open(base: &str, tls: &ClientConfig, first: Vec<u8>) -> Option<Self> {
        let base: Uri = base.parse().ok()?;
        let secure = base.scheme_str() == Some("https");
        let host = base.host()?;
        let port = base.port_u16().unwrap_or(if secure { 443 } else { 80 });
        let name = host.trim_start_matches('[').trim_end_matches(']');
        let stream = TcpStream::connect((name, port)).await.ok()?;
        let line: Box<dyn Line> = if secure {
            let mut config = tls.clone();
            // WebSockets begin with HTTP/1.1.
            config.alpn_protocols = vec![b"http/1.1".to_vec()];
            let name = ServerName::try_from(name.to_owned()).ok()?;
            Box::new(TlsConnector::from(Arc::new(config)).connect(name, stream).await.ok()?)
        } else {
            Box::new(stream)
        };
        let scheme = if secure { "wss" } else { "ws" };
        let address = format!("{scheme}://{}{}/v1/push", base.authority()?, base.path().trim_end_matches('/'));
        let config = WebSocketConfig::default().max_message_size(Some(MAX_FRAME)).max_frame_size(Some(MAX_FRAME));
        let (mut socket, _) = client_async_with_config(address, line, Some(config)).await.ok()?;
        socket.send(Message::Binary(Bytes::from(first))).await.ok()?;
        Some(Self(socket))
    }

    /// What the service says next. May be dropped while it waits.
    pub(crate) async fn next(&mut self) -> Result<Vec<Seen>, Closed> {
        loop {
            let Ok(Some(Ok(message))) = timeout(SILENCE, self.0.next()).await else { return Err(Closed::Gone) };
            match message {
                Message::Binary(bytes) => return decode_exact(&bytes).map_err(|_| Closed::Gone),
                Message::Close(Some(frame)) if frame.reason.as_str() == "unauthenticated" => {
                    return Err(Closed::Unauthenticated);
                }
                Message::Close(_) => return Err(Closed::Gone),
                _ => {}
            }
        }
    }
}

impl fmt::Debug for Push {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Push")
    }
}

const OPENING: Duration = Duration::from_secs(20);

/// The service pings more often than that.
const SILENCE: Duration = Duration::from_secs(75);

/// The longest list of topics and more.
const MAX_FRAME: usize = 1 << 20;
