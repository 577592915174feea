//! Limits, batches, and scripted failures.

use fake_microsoft::{Fault, Limits, NewMessage, RetryAfter};
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use super::client::{Client, EMAIL, code};

/// Each call is held up so long that all meet.
fn held() -> Fault {
    Fault { name: "me".into(), times: 0, delay_ms: 300, ..Fault::default() }
}

#[tokio::test]
async fn the_fifth_at_once_is_throttled() {
    let client = Client::start().await;
    client.microsoft.admin.add_fault(held());
    let answers = join_all((0..6).map(|_| client.get("me"))).await;
    let throttled: Vec<&Value> =
        answers.iter().filter(|(status, _)| *status == 429).map(|(_, answer)| answer).collect();
    assert_eq!(throttled.len(), 2);
    assert_eq!(code(throttled[0]), "ApplicationThrottled");
    assert_eq!(
        throttled[0]["error"]["message"],
        "Application is over its MailboxConcurrency limit."
    );
    assert_eq!(client.get("me").await.0, 200, "there is room again");
}

#[tokio::test]
async fn too_many_in_a_window_are_told_how_long_to_wait_or_not() {
    let client = Client::start().await;
    let said = async |retry_after: RetryAfter| {
        client.microsoft.admin.set_limits(Limits { calls: 1, retry_after, ..Limits::default() });
        client.get("me").await;
        let answer = client.request(Method::GET, "me").send().await.unwrap();
        assert_eq!(answer.status(), 429);
        answer.headers().get("retry-after").map(|wait| wait.to_str().unwrap().to_owned())
    };
    let good: u32 = said(RetryAfter::Good).await.unwrap().parse().unwrap();
    assert!((590..=600).contains(&good), "{good}");
    assert_eq!(said(RetryAfter::Missing).await, None);
    assert_eq!(said(RetryAfter::AlwaysOne).await.as_deref(), Some("1"));
    assert_eq!(said(RetryAfter::Nonsense).await.as_deref(), Some("soon"));
}

fn parts(count: usize, url: &str) -> Value {
    let one = |id: usize| json!({ "id": id.to_string(), "method": "GET", "url": url });
    json!({ "requests": (0..count).map(one).collect::<Vec<_>>() })
}

fn statuses(answer: &Value) -> Vec<u64> {
    let all = answer["responses"].as_array().unwrap().iter();
    all.map(|one| one["status"].as_u64().unwrap()).collect()
}

#[tokio::test]
async fn a_batch_runs_four_at_once_and_each_part_is_answered() {
    let client = Client::start().await;
    client.microsoft.admin.add_fault(held());
    let (_, alone) = client.post("$batch", parts(5, "/me")).await;
    assert_eq!(statuses(&alone), [200; 5]);
    let (first, second) = tokio::join!(
        client.post("$batch", parts(4, "/me")),
        client.post("$batch", parts(4, "/me"))
    );
    let all = [statuses(&first.1), statuses(&second.1)].concat();
    assert_eq!(all.iter().filter(|status| **status == 429).count(), 4, "{all:?}");
    let (status, refused) = client.post("$batch", parts(21, "/me")).await;
    assert_eq!((status, code(&refused)), (400, "MaximumValueExceeded"));
}

#[tokio::test]
async fn a_part_has_headers_body_and_a_429_of_its_own() {
    let client = Client::start().await;
    let id = client.deliver(NewMessage::of("x")).id;
    let url = format!("/me/messages/{id}");
    client.microsoft.admin.add_fault(Fault {
        name: "messages.get".into(),
        status: 429,
        retry_after: Some("7".into()),
        only_in_batch: true,
        ..Fault::default()
    });
    let requests = json!({ "requests": [
        { "id": "a", "method": "GET", "url": url },
        { "id": "b", "method": "PATCH", "url": url, "body": { "isRead": true }, "dependsOn": ["a"], "headers": { "Content-Type": "application/json" } },
        { "id": "c", "method": "PATCH", "url": url, "body": { "isRead": true }, "headers": { "Content-Type": "application/json", "Prefer": super::client::IMMUTABLE } },
    ]});
    let (_, answer) = client.post("$batch", requests).await;
    assert_eq!(statuses(&answer), [429, 424, 200]);
    assert_eq!(answer["responses"][0]["headers"]["Retry-After"], "7");
    assert_eq!(answer["responses"][2]["body"]["id"], json!(id));
    let calls = client.microsoft.admin.calls(Some(EMAIL));
    assert!(calls.iter().any(|call| call.in_batch && call.template == "/me/messages/{message-id}"));
}

#[tokio::test]
async fn a_fault_hits_so_many_calls_after_so_many() {
    let client = Client::start().await;
    let admin = &client.microsoft.admin;
    admin.add_fault(Fault {
        name: "me".into(),
        after: 1,
        times: 2,
        status: 503,
        ..Fault::default()
    });
    let mut met = Vec::new();
    for _ in 0..4 {
        met.push(client.get("me").await.0);
    }
    assert_eq!(met, [200, 503, 503, 200]);
    admin.add_fault(Fault {
        path: Some("/me/messages".into()),
        times: 0,
        status: 500,
        ..Fault::default()
    });
    assert_eq!((client.get("me/messages").await.0, client.get("me").await.0), (500, 200));
    admin.clear_faults(None);
    admin.add_fault(Fault {
        name: "messages.create".into(),
        status: 504,
        applied: true,
        ..Fault::default()
    });
    assert_eq!(client.post("me/messages", json!({ "subject": "x" })).await.0, 504);
    assert_eq!(client.subjects("me/messages").await, ["x"], "only the answer was lost");
    admin.add_fault(Fault { name: "me".into(), body: Some("no JSON".into()), ..Fault::default() });
    assert_eq!(client.get("me").await, (200, Value::Null));
    admin.add_fault(Fault {
        name: "me".into(),
        redirect: Some("http://example.com/".into()),
        ..Fault::default()
    });
    assert_eq!(client.get("me").await.0, 302);
}

#[tokio::test]
async fn answers_are_hostile_on_demand() {
    let client = Client::start().await;
    let admin = &client.microsoft.admin;
    client.mail("x");
    let list = || Fault { name: "messages.list".into(), ..Fault::default() };
    admin.add_fault(Fault { endless: true, ..list() });
    let mut answer = client.request(Method::GET, "me/messages").send().await.unwrap();
    let mut read = 0;
    while read < 1_000_000 {
        read += answer.chunk().await.unwrap().expect("it goes on").len();
    }
    assert!(admin.endless_bytes() >= 1_000_000);
    admin.add_fault(Fault { gzip_bomb_mb: 3, ..list() });
    let bomb = client.request(Method::GET, "me/messages").send().await.unwrap();
    assert!(bomb.bytes().await.unwrap().len() > 3 * 1024 * 1024, "it was inflated");
    admin.add_fault(Fault { endless_pages: true, ..list() });
    let (_, page) = client.get("me/messages?$top=5").await;
    assert!(page["@odata.nextLink"].as_str().unwrap().ends_with("/v1.0/me/messages?$top=5"));
}
