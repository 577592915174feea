//! Mail is read and sent through the deployed API, whose gateway and Lambda encoding could corrupt
//! it.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tests::deployed::{Stack, User, read};

async fn get(stack: &Stack, user: &User, path: &str) -> reqwest::Response {
    stack
        .api(
            Method::GET,
            &format!("/api/connectors/{}{path}", user.connector),
            Some(&user.token),
            None,
        )
        .await
}

#[tokio::test]
async fn a_file_that_calls_itself_text_comes_byte_for_byte() {
    let stack = Stack::running();
    let user = User::connected(&stack, "bytes").await;
    let bytes: Vec<u8> = (0..=255).collect();
    let mail = format!(
        "From: bo@example.com\r\nSubject: bytes\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nhello\r\n\
         --b\r\nContent-Type: text/plain; charset=iso-8859-1\r\nContent-Disposition: attachment; filename=\"bytes.txt\"\r\n\
         Content-Transfer-Encoding: base64\r\n\r\n{}\r\n--b--\r\n",
        BASE64_STANDARD.encode(&bytes)
    );
    let id = user.receive(&stack, json!({"raw": BASE64_STANDARD.encode(mail)})).await;
    let download = get(&stack, &user, &format!("/messages/{id}/attachments/1")).await;
    assert_eq!(
        (download.status(), download.headers()["content-type"].to_str().unwrap()),
        (StatusCode::OK, "text/plain")
    );
    assert_eq!(download.headers()["x-quota-units"], "40");
    assert_eq!(download.bytes().await.unwrap(), bytes);
}

#[tokio::test]
async fn a_mail_is_sent_once_under_its_key_and_read_again() {
    let stack = Stack::running();
    let user = User::connected(&stack, "sending").await;
    let body = json!({"to": ["bo@example.com"], "subject": "Hällo", "text": "a ".repeat(300_000)});
    let send = async |key: &str| {
        let request =
            stack.request(Method::POST, &format!("/api/connectors/{}/messages", user.connector));
        stack
            .answer(request.bearer_auth(&user.token).header("idempotency-key", key).json(&body))
            .await
    };
    let sent: Value = read(send("k").await, StatusCode::OK).await;
    assert_eq!(read(send("k").await, StatusCode::OK).await, sent);
    let listed =
        read(get(&stack, &user, "/messages?format=ids&query=in:sent").await, StatusCode::OK).await;
    assert_eq!(listed["messages"].as_array().unwrap().len(), 1);
    let message = read(
        get(&stack, &user, &format!("/messages/{}", sent["id"].as_str().unwrap())).await,
        StatusCode::OK,
    )
    .await;
    assert_eq!(
        (&message["subject"], message["body"]["text"].as_str().unwrap().len()),
        (&json!("Hällo"), 600_000)
    );
}
