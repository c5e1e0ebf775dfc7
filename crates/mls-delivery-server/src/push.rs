//! Pushing where there is more, over a WebSocket (RFC 6455).
//!
//! In: [`Subscribe`], in the first frame; later frames are lists of topics that take its place. Out: frames that say where
//! there is more, once for each place. Always: who comes back says what is known, so nothing is missed in between; the socket
//! counts as a connection and lives as long as one; the token is good all the time.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use axum::{
    Extension,
    body::Bytes,
    extract::{
        State,
        ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade},
    },
    response::Response,
};
use mls_delivery::{
    DeviceId, Rejection, Seq,
    auth::Token,
    hub::{Seen, Subscribe, Topic},
    request::{ListGroups, Request},
};
use mls_engine::codec::{decode_exact, encode};
use tokio::time::{Instant, sleep_until, timeout};

use crate::{
    App, answer,
    calls::{SMALL_BODY, check_topics, news},
    listen::Line,
};

pub(crate) async fn push(
    State(app): State<Arc<App>>,
    Extension(line): Extension<Line>,
    upgrade: WebSocketUpgrade,
) -> Response {
    if let Err(rejection) = app.count_login(line.peer.ip()) {
        app.metrics.answered(rejection.code());
        return answer::problem(&rejection);
    }
    let longest = usize::try_from(SMALL_BODY).unwrap_or(usize::MAX);
    let upgrade = upgrade.max_message_size(longest).max_frame_size(longest);
    upgrade.on_upgrade(move |socket| async move {
        let mut push = Push { app, line, socket };
        let why = push.run().await;
        push.close(why).await;
    })
}

struct Push {
    app: Arc<App>,
    line: Line,
    socket: WebSocket,
}

/// Why a socket is closed.
enum Why {
    /// The other end has gone, or says nothing any more.
    Gone,
    /// The service ends, or the connection is old: come again.
    Again,
    Rejected(Rejection),
}

impl From<Rejection> for Why {
    fn from(rejection: Rejection) -> Self {
        Self::Rejected(rejection)
    }
}

impl Push {
    async fn run(&mut self) -> Why {
        match self.subscribed().await {
            Ok((token, known)) => match self.watch(&token, known).await {
                Ok(never) => never,
                Err(why) => why,
            },
            Err(why) => why,
        }
    }

    /// The first frame.
    async fn subscribed(&mut self) -> Result<(Token, Vec<Seen>), Why> {
        let first = timeout(self.line.listen.header_time, self.socket.recv()).await;
        let Ok(Some(Ok(Message::Binary(bytes)))) = first else { return Err(Why::Gone) };
        let Subscribe { token, known } = decode_exact(&bytes).map_err(|_| Rejection::Malformed)?;
        Ok((Token::from_bytes(token.as_slice())?, known))
    }

    async fn watch(&mut self, token: &Token, known: Vec<Seen>) -> Result<Why, Why> {
        let app = self.app.clone();
        let device = app.gate.admit(token, app.clock.now())?;
        let mut known = self.accept(device, known)?;
        let old = after(self.line.listen.connection_age);
        let mut heard = Instant::now();
        loop {
            // Watched before it is looked at, or what happens in between would be missed.
            let mut watch = app.service.watch(known.keys().cloned().collect());
            self.tell(device, &mut known, None).await?;
            let changed = loop {
                let ping = after(self.line.listen.idle_time.mul_f64(0.5));
                tokio::select! {
                    topics = watch.next() => {
                        app.gate.admit(token, app.clock.now())?;
                        self.tell(device, &mut known, Some(&topics)).await?;
                    }
                    received = self.socket.recv() => {
                        heard = Instant::now();
                        match received {
                            Some(Ok(Message::Binary(bytes))) => {
                                break decode_exact(&bytes).map_err(|_| Rejection::Malformed)?;
                            }
                            Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                            _ => return Err(Why::Gone),
                        }
                    }
                    () = sleep_until(ping) => {
                        app.gate.admit(token, app.clock.now())?;
                        if heard.elapsed() > self.line.listen.idle_time {
                            return Err(Why::Gone);
                        }
                        self.send(Message::Ping(Bytes::new())).await?;
                    }
                    () = sleep_until(old) => return Ok(Why::Again),
                    () = app.ending() => return Ok(Why::Again),
                }
            };
            app.gate.admit(token, app.clock.now())?;
            known = self.accept(device, changed)?;
        }
    }

    /// Counts it, and takes the topics.
    fn accept(&self, device: DeviceId, known: Vec<Seen>) -> Result<BTreeMap<Topic, Option<Seq>>, Why> {
        check_topics(&known)?;
        self.app.count(device, &Request::ListGroups(ListGroups::default()))?;
        self.app.metrics.pushed();
        Ok(known.into_iter().map(|seen| (seen.topic, seen.head)).collect())
    }

    /// Looks at all topics, or at these, and says where there is more.
    async fn tell(
        &mut self,
        device: DeviceId,
        known: &mut BTreeMap<Topic, Option<Seq>>,
        only: Option<&[Topic]>,
    ) -> Result<(), Why> {
        let asked = |topic: &Topic| only.is_none_or(|only| only.contains(topic));
        let seen = known.iter().filter(|(topic, _)| asked(topic));
        let seen: Vec<Seen> = seen.map(|(topic, head)| Seen { topic: topic.clone(), head: *head }).collect();
        let news = news(&self.app, device, &seen).await?;
        if news.is_empty() {
            return Ok(());
        }
        let frame = encode(&news).map_err(|_| Rejection::Damaged)?;
        self.send(Message::Binary(frame.into())).await?;
        known.extend(news.into_iter().map(|seen| (seen.topic, seen.head)));
        Ok(())
    }

    /// Who does not take what is sent is gone.
    async fn send(&mut self, message: Message) -> Result<(), Why> {
        match timeout(self.line.listen.idle_time, self.socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            _ => Err(Why::Gone),
        }
    }

    async fn close(mut self, why: Why) {
        let (code, reason) = match &why {
            Why::Gone => return,
            Why::Again => (SERVICE_RESTART, ""),
            Why::Rejected(rejection) => (REJECTED, rejection.code()),
        };
        let frame = CloseFrame { code, reason: reason.into() };
        let _gone = timeout(CLOSING, self.socket.send(Message::Close(Some(frame)))).await;
    }
}

fn after(time: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(time).unwrap_or(now)
}

/// IANA "WebSocket Close Code Number Registry".
const SERVICE_RESTART: u16 = 1012;

/// Of the range for private use: the reason is the code of a rejection.
const REJECTED: u16 = 4000;

const CLOSING: Duration = Duration::from_secs(1);
