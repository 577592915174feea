//! Mails that are larger than one request: the draft is made without its files, and each file is put
//! to it by itself, the large ones in pieces
//! (<https://learn.microsoft.com/en-us/graph/outlook-large-attachments>).

use std::ops::Range;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use reqwest::header::{CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, HeaderValue};
use reqwest::{Method, Request, Url};
use serde::Deserialize;
use serde_json::{Value, json};

use super::client::{Repeat, answer, no_answer, parse};
use super::errors::Failure;
use super::wire::Message;
use super::writing::{LONGEST_MIME, answered, mime};
use super::{Calling, Outlook};
use crate::adapters::https::pause;
use crate::adapters::system::System;
use crate::domain::operation::answer::MailAnswer;
use crate::domain::operation::request::MailRequest;
use crate::domain::outgoing::Outgoing;
use crate::domain::outgoing::attachment::OutgoingAttachment;
use crate::domain::timestamp::Timestamp;
use crate::ports::{Clock, ProviderError, Sender, Uploaded};

/// A smaller file goes in one request; a larger one in a session.
const LARGE_FILE: u64 = 2_900_000;
/// A multiple of 320 KiB, below the 4 MB that a request may have.
const CHUNK: u64 = 10 * 320 * 1024;
/// No chunk is begun later than this after the first.
const LONGEST_UPLOAD: Duration = Duration::from_secs(20);
const LONGEST_PUT: Duration = Duration::from_secs(12);
const LONGEST_RESULT: usize = 64 * 1024;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Session {
    upload_url: String,
}

impl Outlook {
    pub(super) async fn performed_large<U: Uploaded>(
        &self,
        call: &Calling<'_>,
        request: &MailRequest,
        sender: Sender<'_>,
        uploaded: &U,
    ) -> Option<Result<MailAnswer, ProviderError>> {
        Some(match request {
            MailRequest::Send(mail) => match call.large_draft(mail, sender, uploaded).await {
                Ok(draft) => call.sent_or_deleted(&draft).await,
                Err(error) => Err(error),
            },
            MailRequest::CreateDraft(mail) => {
                call.large_draft(mail, sender, uploaded).await.map(|draft| answered(&draft))
            }
            MailRequest::UpdateDraft(id, mail) => match call.draft(id).await {
                Ok(old) => {
                    let new = call.large_draft(mail, sender, uploaded).await;
                    if new.is_ok() {
                        call.delete_quietly(&old.id).await;
                    }
                    new.map(|draft| answered(&draft))
                }
                Err(error) => Err(error),
            },
            _ => return None,
        })
    }
}

impl Calling<'_> {
    /// A draft with all its files; none is left if a file could not be put to it.
    pub async fn large_draft<U: Uploaded>(
        &self,
        mail: &Outgoing,
        sender: Sender<'_>,
        uploaded: &U,
    ) -> Result<Message, ProviderError> {
        let bare = Outgoing { attachments: Vec::new(), ..mail.clone() };
        let mime = mime(&bare, sender);
        if mime.len() > LONGEST_MIME {
            let reason = format!(
                "without its files the mail is {} bytes, of which Graph takes {LONGEST_MIME}",
                mime.len()
            );
            return Err(ProviderError::Refused { status: 413, reason });
        }
        let draft = self.draft_of(&mime).await.map_err(|failure| failure.of_request(true))?;
        let began = System.now();
        for file in &mail.attachments {
            if let Err(error) = self.attached(&draft.id, file, uploaded, began).await {
                self.delete_quietly(&draft.id).await;
                return Err(error);
            }
        }
        Ok(draft)
    }

    async fn attached<U: Uploaded>(
        &self,
        draft: &str,
        file: &OutgoingAttachment,
        uploaded: &U,
        began: Timestamp,
    ) -> Result<(), ProviderError> {
        let size = size(file);
        if size < LARGE_FILE {
            let bytes = read(file, 0..size, uploaded).await?;
            let mut body = described(file);
            body["contentBytes"] = json!(BASE64_STANDARD.encode(bytes));
            let path = ["me", "messages", draft, "attachments"];
            let call = self.call(Method::POST, &path).map_err(Failure::of_api)?.json(&body);
            let sent = self.send(call, Repeat::Never).await;
            return sent.map(drop).map_err(|failure| failure.of_request(true));
        }
        let session = self.session(draft, file, size).await?;
        let mut from = 0;
        while from < size {
            if System.now() > began.after(LONGEST_UPLOAD) {
                return Err(ProviderError::unavailable("the upload took too long, and was left"));
            }
            let until = (from + CHUNK).min(size);
            let bytes = read(file, from..until, uploaded).await?;
            self.put(&session, from..until, size, bytes)
                .await
                .map_err(|failure| failure.of_request(true))?;
            from = until;
        }
        Ok(())
    }

    /// Where a file is put. Whoever has the URL may: no token goes there.
    async fn session(
        &self,
        draft: &str,
        file: &OutgoingAttachment,
        size: u64,
    ) -> Result<Url, ProviderError> {
        let mut item = json!({
            "attachmentType": "file",
            "name": file.filename,
            "size": size,
            "contentType": file.mime_type.essence(),
            "isInline": file.inline,
        });
        if let Some(id) = &file.content_id {
            item["contentId"] = json!(id);
        }
        let path = ["me", "messages", draft, "attachments", "createUploadSession"];
        let call = self.call(Method::POST, &path).map_err(Failure::of_api)?;
        let body = self.done(call.json(&json!({"AttachmentItem": item}))).await?;
        let session: Session = parse(&body).map_err(|failure| failure.of_request(true))?;
        self.trusted(&session.upload_url).ok_or_else(|| {
            ProviderError::unavailable("an upload was begun without a URL of Microsoft's")
        })
    }

    /// The mail goes there: over TLS, or to where Graph itself is.
    fn trusted(&self, url: &str) -> Option<Url> {
        let url = Url::parse(url).ok()?;
        let own = Url::parse(&self.outlook.settings.graph_base).ok()?;
        (url.origin() == own.origin() || url.scheme() == "https").then_some(url)
    }

    /// A chunk may be put again.
    async fn put(
        &self,
        session: &Url,
        range: Range<u64>,
        size: u64,
        bytes: Vec<u8>,
    ) -> Result<(), Failure> {
        let mut attempt = 1;
        loop {
            let request = piece(session, &range, size, bytes.clone())?;
            let put = match self.outlook.client.http.execute(request).await.map_err(no_answer) {
                Ok(response) => answer(response, LONGEST_RESULT).await.map(drop),
                Err(failure) => Err(failure),
            };
            let Err(failure) = put else { return Ok(()) };
            // A chunk that has arrived already is refused as out of place.
            if attempt > 1 && failure.status == Some(416) {
                return Ok(());
            }
            match self.outlook.client.wait(attempt, &failure) {
                Some(wait) => pause(wait).await,
                None => return Err(failure),
            }
            attempt += 1;
        }
    }
}

fn piece(session: &Url, range: &Range<u64>, size: u64, bytes: Vec<u8>) -> Result<Request, Failure> {
    let mut request = Request::new(Method::PUT, session.clone());
    let span = format!("bytes {}-{}/{size}", range.start, range.end - 1);
    let headers = request.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    headers.insert(CONTENT_LENGTH, HeaderValue::from(bytes.len()));
    headers.insert(CONTENT_RANGE, HeaderValue::from_str(&span).map_err(Failure::unsent)?);
    *request.timeout_mut() = Some(LONGEST_PUT);
    *request.body_mut() = Some(bytes.into());
    Ok(request)
}

fn size(file: &OutgoingAttachment) -> u64 {
    file.content.as_ref().map_or(file.uploaded_size, |bytes| bytes.len() as u64)
}

fn described(file: &OutgoingAttachment) -> Value {
    let mut body = json!({
        "@odata.type": "#microsoft.graph.fileAttachment",
        "name": file.filename,
        "contentType": file.mime_type.essence(),
        "isInline": file.inline,
    });
    if let Some(id) = &file.content_id {
        body["contentId"] = json!(id);
    }
    body
}

async fn read<U: Uploaded>(
    file: &OutgoingAttachment,
    range: Range<u64>,
    uploaded: &U,
) -> Result<Vec<u8>, ProviderError> {
    if let Some(bytes) = &file.content {
        let at = |place: u64| usize::try_from(place).unwrap_or(usize::MAX);
        return Ok(bytes.get(at(range.start)..at(range.end)).unwrap_or_default().to_vec());
    }
    let Some(id) = file.upload_id else { return Ok(Vec::new()) };
    uploaded.read(id, range).await.map_err(|error| {
        ProviderError::unavailable(format!("an uploaded file: {error}, {}", error.cause))
    })
}
