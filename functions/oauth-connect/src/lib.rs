//! How a mailbox is connected, over HTTP: the consent, the code that it yields, and Google's later
//! security events. Each provider has the same routes below its own path.

mod caller;
mod connect;
mod consent;
mod security_events;
mod sessions;

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Extension, Router};
use email_connectors::audit::audited;
use email_connectors::config::{AppSettings, ConnectSettings};
use email_connectors::domain::body::LONGEST_BODY;
use email_connectors::domain::claims::SecurityEventPolicy;
use email_connectors::domain::provider::{Provider, registered};
use email_connectors::domain::public_base::PublicBase;
use email_connectors::flows::connect::Connect;
use email_connectors::ports::{Clock, Ports};
use email_connectors::web::{Problem, UserGate, no_such_method, no_such_route};

pub struct OauthConnect<P: Ports> {
    /// How mailboxes are connected, of each provider that the stack connects.
    pub connects: BTreeMap<Provider, Connect<P>>,
    /// Where an administrator consents for an organization in Outlook.
    pub admin_consent: Option<AdminConsent>,
    /// Absent where nobody sends any.
    pub security_events: Option<SecurityEvents<P>>,
    pub store: P::Store,
    pub bus: P::Bus,
    pub gate: UserGate<P::Verifier>,
    pub app: AppSettings,
    pub settings: ConnectSettings,
    pub machine: P::Machine,
}

/// Tells the page of the consent that comes back to this URL.
pub type AdminConsent = Box<dyn Fn(&str) -> String + Send + Sync>;

/// Whose security events are taken, and who proves that they are.
pub struct SecurityEvents<P: Ports> {
    pub verifier: P::Verifier,
    pub policy: SecurityEventPolicy,
}

type Shared<P> = State<Arc<OauthConnect<P>>>;

impl<P: Ports> OauthConnect<P> {
    /// How mailboxes of the provider are connected.
    fn connect(&self, provider: Provider) -> Result<&Connect<P>, Problem> {
        self.connects.get(&provider).ok_or_else(|| not_configured(provider))
    }
}

/// The stack was deployed without the parameters of this provider.
fn not_configured(provider: Provider) -> Problem {
    let name = registered(provider).name;
    let detail = format!("this stack does not connect {name}: its operator has not set it up");
    Problem::new(StatusCode::NOT_FOUND, "provider_not_configured", detail)
}

pub fn router<P: Ports>(oauth: OauthConnect<P>) -> Router {
    let oauth = Arc::new(oauth);
    let clock = oauth.clone();
    let routes = Router::new()
        .merge(routes_of::<P>(Provider::Gmail))
        .merge(routes_of::<P>(Provider::Outlook))
        .route("/api/connect-sessions", post(sessions::open::<P>))
        .route("/api/connect-sessions/current", get(sessions::current::<P>))
        .route("/api/auth/google/risc", post(security_events::risc::<P>));
    audited(routes, move || clock.machine.now())
        .fallback(no_such_route)
        .method_not_allowed_fallback(no_such_method)
        .layer(DefaultBodyLimit::max(LONGEST_BODY))
        .with_state(oauth)
}

/// A provider's routes, which know it by an extension of the request.
fn routes_of<P: Ports>(provider: Provider) -> Router<Arc<OauthConnect<P>>> {
    let path = registered(provider).connect;
    let routes = Router::new()
        .route(path, post(connect::connect::<P>))
        .route(&format!("{path}/start"), get(consent::start::<P>))
        .route(&format!("{path}/callback"), get(consent::callback::<P>));
    let routes = match registered(provider).admin_consent {
        Some(path) => routes.route(path, get(consent::of_admin::<P>)),
        None => routes,
    };
    routes.layer(Extension(provider))
}

/// The pages to which the vendor may return a browser: the frontend's, and that of the console which
/// this stack serves.
fn callbacks(app: &AppSettings, own: Option<&PublicBase>, provider: Provider) -> Vec<String> {
    let consoles = own.map(|own| own.console_callback(provider));
    std::iter::once(app.callback_url(provider)).chain(consoles).collect()
}

fn invalid(field: &str, detail: impl Into<String>) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "invalid_request", detail).at(field)
}
