//! Pub/Sub's REST API, for operators: the topic, its policy, the push subscription, and publishing.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::app::{App, State as AppState};
use crate::pubsub;
use crate::server::bearer;
use crate::values::from_base64;

const GMAIL: &str = "serviceAccount:gmail-api-push@system.gserviceaccount.com";

/// Deviations from the setup of `docs/google`.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct CloudChange {
    /// Merged over the defaults (RFC 7396).
    pub topic: Value,
    pub policy: Value,
    pub subscription: Value,
    /// The error status of `topic`, `policy`, `subscription` or `publish`.
    pub refusals: BTreeMap<String, u16>,
    /// Publications are accepted but not delivered.
    pub swallows: bool,
}

pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/v1/projects/{project}/topics/{topic}", get(topic).post(publish))
        .route("/v1/projects/{project}/subscriptions/{subscription}", get(subscription))
}

type Answer = Result<Json<Value>, Refused>;

struct Refused(u16);

async fn topic(
    State(app): State<Arc<App>>,
    Path((project, target)): Path<(String, String)>,
    headers: HeaderMap,
) -> Answer {
    let (name, verb) = target.split_once(':').unwrap_or((&target, ""));
    let name = format!("projects/{project}/topics/{name}");
    let state = app.state();
    match verb {
        "" => {
            admitted(&state, "topic", &headers)?;
            Ok(Json(merged(json!({ "name": name }), &state.cloud.topic)))
        }
        "getIamPolicy" => {
            admitted(&state, "policy", &headers)?;
            let policy = json!({"version": 1, "etag": "BwY=", "bindings": [{"role": "roles/pubsub.publisher", "members": [GMAIL]}]});
            Ok(Json(merged(policy, &state.cloud.policy)))
        }
        _ => Err(Refused(404)),
    }
}

async fn subscription(
    State(app): State<Arc<App>>,
    Path((project, name)): Path<(String, String)>,
    headers: HeaderMap,
) -> Answer {
    let state = app.state();
    admitted(&state, "subscription", &headers)?;
    let name = format!("projects/{project}/subscriptions/{name}");
    let settings = &state.push.settings;
    if name != settings.subscription {
        return Err(Refused(404));
    }
    let stands = json!({
        "name": name,
        "topic": format!("projects/{project}/topics/gmail"),
        "pushConfig": {
            "pushEndpoint": settings.endpoint,
            "oidcToken": {"serviceAccountEmail": settings.service_account, "audience": settings.audience},
        },
        "ackDeadlineSeconds": 30,
        "messageRetentionDuration": "604800s",
        "expirationPolicy": {},
        "retryPolicy": {"minimumBackoff": "10s", "maximumBackoff": "600s"},
        "deadLetterPolicy": {"deadLetterTopic": format!("projects/{project}/topics/gmail-dead-letters"), "maxDeliveryAttempts": 100},
        "state": "ACTIVE",
    });
    Ok(Json(merged(stands, &state.cloud.subscription)))
}

#[derive(Deserialize)]
struct Publication {
    messages: Vec<Message>,
}

#[derive(Deserialize)]
struct Message {
    data: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Notification {
    email_address: String,
    history_id: u64,
}

/// Accepts only Gmail's notifications, as the push subscription of the fake handles no others.
async fn publish(
    State(app): State<Arc<App>>,
    Path((_, target)): Path<(String, String)>,
    headers: HeaderMap,
    body: Json<Publication>,
) -> Answer {
    let mut state = app.state();
    if !target.ends_with(":publish") {
        return Err(Refused(404));
    }
    admitted(&state, "publish", &headers)?;
    let read = |message: &Message| {
        serde_json::from_slice::<Notification>(&from_base64(&message.data)?).ok()
    };
    let notifications: Vec<Notification> =
        body.messages.iter().map(read).collect::<Option<_>>().ok_or(Refused(400))?;
    let ids: Vec<String> = (1..=notifications.len()).map(|number| number.to_string()).collect();
    let forwarded = if state.cloud.swallows { &[][..] } else { &notifications };
    for notification in forwarded {
        pubsub::publish(&app, &mut state, &notification.email_address, notification.history_id);
    }
    Ok(Json(json!({ "messageIds": ids })))
}

fn admitted(state: &AppState, what: &str, headers: &HeaderMap) -> Result<(), Refused> {
    if bearer(headers).is_none() {
        return Err(Refused(401));
    }
    state.cloud.refusals.get(what).map_or(Ok(()), |status| Err(Refused(*status)))
}

/// An error in the format of Google's APIs.
impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let (name, message) = match self.0 {
            401 => ("UNAUTHENTICATED", "Request had invalid authentication credentials."),
            403 => ("PERMISSION_DENIED", "User not authorized to perform this action."),
            404 => ("NOT_FOUND", "Resource not found."),
            400 => ("INVALID_ARGUMENT", "The request has errors."),
            _ => ("INTERNAL", "Internal error."),
        };
        let body = json!({"error": {"code": self.0, "message": message, "status": name}});
        (StatusCode::from_u16(self.0).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), Json(body))
            .into_response()
    }
}

/// A merge by RFC 7396, except that a change of null changes nothing.
fn merged(stands: Value, change: &Value) -> Value {
    if change.is_null() { stands } else { patched(stands, change) }
}

fn patched(stands: Value, change: &Value) -> Value {
    let Value::Object(fields) = change else { return change.clone() };
    let mut object = match stands {
        Value::Object(object) => object,
        _ => serde_json::Map::new(),
    };
    for (name, value) in fields {
        let current = object.remove(name).unwrap_or_default();
        if !value.is_null() {
            object.insert(name.clone(), patched(current, value));
        }
    }
    Value::Object(object)
}
