//! Files in messages: listed, and downloaded part by part into a file that was not there.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;

use indicatif::ProgressBar;
use serde_json::{Value, json};

use super::messages::path;
use crate::api::{Api, Bytes};
use crate::args::mail::{AttachmentGet, Attachments};
use crate::failure::Failure;
use crate::request::Request;
use crate::session::Session;
use crate::show::{at, list, mail as shown};

/// As much as the API hands out at once.
const PART: u64 = 4 * 1024 * 1024;

pub async fn run(session: &Session, command: Attachments) -> Result<(), Failure> {
    match command {
        Attachments::List(message) => {
            let path = path(&message.connector, "messages", &message.item) + "/attachments";
            session.run(Request::get(path), shown::attachments).await
        }
        Attachments::Get(get) => self::get(session, get).await,
    }
}

async fn get(session: &Session, get: AttachmentGet) -> Result<(), Failure> {
    let all = path(&get.message.connector, "messages", &get.message.item) + "/attachments";
    let listed = session.read(&Request::get(&*all)).await?.json()?;
    let found = list(&listed, "attachments")
        .iter()
        .find(|attachment| at(attachment, "/part_id") == get.part);
    let attachment = found.ok_or_else(|| {
        Failure::NotFound(format!("the message has no attachment in part {}", get.part))
    })?;
    let size = attachment.get("size").and_then(Value::as_u64).unwrap_or(0);
    let bar = session.output.download(size, &at(attachment, "/filename"));
    let (api, request) = (session.api().await?, Request::get(format!("{all}/{}", get.part)));
    if get.output.as_os_str() == "-" {
        let mut put = |part: &[u8]| session.output.bytes(part);
        return download(api, &request, size, &bar, &mut put).await.map(|_| ());
    }
    let refuse = |error: std::io::Error| {
        Failure::here(format!("{}: {error}; a file that is there is kept", get.output.display()))
    };
    let mut file =
        OpenOptions::new().write(true).create_new(true).open(&get.output).map_err(refuse)?;
    let mut put = |part: &[u8]| {
        file.write_all(part)
            .map_err(|error| Failure::here(format!("{}: {error}", get.output.display())))
    };
    let done = download(api, &request, size, &bar, &mut put).await;
    bar.finish_and_clear();
    let (bytes, content_type) = done.map_err(|failure| without_rest(&get.output, failure))?;
    let document = json!({"file": get.output, "bytes": bytes, "content_type": content_type});
    session
        .output
        .document(&document, &format!("{bytes} bytes ({content_type}) in {}", get.output.display()))
}

/// A partial file would look like a whole one.
fn without_rest(file: &Path, failure: Failure) -> Failure {
    match std::fs::remove_file(file) {
        Ok(()) => failure,
        Err(error) => Failure::here(format!(
            "{failure}; and what was written of {} cannot be removed: {error}",
            file.display()
        )),
    }
}

/// Hands on the bytes in their order; answers how many there were, and of what type.
async fn download(
    api: &Api,
    request: &Request,
    size: u64,
    bar: &ProgressBar,
    put: &mut dyn FnMut(&[u8]) -> Result<(), Failure>,
) -> Result<(u64, String), Failure> {
    let mut at = 0;
    loop {
        // An empty file has no range.
        let part = if size == 0 && at == 0 {
            request.clone()
        } else {
            request.clone().header("range", format!("bytes={at}-{}", at + PART - 1))
        };
        let answer = api.bytes(&part).await?;
        let total = total(&answer, at)?;
        put(&answer.body)?;
        at += length(&answer);
        bar.set_length(total);
        bar.set_position(at);
        if at >= total {
            return Ok((
                at,
                answer.header("content-type").unwrap_or("application/octet-stream").to_string(),
            ));
        }
        if answer.body.is_empty() {
            return Err(Failure::here(format!("the API sent nothing after {at} of {total} bytes")));
        }
    }
}

fn length(answer: &Bytes) -> u64 {
    u64::try_from(answer.body.len()).unwrap_or(u64::MAX)
}

/// The length of the whole file, once the answer is seen to be the requested part.
fn total(answer: &Bytes, at: u64) -> Result<u64, Failure> {
    if answer.status != 206 {
        return if at == 0 {
            Ok(length(answer))
        } else {
            Err(Failure::here("the API sent the whole file where a part was asked for"))
        };
    }
    let range = answer.header("content-range").unwrap_or_default();
    let read = || {
        let (span, total) = range.strip_prefix("bytes ")?.split_once('/')?;
        let (from, to) = span.split_once('-')?;
        Some((from.parse::<u64>().ok()?, to.parse::<u64>().ok()?, total.parse::<u64>().ok()?))
    };
    match read() {
        Some((from, to, total))
            if from == at
                && to.checked_sub(from).map(|last| last + 1) == Some(length(answer))
                && to < total =>
        {
            Ok(total)
        }
        _ => Err(Failure::here(format!(
            "the API sent another part than the one from {at} on: {}",
            range.escape_debug()
        ))),
    }
}
