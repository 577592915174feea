//! How a mailbox is connected, over HTTP: the consent, the code that comes of it, and what Google tells of it later.

mod connect;
mod consent;
mod protect;

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::routing::{get, post};
use email_connectors::audit::audited;
use email_connectors::config::{AppSettings, ConnectSettings};
use email_connectors::domain::claims::SecurityEventPolicy;
use email_connectors::flows::connect::Connect;
use email_connectors::ports::{Clock, EmailProvider, Entropy, EventBus, Store, TokenVerifier, Vault, WakeUps};
use email_connectors::web::{LONGEST_BODY, Problem, UserGate, no_such_method, no_such_route};

/// The world that the function runs in: AWS and Google, or a test's.
pub trait World: Send + Sync + 'static {
    type Store: Store;
    type Vault: Vault;
    type Provider: EmailProvider;
    type WakeUps: WakeUps;
    type Bus: EventBus;
    type Verifier: TokenVerifier;
    type Machine: Clock + Entropy;
}

/// The flow `connect` in that world.
pub type Connecting<W> =
    Connect<<W as World>::Store, <W as World>::Vault, <W as World>::Provider, <W as World>::WakeUps, <W as World>::Bus>;

pub struct OauthConnect<W: World> {
    /// Holds the store and the bus for all routes.
    pub connect: Connecting<W>,
    pub gate: UserGate<W::Verifier>,
    /// Of Google's security events.
    pub google: W::Verifier,
    pub events: SecurityEventPolicy,
    pub app: AppSettings,
    pub settings: ConnectSettings,
    pub machine: W::Machine,
}

type Shared<W> = State<Arc<OauthConnect<W>>>;

pub fn router<W: World>(oauth: OauthConnect<W>) -> Router {
    let oauth = Arc::new(oauth);
    let clock = oauth.clone();
    let routes = Router::new()
        .route("/api/auth/google/gmail", post(connect::connect::<W>))
        .route("/api/auth/google/gmail/start", get(consent::start::<W>))
        .route("/api/auth/google/gmail/callback", get(consent::callback::<W>))
        .route("/api/auth/google/risc", post(protect::risc::<W>));
    audited(routes, move || clock.machine.now())
        .fallback(no_such_route)
        .method_not_allowed_fallback(no_such_method)
        .layer(DefaultBodyLimit::max(LONGEST_BODY))
        .with_state(oauth)
}

fn invalid(field: &str, detail: impl Into<String>) -> Problem {
    Problem::new(axum::http::StatusCode::BAD_REQUEST, "invalid_request", detail).at(field)
}
