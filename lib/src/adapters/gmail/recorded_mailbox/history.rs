//! The mailbox as a whole: its profile, its history, and a watch that never notifies.

use std::time::Duration;

use serde_json::{Value, json};

use super::call::{Call, Outcome, Refusal};
use super::mailbox::{Change, Mailbox, Record};

const WATCHED_FOR: Duration = Duration::from_secs(7 * 24 * 3600);

pub fn profile(mailbox: &mut Mailbox, _call: &Call) -> Outcome {
    let threads: std::collections::BTreeSet<&str> =
        mailbox.messages.values().map(|message| message.thread_id.as_str()).collect();
    Ok(Some(json!({
        "emailAddress": mailbox.account.address, "messagesTotal": mailbox.messages.len(), "threadsTotal": threads.len(),
        "historyId": mailbox.history_id.to_string(),
    })))
}

pub fn send_as(mailbox: &mut Mailbox, _call: &Call) -> Outcome {
    let own = json!({"sendAsEmail": mailbox.account.address, "displayName": "", "isPrimary": true, "isDefault": true});
    Ok(Some(json!({"sendAs": [own]})))
}

pub fn watch(mailbox: &mut Mailbox, call: &Call) -> Outcome {
    if call.body["topicName"].as_str().is_none_or(str::is_empty) {
        return Err(Refusal::invalid("topicName required".into()));
    }
    let expiration = call.now.after(WATCHED_FOR).millis().to_string();
    Ok(Some(json!({"historyId": mailbox.history_id.to_string(), "expiration": expiration})))
}

pub fn stop(_mailbox: &mut Mailbox, _call: &Call) -> Outcome {
    Ok(None)
}

pub fn list(mailbox: &mut Mailbox, call: &Call) -> Outcome {
    let start = call
        .parameter("startHistoryId")
        .ok_or_else(|| Refusal::invalid("Missing or malformed start history id".into()))?;
    let start: u64 =
        start.parse().map_err(|_| Refusal::invalid("Invalid value for startHistoryId".into()))?;
    if mailbox.history.first().is_some_and(|oldest| start < oldest.id) {
        return Err(Refusal::not_found());
    }
    let types: Vec<&str> = call.all("historyTypes").collect();
    if let Some(unknown) =
        types.iter().find(|name| !Change::ALL.iter().any(|change| change.history_type() == **name))
    {
        return Err(Refusal::invalid(format!("Invalid value at 'history_types': \"{unknown}\"")));
    }
    let label = call.parameter("labelId");
    let wanted = |record: &&Record| {
        let of_type = types.is_empty() || types.contains(&record.change.history_type());
        let labelled = label.is_none_or(|label| {
            record.label_ids.iter().chain(&record.changed).any(|id| id == label)
        });
        record.id > start && of_type && labelled
    };
    let (page, token) = call.page(mailbox.history.iter().filter(wanted).collect(), 100)?;
    let mut answer = json!({"historyId": mailbox.history_id.to_string()});
    if !page.is_empty() {
        answer["history"] = page.into_iter().map(view).collect();
    }
    if let Some(token) = token {
        answer["nextPageToken"] = token.into();
    }
    Ok(Some(answer))
}

fn view(record: &Record) -> Value {
    let mut change = json!({"message": {"id": record.message, "threadId": record.thread, "labelIds": record.label_ids}});
    if !record.changed.is_empty() {
        change["labelIds"] = record.changed.clone().into();
    }
    let mut answer = json!({"id": record.id.to_string(), "messages": [{"id": record.message, "threadId": record.thread}]});
    answer[record.change.record_field()] = vec![change].into();
    answer
}

impl Change {
    pub const ALL: [Self; 4] =
        [Self::MessageAdded, Self::MessageDeleted, Self::LabelAdded, Self::LabelRemoved];

    fn history_type(self) -> &'static str {
        match self {
            Self::MessageAdded => "messageAdded",
            Self::MessageDeleted => "messageDeleted",
            Self::LabelAdded => "labelAdded",
            Self::LabelRemoved => "labelRemoved",
        }
    }

    pub fn record_field(self) -> &'static str {
        match self {
            Self::MessageAdded => "messagesAdded",
            Self::MessageDeleted => "messagesDeleted",
            Self::LabelAdded => "labelsAdded",
            Self::LabelRemoved => "labelsRemoved",
        }
    }
}
