//! The API in front of the in-memory world: requests of a story, and their answers.

use std::collections::BTreeMap;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode};
use connectors_api::Api;
use email_connectors::adapters::hmac::HmacSha256;
use email_connectors::config::AppSettings;
use email_connectors::domain::claims::UserPolicy;
use email_connectors::domain::connector::Provider;
use email_connectors::domain::health::Thresholds;
use email_connectors::domain::limit::Limits;
use email_connectors::flows::access::Refreshes;
use email_connectors::flows::inbound_webhook::OpenedSecrets;
use email_connectors::flows::system_health::Checked;
use email_connectors::web::UserGate;
use serde_json::{Value, json};
use tests::stage::{MINUTE, RETENTION, SWEEP_TIMES, Stage, UNITS_PER_MINUTE};
use tests::world::{BEGINNING, SCOPES, World};
use tower::ServiceExt;

const ISSUER: &str = "https://login.example.com";
const AUDIENCE: &str = "email-connectors";
const LONGEST_ANSWER: usize = 6 * 1024 * 1024;

fn router(world: &World) -> Router {
    let policy = UserPolicy {
        issuer: ISSUER.into(),
        audience: AUDIENCE.into(),
        owner_claim: "sub".into(),
        role_claim: Some("role".into()),
        longest_life: None,
    };
    connectors_api::router(Api::<World> {
        store: world.store(),
        vault: world.vault(),
        provider: world.gmail(),
        wake_ups: world.wake_ups(),
        depths: world.depths(),
        objects: world.objects(),
        bus: world.bus(),
        signatures: HmacSha256,
        gate: UserGate { verifier: world.verifier(), policy, limits: Limits::default() },
        app: AppSettings { public_url: "https://app.example.com".into() },
        thresholds: Thresholds {
            sweep_times: SWEEP_TIMES,
            sweep_every: MINUTE,
            units_per_minute: UNITS_PER_MINUTE,
            required_scopes: BTreeMap::from([(Provider::Gmail, SCOPES.map(String::from).into())]),
        },
        retention: RETENTION,
        checked: Checked::default(),
        opened: OpenedSecrets::default(),
        refreshes: Refreshes::default(),
        machine: world.machine(),
    })
}

/// An answer of the API.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Value,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().expect("a header is text"))
    }

    /// The body of an answer, which must have this status.
    #[track_caller]
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.body);
        self.body
    }

    /// Status, code and field of a problem.
    pub fn problem(&self) -> (u16, String, String) {
        let text = |name: &str| self.body[name].as_str().unwrap_or_default().to_string();
        (self.status.as_u16(), text("code"), text("field"))
    }
}

/// Sends a request as an admin of this owner.
pub async fn call_api(
    stage: &Stage,
    of: &str,
    method: Method,
    path: &str,
    body: Option<Value>,
) -> Answer {
    call_api_as(stage, of, "admin", method, path, body).await
}

pub async fn call_api_as(
    stage: &Stage,
    of: &str,
    role: &str,
    method: Method,
    path: &str,
    body: Option<Value>,
) -> Answer {
    sent(stage, (of, role), (method, path), HeaderMap::new(), body).await
}

/// Sends a request with more headers, and no body, as an admin of this owner.
pub async fn call_api_with(
    stage: &Stage,
    of: &str,
    method: Method,
    path: &str,
    headers: HeaderMap,
) -> Answer {
    sent(stage, (of, "admin"), (method, path), headers, None).await
}

async fn sent(
    stage: &Stage,
    (of, role): (&str, &str),
    (method, path): (Method, &str),
    headers: HeaderMap,
    body: Option<Value>,
) -> Answer {
    let expires = BEGINNING.seconds() + 10 * 365 * 24 * 3600;
    let claims = json!({"iss": ISSUER, "aud": AUDIENCE, "sub": of, "role": role, "iat": BEGINNING.seconds(), "exp": expires});
    let token = stage.world.verifier().issue(claims);
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("authorization", format!("Bearer {token}"));
    let request =
        headers.iter().fold(request, |request, (name, value)| request.header(name, value));
    let request = request
        .body(body.map_or_else(Body::empty, |body| Body::from(body.to_string())))
        .expect("a request");
    let response = router(&stage.world).oneshot(request).await.expect("an answer");
    let (status, headers) = (response.status(), response.headers().clone());
    let body = to_bytes(response.into_body(), LONGEST_ANSWER)
        .await
        .expect("a body that Lambda could carry");
    Answer { status, headers, body: serde_json::from_slice(&body).unwrap_or_default() }
}
