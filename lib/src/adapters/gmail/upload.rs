//! Mail with uploaded files, by Gmail's resumable upload
//! (<https://developers.google.com/workspace/gmail/api/guides/uploads#resumable>): a session is begun,
//! and the mail is put into it chunk by chunk. A session makes at most one message, so a chunk, the
//! last one too, may be put again where its answer did not come.

use std::time::Duration;

use reqwest::header::{CONTENT_RANGE, CONTENT_TYPE, HeaderName, RANGE};
use reqwest::{Method, Response, StatusCode, Url};
use serde_json::{Value, json};

use super::errors::Failure;
use super::measured::Measured;
use super::operations::Calling;
use super::{Gmail, header, https, refusal, resources};
use crate::adapters::boundary::boundary;
use crate::adapters::https::pause;
use crate::adapters::system::System;
use crate::domain::connector::Provider;
use crate::domain::operation::answer::MailAnswer;
use crate::domain::operation::request::MailRequest;
use crate::domain::outgoing::Outgoing;
use crate::domain::outgoing::streamed::{LONGEST_MAIL, Slice, Streamed, in_lines};
use crate::domain::provider::registered;
use crate::domain::secret::AccessToken;
use crate::domain::timestamp::Timestamp;
use crate::ports::{Clock, Performed, ProviderError, Sender, Uploaded};

/// A multiple of 256 KiB, as the protocol wants it; the last chunk is shorter.
const CHUNK: u64 = 4 * 1024 * 1024;
/// A last chunk is not begun later than this after the first: API Gateway ends a request after 30
/// seconds, and nobody would know what became of it.
const LONGEST_UPLOAD: Duration = Duration::from_secs(18);
const LONGEST_PUT: Duration = Duration::from_secs(10);
const LONGEST_RESULT: usize = 64 * 1024;
const UPLOAD_TYPE: HeaderName = HeaderName::from_static("x-upload-content-type");
const UPLOAD_LENGTH: HeaderName = HeaderName::from_static("x-upload-content-length");

/// Where a mail goes.
struct Destination<'a> {
    method: Method,
    path: String,
    fields: &'static str,
    mail: &'a Outgoing,
    /// Whether it is about a draft, whose message its body holds.
    is_draft: bool,
    /// Whether doing it twice does no more than doing it once.
    repeatable: bool,
}

impl<'a> Destination<'a> {
    fn of(request: &'a MailRequest) -> Option<Self> {
        const MESSAGE: &str = "id,threadId,labelIds";
        const DRAFT: &str = "id,message(id,threadId)";
        let to = |method, path: String, mail, is_draft, repeatable| Self {
            method,
            path,
            fields: if is_draft { DRAFT } else { MESSAGE },
            mail,
            is_draft,
            repeatable,
        };
        match request {
            MailRequest::Send(mail) => {
                Some(to(Method::POST, "messages/send".into(), mail, false, false))
            }
            MailRequest::CreateDraft(mail) => {
                Some(to(Method::POST, "drafts".into(), mail, true, false))
            }
            MailRequest::UpdateDraft(id, mail) => {
                Some(to(Method::PUT, format!("drafts/{id}"), mail, true, true))
            }
            _ => None,
        }
    }

    fn metadata(&self) -> Value {
        let message = match &self.mail.thread_id {
            Some(thread) => json!({"threadId": thread}),
            None => json!({}),
        };
        if self.is_draft { json!({"message": message}) } else { message }
    }

    fn answer(&self, body: &[u8]) -> Result<MailAnswer, Failure> {
        Ok(match self.is_draft {
            true => MailAnswer::Draft(super::parse::<resources::ReferredDraft>(body)?.into()),
            false => MailAnswer::Placed(super::parse::<resources::Placed>(body)?.into()),
        })
    }
}

/// What a put into a session led to.
enum Put {
    /// So many bytes have arrived; the rest is wanted.
    Arrived(u64),
    /// The body of the answer to the whole.
    Done(Vec<u8>),
}

impl Gmail {
    pub(super) async fn perform_upload<U: Uploaded>(
        &self,
        access: &AccessToken,
        request: &MailRequest,
        sender: Sender<'_>,
        uploaded: &U,
    ) -> Result<Performed, ProviderError> {
        let Some(to) = Destination::of(request) else {
            return self.perform_request(access, request, sender).await;
        };
        let mail = to.mail.streamed(sender.address, sender.now, &boundary(to.mail, sender));
        if mail.length() > LONGEST_MAIL {
            let reason = format!(
                "with its attachments in base64 it would be {} bytes, of which {LONGEST_MAIL} are allowed",
                mail.length()
            );
            return Err(ProviderError::Refused { status: 413, reason });
        }
        let call = Calling { gmail: self, access, only_headers: sender.only_headers };
        let session = call.begun(&to, mail.length()).await?;
        let body = call.filled(&session, &mail, uploaded, &to).await?;
        // That it is done is known; what it became is not.
        let answer = to.answer(&body).map_err(|failure| failure.of_request(to.repeatable))?;
        Ok(Performed { answer, units: registered(Provider::Gmail).units(request) })
    }

    fn upload_url(&self, to: &Destination<'_>) -> Result<Url, Failure> {
        let base = self.settings.api_base.trim_end_matches('/');
        let url = format!("{base}/upload/gmail/v1/users/me/{}", to.path);
        let query = [("uploadType", "resumable"), ("fields", to.fields), ("prettyPrint", "false")];
        Url::parse_with_params(&url, query).map_err(Failure::unsent)
    }

    /// The session's URL gets the access token: it must be Google's.
    fn trusted(&self, location: &str) -> Option<Url> {
        let url = Url::parse(location).ok()?;
        let own = Url::parse(&self.settings.api_base).ok()?;
        let is_google = url.scheme() == "https"
            && url.host_str().is_some_and(|host| host.ends_with(".googleapis.com"));
        (url.origin() == own.origin() || is_google).then_some(url)
    }
}

impl Calling<'_> {
    /// Begins a session, and returns its URL. Nothing is sent by it: it may be repeated.
    async fn begun(&self, to: &Destination<'_>, length: u64) -> Result<Url, ProviderError> {
        let url = self.gmail.upload_url(to).map_err(Failure::of_api)?;
        let request = self
            .gmail
            .request(self.access, to.method.clone(), url)
            .header(UPLOAD_TYPE, "message/rfc822")
            .header(UPLOAD_LENGTH, length.to_string())
            .json(&to.metadata());
        let answered =
            self.gmail.send(request).await.map_err(|failure| failure.of_request(true))?;
        answered.location.as_deref().and_then(|location| self.gmail.trusted(location)).ok_or_else(
            || ProviderError::unavailable("an upload was begun without a URL of Google's"),
        )
    }

    /// Puts the whole mail, and returns the answer to it.
    async fn filled<U: Uploaded>(
        &self,
        session: &Url,
        mail: &Streamed,
        uploaded: &U,
        to: &Destination<'_>,
    ) -> Result<Vec<u8>, ProviderError> {
        let (began, length) = (System.now(), mail.length());
        let (mut from, mut attempt) = (0, 1);
        // Whether the whole may have arrived.
        let mut is_over = false;
        loop {
            if elapsed(began) > LONGEST_UPLOAD && !is_over {
                return Err(ProviderError::unavailable("the upload took too long, and was left"));
            }
            let until = (from + CHUNK).min(length);
            let chunk = read(mail, from..until, uploaded).await?;
            is_over |= until == length;
            let range = format!("bytes {from}-{}/{length}", until - 1);
            let mut put = self.put(session, &range, chunk).await;
            let mut is_asked = false;
            // Where an answer did not come, the session itself says what has arrived.
            while let Err(failure) = &put {
                let Some(wait) = self.gmail.wait(attempt, failure) else { break };
                pause(wait).await;
                attempt += 1;
                is_asked = true;
                put = self.put(session, &format!("bytes */{length}"), Vec::new()).await;
            }
            match put {
                Ok(Put::Done(body)) => return Ok(body),
                Ok(Put::Arrived(arrived)) if (from..=until).contains(&arrived) => {
                    if arrived == from {
                        attempt += 1;
                        if attempt > self.gmail.settings.retry.max_attempts {
                            let failure = Failure::no_answer("a chunk does not arrive");
                            return Err(failure.of_request(!is_over || to.repeatable));
                        }
                    } else {
                        attempt = 1;
                    }
                    // What the session still waits for has not made a message.
                    is_over = false;
                    from = arrived;
                }
                Ok(Put::Arrived(_)) => {
                    return Err(ProviderError::unavailable("an upload lost what had arrived"));
                }
                // What the session does not tell, its refusal to tell does not either.
                Err(failure) if is_asked && is_over && !to.repeatable => {
                    return Err(ProviderError::OutcomeUnknown(failure.to_string()));
                }
                Err(failure) if is_asked && matches!(failure.status, Some(404 | 410)) => {
                    return Err(ProviderError::unavailable("an upload was forgotten"));
                }
                Err(failure) => return Err(failure.of_request(!is_over || to.repeatable)),
            }
        }
    }

    async fn put(&self, session: &Url, range: &str, chunk: Vec<u8>) -> Result<Put, Failure> {
        let request = self
            .gmail
            .request(self.access, Method::PUT, session.clone())
            .header(CONTENT_RANGE, range)
            .header(CONTENT_TYPE, "message/rfc822")
            .lasting(LONGEST_PUT)
            .body(chunk);
        let measured = Measured::of_chunk();
        let put = match request.send().await {
            Ok(response) => outcome(response).await,
            Err(failure) => Err(failure),
        };
        measured.end(put.as_ref().err());
        put
    }
}

async fn outcome(response: Response) -> Result<Put, Failure> {
    let status = response.status();
    if status == StatusCode::PERMANENT_REDIRECT {
        let range = header(&response, RANGE);
        // Without a range nothing has arrived.
        let last = range.map(|range| range.trim_start_matches("bytes=0-").parse::<u64>());
        return match last {
            None => Ok(Put::Arrived(0)),
            Some(Ok(last)) => Ok(Put::Arrived(last.saturating_add(1))),
            Some(Err(_)) => Err(Failure::no_answer("what has arrived cannot be read")),
        };
    }
    if !status.is_success() {
        return Err(refusal(response, LONGEST_RESULT).await);
    }
    let body = https::body(response, LONGEST_RESULT).await.map_err(Failure::no_answer)?;
    // Gmail answers some refusals with 200 and an error in the body.
    Failure::inside(&body).map_or(Ok(Put::Done(body)), Err)
}

/// A range of the mail, with what it needs of the uploaded files.
async fn read<U: Uploaded>(
    mail: &Streamed,
    range: std::ops::Range<u64>,
    uploaded: &U,
) -> Result<Vec<u8>, ProviderError> {
    let mut chunk =
        Vec::with_capacity(usize::try_from(range.end - range.start).unwrap_or_default());
    for slice in mail.slices(range) {
        match slice {
            Slice::Text(text) => chunk.extend_from_slice(text),
            Slice::File { id, bytes, cut } => {
                let bytes = uploaded.read(id, bytes).await.map_err(|error| {
                    ProviderError::unavailable(format!(
                        "an uploaded file: {error}, {}",
                        error.cause
                    ))
                })?;
                let lines = in_lines(&bytes);
                chunk.extend_from_slice(lines.get(cut).unwrap_or_default());
            }
        }
    }
    Ok(chunk)
}

fn elapsed(began: Timestamp) -> Duration {
    Duration::from_millis(
        u64::try_from(System.now().millis().saturating_sub(began.millis())).unwrap_or_default(),
    )
}
