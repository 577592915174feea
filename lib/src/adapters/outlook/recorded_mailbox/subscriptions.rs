//! Subscriptions, which tell nobody of anything: no URL is called, not even for the handshake.

use serde_json::Value;

use super::call::{Call, Outcome, Refusal, collection};
use super::mailbox::Mailbox;
use crate::adapters::dry_run::Reply;
use crate::domain::id::fingerprint;
use crate::domain::timestamp::Timestamp;

const EXPIRATION: &str = "expirationDateTime";

pub fn list(mailbox: &mut Mailbox, _: &Call) -> Outcome {
    collection(mailbox.subscriptions.values().cloned().collect())
}

pub fn create(mailbox: &mut Mailbox, call: &Call) -> Outcome {
    let mut subscription = call.json()?;
    for name in ["changeType", "notificationUrl", "resource"] {
        call.text(name)?;
    }
    subscription[EXPIRATION] = expiration(call)?;
    let number = mailbox.new_number(call.now);
    let id = fingerprint(&["dry-run subscription", &number.to_string()]).to_string();
    subscription["id"] = id.as_str().into();
    mailbox.subscriptions.insert(id, subscription.clone());
    Ok(Reply::json(201, &subscription))
}

/// Of another process's, nothing is known here: a new one is made.
pub fn update(mailbox: &mut Mailbox, call: &Call) -> Outcome {
    let until = expiration(call)?;
    let subscription = mailbox.subscriptions.get_mut(call.id(0));
    let subscription = subscription.ok_or_else(Refusal::not_found)?;
    subscription[EXPIRATION] = until;
    Ok(Reply::json(200, subscription))
}

pub fn delete(mailbox: &mut Mailbox, call: &Call) -> Outcome {
    mailbox.subscriptions.remove(call.id(0)).ok_or_else(Refusal::not_found)?;
    Ok(Reply::bare(204))
}

fn expiration(call: &Call) -> Result<Value, Refusal> {
    let text = call.text(EXPIRATION)?;
    match Timestamp::parse(&text) {
        Some(_) => Ok(text.into()),
        None => Err(Refusal::bad_request(format!("{EXPIRATION} is no moment."))),
    }
}
