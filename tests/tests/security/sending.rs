//! Requests that send mail: header values add no header, ids add no path segment, an idempotency
//! key sends once.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tests::deployed::{User, read};

use crate::security::case::Case;
use crate::security::forge::unique;
use crate::security::signing::Hook;
use crate::security::target::{Target, document, status, summary};

/// Invalid ids, as a whole path or a part of one.
const NO_IDS: [&str; 13] = [
    "../../../owner/data",
    "..",
    ".",
    "a/b",
    "a?permanent=true",
    "a#b",
    "a%2Fb",
    "a\\b",
    "a\0b",
    "a\r\nb",
    "a b",
    "ä",
    "\u{202e}a",
];

fn mail(change: Value) -> Value {
    let mut mail = json!({"to": ["bo@example.com"], "subject": "s", "text": "t"});
    mail.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
    mail
}

/// Sends once, with these `idempotency-key` headers.
async fn send(target: &Target, user: &User, path: &str, keys: &[&[u8]], body: &Value) -> String {
    let path = if path.starts_with('/') {
        path.to_string()
    } else {
        format!("/api/connectors/{}/{path}", user.connector)
    };
    let request = target.stack.request(Method::POST, &path).bearer_auth(&user.token).json(body);
    let request = keys.iter().fold(request, |request, key| {
        request.header("idempotency-key", reqwest::header::HeaderValue::from_bytes(key).unwrap())
    });
    summary(target.stack.answer(request).await).await
}

#[tokio::test]
async fn case_86_idempotency_keys() {
    let mut case = Case::new(
        86,
        "API: an idempotency key that is invalid, repeated, with another body, for another route or of another owner",
    );
    for target in Target::all().await {
        let (name, user) = (target.name, User::connected(&target.stack, "keys").await);
        let (other, hook) =
            (User::connected(&target.stack, "other").await, Hook::of(&target, &user).await);
        target.idle().await;
        let sent = async |user: &User| target.called_for(&user.email, "messages.send").await;
        let (one, event) = (mail(json!({})), json!({"event_type": "e"}));
        for (what, key) in [
            ("256 letters", "a".repeat(256)),
            ("nothing", String::new()),
            ("a letter beyond ASCII", "ä".into()),
        ] {
            let refused = "400 invalid_request".to_string();
            case.check(
                format!("{name}: a mail under {what}"),
                refused.clone(),
                send(&target, &user, "messages", &[key.as_bytes()], &one).await,
            );
            let fired = send(&target, &user, &hook.path(), &[key.as_bytes()], &event).await;
            case.check(format!("{name}: an event under {what}"), refused, fired);
        }
        case.check(format!("{name}: mails of these"), 0, sent(&user).await);
        let (key, longest) = (unique(), "a".repeat(255));
        for (what, expected) in [("the first under a key", "200"), ("the same again", "200")] {
            case.check(
                format!("{name}: {what}"),
                expected.to_string(),
                send(&target, &user, "messages", &[key.as_bytes()], &one).await,
            );
        }
        case.check(format!("{name}: mails of both"), 1, sent(&user).await);
        let changed = send(
            &target,
            &user,
            "messages",
            &[key.as_bytes()],
            &mail(json!({"subject": "another"})),
        )
        .await;
        case.check(
            format!("{name}: another body under it"),
            "422 idempotency_key_reused".to_string(),
            changed,
        );
        let blank = send(
            &target,
            &user,
            "messages",
            &[key.as_bytes()],
            &json!({"subject": "s", "to": ["bo@example.com"], "text": "t "}),
        )
        .await;
        case.check(
            format!("{name}: one blank more under it"),
            "422 idempotency_key_reused".to_string(),
            blank,
        );
        case.check(format!("{name}: mails of these"), 1, sent(&user).await);
        case.check(
            format!("{name}: a draft under it"),
            "201".to_string(),
            send(&target, &user, "drafts", &[key.as_bytes()], &one).await,
        );
        case.check(
            format!("{name}: another owner's mail under it"),
            "200".to_string(),
            send(&target, &other, "messages", &[key.as_bytes()], &one).await,
        );
        case.check(format!("{name}: mails of that owner"), 1, sent(&other).await);
        for what in ["two keys in one request", "the same two again"] {
            let keys: [&[u8]; 2] = [b"first", b"second"];
            case.check(
                format!("{name}: {what}"),
                "200".to_string(),
                send(&target, &user, "messages", &keys, &one).await,
            );
        }
        case.check(format!("{name}: mails of these"), 2, sent(&user).await);
        let came = send(&target, &user, "messages", &[longest.as_bytes()], &one).await;
        case.check(format!("{name}: 255 letters"), "200".to_string(), came);
        for _ in 0..2 {
            let came = send(&target, &user, &hook.path(), &[key.as_bytes()], &event).await;
            case.check(format!("{name}: an event under a mail's key"), "202".to_string(), came);
        }
        case.check(format!("{name}: events of both"), 1, target.fired(&user.owner, 1).await.len());
    }
}

#[tokio::test]
async fn case_87_ids_in_bodies() {
    let mut case = Case::new(87, "API: ids in bodies that would be another path at Google");
    for target in Target::all().await {
        let (name, user) = (target.name, User::connected(&target.stack, "ids").await);
        target.idle().await;
        let base = format!("/api/connectors/{}", user.connector);
        for id in NO_IDS {
            target.stack.forget_calls_for(&user.email).await;
            let shown = id.escape_debug();
            for (what, method, path, body) in [
                (
                    "the mail to reply to",
                    Method::POST,
                    "/messages",
                    mail(json!({"reply_to_message_id": id})),
                ),
                (
                    "the mail to reply to, in a draft",
                    Method::POST,
                    "/drafts",
                    mail(json!({"reply_to_message_id": id})),
                ),
            ] {
                let answer = target
                    .stack
                    .api(method, &format!("{base}{path}"), Some(&user.token), Some(body))
                    .await;
                let (came, refused) = document(answer).await;
                let problem = format!("{came} {}", refused["field"].as_str().unwrap_or_default());
                case.check(
                    format!("{name}: {what}: {shown}"),
                    "400 invalid_request reply_to_message_id".to_string(),
                    problem,
                );
            }
            let config = json!({"type": "email", "config": {"connector_id": id}});
            let answer = target
                .stack
                .api(Method::POST, "/api/triggers", Some(&user.token), Some(config))
                .await;
            let came = status(&answer);
            case.note(
                format!("{name}: a trigger's connector: {shown}"),
                "400 or 404",
                came,
                matches!(came, 400 | 404),
            );
            case.check(
                format!("{name}: calls to Google for {shown}"),
                0,
                target.stack.calls_for(&user.email).await.len(),
            );
        }
        // Ids that go into Google's request body or query may contain any character; they must stay
        // there.
        target.stack.forget_calls_for(&user.email).await;
        for id in NO_IDS.into_iter().filter(|id| !id.contains(char::is_control)) {
            for (path, body) in [
                ("/messages/batch-modify", json!({"ids": [id], "add_label_ids": [id]})),
                ("/messages/batch-delete", json!({"ids": [id]})),
                ("/messages/unknown1/modify", json!({"add_label_ids": [id]})),
                ("/messages", mail(json!({"thread_id": id}))),
            ] {
                let answer = target
                    .stack
                    .api(Method::POST, &format!("{base}{path}"), Some(&user.token), Some(body))
                    .await;
                let came = status(&answer);
                let shown = id.escape_debug();
                case.note(format!("{name}: {path} with {shown}"), "below 500", came, came < 500);
            }
        }
        let known = ["messages.batchModify", "messages.modify", "messages.send"];
        let calls = target.stack.calls_for(&user.email).await;
        let others: Vec<String> = calls
            .iter()
            .filter(|call| !known.contains(&call["method"].as_str().unwrap()))
            .map(Value::to_string)
            .collect();
        case.check(
            format!("{name}: calls of other methods at Google"),
            String::new(),
            others.join("; "),
        );
        case.check(
            format!("{name}: requests that Google has no method for"),
            0,
            target.called("unknown").await,
        );
    }
}

#[tokio::test]
async fn case_88_headers_of_mail_that_is_sent() {
    let mut case = Case::new(
        88,
        "API: line ends and headers in mail to send: one header each, nothing smuggled",
    );
    const SMUGGLED: &str = "a\r\nBcc: smuggled@evil.example";
    for target in Target::all().await {
        let (name, user) = (target.name, User::connected(&target.stack, "headers").await);
        target.idle().await;
        let path = format!("/api/connectors/{}/messages", user.connector);
        let post = async |body: Value| {
            target.stack.api(Method::POST, &path, Some(&user.token), Some(body)).await
        };
        let file = |change: Value| {
            let mut file =
                json!({"filename": "a.txt", "mime_type": "text/plain", "content": "YQ=="});
            file.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
            json!({"attachments": [file]})
        };
        for (field, change) in [
            ("subject", json!({"subject": SMUGGLED})),
            ("subject", json!({"subject": "a\nb"})),
            ("subject", json!({"subject": "a\u{85}b"})),
            ("subject", json!({"subject": "a\0b"})),
            ("subject", json!({"subject": "a".repeat(999)})),
            ("to[0]", json!({"to": ["bo@example.com\r\nBcc: smuggled@evil.example"]})),
            ("to[0]", json!({"to": ["bo@example.com, smuggled@evil.example"]})),
            ("to[0]", json!({"to": ["bo@example.com> <smuggled@evil.example"]})),
            ("to[0]", json!({"to": [{"name": SMUGGLED, "address": "bo@example.com"}]})),
            ("cc[0]", json!({"cc": [{"name": "a\nb", "address": "bo@example.com"}]})),
            ("bcc[0]", json!({"bcc": ["a\tb@example.com"]})),
            ("reply_to[0]", json!({"reply_to": [SMUGGLED]})),
            ("thread_id", json!({"thread_id": SMUGGLED})),
            ("from.name", json!({"from": {"name": SMUGGLED}})),
            ("from.address", json!({"from": {"address": "bo@example.com> <a@evil.example"}})),
            ("attachments[0].mime_type", file(json!({"mime_type": "text/plain; a=\"\r\nX: y\""}))),
            ("in_reply_to", json!({"in_reply_to": "<a@b>\r\nBcc: smuggled@evil.example"})),
            ("in_reply_to", json!({"in_reply_to": "a"})),
            ("references", json!({"references": "<a@b>\n<c@d>"})),
            ("attachments[0].filename", file(json!({"filename": SMUGGLED}))),
            ("attachments[0].mime_type", file(json!({"mime_type": "text/plain\r\nX: y"}))),
            ("attachments[0].mime_type", file(json!({"mime_type": "multipart/mixed"}))),
            ("attachments[0].content_id", file(json!({"content_id": "a>\r\nX: y"}))),
            ("headers", json!({"headers": {"Bcc": "smuggled@evil.example"}})),
            ("from", json!({"from": "smuggled@evil.example"})),
        ] {
            let shown = change.to_string().chars().take(60).collect::<String>();
            let (came, refused) = document(post(mail(change)).await).await;
            let problem = format!("{came} {}", refused["field"].as_str().unwrap_or_default());
            case.check(format!("{name}: {shown}"), format!("400 invalid_request {field}"), problem);
        }
        case.check(
            format!("{name}: mails of these"),
            0,
            target.called_for(&user.email, "messages.send").await,
        );
        for (what, change) in [
            (
                "a name that ends its quotes",
                json!({"to": [{"name": "a\" <smuggled@evil.example>, \"b", "address": "bo@example.com"}]}),
            ),
            (
                "a name that is a list",
                json!({"to": [{"name": "smuggled@evil.example, b", "address": "bo@example.com"}]}),
            ),
            (
                "an encoded line end in a name",
                json!({"to": [{"name": "=?utf-8?q?a=0D=0ABcc:_smuggled@evil.example?=", "address": "bo@example.com"}]}),
            ),
            (
                "an encoded line end in the subject",
                json!({"subject": "=?utf-8?q?a=0D=0ABcc:_smuggled@evil.example?="}),
            ),
            (
                "a line separator in the subject",
                json!({"subject": "a\u{2028}Bcc: smuggled@evil.example"}),
            ),
            (
                "a subject of the longest size",
                json!({"subject": format!("{} Bcc: x", "a ".repeat(480))}),
            ),
            (
                "a boundary in the text",
                json!({"text": "--mixed\r\nBcc: smuggled@evil.example\r\n\r\n.\r\n", "html": "<p>\r\n--alternative\r\n"}),
            ),
            (
                "a file name that ends its quotes",
                file(json!({"filename": "a\"; name=\"b.exe\"\\"})),
            ),
        ] {
            let sent = read(post(mail(change)).await, StatusCode::OK).await;
            let id = sent["id"].as_str().unwrap();
            let shown = read(
                target
                    .stack
                    .api(Method::GET, &format!("{path}/{id}"), Some(&user.token), None)
                    .await,
                StatusCode::OK,
            )
            .await;
            let to: Vec<&str> = shown["to"]
                .as_array()
                .unwrap()
                .iter()
                .map(|one| one["address"].as_str().unwrap())
                .collect();
            let hidden = [&shown["cc"], &shown["bcc"]]
                .iter()
                .map(|list| list.as_array().map_or(0, Vec::len))
                .sum::<usize>();
            case.check(
                format!("{name}: {what}: it goes to"),
                "bo@example.com, 0 others".to_string(),
                format!("{}, {hidden} others", to.join(" ")),
            );
        }
    }
}
