//! `history.list`: what changed after an id, page by page, until it expires.

use serde_json::{Value, json};

use crate::gmail::Admitted;
use crate::gmail::answer::Refusal;
use crate::mailbox::{Change, Mailbox, Record};
use crate::pages;

pub(crate) fn list(mut call: Admitted<'_>) -> Result<Value, Refusal> {
    let start = call
        .query
        .first("startHistoryId")
        .ok_or_else(|| Refusal::invalid_argument("Missing startHistoryId"))?;
    let start: u64 =
        start.parse().map_err(|_| Refusal::invalid_argument("Invalid startHistoryId"))?;
    let label = call.query.first("labelId").map(ToOwned::to_owned);
    let types: Vec<String> = call.query.all("historyTypes").map(Into::into).collect();
    let token = call.query.first("pageToken").map(ToOwned::to_owned);
    let size = call.page_size();
    let mailbox = call.mailbox()?;
    if start < mailbox.history_floor {
        return Err(Refusal::not_found());
    }
    let start_text = start.to_string();
    let listing = pages::fingerprint([
        start_text.as_str(),
        label.as_deref().unwrap_or(""),
        types.join(",").as_str(),
    ]);
    let after = token.map_or(Ok(start), |token| position(&token, &listing, mailbox))?;
    let wanted = |record: &&Record| {
        let visible = record.id <= mailbox.visible_history_id();
        let typed = types.is_empty() || types.iter().any(|name| name == type_name(record.change));
        let labelled = label.as_deref().is_none_or(|label| record.concerns_label(label));
        record.id > after && visible && typed && labelled
    };
    let mut records: Vec<&Record> = mailbox.records.iter().filter(wanted).collect();
    let more = records.len() > size;
    records.truncate(size);
    let mut answer = json!({ "historyId": mailbox.visible_history_id().to_string() });
    if let Some(last) = records.last().filter(|_| more) {
        let (last, epoch) = (last.id.to_string(), mailbox.history_epoch.to_string());
        answer["nextPageToken"] = pages::encode(&["h", &listing, &last, &epoch]).into();
    }
    if !records.is_empty() {
        answer["history"] = records.into_iter().map(rendered).collect();
    }
    Ok(answer)
}

fn rendered(record: &Record) -> Value {
    let reference = json!({ "id": record.message_id, "threadId": record.thread_id });
    let mut message = reference.clone();
    if !record.message_labels.is_empty() {
        message["labelIds"] = json!(record.message_labels);
    }
    let mut change = json!({ "message": message });
    if !record.changed_labels.is_empty() {
        change["labelIds"] = json!(record.changed_labels);
    }
    let field = match record.change {
        Change::MessageAdded => "messagesAdded",
        Change::MessageDeleted => "messagesDeleted",
        Change::LabelAdded => "labelsAdded",
        Change::LabelRemoved => "labelsRemoved",
    };
    json!({ "id": record.id.to_string(), "messages": [reference], field: [change] })
}

fn type_name(change: Change) -> &'static str {
    match change {
        Change::MessageAdded => "messageAdded",
        Change::MessageDeleted => "messageDeleted",
        Change::LabelAdded => "labelAdded",
        Change::LabelRemoved => "labelRemoved",
    }
}

fn position(token: &str, listing: &str, mailbox: &Mailbox) -> Result<u64, Refusal> {
    let invalid = || Refusal::invalid_argument("Invalid pageToken");
    let [kind, of, last, epoch] = pages::decode::<4>(token).ok_or_else(invalid)?;
    let live = kind == "h" && of == listing && epoch == mailbox.history_epoch.to_string();
    if live { last.parse().map_err(|_| invalid()) } else { Err(invalid()) }
}
