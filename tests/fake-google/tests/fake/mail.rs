//! Mail: how it comes in, and how it is found by its arrival.

use fake_google::NewMessage;
use serde_json::{Value, json};

use crate::client::{Client, EMAIL, TOPIC, read};

fn arrived(second: i64) -> NewMessage {
    NewMessage { internal_date: Some(second * 1000), ..NewMessage::default() }
}

fn ids(answer: &Value) -> Vec<&str> {
    answer["messages"].as_array().into_iter().flatten().map(|message| message["id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn mail_is_found_by_its_arrival_newest_first_and_page_by_page() {
    let client = Client::start().await;
    let sent: Vec<String> = [100, 101, 105, 109, 110].map(|second| client.deliver(arrived(second))).into();
    client.deliver(NewMessage { label_ids: Some(vec!["SPAM".into()]), ..arrived(105) });
    client.deliver(NewMessage { label_ids: Some(vec!["TRASH".into()]), ..arrived(105) });
    let listing = "messages?q=after:101+before:110&maxResults=2&fields=messages(id),nextPageToken";
    let (_, first) = client.get(listing).await;
    assert_eq!(ids(&first), [&sent[3], &sent[2]]);
    let token = first["nextPageToken"].as_str().unwrap();
    let (_, second) = client.get(&format!("{listing}&pageToken={token}")).await;
    assert_eq!(second, json!({ "messages": [{ "id": sent[1] }] }), "the last page, and no field that was not asked for");
    let (_, open) = client.get("messages?q=after:109&fields=messages(id),nextPageToken").await;
    assert_eq!(ids(&open), [&sent[4], &sent[3]]);
    let (_, nothing) = client.get("messages?q=after:200&fields=messages(id),nextPageToken").await;
    assert_eq!(nothing, json!({}));
    assert_eq!(client.google.admin.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn many_mails_come_by_one_call_and_one_push() {
    let client = Client::start().await;
    client.post("watch", json!({ "topicName": TOPIC })).await;
    let url = format!("{}/admin/mailboxes/{EMAIL}/messages", client.google.url);
    let (status, delivered) = read(client.http.post(&url).json(&json!({ "count": 1200, "subject": "mail {n}" }))).await;
    assert_eq!((status, delivered.as_array().map(Vec::len)), (200, Some(1200)));
    assert_eq!(client.google.admin.pull_pushes().len(), 2, "one for the watch, one for them all");
    let last = delivered[1199]["id"].as_str().unwrap();
    let (_, message) = client.get(&format!("messages/{last}?format=metadata&metadataHeaders=Subject")).await;
    assert_eq!(message["payload"]["headers"][0]["value"], "mail 1200");
    let history_id = client.google.admin.mailbox(EMAIL).unwrap().history_id;
    assert_eq!(delivered[1199]["history_id"], history_id.to_string());
    for body in [json!({ "count": "many" }), json!({ "count": 1, "topic": "" })] {
        assert_eq!(read(client.http.post(&url).json(&body)).await.0, 400);
    }
}
