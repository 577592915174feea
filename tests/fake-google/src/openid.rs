//! The users' own issuer: a small OpenID provider at which a person signs in to a local stack, by
//! authorization code with PKCE, as a page without a secret does.
//!
//! Its issuer is `<url>/users`. Whoever asks may sign in as anybody: it is for a stack on one
//! machine that holds nothing of value.

mod authorize;
mod endpoints;
mod exchange;

use std::collections::HashMap;

use serde_json::{Map, Value, json};

pub(crate) use endpoints::routes;

use crate::app::App;

/// Below the fake's URL.
pub(crate) const ISSUER_PATH: &str = "/users";
/// The owner of the sample users, so that each role looks at the same connectors. The local
/// stack's stories use it too.
pub(crate) const SAMPLE_OWNER: &str = "local-owner";
pub(crate) const ROLES: [&str; 3] = ["admin", "operator", "viewer"];
/// Paths at the end of which a console takes its answers.
const CALLBACKS: [&str; 3] = ["/auth/callback", "/auth/silent", "/auth/popup"];

/// A person who signed in.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct User {
    pub sub: String,
    pub role: String,
}

impl User {
    /// What is told of a user in each token and by userinfo.
    fn claims(&self) -> Map<String, Value> {
        let name = format!("{} ({})", self.sub, self.role);
        let claims = json!({
            "sub": self.sub,
            "role": self.role,
            "name": name,
            "preferred_username": self.role,
            "email": format!("{}@{}.example", self.role, self.sub.to_lowercase()),
            "email_verified": true,
        });
        claims.as_object().expect("an object").clone()
    }
}

/// An authorization code, until its exchange.
#[derive(Clone)]
struct SignIn {
    user: User,
    /// Seconds since 1970.
    auth_time: i64,
    issued_at: i64,
    redirect_uri: String,
    nonce: Option<String>,
    scope: String,
    /// The S256 digest of the verifier.
    challenge: String,
}

/// A browser that signed in, by its cookie.
#[derive(Clone)]
struct Session {
    user: User,
    auth_time: i64,
}

pub(crate) struct OpenId {
    codes: HashMap<String, SignIn>,
    sessions: HashMap<String, Session>,
    /// Access tokens that userinfo answers.
    access_tokens: HashMap<String, (User, i64)>,
    /// Seconds, of tokens made from now on.
    pub expires_in: i64,
}

impl Default for OpenId {
    fn default() -> Self {
        Self {
            codes: HashMap::new(),
            sessions: HashMap::new(),
            access_tokens: HashMap::new(),
            expires_in: 3600,
        }
    }
}

impl OpenId {
    /// Every browser has to sign in again.
    pub fn end_sessions(&mut self) {
        self.sessions.clear();
    }
}

pub(crate) fn issuer(app: &App) -> String {
    format!("{}{ISSUER_PATH}", app.url)
}

/// A page of this machine, or one that the fake was started with.
fn is_redirect(app: &App, given: &str) -> bool {
    let known = app.config.user_redirects.iter().any(|known| known == given);
    let local = local(given).is_some_and(|url| {
        url.query().is_none() && CALLBACKS.iter().any(|path| url.path().ends_with(path))
    });
    known || local
}

/// A URL on this machine that a browser may be sent to.
fn local(given: &str) -> Option<reqwest::Url> {
    let url = reqwest::Url::parse(given).ok()?;
    // RFC 6761: all of `localhost` is this machine. The local stack's page is at the name of its API.
    let here = url.host_str().is_some_and(|host| {
        matches!(host, "127.0.0.1" | "localhost" | "[::1]") || host.ends_with(".localhost")
    });
    let plain = url.fragment().is_none() && url.username().is_empty() && url.password().is_none();
    (here && plain && url.scheme() == "http").then_some(url)
}
