//! What is done at each route. [`crate::routes`] has the table of them.

use std::{
    net::{IpAddr, Ipv4Addr},
    pin::pin,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    body::Body,
    extract::{Request as HttpRequest, State},
    http::{HeaderMap, StatusCode, header},
    response::Response,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use mls_delivery::{
    DeviceId, Rejection, Seq, ask,
    auth::{Login, Token},
    hub::{Seen, Topic},
    request::{FetchLog, FetchMailbox, ListGroups, Request},
};
use mls_engine::codec::encode;

use crate::{
    App, answer,
    body::{self, Pace},
    listen::Line,
};

/// How long a watch waits before it says that nothing is new. Shorter than proxies cut.
const WATCH: Duration = Duration::from_secs(25);

/// Topics of one watch.
const TOPICS: usize = 1_024;

/// Bytes of a login, or of the topics of a watch.
pub(crate) const SMALL_BODY: u64 = 64 * 1024;

/// What a bundle has beside its parts.
const OVERHEAD: u64 = 1 << 20;

pub(crate) async fn health() -> &'static str {
    "ok\n"
}

pub(crate) async fn ready(State(app): State<Arc<App>>) -> (StatusCode, &'static str) {
    if app.is_ready() { (StatusCode::OK, "ready\n") } else { (StatusCode::SERVICE_UNAVAILABLE, "ending\n") }
}

pub(crate) async fn capabilities(State(app): State<Arc<App>>) -> Response {
    finish(&app, encode(&app.service.capabilities()).map_err(|_| Rejection::Damaged))
}

pub(crate) async fn challenge(State(app): State<Arc<App>>, request: HttpRequest) -> Response {
    let made = app.count_login(address(&request)).and_then(|()| {
        let challenge = app.gate.challenge(app.random.as_ref(), app.clock.now())?;
        encode(&challenge).map_err(|_| Rejection::Damaged)
    });
    finish(&app, made)
}

pub(crate) async fn login(State(app): State<Arc<App>>, request: HttpRequest) -> Response {
    let admitted = async {
        let pace = pace(&request);
        app.count_login(address(&request))?;
        let login: Login = body::read(request.into_body(), SMALL_BODY, pace).await?;
        let now = app.clock.now();
        app.gate.token(app.gate.check(&login, now)?, now)?.to_bytes()
    };
    let admitted = admitted.await;
    finish(&app, admitted)
}

pub(crate) async fn call(State(app): State<Arc<App>>, request: HttpRequest) -> Response {
    let began = Instant::now();
    let done = async {
        let device = device(&app, request.headers())?;
        let limit = app.service.capabilities().limits.max_bundle.saturating_add(OVERHEAD);
        let pace = pace(&request);
        let request: Request = body::read(request.into_body(), limit, pace).await?;
        app.count(device, &request)?;
        let committing = match &request {
            Request::SubmitCommit(submit) => Some(submit.group_id.clone()),
            _ => None,
        };
        let reply = app.service.call(device, request).await?;
        if let Some(group_id) = committing {
            app.committed(group_id);
        }
        encode(&reply).map_err(|_| Rejection::Damaged)
    };
    let done = done.await;
    app.metrics.took(began.elapsed());
    finish(&app, done)
}

/// Answers as soon as there is more at one of the topics than is known, or with none after a while.
pub(crate) async fn watch(State(app): State<Arc<App>>, request: HttpRequest) -> Response {
    let news = async {
        let device = device(&app, request.headers())?;
        let pace = pace(&request);
        let known: Vec<Seen> = body::read(request.into_body(), SMALL_BODY, pace).await?;
        app.count(device, &Request::ListGroups(ListGroups::default()))?;
        app.metrics.watched();
        let news = wait(&app, device, known).await?;
        encode(&news).map_err(|_| Rejection::Damaged)
    };
    let news = news.await;
    finish(&app, news)
}

async fn wait(app: &App, device: DeviceId, known: Vec<Seen>) -> Result<Vec<Seen>, Rejection> {
    check_topics(&known)?;
    // Watched before it is looked at, or what happens in between would be missed.
    let mut watch = app.service.watch(known.iter().map(|seen| seen.topic.clone()).collect());
    let mut end = pin!(tokio::time::sleep(WATCH));
    let mut ending = pin!(app.ending());
    loop {
        let news = news(app, device, &known).await?;
        if !news.is_empty() {
            return Ok(news);
        }
        tokio::select! {
            _ = watch.next() => {}
            () = &mut end => return Ok(news),
            () = &mut ending => return Ok(news),
        }
    }
}

pub(crate) fn check_topics(known: &[Seen]) -> Result<(), Rejection> {
    if known.len() > TOPICS {
        let count = u64::try_from(known.len()).unwrap_or(u64::MAX);
        return Err(Rejection::TooMany { count, limit: 1_024 });
    }
    Ok(())
}

/// Where there is more than is known.
pub(crate) async fn news(app: &App, device: DeviceId, known: &[Seen]) -> Result<Vec<Seen>, Rejection> {
    let mut news = Vec::new();
    for Seen { topic, head } in known {
        let now = Some(look(app, device, topic).await?);
        if now > *head {
            news.push(Seen { topic: topic.clone(), head: now });
        }
    }
    Ok(news)
}

/// How far a topic is. That something happens in a group is for its readers to know, and a mailbox is its device's.
async fn look(app: &App, device: DeviceId, topic: &Topic) -> Result<Seq, Rejection> {
    let after = Some(Seq::new(u64::MAX));
    match topic {
        Topic::Mailbox(owner) if *owner == device => {
            let look = FetchMailbox { after, limit: 1 };
            Ok(ask(app.service.as_ref(), device, look).await?.head)
        }
        Topic::Log(group_id) => {
            let look = FetchLog { group_id: group_id.clone(), after, limit: 1 };
            Ok(ask(app.service.as_ref(), device, look).await?.head)
        }
        _ => Err(Rejection::Forbidden),
    }
}

/// Who holds the token. Tokens travel in a header, never in an address, which ends up in logs.
pub(crate) fn device(app: &App, headers: &HeaderMap) -> Result<DeviceId, Rejection> {
    let value = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = value.and_then(|value| value.strip_prefix("Bearer ")).ok_or(Rejection::Unauthenticated)?;
    let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| Rejection::Unauthenticated)?;
    app.gate.admit(&Token::from_bytes(&bytes)?, app.clock.now())
}

pub(crate) fn address(request: &HttpRequest<Body>) -> IpAddr {
    line(request).map_or(Ipv4Addr::UNSPECIFIED.into(), |line| line.peer.ip())
}

pub(crate) fn pace(request: &HttpRequest<Body>) -> Pace {
    line(request).map(|line| line.listen.pace).unwrap_or_default()
}

/// Put there by the accept loop.
fn line(request: &HttpRequest<Body>) -> Option<&Line> {
    request.extensions().get()
}

pub(crate) fn finish(app: &App, result: Result<Vec<u8>, Rejection>) -> Response {
    match result {
        Ok(bytes) => {
            app.metrics.answered("ok");
            answer::binary(bytes)
        }
        Err(rejection) => {
            app.metrics.answered(rejection.code());
            tracing::debug!(code = rejection.code(), "rejected");
            answer::problem(&rejection)
        }
    }
}
