//! Hostile answers: each does the harm that it promises, and only that.

use std::io::Read;
use std::time::Duration;

use fake_google::{Fault, NewMessage};
use flate2::read::GzDecoder;
use reqwest::redirect::Policy;
use serde_json::{Value, json};

use super::batch::{batch_of, send};
use super::client::{Client, EMAIL, read};

const SOON: Duration = Duration::from_secs(10);

fn fault(method: &str) -> Fault {
    Fault { method: method.into(), ..Fault::default() }
}

/// Neither follows a redirect nor inflates.
fn plain() -> reqwest::Client {
    reqwest::Client::builder().redirect(Policy::none()).no_gzip().build().unwrap()
}

async fn get(client: &Client, path: &str) -> reqwest::Response {
    plain()
        .get(format!("{}{path}", client.google.url))
        .bearer_auth(&client.access_token)
        .send()
        .await
        .unwrap()
}

const PROFILE: &str = "/gmail/v1/users/me/profile";

#[tokio::test]
async fn a_call_may_be_sent_elsewhere() {
    let client = Client::start().await;
    let admin = &client.google.admin;
    let elsewhere = "http://127.0.0.1:9/latest/meta-data";
    let location =
        |answer: &reqwest::Response| answer.headers()["location"].to_str().unwrap().to_owned();
    for (method, path) in [("getProfile", PROFILE), ("certs", "/oauth2/v3/certs")] {
        admin.add_fault(Fault { redirect: Some(elsewhere.into()), ..fault(method) });
        let answer = get(&client, path).await;
        assert_eq!(
            (answer.status().as_u16(), location(&answer).as_str()),
            (302, elsewhere),
            "{method}"
        );
        assert_eq!(get(&client, path).await.status(), 200, "once");
    }
    admin.add_fault(Fault { redirect: Some(elsewhere.into()), status: 307, ..fault("batch") });
    let batch = plain().post(format!("{}/batch/gmail/v1", client.google.url)).send().await.unwrap();
    assert_eq!((batch.status().as_u16(), location(&batch).as_str()), (307, elsewhere));
    let statuses: Vec<u16> = admin
        .calls()
        .iter()
        .filter(|call| call.status / 100 == 3)
        .map(|call| call.status)
        .collect();
    assert_eq!(statuses, [302, 302, 307]);
}

#[tokio::test]
async fn an_endless_body_is_counted_until_the_peer_hangs_up() {
    let client = Client::start().await;
    let admin = &client.google.admin;
    for (method, path) in [("getProfile", PROFILE), ("certs", "/oauth2/v3/certs")] {
        admin.clear_calls();
        admin.add_fault(Fault { endless: true, ..fault(method) });
        let mut answer = get(&client, path).await;
        assert_eq!((answer.status().as_u16(), answer.content_length()), (200, None));
        let mut received: u64 = 0;
        while received < 5_000_000 {
            let chunk = answer.chunk().await.unwrap().expect("it has no end");
            assert!(chunk.iter().all(|byte| *byte == b' '));
            received += chunk.len() as u64;
        }
        drop(answer);
        let sent = || admin.calls()[0].sent_bytes.unwrap();
        let rests = async {
            let mut before = sent();
            loop {
                tokio::time::sleep(Duration::from_millis(200)).await;
                match sent() {
                    now if now == before => return now,
                    now => before = now,
                }
            }
        };
        let sent = tokio::time::timeout(SOON, rests).await.expect("it ends when nobody reads");
        assert!(sent >= received && sent < 100_000_000, "{method}: {sent} of {received}");
        assert!(get(&client, path).await.content_length().is_some(), "once");
    }
}

#[tokio::test]
async fn a_gzip_bomb_is_small_and_holds_the_true_answer_at_its_end() {
    let client = Client::start().await;
    let true_answer = client.get("profile").await.1;
    client.google.admin.add_fault(Fault { gzip_bomb_mb: 20, times: 2, ..fault("getProfile") });
    let answer = get(&client, PROFILE).await;
    assert_eq!(answer.headers()["content-encoding"], "gzip");
    let packed = answer.bytes().await.unwrap();
    assert!(packed.len() < 50_000, "{} bytes", packed.len());
    let mut unpacked = String::new();
    GzDecoder::new(&packed[..]).read_to_string(&mut unpacked).unwrap();
    assert!(unpacked.len() > 20 * 1024 * 1024);
    assert_eq!(serde_json::from_str::<Value>(&unpacked).unwrap(), true_answer);
    assert_eq!(
        client.get("profile").await,
        (200, true_answer),
        "a client without bounds takes it for honest"
    );
}

#[tokio::test]
async fn a_list_may_never_end() {
    let client = Client::start().await;
    client.google.admin.deliver_many(EMAIL, &NewMessage::default(), 3).unwrap();
    for (method, listing) in [
        ("history.list", "history?startHistoryId=1000&maxResults=2"),
        ("messages.list", "messages?maxResults=2"),
    ] {
        let (_, honest) = client.get(listing).await;
        client.google.admin.add_fault(Fault { endless_pages: true, times: 20, ..fault("*") });
        assert_eq!(client.get("profile").await.0, 200, "only lists have pages");
        let mut tokens = std::collections::BTreeSet::new();
        let mut path = listing.to_owned();
        for _ in 0..20 {
            let (status, mut page) = client.get(&path).await;
            let token = page["nextPageToken"].take().as_str().unwrap().to_owned();
            path = format!("{listing}&pageToken={token}");
            assert!(status == 200 && tokens.insert(token), "{method}: a new token each time");
            let records = if method == "history.list" { "history" } else { "messages" };
            assert_eq!(page[records], honest[records], "the same records");
        }
        assert_eq!(client.get(&path).await.0, 400, "once it is over, its tokens are nobody's");
    }
    assert_eq!(client.google.admin.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn a_batch_may_be_answered_with_another_number_of_parts() {
    let client = Client::start().await;
    let paths = [PROFILE, "/gmail/v1/users/me/labels"].map(ToOwned::to_owned);
    for count in [0, 1, 2, 5] {
        client.google.admin.add_fault(Fault { batch_parts: Some(count), ..fault("batch") });
        let (status, _, text) = send(&client, batch_of(&paths)).await;
        assert_eq!((status, text.matches("HTTP/1.1 200 OK").count()), (200, count));
        assert_eq!(text.matches("--batch_").count(), count + 1);
    }
    client.google.admin.add_fault(Fault { batch_parts: Some(0), ..fault("*") });
    client.google.admin.add_fault(Fault { status: 500, ..fault("getProfile") });
    assert_eq!(
        client.get("profile").await.0,
        500,
        "only a batch has parts: the first fault lets the second one hit"
    );
    assert_eq!(send(&client, batch_of(&paths)).await.2.matches("HTTP/1.1 200 OK").count(), 2);
}

#[tokio::test]
async fn a_boundary_may_stand_inside_header_values() {
    let client = Client::start().await;
    client.google.admin.add_fault(Fault { boundary_in_header: true, ..fault("batch") });
    let (_, content_type, text) =
        send(&client, batch_of(&[PROFILE.to_owned(), PROFILE.to_owned()])).await;
    let boundary =
        content_type.strip_prefix("multipart/mixed; boundary=").unwrap().split(';').next().unwrap();
    assert!(content_type.ends_with(&format!("; note=\"--{boundary}--\"")), "{content_type}");
    let notes = text.matches(&format!("\r\nx-note: before --{boundary}-- after\r\n")).count();
    assert_eq!(notes, 4, "in each part's headers and in its answer's: {text}");
    let delimiters = text.lines().filter(|line| line.starts_with(&format!("--{boundary}"))).count();
    assert_eq!(delimiters, 3, "a reader by lines finds two parts");
}

#[tokio::test]
async fn the_two_key_sets_fail_apart() {
    let client = Client::start().await;
    let admin = &client.google.admin;
    let statuses = async || {
        (
            get(&client, "/oauth2/v3/certs").await.status().as_u16(),
            get(&client, "/users/certs").await.status().as_u16(),
        )
    };
    admin.clear_calls();
    for (path, expected) in [("/oauth2/v3/certs", (503, 200)), ("/users/certs", (200, 503))] {
        let body = json!({ "method": "certs", "path": path, "status": 503, "times": 0 });
        assert_eq!(
            read(client.http.post(format!("{}/admin/faults", client.google.url)).json(&body))
                .await
                .0,
            200
        );
        assert_eq!(statuses().await, expected);
        admin.clear_faults();
    }
    admin.add_fault(Fault { path: Some("/users/certs".into()), delay_ms: 300, ..fault("certs") });
    assert_eq!(get(&client, "/oauth2/v3/certs").await.status(), 200);
    let started = std::time::Instant::now();
    assert_eq!(get(&client, "/users/certs").await.status(), 200);
    assert!(
        started.elapsed() >= Duration::from_millis(300),
        "the other set has not used the delay up"
    );
    let (_, log) = read(client.http.get(format!("{}/admin/calls", client.google.url))).await;
    let seen: Vec<(&str, &str, &Value)> = log
        .as_array()
        .unwrap()
        .iter()
        .map(|call| {
            (call["method"].as_str().unwrap(), call["key_set"].as_str().unwrap(), &call["status"])
        })
        .collect();
    let (google, users) = ("google", "users");
    let (good, bad) = (&json!(200), &json!(503));
    let expected =
        [(google, bad), (users, good), (google, good), (users, bad), (google, good), (users, good)];
    assert_eq!(seen, expected.map(|(set, status)| ("certs", set, status)));
}
