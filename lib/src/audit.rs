//! Who did what, and from where: one line for each request to an audited route, however the request
//! ends.
//!
//! A layer around the router writes it, so that no handler can forget it. What only the gate or a
//! handler knows, they note in a task-local variable, since neither the gate nor a flow has the
//! request.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::{MatchedPath, Request};
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use http::Extensions;
use lambda_http::Context;
use lambda_http::request::RequestContext;

use crate::domain::audit::{self, plain};
use crate::domain::claims::Caller;
use crate::domain::id::{ConnectorId, OwnerId, TriggerId, fingerprint};
use crate::domain::timestamp::Timestamp;

/// How long before Lambda ends a request that takes too long its line is written.
const TO_WRITE_IN: Duration = Duration::from_millis(500);

/// What is noted during a request.
#[derive(Default)]
struct Noted {
    action: Option<&'static str>,
    target: Option<String>,
    owner: Option<String>,
    user: Option<String>,
    token_id: Option<String>,
}

type Notes = Arc<Mutex<Noted>>;

tokio::task_local! {
    static NOTES: Notes;
}

/// Does nothing outside of an audited request.
fn note(change: impl FnOnce(&mut Noted)) {
    let _ =
        NOTES.try_with(|notes| change(&mut notes.lock().unwrap_or_else(PoisonError::into_inner)));
}

/// The token's id, or else its hash: the token itself is never written.
fn token_id(jti: Option<&str>, token: &str) -> String {
    match jti.map(plain).filter(|jti| !jti.is_empty()) {
        Some(jti) => jti,
        None => format!("hash:{}", fingerprint(&["token", token]).simple()),
    }
}

/// Notes the caller, once the token was verified.
pub fn by(caller: &Caller, token: &str) {
    note(|noted| {
        noted.owner = Some(caller.owner.to_string());
        noted.user = caller.user.as_deref().map(plain);
        noted.token_id = Some(token_id(caller.token_id.as_deref(), token));
    });
}

/// Notes a connect session: whose it is, and who asked for it.
pub fn by_session(owner: &OwnerId, user: Option<&str>, token: &str) {
    note(|noted| {
        noted.owner = Some(owner.to_string());
        noted.user = user.map(plain);
        noted.token_id = Some(token_id(None, token));
    });
}

/// Notes a token that is not a user's.
pub fn with_token(token: &str) {
    note(|noted| noted.token_id = Some(token_id(None, token)));
}

/// Notes the owner, where no user's token names it.
pub fn of(owner: &OwnerId) {
    note(|noted| noted.owner = Some(owner.to_string()));
}

/// Notes the id of what was created or ended, if the path does not have it.
pub fn target(id: impl ToString) {
    note(|noted| noted.target = Some(id.to_string()));
}

/// Notes a more specific action, which the body shows and the route does not.
pub fn is(action: &'static str) {
    note(|noted| noted.action = Some(action));
}

/// A router whose audited routes each write their line.
pub fn audited<S>(
    router: Router<S>,
    now: impl Fn() -> Timestamp + Clone + Send + Sync + 'static,
) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    router.layer(from_fn(move |request: Request, next: Next| {
        let now = now();
        async move { written(request, next, now).await }
    }))
}

async fn written(request: Request, next: Next, now: Timestamp) -> Response {
    let Some(line) = Line::of(&request, now) else { return next.run(request).await };
    let left = time_left(request.extensions(), now);
    let answering = NOTES.scope(line.notes.clone(), next.run(request));
    let mut answering = std::pin::pin!(answering);
    let in_time = async {
        match left {
            Some(left) => tokio::time::timeout(left, &mut answering).await.ok(),
            None => Some((&mut answering).await),
        }
    };
    match in_time.await {
        Some(response) => {
            line.ends(
                response.status().as_u16(),
                response.extensions().get::<ProblemCode>().map(|code| code.0),
            );
            response
        }
        None => {
            // Lambda is about to end the process, which could write nothing then. What the request
            // did so far may be done.
            line.cut_off();
            answering.await
        }
    }
}

/// The time until Lambda ends the request, less what is needed to write the line.
fn time_left(extensions: &Extensions, now: Timestamp) -> Option<Duration> {
    let deadline = extensions.get::<Context>()?.deadline;
    let left =
        i64::try_from(deadline).ok().filter(|deadline| *deadline > 0)?.saturating_sub(now.millis());
    Some(Duration::from_millis(u64::try_from(left).unwrap_or_default()).saturating_sub(TO_WRITE_IN))
}

/// An answer's stable code, for the audit log.
#[derive(Debug, Clone, Copy)]
pub struct ProblemCode(pub &'static str);

/// A line that is written once: when the request ends, or when it is dropped, which a panic does.
struct Line {
    at: Timestamp,
    action: &'static str,
    target: Option<String>,
    source_ip: Option<String>,
    user_agent: Option<String>,
    request_id: Option<String>,
    notes: Notes,
    is_written: bool,
}

impl Line {
    fn of(request: &Request, at: Timestamp) -> Option<Self> {
        let path = request.extensions().get::<MatchedPath>()?.as_str();
        let action = audit::action(request.method().as_str(), path)?;
        let mut line = Self {
            at,
            action,
            target: named(path, request.uri().path()),
            source_ip: None,
            user_agent: None,
            request_id: None,
            notes: Notes::default(),
            is_written: false,
        };
        // From the gateway's context, not from headers, which a caller can forge.
        if let Some(RequestContext::ApiGatewayV2(context)) =
            request.extensions().get::<RequestContext>()
        {
            line.source_ip = context
                .http
                .source_ip
                .as_deref()
                .and_then(|ip| ip.parse::<IpAddr>().ok())
                .map(|ip| ip.to_string());
            line.user_agent =
                context.http.user_agent.as_deref().map(plain).filter(|agent| !agent.is_empty());
            line.request_id = context.request_id.as_deref().map(plain);
        }
        Some(line)
    }

    fn ends(mut self, status: u16, problem: Option<&'static str>) {
        self.write(audit::outcome(status), Some(status), problem);
    }

    fn cut_off(mut self) {
        self.write("unknown", None, Some("out_of_time"));
    }

    fn write(&mut self, outcome: &'static str, status: Option<u16>, problem: Option<&'static str>) {
        self.is_written = true;
        let noted = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        // Its level and its target are its own: LogLevel does not turn it off.
        tracing::info!(
            target: "audit",
            at = %self.at,
            action = noted.action.unwrap_or(self.action),
            target = noted.target.as_deref().or(self.target.as_deref()),
            owner = noted.owner,
            user = noted.user,
            token_id = noted.token_id,
            source_ip = self.source_ip,
            user_agent = self.user_agent,
            request_id = self.request_id,
            outcome,
            status,
            problem,
            "{}", audit::MESSAGE
        );
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if !self.is_written {
            self.write("failed", None, Some("internal_error"));
        }
    }
}

/// The id in a path: the value of the route's first parameter, if it could be an id.
fn named(route: &str, path: &str) -> Option<String> {
    let (_, segment) =
        route.split('/').zip(path.split('/')).find(|(template, _)| template.starts_with('{'))?;
    let is_id = ConnectorId::parse(segment).is_some() || TriggerId::parse(segment).is_some();
    is_id.then(|| segment.to_string())
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use axum::body::Body;
    use axum::http::{Method, StatusCode};
    use axum::response::IntoResponse;
    use axum::routing::delete;
    use lambda_http::tower::ServiceExt;
    use lambda_http::tracing::subscriber::fmt;
    use serde_json::{Value, json};

    use super::*;
    use crate::web::Problem;

    const NOW: Timestamp = Timestamp::from_seconds(1_000_000);
    const SECRET: &str = "header.claims.signature";

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl Write for Written {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    impl Written {
        fn lines(&self) -> Vec<Value> {
            let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
        }
    }

    fn caller(user: &str) -> Caller {
        Caller {
            owner: OwnerId::new("tenant"),
            role: crate::domain::role::Role::Admin,
            user: Some(user.into()),
            token_id: None,
        }
    }

    fn request(method: Method, path: &str) -> Request {
        let mut context =
            lambda_http::aws_lambda_events::apigw::ApiGatewayV2httpRequestContext::default();
        context.http.source_ip = Some("203.0.113.7".into());
        context.http.user_agent = Some("a\r\nb".into());
        context.request_id = Some("r-1".into());
        let built = Request::builder()
            .method(method)
            .uri(path)
            .extension(RequestContext::ApiGatewayV2(context));
        built.body(Body::empty()).unwrap()
    }

    /// Every line that the request leaves, on a router whose erase does this.
    fn lines<F, A>(
        request: Request,
        does: impl Fn() -> F + Clone + Send + Sync + 'static,
    ) -> Vec<Value>
    where
        F: Future<Output = A> + Send + 'static,
        A: IntoResponse + 'static,
    {
        lines_of(&Written::default(), request, does)
    }

    fn lines_of<F, A>(
        written: &Written,
        request: Request,
        does: impl Fn() -> F + Clone + Send + Sync + 'static,
    ) -> Vec<Value>
    where
        F: Future<Output = A> + Send + 'static,
        A: IntoResponse + 'static,
    {
        let writer = written.clone();
        let subscriber = fmt()
            .json()
            .with_target(false)
            .without_time()
            .with_writer(move || writer.clone())
            .finish();
        let guard =
            lambda_http::tracing::subscriber::util::SubscriberInitExt::set_default(subscriber);
        let routes = Router::new()
            .route("/api/owner/data", delete(does.clone()))
            .route("/api/connectors", delete(does));
        let answering = audited(routes, || NOW).oneshot(request);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let _ = runtime.block_on(crate::panics::caught(answering));
        drop(guard);
        written.lines().into_iter().map(|line| line["fields"].clone()).collect()
    }

    #[test]
    fn one_line_says_who_did_what_from_where_and_what_came_of_it() {
        let done = lines(request(Method::DELETE, "/api/owner/data"), async || {
            by(&caller("ada\n"), SECRET);
            target("con_1");
            StatusCode::ACCEPTED
        });
        let hash = token_id(None, SECRET);
        let expected = json!({"message": "request audited", "at": NOW.to_string(), "action": "owner.erase", "target": "con_1",
            "owner": "tenant", "user": "ada", "token_id": hash, "source_ip": "203.0.113.7", "user_agent": "ab", "request_id": "r-1",
            "outcome": "done", "status": 202});
        assert_eq!(done, [expected]);
        assert!(hash.starts_with("hash:") && !hash.contains("signature"));
        assert_eq!(
            (token_id(Some("jti-1"), SECRET).as_str(), token_id(Some("\n"), SECRET)),
            ("jti-1", hash)
        );
        assert!(
            lines(request(Method::DELETE, "/api/connectors"), async || StatusCode::OK).is_empty(),
            "no audited route"
        );
        assert!(
            lines(request(Method::DELETE, "/api/else"), async || StatusCode::OK).is_empty(),
            "no route at all"
        );
    }

    #[test]
    fn a_refusal_and_a_failure_say_why_and_a_panic_is_a_failure() {
        let refused = lines(request(Method::DELETE, "/api/owner/data"), async || {
            Problem::new(StatusCode::FORBIDDEN, "role_not_allowed", "no")
        });
        let failed = lines(request(Method::DELETE, "/api/owner/data"), async || {
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "no")
        });
        let panicked = lines(request(Method::DELETE, "/api/owner/data"), async || {
            by(&caller("ada"), SECRET);
            assert!(std::hint::black_box(false), "an error of our own");
        });
        let outcomes = |lines: &[Value]| {
            lines
                .iter()
                .map(|line| (line["outcome"].clone(), line["problem"].clone()))
                .collect::<Vec<_>>()
        };
        assert_eq!(outcomes(&refused), [(json!("refused"), json!("role_not_allowed"))]);
        assert_eq!(outcomes(&failed), [(json!("failed"), json!("unavailable"))]);
        assert_eq!(outcomes(&panicked), [(json!("failed"), json!("internal_error"))]);
        assert_eq!(panicked[0]["user"], "ada", "what was noted before is written");
    }

    #[test]
    fn what_lambda_is_about_to_cut_off_is_written_before() {
        let within = |left_ms: u64, is_slow: bool| {
            let mut request = request(Method::DELETE, "/api/owner/data");
            let mut context = Context::default();
            context.deadline = u64::try_from(NOW.millis()).unwrap() + left_ms;
            request.extensions_mut().insert(context);
            let written = Written::default();
            let seen = written.clone();
            let answer = move || {
                let seen = seen.clone();
                async move {
                    // A slow answer comes once the line is there.
                    while is_slow && seen.lines().is_empty() {
                        tokio::time::timeout(
                            Duration::from_millis(1),
                            std::future::pending::<()>(),
                        )
                        .await
                        .unwrap_err();
                    }
                    StatusCode::OK
                }
            };
            lines_of(&written, request, answer)
                .iter()
                .map(|line| line["outcome"].as_str().unwrap().to_string())
                .collect::<Vec<_>>()
        };
        assert_eq!(within(60_000, false), ["done"]);
        assert_eq!(within(520, true), ["unknown"], "once, although the answer comes after it");
        assert_eq!(within(200, true), ["unknown"]);
    }
}
