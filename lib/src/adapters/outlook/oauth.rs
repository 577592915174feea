//! Microsoft's OAuth endpoints
//! (<https://learn.microsoft.com/en-us/entra/identity-platform/v2-oauth2-auth-code-flow>).

use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use reqwest::{Method, Request, Url};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::Outlook;
use super::client::{Http, answer, headers, no_answer, parse};
use super::errors::{Failure, TokenFailure};
use crate::adapters::https::{self, pause};
use crate::adapters::refreshing;
use crate::config::MicrosoftSettings;
use crate::domain::claims::Claims;
use crate::domain::provider::Provider;
use crate::domain::provider::outlook::methods::short_scope;
use crate::domain::secret::{AccessToken, RefreshToken};
use crate::domain::timestamp::Timestamp;
use crate::ports::{AuthorizationCode, ConsentRequest, Grant, ProviderError, Refreshed};

/// An answer holds three tokens, of which Microsoft's are up to 4 KB each.
const LONGEST_TOKEN_ANSWER: usize = 64 * 1024;
/// Microsoft's access tokens live about an hour, or a day where they can be revoked at once.
const LONGEST_LIFE: Duration = Duration::from_secs(24 * 3600);

#[derive(Deserialize)]
struct TokenAnswer {
    access_token: String,
    /// In seconds.
    expires_in: u64,
    /// A new one at each use.
    refresh_token: Option<String>,
    #[serde(default)]
    scope: String,
    id_token: Option<String>,
}

impl TokenAnswer {
    /// A token is made of visible signs of ASCII (RFC 6749, appendix A.12): any other would not fit
    /// into a header.
    fn sound(self) -> Result<Self, Failure> {
        let plain = |token: &str| {
            !token.is_empty() && token.bytes().all(|byte| matches!(byte, b'!'..=b'~'))
        };
        match plain(&self.access_token) && self.refresh_token.as_deref().is_none_or(plain) {
            true => Ok(self),
            false => Err(Failure::no_answer("a token holds what no token may")),
        }
    }

    fn access_token(&self, now: Timestamp) -> AccessToken {
        AccessToken {
            secret: SecretString::from(self.access_token.clone()),
            expires_at: now.after(Duration::from_secs(self.expires_in).min(LONGEST_LIFE)),
        }
    }

    fn refresh_token(&self) -> Option<RefreshToken> {
        self.refresh_token.clone().map(|token| RefreshToken(SecretString::from(token)))
    }

    fn grant(self, identity: Claims, now: Timestamp) -> Grant {
        Grant {
            identity,
            scopes: self.scope.split_whitespace().map(|one| short_scope(one).into()).collect(),
            refresh_token: self.refresh_token(),
            access_token: self.access_token(now),
        }
    }
}

pub fn endpoint(settings: &MicrosoftSettings, name: &str) -> String {
    format!("{}/{}/oauth2/v2.0/{name}", settings.login_base, settings.tenant)
}

impl Outlook {
    /// `claims` is a challenge of the API, as it came.
    pub(super) fn authorize_url(
        &self,
        consent: &ConsentRequest<'_>,
        claims: Option<&str>,
    ) -> String {
        if let Http::RecordedMailbox(recorded_mailbox) = &self.client.http {
            return recorded_mailbox.consent_url(consent);
        }
        let challenge = digest(&SHA256, consent.code_verifier.expose_secret().as_bytes());
        let challenge = BASE64_URL_SAFE_NO_PAD.encode(challenge);
        let scope = consent.scopes.join(" ");
        let mut query = vec![
            ("client_id", self.settings.client_id.as_str()),
            ("response_type", "code"),
            ("response_mode", "query"),
            ("redirect_uri", consent.redirect_uri),
            ("scope", &scope),
            ("state", consent.state),
            ("nonce", consent.nonce),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
            // One browser may be signed in to several accounts.
            ("prompt", "select_account"),
        ];
        query.extend(consent.login_hint.map(|hint| ("login_hint", hint)));
        query.extend(claims.map(|claims| ("claims", claims)));
        format!("{}?{}", endpoint(&self.settings, "authorize"), form(&query))
    }

    /// Where an administrator consents for a whole organization
    /// (<https://learn.microsoft.com/en-us/entra/identity-platform/v2-admin-consent>). `tenant` is
    /// theirs, where it is known.
    pub fn admin_consent_url(&self, tenant: Option<&str>, redirect_uri: &str) -> String {
        const DEFAULT: &str = "https://graph.microsoft.com/";
        // It comes back; nothing is done with it here.
        const STATE: &str = "admin-consent";
        if let Http::RecordedMailbox(recorded_mailbox) = &self.client.http {
            return recorded_mailbox.admin_consent_url(redirect_uri, STATE);
        }
        // The endpoint wants full names, save of what OpenID Connect has.
        let full = |scope: &String| match scope.as_str() {
            "openid" | "profile" | "email" | "offline_access" => scope.clone(),
            other if other.contains("://") => other.into(),
            other => format!("{DEFAULT}{other}"),
        };
        let scope = self.settings.scopes.iter().map(full).collect::<Vec<_>>().join(" ");
        let query = [
            ("client_id", self.settings.client_id.as_str()),
            ("redirect_uri", redirect_uri),
            ("scope", &scope),
            ("state", STATE),
        ];
        // Neither `common` nor `consumers` has administrators.
        let own = self.settings.tenant.as_str();
        let tenant = tenant.unwrap_or(match own {
            "common" | "consumers" => "organizations",
            _ => own,
        });
        format!("{}/{tenant}/v2.0/adminconsent?{}", self.settings.login_base, form(&query))
    }

    pub(super) async fn exchanged(
        &self,
        code: &AuthorizationCode,
        now: Timestamp,
    ) -> Result<Grant, ProviderError> {
        let mut pairs = vec![
            ("grant_type", "authorization_code"),
            ("code", code.code.expose_secret()),
            ("redirect_uri", &code.redirect_uri),
        ];
        pairs.extend(
            code.code_verifier.as_ref().map(|verifier| ("code_verifier", verifier.expose_secret())),
        );
        let answer = self.token(&pairs).await.map_err(|failure| told(failure.of_exchange()))?;
        let identity = identity(answer.id_token.as_deref())?;
        Ok(answer.grant(identity, now))
    }

    /// The new access token, and the refresh token that takes the place of the one that was used.
    pub(super) async fn refreshed(
        &self,
        token: &RefreshToken,
        now: Timestamp,
    ) -> Result<Refreshed, ProviderError> {
        let answer = self.refreshing(token).await;
        refreshing::refreshed(Provider::Outlook, &answer);
        let answer = answer?;
        Ok(Refreshed { access: answer.access_token(now), refresh: answer.refresh_token() })
    }

    pub(super) async fn adopted(
        &self,
        token: &RefreshToken,
        now: Timestamp,
    ) -> Result<Grant, ProviderError> {
        let answer = self.refreshing(token).await?;
        let identity = match answer.id_token.as_deref() {
            Some(token) => identity(Some(token))?,
            None => Claims::default(),
        };
        let grant = answer.grant(identity, now);
        Ok(Grant { refresh_token: grant.refresh_token.or_else(|| Some(token.clone())), ..grant })
    }

    /// May be repeated: a refresh token that was used stays good.
    async fn refreshing(&self, token: &RefreshToken) -> Result<TokenAnswer, ProviderError> {
        let pairs = [("grant_type", "refresh_token"), ("refresh_token", token.0.expose_secret())];
        let mut attempt = 1;
        loop {
            match self.token(&pairs).await {
                Ok(answer) => return Ok(answer),
                Err(failure) => match self.client.wait(attempt, failure.failure()) {
                    Some(wait) => pause(wait).await,
                    None => return Err(told(failure.of_token())),
                },
            }
            attempt += 1;
        }
    }

    async fn token(&self, pairs: &[(&str, &str)]) -> Result<TokenAnswer, TokenFailure> {
        let client = [
            ("client_id", self.settings.client_id.as_str()),
            ("client_secret", self.settings.client_secret.expose_secret()),
        ];
        let pairs: Vec<_> = client.iter().chain(pairs).copied().collect();
        let url = Url::parse(&endpoint(&self.settings, "token")).map_err(Failure::unsent)?;
        let mut request = Request::new(Method::POST, url);
        let form_type = HeaderValue::from_static("application/x-www-form-urlencoded");
        request.headers_mut().insert(CONTENT_TYPE, form_type);
        *request.body_mut() = Some(form(&pairs).into());
        let response = self.client.http.execute(request).await.map_err(no_answer)?;
        if !response.status().is_success() {
            let (status, headers) = (response.status().as_u16(), headers(&response));
            let body = https::body(response, LONGEST_TOKEN_ANSWER).await.unwrap_or_default();
            return Err(TokenFailure::answered(status, &headers, &body));
        }
        let answered = answer(response, LONGEST_TOKEN_ANSWER).await?;
        Ok(parse::<TokenAnswer>(&answered.body).and_then(TokenAnswer::sound)?)
    }
}

/// An error that is ours to mend is the operators' to hear of.
fn told(error: ProviderError) -> ProviderError {
    if let ProviderError::ClientRefused(_) = error {
        refreshing::client_refused(Provider::Outlook);
    }
    error
}

fn form(pairs: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

/// The claims of the id token. Its signature is not checked: it came straight from Microsoft's token
/// endpoint over TLS (OpenID Connect Core 1.0, section 3.1.3.7).
fn identity(id_token: Option<&str>) -> Result<Claims, ProviderError> {
    let payload = id_token.and_then(|token| token.split('.').nth(1));
    let claims = payload
        .and_then(|payload| BASE64_URL_SAFE_NO_PAD.decode(payload).ok())
        .and_then(|json| serde_json::from_slice(&json).ok());
    claims.ok_or_else(|| ProviderError::Refused {
        status: 200,
        reason: "no readable id_token; the scope openid must be asked for".into(),
    })
}
