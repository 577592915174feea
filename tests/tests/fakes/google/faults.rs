//! Scripted failures, and the log that shows what they hit.

use fake_google::Fault;
use serde_json::json;

use super::client::{Client, EMAIL, read, reason};

fn fault(method: &str, status: u16) -> Fault {
    Fault { method: method.into(), status, ..Fault::default() }
}

#[tokio::test]
async fn a_fault_hits_so_many_calls_after_so_many() {
    let client = Client::start().await;
    let limit = Fault { after: 1, times: 2, retry_after: Some(7), ..fault("getProfile", 429) };
    client.google.admin.add_fault(limit);
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(client.get("profile").await.0);
    }
    assert_eq!(statuses, [200, 429, 429, 200]);
    client.google.admin.add_fault(Fault {
        times: 0,
        reason: Some("rateLimitExceeded".into()),
        ..fault("*", 403)
    });
    for path in ["profile", "labels", "messages"] {
        let (status, answer) = client.get(path).await;
        assert_eq!((status, reason(&answer)), (403, "rateLimitExceeded"));
        assert_eq!(answer["error"]["errors"][0]["domain"], "usageLimits");
    }
    client.google.admin.clear_faults();
    assert_eq!(client.get("profile").await.0, 200);
}

#[tokio::test]
async fn a_fault_may_be_for_one_mailbox_only() {
    let client = Client::start().await;
    client
        .google
        .admin
        .add_fault(Fault { email: Some("other@example.com".into()), ..fault("getProfile", 500) });
    assert_eq!(client.get("profile").await.0, 200);
    client.google.admin.add_fault(Fault { email: Some(EMAIL.into()), ..fault("getProfile", 500) });
    assert_eq!(client.get("profile").await.0, 500);
}

#[tokio::test]
async fn a_fault_says_how_long_to_wait_in_its_header_and_in_its_message() {
    let client = Client::start().await;
    let message = "User-rate limit exceeded.  Retry after 2030-01-01T00:00:00.000Z";
    let limit =
        Fault { retry_after: Some(7), message: Some(message.into()), ..fault("getProfile", 429) };
    client.google.admin.add_fault(limit);
    let url = format!("{}/gmail/v1/users/me/profile", client.google.url);
    let answer = client.http.get(url).bearer_auth(&client.access_token).send().await.unwrap();
    assert_eq!(answer.headers()["retry-after"], "7");
    assert!(
        answer.headers().contains_key("date"),
        "what the moment in the message is compared with"
    );
    let body: serde_json::Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    assert_eq!((&body["error"]["message"], reason(&body)), (&json!(message), "rateLimitExceeded"));
}

#[tokio::test]
async fn a_fault_may_be_for_one_message_only() {
    let client = Client::start().await;
    let ids = [client.mail("one"), client.mail("two")];
    client.google.admin.add_fault(Fault {
        message_id: Some(ids[0].clone()),
        times: 0,
        ..fault("messages.get", 500)
    });
    for expected in [(500, 200), (500, 200)] {
        let statuses = (
            client.get(&format!("messages/{}", ids[0])).await.0,
            client.get(&format!("messages/{}", ids[1])).await.0,
        );
        assert_eq!(statuses, expected);
    }
    client.google.admin.clear_faults();
    assert_eq!(client.get(&format!("messages/{}", ids[0])).await.0, 200);
}

#[tokio::test]
async fn an_applied_fault_loses_only_the_answer() {
    let client = Client::start().await;
    let id = client.mail("one");
    client.google.admin.add_fault(Fault { applied: true, ..fault("messages.modify", 503) });
    let change = json!({ "addLabelIds": ["STARRED"] });
    assert_eq!(client.post(&format!("messages/{id}/modify"), change).await.0, 503);
    let mailbox = client.google.admin.mailbox(EMAIL).unwrap();
    assert!(mailbox.messages[0].label_ids.contains(&"STARRED".into()));
}

#[tokio::test]
async fn the_log_shows_calls_in_order_with_their_units() {
    let client = Client::start().await;
    client.google.admin.clear_calls();
    client.get("profile").await;
    client.get("history?startHistoryId=1000").await;
    client.watch().await;
    let (_, log) = read(client.http.get(format!("{}/admin/calls", client.google.url))).await;
    let shown: Vec<_> = log
        .as_array()
        .unwrap()
        .iter()
        .map(|call| (call["method"].as_str().unwrap(), &call["units"]))
        .collect();
    assert_eq!(
        shown,
        [("getProfile", &json!(1)), ("history.list", &json!(2)), ("watch", &json!(100))]
    );
    assert_eq!(log[1]["path"], "/gmail/v1/users/me/history?startHistoryId=1000");
}
