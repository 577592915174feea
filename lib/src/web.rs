//! What the three HTTP functions share: problem documents, bearer tokens, and who the caller is.

use std::error::Error;
use std::num::NonZeroU32;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, FromRequest, Request};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::MethodRouter;
use axum::{Extension, Json};
use serde::Serialize;

use crate::audit::{self, ProblemCode};
use crate::config::UserSettings;
use crate::domain::body::{DEEPEST_BODY, LONGEST_BODY, is_too_deep};
use crate::domain::claims::{Caller, Refusal, UserPolicy};
use crate::domain::connect_session::SessionToken;
use crate::domain::limit::Limits;
use crate::domain::metric::USER_TOKENS_REFUSED;
use crate::domain::role::Action;
use crate::domain::timestamp::Timestamp;
use crate::ports::{TokenError, TokenVerifier};

const LONGEST_KEY: usize = 255;
/// The code of what a connect session may not do.
pub const NOT_ALLOWED: &str = "session_not_allowed";

/// An RFC 9457 problem document. `code` is stable: programs may rely on it, as people rely on
/// `detail`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Problem {
    #[serde(rename = "type")]
    kind: &'static str,
    title: &'static str,
    #[serde(serialize_with = "as_number")]
    #[schema(value_type = u16, example = 404)]
    status: StatusCode,
    code: &'static str,
    detail: Box<str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<Box<str>>,
    /// The OAuth scope to connect again with.
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<&'static str>,
    /// The messages that were not read for an answer that is too large.
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    #[schema(value_type = Vec<String>)]
    unread_ids: Box<[String]>,
    #[serde(skip)]
    retry_after_seconds: Option<NonZeroU32>,
}

fn as_number<S: serde::Serializer>(status: &StatusCode, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u16(status.as_u16())
}

impl Problem {
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        let title = status.canonical_reason().unwrap_or("Error");
        Self {
            kind: "about:blank",
            title,
            status,
            code,
            detail: detail.into().into_boxed_str(),
            field: None,
            scope: None,
            unread_ids: Box::default(),
            retry_after_seconds: None,
        }
    }

    /// Names the field of the request that is at fault, as a path from the body.
    pub fn at(self, field: impl Into<String>) -> Self {
        Self { field: Some(field.into().into_boxed_str()), ..self }
    }

    /// Names the scope that is missing.
    pub fn needing(self, scope: &'static str) -> Self {
        Self { scope: Some(scope), ..self }
    }

    /// Names the messages that were not read.
    pub fn leaving_unread(self, unread_ids: Vec<String>) -> Self {
        Self { unread_ids: unread_ids.into_boxed_slice(), ..self }
    }

    /// Says when to try again, in whole seconds and not too early.
    pub fn again_in(self, wait: Duration) -> Self {
        let seconds = u32::try_from(wait.as_millis().div_ceil(1000)).unwrap_or(u32::MAX);
        Self {
            retry_after_seconds: Some(NonZeroU32::new(seconds).unwrap_or(NonZeroU32::MIN)),
            ..self
        }
    }

    pub fn not_found(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", format!("there is no such {what}"))
    }

    pub fn unauthorized() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "unauthorized",
            "send a valid token as `Authorization: Bearer …`",
        )
    }

    /// A dependency failed: logged here, once, with its causes, which the client does not see.
    pub fn unavailable(code: &'static str, error: &(dyn Error + 'static)) -> Self {
        tracing::error!(code, error = %causes(error), "request failed");
        let detail =
            "something this depends on is not available; nothing was lost, try again shortly";
        Self {
            retry_after_seconds: NonZeroU32::new(5),
            ..Self::new(StatusCode::SERVICE_UNAVAILABLE, code, detail)
        }
    }
}

/// An error with all its causes, for the log.
pub fn causes(error: &(dyn Error + 'static)) -> String {
    let chain =
        std::iter::successors(error.source(), |cause: &&(dyn Error + 'static)| (*cause).source());
    chain.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (status, retry_after, code) = (self.status, self.retry_after_seconds, self.code);
        let mut response = (status, Json(self)).into_response();
        response
            .headers_mut()
            .insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = retry_after {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds.get()));
        }
        response.extensions_mut().insert(ProblemCode(code));
        response
    }
}

/// The token of an `Authorization: Bearer …` header; the scheme's letter case does not matter (RFC
/// 9110, section 11.1).
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    (scheme.eq_ignore_ascii_case("bearer") && !token.trim().is_empty()).then(|| token.trim())
}

/// Authenticates a caller and checks what it may do.
pub struct UserGate<T> {
    pub verifier: T,
    pub policy: UserPolicy,
    pub limits: Limits,
}

impl<T: TokenVerifier> UserGate<T> {
    pub fn as_set(verifier: T, settings: UserSettings) -> Self {
        Self {
            verifier,
            policy: settings.policy,
            limits: Limits::new(settings.requests_per_minute),
        }
    }

    /// The caller, who may do this with the owner's connectors.
    pub async fn admit(
        &self,
        headers: &HeaderMap,
        action: Action,
        now: Timestamp,
    ) -> Result<Caller, Problem> {
        let token = bearer(headers).ok_or_else(Problem::unauthorized)?;
        if SessionToken::is_one(token) {
            let detail = "a connect session connects one mailbox, and does nothing else";
            return Err(Problem::new(StatusCode::FORBIDDEN, NOT_ALLOWED, detail));
        }
        let claims = match self.verifier.verify(token, now).await {
            Ok(claims) => claims,
            Err(TokenError::Invalid(why)) => {
                metrics::counter!(USER_TOKENS_REFUSED).increment(1);
                tracing::info!(why, "token refused");
                return Err(Problem::unauthorized());
            }
            Err(error @ TokenError::KeysUnavailable(_)) => {
                return Err(Problem::unavailable("keys_unavailable", &error));
            }
        };
        let caller = self.policy.admit(&claims, now).map_err(|refusal: Refusal| {
            metrics::counter!(USER_TOKENS_REFUSED).increment(1);
            tracing::info!(why = %refusal, "token refused");
            Problem::unauthorized()
        })?;
        audit::by(&caller, token);
        if caller.role.may(action) {
            self.limits.take(&caller.owner, action, now).map_err(too_many)?;
            return Ok(caller);
        }
        let (role, needed) = (caller.role.as_str(), action.needs().as_str());
        metrics::counter!(USER_TOKENS_REFUSED).increment(1);
        tracing::info!(role, needed, owner = %caller.owner, "role refused");
        let detail = format!("the token's role is `{role}`, and this needs `{needed}`");
        Err(Problem::new(StatusCode::FORBIDDEN, "role_not_allowed", detail))
    }
}

/// An owner exceeded its rate limit.
pub fn too_many(wait: Duration) -> Problem {
    let detail = "this was asked for too often in the last minute; nothing was done";
    Problem::new(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", detail).again_in(wait)
}

/// For a router's fallbacks.
pub async fn no_such_route() -> Problem {
    Problem::not_found("route")
}

pub async fn no_such_method() -> Problem {
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method_not_allowed",
        "this route knows other methods",
    )
}

/// The `Idempotency-Key` of a request, if it has one.
pub fn idempotency_key(headers: &HeaderMap) -> Result<Option<&str>, Problem> {
    let Some(key) = headers.get("idempotency-key") else { return Ok(None) };
    let key = key.to_str().ok().filter(|key| (1..=LONGEST_KEY).contains(&key.len()));
    key.map(Some).ok_or_else(|| {
        let detail = format!("the header Idempotency-Key may hold up to {LONGEST_KEY} letters, digits and signs of ASCII");
        Problem::new(StatusCode::BAD_REQUEST, "invalid_request", detail).at("idempotency-key")
    })
}

/// How long a route's bodies may be.
#[derive(Clone, Copy)]
struct Longest(usize);

/// A route that takes bodies of up to so many bytes, and says so where one is longer.
pub fn taking<S: Clone + Send + Sync + 'static>(
    route: MethodRouter<S>,
    most: usize,
) -> MethodRouter<S> {
    route.layer((DefaultBodyLimit::max(most), Extension(Longest(most))))
}

/// A request's body, whole; too long, too deep or broken off it is a problem document as any other.
pub struct Body(pub Bytes);

impl<S: Send + Sync> FromRequest<S> for Body {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let AnyBody(body) = AnyBody::from_request(request, state).await?;
        if is_too_deep(&body) { Err(too_deep()) } else { Ok(Self(body)) }
    }
}

/// A body of any depth, and as long as its route takes: for a route that must know the caller
/// before it says what is wrong with the body.
pub struct AnyBody(pub Bytes);

impl AnyBody {
    /// What `Body` would have answered.
    pub fn refusal(&self) -> Option<Problem> {
        if self.0.len() > LONGEST_BODY {
            return Some(too_long(LONGEST_BODY));
        }
        is_too_deep(&self.0).then(too_deep)
    }
}

impl<S: Send + Sync> FromRequest<S> for AnyBody {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let most = request.extensions().get::<Longest>().map_or(LONGEST_BODY, |longest| longest.0);
        let body = Bytes::from_request(request, state).await;
        body.map(Self).map_err(|rejection| match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => too_long(most),
            _ => {
                let detail = "the body could not be read";
                Problem::new(StatusCode::BAD_REQUEST, "invalid_request", detail).at("body")
            }
        })
    }
}

fn too_long(most: usize) -> Problem {
    let detail = format!("the body may be {most} bytes long");
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", detail).at("body")
}

fn too_deep() -> Problem {
    let detail = format!("the body may be nested {DEEPEST_BODY} deep");
    Problem::new(StatusCode::BAD_REQUEST, "body_too_deep", detail).at("body")
}

/// Parses a JSON body, and reports what is wrong with it.
pub fn json_body(body: &[u8]) -> Result<serde_json::Value, Problem> {
    let value: serde_json::Value = serde_json::from_slice(body).map_err(|error| {
        Problem::new(
            StatusCode::BAD_REQUEST,
            "invalid_json",
            format!("the body is not JSON: {error}"),
        )
        .at("body")
    })?;
    match value.is_object() {
        true => Ok(value),
        false => Err(Problem::new(
            StatusCode::BAD_REQUEST,
            "invalid_json",
            "the body must be a JSON object",
        )
        .at("body")),
    }
}
