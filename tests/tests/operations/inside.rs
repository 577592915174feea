//! What is inside a mail can be had, whatever Gmail makes of it.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use reqwest::Method;
use serde_json::{Value, json};

use crate::operations::mailbox::{MODIFY, Mailbox};

const GET: Method = Method::GET;
const PDF: &[u8] = b"%PDF-1.4\nscan\n";
const STATUS: &str = "Reporting-MTA: dns; mx.example.com\r\n\r\nFinal-Recipient: rfc822; nobody@example.com\r\nAction: failed\r\nStatus: 5.1.1\r\n";
/// Everything that the fake can do otherwise, since Gmail's ways are not known for sure.
const SHAPES: [&str; 7] = [
    r#"{}"#,
    r#"{"nested_mail": "handed_out"}"#,
    r#"{"nested_mail": "both"}"#,
    r#"{"named_nested_mail": "handed_out"}"#,
    r#"{"named_nested_mail": "both"}"#,
    r#"{"delivery_status": "text"}"#,
    r#"{"large_text": "handed_out"}"#,
];

fn inner() -> String {
    format!(
        "From: in@example.com\r\nSubject: inner\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=i\r\n\r\n\
         --i\r\nContent-Type: text/plain\r\n\r\ninside\r\n--i\r\nContent-Type: application/pdf; name=a.pdf\r\n\
         Content-Disposition: attachment; filename=a.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n{}\r\n--i--",
        BASE64_STANDARD.encode(PDF)
    )
}

fn mail(content_type: &str, parts: &[String]) -> String {
    let parts: String = parts.iter().map(|part| format!("--o\r\n{part}\r\n")).collect();
    format!(
        "From: bo@example.com\r\nTo: ada@example.com\r\nSubject: outer\r\nMIME-Version: 1.0\r\n\
         Content-Type: {content_type}; boundary=o\r\n\r\n{parts}--o--\r\n"
    )
}

async fn receive(mailbox: &Mailbox, raw: &str) -> String {
    let mail = json!({"raw": BASE64_STANDARD.encode(raw), "authentication_results": ""});
    mailbox.user.receive(&mailbox.stack, mail).await
}

async fn bytes(mailbox: &Mailbox, id: &str, part_id: &str) -> (u16, Vec<u8>) {
    let path = format!("/messages/{id}/attachments/{part_id}");
    let request = mailbox.request(&mailbox.user.token, GET, &path, None);
    let answer = mailbox.stack.answer(request).await;
    (answer.status().as_u16(), answer.bytes().await.unwrap().to_vec())
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim_end().replace("\r\n", "\n")
}

#[tokio::test]
async fn a_forwarded_mail_and_what_is_in_it_can_be_downloaded() {
    let mailbox = Mailbox::granted(&[MODIFY]).await;
    let hello = "Content-Type: text/plain\r\n\r\nsee below".to_string();
    let nested = format!("Content-Type: message/rfc822\r\n\r\n{}", inner());
    let named = format!(
        "Content-Type: message/rfc822; name=x.eml\r\nContent-Disposition: attachment; filename=x.eml\r\n\r\n{}",
        inner()
    );
    for forwarded in [nested, named] {
        let id = receive(&mailbox, &mail("multipart/mixed", &[hello.clone(), forwarded])).await;
        for shapes in SHAPES {
            let shapes: Value = serde_json::from_str(shapes).unwrap();
            mailbox.stack.google(Method::PUT, "/admin/shapes", shapes.clone()).await;
            let message = mailbox.get(&format!("/messages/{id}")).await;
            let list = mailbox.get(&format!("/messages/{id}/attachments")).await;
            assert_eq!(message["body"]["text"], "see below", "{shapes}");
            assert_eq!(message["has_attachments"], true, "{shapes}");
            assert_eq!(list["attachments"], message["attachments"], "{shapes}");
            let found: Vec<&str> = list["attachments"]
                .as_array()
                .unwrap()
                .iter()
                .map(|attachment| attachment["part_id"].as_str().unwrap())
                .collect();
            let (status, whole) = bytes(&mailbox, &id, "1").await;
            assert_eq!((status, text(&whole)), (200, text(inner().as_bytes())), "{shapes}");
            match found[..] {
                ["1", "1.0.1"] => {
                    assert_eq!(
                        bytes(&mailbox, &id, "1.0.1").await,
                        (200, PDF.to_vec()),
                        "{shapes}"
                    );
                }
                // Gmail hands it out as one file.
                ["1"] => assert!(shapes.to_string().contains("handed_out"), "{shapes}"),
                _ => panic!("{shapes}: {found:?}"),
            }
        }
    }
    mailbox.is_clean().await;
}

#[tokio::test]
async fn a_delivery_report_can_be_downloaded_as_it_was_sent() {
    let mailbox = Mailbox::granted(&[MODIFY]).await;
    let parts = [
        "Content-Type: text/plain\r\n\r\nnobody is unknown".to_string(),
        format!("Content-Type: message/delivery-status\r\n\r\n{STATUS}"),
        "Content-Type: message/rfc822\r\n\r\nMessage-ID: <sent@example.com>\r\nSubject: hi\r\n\r\nhi".into(),
    ];
    let id =
        receive(&mailbox, &mail("multipart/report; report-type=delivery-status", &parts)).await;
    for shapes in SHAPES {
        let shapes: Value = serde_json::from_str(shapes).unwrap();
        mailbox.stack.google(Method::PUT, "/admin/shapes", shapes.clone()).await;
        let (status, report) = bytes(&mailbox, &id, "1").await;
        assert_eq!((status, text(&report)), (200, text(STATUS.as_bytes())), "{shapes}");
        let (status, original) = bytes(&mailbox, &id, "2").await;
        assert_eq!(status, 200);
        assert!(text(&original).starts_with("Message-ID: <sent@example.com>"), "{shapes}");
        let message = mailbox.get(&format!("/messages/{id}")).await;
        assert_eq!(message["attachments"].as_array().unwrap().len(), 2, "{shapes}");
    }
    mailbox.is_clean().await;
}

#[tokio::test]
async fn a_mail_that_is_nested_without_end_is_told_from_the_rest_of_its_thread() {
    let mailbox = Mailbox::granted(&[MODIFY]).await;
    let levels = 150;
    let mut deep = String::from(
        "From: bo@example.com\r\nTo: ada@example.com\r\nSubject: deep\r\nMIME-Version: 1.0\r\n",
    );
    for level in 0..levels {
        deep += &format!("Content-Type: multipart/mixed; boundary=b{level}\r\n\r\n--b{level}\r\n");
    }
    deep += "Content-Type: text/plain\r\n\r\nat last\r\n";
    for level in (0..levels).rev() {
        deep += &format!("--b{level}--\r\n");
    }
    let first = mailbox.user.receive(&mailbox.stack, json!({"subject": "deep"})).await;
    let thread = mailbox.get(&format!("/messages/{first}")).await["thread_id"].clone();
    let nested = json!({"raw": BASE64_STANDARD.encode(&deep), "thread_id": thread});
    let nested = mailbox.user.receive(&mailbox.stack, nested).await;
    let (status, problem) = mailbox.refused(GET, &format!("/messages/{nested}"), None).await;
    assert_eq!((status, &problem["code"]), (422, &json!("message_unreadable")));
    let thread = mailbox.get(&format!("/threads/{}", thread.as_str().unwrap())).await;
    let ids: Vec<&Value> =
        thread["messages"].as_array().unwrap().iter().map(|message| &message["id"]).collect();
    assert_eq!((ids, &thread["failed_ids"]), (vec![&json!(first)], &json!([nested])));
    let summary = mailbox.get(&format!("/messages/{nested}?format=metadata")).await;
    assert_eq!(summary["subject"], "deep");
    let (status, whole) = bytes(&mailbox, &nested, "message").await;
    assert_eq!(status, 200);
    assert!(text(&whole).contains("at last"));
    mailbox.is_clean().await;
}

#[tokio::test]
async fn a_body_that_gmail_keeps_elsewhere_is_a_body() {
    let mailbox = Mailbox::granted(&[MODIFY]).await;
    let long = "A long letter. ".repeat(100_000);
    let mail = json!({"subject": "long", "text": long, "html": format!("<p>{long}</p>")});
    let id = mailbox.user.receive(&mailbox.stack, mail).await;
    for shapes in SHAPES {
        let shapes: Value = serde_json::from_str(shapes).unwrap();
        mailbox.stack.google(Method::PUT, "/admin/shapes", shapes.clone()).await;
        let message = mailbox.get(&format!("/messages/{id}")).await;
        assert!(message["body"]["text"].as_str().unwrap().trim() == long.trim(), "{shapes}");
        assert!(message["body"]["html"].as_str().unwrap().contains("<p>A long"), "{shapes}");
        assert_eq!(message["attachments"], json!([]), "{shapes}");
    }
    mailbox.is_clean().await;
}

const LOGO: &str = "From: cy@example.com\r\nSubject: logo\r\nMIME-Version: 1.0\r\nContent-Type: multipart/related; boundary=m\r\n\r\n\
    --m\r\nContent-Type: text/html\r\n\r\n<img src=\"cid:l@x\">\r\n\
    --m\r\nContent-Type: image/png\r\nContent-ID: <l@x>\r\nContent-Transfer-Encoding: base64\r\n\r\niVBORw0KGgo=\r\n--m--\r\n";

/// The last message of the thread has to be read twice, and cannot be.
#[tokio::test]
async fn a_thread_is_not_answered_where_its_last_message_may_be_the_one_that_cannot_be_read() {
    let mailbox = Mailbox::granted(&[MODIFY]).await;
    let first = mailbox.user.receive(&mailbox.stack, json!({"subject": "logo"})).await;
    let thread = mailbox.get(&format!("/messages/{first}")).await["thread_id"].clone();
    let last = json!({"raw": BASE64_STANDARD.encode(LOGO), "thread_id": thread});
    mailbox.user.receive(&mailbox.stack, last).await;
    let fault = json!({"method": "messages.get", "status": 503, "times": 0});
    mailbox.stack.google(Method::POST, "/admin/faults", fault).await;
    let reply = json!({"thread_id": thread, "text": "Yes, pay it."});
    let (status, problem) = mailbox.refused(Method::POST, "/messages", Some(reply.clone())).await;
    assert_eq!((status, &problem["code"]), (503, &json!("gmail_unavailable")));
    mailbox.stack.google(Method::DELETE, "/admin/faults", Value::Null).await;
    let sent = mailbox.done(Method::POST, "/messages", Some(reply)).await;
    let sent = mailbox.get(&format!("/messages/{}", sent["id"].as_str().unwrap())).await;
    assert_eq!(sent["to"][0]["address"], "cy@example.com");
    mailbox.is_clean().await;
}
