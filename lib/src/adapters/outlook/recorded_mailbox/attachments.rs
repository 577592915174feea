//! Files that are put to a draft by themselves, the large ones in pieces.

use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use super::call::{Call, Outcome, Refusal};
use super::mailbox::{Mailbox, Upload};
use super::mime;
use crate::adapters::dry_run::{Pieces, Reply, Taken};
use crate::domain::provider::outlook::search::moment;
use crate::domain::timestamp::Timestamp;

/// Below the base; Microsoft has them at another host.
pub const UPLOADS: &str = "/dry-run-uploads/";
const HOUR: Duration = Duration::from_secs(3600);

pub fn create(mailbox: &mut Mailbox, call: &Call) -> Outcome {
    let item = call.json()?;
    let bytes = item["contentBytes"].as_str().and_then(|text| BASE64_STANDARD.decode(text).ok());
    let bytes = bytes.ok_or_else(|| {
        let message = "A dry run takes files alone, with contentBytes";
        Refusal::not_implemented(message.into())
    })?;
    attach(mailbox, call.id(0), &item, &bytes, call.now)?;
    Ok(Reply::json(201, &json!({"name": item["name"], "size": bytes.len()})))
}

pub fn session(mailbox: &mut Mailbox, call: &Call) -> Outcome {
    mailbox.message(call.id(0))?;
    let item = call.json()?["AttachmentItem"].clone();
    let message = call.id(0).to_string();
    let number = mailbox.uploads.len();
    mailbox.uploads.push(Upload { message, item, pieces: Pieces::default() });
    Ok(Reply::json(
        201,
        &json!({
            "uploadUrl": format!("{}{UPLOADS}{number}", call.base),
            "expirationDateTime": moment(call.now.after(HOUR)),
            "nextExpectedRanges": ["0-"],
        }),
    ))
}

pub fn put(
    mailbox: &mut Mailbox,
    number: &str,
    range: &str,
    body: &[u8],
    now: Timestamp,
) -> Outcome {
    let upload = number.parse().ok().and_then(|at: usize| mailbox.uploads.get_mut(at));
    let upload = upload.ok_or_else(Refusal::not_found)?;
    match upload.pieces.take(range, body).ok_or_else(|| Refusal::out_of_place(range))? {
        Taken::Arrived(bytes) => {
            Ok(Reply::json(200, &json!({"nextExpectedRanges": [format!("{bytes}-")]})))
        }
        Taken::Whole(bytes) => {
            let (message, item) = (upload.message.clone(), upload.item.clone());
            attach(mailbox, &message, &item, &bytes, now)?;
            Ok(Reply::bare(201))
        }
    }
}

fn attach(
    mailbox: &mut Mailbox,
    id: &str,
    item: &Value,
    bytes: &[u8],
    now: Timestamp,
) -> Result<(), Refusal> {
    let message = mailbox.messages.get_mut(id).ok_or_else(Refusal::not_found)?;
    message.mime = mime::with_file(&message.mime, item, bytes);
    let shown = mime::shown(&message.mime)
        .ok_or_else(|| Refusal::broken("a draft with a file cannot be read".into()))?;
    let fields = json!({"hasAttachments": shown["hasAttachments"]});
    mailbox.change(id, &fields, now).map(drop)
}
