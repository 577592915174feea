//! Mail becomes events: one for each.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use email_connectors::adapters::system::System;
use email_connectors::ports::{Clock, Entropy};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use tests::deployed::{Stack, User, read};

fn ids(events: &[Value]) -> Vec<String> {
    let mut ids: Vec<String> =
        events.iter().map(|event| event["event_id"].as_str().unwrap().to_string()).collect();
    ids.sort();
    ids
}

#[tokio::test]
async fn a_mail_becomes_one_event_that_describes_it() {
    let stack = Stack::running();
    let user = User::connected(&stack, "ada").await;
    // Waits until the connect's own wake-ups were handled, so that the mail is found by its push.
    assert_eq!(user.rest(&stack).await, Vec::<Value>::new());
    let invoice = json!({"from": "Billing <pay@shop.example>", "to": "Ada <ada@example.com>", "subject": "Your invoice", "text": "Please pay."});
    let message = user.receive(&stack, invoice).await;
    user.receive(&stack, json!({"subject": "Lunch?"})).await;
    user.receive(&stack, json!({"subject": "Draft of an invoice", "label_ids": ["DRAFT"]})).await;

    let mut events = stack.events(&user.owner, 1).await;
    events.extend(user.rest(&stack).await);

    assert_eq!(ids(&events), [user.event_id(&message)]);
    let event = &events[0];
    assert_eq!(event["schema_version"], 1);
    assert_eq!(
        event["trigger"],
        json!({"id": user.trigger, "type": "email", "agent_id": "agent-7"})
    );
    assert_eq!(
        event["connector"],
        json!({"id": user.connector, "provider": "gmail", "email_address": user.email})
    );
    assert_eq!(event["message"]["id"], message);
    assert_eq!(event["message"]["from"], json!({"name": "Billing", "address": "pay@shop.example"}));
    assert_eq!(event["message"]["subject"], "Your invoice");
    assert!(event["message"].get("body").is_none(), "an event carries no body");
    assert!(event["correlation"]["pubsub_message_id"].is_string(), "{event}");
    let connector = user.connector(&stack).await;
    assert!(connector["last_event_at"].is_string(), "{connector}");
    assert_eq!(stack.google(Method::GET, "/admin/violations", Value::Null).await, json!([]));
}

/// A subscription with a dead-letter topic sends `deliveryAttempt`; an invalid value does not make
/// a push invalid.
#[tokio::test]
async fn a_push_that_comes_again_is_taken_again_and_fires_nothing_more() {
    let stack = Stack::running();
    let user = User::connected(&stack, "ada").await;
    let message = user.receive(&stack, json!({"subject": "Your invoice"})).await;
    assert_eq!(ids(&stack.events(&user.owner, 1).await), [user.event_id(&message)]);
    let data =
        BASE64_STANDARD.encode(json!({"emailAddress": user.email, "historyId": 1}).to_string());
    let token = stack.push_token(json!({})).await;
    for attempt in [json!(2), json!(-1), json!("many"), json!(null)] {
        let id = System.uuid(System.now()).to_string();
        let message = json!({"data": data, "messageId": id, "publishTime": "2026-01-01T00:00:00Z"});
        let body = json!({"message": message, "subscription": "projects/example-project/subscriptions/gmail", "deliveryAttempt": attempt});
        assert_eq!(
            stack.push(Some(&token), body.to_string()).await.status(),
            StatusCode::ACCEPTED,
            "{body}"
        );
    }
    assert_eq!(user.rest(&stack).await, Vec::<Value>::new());
}

#[tokio::test]
async fn a_forged_history_id_moves_no_cursor_and_hides_no_mail() {
    let stack = Stack::running();
    let user = User::connected(&stack, "ada").await;
    let message = user.receive(&stack, json!({"subject": "first invoice"})).await;
    assert_eq!(ids(&stack.events(&user.owner, 1).await), [user.event_id(&message)]);

    let data = BASE64_STANDARD
        .encode(json!({"emailAddress": user.email, "historyId": u64::MAX}).to_string());
    let body = json!({"message": {"data": data, "messageId": format!("forged-{}", user.owner)}, "subscription": "projects/example-project/subscriptions/gmail"});
    let response = stack.push(Some(&stack.push_token(json!({})).await), body.to_string()).await;
    assert_eq!(response.status(), StatusCode::ACCEPTED);
    // The forged wake-up is handled first: this mail's wake-up is behind it in the mailbox's
    // message group.
    let message = user.receive(&stack, json!({"subject": "second invoice"})).await;
    assert_eq!(ids(&stack.events(&user.owner, 1).await), [user.event_id(&message)]);
    let followed = async || {
        let cursor = user.connector(&stack).await["history_id"].clone();
        let mailbox = stack
            .google(Method::GET, &format!("/admin/mailboxes/{}", user.email), Value::Null)
            .await;
        (cursor == mailbox["history_id"]).then_some(())
    };
    stack.until("a cursor that is the mailbox's", followed).await;
}

#[tokio::test]
async fn a_malformed_push_is_acknowledged_and_kept_for_a_human() {
    let stack = Stack::running();
    let token = stack.push_token(json!({})).await;
    let id = System.uuid(System.now()).to_string();
    let body = json!({"message": {"data": "%%%", "messageId": id}, "subscription": "projects/example-project/subscriptions/gmail"});
    assert_eq!(stack.push(Some(&token), body.to_string()).await.status(), StatusCode::ACCEPTED);
    assert_eq!(stack.quarantined(&id).await, body.to_string());
}

#[tokio::test]
async fn an_unreadable_queue_message_is_recorded_and_deleted() {
    let stack = Stack::running();
    let sqs = stack.sqs().await;
    let (id, group) = (System.uuid(System.now()).to_string(), "odd");
    let body = format!("not a wake-up: {id}");
    let request = sqs.send_message().queue_url(&stack.notification_queue_url).message_body(&body);
    request.message_group_id(group).message_deduplication_id(&id).send().await.unwrap();
    assert_eq!(stack.quarantined(&id).await, body);
}

#[tokio::test]
async fn a_push_that_is_not_ours_is_refused() {
    let stack = Stack::running();
    let id = System.uuid(System.now()).to_string();
    let body = json!({"message": {"data": "e30=", "messageId": id}, "subscription": "projects/example-project/subscriptions/gmail"});
    let other = json!({"message": {"data": "e30=", "messageId": id}, "subscription": "projects/other/subscriptions/gmail"});
    let table = [
        ("no token", None, &body, StatusCode::UNAUTHORIZED),
        (
            "another audience",
            Some(json!({"aud": "https://other.example"})),
            &body,
            StatusCode::UNAUTHORIZED,
        ),
        ("expired", Some(json!({"exp": 1_700_000_000})), &body, StatusCode::UNAUTHORIZED),
        (
            "another service account",
            Some(json!({"email": "other@example.iam.gserviceaccount.com"})),
            &body,
            StatusCode::FORBIDDEN,
        ),
        (
            "an unverified email",
            Some(json!({"email_verified": false})),
            &body,
            StatusCode::FORBIDDEN,
        ),
        ("another subscription", Some(json!({})), &other, StatusCode::FORBIDDEN),
    ];
    for (case, claims, body, expected) in table {
        let token = match claims {
            Some(claims) => Some(stack.push_token(claims).await),
            None => None,
        };
        let response = stack.push(token.as_deref(), body.to_string()).await;
        assert_eq!(response.status(), expected, "{case}");
        let problem = read(response, expected).await;
        assert!(
            problem["code"].is_string() && problem["status"] == expected.as_u16(),
            "{case}: {problem}"
        );
    }
    assert!(
        stack.all_quarantined().await.iter().all(|kept| !kept.contains(&id)),
        "what is refused is not kept"
    );
    let legacy = stack.api(Method::POST, "/api/email/webhook/google", None, Some(json!({}))).await;
    assert_eq!(
        legacy.status(),
        StatusCode::NOT_FOUND,
        "the legacy route is off unless its token is set"
    );
}
