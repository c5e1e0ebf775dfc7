//! The table of routes: what is served, and what the description says (OpenAPI 3.1), are made of the same lines.

use std::sync::Arc;

use axum::{
    Router,
    http::header,
    response::{IntoResponse, Response},
    routing::{MethodRouter, get, post},
};
use serde_json::{Map, Value, json};

use crate::{App, calls, directory, push};

/// A route.
struct Route {
    method: &'static str,
    path: &'static str,
    summary: &'static str,
    /// Whether a token is needed, in the header `Authorization`.
    token: bool,
    /// The struct of the body that comes in.
    takes: Option<&'static str>,
    gives: Gives,
    handler: fn() -> MethodRouter<Arc<App>>,
}

/// What a route answers.
enum Gives {
    Text,
    Json,
    /// A struct in the codec.
    Struct(&'static str),
    /// Another protocol.
    WebSocket,
}

pub(crate) fn router(app: Arc<App>) -> Router {
    let routed = |router: Router<Arc<App>>, route: &Route| router.route(route.path, (route.handler)());
    ROUTES.iter().fold(Router::new(), routed).with_state(app)
}

/// The description of the service, as JSON.
pub(crate) fn openapi() -> Value {
    let mut paths = Map::new();
    for route in &ROUTES {
        paths.insert(route.path.to_owned(), json!({ route.method: operation(route) }));
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "SpacePanda delivery",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "A delivery service of MLS groups (RFC 9420). Structs are in the codec of RFC 9420, Section 2.1.",
        },
        "paths": paths,
        "components": {
            "securitySchemes": { "token": { "type": "http", "scheme": "bearer", "description": "Of a login" } },
            "schemas": { "Problem": {
                "type": "object",
                "description": "RFC 9457",
                "required": ["code", "detail", "retryable"],
                "properties": {
                    "code": { "type": "string" },
                    "data": { "type": "object" },
                    "detail": { "type": "string" },
                    "retryable": { "type": "boolean" },
                },
            } },
        },
    })
}

fn operation(route: &Route) -> Value {
    let (status, answer) = match route.gives {
        Gives::Text => ("200", json!({ "description": "Text", "content": { "text/plain": {} } })),
        Gives::Json => ("200", json!({ "description": "This description", "content": { "application/json": {} } })),
        Gives::Struct(name) => ("200", json!({ "description": name, "content": binary(name) })),
        Gives::WebSocket => ("101", json!({ "description": "Frames are structs; see the protocol" })),
    };
    let problem = json!({
        "description": "Why not",
        "content": { "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } },
    });
    let mut operation = json!({ "summary": route.summary, "responses": { status: answer, "default": problem } });
    if let Some(operation) = operation.as_object_mut() {
        if let Some(name) = route.takes {
            operation.insert("requestBody".into(), json!({ "required": true, "content": binary(name) }));
        }
        if route.token {
            operation.insert("security".into(), json!([{ "token": [] }]));
        }
    }
    operation
}

fn binary(name: &str) -> Value {
    json!({ "application/vnd.spacepanda.delivery": { "schema": { "type": "string", "format": "binary", "title": name } } })
}

async fn describe() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], openapi().to_string()).into_response()
}

const fn route(method: &'static str, path: &'static str, handler: fn() -> MethodRouter<Arc<App>>) -> Route {
    Route { method, path, summary: "", token: false, takes: None, gives: Gives::Text, handler }
}

static ROUTES: [Route; 13] = [
    Route { summary: "Whether the process answers", ..route("get", "/health", || get(calls::health)) },
    Route { summary: "Whether it takes requests; 503 once it ends", ..route("get", "/ready", || get(calls::ready)) },
    Route { summary: "This", gives: Gives::Json, ..route("get", "/openapi.json", || get(describe)) },
    Route {
        summary: "What the service offers",
        gives: Gives::Struct("Capabilities"),
        ..route("get", "/v1/capabilities", || get(calls::capabilities))
    },
    Route {
        summary: "What a login signs",
        gives: Gives::Struct("Challenge"),
        ..route("post", "/v1/challenge", || post(calls::challenge))
    },
    Route {
        summary: "A token for a signed challenge",
        takes: Some("Login"),
        gives: Gives::Struct("Token"),
        ..route("post", "/v1/login", || post(calls::login))
    },
    Route {
        summary: "Any request of a device",
        token: true,
        takes: Some("Request"),
        gives: Gives::Struct("Reply"),
        ..route("post", "/v1/call", || post(calls::call))
    },
    Route {
        summary: "Waits until there is more than is known",
        token: true,
        takes: Some("Seen<V>"),
        gives: Gives::Struct("Seen<V>"),
        ..route("post", "/v1/watch", || post(calls::watch))
    },
    Route {
        summary: "The same, for as long as the connection lasts; the token is in the first frame",
        gives: Gives::WebSocket,
        ..route("get", "/v1/push", || get(push::push))
    },
    Route {
        summary: "Publishes the record of a group, by a member",
        token: true,
        takes: Some("Publish"),
        gives: Gives::Struct("Published"),
        ..route("post", "/v1/directory/publish", || post(directory::publish))
    },
    Route {
        summary: "The record of a group",
        takes: Some("Get"),
        gives: Gives::Struct("optional<GroupPublicInfo>"),
        ..route("post", "/v1/directory/get", || post(directory::get))
    },
    Route {
        summary: "Records of groups that match",
        takes: Some("Find"),
        gives: Gives::Struct("Found"),
        ..route("post", "/v1/directory/find", || post(directory::find))
    },
    Route {
        summary: "What has changed in the directory",
        takes: Some("Fetch"),
        gives: Gives::Struct("Changes"),
        ..route("post", "/v1/directory/since", || post(directory::since))
    },
];
