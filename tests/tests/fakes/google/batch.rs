//! The batch endpoint: one answer for each part.

use fake_google::Fault;
use serde_json::Value;

use super::client::{Client, EMAIL};

pub fn batch_of(paths: &[String]) -> String {
    let part = |(index, path): (usize, &String)| {
        format!(
            "--limit\r\nContent-Type: application/http\r\nContent-ID: <item-{index}>\r\n\r\nGET {path} HTTP/1.1\r\nAccept: application/json\r\n\r\n\r\n"
        )
    };
    let parts: String = paths.iter().enumerate().map(part).collect();
    format!("{parts}--limit--\r\n")
}

pub async fn send(client: &Client, body: String) -> (u16, String, String) {
    let request = client
        .http
        .post(format!("{}/batch/gmail/v1", client.google.url))
        .bearer_auth(&client.access_token);
    let answer = request
        .header("content-type", "multipart/mixed; boundary=limit")
        .body(body)
        .send()
        .await
        .unwrap();
    let content_type = answer.headers()["content-type"].to_str().unwrap().to_owned();
    (answer.status().as_u16(), content_type, answer.text().await.unwrap())
}

#[tokio::test]
async fn each_part_is_answered_for_itself_in_order() {
    let client = Client::start().await;
    let ids = [client.mail("one"), client.mail("two")];
    let limited = Fault {
        method: "messages.get".into(),
        message_id: Some(ids[1].clone()),
        only_in_batch: true,
        ..Fault::default()
    };
    client.google.admin.add_fault(Fault { status: 429, retry_after: Some(3), ..limited });
    assert_eq!(
        client.get(&format!("messages/{}", ids[1])).await.0,
        200,
        "the fault is for batches only"
    );
    let path = |id: &str| {
        format!("/gmail/v1/users/me/messages/{id}?format=minimal&fields=id&prettyPrint=false")
    };
    let body = batch_of(&[path(&ids[0]), path("00ff"), path(&ids[1])]);
    let (status, content_type, text) = send(&client, body).await;
    assert_eq!(status, 200);
    let boundary = content_type.strip_prefix("multipart/mixed; boundary=").unwrap();
    let parts: Vec<&str> = text.split(&format!("--{boundary}")).collect();
    assert_eq!(parts.len(), 5, "three parts between the ends: {text}");
    assert!(
        parts[1].contains("Content-ID: <response-item-0>") && parts[1].contains("HTTP/1.1 200 OK")
    );
    let first: Value = serde_json::from_str(parts[1].rsplit("\r\n\r\n").next().unwrap()).unwrap();
    assert_eq!(first, serde_json::json!({ "id": ids[0] }));
    assert!(
        parts[2].contains("Content-ID: <response-item-1>")
            && parts[2].contains("HTTP/1.1 404 Not Found")
    );
    assert!(parts[3].contains("HTTP/1.1 429 ") && parts[3].contains("retry-after: 3"));
    let calls = client.google.admin.calls();
    let in_batch: Vec<(u16, u32)> =
        calls.iter().filter(|call| call.in_batch).map(|call| (call.status, call.units)).collect();
    assert_eq!(in_batch, [(200, 20), (404, 20), (429, 20)]);
    assert!(
        calls.iter().filter(|call| call.in_batch).all(|call| call.email.as_deref() == Some(EMAIL))
    );
}

#[tokio::test]
async fn more_than_a_hundred_parts_are_refused() {
    let client = Client::start().await;
    let path = "/gmail/v1/users/me/profile".to_owned();
    assert_eq!(send(&client, batch_of(&vec![path.clone(); 100])).await.0, 200);
    assert_eq!(send(&client, batch_of(&vec![path; 101])).await.0, 400);
    assert_eq!(send(&client, batch_of(&[])).await.0, 400);
    assert_eq!(send(&client, "no batch".into()).await.0, 400);
}
