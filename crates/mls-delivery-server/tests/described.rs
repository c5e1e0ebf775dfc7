//! The description of the service says what the service does, and the protocol's page names every route.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

#[path = "common/running.rs"]
mod running;

use mls_delivery_server::Quotas;
use running::{ask, local, serve};
use serde_json::Value;

#[tokio::test]
async fn what_is_described_is_there() {
    let running = serve(local(), Quotas::default()).await;
    let (status, body) = ask(running.address, "GET", "/openapi.json", "", b"").await;
    assert_eq!(status, 200);
    let description: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(description.pointer("/openapi"), Some(&"3.1.0".into()));
    let page = include_str!("../../../docs/delivery-protocol.md");
    let paths = description.get("paths").and_then(Value::as_object).unwrap();
    assert!(paths.len() >= 9);
    for (path, operations) in paths {
        for (method, operation) in operations.as_object().unwrap() {
            let method = method.to_uppercase();
            let (status, _) = ask(running.address, &method, path, "", b"").await;
            assert!(!matches!(status, 404 | 405), "{method} {path}: {status}");
            let other = if method == "GET" { "POST" } else { "GET" };
            assert_eq!(ask(running.address, other, path, "", b"").await.0, 405, "{other} {path}");
            // Who needs a token is told so, and nobody else.
            let needs_token = operation.get("security").is_some();
            assert_eq!(status == 401, needs_token, "{method} {path}: {status}");
            assert!(page.contains(&format!("`{method} {path}`")), "the protocol's page does not name {method} {path}");
            assert!(operation.pointer("/responses/default/content/application~1problem+json").is_some());
        }
    }
    assert_eq!(ask(running.address, "GET", "/v1/nothing", "", b"").await.0, 404);
}
