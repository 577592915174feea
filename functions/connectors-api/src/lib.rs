//! The API's routes to the flows, and their outcomes back as JSON or problem documents.

mod connectors;
mod health;
pub mod mail;
mod mail_answer;
mod mail_problem;
mod me;
pub mod openapi;
mod owner_data;
mod paging;
mod polling;
mod rehearsing;
mod triggers;

use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, State};
use axum::http::HeaderMap;
use axum::middleware::from_fn;
use axum::routing::{get, post};
use axum::{Json, Router};
use email_connectors::audit::audited;
use email_connectors::config::AppSettings;
use email_connectors::domain::body::LONGEST_BODY;
use email_connectors::domain::connector::CONNECTOR_TYPE;
use email_connectors::domain::health::Thresholds;
use email_connectors::domain::id::OwnerId;
use email_connectors::domain::provider::{REGISTERED, Registration};
use email_connectors::domain::retention::Retention;
use email_connectors::domain::role::Action;
use email_connectors::domain::timestamp::Timestamp;
use email_connectors::flows::access::{Access, Refreshes};
use email_connectors::flows::disconnect::Disconnect;
use email_connectors::flows::inbound_webhook::OpenedSecrets;
use email_connectors::flows::system_health::Checked;
use email_connectors::ports::{Clock, Ports, Providers, StoreError};
use email_connectors::web::{Problem, UserGate, no_such_method, no_such_route};
use serde_json::{Value, json};

pub struct Api<P: Ports> {
    pub store: P::Store,
    pub vault: P::Vault,
    pub provider: P::Provider,
    pub wake_ups: P::WakeUps,
    pub depths: P::Depths,
    pub objects: P::Objects,
    pub bus: P::Bus,
    pub signatures: P::Signatures,
    pub gate: UserGate<P::Verifier>,
    pub app: AppSettings,
    pub thresholds: Thresholds,
    pub retention: Retention,
    pub checked: Checked,
    pub refreshes: Refreshes,
    pub opened: OpenedSecrets,
    pub machine: P::Machine,
}

type Shared<P> = State<Arc<Api<P>>>;

pub fn router<P: Ports>(api: Api<P>) -> Router {
    let api = Arc::new(api);
    let clock = api.clone();
    // What a page asks for again and again, to see what changed.
    let polled = Router::new()
        .route("/api/connectors", get(connectors::list::<P>))
        .route(
            "/api/connectors/{id}",
            get(connectors::read::<P>)
                .patch(connectors::change::<P>)
                .delete(connectors::remove::<P>),
        )
        .route("/api/triggers", get(triggers::list::<P>).post(triggers::create::<P>))
        .route(
            "/api/triggers/{id}",
            get(triggers::read::<P>).patch(triggers::change::<P>).delete(triggers::remove::<P>),
        )
        .route("/api/triggers/{id}/firings", get(triggers::firings::<P>))
        .route_layer(from_fn(polling::tagged));
    let routes = Router::new()
        .route("/api/connectors/{id}/health", get(health::connector::<P>))
        .route("/api/connectors/{id}/sync", post(connectors::sync::<P>))
        .route("/api/connectors/{id}/rehearsals", post(rehearsing::rehearse_filters::<P>))
        .route("/api/triggers/{id}/events", post(triggers::fire::<P>))
        .route("/api/triggers/{id}/test", post(rehearsing::rehearse::<P>))
        .route("/api/triggers/{id}/secret", post(triggers::rotate_secret::<P>))
        .route("/api/me", get(me::me::<P>))
        .route("/api/owner/data", get(owner_data::export::<P>).delete(owner_data::erase::<P>))
        .route("/api/system/info", get(info::<P>))
        .route("/api/system/health", get(health::system::<P>))
        .route("/api/openapi.json", get(openapi::openapi))
        .merge(polled)
        .merge(mail::routes::<P>());
    audited(routes, move || clock.machine.now())
        .fallback(no_such_route)
        .method_not_allowed_fallback(no_such_method)
        .layer(DefaultBodyLimit::max(LONGEST_BODY))
        .with_state(api)
}

impl<P: Ports> Api<P> {
    fn access(&self) -> Access<'_, P> {
        Access {
            store: &self.store,
            vault: &self.vault,
            provider: &self.provider,
            refreshes: &self.refreshes,
        }
    }

    fn disconnecting(&self) -> Disconnect<'_, P> {
        Disconnect { access: self.access(), bus: &self.bus }
    }

    /// The owner whose data the caller may act on, and the time of this request.
    async fn admit(
        &self,
        headers: &HeaderMap,
        action: Action,
    ) -> Result<(OwnerId, Timestamp), Problem> {
        let now = self.machine.now();
        Ok((self.gate.admit(headers, action, now).await?.owner, now))
    }
}

/// What a frontend needs to know before anybody has logged in: no secret, no account id.
async fn info<P: Ports>(State(api): Shared<P>) -> Json<Value> {
    let offered: Vec<&Registration> =
        REGISTERED.into_iter().filter(|known| api.provider.has(known.provider)).collect();
    // Of the first one: that of each is below the same origin.
    let callback_url = offered.first().map(|known| api.app.callback_url(known.provider));
    Json(json!({
        "name": "email-connectors",
        "version": env!("CARGO_PKG_VERSION"),
        "app_public_url": api.app.public_url,
        "callback_url": callback_url,
        "connector_types": [CONNECTOR_TYPE],
        "providers": offered.into_iter().map(provider).collect::<Vec<_>>(),
    }))
}

/// How a frontend offers a provider, without knowing one by name.
fn provider(known: &Registration) -> Value {
    let mut shown = json!({
        "id": known.provider,
        "name": known.name,
        "type": CONNECTOR_TYPE,
        "start": format!("{}/start", known.connect),
        "connect": known.connect,
    });
    if let Some(path) = known.admin_consent {
        shown["admin_consent"] = path.into();
    }
    shown
}

fn store_problem(error: StoreError) -> Problem {
    Problem::unavailable("unavailable", &error)
}
