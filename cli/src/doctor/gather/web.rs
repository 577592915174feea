//! Over HTTP: the API, published keys, Google's token endpoint, and what time each of them has.

use email_connectors::adapters::https;
use email_connectors::adapters::system::System;
use email_connectors::config::{Environment, GoogleSettings};
use email_connectors::ports::Clock;
use reqwest::header::DATE;
use reqwest::{Client, RequestBuilder};
use secrecy::ExposeSecret;
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

use crate::doctor::fact::Fact;
use crate::settings::carries_secrets;

/// A refresh token that was never issued.
pub const NO_TOKEN: &str = "connectors-doctor-asks-and-has-none";
const LONGEST_ANSWER: usize = 4 * 1024 * 1024;

/// An answer, and how far off its clock was.
#[derive(Debug, Clone)]
pub struct Heard {
    pub status: u16,
    pub body: Value,
    pub skew: Option<i64>,
}

pub async fn fetch(request: RequestBuilder) -> Fact<Heard> {
    match heard(request).await {
        Ok(heard) => Fact::Known(heard),
        Err(why) => Fact::Unreachable(why),
    }
}

async fn heard(request: RequestBuilder) -> Result<Heard, String> {
    let response = request.send().await.map_err(|error| describe(&error.without_url()))?;
    let (status, date) = (
        response.status().as_u16(),
        response.headers().get(DATE).and_then(|date| date.to_str().ok().map(String::from)),
    );
    let skew = date.and_then(|date| OffsetDateTime::parse(&date, &Rfc2822).ok());
    let skew = skew.map(|theirs| System.now().millis() / 1000 - theirs.unix_timestamp());
    let body = https::body(response, LONGEST_ANSWER).await.map_err(|error| error.to_string())?;
    Ok(Heard { status, body: serde_json::from_slice(&body).unwrap_or_default(), skew })
}

/// An error with its causes.
pub fn describe(error: &(dyn std::error::Error + 'static)) -> String {
    email_connectors::web::causes(error)
}

pub fn skew(of: &Fact<Heard>) -> Fact<i64> {
    let clockless = || Fact::Unreachable("the answer carries no date".into());
    of.clone().and_then(|heard| heard.skew.map_or_else(clockless, Fact::Known))
}

/// A key set; any answer but 200 counts as unreachable.
pub async fn keys(http: &Client, url: &str) -> Fact<Value> {
    match fetch(http.get(url)).await {
        Fact::Known(heard) if heard.status == 200 => Fact::Known(heard.body),
        Fact::Known(heard) => Fact::Unreachable(format!("{url} answers {}", heard.status)),
        Fact::Unreachable(why) => Fact::Unreachable(format!("{url}: {why}")),
        other => other.map(|heard| heard.body),
    }
}

/// By discovery from the issuer, if no URL was given.
pub async fn user_keys(http: &Client, url: &str, issuer: &str) -> Fact<Value> {
    if !url.is_empty() {
        return keys(http, url).await;
    }
    let discovery = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
    match keys(http, &discovery).await {
        Fact::Known(document) => match document["jwks_uri"].as_str() {
            Some(url) => keys(http, url).await,
            None => Fact::Unreachable(format!("{discovery} names no jwks_uri")),
        },
        other => other,
    }
}

/// A request to Google's token endpoint as the client of these settings, with a refresh token that
/// does not exist.
pub fn stranger(http: &Client, environment: &Environment) -> Fact<RequestBuilder> {
    let settings = match GoogleSettings::read(environment) {
        Ok(Some(settings)) => settings,
        Ok(None) => return Fact::Absent,
        Err(error) => return Fact::Unreachable(error.to_string()),
    };
    if let Err(failure) = carries_secrets(&settings.token_url) {
        return Fact::Unreachable(format!("GoogleTokenUrl: {failure}"));
    }
    let form = [
        ("client_id", settings.client_id.as_str()),
        ("client_secret", settings.client_secret.expose_secret()),
        ("grant_type", "refresh_token"),
        ("refresh_token", NO_TOKEN),
    ];
    Fact::Known(http.post(&settings.token_url).form(&form))
}
