//! Quota units of reading, counted by the fake Google: at most what the table says, and exactly
//! what the answer says.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use reqwest::Method;
use serde_json::{Value, json};

use super::mailbox::{MODIFY, Mailbox};

/// The answer, its `x-quota-units`, and the calls to Gmail with their units.
async fn costed(mailbox: &Mailbox, path: &str) -> (Value, u64, Vec<(String, u64)>) {
    mailbox.calls().await;
    let response = mailbox.send(Method::GET, path, None).await;
    assert!(response.status().is_success(), "{path}: {}", response.status());
    let units = response.headers()["x-quota-units"].to_str().unwrap().parse().unwrap();
    let answer = response.json().await.unwrap();
    let calls: Vec<_> =
        mailbox.calls().await.into_iter().filter(|(method, _)| method != "batch").collect();
    assert_eq!(calls.iter().map(|(_, units)| units).sum::<u64>(), units, "{path}: {calls:?}");
    (answer, units, calls)
}

#[tokio::test]
async fn a_thread_of_forty_messages_with_attachments_is_one_call() {
    let mailbox = Mailbox::granted(&[MODIFY]).await;
    let attached = json!({"filename": "page.pdf", "mime_type": "application/pdf", "size": 2000});
    for number in 1..40 {
        let mail = json!({"subject": format!("Re: The invoice ({number})"), "text": "see there", "thread_id": mailbox.message, "attachment": attached, "silent": true});
        mailbox.user.receive(&mailbox.stack, mail).await;
    }
    let (thread, units, calls) = costed(&mailbox, &format!("/threads/{}", mailbox.message)).await;
    let messages = thread["messages"].as_array().unwrap();
    assert_eq!((messages.len(), units, calls.len()), (40, 40, 1));
    assert!(messages.iter().all(|message| message["attachments"].as_array().unwrap().len() == 1));
    let last = messages[39]["id"].as_str().unwrap();
    let path = format!("/messages/{last}/attachments/1");
    mailbox.calls().await;
    let download = mailbox.send(Method::GET, &path, None).await;
    let units = download.headers()["x-quota-units"].clone();
    assert_eq!((units.to_str().unwrap(), download.bytes().await.unwrap().len()), ("40", 2000));
}

#[tokio::test]
async fn an_inbox_of_ten_thousand_is_paged_within_its_price() {
    let mailbox = Mailbox::granted(&[MODIFY]).await;
    mailbox
        .user
        .receive_many(
            &mailbox.stack,
            9_999,
            json!({"subject": "Mail {n}", "text": "x", "silent": true}),
        )
        .await;
    let (mut seen, mut units, mut path) =
        (0, 0, "/messages?format=ids&page_size=500&label_ids=INBOX".to_string());
    loop {
        let (page, cost, calls) = costed(&mailbox, &path).await;
        assert_eq!((cost, calls.len()), (5, 1));
        seen += page["messages"].as_array().unwrap().len();
        units += cost;
        let Some(token) = page["next_page_token"].as_str() else { break };
        path = format!("/messages?format=ids&page_size=500&label_ids=INBOX&page_token={token}");
    }
    assert_eq!((seen, units), (10_000, 100), "twenty pages");
    let (page, cost, calls) = costed(&mailbox, "/messages?page_size=100").await;
    assert_eq!(
        (page["messages"].as_array().unwrap().len(), cost, calls.len()),
        (100, 2005, 101),
        "a list, and a hundred messages in batches"
    );
    let (_, cost, _) = costed(&mailbox, "/messages").await;
    assert_eq!(cost, 405, "a page with the default parameters");
    let (page, cost, _) = costed(&mailbox, "/messages?format=full&query=subject:invoice").await;
    assert_eq!(
        (page["messages"].as_array().unwrap().len(), cost),
        (1, 25),
        "only found messages cost units"
    );
    let (_, cost, _) = costed(&mailbox, "/threads?page_size=500").await;
    assert_eq!(cost, 10);
}

#[tokio::test]
async fn what_cannot_be_read_just_now_is_named() {
    let mailbox = Mailbox::granted(&[MODIFY]).await;
    let ids = mailbox
        .user
        .receive_many(&mailbox.stack, 5, json!({"subject": "Mail {n}", "silent": true}))
        .await;
    let fault = json!({"method": "messages.get", "message_id": ids[2], "status": 500, "times": 9});
    mailbox.stack.google(Method::POST, "/admin/faults", fault).await;
    let page = mailbox.get("/messages?query=subject:Mail").await;
    assert_eq!(
        (page["messages"].as_array().unwrap().len(), &page["failed_ids"]),
        (4, &json!([ids[2]]))
    );
}

#[tokio::test]
async fn an_answer_that_lambda_could_not_send_says_how_to_request_less() {
    let mailbox = Mailbox::granted(&[MODIFY]).await;
    let text = "long ".repeat(1_300_000);
    let mail = format!(
        "From: bo@example.com\r\nSubject: long\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\n{}",
        BASE64_STANDARD.encode(text)
    );
    let id =
        mailbox.user.receive(&mailbox.stack, json!({"raw": BASE64_STANDARD.encode(mail)})).await;
    let (status, problem) = mailbox.refused(Method::GET, &format!("/messages/{id}"), None).await;
    assert_eq!((status, &problem["code"]), (413, &json!("answer_too_large")));
    assert_eq!(mailbox.get(&format!("/messages/{id}?format=metadata")).await["subject"], "long");
}
