//! The client that sends requests: to Google, or in a dry run to a recorded mailbox. The code that
//! makes requests and reads answers does not know which.

use std::time::Duration;

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue};
use reqwest::{Body, IntoUrl, Method, Request, Response, Url};
use serde::Serialize;

use super::errors::Failure;
use super::recorded_mailbox::RecordedMailbox;

/// A longer answer would not fit through Lambda: 16 MB of Gmail's JSON become an answer of over 6
/// MB, if there is any text in it. An answer is in memory several times: as it came, parsed, and as
/// it goes on.
pub const LONGEST_ANSWER: usize = 16 * 1024 * 1024;

#[derive(Clone)]
pub enum Client {
    Google(reqwest::Client),
    /// There is no client in it: nothing can leave the process.
    RecordedMailbox(RecordedMailbox),
}

impl Client {
    pub fn post(&self, url: impl IntoUrl) -> RequestBuilder {
        self.request(Method::POST, url)
    }

    pub fn request(&self, method: Method, url: impl IntoUrl) -> RequestBuilder {
        let request = url
            .into_url()
            .map(|url| Request::new(method, url))
            .map_err(|error| Failure::unsent(error.without_url()));
        RequestBuilder { client: self.clone(), request, most: LONGEST_ANSWER }
    }

    async fn send(&self, request: Request) -> Result<Response, Failure> {
        match self {
            // Without its URL an error of reqwest names no parameter that could be a secret.
            Self::Google(client) => client.execute(request).await.map_err(|error| Failure {
                is_unsent: error.is_connect(),
                ..Failure::no_answer(error.without_url())
            }),
            Self::RecordedMailbox(recorded_mailbox) => Ok(recorded_mailbox.answer(&request)),
        }
    }
}

/// Like reqwest's own builder, for a client that may be a recorded mailbox. A mistake is reported
/// when the request is sent.
pub struct RequestBuilder {
    client: Client,
    request: Result<Request, Failure>,
    /// How many bytes of an answer are read, after decompression.
    pub most: usize,
}

impl RequestBuilder {
    pub fn within(self, most: usize) -> Self {
        Self { most, ..self }
    }

    /// With another bound of time than the client's.
    pub fn lasting(mut self, longest: Duration) -> Self {
        if let Ok(request) = &mut self.request {
            *request.timeout_mut() = Some(longest);
        }
        self
    }

    pub fn header(self, name: HeaderName, value: impl AsRef<str>) -> Self {
        self.with_header(name, value.as_ref(), false)
    }

    pub fn bearer_auth(self, token: &str) -> Self {
        self.with_header(AUTHORIZATION, &format!("Bearer {token}"), true)
    }

    pub fn body(mut self, body: impl Into<Body>) -> Self {
        if let Ok(request) = &mut self.request {
            *request.body_mut() = Some(body.into());
        }
        self
    }

    pub fn json(self, body: &impl Serialize) -> Self {
        match serde_json::to_vec(body) {
            Ok(body) => self.header(CONTENT_TYPE, "application/json").body(body),
            Err(error) => Self { request: Err(Failure::unsent(error)), ..self },
        }
    }

    pub fn form(self, pairs: &[(&str, &str)]) -> Self {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        self.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(body)
    }

    /// `None` for a body that can be read only once, or a request that could not be made.
    pub fn try_clone(&self) -> Option<Self> {
        let request = self.request.as_ref().ok()?.try_clone()?;
        Some(Self { client: self.client.clone(), request: Ok(request), most: self.most })
    }

    /// Its method and URL, if it could be made.
    pub fn target(&self) -> Option<(&Method, &Url)> {
        self.request.as_ref().ok().map(|request| (request.method(), request.url()))
    }

    pub async fn send(self) -> Result<Response, Failure> {
        self.client.send(self.request?).await
    }

    fn with_header(mut self, name: HeaderName, value: &str, sensitive: bool) -> Self {
        let Ok(request) = &mut self.request else { return self };
        match HeaderValue::from_str(value) {
            Ok(mut value) => {
                value.set_sensitive(sensitive);
                request.headers_mut().insert(name, value);
            }
            Err(_) => {
                self.request = Err(Failure::unsent("a header's value holds what no header may"))
            }
        }
        self
    }
}
