//! The Lambda handlers: the partial batch response, and the webhook's answers.

use aws_lambda_events::sqs::{SqsEvent, SqsMessage};
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use email_connectors::domain::body::LONGEST_BODY;
use email_connectors::domain::wake_up::{Kind, WakeUp};
use pubsub_webhook::{Webhook, router};
use serde_json::{Value, json};
use tests::world::{Call, Mail, When};
use tower::ServiceExt;

use tests::stage::{Scene, Stage, subjects};

const LEGACY_TOKEN: &str = "a-long-channel-token";

fn batch(bodies: &[&str]) -> SqsEvent {
    let message = |(number, body): (usize, &&str)| {
        let mut message = SqsMessage::default();
        message.message_id = Some(format!("message-{number}"));
        message.body = Some(body.to_string());
        message
    };
    let mut event = SqsEvent::default();
    event.records = bodies.iter().enumerate().map(message).collect();
    event
}

async fn failed(stage: &Stage, bodies: &[&str]) -> Vec<String> {
    let response = history_processor::handle(
        &stage.processing(),
        &stage.world.quarantine(),
        batch(bodies),
        stage.world.now(),
    )
    .await;
    let mut failed: Vec<String> =
        response.batch_item_failures.into_iter().map(|failure| failure.item_identifier).collect();
    failed.sort();
    failed
}

fn text(wake_up: &WakeUp) -> String {
    serde_json::to_string(wake_up).expect("a wake-up is JSON")
}

#[tokio::test]
async fn a_mailbox_that_fails_comes_back_whole_and_takes_no_other_with_it() {
    let scene = Scene::new().await;
    let stage = &scene.stage;
    let bob = stage.world.account("bob@example.com");
    let connector = stage.connect("other", &bob).await;
    stage.trigger(&connector, json!({})).await;
    scene.deliver(&["for ada"]);
    bob.deliver(Mail::new("for bob"));
    let bobs = text(&WakeUp::own(Kind::Sync, bob.address(), stage.world.now()));
    let adas = [text(&scene.push()), text(&scene.own(Kind::Due))];
    // Ada's mailbox is handled first, in the order of addresses.
    stage.world.fail(Call::Commit, When::Before, 1);

    let failed = failed(stage, &[&adas[0], &bobs, &adas[1], "not a wake-up"]).await;

    assert_eq!(failed, ["message-0", "message-2"]);
    assert_eq!(subjects(&stage.fired()), ["for bob"]);
    assert_eq!(stage.world.quarantine().kept().len(), 1);
}

#[tokio::test]
async fn several_wake_ups_of_a_mailbox_are_one_look() {
    let scene = Scene::new().await;
    scene.deliver(&["one", "two"]);
    let wake_ups = [text(&scene.push()), text(&scene.push_of(scene.cursor())), text(&scene.push())];
    assert_eq!(
        failed(&scene.stage, &[&wake_ups[0], &wake_ups[1], &wake_ups[2]]).await,
        Vec::<String>::new()
    );
    assert_eq!(scene.stage.calls_of(&["gmail.history"]).len(), 1);
    assert_eq!(scene.stage.fired().len(), 2);
}

#[tokio::test]
async fn many_mailboxes_are_handled_side_by_side_and_each_by_one_look() {
    let scene = Scene::new().await;
    let stage = &scene.stage;
    scene.deliver(&["for Ada"]);
    let mut bodies = vec![text(&scene.push()), text(&scene.own(Kind::Due))];
    for number in 0..9 {
        let account = stage.world.account(&format!("user{number}@example.com"));
        let connector = stage.connect(&format!("owner-{number}"), &account).await;
        stage.trigger(&connector, json!({})).await;
        account.deliver(Mail::new("for another"));
        bodies.push(text(&WakeUp::own(Kind::Sync, account.address(), stage.world.now())));
    }
    stage.forget_calls();
    // Ada's mailbox, the first one, waits at the gate until the others are done.
    let gate = stage.world.hold(Call::History, When::Before, 1);
    let bodies: Vec<&str> = bodies.iter().map(String::as_str).collect();
    let (failed, calls) = tokio::join!(failed(stage, &bodies), async {
        assert_eq!(
            subjects(&stage.fired()),
            ["for another"; 9],
            "no other mailbox waits for Ada's"
        );
        let calls = stage.calls_of(&["store.mailbox ada"]);
        gate.open();
        calls
    });
    assert_eq!(
        (failed, calls.len()),
        (Vec::new(), 1),
        "two wake-ups of one mailbox are never handled at once"
    );
    assert_eq!(stage.calls_of(&["store.mailbox"]), Vec::<String>::new());
    assert_eq!(stage.fired().len(), 10);
}

#[tokio::test]
async fn what_cannot_be_quarantined_comes_back() {
    let stage = Stage::new();
    stage.world.fail(Call::Keep, When::Before, 1);
    assert_eq!(failed(&stage, &["{}"]).await, ["message-0"]);
}

/// The webhook's answer: status, body, and whether it has Retry-After.
async fn answer(
    stage: &Stage,
    legacy_token: Option<&str>,
    path: &str,
    headers: &[(&str, &str)],
    body: Vec<u8>,
) -> (StatusCode, Value, bool) {
    let webhook = Webhook {
        receive: Some(stage.receiving()),
        notified: stage.notified(),
        legacy_token: legacy_token.map(Into::into),
        clock: stage.world.machine(),
    };
    let request = headers
        .iter()
        .fold(Request::post(path), |request, (name, value)| request.header(*name, *value));
    let response = router(webhook)
        .oneshot(request.body(Body::from(body)).expect("a request"))
        .await
        .expect("an answer");
    let (status, retry) = (response.status(), response.headers().contains_key("retry-after"));
    let body = to_bytes(response.into_body(), LONGEST_BODY).await.expect("a body");
    (status, serde_json::from_slice(&body).unwrap_or_default(), retry)
}

#[tokio::test]
async fn the_legacy_route_is_off_or_wants_its_token() {
    let path = "/api/email/webhook/google";
    let notification =
        json!({"emailAddress": "ada@example.com", "historyId": 7}).to_string().into_bytes();
    let number = ("x-goog-message-number", "3");
    let off: Option<&str> = None;
    let table = [
        ("off", off, vec![number, ("x-goog-channel-token", LEGACY_TOKEN)], 404),
        ("no token", Some(LEGACY_TOKEN), vec![number], 401),
        (
            "a wrong token",
            Some(LEGACY_TOKEN),
            vec![number, ("x-goog-channel-token", "a-long-channel-tokem")],
            401,
        ),
        ("an empty token", Some(LEGACY_TOKEN), vec![number, ("x-goog-channel-token", "")], 401),
        ("no number", Some(LEGACY_TOKEN), vec![("x-goog-channel-token", LEGACY_TOKEN)], 400),
        ("good", Some(LEGACY_TOKEN), vec![number, ("x-goog-channel-token", LEGACY_TOKEN)], 202),
    ];
    for (case, configured, headers, expected) in table {
        let stage = Stage::new();
        let (status, ..) = answer(&stage, configured, path, &headers, notification.clone()).await;
        assert_eq!(status, expected, "{case}");
        assert_eq!(stage.world.wake_ups().queued().len(), usize::from(expected == 202), "{case}");
    }
}

#[tokio::test]
async fn a_legacy_notification_counts_once_for_its_number() {
    let stage = Stage::new();
    let notification =
        json!({"emailAddress": "ada@example.com", "historyId": 7}).to_string().into_bytes();
    for number in ["3", "3", "4"] {
        let headers = [("x-goog-message-number", number), ("x-goog-channel-token", LEGACY_TOKEN)];
        let (status, ..) = answer(
            &stage,
            Some(LEGACY_TOKEN),
            "/api/email/webhook/google",
            &headers,
            notification.clone(),
        )
        .await;
        assert_eq!(status, StatusCode::ACCEPTED);
    }
    assert_eq!(stage.world.wake_ups().queued().len(), 2);
}

#[tokio::test]
async fn a_passing_failure_answers_retry_after_and_a_strangers_too_long_body_is_refused() {
    let path = "/api/email/webhook/google/pubsub";
    let stage = Stage::new();
    let (status, problem, _) =
        answer(&stage, None, path, &[("authorization", "Bearer a")], vec![b' '; LONGEST_BODY + 1])
            .await;
    assert_eq!(
        (status, &problem["code"]),
        (StatusCode::PAYLOAD_TOO_LARGE, &json!("body_too_large"))
    );
    assert_eq!(stage.calls(), ["tokens.verify"]);

    stage.world.fail(Call::Verify, When::Before, 1);
    let (status, problem, retry) =
        answer(&stage, None, path, &[("authorization", "Bearer a")], vec![]).await;
    assert_eq!(
        (status, &problem["code"], retry),
        (StatusCode::SERVICE_UNAVAILABLE, &json!("keys_unavailable"), true)
    );

    let (status, problem, _) =
        answer(&stage, None, "/api/email/webhook/elsewhere", &[], vec![]).await;
    assert_eq!((status, &problem["code"]), (StatusCode::NOT_FOUND, &json!("not_found")));
}
