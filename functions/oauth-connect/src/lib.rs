//! How a mailbox is connected, over HTTP: the consent, the code that it yields, and Google's later
//! security events.

mod connect;
mod consent;
mod security_events;

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::routing::{get, post};
use email_connectors::audit::audited;
use email_connectors::config::{AppSettings, ConnectSettings};
use email_connectors::domain::body::LONGEST_BODY;
use email_connectors::domain::claims::SecurityEventPolicy;
use email_connectors::flows::connect::Connect;
use email_connectors::ports::{Clock, Ports};
use email_connectors::web::{Problem, UserGate, no_such_method, no_such_route};

pub struct OauthConnect<P: Ports> {
    /// Holds the store and the bus for all routes.
    pub connect: Connect<P>,
    pub gate: UserGate<P::Verifier>,
    /// Verifies Google's security events.
    pub google: P::Verifier,
    pub events: SecurityEventPolicy,
    pub app: AppSettings,
    pub settings: ConnectSettings,
    pub machine: P::Machine,
}

type Shared<P> = State<Arc<OauthConnect<P>>>;

pub fn router<P: Ports>(oauth: OauthConnect<P>) -> Router {
    let oauth = Arc::new(oauth);
    let clock = oauth.clone();
    let routes = Router::new()
        .route("/api/auth/google/gmail", post(connect::connect::<P>))
        .route("/api/auth/google/gmail/start", get(consent::start::<P>))
        .route("/api/auth/google/gmail/callback", get(consent::callback::<P>))
        .route("/api/auth/google/risc", post(security_events::risc::<P>));
    audited(routes, move || clock.machine.now())
        .fallback(no_such_route)
        .method_not_allowed_fallback(no_such_method)
        .layer(DefaultBodyLimit::max(LONGEST_BODY))
        .with_state(oauth)
}

fn invalid(field: &str, detail: impl Into<String>) -> Problem {
    Problem::new(axum::http::StatusCode::BAD_REQUEST, "invalid_request", detail).at(field)
}
