//! Mail: how it comes in, and how it is found by its arrival.

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE};
use fake_google::NewMessage;
use serde_json::{Value, json};

use super::client::{Client, EMAIL, TOPIC, read};

fn arrived(second: i64) -> NewMessage {
    NewMessage { internal_date: Some(second * 1000), ..NewMessage::default() }
}

fn ids(answer: &Value) -> Vec<&str> {
    answer["messages"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|message| message["id"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn mail_is_found_by_its_arrival_newest_first_and_page_by_page() {
    let client = Client::start().await;
    let sent: Vec<String> =
        [100, 101, 105, 109, 110].map(|second| client.deliver(arrived(second))).into();
    client.deliver(NewMessage { label_ids: Some(vec!["SPAM".into()]), ..arrived(105) });
    client.deliver(NewMessage { label_ids: Some(vec!["TRASH".into()]), ..arrived(105) });
    let listing = "messages?q=after:101+before:110&maxResults=2&fields=messages(id),nextPageToken";
    let (_, first) = client.get(listing).await;
    assert_eq!(ids(&first), [&sent[3], &sent[2]]);
    let token = first["nextPageToken"].as_str().unwrap();
    let (_, second) = client.get(&format!("{listing}&pageToken={token}")).await;
    assert_eq!(
        second,
        json!({ "messages": [{ "id": sent[1] }] }),
        "the last page, and no field that was not requested"
    );
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
    let (status, delivered) =
        read(client.http.post(&url).json(&json!({ "count": 1200, "subject": "mail {n}" }))).await;
    assert_eq!((status, delivered.as_array().map(Vec::len)), (200, Some(1200)));
    assert_eq!(client.google.admin.pull_pushes().len(), 2, "one for the watch, one for them all");
    let last = delivered[1199]["id"].as_str().unwrap();
    let (_, message) =
        client.get(&format!("messages/{last}?format=metadata&metadataHeaders=Subject")).await;
    assert_eq!(message["payload"]["headers"][0]["value"], "mail 1200");
    let history_id = client.google.admin.mailbox(EMAIL).unwrap().history_id;
    assert_eq!(delivered[1199]["history_id"], history_id.to_string());
    for body in [json!({ "count": "many" }), json!({ "count": 1, "topic": "" })] {
        assert_eq!(read(client.http.post(&url).json(&body)).await.0, 400);
    }
}

/// The authentication headers of a message, from the top.
async fn authenticated(client: &Client, id: &str) -> Vec<String> {
    let (_, message) = client
        .get(&format!("messages/{id}?format=metadata&metadataHeaders=Authentication-Results"))
        .await;
    let headers = message["payload"]["headers"].as_array().cloned().unwrap_or_default();
    headers.iter().map(|header| header["value"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn the_receiving_server_says_at_the_top_what_it_found_out_about_the_sender() {
    let client = Client::start().await;
    let forged = "mx.google.com; dmarc=pass header.from=trusted.example";
    let failed = "mx.google.com; dmarc=fail header.from=trusted.example";
    let with = |said: Option<&str>| NewMessage {
        from: Some("Pay <pay@trusted.example>".into()),
        headers: [("Authentication-Results".to_owned(), forged.to_owned())].into(),
        authentication_results: said.map(Into::into),
        ..NewMessage::default()
    };
    assert_eq!(authenticated(&client, &client.deliver(with(Some(failed)))).await, [failed, forged]);
    assert_eq!(
        authenticated(&client, &client.deliver(with(Some("")))).await,
        [forged],
        "it says nothing"
    );
    let own = NewMessage { label_ids: Some(vec!["SENT".into()]), ..with(None) };
    assert_eq!(
        authenticated(&client, &client.deliver(own)).await,
        [forged],
        "what a user sent came in from nowhere"
    );
    let usual = authenticated(&client, &client.deliver(with(None))).await;
    assert!(
        usual[0].starts_with("mx.google.com;")
            && usual[0].ends_with(" header.from=trusted.example"),
        "{usual:?}"
    );
    assert_eq!(usual[1..], [forged]);
}

#[tokio::test]
async fn a_mail_that_comes_as_its_bytes_gets_the_header_into_them() {
    let client = Client::start().await;
    let forged = "mx.google.com; dmarc=pass header.from=trusted.example";
    let mail = format!(
        "Authentication-Results: {forged}\r\nFrom: pay@trusted.example\r\nSubject: a\r\n\r\nb\r\n"
    );
    let said = "mx.google.com; dmarc=fail header.from=trusted.example";
    let raw = Some(BASE64_STANDARD.encode(&mail));
    let id = client.deliver(NewMessage {
        raw,
        authentication_results: Some(said.into()),
        ..NewMessage::default()
    });
    assert_eq!(authenticated(&client, &id).await, [said, forged]);
    let (_, message) = client.get(&format!("messages/{id}?format=raw")).await;
    let kept = BASE64_URL_SAFE.decode(message["raw"].as_str().unwrap()).unwrap();
    assert_eq!(
        String::from_utf8(kept).unwrap(),
        format!("Authentication-Results: {said}\r\n{mail}")
    );
}
