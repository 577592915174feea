//! An owner's operations as calls to Gmail's API, and their answers in the shape that all providers
//! share.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE;
use reqwest::Method as Http;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::attachment_data::Wanted;
use super::client::LONGEST_ANSWER;
use super::errors::Failure;
use super::fetch::{Depth, METADATA_FIELDS, STRUCTURE_FIELDS};
use super::resources::{self, Listed};
use super::{Gmail, once, parse, wire};
use crate::adapters::boundary::boundary;
use crate::domain::connector::Provider;
use crate::domain::id::MessageId;
use crate::domain::operation::answer::{
    Draft, DraftList, MailAnswer, MessageList, MessageView, ThreadList,
};
use crate::domain::operation::request::{Conversation, Format, LabelSpec, Listing, MailRequest};
use crate::domain::outgoing::Outgoing;
use crate::domain::outgoing::draft_change::DraftChange;
use crate::domain::outgoing::identity::Alias;
use crate::domain::provider::gmail::price;
use crate::domain::provider::registered;
use crate::domain::secret::AccessToken;
use crate::ports::{Fetched, Performed, ProviderError, Sender};

/// Whether a call may be sent again when its outcome is unknown.
#[derive(Clone, Copy, PartialEq)]
enum Repeat {
    Safely,
    Never,
}

type Query<'a> = Vec<(&'a str, String)>;

impl Gmail {
    pub(super) async fn list_aliases(
        &self,
        access: &AccessToken,
    ) -> Result<Vec<Alias>, ProviderError> {
        let call = Calling { gmail: self, access, only_headers: false };
        let fields = "sendAs(sendAsEmail,displayName,isPrimary,verificationStatus)";
        let list: resources::SendAsList =
            call.get("settings/sendAs", vec![("fields", fields.into())]).await?;
        Ok(list.aliases())
    }

    pub(super) async fn perform_request(
        &self,
        access: &AccessToken,
        request: &MailRequest,
        sender: Sender<'_>,
    ) -> Result<Performed, ProviderError> {
        let call = Calling { gmail: self, access, only_headers: sender.only_headers };
        // The price of the request; a listing that reads its messages counts them itself.
        let mut units = registered(Provider::Gmail).units(request);
        let answer = match request {
            MailRequest::ListMessages(listing, format) => {
                return call.list_messages(listing, *format).await;
            }
            MailRequest::ListThreads(listing) => {
                let fields = "threads(id,snippet,historyId),nextPageToken,resultSizeEstimate";
                let page: Listed = call.list("threads", listing, fields).await?;
                let threads = page.threads.into_iter().map(Into::into).collect();
                MailAnswer::Threads(ThreadList {
                    threads,
                    next_page_token: page.next_page_token,
                    result_size_estimate: page.result_size_estimate,
                })
            }
            MailRequest::ListDrafts(listing) => {
                let fields = "drafts(id,message(id,threadId)),nextPageToken,resultSizeEstimate";
                let page: Listed = call.list("drafts", listing, fields).await?;
                let drafts = page.drafts.into_iter().map(Into::into).collect();
                MailAnswer::Drafts(DraftList {
                    drafts,
                    next_page_token: page.next_page_token,
                    result_size_estimate: page.result_size_estimate,
                })
            }
            MailRequest::ListLabels(listing) => {
                let labels: resources::Labels = call.get("labels", vec![]).await?;
                MailAnswer::Labels(labels.page(listing))
            }
            MailRequest::GetMessage(id, format) => {
                let message =
                    call.message(&format!("messages/{id}"), call.formatted(*format, "")).await?;
                let views = call.views(vec![message], *format).await?;
                units += views.units;
                MailAnswer::Message(Box::new(views.only()?))
            }
            MailRequest::GetThread(id, format) => {
                let mut thread: resources::Thread = call
                    .get(&format!("threads/{id}"), call.formatted(*format, "id,historyId,messages"))
                    .await?;
                let (messages, mut failed_ids) = thread.take_messages();
                let views = call.views(messages, *format).await?;
                units += views.units;
                failed_ids.extend(views.failed.into_iter().map(|(id, _)| id));
                MailAnswer::Thread(thread.answer(views.views, failed_ids))
            }
            MailRequest::GetDraft(id, format) => {
                let draft: resources::Draft = call
                    .get(&format!("drafts/{id}"), call.formatted(*format, "id,message"))
                    .await?;
                let message = wire::Message::parse(draft.message.get().as_bytes());
                let views = call.views(vec![message.map_err(Failure::of_api)?], *format).await?;
                units += views.units;
                MailAnswer::Draft(Draft { id: draft.id, message: views.only()? })
            }
            MailRequest::GetLabel(id) => MailAnswer::Label(
                call.get::<resources::Label>(&format!("labels/{id}"), vec![]).await?.into(),
            ),
            MailRequest::ListAttachments(message) => call.attachments(message).await?,
            MailRequest::GetAttachment(message, part_id, range) => {
                let wanted = Wanted::Range(range.as_deref());
                let (answer, spent) = call.attachment(message, part_id, wanted).await?;
                units = spent;
                answer
            }
            MailRequest::LinkAttachment(message, part_id) => {
                let (answer, spent) = call.attachment(message, part_id, Wanted::Whole).await?;
                units = spent;
                answer
            }
            MailRequest::Modify(what, id, change) => {
                let body = labels_changed(&change.add_label_ids, &change.remove_label_ids);
                call.moved(*what, id, "modify", Some(body)).await?
            }
            MailRequest::Trash(what, id) => call.moved(*what, id, "trash", None).await?,
            MailRequest::Untrash(what, id) => call.moved(*what, id, "untrash", None).await?,
            MailRequest::Delete(what, id) => {
                call.delete(&format!("{}/{id}", collection(*what))).await?
            }
            MailRequest::BatchModify(ids, change) => {
                let mut body = labels_changed(&change.add_label_ids, &change.remove_label_ids);
                body["ids"] = json!(ids);
                call.done("messages/batchModify", body).await?
            }
            MailRequest::BatchTrash(ids) => {
                let body =
                    json!({"ids": ids, "addLabelIds": ["TRASH"], "removeLabelIds": ["INBOX"]});
                call.done("messages/batchModify", body).await?
            }
            MailRequest::BatchDelete(ids) => {
                call.done("messages/batchDelete", json!({"ids": ids})).await?
            }
            MailRequest::Send(mail) => call.send_mail("messages/send", raw(mail, sender)).await?,
            MailRequest::CreateDraft(mail) => {
                call.drafted(
                    Http::POST,
                    "drafts",
                    json!({"message": raw(mail, sender)}),
                    Repeat::Never,
                )
                .await?
            }
            MailRequest::UpdateDraft(id, mail) => {
                call.drafted(
                    Http::PUT,
                    &format!("drafts/{id}"),
                    json!({"message": raw(mail, sender)}),
                    Repeat::Safely,
                )
                .await?
            }
            MailRequest::PatchDraft(id, change) => call.patched(id, change, sender).await?,
            MailRequest::SendDraft(id) => call.send_mail("drafts/send", json!({"id": id})).await?,
            MailRequest::DeleteDraft(id) => call.delete(&format!("drafts/{id}")).await?,
            MailRequest::CreateLabel(spec) => {
                call.labelled(Http::POST, "labels", spec, Repeat::Never).await?
            }
            MailRequest::UpdateLabel(id, spec) => {
                call.labelled(Http::PATCH, &format!("labels/{id}"), spec, Repeat::Safely).await?
            }
            MailRequest::DeleteLabel(id) => call.delete(&format!("labels/{id}")).await?,
            // A file is put into the bucket, of which Gmail learns when the mail goes out.
            MailRequest::CreateUpload(_) => MailAnswer::Done,
        };
        Ok(Performed { answer, units })
    }
}

/// Calls under one access token.
pub struct Calling<'a> {
    pub(super) gmail: &'a Gmail,
    pub(super) access: &'a AccessToken,
    pub(super) only_headers: bool,
}

impl Calling<'_> {
    async fn get<T: DeserializeOwned>(
        &self,
        path: &str,
        query: Query<'_>,
    ) -> Result<T, ProviderError> {
        self.call(Http::GET, path, query, None, Repeat::Safely).await
    }

    /// A message, however deep its parts are.
    pub(super) async fn message(
        &self,
        path: &str,
        query: Query<'_>,
    ) -> Result<wire::Message, ProviderError> {
        let answered = self.bytes(Http::GET, path, query, None, Repeat::Safely).await?;
        wire::Message::parse(&answered).map_err(|failure| failure.of_request(true))
    }

    /// The query for a message's format, or for that of messages within another answer, as
    /// `id,messages`.
    fn formatted(&self, format: Format, around: &str) -> Query<'static> {
        let (name, fields) = match format {
            Format::Minimal => ("minimal", None),
            Format::Metadata if self.only_headers => ("metadata", Some(&METADATA_FIELDS)),
            Format::Metadata => ("full", Some(&STRUCTURE_FIELDS)),
            Format::Full => ("full", None),
            Format::Raw => ("raw", None),
        };
        let fields = fields.map(|fields| match around {
            "" => fields.to_string(),
            _ => format!("{around}({})", fields.as_str()),
        });
        let fields = fields.map(|fields| ("fields", fields));
        [("format", name.to_string())].into_iter().chain(fields).collect()
    }

    async fn call<T: DeserializeOwned>(
        &self,
        method: Http,
        path: &str,
        query: Query<'_>,
        body: Option<Value>,
        repeat: Repeat,
    ) -> Result<T, ProviderError> {
        let answered = self.bytes(method, path, query, body, repeat).await?;
        parse(&answered).map_err(|failure| failure.of_request(repeat == Repeat::Safely))
    }

    async fn bytes(
        &self,
        method: Http,
        path: &str,
        query: Query<'_>,
        body: Option<Value>,
        repeat: Repeat,
    ) -> Result<Vec<u8>, ProviderError> {
        let gmail = self.gmail;
        let query: Vec<(&str, &str)> =
            query.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let url = gmail.url(path, &query).map_err(Failure::of_api)?;
        let reads = method == Http::GET;
        let request = gmail.request(self.access, method, url);
        let request = match body {
            Some(body) => request.json(&body),
            None if reads => request,
            // Google wants a length on every POST.
            None => request.body(""),
        };
        let answer =
            if repeat == Repeat::Safely { gmail.send(request).await } else { once(request).await };
        // Gmail answers some refusals with 200 and an error in the body.
        let answer = answer
            .and_then(|answered| Failure::inside(&answered.body).map_or(Ok(answered.body), Err));
        answer.map_err(|failure| failure.of_request(repeat == Repeat::Safely))
    }

    async fn list<T: DeserializeOwned>(
        &self,
        path: &str,
        listing: &Listing,
        fields: &str,
    ) -> Result<T, ProviderError> {
        let mut query =
            vec![("maxResults", listing.page_size.to_string()), ("fields", fields.to_string())];
        query.extend(listing.query.iter().map(|text| ("q", text.clone())));
        query.extend(listing.label_ids.iter().map(|label| ("labelIds", label.clone())));
        query.extend(listing.include_spam_trash.then(|| ("includeSpamTrash", "true".to_string())));
        query.extend(listing.page_token.iter().map(|token| ("pageToken", token.clone())));
        match self.get(path, query).await {
            Err(ProviderError::Refused { status: 400, reason })
                if listing.page_token.is_some() && !reason.contains("labelId") =>
            {
                tracing::info!(reason, "a page of a listing was refused");
                Err(ProviderError::PageLost)
            }
            answer => answer,
        }
    }

    async fn list_messages(
        &self,
        listing: &Listing,
        format: Option<Format>,
    ) -> Result<Performed, ProviderError> {
        let page: Listed = self
            .list("messages", listing, "messages(id,threadId),nextPageToken,resultSizeEstimate")
            .await?;
        let mut units = price::LIST;
        let (mut messages, mut failed_ids) = (Vec::new(), Vec::new());
        match format {
            None => {
                let references =
                    page.messages.into_iter().map(resources::Reference::into_reference);
                messages.extend(references.map(MessageView::Reference));
            }
            Some(format) => {
                let ids: Vec<MessageId> =
                    page.messages.into_iter().map(|listed| MessageId::new(listed.id)).collect();
                let depth = match format {
                    Format::Full => Depth::Whole,
                    _ if self.only_headers => Depth::Headers,
                    _ => Depth::Structure,
                };
                units += price::MESSAGE * u32::try_from(ids.len()).unwrap_or(u32::MAX);
                let fetched =
                    self.gmail.fetch(self.access, &ids, depth, Ok, Some(LONGEST_ANSWER)).await;
                let fetched = fetched.and_then(whole).map_err(|error| match error {
                    ProviderError::TooLarge { unread } if unread.is_empty() => {
                        ProviderError::TooLarge { unread: ids.clone() }
                    }
                    error => error,
                })?;
                failed_ids = fetched.failed.into_iter().map(|(id, _)| id).collect();
                failed_ids.extend(fetched.unanswered.into_iter().flat_map(|(left, _)| left));
                // In the order of the listing, which is the newest first.
                let mut read = fetched.messages;
                read.sort_by_key(|message| ids.iter().position(|id| *id == message.id()));
                let shown = if format == Format::Full { format } else { Format::Metadata };
                let views = self.views(read, shown).await?;
                units += views.units;
                failed_ids.extend(views.failed.into_iter().map(|(id, _)| id));
                messages = views.views;
            }
        }
        let (next_page_token, result_size_estimate) =
            (page.next_page_token, page.result_size_estimate);
        let answer = MailAnswer::Messages(MessageList {
            messages,
            failed_ids,
            next_page_token,
            result_size_estimate,
        });
        Ok(Performed { answer, units })
    }

    async fn moved(
        &self,
        what: Conversation,
        id: &str,
        how: &str,
        body: Option<Value>,
    ) -> Result<MailAnswer, ProviderError> {
        let path = format!("{}/{id}/{how}", collection(what));
        match what {
            Conversation::Message => {
                let fields = vec![("fields", "id,threadId,labelIds".to_string())];
                let message: resources::Placed =
                    self.call(Http::POST, &path, fields, body, Repeat::Safely).await?;
                Ok(MailAnswer::Placed(message.into()))
            }
            Conversation::Thread => {
                let fields = vec![("fields", "id".to_string())];
                let _: Value = self.call(Http::POST, &path, fields, body, Repeat::Safely).await?;
                Ok(MailAnswer::Done)
            }
        }
    }

    async fn send_mail(&self, path: &str, body: Value) -> Result<MailAnswer, ProviderError> {
        let fields = vec![("fields", "id,threadId,labelIds".to_string())];
        let message: resources::Placed =
            self.call(Http::POST, path, fields, Some(body), Repeat::Never).await?;
        Ok(MailAnswer::Placed(message.into()))
    }

    async fn drafted(
        &self,
        method: Http,
        path: &str,
        body: Value,
        repeat: Repeat,
    ) -> Result<MailAnswer, ProviderError> {
        let fields = vec![("fields", "id,message(id,threadId)".to_string())];
        let draft: resources::ReferredDraft =
            self.call(method, path, fields, Some(body), repeat).await?;
        Ok(MailAnswer::Draft(draft.into()))
    }

    /// What stays of a draft is taken from its bytes, and written again as it was.
    async fn patched(
        &self,
        id: &str,
        change: &DraftChange,
        sender: Sender<'_>,
    ) -> Result<MailAnswer, ProviderError> {
        let path = format!("drafts/{id}");
        let draft: resources::Draft = self.get(&path, self.formatted(Format::Raw, "")).await?;
        let message = wire::Message::parse(draft.message.get().as_bytes());
        let (bytes, thread) = message.and_then(wire::Message::into_raw).map_err(Failure::of_api)?;
        let mail = change.clone().applied_to(&bytes, thread)?;
        let body = json!({"message": raw(&mail, sender)});
        self.drafted(Http::PUT, &path, body, Repeat::Safely).await
    }

    async fn labelled(
        &self,
        method: Http,
        path: &str,
        spec: &LabelSpec,
        repeat: Repeat,
    ) -> Result<MailAnswer, ProviderError> {
        let label: resources::Label =
            self.call(method, path, vec![], Some(resources::label_body(spec)), repeat).await?;
        Ok(MailAnswer::Label(label.into()))
    }

    /// For calls that Gmail answers with an empty body.
    async fn done(&self, path: &str, body: Value) -> Result<MailAnswer, ProviderError> {
        self.bytes(Http::POST, path, vec![], Some(body), Repeat::Safely)
            .await
            .map(|_| MailAnswer::Done)
    }

    async fn delete(&self, path: &str) -> Result<MailAnswer, ProviderError> {
        self.bytes(Http::DELETE, path, vec![], None, Repeat::Safely).await.map(|_| MailAnswer::Done)
    }
}

/// It is an error if more of a page is left to read than can be answered.
fn whole<T>(fetched: Fetched<T>) -> Result<Fetched<T>, ProviderError> {
    match fetched.unanswered {
        Some((unread, ProviderError::TooLarge { .. })) => Err(ProviderError::TooLarge { unread }),
        _ => Ok(fetched),
    }
}

fn collection(what: Conversation) -> &'static str {
    match what {
        Conversation::Message => "messages",
        Conversation::Thread => "threads",
    }
}

fn labels_changed(add: &[String], remove: &[String]) -> Value {
    json!({"addLabelIds": add, "removeLabelIds": remove})
}

/// The mail as Gmail wants it.
fn raw(mail: &Outgoing, sender: Sender<'_>) -> Value {
    let bytes = mail.to_rfc5322(sender.address, sender.now, &boundary(mail, sender));
    let mut body = json!({"raw": BASE64_URL_SAFE.encode(bytes)});
    if let Some(thread) = &mail.thread_id {
        body["threadId"] = json!(thread);
    }
    body
}
