//! Queue messages and events that none of our functions sent.

use std::collections::BTreeSet;

use aws_lambda_events::sqs::{SqsEvent, SqsMessage};
use email_connectors::domain::audit::LONGEST_TEXT;
use email_connectors::domain::email_address::EmailAddress;
use email_connectors::domain::timestamp::Timestamp;
use email_connectors::domain::wake_up::{Kind, WakeUp};
use serde_json::{Value, json};
use tests::deployed::{User, processes};
use tests::world::{Call, When};

use crate::security::case::Case;
use crate::security::forge::{NOBODY, seconds, unique};
use crate::security::target::Target;

fn wake_up(target: &Target, email: &str) -> Value {
    let now = Timestamp::from_seconds(seconds(target, 0));
    serde_json::to_value(WakeUp::own(Kind::Sync, EmailAddress::parse(email).unwrap(), now)).unwrap()
}

/// Bodies that are not wake-ups, each with a unique word.
fn unreadable(target: &Target) -> Vec<(&'static str, String)> {
    let with = |field: &str, value: Value| {
        let mut body = wake_up(target, NOBODY);
        body[field] = value;
        body["planted"] = unique().into();
        body.to_string()
    };
    vec![
        ("not JSON", format!("<html>{}", unique())),
        ("no object", json!([unique()]).to_string()),
        ("nothing of a wake-up", json!({"planted": unique()}).to_string()),
        ("nested 10,000 deep", format!("{}{}", "[".repeat(10_000), unique())),
        ("another schema", with("schema_version", json!(2))),
        ("a schema version as text", with("schema_version", json!("1"))),
        ("an unknown kind", with("kind", json!("erase"))),
        ("a kind with terminal escapes", with("kind", json!("\u{1}\u{1b}[2J\r\nplanted"))),
        ("a kind of 100 KB", with("kind", json!("x".repeat(100_000)))),
        ("no kind", with("kind", json!(null))),
        ("an invalid address", with("email_address", json!("nobody"))),
        ("a mailbox with a line end", with("email_address", json!("no\r\nbody@example.com"))),
        ("a mailbox that is a list", with("email_address", json!([NOBODY]))),
        ("a negative history id", with("history_id", json!(-1))),
        ("a history id that is a fraction", with("history_id", json!(7.5))),
        ("a history id that is an object", with("history_id", json!({}))),
        ("a correlation that is text", with("correlation", json!("x"))),
        ("a time that is text", with("published_at", json!("yesterday"))),
    ]
}

/// Sends these as one batch; returns the ids to be delivered again, which only the in-process run
/// shows.
async fn wake(target: &Target, bodies: &[String]) -> Vec<String> {
    if let Some(inside) = &target.inside {
        let mut event = SqsEvent::default();
        event.records = bodies
            .iter()
            .enumerate()
            .map(|(number, body)| message(&number.to_string(), body))
            .collect();
        let answer = inside.handle(event).await;
        return answer
            .batch_item_failures
            .into_iter()
            .map(|failure| failure.item_identifier)
            .collect();
    }
    let sqs = target.stack.sqs().await;
    for body in bodies {
        let request =
            sqs.send_message().queue_url(&target.stack.notification_queue_url).message_body(body);
        request
            .message_group_id("planted")
            .message_deduplication_id(unique())
            .send()
            .await
            .unwrap();
    }
    target.idle().await;
    Vec::new()
}

fn message(id: &str, body: &str) -> SqsMessage {
    let mut message = SqsMessage::default();
    message.message_id = Some(id.into());
    message.body = Some(body.into());
    message
}

#[tokio::test]
async fn case_91_wake_ups_that_nobody_sent() {
    let mut case =
        Case::new(91, "processor: queue messages that are not wake-ups, between valid ones");
    for target in Target::all().await {
        let (name, user) = (target.name, User::connected(&target.stack, "woken").await);
        target.idle().await;
        let mail = user.receive(&target.stack, json!({"subject": "invoice", "silent": true})).await;
        let unreadable = unreadable(&target);
        let count = unreadable.len();
        let mut bodies: Vec<String> = unreadable.iter().map(|(_, body)| body.clone()).collect();
        bodies.insert(count / 2, wake_up(&target, &user.email).to_string());
        bodies.push(wake_up(&target, NOBODY).to_string());
        let again = wake(&target, &bodies).await;
        case.check(format!("{name}: to be delivered again"), String::new(), again.join(" "));
        let fired = target.fired(&user.owner, 1).await;
        let messages: Vec<&str> =
            fired.iter().filter_map(|event| event["message"]["id"].as_str()).collect();
        case.check(
            format!("{name}: the mail of the valid wake-up fires"),
            mail,
            messages.join(" "),
        );
        let counted = target.counted_to("WakeUps/unreadable", count as u64).await;
        case.check(format!("{name}: counted as unreadable"), count as u64, counted);
        let kept: BTreeSet<String> = target.quarantined().await.into_iter().collect();
        for (what, body) in &unreadable {
            case.check(format!("{name}: {what}: set aside"), true, kept.contains(body));
        }
        let Some(inside) = &target.inside else { continue };
        let reasons = inside.world.quarantine().kept().into_iter().map(|(_, reason)| reason);
        let unfit = reasons.filter(|reason| {
            reason.is_empty()
                || reason.chars().count() > LONGEST_TEXT
                || reason.contains(char::is_control)
        });
        case.check(
            format!("{name}: reasons that the queue would not take as an attribute"),
            0,
            unfit.count(),
        );
        inside.world.fail(Call::Keep, When::Before, 1);
        let again = wake(
            &target,
            &[
                wake_up(&target, NOBODY).to_string(),
                "not JSON".into(),
                wake_up(&target, &user.email).to_string(),
            ],
        )
        .await;
        case.check(
            format!("{name}: to be delivered again while nothing can be set aside"),
            "1".to_string(),
            again.join(" "),
        );
    }
}

#[tokio::test]
async fn case_94_events_of_other_shapes() {
    let mut case = Case::new(
        94,
        "processor, renewer: events of shapes that queue and schedule never send: no process ends",
    );
    let target = Target::inside().await;
    let inside = target.inside.as_ref().unwrap();
    for (what, event, expected) in [
        ("nothing", json!(null), "not taken"),
        ("a word", json!("x"), "not taken"),
        ("a list of words", json!({"Records": ["x"]}), "not taken"),
        ("a record of null", json!({"Records": [null]}), "not taken"),
        (
            "a body that is an object",
            json!({"Records": [{"messageId": "m", "body": {"a": 1}}]}),
            "not taken",
        ),
        (
            "an id that is a number",
            json!({"Records": [{"messageId": 7, "body": "{}"}]}),
            "not taken",
        ),
        ("no record", json!({"Records": []}), "0 again, 0 unreadable"),
        ("a record of nothing", json!({"Records": [{}]}), "0 again, 1 unreadable"),
        (
            "a record without a body",
            json!({"Records": [{"messageId": "m", "body": null}]}),
            "0 again, 1 unreadable",
        ),
        (
            "an empty body",
            json!({"Records": [{"messageId": "m", "body": ""}]}),
            "0 again, 1 unreadable",
        ),
        (
            "ten records of one id",
            json!({"Records": vec![json!({"messageId": "m", "body": "x"}); 10]}),
            "0 again, 10 unreadable",
        ),
        (
            "5,000 records of nothing",
            json!({"Records": vec![json!({}); 5_000]}),
            "0 again, 5000 unreadable",
        ),
        (
            "fields of another's",
            json!({"Records": [{"messageId": "m", "eventSource": "aws:s3", "s3": {"a": [1]}, "body": "x"}]}),
            "0 again, 1 unreadable",
        ),
    ] {
        let before = target.counted("WakeUps/unreadable").await;
        let got = match serde_json::from_str::<SqsEvent>(&event.to_string()) {
            Ok(event) => {
                let again = inside.handle(event).await.batch_item_failures.len();
                format!(
                    "{again} again, {} unreadable",
                    target.counted("WakeUps/unreadable").await - before
                )
            }
            // The Lambda runtime rejects such an event before the function.
            Err(_) => "not taken".into(),
        };
        case.check(format!("processor: {what}"), expected.to_string(), got);
    }
    case.check("processor: panics", 0, target.counted("Panics").await);
    let Some(target) = Target::deployed().await else { return };
    target.stack.sweep().await;
    let before: BTreeSet<u32> = processes(&target.stack, "WatchRenewer").into_iter().collect();
    for event in [
        "null",
        "0",
        "\"x\"",
        "[]",
        "{}",
        r#"{"detail":{"erase":true},"resources":"x"}"#,
        r#"{"Records":[{"body":"x"}]}"#,
    ] {
        let answer = target.stack.tick(event).await;
        let failed = answer.headers().contains_key("x-amz-function-error");
        case.check(
            format!("deployed renewer: {event}: fails"),
            false,
            failed || !answer.status().is_success(),
        );
    }
    let after: BTreeSet<u32> = processes(&target.stack, "WatchRenewer").into_iter().collect();
    case.check("deployed renewer: processes ended", 0, before.difference(&after).count());
}
