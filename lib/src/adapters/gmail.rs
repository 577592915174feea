//! Gmail and Google's OAuth endpoints: the one mail provider there is.

mod attachment_data;
pub mod batch;
mod client;
pub mod errors;
mod fetch;
mod measured;
mod operations;
mod reading;
mod recorded_mailbox;
mod resources;
mod tree;
mod upload;
pub mod wire;

use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use reqwest::header::{CONTENT_TYPE, DATE, HeaderName, LOCATION, RETRY_AFTER};
use reqwest::{Method, Response, Url};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use serde_json::json;

use self::client::{Client, RequestBuilder};
use self::errors::Failure;
use self::fetch::Depth;
use self::measured::Measured;
use self::recorded_mailbox::RecordedMailbox;
use self::wire::TokenAnswer;
use crate::adapters::https::{self, BodyError, Collect, jitter, pause};
use crate::adapters::refreshing;
use crate::adapters::retry_after::Headers;
use crate::adapters::system::System;
use crate::config::{DryRun, GoogleSettings, HISTORY_PAGE};
use crate::domain::changes::ChangePage;
use crate::domain::claims::Claims;
use crate::domain::email_address::EmailAddress;
use crate::domain::gap::Slice;
use crate::domain::id::MessageId;
use crate::domain::mark::Mark;
use crate::domain::operation::request::MailRequest;
use crate::domain::outgoing::identity::Alias;
use crate::domain::provider::Provider;
use crate::domain::secret::{AccessToken, RefreshToken};
use crate::domain::timestamp::Timestamp;
use crate::domain::watch::{Ending, Watching};
use crate::ports::{
    AuthorizationCode, Clock, ConsentRequest, EmailProvider, Fetched, Grant, MessagePage,
    Performed, Profile, ProviderError, Refreshed, Sender, Uploaded, WatchRequest,
};

/// The messages of a page are fetched before the next page is requested.
const LIST_SIZE: &str = "100";
/// Of 35 MB, in base64 within JSON.
const LONGEST_ATTACHMENT: usize = 50 * 1024 * 1024;
/// A token answer holds three tokens and a list of scopes, which a row of the table must take.
const LONGEST_TOKEN_ANSWER: usize = 64 * 1024;
/// Google's access tokens live an hour: one that claims more is renewed before long all the same.
const LONGEST_LIFE: Duration = Duration::from_secs(24 * 3600);

const HISTORY_FIELDS: &str = "history(id,messagesAdded(message(id,labelIds)),labelsAdded(labelIds,message(id))),historyId,nextPageToken";
const LIST_FIELDS: &str = "messages(id),nextPageToken";

pub struct Gmail {
    http: Client,
    settings: GoogleSettings,
}

impl Gmail {
    pub fn new(http: reqwest::Client, settings: GoogleSettings) -> Self {
        Self { http: Client::Google(http), settings }
    }

    /// Sends nothing: a recorded mailbox answers, at `now`.
    pub fn dry_run(settings: GoogleSettings, dry_run: DryRun, now: fn() -> Timestamp) -> Self {
        Self {
            http: Client::RecordedMailbox(RecordedMailbox::new(&settings, dry_run.scopes, now)),
            settings,
        }
    }

    /// As the settings say.
    pub fn as_set(
        http: reqwest::Client,
        settings: GoogleSettings,
        dry_run: Option<DryRun>,
    ) -> Self {
        match dry_run {
            Some(dry_run) => Self::dry_run(settings, dry_run, || System.now()),
            None => Self::new(http, settings),
        }
    }

    fn url(&self, path: &str, query: &[(&str, &str)]) -> Result<Url, Failure> {
        let base =
            format!("{}/gmail/v1/users/me/{path}", self.settings.api_base.trim_end_matches('/'));
        let pairs = query.iter().chain(&[("prettyPrint", "false")]);
        Url::parse_with_params(&base, pairs).map_err(Failure::no_answer)
    }

    fn get(&self, access: &AccessToken, url: Url) -> RequestBuilder {
        self.request(access, Method::GET, url)
    }

    fn post(&self, access: &AccessToken, url: Url) -> RequestBuilder {
        self.request(access, Method::POST, url)
    }

    fn request(&self, access: &AccessToken, method: Method, url: Url) -> RequestBuilder {
        self.http.request(method, url).bearer_auth(access.secret.expose_secret())
    }

    /// Sends a repeatable request until it succeeds or the retry policy gives up.
    async fn send(&self, request: RequestBuilder) -> Result<Answered, Failure> {
        self.send_for(request).await
    }

    /// As `send`, with the body collected in another way.
    async fn send_for<C: Collect>(&self, request: RequestBuilder) -> Result<Answered<C>, Failure> {
        let mut attempt = 1;
        loop {
            let again = request
                .try_clone()
                .ok_or_else(|| Failure::no_answer("the request cannot be repeated"))?;
            match once_for(again).await {
                Ok(answered) => return Ok(answered),
                Err(failure) => match self.wait(attempt, &failure) {
                    Some(wait) => pause(wait).await,
                    None => return Err(failure),
                },
            }
            attempt += 1;
        }
    }

    fn wait(&self, attempt: u32, failure: &Failure) -> Option<Duration> {
        if failure.fault.is_some() {
            return None;
        }
        self.settings.retry.wait(attempt, failure.effective_status(), failure.retry_after, jitter())
    }

    async fn read<T: DeserializeOwned>(
        &self,
        access: &AccessToken,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<T, Failure> {
        let answered = self.send(self.get(access, self.url(path, query)?)).await?;
        parse(&answered.body)
    }

    /// The token endpoint; a code is good once, so its exchange is never sent again by itself.
    async fn token(
        &self,
        form: &[(&str, &str)],
        repeatable: bool,
    ) -> Result<TokenAnswer, ProviderError> {
        let meaning = if repeatable { Failure::of_token } else { Failure::of_exchange };
        let client = [
            ("client_id", self.settings.client_id.as_str()),
            ("client_secret", self.settings.client_secret.expose_secret()),
        ];
        let form: Vec<_> = client.iter().chain(form).copied().collect();
        let request =
            self.http.post(&self.settings.token_url).form(&form).within(LONGEST_TOKEN_ANSWER);
        let answer = if repeatable { self.send(request).await } else { once(request).await };
        let answer = answer
            .and_then(|answered| parse(&answered.body))
            .and_then(TokenAnswer::sound)
            .map_err(meaning);
        if let Err(ProviderError::ClientRefused(_)) = answer {
            refreshing::client_refused(Provider::Gmail);
        }
        answer
    }

    async fn start_watch(&self, access: &AccessToken) -> Result<Timestamp, Failure> {
        let request = self
            .post(access, self.url("watch", &[])?)
            .json(&json!({"topicName": self.settings.pubsub_topic}));
        let answer: wire::WatchAnswer = parse(&self.send(request).await?.body)?;
        answer
            .expiration
            .parse()
            .map(Timestamp::from_millis)
            .map_err(|_| Failure::no_answer("watch answered no expiration"))
    }

    async fn end_watch(&self, access: &AccessToken) -> Result<(), Failure> {
        // Google wants a length on every POST.
        self.send(self.post(access, self.url("stop", &[])?).body("")).await.map(drop)
    }
}

impl EmailProvider for Gmail {
    fn consent_url(&self, consent: &ConsentRequest<'_>) -> String {
        if let Client::RecordedMailbox(recorded_mailbox) = &self.http {
            return recorded_mailbox.consent_url(consent);
        }
        let challenge = digest(&SHA256, consent.code_verifier.expose_secret().as_bytes());
        let challenge = BASE64_URL_SAFE_NO_PAD.encode(challenge);
        let scope = consent.scopes.join(" ");
        let mut query = vec![
            ("client_id", self.settings.client_id.as_str()),
            ("response_type", "code"),
            ("redirect_uri", consent.redirect_uri),
            ("scope", &scope),
            ("state", consent.state),
            ("nonce", consent.nonce),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
            // Google sends a refresh token only with these two, and then at each consent.
            ("access_type", "offline"),
            ("prompt", "consent"),
        ];
        query.extend(consent.login_hint.map(|hint| ("login_hint", hint)));
        let query: String =
            form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
        format!("{}?{query}", self.settings.auth_url)
    }

    async fn exchange(
        &self,
        code: &AuthorizationCode,
        now: Timestamp,
    ) -> Result<Grant, ProviderError> {
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("code", code.code.expose_secret()),
            ("redirect_uri", &code.redirect_uri),
        ];
        form.extend(
            code.code_verifier.as_ref().map(|verifier| ("code_verifier", verifier.expose_secret())),
        );
        let answer = self.token(&form, false).await?;
        Ok(grant(identity(answer.id_token.as_deref())?, answer, now))
    }

    async fn refresh(
        &self,
        token: &RefreshToken,
        now: Timestamp,
    ) -> Result<Refreshed, ProviderError> {
        let form = [("grant_type", "refresh_token"), ("refresh_token", token.0.expose_secret())];
        let answer = self.token(&form, true).await;
        refreshing::refreshed(Provider::Gmail, &answer);
        Ok(access_token(answer?, now).into())
    }

    /// An id token comes if `openid` is among the scopes; no refresh token comes, Google keeps the
    /// one it has.
    async fn adopt(&self, token: &RefreshToken, now: Timestamp) -> Result<Grant, ProviderError> {
        let form = [("grant_type", "refresh_token"), ("refresh_token", token.0.expose_secret())];
        let answer = self.token(&form, true).await?;
        let identity = answer
            .id_token
            .as_deref()
            .map(|token| identity(Some(token)))
            .transpose()?
            .unwrap_or_default();
        let grant = grant(identity, answer, now);
        Ok(Grant { refresh_token: grant.refresh_token.or_else(|| Some(token.clone())), ..grant })
    }

    async fn revoke(&self, token: &RefreshToken) -> Result<bool, ProviderError> {
        let request =
            self.http.post(&self.settings.revoke_url).form(&[("token", token.0.expose_secret())]);
        match self.send(request).await {
            Ok(_) => Ok(true),
            Err(failure) if failure.reason == "invalid_token" => Ok(false),
            Err(failure) => Err(failure.of_api()),
        }
    }

    async fn profile(&self, access: &AccessToken) -> Result<Profile, ProviderError> {
        let fields = [("fields", "emailAddress,historyId")];
        let profile: wire::Profile =
            self.read(access, "profile", &fields).await.map_err(Failure::of_api)?;
        let email_address =
            EmailAddress::parse(&profile.email_address).map_err(ProviderError::unavailable)?;
        Ok(Profile { email_address, mark: profile.history_id })
    }

    async fn watch(
        &self,
        access: &AccessToken,
        _request: &WatchRequest<'_>,
    ) -> Result<Watching, ProviderError> {
        self.start_watch(access).await.map(Watching::from).map_err(Failure::of_watch)
    }

    /// A mailbox has one watch of a client, without an id.
    async fn stop(&self, access: &AccessToken, ending: Ending<'_>) -> Result<(), ProviderError> {
        match ending {
            Ending::All { .. } => self.end_watch(access).await.map_err(Failure::of_api),
            Ending::These(_) => Ok(()),
        }
    }

    async fn changes(
        &self,
        access: &AccessToken,
        after: Mark,
        page_token: Option<&str>,
    ) -> Result<ChangePage, ProviderError> {
        let (after, most) = (after.to_string(), HISTORY_PAGE.to_string());
        let mut query = vec![
            ("startHistoryId", after.as_str()),
            ("maxResults", &most),
            ("historyTypes", "messageAdded"),
            ("historyTypes", "labelAdded"),
            ("fields", HISTORY_FIELDS),
        ];
        query.extend(page_token.map(|token| ("pageToken", token)));
        match self.read::<wire::HistoryAnswer>(access, "history", &query).await {
            Ok(answer) => Ok(answer.into()),
            Err(failure) if failure.status == Some(404) => Err(ProviderError::HistoryExpired),
            Err(failure) => Err(failure.of_page(page_token)),
        }
    }

    async fn list(
        &self,
        access: &AccessToken,
        slice: &Slice,
        page_token: Option<&str>,
    ) -> Result<MessagePage, ProviderError> {
        let arrived = search(slice);
        let mut query =
            vec![("q", arrived.as_str()), ("maxResults", LIST_SIZE), ("fields", LIST_FIELDS)];
        query.extend(page_token.map(|token| ("pageToken", token)));
        let answer = self.read::<wire::ListAnswer>(access, "messages", &query).await;
        answer.map(MessagePage::from).map_err(|failure| failure.of_page(page_token))
    }

    async fn messages(
        &self,
        access: &AccessToken,
        ids: &[MessageId],
        only_headers: bool,
    ) -> Result<Fetched, ProviderError> {
        if only_headers {
            return self
                .fetch(access, ids, Depth::Headers, wire::Message::into_headers, None)
                .await;
        }
        let fetched = self.fetch(access, ids, Depth::Structure, Ok, None).await?;
        self.summarize(access, fetched).await
    }

    async fn aliases(&self, access: &AccessToken) -> Result<Vec<Alias>, ProviderError> {
        self.list_aliases(access).await
    }

    async fn perform(
        &self,
        access: &AccessToken,
        request: &MailRequest,
        sender: Sender<'_>,
    ) -> Result<Performed, ProviderError> {
        self.perform_request(access, request, sender).await
    }

    async fn perform_large<U: Uploaded>(
        &self,
        access: &AccessToken,
        request: &MailRequest,
        sender: Sender<'_>,
        uploaded: &U,
    ) -> Result<Performed, ProviderError> {
        self.perform_upload(access, request, sender, uploaded).await
    }
}

/// Gmail's search for mail by its arrival, in whole seconds. It is a second wider on either side:
/// mail in two slices is looked at twice, and none is missed between two.
fn search(slice: &Slice) -> String {
    let after = slice.after.seconds() - 1;
    match slice.before {
        Some(before) => format!(
            "after:{after} before:{}",
            before.millis().saturating_add(999).div_euclid(1000) + 1
        ),
        None => format!("after:{after}"),
    }
}

/// One request's good answer.
struct Answered<C = Vec<u8>> {
    content_type: String,
    /// Of what was begun.
    location: Option<String>,
    headers: Headers,
    body: C,
}

async fn once(request: RequestBuilder) -> Result<Answered, Failure> {
    once_for(request).await
}

async fn once_for<C: Collect>(request: RequestBuilder) -> Result<Answered<C>, Failure> {
    let measured = request.target().map(|(method, url)| Measured::begin(method, url));
    let answer = answer(request).await;
    if let Some(measured) = measured {
        measured.end(answer.as_ref().err());
    }
    answer
}

async fn answer<C: Collect>(request: RequestBuilder) -> Result<Answered<C>, Failure> {
    let most = request.most;
    let response = request.send().await?;
    let status = response.status();
    let headers = headers(&response);
    if !status.is_success() {
        return Err(refusal(response, most).await);
    }
    let content_type = header(&response, CONTENT_TYPE).unwrap_or_default();
    let location = header(&response, LOCATION);
    match https::collected(response, most).await {
        Ok(body) => Ok(Answered { content_type, location, headers, body }),
        Err(error @ BodyError::TooLong(_)) => Err(Failure::too_large(error)),
        Err(error) => Err(Failure::no_answer(error)),
    }
}

/// A refusal whose body breaks off is a refusal all the same, and its headers may say how long to
/// wait.
async fn refusal(response: Response, most: usize) -> Failure {
    let (status, headers) = (response.status().as_u16(), headers(&response));
    let body = https::body(response, most).await;
    Failure::answered(status, &headers, &body.unwrap_or_default())
}

fn headers(response: &Response) -> Headers {
    Headers { retry_after: header(response, RETRY_AFTER), date: header(response, DATE) }
}

fn header(response: &Response, name: HeaderName) -> Option<String> {
    response.headers().get(name).and_then(|value| value.to_str().ok()).map(String::from)
}

/// The answer itself is never shown: a token answer holds tokens.
fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Failure> {
    serde_json::from_slice(body).map_err(parse_error)
}

fn parse_error(error: serde_json::Error) -> Failure {
    Failure::no_answer(format_args!("the answer cannot be read ({:?} error)", error.classify()))
}

fn grant(identity: Claims, answer: TokenAnswer, now: Timestamp) -> Grant {
    Grant {
        identity,
        scopes: answer.scope.split_whitespace().map(String::from).collect(),
        refresh_token: answer
            .refresh_token
            .clone()
            .map(|token| RefreshToken(SecretString::from(token))),
        access_token: access_token(answer, now),
    }
}

fn access_token(answer: TokenAnswer, now: Timestamp) -> AccessToken {
    AccessToken {
        secret: SecretString::from(answer.access_token),
        expires_at: now.after(Duration::from_secs(answer.expires_in).min(LONGEST_LIFE)),
    }
}

/// The claims of the id token; `IdentityPolicy` says why no signature is checked.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_moment_lies_between_two_slices() {
        let table = [
            (5_000, Some(9_000), "after:4 before:10"),
            (5_001, Some(9_001), "after:4 before:11"),
            (5_999, Some(9_999), "after:4 before:11"),
            (5_000, None, "after:4"),
        ];
        for (after, before, expected) in table {
            let slice = Slice {
                after: Timestamp::from_millis(after),
                before: before.map(Timestamp::from_millis),
            };
            assert_eq!(search(&slice), expected);
        }
    }
}
