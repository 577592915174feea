//! Messages: listing, reading and changing them.

use serde_json::{Value, json};

use super::Admitted;
use super::answer::Refusal;
use crate::mailbox::{Mailbox, Message};
use crate::shapes::Shapes;
use crate::values::base64url_padded;
use crate::{pages, pubsub, search};

const DEFAULT_PAGE: usize = 100;
const LARGEST_PAGE: usize = 500;

impl Admitted<'_> {
    pub fn page_size(&self) -> usize {
        let wanted = self.query.first("maxResults").and_then(|text| text.parse().ok());
        wanted.filter(|size| *size > 0).unwrap_or(DEFAULT_PAGE).min(LARGEST_PAGE)
    }

    pub fn labels_of(&self, field: &str) -> Vec<String> {
        let labels = self.body[field].as_array().into_iter().flatten();
        labels.filter_map(|label| label.as_str().map(Into::into)).collect()
    }

    /// The id from the path; Gmail's ids are hexadecimal, and others are refused.
    pub fn message_id(&self, parameter: &str) -> Result<String, Refusal> {
        let id = self.found.path_parameters.get(parameter).cloned().unwrap_or_default();
        if !id.is_empty() && id.chars().all(|letter| letter.is_ascii_hexdigit()) {
            Ok(id)
        } else {
            Err(Refusal::invalid_argument("Invalid id value"))
        }
    }

    pub fn notify(&mut self, records: &[crate::mailbox::Record]) {
        pubsub::publish_changes(self.app, self.state, self.email, records);
    }
}

/// The filters of a listing.
pub(super) struct ListQuery {
    terms: Vec<search::Term>,
    labels: Vec<String>,
    everywhere: bool,
    pub fingerprint: String,
}

impl ListQuery {
    pub fn read(call: &mut Admitted<'_>) -> Result<Self, Refusal> {
        let terms = terms(call)?;
        let q = call.query.first("q").unwrap_or_default();
        let labels: Vec<String> = call.query.all("labelIds").map(Into::into).collect();
        let everywhere = call.query.first("includeSpamTrash") == Some("true")
            || search::reaches_spam_and_trash(&terms)
            || labels.iter().any(|label| label == "SPAM" || label == "TRASH");
        let fingerprint =
            pages::fingerprint([q, labels.join(",").as_str(), if everywhere { "all" } else { "" }]);
        Ok(Self { terms, labels, everywhere, fingerprint })
    }

    pub fn wants(&self, message: &Message) -> bool {
        let reachable =
            self.everywhere || !(message.has_label("SPAM") || message.has_label("TRASH"));
        let labelled = self.labels.iter().all(|label| message.has_label(label));
        !message.hidden
            && reachable
            && labelled
            && self.terms.iter().all(|term| term.matches(message))
    }
}

pub(super) fn terms(call: &mut Admitted<'_>) -> Result<Vec<search::Term>, Refusal> {
    let q = call.query.first("q").unwrap_or_default();
    if !q.is_empty() && call.only_metadata {
        return Err(Refusal::new(
            403,
            "forbidden",
            "Metadata scope does not support 'q' parameter",
        ));
    }
    search::parse(q, call.app.now_ms()).map_err(|problem| Refusal::invalid_argument(&problem))
}

/// The offset in a listing of threads or drafts, from its page token.
pub(super) fn offset(token: &str, listing: &str) -> Result<usize, Refusal> {
    let invalid = || Refusal::invalid_argument("Invalid pageToken");
    match pages::decode::<3>(token).ok_or_else(invalid)? {
        [kind, of, skipped] if kind == "d" && of == listing => {
            skipped.parse().map_err(|_| invalid())
        }
        _ => Err(invalid()),
    }
}

pub(super) fn list(mut call: Admitted<'_>) -> Result<Value, Refusal> {
    let query = ListQuery::read(&mut call)?;
    let listing = query.fingerprint.clone();
    let token = call.query.first("pageToken").map(Into::into);
    let size = call.page_size();
    let mailbox = call.mailbox()?;
    let epoch = mailbox.listing_epoch.to_string();
    let after = token.map(|token: String| position(&token, &listing, &epoch)).transpose()?;
    let mut matching: Vec<&Message> = mailbox.messages.values().collect();
    matching.retain(|message| query.wants(message));
    matching.sort_by_key(|message| std::cmp::Reverse(sort_key(message)));
    let estimate = matching.len();
    matching.retain(|message| after.as_ref().is_none_or(|after| sort_key(message) < *after));
    let more = matching.len() > size;
    matching.truncate(size);
    let mut answer = json!({ "resultSizeEstimate": estimate });
    if let Some(last) = matching.last().filter(|_| more) {
        answer["nextPageToken"] =
            pages::encode(&["m", &listing, &last.internal_date.to_string(), &last.id, &epoch])
                .into();
    }
    if !matching.is_empty() {
        let references = matching
            .iter()
            .map(|message| json!({ "id": message.id, "threadId": message.thread_id }));
        answer["messages"] = references.collect();
    }
    Ok(answer)
}

pub(super) fn get(mut call: Admitted<'_>) -> Result<Value, Refusal> {
    let id = call.message_id("id")?;
    let format = format(&call)?;
    let wanted: Vec<String> = call.query.all("metadataHeaders").map(Into::into).collect();
    let shapes = call.state.shapes;
    let mailbox = call.mailbox()?;
    mailbox.reads += 1;
    let reads = mailbox.reads;
    let message = mailbox.visible_message(&id).ok_or_else(Refusal::not_found)?;
    let view = View { format: &format, wanted: &wanted, shapes, reads };
    Ok(view.of(message))
}

pub(super) fn format(call: &Admitted<'_>) -> Result<String, Refusal> {
    let format = call.query.first("format").unwrap_or("full").to_owned();
    if call.only_metadata && matches!(format.as_str(), "full" | "raw") {
        let message = format!("Metadata scope doesn't allow format {}", format.to_uppercase());
        return Err(Refusal::new(403, "forbidden", &message));
    }
    Ok(format)
}

pub(super) fn attachment(mut call: Admitted<'_>) -> Result<Value, Refusal> {
    let id = call.message_id("messageId")?;
    let attachment = call.found.path_parameters.get("id").cloned().unwrap_or_default();
    let shapes = call.state.shapes;
    let mailbox = call.mailbox()?;
    let message = mailbox.visible_message(&id).ok_or_else(Refusal::not_found)?;
    let bytes = message.root.attachment(&attachment, &shapes, mailbox.reads);
    let bytes = bytes.ok_or_else(|| Refusal::invalid_argument("Invalid attachment token"))?;
    Ok(json!({ "size": bytes.len(), "data": base64url_padded(bytes) }))
}

/// The labels to add and to remove.
pub(super) fn change(call: &Admitted<'_>) -> Result<(Vec<String>, Vec<String>), Refusal> {
    let (add, remove) = (call.labels_of("addLabelIds"), call.labels_of("removeLabelIds"));
    if add.is_empty() && remove.is_empty() {
        return Err(Refusal::invalid_argument("No label add or removes specified"));
    }
    if let Some(label) = add.iter().find(|label| remove.contains(label)) {
        return Err(Refusal::invalid_argument(&format!(
            "Cannot both add and remove the same label: {label}"
        )));
    }
    Ok((add, remove))
}

/// Refuses labels that do not exist, and those that only Gmail may set.
pub(super) fn check_labels(
    mailbox: &Mailbox,
    add: &[String],
    remove: &[String],
) -> Result<(), Refusal> {
    let unfit = |label: &&String| {
        !mailbox.knows_label(label) || matches!(label.as_str(), "SENT" | "DRAFT" | "CHAT")
    };
    match add.iter().chain(remove).find(unfit) {
        Some(label) => Err(Refusal::invalid_argument(&format!("Invalid label: {label}"))),
        None => Ok(()),
    }
}

pub(super) fn modify(call: Admitted<'_>) -> Result<Value, Refusal> {
    let (add, remove) = change(&call)?;
    relabel(call, &add, &remove)
}

/// Changes many messages; missing ones are ignored.
pub(super) fn batch_modify(mut call: Admitted<'_>) -> Result<(), Refusal> {
    let (ids, (add, remove)) = (call.labels_of("ids"), change(&call)?);
    let mailbox = call.mailbox()?;
    check_batch(&ids)?;
    check_labels(mailbox, &add, &remove)?;
    let records: Vec<_> =
        ids.iter().filter_map(|id| mailbox.change_labels(id, &add, &remove)).flatten().collect();
    call.notify(&records);
    Ok(())
}

pub(super) fn batch_delete(mut call: Admitted<'_>) -> Result<(), Refusal> {
    let ids = call.labels_of("ids");
    check_batch(&ids)?;
    let mailbox = call.mailbox()?;
    let records: Vec<_> = ids.iter().filter_map(|id| mailbox.delete_message(id)).collect();
    call.notify(&records);
    Ok(())
}

fn check_batch(ids: &[String]) -> Result<(), Refusal> {
    match ids.len() {
        0 => Err(Refusal::invalid_argument("No message ids specified")),
        1..=1000 => Ok(()),
        _ => Err(Refusal::invalid_argument("Too many message ids")),
    }
}

pub(super) fn relabel(
    mut call: Admitted<'_>,
    add: &[String],
    remove: &[String],
) -> Result<Value, Refusal> {
    let id = call.message_id("id")?;
    let mailbox = call.mailbox()?;
    mailbox.visible_message(&id).ok_or_else(Refusal::not_found)?;
    check_labels(mailbox, add, remove)?;
    let records = mailbox.change_labels(&id, add, remove).ok_or_else(Refusal::not_found)?;
    let message = mailbox.visible_message(&id).ok_or_else(Refusal::not_found)?;
    let answer = reference(message);
    call.notify(&records);
    Ok(answer)
}

pub(super) fn delete(mut call: Admitted<'_>) -> Result<(), Refusal> {
    let id = call.message_id("id")?;
    let mailbox = call.mailbox()?;
    mailbox.visible_message(&id).ok_or_else(Refusal::not_found)?;
    let record = mailbox.delete_message(&id).ok_or_else(Refusal::not_found)?;
    call.notify(&[record]);
    Ok(())
}

/// How a message is looked at.
pub(super) struct View<'a> {
    pub format: &'a str,
    /// The headers of the format `metadata`; all if empty.
    pub wanted: &'a [String],
    pub shapes: Shapes,
    /// Of the mailbox, with this one.
    pub reads: u64,
}

impl View<'_> {
    pub fn of(&self, message: &Message) -> Value {
        let mut answer = reference(message);
        answer["snippet"] = message.snippet.clone().into();
        answer["sizeEstimate"] = message.raw.len().into();
        answer["historyId"] = message.history_id.to_string().into();
        answer["internalDate"] = message.internal_date.to_string().into();
        match self.format {
            "raw" => answer["raw"] = base64url_padded(&message.raw).into(),
            "metadata" => answer["payload"] = self.metadata(message),
            "full" => answer["payload"] = message.root.rendered(&self.shapes, self.reads),
            _ => {}
        }
        answer
    }

    /// Headers only: no parts, so an attachment cannot be seen here.
    fn metadata(&self, message: &Message) -> Value {
        let is_wanted = |name: &str| {
            let all = self.wanted.is_empty();
            all || self.wanted.iter().any(|wanted| wanted.eq_ignore_ascii_case(name))
        };
        let headers = message.root.headers.iter().filter(|header| is_wanted(&header.name));
        let headers: Vec<Value> = headers.map(|header| header.rendered(&self.shapes)).collect();
        let mut payload = json!({ "mimeType": message.root.mime_type });
        if !headers.is_empty() {
            payload["headers"] = headers.into();
        }
        payload
    }
}

pub(super) fn reference(message: &Message) -> Value {
    let mut reference = json!({ "id": message.id, "threadId": message.thread_id });
    if !message.label_ids.is_empty() {
        reference["labelIds"] = json!(message.label_ids);
    }
    reference
}

/// Orders a listing, newest first; equal dates by id.
fn sort_key(message: &Message) -> (i64, String) {
    (message.internal_date, message.id.clone())
}

fn position(token: &str, listing: &str, now: &str) -> Result<(i64, String), Refusal> {
    let invalid = || Refusal::invalid_argument("Invalid pageToken");
    match pages::decode::<5>(token).ok_or_else(invalid)? {
        [kind, of, date, id, epoch] if kind == "m" && of == listing && epoch == now => {
            Ok((date.parse().map_err(|_| invalid())?, id))
        }
        _ => Err(invalid()),
    }
}
