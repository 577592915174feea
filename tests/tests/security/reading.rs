//! The body of a push: unreadable, in every encoding, sent twice, and while the queue is down.

use base64::Engine;
use base64::prelude::{
    BASE64_STANDARD, BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE, BASE64_URL_SAFE_NO_PAD,
};
use serde_json::{Value, json};
use tests::deployed::User;
use tests::stage::SUBSCRIPTION;
use tests::world::{Call, When};

use crate::security::case::Case;
use crate::security::forge::{self, NOBODY};
use crate::security::target::{Target, status, summary};
use tests::inside::Options;

#[tokio::test]
async fn case_14_what_nobody_can_read() {
    let mut case = Case::new(14, "webhook: a valid token and an unreadable body");
    for target in Target::all().await {
        let (name, good) = (target.name, target.good_token().await);
        let of_id = |id: &str| {
            forge::push_of(&format!(r#"{{"emailAddress":"{NOBODY}","historyId":{id}}}"#))
        };
        let message =
            |message: Value| json!({"message": message, "subscription": SUBSCRIPTION}).to_string();
        let bodies = [
            ("not JSON", "<html>".to_string()),
            ("empty", String::new()),
            ("not an envelope", "{}".into()),
            ("no data", message(json!({"messageId": forge::unique()}))),
            ("no message id", message(json!({"data": BASE64_STANDARD.encode("{}")}))),
            ("bad base64", forge::enveloped("%%%", &forge::unique(), SUBSCRIPTION)),
            ("data that is not a notification", forge::push_of("[]")),
            ("an invalid address", forge::push_of(r#"{"emailAddress":"nobody","historyId":7}"#)),
            ("historyId negative", of_id("-7")),
            ("historyId a float", of_id("7.5")),
            ("historyId over u64", of_id("18446744073709551616")),
            ("historyId over u64, as text", of_id(r#""18446744073709551616""#)),
        ];
        let mut expected: Vec<String> = Vec::new();
        for (what, body) in bodies {
            case.check(
                format!("{name}: {what}"),
                202,
                status(&target.stack.push(Some(&good), body.clone()).await),
            );
            expected.push(body);
        }
        let count = expected.len();
        case.check(
            format!("{name}: counted as malformed"),
            count as u64,
            target.counted_to("PushMalformed", count as u64).await,
        );
        let mut kept = target.quarantined().await;
        kept.sort();
        // SQS accepts no empty message: for an empty body, the quarantine has only the reason.
        expected.sort();
        let found = expected
            .iter()
            .filter(|body| kept.iter().any(|kept| kept == *body || kept.contains(body.as_str())))
            .count();
        case.check(format!("{name}: bodies in the quarantine"), count, found);
        case.check(format!("{name}: messages in the quarantine"), count, kept.len());
        case.check(format!("{name}: queued as wake-ups"), 0, target.queued(0).await);
    }
}

/// One notification in every encoding that a push may have. Its padding makes base64 and base64url
/// differ.
fn spellings(email: &str) -> Vec<(&'static str, String)> {
    let texts = [
        (
            "number",
            format!(
                r#"{{"emailAddress":"{email}","historyId":18446744073709551615,"a":">>>???"}}"#
            ),
        ),
        (
            "text",
            format!(
                r#"{{"emailAddress":"{email}","historyId":"18446744073709551615","a":">>>???"}}"#
            ),
        ),
    ];
    let mut spellings = Vec::new();
    for (kind, json) in texts {
        for (alphabet, data) in [
            ("base64", BASE64_STANDARD.encode(&json)),
            ("base64 without padding", BASE64_STANDARD_NO_PAD.encode(&json)),
            ("base64url", BASE64_URL_SAFE.encode(&json)),
            ("base64url without padding", BASE64_URL_SAFE_NO_PAD.encode(&json)),
        ] {
            let what = Box::leak(format!("{kind}, {alphabet}").into_boxed_str());
            spellings.push((&*what, data));
        }
    }
    spellings
}

#[tokio::test]
async fn case_15_every_spelling_of_a_notification() {
    let mut case = Case::new(
        15,
        "webhook: base64 and base64url, padded or not; historyId as number and as text",
    );
    let target = Target::inside_with(Options { queue_only: true, ..Options::default() }).await;
    let good = target.good_token().await;
    for (what, data) in spellings(NOBODY) {
        let body = forge::enveloped(&data, &forge::unique(), SUBSCRIPTION);
        case.check(
            format!("{}: {what}", target.name),
            202,
            status(&target.stack.push(Some(&good), body).await),
        );
        let queued = target.inside.as_ref().unwrap().world.wake_ups().queued();
        let id = queued.last().and_then(|wake_up| wake_up.mark).map(|id| id.to_string());
        case.check(
            format!("{}: {what}, as queued", target.name),
            "18446744073709551615".to_string(),
            id.unwrap_or_default(),
        );
    }
    let Some(target) = Target::deployed().await else { return };
    let user = User::connected(&target.stack, "spelling").await;
    let good = target.good_token().await;
    target.idle().await;
    for (what, data) in spellings(&user.email) {
        user.receive(&target.stack, json!({"subject": "invoice", "silent": true})).await;
        let id = forge::unique();
        let body = forge::enveloped(&data, &id, SUBSCRIPTION);
        case.check(
            format!("deployed: {what}"),
            202,
            status(&target.stack.push(Some(&good), body).await),
        );
        let fired = target.fired(&user.owner, 1).await;
        let exact = json!({"pubsub_message_id": id, "history_id": "18446744073709551615"});
        let correlation = fired.first().map_or(Value::Null, |event| event["correlation"].clone());
        case.check(format!("deployed: {what}, as the event correlates it"), exact, correlation);
    }
}

#[tokio::test]
async fn case_16_the_same_push_again() {
    let mut case = Case::new(16, "webhook: the same messageId twice; a captured request replayed");
    for target in Target::all().await {
        let (name, user, good) = (
            target.name,
            User::connected(&target.stack, "replay").await,
            target.good_token().await,
        );
        target.idle().await;
        let message =
            user.receive(&target.stack, json!({"subject": "invoice", "silent": true})).await;
        let history_id = target.history_id(&user.email).await;
        let captured = forge::push(&user.email, json!(history_id));
        target.forget_calls().await;
        for what in ["first", "again at once"] {
            case.check(
                format!("{name}: {what}"),
                202,
                status(&target.stack.push(Some(&good), captured.clone()).await),
            );
        }
        let fired = target.fired(&user.owner, 1).await;
        case.check(format!("{name}: events of the mail"), 1, fired.len());
        let id = fired
            .first()
            .map(|event| event["message"]["id"].as_str().unwrap_or_default().to_string());
        case.check(format!("{name}: it is about the mail"), message, id.unwrap_or_default());
        case.check(
            format!("{name}: listings caused by both"),
            1,
            target.called_for(&user.email, "history.list").await,
        );
        let mut answers = Vec::new();
        for body in [
            captured.clone(),
            forge::push(&user.email, json!(history_id)),
            forge::push(&user.email, json!(1)),
        ] {
            answers.push(status(&target.stack.push(Some(&good), body).await).to_string());
        }
        case.check(
            format!("{name}: replayed later; under another message id; with an old id"),
            "202 202 202".to_string(),
            answers.join(" "),
        );
        target.idle().await;
        let more = match target.inside {
            Some(_) => target.fired(&user.owner, 1).await.len() - 1,
            None => target.fired(&user.owner, 0).await.len(),
        };
        case.check(format!("{name}: further events"), 0, more);
    }
}

#[tokio::test]
async fn case_17_a_queue_that_refuses_or_does_not_answer() {
    let mut case = Case::new(17, "webhook: SQS refuses or times out");
    let target = Target::inside_with(Options { queue_only: true, ..Options::default() }).await;
    let (world, good) = (target.inside.as_ref().unwrap().world.clone(), target.good_token().await);
    for (what, call, when, body) in [
        ("the queue refuses", Call::Send, When::Before, forge::nobodys_push()),
        ("the queue's answer is lost", Call::Send, When::After, forge::nobodys_push()),
        ("the quarantine refuses", Call::Keep, When::Before, "not JSON".into()),
    ] {
        world.fail(call, when, 1);
        let response = target.stack.push(Some(&good), body).await;
        let later = response.headers().contains_key("retry-after");
        case.check(
            format!("{}: {what}", target.name),
            "503 queue_unavailable".to_string(),
            summary(response).await,
        );
        case.check(format!("{}: {what}, with Retry-After", target.name), true, later);
    }
    // The webhook must not answer before the queue has the message.
    let gate = world.hold(Call::Send, When::Before, 1);
    let body = forge::nobodys_push();
    let mut answer = std::pin::pin!(target.stack.push(Some(&good), body));
    let early =
        tokio::time::timeout(std::time::Duration::from_millis(300), &mut answer).await.is_ok();
    case.check(format!("{}: an answer before the queue has it", target.name), false, early);
    gate.open();
    case.check(
        format!("{}: the answer once the queue has it", target.name),
        202,
        status(&answer.await),
    );
}
