//! Gmail and Google's OAuth endpoints: the one mail provider there is.

mod batch;
mod errors;
mod wire;

use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use reqwest::{Client, RequestBuilder, Url};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use serde_json::json;

use self::errors::Failure;
use self::wire::TokenAnswer;
use crate::adapters::https;
use crate::config::GoogleSettings;
use crate::domain::claims::Claims;
use crate::domain::email_address::EmailAddress;
use crate::domain::history::HistoryPage;
use crate::domain::history_id::HistoryId;
use crate::domain::id::MessageId;
use crate::domain::message::ProviderMessage;
use crate::domain::secret::{AccessToken, RefreshToken};
use crate::domain::timestamp::Timestamp;
use crate::ports::{AuthorizationCode, EmailProvider, Grant, Profile, ProviderError};

/// Gmail's own bound for a page of history.
const PAGE_SIZE: &str = "500";
/// Gmail refuses larger batches more readily than smaller ones; what was refused is asked for in smaller ones still.
const BATCH: usize = 25;
const BATCH_AGAIN: usize = 10;
const LONGEST_ANSWER: usize = 20 * 1024 * 1024;

const HISTORY_FIELDS: &str = "history(messagesAdded(message(id,labelIds)),labelsAdded(labelIds,message(id))),historyId,nextPageToken";
/// Everything an event tells, and no body. File names tell attachments apart; deeper nesting than this is not looked into.
const MESSAGE_FIELDS: &str = "id,threadId,labelIds,snippet,historyId,internalDate,sizeEstimate,\
    payload(mimeType,filename,headers,parts(mimeType,filename,parts(mimeType,filename,parts(mimeType,filename))))";
const METADATA_FIELDS: &str = "id,threadId,labelIds,snippet,historyId,internalDate,sizeEstimate,payload(mimeType,filename,headers)";

pub struct Gmail {
    http: Client,
    settings: GoogleSettings,
}

impl Gmail {
    pub fn new(http: Client, settings: GoogleSettings) -> Self {
        Self { http, settings }
    }

    fn url(&self, path: &str, query: &[(&str, &str)]) -> Result<Url, ProviderError> {
        let base = format!("{}/gmail/v1/users/me/{path}", self.settings.api_base.trim_end_matches('/'));
        let pairs = query.iter().chain(&[("prettyPrint", "false")]);
        Url::parse_with_params(&base, pairs).map_err(|error| ProviderError::Unavailable(error.to_string()))
    }

    /// Sends a request that may be sent again, until it is answered well or the policy gives up.
    async fn send(&self, request: RequestBuilder) -> Result<Vec<u8>, Failure> {
        let mut attempt = 1;
        loop {
            let again = request.try_clone().ok_or_else(|| Failure::no_answer("the request cannot be repeated"))?;
            match once(again).await {
                Ok((_, body)) => return Ok(body),
                Err(failure) => match self.wait(attempt, &failure) {
                    Some(wait) => pause(wait).await,
                    None => return Err(failure),
                },
            }
            attempt += 1;
        }
    }

    fn wait(&self, attempt: u32, failure: &Failure) -> Option<Duration> {
        self.settings.retry.wait(attempt, failure.effective_status(), failure.retry_after, jitter())
    }

    async fn get<T: DeserializeOwned>(&self, access: &AccessToken, url: Url) -> Result<T, Failure> {
        let body = self.send(self.http.get(url).bearer_auth(access.secret.expose_secret())).await?;
        parse(&body)
    }

    /// The token endpoint; a code is good once, so its exchange is never sent again by itself.
    async fn token(&self, form: &[(&str, &str)], repeatable: bool) -> Result<TokenAnswer, ProviderError> {
        let client = [("client_id", self.settings.client_id.as_str()), ("client_secret", self.settings.client_secret.expose_secret())];
        let form: Vec<_> = client.iter().chain(form).collect();
        let request = self.http.post(&self.settings.token_url).form(&form);
        let answer = if repeatable { self.send(request).await } else { once(request).await.map(|(_, body)| body) };
        answer.and_then(|body| parse(&body)).map_err(Failure::of_token)
    }

    async fn message(&self, access: &AccessToken, id: &MessageId, only_headers: bool) -> Result<Option<ProviderMessage>, ProviderError> {
        match self.get::<wire::Message>(access, self.message_url(id, only_headers)?).await {
            Ok(message) => message.into_message().map(Some).map_err(Failure::of_api),
            Err(failure) if failure.status == Some(404) => Ok(None),
            Err(failure) => Err(failure.of_api()),
        }
    }

    fn message_url(&self, id: &MessageId, only_headers: bool) -> Result<Url, ProviderError> {
        let (format, fields) = if only_headers { ("metadata", METADATA_FIELDS) } else { ("full", MESSAGE_FIELDS) };
        self.url(&format!("messages/{id}"), &[("format", format), ("fields", fields)])
    }

    /// One round of batches; answers the messages and which ids were refused for now.
    async fn batch(&self, access: &AccessToken, ids: &[MessageId], only_headers: bool) -> Result<Fetched, ProviderError> {
        let path =
            |id: &MessageId| self.message_url(id, only_headers).map(|url| format!("{}?{}", url.path(), url.query().unwrap_or_default()));
        let paths = ids.iter().map(path).collect::<Result<Vec<_>, _>>()?;
        let request = self.http.post(&self.settings.batch_url).bearer_auth(access.secret.expose_secret());
        let request =
            request.header(CONTENT_TYPE, format!("multipart/mixed; boundary={}", batch::BOUNDARY)).body(batch::request_body(&paths));
        let mut fetched = Fetched { messages: Vec::new(), refused: ids.to_vec(), failure: Failure::no_answer("a part was not answered") };
        let (content_type, body) = match once(request).await {
            Ok(answer) => answer,
            Err(failure) => {
                fetched.failure = failure;
                return Ok(fetched);
            }
        };
        for answer in batch::read_answers(&content_type, &body) {
            let Some(id) = ids.get(answer.index) else { continue };
            match answer.status {
                200 => {
                    let message = parse::<wire::Message>(&answer.body).and_then(wire::Message::into_message);
                    fetched.messages.push(message.map_err(Failure::of_api)?);
                }
                404 => {}
                status => {
                    fetched.failure = Failure::answered(status, &answer.body, None);
                    continue;
                }
            }
            fetched.refused.retain(|refused| refused != id);
        }
        Ok(fetched)
    }
}

struct Fetched {
    messages: Vec<ProviderMessage>,
    refused: Vec<MessageId>,
    /// Why, if any were refused.
    failure: Failure,
}

impl EmailProvider for Gmail {
    async fn exchange(&self, code: &AuthorizationCode, now: Timestamp) -> Result<Grant, ProviderError> {
        let mut form =
            vec![("grant_type", "authorization_code"), ("code", code.code.expose_secret()), ("redirect_uri", &code.redirect_uri)];
        form.extend(code.code_verifier.as_ref().map(|verifier| ("code_verifier", verifier.expose_secret())));
        let answer = self.token(&form, false).await?;
        Ok(Grant {
            identity: identity(answer.id_token.as_deref())?,
            scopes: answer.scope.split_whitespace().map(String::from).collect(),
            refresh_token: answer.refresh_token.clone().map(|token| RefreshToken(SecretString::from(token))),
            access_token: access_token(answer, now),
        })
    }

    async fn refresh(&self, token: &RefreshToken, now: Timestamp) -> Result<AccessToken, ProviderError> {
        let form = [("grant_type", "refresh_token"), ("refresh_token", token.0.expose_secret())];
        Ok(access_token(self.token(&form, true).await?, now))
    }

    async fn revoke(&self, token: &RefreshToken) -> Result<(), ProviderError> {
        let request = self.http.post(&self.settings.revoke_url).form(&[("token", token.0.expose_secret())]);
        match self.send(request).await {
            Ok(_) => Ok(()),
            Err(failure) if failure.reason == "invalid_token" => Ok(()),
            Err(failure) => Err(failure.of_api()),
        }
    }

    async fn profile(&self, access: &AccessToken) -> Result<Profile, ProviderError> {
        let url = self.url("profile", &[("fields", "emailAddress,historyId")])?;
        let profile: wire::Profile = self.get(access, url).await.map_err(Failure::of_api)?;
        let email_address = EmailAddress::parse(&profile.email_address).map_err(|error| ProviderError::Unavailable(error.to_string()))?;
        Ok(Profile { email_address, history_id: profile.history_id })
    }

    async fn watch(&self, access: &AccessToken) -> Result<Timestamp, ProviderError> {
        let request = self.http.post(self.url("watch", &[])?).bearer_auth(access.secret.expose_secret());
        let request = request.json(&json!({"topicName": self.settings.pubsub_topic}));
        let answer: wire::WatchAnswer = self.send(request).await.and_then(|body| parse(&body)).map_err(Failure::of_api)?;
        answer.expiration.parse().map(Timestamp::from_millis).map_err(|_| ProviderError::Unavailable("watch answered no expiration".into()))
    }

    async fn stop(&self, access: &AccessToken) -> Result<(), ProviderError> {
        let request = self.http.post(self.url("stop", &[])?).bearer_auth(access.secret.expose_secret());
        // Google wants a length on every POST.
        self.send(request.body("")).await.map(|_| ()).map_err(Failure::of_api)
    }

    async fn history(&self, access: &AccessToken, after: HistoryId, page_token: Option<&str>) -> Result<HistoryPage, ProviderError> {
        let after = after.to_string();
        let mut query = vec![
            ("startHistoryId", after.as_str()),
            ("maxResults", PAGE_SIZE),
            ("historyTypes", "messageAdded"),
            ("historyTypes", "labelAdded"),
            ("fields", HISTORY_FIELDS),
        ];
        query.extend(page_token.map(|token| ("pageToken", token)));
        match self.get::<wire::HistoryAnswer>(access, self.url("history", &query)?).await {
            Ok(answer) => Ok(answer.into()),
            Err(failure) if failure.status == Some(404) => Err(ProviderError::HistoryExpired),
            Err(failure) => Err(failure.of_api()),
        }
    }

    async fn messages(&self, access: &AccessToken, ids: &[MessageId], only_headers: bool) -> Result<Vec<ProviderMessage>, ProviderError> {
        if let [id] = ids {
            return Ok(self.message(access, id, only_headers).await?.into_iter().collect());
        }
        let mut messages = Vec::with_capacity(ids.len());
        let mut wanted = ids.to_vec();
        let mut attempt = 1;
        while !wanted.is_empty() {
            let mut refused = Vec::new();
            let mut failure = None;
            for group in wanted.chunks(if attempt == 1 { BATCH } else { BATCH_AGAIN }) {
                let fetched = self.batch(access, group, only_headers).await?;
                messages.extend(fetched.messages);
                if !fetched.refused.is_empty() {
                    failure = Some(fetched.failure);
                    refused.extend(fetched.refused);
                }
            }
            if let Some(failure) = failure {
                match self.wait(attempt, &failure) {
                    Some(wait) => pause(wait).await,
                    None => return Err(failure.of_api()),
                }
            }
            wanted = refused;
            attempt += 1;
        }
        Ok(messages)
    }
}

/// One request, one answer: its content type and its body.
async fn once(request: RequestBuilder) -> Result<(String, Vec<u8>), Failure> {
    // Without its URL an error of reqwest names no parameter that could be a secret.
    let response = request.send().await.map_err(|error| Failure::no_answer(error.without_url()))?;
    let status = response.status();
    let retry_after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok()).map(Duration::from_secs);
    let content_type = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default().to_string();
    let body = https::body(response, LONGEST_ANSWER).await.map_err(Failure::no_answer)?;
    if status.is_success() { Ok((content_type, body)) } else { Err(Failure::answered(status.as_u16(), &body, retry_after)) }
}

/// The answer itself is never shown: a token answer holds tokens.
fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Failure> {
    serde_json::from_slice(body)
        .map_err(|error| Failure::no_answer(format_args!("the answer cannot be read ({:?} error)", error.classify())))
}

fn access_token(answer: TokenAnswer, now: Timestamp) -> AccessToken {
    AccessToken { secret: SecretString::from(answer.access_token), expires_at: now.after(Duration::from_secs(answer.expires_in)) }
}

/// The claims of the id token; `IdentityPolicy` says why no signature is checked.
fn identity(id_token: Option<&str>) -> Result<Claims, ProviderError> {
    let payload = id_token.and_then(|token| token.split('.').nth(1));
    let claims =
        payload.and_then(|payload| BASE64_URL_SAFE_NO_PAD.decode(payload).ok()).and_then(|json| serde_json::from_slice(&json).ok());
    claims.ok_or_else(|| ProviderError::Refused { status: 200, reason: "no readable id_token; the scope openid must be asked for".into() })
}

#[expect(clippy::disallowed_methods, reason = "a wait before another try; the policy bounds it")]
async fn pause(wait: Duration) {
    tokio::time::sleep(wait).await;
}

#[expect(clippy::disallowed_methods, reason = "retries of many callers must not fall together")]
fn jitter() -> u64 {
    uuid::Uuid::now_v7().as_u64_pair().1
}
