//! Bodies: as long as the route allows, and not for ever.

use std::time::Duration;

use axum::body::{Body, to_bytes};
use mls_delivery::Rejection;
use mls_engine::codec::decode_exact;
use tls_codec::DeserializeBytes;

/// How long a body may take.
pub(crate) const BODY_TIME: Duration = Duration::from_secs(30);

/// Reads a body of the codec.
pub(crate) async fn read<T: DeserializeBytes>(body: Body, limit: u64) -> Result<T, Rejection> {
    let cap = usize::try_from(limit).unwrap_or(usize::MAX);
    let bytes = match tokio::time::timeout(BODY_TIME, to_bytes(body, cap)).await {
        Ok(Ok(bytes)) => bytes,
        Ok(Err(_)) => return Err(Rejection::TooLarge { len: limit.saturating_add(1), limit }),
        Err(_) => return Err(Rejection::Unavailable),
    };
    decode_exact(&bytes).map_err(|_| Rejection::Malformed)
}
