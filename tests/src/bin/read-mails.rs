//! Delivers every mail of a folder to a fake Gmail and writes, as one line of JSON for each, what
//! the product reads of it and the raw bytes of the drafts that answer it.
#![allow(clippy::disallowed_methods, reason = "it lives in the world of the tests, and waits")]

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use clap::Parser;
use email_connectors::domain::event::DetailType;
use fake_google::Config;
use futures_util::{StreamExt, stream};
use reqwest::Method;
use serde::Serialize;
use serde_json::{Map, Value, json};
use tests::deployed::{Stack, User};
use tests::inside::{Inside, Options};

/// How many mails are read or answered at the same time.
const SIDE_BY_SIDE: usize = 4;
/// No further event comes once none has come for so long and nothing is queued: a mail may fire
/// nothing.
const QUIET: Duration = Duration::from_secs(3);
/// The same if something stays queued, and for the push that begins it.
const LONGEST_QUIET: Duration = Duration::from_secs(60);
/// What an answer says: letters of several alphabets, a lone dot, and a line beyond any limit.
const SAID: &str = "Thänk yöu, спасибо, ありがとう.\n.\nFrom here on: ";

/// An answer to a mail: its name, and the draft that the API is asked for.
type Answer = (&'static str, fn(&str) -> Value);

const ANSWERS: [Answer; 3] = [
    ("reply", |id| json!({"reply_to_message_id": id})),
    ("reply_all", |id| json!({"reply_to_message_id": id, "reply_all": true})),
    ("forward", |id| json!({"forward_message_id": id, "to": ["next@example.com"]})),
];

#[derive(Parser)]
struct Arguments {
    /// The folder; of its subfolders too, every file is a mail.
    folder: PathBuf,
}

/// What became of one mail. What was refused has the status and the problem document instead.
#[derive(Serialize)]
struct Read {
    mail: String,
    /// As `format=full` and `format=metadata` give it, and as the event of a trigger without
    /// filters; `null` if none fired.
    full: Value,
    metadata: Value,
    event: Value,
    /// SHA-256 of each attachment's content, by its part.
    contents: Map<String, Value>,
    /// By the answer's name: the draft's bytes in base64, as Gmail has them.
    answers: Map<String, Value>,
}

struct Mailbox {
    user: User,
    stack: Stack,
    google: String,
    gmail: reqwest::Client,
    access_token: String,
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let Arguments { folder } = Arguments::parse();
    let mails = mails(&folder)?;
    let inside = Inside::start(Options::default()).await;
    let mailbox = Mailbox::connected(&inside).await;
    mailbox.user.subscribe(&mailbox.stack, json!({})).await;
    let mut delivered: Vec<(String, Result<String, Value>)> = Vec::new();
    let last = mails.len().saturating_sub(1);
    for (at, (name, raw)) in mails.into_iter().enumerate() {
        // One push for all: the last mail's.
        delivered.push((name, mailbox.deliver(&raw, at < last).await));
    }
    let events = events(&inside, delivered.len()).await;
    let read = stream::iter(&delivered)
        .map(|(name, id)| mailbox.read(name, id.as_deref(), &events))
        .buffered(SIDE_BY_SIDE);
    let mut out = std::io::stdout().lock();
    for line in read.collect::<Vec<Read>>().await {
        serde_json::to_writer(&mut out, &line)?;
        writeln!(out)?;
    }
    Ok(())
}

/// The files below the folder, by their paths within it.
fn mails(folder: &Path) -> std::io::Result<BTreeMap<String, Vec<u8>>> {
    let (mut found, mut open) = (BTreeMap::new(), vec![folder.to_path_buf()]);
    while let Some(next) = open.pop() {
        for entry in std::fs::read_dir(&next)? {
            let path = entry?.path();
            if path.is_dir() {
                open.push(path);
                continue;
            }
            let name = path.strip_prefix(folder).unwrap_or(&path).display().to_string();
            found.insert(name, std::fs::read(&path)?);
        }
    }
    Ok(found)
}

/// The messages of all events, by the messages' ids.
async fn events(inside: &Inside, most: usize) -> BTreeMap<String, Value> {
    let fired = || -> BTreeMap<String, Value> {
        let published = inside.world.bus().published().into_iter();
        let fired = published.filter(|event| event.detail_type == DetailType::TriggerFired);
        let message = |detail: &str| -> Option<(String, Value)> {
            let detail: Value = serde_json::from_str(detail).ok()?;
            let message = &detail["message"];
            Some((message["id"].as_str()?.into(), message.clone()))
        };
        fired.filter_map(|event| message(&event.detail)).collect()
    };
    let (mut count, mut since) = (0, Instant::now());
    loop {
        let now = fired();
        if now.len() > count {
            (count, since) = (now.len(), Instant::now());
        }
        let is_done = count > 0 && inside.world.wake_ups().queued().is_empty();
        let longest = if is_done { QUIET } else { LONGEST_QUIET };
        if now.len() >= most || since.elapsed() > longest {
            return now;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

impl Mailbox {
    async fn connected(inside: &Inside) -> Self {
        let stack = inside.stack();
        let user = User::connected(&stack, "reader").await;
        let (gmail, google) = (reqwest::Client::new(), inside.fake.url.clone());
        let config = Config::default();
        let form = json!({"grant_type": "authorization_code", "code": user.code(&stack).await,
            "client_id": config.client_id, "client_secret": config.client_secret, "redirect_uri": "postmessage"});
        let granted = gmail.post(format!("{google}/token")).form(&form).send().await.unwrap();
        let granted: Value = granted.json().await.unwrap();
        let access_token = granted["access_token"].as_str().unwrap_or_else(|| panic!("{granted}"));
        Self { access_token: access_token.into(), user, stack, google, gmail }
    }

    /// The message's id, or how the fake refused it.
    async fn deliver(&self, raw: &[u8], silent: bool) -> Result<String, Value> {
        let mail = json!({"raw": BASE64_STANDARD.encode(raw), "authentication_results": "", "silent": silent});
        let path = format!("{}/admin/mailboxes/{}/messages", self.google, self.user.email);
        let answer = answered(self.gmail.post(path).json(&mail).send().await.unwrap()).await?;
        Ok(answer["id"].as_str().unwrap_or_default().into())
    }

    async fn read(
        &self,
        name: &str,
        id: Result<&str, &Value>,
        events: &BTreeMap<String, Value>,
    ) -> Read {
        let mut read = Read {
            mail: name.into(),
            full: Value::Null,
            metadata: Value::Null,
            event: Value::Null,
            contents: Map::new(),
            answers: Map::new(),
        };
        let id = match id {
            Ok(id) => id,
            Err(refused) => {
                read.full = refused.clone();
                return read;
            }
        };
        read.event = events.get(id).cloned().unwrap_or_default();
        let path = format!("/messages/{id}");
        read.full = either(self.api(Method::GET, &format!("{path}?format=full"), None).await);
        read.metadata =
            either(self.api(Method::GET, &format!("{path}?format=metadata"), None).await);
        let lists = [&read.full["attachments"], &read.full["embedded"]];
        for attachment in lists.into_iter().filter_map(Value::as_array).flatten() {
            let part = attachment["part_id"].as_str().unwrap_or_default();
            read.contents.insert(part.into(), self.content(&path, part).await);
        }
        for (answer, request) in ANSWERS {
            read.answers.insert(answer.into(), either(self.answer(request(id)).await));
        }
        read
    }

    async fn content(&self, message: &str, part: &str) -> Value {
        let path = format!("/api/connectors/{}{message}/attachments/{part}", self.user.connector);
        let response = self.stack.api(Method::GET, &path, Some(&self.user.token), None).await;
        let status = response.status();
        let bytes = response.bytes().await.unwrap();
        if !status.is_success() {
            return json!({"status": status.as_u16(), "problem": String::from_utf8_lossy(&bytes)});
        }
        let sum = digest(&SHA256, &bytes);
        sum.as_ref().iter().map(|byte| format!("{byte:02x}")).collect::<String>().into()
    }

    /// A draft, and its bytes as Gmail gives them.
    async fn answer(&self, mut mail: Value) -> Result<Value, Value> {
        mail["text"] = format!("{SAID}{}", "far ".repeat(1000)).into();
        let made = self.api(Method::POST, "/drafts", Some(mail)).await?;
        let draft = made["id"].as_str().unwrap_or_default();
        let path = format!("{}/gmail/v1/users/me/drafts/{draft}?format=raw", self.google);
        let request = self.gmail.get(path).bearer_auth(&self.access_token);
        let read = answered(request.send().await.unwrap()).await?;
        let raw = read["message"]["raw"].as_str().unwrap_or_default().trim_end_matches('=');
        let raw = BASE64_URL_SAFE_NO_PAD.decode(raw).unwrap();
        Ok(BASE64_STANDARD.encode(raw).into())
    }

    async fn api(&self, method: Method, path: &str, body: Option<Value>) -> Result<Value, Value> {
        let path = format!("/api/connectors/{}{path}", self.user.connector);
        answered(self.stack.api(method, &path, Some(&self.user.token), body).await).await
    }
}

/// The body of an answer, or its status with its problem.
async fn answered(response: reqwest::Response) -> Result<Value, Value> {
    let (status, text) = (response.status(), response.text().await.unwrap());
    let body: Value = serde_json::from_str(&text).unwrap_or_else(|_| text.into());
    if status.is_success() {
        return Ok(body);
    }
    Err(json!({"status": status.as_u16(), "problem": body}))
}

fn either(answer: Result<Value, Value>) -> Value {
    answer.unwrap_or_else(|refused| refused)
}
