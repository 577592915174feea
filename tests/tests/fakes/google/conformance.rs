//! Every answer and every request must conform to Gmail's discovery document.

use std::collections::BTreeSet;

use fake_google::{Config, NewAttachment, NewCode, NewMessage, discovery};
use reqwest::Method;
use serde_json::{Value, json};

use super::client::{Client, EMAIL, TOPIC, read, reason};

#[tokio::test]
async fn every_answer_stands_in_the_discovery_document() {
    let full_scope = NewCode {
        scopes: Some(vec!["openid".into(), "https://mail.google.com/".into()]),
        ..NewCode::of(EMAIL)
    };
    let client = Client::with(Config::default(), full_scope).await;
    let mut seen = BTreeSet::new();
    let mut check = |method: &'static str, (status, answer): (u16, Value)| {
        assert_eq!(status, if answer.is_null() { 204 } else { 200 }, "{method}: {answer}");
        if !answer.is_null() {
            assert_eq!(discovery::check_response(method, &answer), Ok(()), "{answer}");
        }
        seen.insert(method);
        answer
    };
    let empty = check("messages.list", client.get("messages").await);
    assert_eq!(empty, json!({ "resultSizeEstimate": 0 }));
    let rich = client.deliver(NewMessage {
        text: Some("Käse & <b>".into()),
        html: Some("<p>Hello</p>".into()),
        label_ids: Some(vec!["INBOX".into(), "Label_7".into()]),
        attachment: Some(NewAttachment {
            filename: "a.pdf".into(),
            mime_type: "application/pdf".into(),
            size: 300,
        }),
        ..Default::default()
    });
    client.deliver(NewMessage {
        label_ids: Some(vec![]),
        html: Some("<i>only</i>".into()),
        ..Default::default()
    });
    check("getProfile", client.get("profile").await);
    check("watch", client.post("watch", json!({ "topicName": TOPIC, "labelIds": ["INBOX"], "labelFilterBehavior": "include" })).await);
    check("labels.list", client.get("labels").await);
    check("messages.list", client.get("messages?maxResults=1").await);
    for format in ["minimal", "metadata", "full", "raw"] {
        check("messages.get", client.get(&format!("messages/{rich}?format={format}")).await);
    }
    let metadata = check(
        "messages.get",
        client.get(&format!("messages/{rich}?format=metadata&metadataHeaders=From")).await,
    );
    let sender = json!([{ "name": "From", "value": "Sender <sender@example.com>" }]);
    assert_eq!(metadata["payload"], json!({ "mimeType": "multipart/mixed", "headers": sender }));
    let full = check(
        "messages.get",
        client.get(&format!("messages/{rich}?fields=payload(parts(body/attachmentId))")).await,
    );
    let attachment = full["payload"]["parts"][1]["body"]["attachmentId"].as_str().unwrap();
    check(
        "messages.attachments.get",
        client.get(&format!("messages/{rich}/attachments/{attachment}")).await,
    );
    let change = json!({ "addLabelIds": ["STARRED"], "removeLabelIds": ["Label_7"] });
    check("messages.modify", client.post(&format!("messages/{rich}/modify"), change).await);
    check("messages.trash", client.post(&format!("messages/{rich}/trash"), json!({})).await);
    check("messages.untrash", client.post(&format!("messages/{rich}/untrash"), json!({})).await);
    check("messages.delete", client.call(Method::DELETE, &format!("messages/{rich}"), None).await);
    check("history.list", client.get("history?startHistoryId=1000").await);
    check("stop", client.post("stop", json!({})).await);
    assert_eq!(seen.len(), 12, "a method of the fake was not validated against the document");
    assert_eq!(client.google.admin.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn a_request_that_gmail_does_not_know_is_refused_and_noted() {
    let client = Client::start().await;
    for path in [
        "messages?max_results=5",
        "messages/1?format=headers",
        "history?startHistoryId=x",
        "profile?fields=email",
        "mail",
    ] {
        let (status, answer) = client.get(path).await;
        assert_eq!((status, reason(&answer)), (400, "invalidArgument"), "{path}");
    }
    let (status, _) = client.post("watch", json!({ "topic_name": TOPIC })).await;
    assert_eq!(status, 400);
    let (_, noted) = read(client.http.get(format!("{}/admin/violations", client.google.url))).await;
    assert_eq!(noted.as_array().map(Vec::len), Some(6), "{noted}");
}

#[test]
fn the_check_of_answers_can_fail() {
    let check = |method: &str, answer: Value, expected: &str| {
        let problem = discovery::check_response(method, &answer).unwrap_err();
        assert!(problem.contains(expected), "{problem}");
    };
    check("getProfile", json!({ "historyId": 7 }), "should be");
    check("getProfile", json!({ "historyId": "-7" }), "uint64");
    check("getProfile", json!({ "email": "a@example.com" }), "unknown");
    check("messages.list", json!({ "messages": [] }), "empty");
    check(
        "messages.get",
        json!({ "payload": { "headers": [{ "name": "a", "valu": "b" }] } }),
        "headers[].valu",
    );
    check("stop", json!({}), "no body");
    assert!(!discovery::revision().is_empty());
}

#[tokio::test]
async fn scopes_and_mailboxes_keep_callers_out() {
    let client = Client::start().await;
    let id = client.mail("hello");
    let (status, answer) = client.call(Method::DELETE, &format!("messages/{id}"), None).await;
    assert_eq!(
        (status, reason(&answer)),
        (403, "insufficientPermissions"),
        "gmail.modify may not delete"
    );
    let other = format!("{}/gmail/v1/users/sample@example.com/profile", client.google.url);
    let (status, answer) = read(client.http.get(&other).bearer_auth(&client.access_token)).await;
    assert_eq!((status, reason(&answer)), (403, "forbidden"));
    let (status, answer) = read(client.http.get(&other).bearer_auth("stranger")).await;
    assert_eq!((status, reason(&answer)), (401, "authError"));
}
