//! Every operation, performed: what Gmail has afterwards, what the caller gets, and what it cost.

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::mailbox::{FULL, MODIFY, Mailbox};

const GET: Method = Method::GET;
const POST: Method = Method::POST;
const DELETE: Method = Method::DELETE;

fn ids(list: &Value) -> Vec<String> {
    list.as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_string()).collect()
}

#[tokio::test]
async fn a_message_is_read_in_every_format() {
    let mailbox = Mailbox::granted(&[MODIFY]).await;
    let path = format!("/messages/{}", mailbox.message);
    let full = mailbox.get(&path).await;
    assert_eq!(full["body"], json!({"text": "It is attached.", "html": "<p>It is attached.</p>"}));
    let attachment = json!({"part_id": "1", "filename": "invoice.pdf", "mime_type": "application/pdf", "size": 3000, "inline": false});
    assert_eq!(full["attachments"], json!([attachment]));
    assert_eq!(
        (&full["subject"], &full["from"]),
        (&json!("The invoice"), &json!({"name": "Bo", "address": "bo@example.com"}))
    );
    let metadata = mailbox.get(&format!("{path}?format=metadata")).await;
    assert_eq!(
        (metadata.get("body"), metadata.get("attachments"), &metadata["subject"]),
        (None, None, &json!("The invoice"))
    );
    let minimal = mailbox.get(&format!("{path}?format=minimal")).await;
    assert_eq!(
        (minimal.get("subject"), minimal.get("raw"), &minimal["label_ids"]),
        (None, None, &json!(["INBOX", "UNREAD"]))
    );
    let raw = mailbox.get(&format!("{path}?format=raw")).await;
    let bytes = BASE64_URL_SAFE.decode(raw["raw"].as_str().unwrap()).unwrap();
    assert!(String::from_utf8_lossy(&bytes).contains("Subject: The invoice"));
    mailbox.is_clean().await;
}

#[tokio::test]
async fn listings_search_page_and_read() {
    let mailbox = Mailbox::granted(&[MODIFY]).await;
    mailbox
        .user
        .receive_many(
            &mailbox.stack,
            25,
            json!({"subject": "Mail {n}", "text": "x", "silent": true}),
        )
        .await;
    let first = mailbox.get("/messages?page_size=10&query=subject:Mail").await;
    let second = mailbox
        .get(&format!(
            "/messages?page_size=10&query=subject:Mail&page_token={}",
            first["next_page_token"].as_str().unwrap()
        ))
        .await;
    let third = mailbox
        .get(&format!(
            "/messages?page_size=10&query=subject:Mail&page_token={}",
            second["next_page_token"].as_str().unwrap()
        ))
        .await;
    let subjects: Vec<&str> = [&first, &second, &third]
        .into_iter()
        .flat_map(|page| page["messages"].as_array().unwrap())
        .map(|message| message["subject"].as_str().unwrap())
        .collect();
    let expected: Vec<String> = (1..=25).rev().map(|number| format!("Mail {number}")).collect();
    assert_eq!(
        (subjects, third.get("next_page_token")),
        (expected.iter().map(String::as_str).collect(), None),
        "newest first, each once"
    );
    let references = mailbox.get("/messages?format=ids&label_ids=INBOX&page_size=500").await;
    assert_eq!(references["messages"].as_array().unwrap().len(), 26);
    assert_eq!(references["messages"][0].as_object().unwrap().len(), 2);
    let full = mailbox.get("/messages?format=full&query=has:attachment").await;
    assert_eq!(full["messages"][0]["attachments"][0]["filename"], "invoice.pdf");
    let threads = mailbox.get("/threads?page_size=500").await;
    assert_eq!(threads["threads"].as_array().unwrap().len(), 27, "the draft has a thread too");
    let (status, problem) = mailbox.refused(GET, "/messages?page_token=forged", None).await;
    assert_eq!(
        (status, &problem["code"], &problem["field"]),
        (400, &json!("invalid_page_token"), &json!("page_token"))
    );
    let (status, problem) = mailbox.refused(GET, "/messages?q=x", None).await;
    assert_eq!((status, &problem["field"]), (400, &json!("q")));
    mailbox.is_clean().await;
}

#[tokio::test]
async fn labels_are_put_on_and_taken_off_and_trash_is_no_end() {
    let mailbox = Mailbox::granted(&[FULL]).await;
    let path = format!("/messages/{}", mailbox.message);
    let change = json!({"add_label_ids": [mailbox.label], "remove_label_ids": ["UNREAD"]});
    let changed = mailbox.done(POST, &format!("{path}/modify"), Some(change)).await;
    assert_eq!(changed["label_ids"], json!(["INBOX", mailbox.label]));
    let counted = mailbox.get(&format!("/labels/{}", mailbox.label)).await;
    assert_eq!(
        (&counted["messages_total"], &counted["messages_unread"], &counted["name"]),
        (&json!(1), &json!(0), &json!("Invoices"))
    );
    assert_eq!(
        mailbox.done(DELETE, &path, None).await,
        json!({"id": mailbox.message, "deleted": "trash"})
    );
    assert_eq!(
        mailbox.get(&format!("{path}?format=minimal")).await["label_ids"],
        json!([mailbox.label, "TRASH"])
    );
    let back = mailbox.done(POST, &format!("{path}/untrash"), None).await;
    assert_eq!(back["label_ids"], json!([mailbox.label]));
    let other = mailbox.user.receive(&mailbox.stack, json!({"subject": "other"})).await;
    let batch = json!({"ids": [mailbox.message, other], "add_label_ids": ["STARRED"]});
    assert_eq!(
        mailbox.done(POST, "/messages/batch-modify", Some(batch)).await,
        json!({"count": 2})
    );
    assert_eq!(
        mailbox.get("/messages?format=ids&label_ids=STARRED").await["messages"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    let batch = json!({"ids": [other]});
    assert_eq!(
        mailbox.done(POST, "/messages/batch-delete", Some(batch)).await,
        json!({"count": 1, "deleted": "trash"})
    );
    let batch = json!({"ids": [other], "permanent": true});
    assert_eq!(
        mailbox.done(POST, "/messages/batch-delete", Some(batch)).await,
        json!({"count": 1, "deleted": "permanently"})
    );
    assert_eq!(mailbox.refused(GET, &format!("/messages/{other}"), None).await.0, 404);
    assert_eq!(
        mailbox.done(DELETE, &format!("{path}?permanent=true"), None).await,
        json!({"id": mailbox.message, "deleted": "permanently"})
    );
    assert_eq!(mailbox.refused(GET, &path, None).await.0, 404);
    let (status, problem) =
        mailbox.refused(POST, &format!("/messages/{}/trash", "ffff"), None).await;
    assert_eq!((status, &problem["code"]), (404, &json!("not_found")));
    mailbox.is_clean().await;
}

#[tokio::test]
async fn a_label_lives_and_ends() {
    let mailbox = Mailbox::granted(&[MODIFY]).await;
    let spec = json!({"name": "Receipts", "label_list_visibility": "labelShowIfUnread", "color": {"text_color": "#ffffff", "background_color": "#16a765"}});
    let made = mailbox.send(POST, "/labels", Some(spec.clone())).await;
    assert_eq!(made.status(), StatusCode::CREATED);
    let made: Value = made.json().await.unwrap();
    assert_eq!(
        (&made["type"], &made["color"], &made["label_list_visibility"]),
        (&json!("user"), &spec["color"], &json!("labelShowIfUnread"))
    );
    let (status, problem) =
        mailbox.refused(POST, "/labels", Some(json!({"name": "receipts"}))).await;
    assert_eq!((status, &problem["code"]), (409, &json!("already_exists")));
    let path = format!("/labels/{}", made["id"].as_str().unwrap());
    let renamed = mailbox.done(Method::PATCH, &path, Some(json!({"name": "Receipts 2026"}))).await;
    assert_eq!(
        (&renamed["name"], &renamed["color"]),
        (&json!("Receipts 2026"), &spec["color"]),
        "what is absent stays"
    );
    let first = mailbox.get("/labels?page_size=10").await;
    let rest = mailbox
        .get(&format!(
            "/labels?page_size=10&page_token={}",
            first["next_page_token"].as_str().unwrap()
        ))
        .await;
    let all = [ids(&first["labels"]), ids(&rest["labels"])].concat();
    assert!(
        all.contains(&"INBOX".to_string())
            && all.contains(&mailbox.label)
            && rest.get("next_page_token").is_none(),
        "{all:?}"
    );
    assert_eq!(mailbox.send(DELETE, &path, None).await.status(), StatusCode::NO_CONTENT);
    assert_eq!(mailbox.refused(GET, &path, None).await.0, 404);
    mailbox.is_clean().await;
}

#[tokio::test]
async fn a_reply_joins_its_thread_and_arrives() {
    let mailbox = Mailbox::granted(&[MODIFY]).await;
    mailbox.stack.google(POST, "/admin/mailboxes", json!({"email": "bo@example.com"})).await;
    let bytes: Vec<u8> = (0..=255).collect();
    let reply = json!({"reply_to_message_id": mailbox.message, "text": "Thänk you.", "cc": [{"name": "Cy, the Third", "address": "cy@example.com"}],
        "attachments": [{"filename": "bytes ü.bin", "mime_type": "application/octet-stream", "content": BASE64_STANDARD.encode(&bytes)}]});
    let sent = mailbox.send(POST, "/messages", Some(reply)).await;
    assert_eq!(sent.headers()["x-quota-units"], "120", "the original's headers, and the mail");
    let sent: Value = sent.json().await.unwrap();
    assert_eq!(
        (&sent["thread_id"], &sent["label_ids"]),
        (&json!(mailbox.message), &json!(["SENT"]))
    );
    let read = mailbox.get(&format!("/messages/{}", sent["id"].as_str().unwrap())).await;
    let original = mailbox.get(&format!("/messages/{}?format=metadata", mailbox.message)).await;
    assert_eq!(read["headers"]["in_reply_to"], original["headers"]["message_id"]);
    assert_eq!(
        (&read["subject"], &read["to"][0]["address"], &read["cc"][0]["name"]),
        (&json!("Re: The invoice"), &json!("bo@example.com"), &json!("Cy, the Third"))
    );
    assert_eq!(
        (&read["body"]["text"], &read["from"]["address"]),
        (&json!("Thänk you."), &json!(mailbox.user.email))
    );
    let download = mailbox
        .send(GET, &format!("/messages/{}/attachments/1", sent["id"].as_str().unwrap()), None)
        .await;
    assert!(
        download.headers()["content-disposition"].to_str().unwrap().contains("bytes%20%C3%BC.bin")
    );
    assert_eq!(download.bytes().await.unwrap(), bytes);
    let thread = mailbox.get(&format!("/threads/{}", mailbox.message)).await;
    assert_eq!(
        ids(&thread["messages"]),
        [mailbox.message.clone(), sent["id"].as_str().unwrap().to_string()],
        "oldest first"
    );
    let arrived = mailbox.stack.google(GET, "/admin/mailboxes/bo@example.com", Value::Null).await;
    assert_eq!(arrived["messages"].as_array().unwrap().len(), 1);
    let (status, problem) = mailbox
        .refused(POST, "/messages", Some(json!({"reply_to_message_id": "ffff", "text": "x"})))
        .await;
    assert_eq!((status, &problem["field"]), (404, &json!("reply_to_message_id")));
    mailbox.is_clean().await;
}

#[tokio::test]
async fn a_draft_is_made_changed_and_sent() {
    let mailbox = Mailbox::granted(&[MODIFY]).await;
    let made = mailbox
        .send(
            POST,
            "/drafts",
            Some(json!({"to": ["bo@example.com"], "bcc": ["di@example.com"], "text": "one"})),
        )
        .await;
    assert_eq!(made.status(), StatusCode::CREATED);
    let made: Value = made.json().await.unwrap();
    let path = format!("/drafts/{}", made["id"].as_str().unwrap());
    let changed = mailbox
        .done(Method::PUT, &path, Some(json!({"to": ["bo@example.com"], "bcc": ["di@example.com"], "subject": "Two", "text": "two"})))
        .await;
    assert_eq!(changed["id"], made["id"], "its id stays");
    assert_ne!(changed["message"]["id"], made["message"]["id"], "its message's does not");
    let read = mailbox.get(&path).await;
    assert_eq!(
        (&read["message"]["subject"], &read["message"]["body"]["text"]),
        (&json!("Two"), &json!("two"))
    );
    assert_eq!(read["message"]["bcc"], json!([{"address": "di@example.com"}]));
    let listed = mailbox.get("/drafts?page_size=1").await;
    assert_eq!(
        (ids(&listed["drafts"]), listed["next_page_token"].is_string()),
        (vec![made["id"].as_str().unwrap().to_string()], true)
    );
    let sent = mailbox.done(POST, &format!("{path}/send"), None).await;
    assert_eq!(sent["label_ids"], json!(["SENT"]));
    assert_eq!(mailbox.refused(GET, &path, None).await.0, 404, "a sent draft is gone");
    assert_eq!(
        mailbox.send(DELETE, &format!("/drafts/{}", mailbox.draft), None).await.status(),
        StatusCode::NO_CONTENT
    );
    assert_eq!(mailbox.get("/drafts").await["drafts"], json!([]));
    mailbox.is_clean().await;
}

#[tokio::test]
async fn threads_are_changed_whole() {
    let mailbox = Mailbox::granted(&[FULL]).await;
    let second = mailbox
        .user
        .receive(
            &mailbox.stack,
            json!({"subject": "Re: The invoice", "thread_id": mailbox.message}),
        )
        .await;
    let path = format!("/threads/{}", mailbox.message);
    assert_eq!(
        mailbox
            .done(POST, &format!("{path}/modify"), Some(json!({"add_label_ids": ["STARRED"]})))
            .await,
        json!({"id": mailbox.message})
    );
    let labels = |thread: &Value| {
        thread["messages"]
            .as_array()
            .unwrap()
            .iter()
            .map(|message| message["label_ids"].clone())
            .collect::<Vec<_>>()
    };
    let minimal = format!("{path}?format=minimal");
    assert_eq!(
        labels(&mailbox.get(&minimal).await),
        vec![json!(["INBOX", "UNREAD", "STARRED"]); 2]
    );
    assert_eq!(mailbox.done(DELETE, &path, None).await["deleted"], "trash");
    assert_eq!(
        labels(&mailbox.get(&minimal).await),
        vec![json!(["UNREAD", "STARRED", "TRASH"]); 2]
    );
    mailbox.done(POST, &format!("{path}/untrash"), None).await;
    mailbox.done(POST, &format!("{path}/trash"), None).await;
    assert_eq!(
        mailbox.done(DELETE, &format!("{path}?permanent=true"), None).await,
        json!({"id": mailbox.message, "deleted": "permanently"})
    );
    assert_eq!(mailbox.refused(GET, &format!("/messages/{second}"), None).await.0, 404);
    mailbox.is_clean().await;
}

#[tokio::test]
async fn an_attachment_is_downloaded_by_part_id_in_ranges_and_under_a_harmless_name() {
    let mailbox = Mailbox::granted(&[MODIFY]).await;
    let content: Vec<u8> = (0..5 * 1024 * 1024).map(|at: u32| (at % 251) as u8).collect();
    let mail = format!(
        "From: bo@example.com\r\nTo: ada@example.com\r\nSubject: big\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n\
         --b\r\nContent-Type: text/plain\r\n\r\nhello\r\n--b\r\nContent-Type: text/html; name=\"x\"\r\nContent-Transfer-Encoding: base64\r\n\
         Content-Disposition: attachment; filename=\"evil\\\"; x=.html\"\r\n\r\n{}\r\n--b--\r\n",
        BASE64_STANDARD.encode(&content)
    );
    let id = mailbox
        .user
        .receive(
            &mailbox.stack,
            json!({"raw": BASE64_STANDARD.encode(&mail), "authentication_results": ""}),
        )
        .await;
    let list = mailbox.get(&format!("/messages/{id}/attachments")).await;
    assert_eq!(
        (&list["attachments"][0]["part_id"], &list["attachments"][0]["size"]),
        (&json!("1"), &json!(content.len()))
    );
    let path = format!("/messages/{id}/attachments/1");
    let (status, problem) = mailbox.refused(GET, &path, None).await;
    assert_eq!(
        (status, &problem["code"], &problem["field"]),
        (413, &json!("attachment_too_large"), &json!("range"))
    );
    let mut downloaded = Vec::new();
    for (range, content_range) in [
        ("bytes=0-4194303", "bytes 0-4194303/5242880"),
        ("bytes=4194304-", "bytes 4194304-5242879/5242880"),
    ] {
        let part = mailbox
            .stack
            .answer(mailbox.request(&mailbox.user.token, GET, &path, None).header("range", range))
            .await;
        assert_eq!(
            (part.status(), part.headers()["content-range"].to_str().unwrap()),
            (StatusCode::PARTIAL_CONTENT, content_range)
        );
        assert_eq!(part.headers()["x-content-type-options"], "nosniff");
        assert!(
            part.headers()["content-disposition"]
                .to_str()
                .unwrap()
                .starts_with("attachment; filename=\"evil_")
        );
        downloaded.extend(part.bytes().await.unwrap());
    }
    assert!(downloaded == content, "byte for byte");
    assert_eq!(mailbox.refused(GET, &format!("/messages/{id}/attachments/7"), None).await.0, 404);
    let bytes = async |part_id: &str| {
        let path = format!("/messages/{id}/attachments/{part_id}");
        let request = mailbox.request(&mailbox.user.token, GET, &path, None);
        mailbox
            .stack
            .answer(request.header("range", "bytes=0-2097151"))
            .await
            .bytes()
            .await
            .unwrap()
    };
    assert_eq!(list["bodies"][0]["part_id"], "0", "a body that is too large can be read in ranges");
    assert_eq!(&bytes("0").await[..], b"hello");
    assert!(mail.as_bytes().starts_with(&bytes("message").await), "and so can the mail itself");
    mailbox.is_clean().await;
}
