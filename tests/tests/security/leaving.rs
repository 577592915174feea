//! An owner erases everything: what is deleted at once, and what the answer names that remains elsewhere.

use aws_sdk_dynamodb::types::AttributeValue;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tests::deployed::{User, read};
use tests::template;

use crate::security::case::Case;
use crate::security::connecting::CONNECT;
use crate::security::forge::unique;
use crate::security::place::{Place, status};

/// The rows in an owner's own partition.
async fn rows(place: &Place, owner: &str) -> usize {
    if let Some(inside) = &place.inside {
        return inside.world.rows_of(owner);
    }
    let table = aws_sdk_dynamodb::Client::new(&place.stack.config().await);
    let query = table.query().table_name(&place.stack.table).consistent_read(true).key_condition_expression("pk = :pk");
    let answer = query.expression_attribute_values(":pk", AttributeValue::S(format!("OWNER#{owner}"))).send().await.unwrap();
    answer.items().len()
}

async fn erase(place: &Place, user: &User) -> Value {
    place.idle().await;
    let path = "/api/owner/data";
    let answer = async || {
        let answer = read(place.stack.api(Method::DELETE, path, Some(&user.token), None).await, StatusCode::OK).await;
        (answer["data_purged"] == true).then_some(answer)
    };
    place.stack.until("an owner without data", answer).await
}

/// A consent under way, an exchange that led to a connector, and a request with a key: each leaves a row.
async fn leave_rows(place: &Place, user: &User) -> Vec<u16> {
    let start = place.stack.api(Method::GET, &format!("{CONNECT}/start"), Some(&user.token), None).await;
    let drafts = format!("/api/connectors/{}/drafts", user.connector);
    let request = place.stack.request(Method::POST, &drafts).bearer_auth(&user.token).header("idempotency-key", unique());
    let draft = place.stack.answer(request.json(&json!({"to": ["bo@example.com"], "subject": "kept for a day"}))).await;
    vec![status(&start), status(&draft)]
}

#[tokio::test]
async fn case_66_what_requests_left() {
    let mut case = Case::new(66, "erasure: what the owner's requests left behind goes too, and nobody else's");
    for place in Place::all().await {
        let name = place.name;
        let (user, other) = (User::connected(&place.stack, "leaves").await, User::connected(&place.stack, "stays").await);
        case.check(format!("{name}: requests that leave rows"), json!([200, 201]), json!(leave_rows(&place, &user).await));
        leave_rows(&place, &other).await;
        let (before, kept) = (rows(&place, &user.owner).await, rows(&place, &other.owner).await);
        // Connector, slot, trigger; exchange, consent, request.
        case.note(format!("{name}: rows before"), "at least 6", before, before >= 6);
        erase(&place, &user).await;
        case.check(format!("{name}: rows after"), 0, rows(&place, &user.owner).await);
        case.check(format!("{name}: another owner's rows"), kept, rows(&place, &other.owner).await);
        let again = erase(&place, &user).await;
        case.check(format!("{name}: erased again"), json!([]), again["connectors"].clone());
    }
}

#[tokio::test]
async fn case_67_what_remains() {
    let mut case = Case::new(67, "erasure: the answer names what remains elsewhere, and until when");
    let template = template::read();
    let days = |name: &str| template["Parameters"][name]["Default"].as_i64().unwrap();
    let in_queues = ["NotificationQueue", "NotificationDeadLetterQueue", "QuarantineQueue", "AgentRunQueue", "AgentRunDeadLetterQueue"]
        .map(|queue| template["Resources"][queue]["Properties"]["MessageRetentionPeriod"].as_i64().unwrap() / 86_400);
    // What a queue gives up may wait in its dead-letter queue as long again.
    let expected = [
        ("queues", 2 * in_queues.into_iter().max().unwrap()),
        ("backups", 35),
        ("account_memberships", 40),
        ("event_archive", days("EventArchiveDays")),
        ("logs", days("LogRetentionDays")),
        ("audit_log", days("AuditRetentionDays")),
    ];
    for place in Place::all().await {
        let name = place.name;
        let user = User::connected(&place.stack, "remains").await;
        let mail = format!("subject {}", unique());
        user.receive(&place.stack, json!({"subject": format!("invoice {mail}")})).await;
        place.fired(&user.owner, 1).await;
        let connector = user.connector(&place.stack).await;
        let told = erase(&place, &user).await;
        let remains = told["remains"].as_array().cloned().unwrap_or_default();
        // The local stack is deployed without an archive, and names none.
        let expected: Vec<_> = expected.into_iter().filter(|(of, _)| place.inside.is_some() || *of != "event_archive").collect();
        case.check(format!("{name}: places"), expected.len(), remains.len());
        let now = time::OffsetDateTime::parse(connector["updated_at"].as_str().unwrap(), &time::format_description::well_known::Rfc3339);
        for (of, days) in expected {
            let until = remains.iter().find(|left| left["place"] == of).and_then(|left| left["until"].as_str());
            let until = until.and_then(|until| time::OffsetDateTime::parse(until, &time::format_description::well_known::Rfc3339).ok());
            let left = until.zip(now.ok()).map(|(until, now)| (until - now).whole_days());
            case.check(format!("{name}: {of}, in days"), days, left.unwrap_or_default());
        }
        let all = told.to_string();
        case.check(format!("{name}: it tells of the mail itself"), false, all.contains(&mail) || all.contains(&user.email));
    }
}
