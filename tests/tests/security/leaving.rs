//! An owner erases everything: what is deleted at once, and what the answer says remains elsewhere.

use aws_sdk_dynamodb::types::AttributeValue;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tests::deployed::{User, read};
use tests::template;

use crate::security::case::Case;
use crate::security::connecting::CONNECT;
use crate::security::forge::unique;
use crate::security::target::{Target, status};

/// The rows in an owner's own partition.
async fn rows(target: &Target, owner: &str) -> usize {
    if let Some(inside) = &target.inside {
        return inside.world.rows_of(owner);
    }
    let table = aws_sdk_dynamodb::Client::new(&target.stack.config().await);
    let query = table
        .query()
        .table_name(&target.stack.table)
        .consistent_read(true)
        .key_condition_expression("pk = :pk");
    let answer = query
        .expression_attribute_values(":pk", AttributeValue::S(format!("OWNER#{owner}")))
        .send()
        .await
        .unwrap();
    answer.items().len()
}

async fn erase(target: &Target, user: &User) -> Value {
    target.idle().await;
    let path = "/api/owner/data";
    let answer = async || {
        let answer = read(
            target.stack.api(Method::DELETE, path, Some(&user.token), None).await,
            StatusCode::OK,
        )
        .await;
        (answer["data_purged"] == true).then_some(answer)
    };
    target.stack.until("an owner without data", answer).await
}

/// Starts a consent and sends a draft under an idempotency key: each leaves a row.
async fn leave_rows(target: &Target, user: &User) -> Vec<u16> {
    let start =
        target.stack.api(Method::GET, &format!("{CONNECT}/start"), Some(&user.token), None).await;
    let drafts = format!("/api/connectors/{}/drafts", user.connector);
    let request = target
        .stack
        .request(Method::POST, &drafts)
        .bearer_auth(&user.token)
        .header("idempotency-key", unique());
    let draft = target
        .stack
        .answer(request.json(&json!({"to": ["bo@example.com"], "subject": "kept for a day"})))
        .await;
    vec![status(&start), status(&draft)]
}

#[tokio::test]
async fn case_66_what_requests_left() {
    let mut case = Case::new(
        66,
        "erasure: rows that the owner's requests left are deleted too, other owners' are not",
    );
    for target in Target::all().await {
        let name = target.name;
        let (user, other) = (
            User::connected(&target.stack, "leaves").await,
            User::connected(&target.stack, "stays").await,
        );
        case.check(
            format!("{name}: requests that leave rows"),
            json!([200, 201]),
            json!(leave_rows(&target, &user).await),
        );
        leave_rows(&target, &other).await;
        let (before, kept) = (rows(&target, &user.owner).await, rows(&target, &other.owner).await);
        // Connector, slot, trigger; exchange, consent, request.
        case.note(format!("{name}: rows before"), "at least 6", before, before >= 6);
        erase(&target, &user).await;
        case.check(format!("{name}: rows after"), 0, rows(&target, &user.owner).await);
        case.check(
            format!("{name}: another owner's rows"),
            kept,
            rows(&target, &other.owner).await,
        );
        let again = erase(&target, &user).await;
        case.check(format!("{name}: erased again"), json!([]), again["connectors"].clone());
    }
}

#[tokio::test]
async fn case_67_what_remains() {
    let mut case =
        Case::new(67, "erasure: the answer names what remains elsewhere, and until when");
    let template = template::read();
    let days = |name: &str| template["Parameters"][name]["Default"].as_i64().unwrap();
    let in_queues = [
        "NotificationQueue",
        "NotificationDeadLetterQueue",
        "QuarantineQueue",
        "AgentRunQueue",
        "AgentRunDeadLetterQueue",
    ]
    .map(|queue| {
        template["Resources"][queue]["Properties"]["MessageRetentionPeriod"].as_i64().unwrap()
            / 86_400
    });
    // A message may wait in its dead-letter queue as long again.
    let expected = [
        ("queues", 2 * in_queues.into_iter().max().unwrap()),
        ("backups", 35),
        ("account_memberships", 40),
        ("event_archive", days("EventArchiveDays")),
        ("logs", days("LogRetentionDays")),
        ("audit_log", days("AuditRetentionDays")),
    ];
    for target in Target::all().await {
        let name = target.name;
        let user = User::connected(&target.stack, "remains").await;
        let mail = format!("subject {}", unique());
        user.receive(&target.stack, json!({"subject": format!("invoice {mail}")})).await;
        target.fired(&user.owner, 1).await;
        let connector = user.connector(&target.stack).await;
        let erased = erase(&target, &user).await;
        let remains = erased["remains"].as_array().cloned().unwrap_or_default();
        // The local stack is deployed without an event archive.
        let expected: Vec<_> = expected
            .into_iter()
            .filter(|(of, _)| target.inside.is_some() || *of != "event_archive")
            .collect();
        case.check(format!("{name}: places where data remains"), expected.len(), remains.len());
        let now = time::OffsetDateTime::parse(
            connector["updated_at"].as_str().unwrap(),
            &time::format_description::well_known::Rfc3339,
        );
        for (of, days) in expected {
            let until = remains
                .iter()
                .find(|left| left["place"] == of)
                .and_then(|left| left["until"].as_str());
            let until = until.and_then(|until| {
                time::OffsetDateTime::parse(until, &time::format_description::well_known::Rfc3339)
                    .ok()
            });
            let left = until.zip(now.ok()).map(|(until, now)| (until - now).whole_days());
            case.check(format!("{name}: {of}, in days"), days, left.unwrap_or_default());
        }
        let all = erased.to_string();
        case.check(
            format!("{name}: it shows subject or address"),
            false,
            all.contains(&mail) || all.contains(&user.email),
        );
    }
}
