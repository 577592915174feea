//! Moving, marking and deleting messages, one, a conversation or many.

use std::collections::BTreeMap;
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use super::Calling;
use super::batch::{MOST, Part};
use super::client::{Repeat, parse};
use super::errors::Failure;
use super::reading::missing;
use super::wire::{ID_FIELDS, Message, PLACE_FIELDS, Page};
use crate::adapters::system::System;
use crate::domain::operation::answer::{MailAnswer, PlacedMessage};
use crate::domain::operation::request::LabelChange;
use crate::domain::provider::outlook::labels::{Change, Destination, Effect, Marks, Patch};
use crate::domain::provider::outlook::received::{Folders, Place, WellKnown};
use crate::domain::provider::outlook::search::literal;
use crate::domain::timestamp::Timestamp;
use crate::ports::{Clock, ProviderError};

/// No batch is begun later than this: API Gateway ends a request after 30 seconds.
const LONGEST_WORK: Duration = Duration::from_secs(20);
/// Messages of a conversation; beyond, none is read.
pub const MOST_IN_THREAD: usize = 100;

/// What is done to one message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Mark,
    Move,
    Delete,
}

impl Calling<'_> {
    pub async fn modified(
        &self,
        id: &str,
        change: &LabelChange,
    ) -> Result<MailAnswer, ProviderError> {
        let change = Change::parse(change)?;
        let folders = self.folders().await.map_err(|failure| failure.of_request(true))?;
        let effect = match change.needs_marks() {
            true => {
                let message = self.message_with(id, PLACE_FIELDS).await?;
                let folders = self.folders_of(std::slice::from_ref(&message)).await;
                change
                    .effect(&message.marks(), &folders.map_err(|failure| failure.of_request(true))?)
            }
            false => change.effect(&Marks::default(), &folders),
        };
        self.put_into_effect(id, &effect).await
    }

    pub async fn trashed(&self, id: &str) -> Result<MailAnswer, ProviderError> {
        self.moved(id, &Destination::WellKnown(WellKnown::DeletedItems)).await
    }

    /// What is not in the trash stays where it is.
    pub async fn untrashed(&self, id: &str) -> Result<MailAnswer, ProviderError> {
        let message = self.message_with(id, PLACE_FIELDS).await?;
        let folders = self.folders_of(std::slice::from_ref(&message)).await;
        let folders = folders.map_err(|failure| failure.of_request(true))?;
        match is_trashed(&message, &folders) {
            true => self.moved(id, &Destination::WellKnown(WellKnown::Inbox)).await,
            false => Ok(placed(&message, &folders)),
        }
    }

    async fn moved(&self, id: &str, to: &Destination) -> Result<MailAnswer, ProviderError> {
        self.put_into_effect(id, &Effect { destination: Some(to.clone()), ..Effect::default() })
            .await
    }

    /// Marks first: what was moved may have another id.
    async fn put_into_effect(
        &self,
        id: &str,
        effect: &Effect,
    ) -> Result<MailAnswer, ProviderError> {
        let mut body = None;
        if let Some(patch) = patch_body(&effect.patch) {
            let call =
                self.call(Method::PATCH, &["me", "messages", id]).map_err(Failure::of_api)?;
            body = Some(self.done(call.json(&patch)).await?);
        }
        if let Some(destination) = &effect.destination {
            let path = ["me", "messages", id, "move"];
            let call = self.call(Method::POST, &path).map_err(Failure::of_api)?;
            body = Some(self.done(call.json(&json!({"destinationId": destination.id()}))).await?);
        }
        let message: Message = match body {
            Some(body) => parse(&body).map_err(|failure| failure.of_request(true))?,
            None => self.message_with(id, PLACE_FIELDS).await?,
        };
        let folders = self.folders_of(std::slice::from_ref(&message)).await;
        Ok(placed(&message, &folders.map_err(|failure| failure.of_request(true))?))
    }

    /// For calls that may be repeated.
    pub async fn done(&self, call: super::client::Call) -> Result<Vec<u8>, ProviderError> {
        let answered = self.send(call, Repeat::Safely).await;
        answered.map(|answered| answered.body).map_err(|failure| failure.of_request(true))
    }

    pub async fn deleted_for_good(&self, id: &str) -> Result<MailAnswer, ProviderError> {
        let path = ["me", "messages", id, "permanentDelete"];
        let call = self.call(Method::POST, &path).map_err(Failure::of_api)?;
        self.done(call).await.map(|_| MailAnswer::Done)
    }

    /// The messages of a conversation, oldest first.
    pub async fn conversation(
        &self,
        id: &str,
        fields: &str,
    ) -> Result<Vec<Message>, ProviderError> {
        let filter = format!("conversationId eq {}", literal(id));
        let top = MOST_IN_THREAD.to_string();
        let query = [("$filter", filter.as_str()), ("$top", &top), ("$select", fields)];
        let page: Page = self
            .get(&["me", "messages"], &query)
            .await
            .map_err(|failure| failure.of_request(true))?;
        let mut messages: Vec<Message> =
            page.items().map_err(|failure| failure.of_request(true))?;
        if messages.is_empty() {
            return Err(missing("thread"));
        }
        messages.sort_by_key(|message| message.received().ok());
        Ok(messages)
    }

    pub async fn conversation_modified(
        &self,
        id: &str,
        change: &LabelChange,
    ) -> Result<MailAnswer, ProviderError> {
        let change = Change::parse(change)?;
        let messages = self.conversation(id, PLACE_FIELDS).await?;
        self.all_modified(messages, &change).await
    }

    pub async fn conversation_trashed(&self, id: &str) -> Result<MailAnswer, ProviderError> {
        let messages = self.conversation(id, PLACE_FIELDS).await?;
        let to = Destination::WellKnown(WellKnown::DeletedItems);
        self.all_moved(ids(&messages), &to).await
    }

    pub async fn conversation_untrashed(&self, id: &str) -> Result<MailAnswer, ProviderError> {
        let mut messages = self.conversation(id, PLACE_FIELDS).await?;
        let folders =
            self.folders_of(&messages).await.map_err(|failure| failure.of_request(true))?;
        messages.retain(|message| is_trashed(message, &folders));
        self.all_moved(ids(&messages), &Destination::WellKnown(WellKnown::Inbox)).await
    }

    pub async fn conversation_deleted(&self, id: &str) -> Result<MailAnswer, ProviderError> {
        let messages = self.conversation(id, ID_FIELDS).await?;
        self.all_deleted(ids(&messages)).await
    }

    pub async fn many_modified(
        &self,
        ids: &[String],
        change: &LabelChange,
    ) -> Result<MailAnswer, ProviderError> {
        let change = Change::parse(change)?;
        if !change.needs_marks() {
            let folders = Folders::default();
            let effect = change.effect(&Marks::default(), &folders);
            let effects = ids.iter().map(|id| (id.clone(), effect.clone())).collect();
            return self.all_put_into_effect(effects).await;
        }
        let mut messages = Vec::new();
        let began = System.now();
        for group in ids.chunks(MOST) {
            check_time(began)?;
            let parts = group.iter().map(|id| self.part_of(id, PLACE_FIELDS));
            let parts = parts.collect::<Result<Vec<_>, Failure>>().map_err(Failure::of_api)?;
            let answers =
                self.one_batch(&parts).await.map_err(|failure| failure.of_request(true))?;
            for answer in answers {
                match answer.and_then(|body| parse::<Message>(&body)) {
                    Ok(message) => messages.push(message),
                    // As Gmail passes over what is not there.
                    Err(failure) if failure.is_missing() => {}
                    Err(failure) => return Err(failure.of_request(true)),
                }
            }
        }
        self.all_modified(messages, &change).await
    }

    pub async fn many_trashed(&self, ids: &[String]) -> Result<MailAnswer, ProviderError> {
        let to = Destination::WellKnown(WellKnown::DeletedItems);
        self.all_moved(ids.to_vec(), &to).await
    }

    async fn all_modified(
        &self,
        messages: Vec<Message>,
        change: &Change,
    ) -> Result<MailAnswer, ProviderError> {
        let folders =
            self.folders_of(&messages).await.map_err(|failure| failure.of_request(true))?;
        let effect = |message: Message| {
            let effect = change.effect(&message.marks(), &folders);
            (message.id, effect)
        };
        self.all_put_into_effect(messages.into_iter().map(effect).collect()).await
    }

    async fn all_moved(
        &self,
        ids: Vec<String>,
        to: &Destination,
    ) -> Result<MailAnswer, ProviderError> {
        let effect = Effect { destination: Some(to.clone()), ..Effect::default() };
        self.all_put_into_effect(ids.into_iter().map(|id| (id, effect.clone())).collect()).await
    }

    async fn all_put_into_effect(
        &self,
        effects: Vec<(String, Effect)>,
    ) -> Result<MailAnswer, ProviderError> {
        for step in [Step::Mark, Step::Move] {
            let bodies = effects.iter().filter_map(|(id, effect)| {
                let body = match step {
                    Step::Mark => patch_body(&effect.patch),
                    Step::Move => {
                        effect.destination.as_ref().map(|to| json!({"destinationId": to.id()}))
                    }
                    Step::Delete => None,
                };
                Some((id.clone(), body?))
            });
            self.stepped(step, bodies.collect()).await?;
        }
        Ok(MailAnswer::Done)
    }

    pub async fn all_deleted(&self, ids: Vec<String>) -> Result<MailAnswer, ProviderError> {
        let bodies = ids.into_iter().map(|id| (id, Value::Null)).collect();
        self.stepped(Step::Delete, bodies).await.map(|()| MailAnswer::Done)
    }

    /// One step for many messages. What is not there is passed over; all may be repeated.
    async fn stepped(
        &self,
        step: Step,
        bodies: BTreeMap<String, Value>,
    ) -> Result<(), ProviderError> {
        let began = System.now();
        let all: Vec<(String, Value)> = bodies.into_iter().collect();
        for group in all.chunks(MOST) {
            check_time(began)?;
            let parts = group.iter().map(|(id, body)| self.step(step, id, body));
            let parts = parts.collect::<Result<Vec<_>, Failure>>().map_err(Failure::of_api)?;
            let answers =
                self.one_batch(&parts).await.map_err(|failure| failure.of_request(true))?;
            for answer in answers {
                match answer {
                    Err(failure) if !failure.is_missing() => return Err(failure.of_request(true)),
                    _ => {}
                }
            }
        }
        Ok(())
    }

    fn step(&self, step: Step, id: &str, body: &Value) -> Result<Part, Failure> {
        let own = ["me", "messages", id];
        match step {
            Step::Mark => self.part(Method::PATCH, &own, Some(body.clone())),
            Step::Move => {
                self.part(Method::POST, &["me", "messages", id, "move"], Some(body.clone()))
            }
            Step::Delete => {
                self.part(Method::POST, &["me", "messages", id, "permanentDelete"], None)
            }
        }
    }
}

/// What was done stays done: to send the request again does the rest.
fn check_time(began: Timestamp) -> Result<(), ProviderError> {
    match System.now() > began.after(LONGEST_WORK) {
        true => Err(ProviderError::unavailable(
            "it took too long, and was done in part; send it again, or fewer ids",
        )),
        false => Ok(()),
    }
}

fn ids(messages: &[Message]) -> Vec<String> {
    messages.iter().map(|message| message.id.clone()).collect()
}

fn is_trashed(message: &Message, folders: &Folders) -> bool {
    const TRASH: WellKnown = WellKnown::DeletedItems;
    [Place::In(TRASH), Place::Below(TRASH)].contains(&folders.place(&message.parent_folder_id))
}

pub fn placed(message: &Message, folders: &Folders) -> MailAnswer {
    MailAnswer::Placed(PlacedMessage {
        id: message.id(),
        thread_id: message.conversation_id.clone(),
        label_ids: message.marks().label_ids(folders),
    })
}

/// `None` if nothing is written.
fn patch_body(patch: &Patch) -> Option<Value> {
    let flag = |is: bool| json!({"flagStatus": if is { "flagged" } else { "notFlagged" }});
    let fields = [
        ("isRead", patch.is_read.map(|is| json!(is))),
        ("flag", patch.is_flagged.map(flag)),
        ("importance", patch.is_important.map(|is| json!(if is { "high" } else { "normal" }))),
        ("categories", patch.categories.as_ref().map(|names| json!(names))),
    ];
    let written: serde_json::Map<String, Value> =
        fields.into_iter().filter_map(|(name, value)| Some((name.to_string(), value?))).collect();
    (!written.is_empty()).then(|| written.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_changes_is_written() {
        let patch = Patch { is_read: Some(false), is_flagged: Some(true), ..Patch::default() };
        assert_eq!(
            patch_body(&patch),
            Some(json!({"isRead": false, "flag": {"flagStatus": "flagged"}}))
        );
        let patch =
            Patch { is_important: Some(false), categories: Some(vec![]), ..Patch::default() };
        assert_eq!(patch_body(&patch), Some(json!({"importance": "normal", "categories": []})));
        assert_eq!(patch_body(&Patch::default()), None);
    }
}
