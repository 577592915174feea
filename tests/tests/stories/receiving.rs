//! A push arrives: nothing is acknowledged before the queue has it.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use email_connectors::domain::mark::Mark;
use email_connectors::domain::provider::gmail::push::Malformed;
use email_connectors::domain::wake_up::Kind;
use email_connectors::flows::receive::{PushError, Received};
use email_connectors::ports::TokenError;
use serde_json::{Value, json};
use tests::world::{Call, DEDUPLICATION, When};

use tests::stage::{PUSH_ACCOUNT, PUSH_AUDIENCE, SUBSCRIPTION, Scene, Stage, subjects};

fn body(message_id: &str, history_id: Value) -> Vec<u8> {
    let data = json!({"emailAddress": "Ada@Example.com", "historyId": history_id}).to_string();
    envelope(message_id, &BASE64_STANDARD.encode(data), SUBSCRIPTION)
}

fn envelope(message_id: &str, data: &str, subscription: &str) -> Vec<u8> {
    let message = json!({"data": data, "messageId": message_id, "message_id": message_id, "publishTime": "2030-01-01T00:00:00Z"});
    json!({"message": message, "subscription": subscription}).to_string().into_bytes()
}

fn token(stage: &Stage, changed: &str, to: Value) -> String {
    let now = stage.world.now().seconds();
    let mut claims = json!({"iss": "https://accounts.google.com", "aud": PUSH_AUDIENCE, "email": PUSH_ACCOUNT, "email_verified": true,
        "iat": now, "exp": now + 3600});
    claims[changed] = to;
    stage.world.verifier().issue(claims)
}

fn good_token(stage: &Stage) -> String {
    token(stage, "azp", json!("1"))
}

async fn push(stage: &Stage, body: &[u8]) -> Result<Received, PushError> {
    let token = good_token(stage);
    stage.receiving().push(Some(&token), body, stage.world.now()).await
}

#[tokio::test]
async fn a_push_is_in_the_queue_before_it_is_acknowledged() {
    let stage = Stage::new();
    let gate = stage.world.hold(Call::Send, When::After, 1);
    let body = body("pubsub-7", json!(u64::MAX));
    let (received, queued) = tokio::join!(push(&stage, &body), async {
        let queued = stage.world.wake_ups().queued();
        gate.open();
        queued
    });
    assert!(matches!(received.unwrap(), Received::Queued(_)));
    assert_eq!(stage.calls(), ["tokens.verify", "queue.send push ada@example.com"]);
    let [wake_up] = queued.try_into().expect("one wake-up");
    assert_eq!((wake_up.kind, wake_up.mark), (Kind::Push, Some(Mark::new(u64::MAX))));
    assert_eq!(wake_up.mailbox.as_str(), "ada@example.com");
    assert_eq!(wake_up.correlation.pubsub_message_id.as_deref(), Some("pubsub-7"));
}

#[tokio::test]
async fn a_queue_that_is_down_answers_503_and_pubsub_pushes_again() {
    let stage = Stage::new();
    stage.world.fail(Call::Send, When::Before, 1);
    let refused = push(&stage, &body("pubsub-7", json!("1007"))).await;
    assert!(matches!(refused, Err(PushError::Queue(_))), "{refused:?}");
    assert_eq!(stage.world.wake_ups().queued(), []);
    assert!(matches!(
        push(&stage, &body("pubsub-7", json!("1007"))).await.unwrap(),
        Received::Queued(_)
    ));
    assert_eq!(stage.world.wake_ups().queued().len(), 1);
}

#[tokio::test]
async fn a_push_that_is_delivered_twice_wakes_once() {
    let stage = Stage::new();
    for _ in 0..2 {
        assert!(matches!(
            push(&stage, &body("pubsub-7", json!("1007"))).await.unwrap(),
            Received::Queued(_)
        ));
    }
    assert_eq!(stage.world.wake_ups().queued().len(), 1);
    push(&stage, &body("pubsub-8", json!("1007"))).await.unwrap();
    assert_eq!(stage.world.wake_ups().queued().len(), 2);
    stage.world.pass(DEDUPLICATION);
    push(&stage, &body("pubsub-7", json!("1007"))).await.unwrap();
    assert_eq!(
        stage.world.wake_ups().queued().len(),
        3,
        "later than the queue remembers it costs one read"
    );
}

#[tokio::test]
async fn an_unreadable_push_is_set_aside_and_acknowledged() {
    let stage = Stage::new();
    let table = [
        (b"not json".to_vec(), "NotAnEnvelope"),
        (envelope("pubsub-7", "%%%", SUBSCRIPTION), "NotBase64"),
        (body("pubsub-7", json!("-1")), "NotANotification"),
        (body("", json!("1007")), "NoMessageId"),
    ];
    for (unreadable, expected) in &table {
        let received = push(&stage, unreadable).await.unwrap();
        assert!(
            matches!(&received, Received::Quarantined(why) if format!("{why:?}").starts_with(expected)),
            "{received:?}"
        );
    }
    let kept: Vec<_> =
        stage.world.quarantine().kept().into_iter().map(|(body, _)| body.into_bytes()).collect();
    assert_eq!(kept, table.map(|(body, _)| body));
    assert_eq!(stage.world.wake_ups().queued(), []);
}

#[tokio::test]
async fn what_could_not_be_set_aside_is_not_acknowledged() {
    let stage = Stage::new();
    stage.world.fail(Call::Keep, When::Before, 1);
    let refused = push(&stage, b"not json").await;
    assert!(matches!(refused, Err(PushError::Queue(_))), "{refused:?}");
}

#[tokio::test]
async fn another_subscription_is_refused() {
    let stage = Stage::new();
    let data = BASE64_STANDARD.encode(r#"{"emailAddress":"ada@example.com","historyId":1007}"#);
    for subscription in ["projects/example-project/subscriptions/other", "gmail", ""] {
        let refused = push(&stage, &envelope("pubsub-7", &data, subscription)).await;
        assert!(matches!(refused, Err(PushError::OtherSubscription)), "{refused:?}");
    }
    assert!(stage.calls_of(&["queue", "quarantine"]).is_empty());
}

#[tokio::test]
async fn who_is_not_our_pusher_is_refused_before_the_body_is_read() {
    let stage = Stage::new();
    let body = body("pubsub-7", json!("1007"));
    let now = stage.world.now();
    let table = [
        ("iss", json!("https://evil.example")),
        ("aud", json!("https://connectors.example.com/other")),
        ("email", json!("somebody@example.com")),
        ("email_verified", json!(false)),
        ("exp", json!(now.seconds() - 3600)),
    ];
    for (claim, value) in table {
        let token = token(&stage, claim, value);
        let refused = stage.receiving().push(Some(&token), &body, now).await;
        assert!(matches!(refused, Err(PushError::Refused(_))), "{claim}: {refused:?}");
    }
    assert!(matches!(stage.receiving().push(None, &body, now).await, Err(PushError::NoToken)));
    assert!(matches!(
        stage.receiving().push(Some("forged"), &body, now).await,
        Err(PushError::Token(_))
    ));
    assert!(matches!(
        stage.receiving().push(Some("forged"), b"not json", now).await,
        Err(PushError::Token(_))
    ));
    assert!(stage.calls_of(&["queue", "quarantine"]).is_empty());
}

#[tokio::test]
async fn keys_that_cannot_be_fetched_are_no_refusal_of_the_token() {
    let stage = Stage::new();
    stage.world.fail(Call::Verify, When::Before, 1);
    let refused = push(&stage, &body("pubsub-7", json!("1007"))).await;
    assert!(
        matches!(refused, Err(PushError::Token(TokenError::KeysUnavailable(_)))),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_legacy_notification_wakes_once_for_each_of_its_numbers() {
    let stage = Stage::new();
    let now = stage.world.now();
    let body = br#"{"emailAddress":"ada@example.com","historyId":"1007"}"#;
    for number in ["1", "1", "2"] {
        assert!(matches!(
            stage.receiving().legacy(number, body, now).await.unwrap(),
            Received::Queued(_)
        ));
    }
    let queued = stage.world.wake_ups().queued();
    assert_eq!(queued.len(), 2);
    assert_eq!(queued[0].correlation.pubsub_message_id, None);
    let unreadable = stage.receiving().legacy("3", b"{}", now).await.unwrap();
    assert!(matches!(unreadable, Received::Quarantined(Malformed::NotANotification(_))));
    assert_eq!(stage.world.quarantine().kept().len(), 1);
}

#[tokio::test]
async fn a_mail_is_pushed_queued_and_fired() {
    let scene = Scene::new().await;
    scene.deliver(&["All the way"]);
    push(&scene.stage, &body("pubsub-7", json!(scene.ada.history_id().value()))).await.unwrap();
    scene.stage.work().await;
    assert_eq!(subjects(&scene.stage.fired()), ["All the way"]);
}
