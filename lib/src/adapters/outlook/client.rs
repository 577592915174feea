//! Requests to Graph: their URLs, their headers, how much is read of an answer, and when one is sent
//! again.

use std::time::Duration;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::header::{
    AUTHORIZATION, CONTENT_TYPE, DATE, HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE,
};
use reqwest::{Method, Request, Response, Url};
use secrecy::ExposeSecret;
use serde::de::DeserializeOwned;
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

use super::errors::Failure;
use super::measured::Measured;
use super::recorded_mailbox::RecordedMailbox;
use super::{Calling, LONGEST_ANSWER};
use crate::adapters::https::{self, BodyError, jitter, pause};
use crate::adapters::retry_after::Headers;
use crate::config::MicrosoftSettings;
use crate::domain::retry::RetryPolicy;
use crate::domain::timestamp::Timestamp;

/// Ids that stay when a message is moved, on every call
/// (<https://learn.microsoft.com/en-us/graph/outlook-immutable-id>).
pub const IMMUTABLE_IDS: &str = "IdType=\"ImmutableId\"";
const PREFER: HeaderName = HeaderName::from_static("prefer");
/// What stands in a query as it is. A plus sign would be a space.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Whether a call may be sent again when its outcome is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeat {
    Safely,
    Never,
}

/// What sends requests: to Microsoft, or in a dry run to a recorded mailbox. The code that makes
/// requests and reads answers does not know which.
pub enum Http {
    Microsoft(reqwest::Client),
    /// There is no client in it: nothing can leave the process.
    RecordedMailbox(RecordedMailbox),
}

impl Http {
    pub async fn execute(&self, request: Request) -> reqwest::Result<Response> {
        match self {
            Self::Microsoft(client) => client.execute(request).await,
            Self::RecordedMailbox(recorded_mailbox) => Ok(recorded_mailbox.answer(&request)),
        }
    }
}

pub struct Client {
    pub http: Http,
    graph_base: String,
    pub retry: RetryPolicy,
}

/// One call, which may be sent several times.
#[derive(Debug, Clone)]
pub struct Call {
    pub method: Method,
    pub url: Url,
    body: Option<(&'static str, Vec<u8>)>,
    /// How many bytes of an answer are read, after decompression.
    most: usize,
    /// Another bound of time than the client's.
    lasting: Option<Duration>,
    /// It takes all the room of the mailbox.
    is_batch: bool,
}

/// A good answer.
#[derive(Debug, Clone, Default)]
pub struct Answered {
    pub body: Vec<u8>,
    /// The server's clock.
    pub date: Option<Timestamp>,
}

impl Client {
    pub fn new(http: Http, settings: &MicrosoftSettings) -> Self {
        Self { http, graph_base: settings.graph_base.clone(), retry: settings.retry.clone() }
    }

    /// Below the base; each segment is encoded.
    pub fn url(&self, path: &[&str], query: &[(&str, &str)]) -> Result<Url, Failure> {
        let mut url = Url::parse(&self.graph_base).map_err(Failure::unsent)?;
        url.path_segments_mut()
            .map_err(|()| Failure::unsent("the base of Graph's API takes no path"))?
            .pop_if_empty()
            .extend(path);
        if !query.is_empty() {
            url.set_query(Some(&encoded(query)));
        }
        Ok(url)
    }

    /// The part of a batch that asks for it: its path below the base, with its query.
    pub fn relative(&self, path: &[&str], query: &[(&str, &str)]) -> Result<String, Failure> {
        let url = self.url(path, query)?;
        let base = Url::parse(&self.graph_base).map_err(Failure::unsent)?;
        let below = url.path().strip_prefix(base.path().trim_end_matches('/'));
        let query = url.query().map_or_else(String::new, |query| format!("?{query}"));
        Ok(format!("{}{query}", below.unwrap_or_default()))
    }

    pub fn wait(&self, attempt: u32, failure: &Failure) -> Option<Duration> {
        if failure.fault.is_some() {
            return None;
        }
        self.retry.wait(attempt, failure.effective_status(), failure.retry_after, jitter())
    }
}

fn encoded(query: &[(&str, &str)]) -> String {
    let pair = |(name, value): &(&str, &str)| {
        // OData's own names begin with a dollar sign, which every example of Graph writes as it is.
        let (dollar, name) = name.strip_prefix('$').map_or(("", *name), |name| ("$", name));
        format!(
            "{dollar}{}={}",
            utf8_percent_encode(name, PLAIN),
            utf8_percent_encode(value, PLAIN)
        )
    };
    query.iter().map(pair).collect::<Vec<_>>().join("&")
}

impl Call {
    pub fn new(method: Method, url: Url) -> Self {
        Self { method, url, body: None, most: LONGEST_ANSWER, lasting: None, is_batch: false }
    }

    pub fn json(self, body: &Value) -> Self {
        Self { body: Some(("application/json", body.to_string().into_bytes())), ..self }
    }

    /// A mail as Graph takes it, in base64.
    pub fn mime(self, body: String) -> Self {
        Self { body: Some(("text/plain", body.into_bytes())), ..self }
    }

    pub fn within(self, most: usize) -> Self {
        Self { most, ..self }
    }

    pub fn lasting(self, longest: Duration) -> Self {
        Self { lasting: Some(longest), ..self }
    }

    pub fn batch(self) -> Self {
        Self { is_batch: true, ..self }
    }
}

impl Calling<'_> {
    pub fn call(&self, method: Method, path: &[&str]) -> Result<Call, Failure> {
        Ok(Call::new(method, self.outlook.client.url(path, &[])?))
    }

    pub async fn read(&self, path: &[&str], query: &[(&str, &str)]) -> Result<Answered, Failure> {
        let call = Call::new(Method::GET, self.outlook.client.url(path, query)?);
        self.send(call, Repeat::Safely).await
    }

    pub async fn get<T: DeserializeOwned>(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
    ) -> Result<T, Failure> {
        parse(&self.read(path, query).await?.body)
    }

    /// Sends a call until it succeeds or the retry policy gives up. One that may not be repeated is
    /// sent again only where it was refused for its rate, or never left.
    pub async fn send(&self, call: Call, repeat: Repeat) -> Result<Answered, Failure> {
        let mut attempt = 1;
        loop {
            match self.once(call.clone()).await {
                Ok(answered) => return Ok(answered),
                Err(failure) => {
                    let is_untouched = failure.effective_status() == Some(429) || failure.is_unsent;
                    let wait = match repeat == Repeat::Safely || is_untouched {
                        true => self.outlook.client.wait(attempt, &failure),
                        false => None,
                    };
                    match wait {
                        Some(wait) => pause(wait).await,
                        None => return Err(failure),
                    }
                }
            }
            attempt += 1;
        }
    }

    async fn once(&self, call: Call) -> Result<Answered, Failure> {
        let _room = match call.is_batch {
            true => self.mailbox.whole_room().await,
            false => self.mailbox.room(self.is_operation).await,
        };
        let most = call.most;
        let request = self.request(call)?;
        let measured = Measured::begin(request.method(), request.url());
        let answered = match self.outlook.client.http.execute(request).await {
            Ok(response) => answer(response, most).await,
            Err(error) => Err(no_answer(error)),
        };
        measured.end(answered.as_ref().err());
        answered
    }

    fn request(&self, call: Call) -> Result<Request, Failure> {
        let mut request = Request::new(call.method, call.url);
        let bearer = format!("Bearer {}", self.access.secret.expose_secret());
        let mut bearer = HeaderValue::from_str(&bearer)
            .map_err(|_| Failure::unsent("an access token holds what no header may"))?;
        bearer.set_sensitive(true);
        let headers = request.headers_mut();
        headers.insert(AUTHORIZATION, bearer);
        headers.insert(PREFER, HeaderValue::from_static(IMMUTABLE_IDS));
        if let Some((content_type, body)) = call.body {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
            *request.body_mut() = Some(body.into());
        } else if request.method() != Method::GET {
            // Graph wants a length on every POST.
            *request.body_mut() = Some("".into());
        }
        *request.timeout_mut() = call.lasting;
        Ok(request)
    }
}

/// Without its URL an error of reqwest names no parameter that could be a secret.
pub fn no_answer(error: reqwest::Error) -> Failure {
    let is_unsent = error.is_connect();
    Failure { is_unsent, ..Failure::no_answer(error.without_url()) }
}

pub async fn answer(response: Response, most: usize) -> Result<Answered, Failure> {
    let status = response.status();
    let (headers, challenge) = (headers(&response), header(&response, WWW_AUTHENTICATE));
    if !status.is_success() {
        // A refusal whose body breaks off is a refusal all the same.
        let body = https::body(response, most).await.unwrap_or_default();
        return Err(Failure::answered(status.as_u16(), &headers, challenge.as_deref(), &body));
    }
    let date = headers.date.as_deref().and_then(|date| OffsetDateTime::parse(date, &Rfc2822).ok());
    let date = date.map(|date| Timestamp::from_seconds(date.unix_timestamp()));
    match https::body(response, most).await {
        Ok(body) => Ok(Answered { body, date }),
        Err(error @ BodyError::TooLong(_)) => Err(Failure::too_large(error)),
        Err(BodyError::Broken(error)) => Err(Failure::no_answer(error.without_url())),
    }
}

pub fn headers(response: &Response) -> Headers {
    Headers { retry_after: header(response, RETRY_AFTER), date: header(response, DATE) }
}

fn header(response: &Response, name: HeaderName) -> Option<String> {
    response.headers().get(name).and_then(|value| value.to_str().ok()).map(String::from)
}

/// The answer itself is never shown.
pub fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Failure> {
    serde_json::from_slice(body).map_err(|error| {
        Failure::no_answer(format_args!("the answer cannot be read ({:?} error)", error.classify()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(graph_base: &str) -> Client {
        let http = Http::Microsoft(https::client().unwrap());
        let retry = RetryPolicy { max_attempts: 3, statuses: vec![429] };
        Client { http, graph_base: graph_base.into(), retry }
    }

    #[test]
    fn a_url_is_made_of_encoded_parts() {
        let client = client("https://graph.microsoft.com/v1.0");
        type Row<'a> = (&'a [&'a str], &'a [(&'a str, &'a str)], &'a str);
        let table: [Row<'_>; 4] = [
            (&["me"], &[], "/me"),
            (&["me", "messages", "AA-_=", "move"], &[], "/me/messages/AA-_=/move"),
            (&["me", "messages", "a/b?c#d"], &[], "/me/messages/a%2Fb%3Fc%23d"),
            (
                &["me", "messages"],
                &[("$filter", "a ge 1 and b eq 'x+&y'"), ("$top", "5")],
                "/me/messages?$filter=a%20ge%201%20and%20b%20eq%20%27x%2B%26y%27&$top=5",
            ),
        ];
        for (path, query, expected) in table {
            assert_eq!(client.relative(path, query).unwrap(), expected);
            let url = client.url(path, query).unwrap();
            assert_eq!(url.as_str(), format!("https://graph.microsoft.com/v1.0{expected}"));
        }
    }
}
