//! The recorded set, from which the mailbox begins.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::mailbox::{Folder, Mailbox, Message};
use crate::adapters::dry_run::{RecordedAnswer, each, list, text};

const RECORDED: &str = include_str!("recorded.jsonl");

pub fn mailbox() -> Result<Mailbox, String> {
    read(RECORDED)
}

fn read(recorded: &str) -> Result<Mailbox, String> {
    let mut mailbox = Mailbox::default();
    let mut listed = BTreeSet::new();
    each(recorded, |answer| mailbox.take(answer, &mut listed))?;
    // What was not there when the messages were listed has yet to arrive.
    let (past, future): (BTreeMap<_, _>, BTreeMap<_, _>) =
        std::mem::take(&mut mailbox.messages).into_iter().partition(|(id, _)| listed.contains(id));
    mailbox.messages = past;
    mailbox.to_come = future.into_values().collect();
    Ok(mailbox)
}

impl Mailbox {
    fn take(
        &mut self,
        answer: RecordedAnswer,
        listed: &mut BTreeSet<String>,
    ) -> Result<(), String> {
        let RecordedAnswer { route, id, body, .. } = answer;
        match route.as_str() {
            "/v1.0/me" => self.user = body,
            "/v1.0/me/outlook/masterCategories" => self.categories = list(&body, "value").to_vec(),
            "/v1.0/me/mailFolders/{id}" => self.folders.push(folder(&id, &body)?),
            "/v1.0/me/messages/{id}" => {
                if text(&body, "id")? != id {
                    return Err(format!("it is recorded as {id}"));
                }
                self.messages.insert(id, Message { shown: body, mime: Vec::new() });
            }
            "/v1.0/me/messages/{id}/$value" => {
                let mime = body.as_str().ok_or("a mail is text")?.as_bytes().to_vec();
                let message = self.messages.get_mut(&id).ok_or("it comes before its message")?;
                message.mime = mime;
            }
            "/v1.0/me/messages" => {
                for message in list(&body, "value") {
                    listed.insert(text(message, "id")?);
                }
            }
            other => return Err(format!("nothing is made of {other}")),
        }
        Ok(())
    }
}

/// Recorded by its id, or by its well-known name.
fn folder(asked: &str, body: &Value) -> Result<Folder, String> {
    let id = text(body, "id")?;
    let well_known = (asked != id).then(|| asked.to_string());
    let (name, parent) = (text(body, "displayName")?, text(body, "parentFolderId")?);
    Ok(Folder { id, name, parent, well_known })
}
