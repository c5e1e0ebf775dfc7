//! From replies and rejections to HTTP.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use mls_delivery::Rejection;
use serde_json::json;

/// The media type of requests and replies: the codec of `mls_delivery`.
pub(crate) const BINARY: HeaderValue = HeaderValue::from_static("application/vnd.spacepanda.delivery");

const PROBLEM: HeaderValue = HeaderValue::from_static("application/problem+json");

pub(crate) fn binary(bytes: Vec<u8>) -> Response {
    ([(header::CONTENT_TYPE, BINARY)], bytes).into_response()
}

/// RFC 9457: `code` and `data` are for machines, `detail` for people.
pub(crate) fn problem(rejection: &Rejection) -> Response {
    let mut body = serde_json::to_value(rejection).unwrap_or_default();
    if let Some(body) = body.as_object_mut() {
        body.insert("detail".into(), json!(rejection.to_string()));
        body.insert("retryable".into(), json!(rejection.retryable()));
    }
    let mut response = (status(rejection), [(header::CONTENT_TYPE, PROBLEM)], body.to_string()).into_response();
    if let Rejection::RateLimited { retry_after_ms } = rejection {
        let seconds = retry_after_ms.div_ceil(1_000);
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

fn status(rejection: &Rejection) -> StatusCode {
    match rejection {
        Rejection::Unauthenticated | Rejection::BadSignature => StatusCode::UNAUTHORIZED,
        Rejection::Forbidden | Rejection::NotEnrolled | Rejection::EnrolmentRefused | Rejection::VoucherNeeded => {
            StatusCode::FORBIDDEN
        }
        Rejection::GroupExists
        | Rejection::EpochTaken { .. }
        | Rejection::EpochAhead { .. }
        | Rejection::EpochPast { .. }
        | Rejection::Voided
        | Rejection::NothingToReport
        | Rejection::BeyondHead { .. } => StatusCode::CONFLICT,
        Rejection::Gap { .. } | Rejection::NoGroupInfo => StatusCode::GONE,
        Rejection::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
        Rejection::RateLimited { .. } => StatusCode::TOO_MANY_REQUESTS,
        Rejection::Overloaded | Rejection::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Rejection::Unsure | Rejection::Damaged => StatusCode::INTERNAL_SERVER_ERROR,
        _ => StatusCode::UNPROCESSABLE_ENTITY,
    }
}
