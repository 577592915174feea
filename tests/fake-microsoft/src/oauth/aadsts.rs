//! Errors of the identity platform, by their AADSTS numbers:
//! <https://learn.microsoft.com/entra/identity-platform/reference-error-codes>.

use std::borrow::Cow;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Json, http::header::RETRY_AFTER};
use serde_json::json;

use crate::app::App;
use crate::values::{moment, random_uuid};

#[derive(Clone, Debug)]
pub(crate) struct Denied {
    pub status: u16,
    pub number: u32,
    pub error: Cow<'static, str>,
    pub suberror: &'static str,
    pub message: Cow<'static, str>,
    pub claims: Option<String>,
    pub retry_after: Option<String>,
}

/// Number, `error`, `suberror`, and a description in our own words: nobody should read that one.
const KNOWN: [(u32, &str, &str, &str); 24] = [
    (50_011, "invalid_request", "", "The redirect URI is not one of the application's."),
    (50_020, "access_denied", "", "The account does not exist in this tenant."),
    (50_058, "login_required", "", "A silent sign-in was asked for, but no user is signed in."),
    (
        50_076,
        "invalid_grant",
        "basic_action",
        "You must use multi-factor authentication to access the resource.",
    ),
    (50_079, "invalid_grant", "basic_action", "You must enroll in multi-factor authentication."),
    (50_173, "invalid_grant", "bad_token", "The grant has expired due to it being revoked."),
    (
        53_003,
        "invalid_grant",
        "message_only",
        "Access has been blocked by Conditional Access policies.",
    ),
    (54_005, "invalid_grant", "", "The authorization code was already redeemed."),
    (65_001, "invalid_grant", "consent_required", "Nobody has consented to use the application."),
    (65_004, "access_denied", "", "User declined to consent to access the app."),
    (70_000, "invalid_grant", "", "The grant is expired, or it is not valid."),
    (70_003, "unsupported_grant_type", "", "The app requested an unsupported grant type."),
    (70_008, "invalid_grant", "", "The code or refresh token has expired due to inactivity."),
    (70_011, "invalid_scope", "", "The value of the parameter 'scope' is not valid."),
    (90_093, "access_denied", "", "Calling principal cannot consent due to lack of permissions."),
    (
        90_094,
        "access_denied",
        "",
        "An administrator must grant the permissions that are requested.",
    ),
    (
        500_112,
        "invalid_client",
        "",
        "The reply address is not the one of the authorization request.",
    ),
    (501_481, "invalid_grant", "", "The code_verifier does not match the code_challenge."),
    (700_016, "unauthorized_client", "", "The application was not found in the directory."),
    (700_082, "invalid_grant", "", "The refresh token was inactive for 90.00:00:00."),
    (900_144, "invalid_request", "", "The request lacks a parameter."),
    (7_000_215, "invalid_client", "", "Invalid client secret provided."),
    (7_000_222, "invalid_client", "", "The provided client secret keys are expired."),
    (9_002_313, "invalid_grant", "", "The request is malformed or invalid."),
];

impl Denied {
    /// As the platform refuses with this number.
    pub fn of(number: u32) -> Self {
        let known = KNOWN.iter().find(|(known, ..)| *known == number);
        let (_, error, suberror, message) =
            known.copied().unwrap_or((number, "invalid_request", "", "The request failed."));
        Self {
            status: if matches!(number, 7_000_215 | 7_000_222) { 401 } else { 400 },
            number,
            error: error.into(),
            suberror,
            message: message.into(),
            claims: None,
            retry_after: None,
        }
    }

    pub fn missing(parameter: &str) -> Self {
        let message =
            format!("The request body must contain the following parameter: '{parameter}'.");
        Self { message: message.into(), ..Self::of(900_144) }
    }

    pub fn with_claims(self, claims: Option<String>) -> Self {
        Self { claims, ..self }
    }

    /// `AADSTS65001: … Trace ID: … Correlation ID: … Timestamp: …`
    pub fn description(&self, ids: &[String; 2], now: &str) -> String {
        format!(
            "AADSTS{}: {} Trace ID: {} Correlation ID: {} Timestamp: {now}",
            self.number, self.message, ids[0], ids[1]
        )
    }

    pub fn into_response(self, app: &App) -> Response {
        let now = moment(app.state().server_now(app).unix_timestamp()).replace('T', " ");
        let ids = [random_uuid(), random_uuid()];
        let mut body = json!({
            "error": self.error,
            "error_description": self.description(&ids, &now),
            "error_codes": [self.number],
            "timestamp": now,
            "trace_id": ids[0],
            "correlation_id": ids[1],
            "error_uri": format!("{}/error?code={}", app.url, self.number),
        });
        if !self.suberror.is_empty() {
            body["suberror"] = self.suberror.into();
        }
        if let Some(claims) = &self.claims {
            body["claims"] = claims.as_str().into();
        }
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::BAD_REQUEST);
        let mut response = (status, Json(body)).into_response();
        let wait = self.retry_after.and_then(|wait| wait.parse().ok());
        response
            .headers_mut()
            .extend(wait.map(|wait: axum::http::HeaderValue| (RETRY_AFTER, wait)));
        response
    }
}
