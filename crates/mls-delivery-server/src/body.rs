//! Bodies: as long as the route allows, and not for ever.

use std::time::Duration;

use axum::body::{Body, HttpBody};
use http_body_util::BodyExt;
use mls_delivery::Rejection;
use mls_engine::codec::decode_exact;
use tls_codec::DeserializeBytes;
use tokio::time::{Instant, timeout_at};

/// How slowly a body may come.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// The longest it may take in all.
    pub longest: Duration,
    /// How long it may take before anything is asked of its speed.
    pub grace: Duration,
    /// Bytes a second that have to come after that.
    pub rate: u64,
}

impl Default for Pace {
    fn default() -> Self {
        Self { longest: Duration::from_secs(30), grace: Duration::from_secs(5), rate: 1_024 }
    }
}

impl Pace {
    /// By when more has to come, of a body that began then and has come so far.
    fn due(&self, began: Instant, came: usize) -> Instant {
        let came = u64::try_from(came).unwrap_or(u64::MAX);
        let earned = Duration::from_millis(came.saturating_mul(1_000).checked_div(self.rate).unwrap_or(u64::MAX));
        let time = self.grace.saturating_add(earned).min(self.longest);
        began.checked_add(time).unwrap_or(began)
    }
}

/// Reads a body of the codec.
pub(crate) async fn read<T: DeserializeBytes>(body: Body, limit: u64, pace: Pace) -> Result<T, Rejection> {
    let bytes = gather(body, limit, pace).await?;
    decode_exact(&bytes).map_err(|_| Rejection::Malformed)
}

async fn gather(mut body: Body, limit: u64, pace: Pace) -> Result<Vec<u8>, Rejection> {
    // What says that it is too large is not waited for.
    let said = HttpBody::size_hint(&body).lower();
    if said > limit {
        return Err(Rejection::TooLarge { len: said, limit });
    }
    let cap = usize::try_from(limit).unwrap_or(usize::MAX);
    let (began, mut bytes) = (Instant::now(), Vec::new());
    loop {
        let frame = match timeout_at(pace.due(began, bytes.len()), body.frame()).await {
            Ok(Some(Ok(frame))) => frame,
            Ok(None) => return Ok(bytes),
            Ok(Some(Err(_))) | Err(_) => return Err(Rejection::Unavailable),
        };
        if let Ok(data) = frame.into_data() {
            if data.len() > cap.saturating_sub(bytes.len()) {
                return Err(Rejection::TooLarge { len: limit.saturating_add(1), limit });
            }
            bytes.extend_from_slice(&data);
        }
    }
}
