//! The API's routes to the flows, and their outcomes back as JSON or problem documents.

mod connectors;
mod health;
pub mod mail;
mod mail_answer;
mod mail_problem;
pub mod openapi;
mod own;
mod paging;
mod rehearsing;
mod triggers;

use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, State};
use axum::http::HeaderMap;
use axum::routing::{get, post};
use axum::{Json, Router};
use email_connectors::audit::audited;
use email_connectors::config::AppSettings;
use email_connectors::domain::connector::{CONNECTOR_TYPE, Provider};
use email_connectors::domain::health::Norms;
use email_connectors::domain::id::OwnerId;
use email_connectors::domain::retention::Retention;
use email_connectors::domain::role::Action;
use email_connectors::domain::timestamp::Timestamp;
use email_connectors::flows::access::Refreshes;
use email_connectors::flows::check::Checked;
use email_connectors::flows::disconnect::Disconnect;
use email_connectors::flows::fire::OpenedSecrets;
use email_connectors::ports::{
    Clock, Depths, EmailProvider, Entropy, EventBus, Signatures, Store, StoreError, TokenVerifier, Vault, WakeUps,
};
use email_connectors::web::{LONGEST_BODY, Problem, UserGate, no_such_method, no_such_route};
use serde_json::{Value, json};

/// The world that the API runs in: AWS and Google, or a test's.
pub trait World: Send + Sync + 'static {
    type Store: Store;
    type Vault: Vault;
    type Provider: EmailProvider;
    type WakeUps: WakeUps;
    type Depths: Depths;
    type Bus: EventBus;
    type Signatures: Signatures;
    type Verifier: TokenVerifier;
    type Machine: Clock + Entropy;
}

pub struct Api<W: World> {
    pub store: W::Store,
    pub vault: W::Vault,
    pub provider: W::Provider,
    pub wake_ups: W::WakeUps,
    pub depths: W::Depths,
    pub bus: W::Bus,
    pub signatures: W::Signatures,
    pub gate: UserGate<W::Verifier>,
    pub app: AppSettings,
    pub norms: Norms,
    pub retention: Retention,
    pub checked: Checked,
    pub refreshes: Refreshes,
    pub opened: OpenedSecrets,
    pub machine: W::Machine,
}

type Shared<W> = State<Arc<Api<W>>>;

pub fn router<W: World>(api: Api<W>) -> Router {
    let api = Arc::new(api);
    let clock = api.clone();
    let routes = Router::new()
        .route("/api/connectors", get(connectors::list::<W>))
        .route("/api/connectors/{id}", get(connectors::read::<W>).patch(connectors::change::<W>).delete(connectors::remove::<W>))
        .route("/api/connectors/{id}/health", get(health::connector::<W>))
        .route("/api/connectors/{id}/sync", post(connectors::sync::<W>))
        .route("/api/triggers", get(triggers::list::<W>).post(triggers::create::<W>))
        .route("/api/triggers/{id}", get(triggers::read::<W>).patch(triggers::change::<W>).delete(triggers::remove::<W>))
        .route("/api/triggers/{id}/events", post(triggers::fire::<W>))
        .route("/api/triggers/{id}/test", post(rehearsing::rehearse::<W>))
        .route("/api/triggers/{id}/firings", get(triggers::firings::<W>))
        .route("/api/triggers/{id}/secret", post(triggers::rotate_secret::<W>))
        .route("/api/owner/data", get(own::export::<W>).delete(own::erase::<W>))
        .route("/api/system/info", get(info::<W>))
        .route("/api/system/health", get(health::system::<W>))
        .route("/api/openapi.json", get(openapi::openapi))
        .merge(mail::routes::<W>());
    audited(routes, move || clock.machine.now())
        .fallback(no_such_route)
        .method_not_allowed_fallback(no_such_method)
        .layer(DefaultBodyLimit::max(LONGEST_BODY))
        .with_state(api)
}

impl<W: World> Api<W> {
    fn disconnecting(&self) -> Disconnect<'_, W::Store, W::Vault, W::Provider, W::Bus> {
        Disconnect { store: &self.store, vault: &self.vault, provider: &self.provider, bus: &self.bus }
    }

    /// Whose data the caller may do this with, and the moment of this request.
    async fn admit(&self, headers: &HeaderMap, action: Action) -> Result<(OwnerId, Timestamp), Problem> {
        let now = self.machine.now();
        Ok((self.gate.admit(headers, action, now).await?.owner, now))
    }
}

/// What a frontend needs to know before anybody has logged in: no secret, no account id.
async fn info<W: World>(State(api): Shared<W>) -> Json<Value> {
    Json(json!({
        "name": "email-connectors",
        "version": env!("CARGO_PKG_VERSION"),
        "app_public_url": api.app.public_url,
        "callback_url": api.app.callback_url(),
        "connector_types": [CONNECTOR_TYPE],
        "providers": [Provider::Gmail],
    }))
}

fn store_problem(error: StoreError) -> Problem {
    Problem::unavailable("unavailable", &error)
}
