//! A large file through the deployed stack: up into the bucket and out with a mail, and down again
//! from the mail that arrived; what memory and quota that takes.

use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};
use tests::deployed::{Stack, User, read};
use tests::{depth, template};

use super::memory::{in_the_end, peak_kb, renew};

/// The answer and its quota units.
async fn call(
    stack: &Stack,
    user: &User,
    method: Method,
    path: &str,
    body: Option<&Value>,
) -> (Value, u64) {
    let path = format!("/api/connectors/{}{path}", user.connector);
    let once = async || {
        let request = stack.request(method.clone(), &path).bearer_auth(&user.token);
        let request = body.iter().fold(request, |request, body| request.json(body));
        stack.answer(request).await
    };
    let answer = in_the_end(stack, once).await;
    let units = answer.headers().get("x-quota-units");
    let units = units.map_or(0, |units| units.to_str().unwrap().parse().unwrap());
    let wanted = if path.ends_with("/uploads") { StatusCode::CREATED } else { StatusCode::OK };
    (read(answer, wanted).await, units)
}

#[tokio::test]
async fn a_file_larger_than_lambda_takes_goes_up_and_comes_down_within_the_memory() {
    let size: usize = depth::of(9, 24) * 1024 * 1024;
    let stack = Stack::running();
    let (user, browser) = (User::connected(&stack, "transfer").await, Client::new());
    let properties = &template::read()["Resources"]["ConnectorsApiFunction"]["Properties"];
    let given_mb = properties["MemorySize"].as_u64().unwrap();
    let bytes: Vec<u8> = (0..size).map(|at| (at % 251) as u8).collect();

    let (upload, none) =
        call(&stack, &user, Method::POST, "/uploads", Some(&json!({"size": size}))).await;
    let url = upload["url"].as_str().unwrap();
    let put = async |bytes: Vec<u8>| browser.put(url).body(bytes).send().await.unwrap().status();
    assert_eq!(put(bytes[1..].to_vec()).await, StatusCode::FORBIDDEN, "of another size");
    assert_eq!(put(bytes.clone()).await, StatusCode::OK);

    renew(&stack).await;
    let mail = json!({"to": [user.email], "subject": "The scans", "text": "Here.", "attachments": [
        {"filename": "scans.zip", "mime_type": "application/zip", "upload_id": upload["upload_id"]}]});
    let (sent, to_send) = call(&stack, &user, Method::POST, "/messages", Some(&mail)).await;
    let up = peak_kb(&stack);

    renew(&stack).await;
    let path = format!("/messages/{}/attachments/1/url", sent["id"].as_str().unwrap());
    let (link, to_fetch) = call(&stack, &user, Method::GET, &path, None).await;
    let down = peak_kb(&stack);
    let got = browser.get(link["url"].as_str().unwrap()).send().await.unwrap();
    assert_eq!(
        got.headers()["content-disposition"],
        "attachment; filename=\"scans.zip\"; filename*=UTF-8''scans.zip"
    );
    let got = got.bytes().await.unwrap();
    assert!(got == bytes, "{} bytes came back", got.len());

    println!(
        "{size} bytes: up {} MB and {to_send} units, down {} MB and {to_fetch} units, of {given_mb} MB",
        up / 1024,
        down / 1024
    );
    assert_eq!((none, to_send, to_fetch), (0, 100, 40));
    assert!(up.max(down) * 10 <= given_mb * 1024 * 9, "{up} kB and {down} kB of {given_mb} MB");
    // The mail is larger than what the function holds of it.
    assert!(up < 96 * 1024, "{up} kB: the mail was whole in memory");
}
