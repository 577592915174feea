//! The mailbox as a whole: profile and watch.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::Admitted;
use super::answer::Refusal;
use crate::mailbox::{Mailbox, Watch};
use crate::pubsub;

const WATCH_MS: i64 = 7 * 24 * 60 * 60 * 1000;

impl Admitted<'_> {
    pub fn mailbox(&mut self) -> Result<&mut Mailbox, Refusal> {
        self.state
            .mailboxes
            .get_mut(self.email)
            .ok_or_else(|| Refusal::failed_precondition("Mail service not enabled"))
    }
}

pub(super) fn profile(mut call: Admitted<'_>) -> Result<Value, Refusal> {
    let mailbox = call.mailbox()?;
    let threads: BTreeSet<&String> =
        mailbox.messages.values().map(|message| &message.thread_id).collect();
    Ok(json!({
        "emailAddress": mailbox.email,
        "messagesTotal": mailbox.messages.len(),
        "threadsTotal": threads.len(),
        "historyId": mailbox.visible_history_id().to_string(),
    }))
}

/// The primary address, and the aliases that a test added.
pub(super) fn send_as(mut call: Admitted<'_>) -> Result<Value, Refusal> {
    let mailbox = call.mailbox()?;
    let primary = json!({ "sendAsEmail": mailbox.email, "displayName": "", "isPrimary": true, "isDefault": true });
    let aliases = mailbox.aliases.iter().map(|alias| {
        json!({
            "sendAsEmail": alias.email,
            "displayName": alias.name,
            "treatAsAlias": true,
            "verificationStatus": if alias.pending { "pending" } else { "accepted" },
        })
    });
    let all: Vec<Value> = [primary].into_iter().chain(aliases).collect();
    Ok(json!({ "sendAs": all }))
}

pub(super) fn watch(mut call: Admitted<'_>) -> Result<Value, Refusal> {
    let now_ms = call.app.now_ms();
    let topic_name = call.body["topicName"].as_str().unwrap_or_default().to_owned();
    if !matches!(topic_name.split('/').collect::<Vec<_>>().as_slice(), ["projects", _, "topics", _])
    {
        return Err(Refusal::invalid_argument(
            "Invalid topicName does not match projects/*/topics/*",
        ));
    }
    let behavior = &call.body["labelFilterBehavior"];
    let excludes =
        if behavior.is_null() { &call.body["labelFilterAction"] } else { behavior } == "exclude";
    let label_ids = call.labels_of("labelIds");
    let mailbox = call.mailbox()?;
    if mailbox.watch_taken
        || mailbox.live_watch(now_ms).is_some_and(|watch| watch.topic_name != topic_name)
    {
        let message = "Only one user push notification client allowed per developer (call /stop then try again)";
        return Err(Refusal::failed_precondition(message));
    }
    let expiration = now_ms + WATCH_MS;
    mailbox.watch = Some(Watch { topic_name, label_ids, excludes, expiration });
    let history_id = mailbox.history_id;
    // Google pushes once as soon as a watch stands, changed or not.
    pubsub::publish(call.app, call.state, call.email, history_id);
    Ok(json!({ "historyId": history_id.to_string(), "expiration": expiration.to_string() }))
}

pub(super) fn stop(mut call: Admitted<'_>) -> Result<(), Refusal> {
    call.mailbox()?.end_watch();
    Ok(())
}
