//! What is too large for a request or an answer goes by way of the bucket.

use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE;
use reqwest::Method;
use serde_json::{Value, json};

use crate::operations::mailbox::{MODIFY, Mailbox};

const POST: Method = Method::POST;
const GET: Method = Method::GET;
const MEGABYTE: usize = 1024 * 1024;

fn file(size: usize) -> Vec<u8> {
    (0..size).map(|at| (at % 251) as u8).collect()
}

/// Puts a file, and returns its upload's id.
async fn uploaded(mailbox: &Mailbox, bytes: &[u8]) -> String {
    let upload = mailbox.done(POST, "/uploads", Some(json!({"size": bytes.len()}))).await;
    assert_eq!(upload["method"], "PUT");
    assert_eq!(upload["headers"], json!({"content-length": bytes.len().to_string()}));
    let url = upload["url"].as_str().unwrap();
    let put = reqwest::Client::new().put(url).body(bytes.to_vec()).send().await.unwrap();
    assert!(put.status().is_success(), "{}", put.status());
    upload["upload_id"].as_str().unwrap().into()
}

fn mail(upload: &str) -> Value {
    json!({"to": ["bo@example.com"], "subject": "The scans", "text": "Here they are.", "attachments": [
        {"filename": "scans.zip", "mime_type": "application/zip", "upload_id": upload},
        {"filename": "note.txt", "mime_type": "text/plain", "content": "c21hbGw="},
    ]})
}

/// The bytes at the URL of a message's attachment.
async fn fetched(mailbox: &Mailbox, message: &str, part: &str) -> (Value, Vec<u8>) {
    let link = mailbox.get(&format!("/messages/{message}/attachments/{part}/url")).await;
    let answer = reqwest::Client::new().get(link["url"].as_str().unwrap()).send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "application/octet-stream");
    let disposition = answer.headers()["content-disposition"].to_str().unwrap().to_string();
    assert!(disposition.starts_with("attachment; filename="), "{disposition}");
    (link, answer.bytes().await.unwrap().to_vec())
}

async fn attachments(mailbox: &Mailbox, message: &str) -> Vec<Value> {
    let list = mailbox.get(&format!("/messages/{message}/attachments")).await;
    list["attachments"].as_array().unwrap().clone()
}

async fn arm(mailbox: &Mailbox, fault: Value) {
    mailbox.stack.google(POST, "/admin/faults", fault).await;
}

#[tokio::test]
async fn a_file_of_24_megabytes_goes_up_and_comes_down() {
    let mailbox = Mailbox::granted(&[MODIFY]).await;
    let bytes = file(24 * MEGABYTE);
    let upload = uploaded(&mailbox, &bytes).await;
    let sent = mailbox.done(POST, "/messages", Some(mail(&upload))).await;
    assert_eq!(sent["label_ids"], json!(["SENT"]));
    let id = sent["id"].as_str().unwrap();

    let list = attachments(&mailbox, id).await;
    let names: Vec<_> = list.iter().map(|file| (&file["filename"], &file["size"])).collect();
    assert_eq!(
        names,
        [(&json!("scans.zip"), &json!(bytes.len())), (&json!("note.txt"), &json!(5))]
    );
    let (link, down) = fetched(&mailbox, id, list[0]["part_id"].as_str().unwrap()).await;
    assert!(down == bytes, "{} bytes came back", down.len());
    assert_eq!(
        (&link["size"], &link["mime_type"], &link["filename"]),
        (&json!(bytes.len()), &json!("application/zip"), &json!("scans.zip"))
    );
    let (_, note) = fetched(&mailbox, id, list[1]["part_id"].as_str().unwrap()).await;
    assert_eq!(note, b"small");
    mailbox.is_clean().await;
}

#[tokio::test]
async fn the_mail_is_the_same_whichever_way_its_files_go() {
    let mailbox = Mailbox::granted(&[MODIFY]).await;
    let bytes = file(1000);
    let upload = uploaded(&mailbox, &bytes).await;
    let raw = async |body: Value| {
        let draft = mailbox.done(POST, "/drafts", Some(body)).await;
        let path = format!("/drafts/{}?format=raw", draft["id"].as_str().unwrap());
        let raw = mailbox.get(&path).await["message"]["raw"].as_str().unwrap().to_string();
        let raw = String::from_utf8(BASE64_URL_SAFE.decode(raw).unwrap()).unwrap();
        // Date and boundaries are of the moment.
        raw.split("\r\n")
            .filter(|line| !line.starts_with("Date") && !line.contains("mixed-"))
            .filter(|line| !line.starts_with("Message-ID"))
            .map(String::from)
            .collect::<Vec<_>>()
    };
    let mut whole = mail(&upload);
    whole["attachments"][0] = json!({"filename": "scans.zip", "mime_type": "application/zip", "content": base64::prelude::BASE64_STANDARD.encode(&bytes)});
    assert_eq!(raw(mail(&upload)).await, raw(whole).await);
}

#[tokio::test]
async fn a_draft_is_made_replaced_and_changed_with_uploaded_files() {
    let mailbox = Mailbox::granted(&[MODIFY]).await;
    let (one, other) =
        (uploaded(&mailbox, &file(5 * MEGABYTE)).await, uploaded(&mailbox, b"xyz").await);
    let draft = mailbox.done(POST, "/drafts", Some(mail(&one))).await;
    let path = format!("/drafts/{}", draft["id"].as_str().unwrap());
    let replaced = mailbox.done(Method::PUT, &path, Some(mail(&other))).await;
    assert_eq!(replaced["id"], draft["id"]);
    let change = json!({"attachments": [{"mime_type": "application/zip", "upload_id": one}]});
    let changed = mailbox.done(Method::PATCH, &path, Some(change)).await;
    assert_eq!(changed["id"], draft["id"]);
    let read = mailbox.get(&path).await;
    assert_eq!(read["message"]["subject"], "The scans");
    assert_eq!(read["message"]["attachments"][0]["size"], 5 * MEGABYTE);
    let gone = json!({"attachments": [{"mime_type": "application/zip", "upload_id": one}]});
    let (status, _) = mailbox.refused(Method::PATCH, "/drafts/r-404", Some(gone)).await;
    assert_eq!(status, 404);
    mailbox.is_clean().await;
}

#[tokio::test]
async fn a_reply_with_an_uploaded_file_joins_its_thread() {
    let mailbox = Mailbox::granted(&[MODIFY]).await;
    let upload = uploaded(&mailbox, b"xyz").await;
    let reply = json!({"reply_to_message_id": mailbox.message, "text": "Here.",
        "attachments": [{"mime_type": "image/png", "upload_id": upload}]});
    let sent = mailbox.done(POST, "/messages", Some(reply)).await;
    let original = mailbox.get(&format!("/messages/{}", mailbox.message)).await;
    assert_eq!(sent["thread_id"], original["thread_id"]);
}

#[tokio::test]
async fn what_cannot_go_out_says_why() {
    let mailbox = Mailbox::granted(&[MODIFY]).await;
    let upload = uploaded(&mailbox, b"xyz").await;
    let with = |file: Value| {
        let mut mail = mail(&upload);
        mail["attachments"][0] = file;
        mail
    };
    let unknown = "019b0000-0000-7000-8000-000000000001";
    let table = [
        (json!({"mime_type": "a/b"}), "attachments[0].content"),
        (
            json!({"mime_type": "a/b", "content": "", "upload_id": upload}),
            "attachments[0].upload_id",
        ),
        (json!({"mime_type": "a/b", "upload_id": "../x"}), "attachments[0].upload_id"),
        (json!({"mime_type": "a/b", "upload_id": unknown}), "attachments[0].upload_id"),
        (json!({"mime_type": "message/rfc822", "upload_id": upload}), "attachments[0].mime_type"),
    ];
    for (file, field) in table {
        let (status, problem) = mailbox.refused(POST, "/messages", Some(with(file.clone()))).await;
        assert_eq!((status, &problem["field"]), (400, &json!(field)), "{file}: {problem}");
    }
    for size in [0, 25 * MEGABYTE + 1] {
        let (status, problem) =
            mailbox.refused(POST, "/uploads", Some(json!({"size": size}))).await;
        assert_eq!((status, &problem["field"]), (400, &json!("size")), "{problem}");
    }
    mailbox.inside.world.objects().expire();
    let (status, problem) = mailbox.refused(POST, "/messages", Some(mail(&upload))).await;
    assert_eq!((status, &problem["field"]), (400, &json!("attachments[0].upload_id")));

    // Each file fits, and both together do not.
    let half = uploaded(&mailbox, &file(14 * MEGABYTE)).await;
    let file = json!({"mime_type": "application/zip", "upload_id": half});
    mailbox.calls().await;
    let both = json!({"to": ["bo@example.com"], "attachments": [file, file]});
    let (status, problem) = mailbox.refused(POST, "/messages", Some(both)).await;
    assert_eq!((status, &problem["code"]), (413, &json!("mail_too_large")), "{problem}");
    assert!(mailbox.calls().await.is_empty(), "Gmail was not asked");
}

#[tokio::test]
async fn a_chunk_whose_answer_is_lost_is_put_again_and_the_mail_goes_out_once() {
    let mailbox = Mailbox::granted(&[MODIFY]).await;
    let upload = uploaded(&mailbox, &file(5 * MEGABYTE)).await;
    let mut subjects = 0;
    // Of two chunks, the first and the last.
    for (after, applied) in [(0, false), (0, true), (1, false), (1, true)] {
        let fault = json!({"method": "upload", "status": 503, "after": after, "applied": applied});
        arm(&mailbox, fault).await;
        let sent = mailbox.done(POST, "/messages", Some(mail(&upload))).await;
        subjects += 1;
        let found = mailbox.get("/messages?format=ids&query=subject:scans%20in:sent").await;
        assert_eq!(found["messages"].as_array().unwrap().len(), subjects, "{after} {applied}");
        let list = attachments(&mailbox, sent["id"].as_str().unwrap()).await;
        assert_eq!(list[0]["size"], 5 * MEGABYTE, "{after} {applied}");
    }
    mailbox.is_clean().await;
}

#[tokio::test]
async fn an_upload_that_breaks_off_for_good_is_never_sent_twice() {
    let mailbox = Mailbox::granted(&[MODIFY]).await;
    let upload = uploaded(&mailbox, &file(5 * MEGABYTE)).await;
    let send = async |key: &str| {
        let request = mailbox.request(&mailbox.user.token, POST, "/messages", Some(mail(&upload)));
        let response = mailbox.stack.answer(request.header("idempotency-key", key)).await;
        (response.status().as_u16(), response.json::<Value>().await.unwrap())
    };
    let sent = async || {
        let found = mailbox.get("/messages?format=ids&query=subject:scans%20in:sent").await;
        found["messages"].as_array().map_or(0, Vec::len)
    };
    // Before the last chunk nothing can have been sent.
    arm(&mailbox, json!({"method": "upload", "status": 503, "times": 0})).await;
    let (status, problem) = send("early").await;
    assert_eq!((status, &problem["code"]), (503, &json!("gmail_unavailable")), "{problem}");
    mailbox.stack.google(Method::DELETE, "/admin/faults", Value::Null).await;
    assert_eq!((send("early").await.0, sent().await), (200, 1), "its key was released");

    // From the last chunk on nobody knows.
    arm(
        &mailbox,
        json!({"method": "upload", "status": 503, "times": 0, "after": 1, "applied": true}),
    )
    .await;
    let (status, problem) = send("late").await;
    assert_eq!((status, &problem["code"]), (502, &json!("outcome_unknown")), "{problem}");
    mailbox.stack.google(Method::DELETE, "/admin/faults", Value::Null).await;
    mailbox.inside.machine.pass(Duration::from_secs(60));
    let (status, problem) = send("late").await;
    assert_eq!((status, &problem["code"]), (409, &json!("outcome_unknown")), "{problem}");
    assert_eq!(sent().await, 2);
}

#[tokio::test]
async fn a_token_that_ends_meanwhile_is_refreshed_and_the_upload_begun_again() {
    let mailbox = Mailbox::granted(&[MODIFY]).await;
    let upload = uploaded(&mailbox, &file(5 * MEGABYTE)).await;
    arm(&mailbox, json!({"method": "upload", "status": 401, "reason": "authError"})).await;
    mailbox.done(POST, "/messages", Some(mail(&upload))).await;
    let found = mailbox.get("/messages?format=ids&query=subject:scans%20in:sent").await;
    assert_eq!(found["messages"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_file_is_its_connectors_and_nobody_elses() {
    let mailbox = Mailbox::granted(&[MODIFY]).await;
    let other = tests::deployed::User::connected(&mailbox.stack, "other").await;
    let path = format!("/api/connectors/{}/uploads", other.connector);
    let upload = mailbox.stack.api(POST, &path, Some(&other.token), Some(json!({"size": 3}))).await;
    let upload: Value = upload.json().await.unwrap();
    let put = reqwest::Client::new().put(upload["url"].as_str().unwrap()).body("xyz");
    assert!(put.send().await.unwrap().status().is_success());
    let id = upload["upload_id"].as_str().unwrap();
    let (status, problem) = mailbox.refused(POST, "/messages", Some(mail(id))).await;
    assert_eq!((status, &problem["field"]), (400, &json!("attachments[0].upload_id")));
}

#[tokio::test]
async fn who_may_not_send_gets_no_url_to_put_and_who_may_read_gets_one_to_fetch() {
    let mailbox = Mailbox::granted(&[MODIFY]).await;
    let viewer = mailbox.with_role("viewer").await;
    let as_viewer = async |method: Method, path: &str, body: Option<Value>| {
        let request = mailbox.request(&viewer, method, path, body);
        mailbox.stack.answer(request).await.status().as_u16()
    };
    assert_eq!(as_viewer(POST, "/uploads", Some(json!({"size": 3}))).await, 403);
    let path = format!("/messages/{}/attachments/1", mailbox.message);
    let (bytes, url) =
        (as_viewer(GET, &path, None).await, as_viewer(GET, &format!("{path}/url"), None).await);
    assert_eq!(bytes, url, "who may download it may have its URL");
}
