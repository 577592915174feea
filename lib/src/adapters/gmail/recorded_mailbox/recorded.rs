//! The recorded set, from which the mailbox begins.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::mailbox::{Account, Change, Label, Mailbox, Message, Record};
use crate::adapters::dry_run::{RecordedAnswer, each, list, text, texts};
use crate::domain::timestamp::Timestamp;

const RECORDED: &str = include_str!("recorded.jsonl");

pub fn mailbox() -> Result<Mailbox, String> {
    read(RECORDED)
}

fn read(recorded: &str) -> Result<Mailbox, String> {
    let mut mailbox = Mailbox {
        account: Account { address: String::new(), sub: String::new() },
        messages: BTreeMap::new(),
        labels: Vec::new(),
        drafts: BTreeMap::new(),
        attachments: BTreeMap::new(),
        history: Vec::new(),
        history_id: 0,
        to_come: Vec::new(),
        began: None,
        made: 0,
    };
    each(recorded, |answer| mailbox.take(answer))?;
    // What happened after the profile was read has yet to arrive.
    let (past, future): (BTreeMap<_, _>, BTreeMap<_, _>) = std::mem::take(&mut mailbox.messages)
        .into_iter()
        .partition(|(_, message)| message.history_id <= mailbox.history_id);
    mailbox.messages = past;
    mailbox.to_come = future.into_values().collect();
    mailbox.history.retain(|record| record.id <= mailbox.history_id);
    Ok(mailbox)
}

impl Mailbox {
    fn take(&mut self, answer: RecordedAnswer) -> Result<(), String> {
        let RecordedAnswer { route, id, body, .. } = answer;
        match route.as_str() {
            "/oauth2/v3/userinfo" => self.account.sub = text(&body, "sub")?,
            "/gmail/v1/users/me/profile" => {
                self.account.address = text(&body, "emailAddress")?;
                self.history_id = number(&body, "historyId")?;
            }
            "/gmail/v1/users/me/labels" => {
                self.labels = list(&body, "labels").iter().map(label).collect::<Result<_, _>>()?
            }
            "/gmail/v1/users/me/history" => {
                for record in list(&body, "history") {
                    self.history.extend(records(record)?);
                }
            }
            "/gmail/v1/users/me/messages/{id}" => self.know(&id, &body)?,
            "/gmail/v1/users/me/messages/{messageId}/attachments/{id}" => {
                self.attachments.insert(id, text(&body, "data")?);
            }
            "/gmail/v1/users/me/drafts/{id}" => {
                let message = &body["message"];
                let message_id = text(message, "id")?;
                self.know(&message_id, message)?;
                self.drafts.insert(id, message_id);
            }
            other => return Err(format!("nothing is made of {other}")),
        }
        Ok(())
    }

    fn know(&mut self, id: &str, body: &Value) -> Result<(), String> {
        if text(body, "id")? != id {
            return Err(format!("it is recorded as {id}"));
        }
        let arrived =
            text(body, "internalDate")?.parse().map_err(|_| "internalDate is not a number")?;
        let message = Message {
            id: id.into(),
            thread_id: text(body, "threadId")?,
            label_ids: texts(&body["labelIds"]),
            history_id: number(body, "historyId")?,
            arrived: Timestamp::from_millis(arrived),
            snippet: text(body, "snippet")?,
            size: body["sizeEstimate"]
                .as_u64()
                .and_then(|size| size.try_into().ok())
                .ok_or("sizeEstimate is missing")?,
            payload: body["payload"].clone(),
            raw: None,
        };
        self.messages.insert(id.into(), message);
        Ok(())
    }
}

fn label(body: &Value) -> Result<Label, String> {
    let own = ["id", "name", "type"];
    let shown: Map<String, Value> = body
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    let shown = shown.into_iter().filter(|(name, _)| !own.contains(&name.as_str())).collect();
    Ok(Label {
        id: text(body, "id")?,
        name: text(body, "name")?,
        system: body["type"] == "system",
        shown,
    })
}

fn records(body: &Value) -> Result<Vec<Record>, String> {
    let id = number(body, "id")?;
    let mut records = Vec::new();
    for change in Change::ALL {
        for entry in list(body, change.record_field()) {
            let (message, thread) =
                (text(&entry["message"], "id")?, text(&entry["message"], "threadId")?);
            let (label_ids, changed) =
                (texts(&entry["message"]["labelIds"]), texts(&entry["labelIds"]));
            records.push(Record { id, change, message, thread, label_ids, changed });
        }
    }
    Ok(records)
}

fn number(body: &Value, name: &str) -> Result<u64, String> {
    text(body, name)?.parse().map_err(|_| format!("{name} is not a number"))
}
