//! Pages of events: bounded in bytes and in number, and continued by page tokens that anybody can
//! forge.

use std::collections::BTreeSet;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tests::deployed::{User, read};

use crate::security::case::Case;
use crate::security::signing::Hook;
use crate::security::target::{Target, document, status, summary};

/// In process, more events than fit into one answer; on the deployed stack fewer, which is slower.
fn how_many(target: &Target) -> usize {
    if target.inside.is_some() { 90 } else { 12 }
}

/// Fires events of nearly the longest size, which grow when escaped.
async fn fire(target: &Target, user: &User, hook: &Hook, count: usize) {
    let data = "\"".repeat(6_500);
    for number in 0..count {
        let body = json!({"event_type": "long", "number": number, "data": data});
        let answer =
            target.stack.api(Method::POST, &hook.path(), Some(&user.token), Some(body)).await;
        assert_eq!(answer.status(), StatusCode::ACCEPTED);
    }
}

/// Reads all pages; returns how many records each has, and the ids of all.
async fn walk(target: &Target, user: &User, path: &str, list: &str) -> (Vec<usize>, Vec<String>) {
    let (mut sizes, mut ids, mut next) = (Vec::new(), Vec::new(), String::new());
    for _ in 0..100 {
        let (_, page) = document(
            target.stack.api(Method::GET, &format!("{path}{next}"), Some(&user.token), None).await,
        )
        .await;
        // A refused page has no list.
        let Some(records) = page[list].as_array() else { break };
        sizes.push(records.len());
        ids.extend(
            records.iter().map(|record| record["detail"]["event_id"].as_str().unwrap().to_string()),
        );
        match page["next_page_token"].as_str() {
            Some(token) => next = format!("&page_token={token}"),
            None => break,
        }
    }
    (sizes, ids)
}

#[tokio::test]
async fn case_76_pages_and_their_tokens() {
    let mut case = Case::new(
        76,
        "API: pages of events of the longest size; page tokens that are forged, or another owner's",
    );
    for target in Target::all().await {
        let (name, user) = (target.name, User::connected(&target.stack, "pages").await);
        let hook = Hook::of(&target, &user).await;
        let count = how_many(&target);
        fire(&target, &user, &hook, count).await;
        let firings = format!("/api/triggers/{}/firings", hook.trigger);
        for (what, path, list) in
            [("firings", firings.as_str(), "firings"), ("export", "/api/owner/data", "records")]
        {
            for size in [100, 5] {
                let (sizes, ids) =
                    walk(&target, &user, &format!("{path}?page_size={size}"), list).await;
                let long: BTreeSet<&String> = ids.iter().collect();
                // An export also contains the connect's event.
                let others = usize::from(what == "export");
                case.check(format!("{name}: {what} by {size}: records"), count + others, ids.len());
                case.check(
                    format!("{name}: {what} by {size}: different ones"),
                    ids.len(),
                    long.len(),
                );
                let largest = sizes.iter().copied().max().unwrap_or_default();
                case.note(
                    format!("{name}: {what} by {size}: on the largest page"),
                    format!("at most {size}"),
                    largest,
                    largest <= size,
                );
                if size == 100 && target.inside.is_some() {
                    case.note(
                        format!("{name}: {what}: its pages, bounded by bytes"),
                        "at least 2",
                        sizes.len(),
                        sizes.len() >= 2,
                    );
                }
            }
        }
        tokens(&mut case, &target, &user, &hook).await;
    }
}

async fn tokens(case: &mut Case, target: &Target, user: &User, hook: &Hook) {
    let (name, other) = (target.name, User::connected(&target.stack, "others").await);
    let others_hook = Hook::of(target, &other).await;
    fire(target, &other, &others_hook, 2).await;
    let firings = format!("/api/triggers/{}/firings", hook.trigger);
    let get = async |path: &str| target.stack.api(Method::GET, path, Some(&user.token), None).await;
    let first = format!("/api/triggers/{}/firings?page_size=1", others_hook.trigger);
    let theirs =
        read(target.stack.api(Method::GET, &first, Some(&other.token), None).await, StatusCode::OK)
            .await;
    let theirs = theirs["next_page_token"].as_str().unwrap().to_string();
    let refused = "400 invalid_page_token";
    for (what, path, token, expected) in [
        ("a word", firings.as_str(), "x".to_string(), refused),
        ("nothing", &firings, String::new(), refused),
        ("a connector's id", &firings, user.connector.clone(), refused),
        ("a time beyond all numbers", &firings, "9223372036854775808.evt_1".into(), refused),
        ("an event's id with a separator", &firings, "1.evt_%231".into(), refused),
        ("a NUL", &firings, "1.evt_%00".into(), refused),
        ("of another list", &firings, format!("{}.1.evt_1", user.connector), refused),
        ("the last time of all", &firings, "9223372036854775807.evt_1".into(), "200"),
        ("the first time of all", &firings, "-9223372036854775808.evt_1".into(), "200"),
        ("another trigger's", &firings, theirs.clone(), "200"),
        ("another owner's connector", "/api/owner/data", other.connector.clone(), "200"),
        (
            "another owner's position",
            "/api/owner/data",
            format!("{}.9223372036854775807.evt_1", other.connector),
            "200",
        ),
        (
            "the last time of all",
            "/api/owner/data",
            format!("{}.9223372036854775807.evt_1", user.connector),
            "200",
        ),
        ("a word", "/api/owner/data", "x.y.z".into(), refused),
        ("a trigger's id", "/api/connectors", user.trigger.clone(), refused),
        ("a connector's id", "/api/triggers", user.connector.clone(), refused),
        (
            "forged",
            &format!("/api/connectors/{}/messages", user.connector),
            "forged".into(),
            refused,
        ),
        (
            "forged",
            &format!("/api/connectors/{}/threads", user.connector),
            "%00".into(),
            "400 invalid_request",
        ),
        (
            "forged",
            &format!("/api/connectors/{}/labels", user.connector),
            "-1".into(),
            "400 invalid_request",
        ),
    ] {
        let list = path.rsplit('/').next().unwrap();
        let answer = get(&format!("{path}?page_token={token}")).await;
        let (came, text) = (status(&answer), answer.text().await.unwrap());
        let document: Value = serde_json::from_str(&text).unwrap_or_default();
        let shown = document["code"]
            .as_str()
            .map_or_else(|| came.to_string(), |code| format!("{came} {code}"));
        case.check(format!("{name}: a token of {list}: {what}"), expected.to_string(), shown);
        let leaks = [&other.connector, &others_hook.trigger, &other.owner]
            .iter()
            .any(|id| text.contains(id.as_str()));
        case.check(
            format!("{name}: a token of {list}: {what}: shows the other owner's"),
            false,
            leaks,
        );
    }
    for size in ["0", "101", "-1", "1e9", "5x", "99999999999999999999", ""] {
        for path in [firings.as_str(), "/api/owner/data", "/api/connectors", "/api/triggers"] {
            let list = path.rsplit('/').next().unwrap();
            let came = summary(get(&format!("{path}?page_size={size}")).await).await;
            case.check(
                format!("{name}: {list} by {size:?}"),
                "400 invalid_request".to_string(),
                came,
            );
        }
    }
}

#[tokio::test]
async fn case_78_bodies_at_the_bound() {
    const BODY: usize = 262_144;
    const MAIL: usize = 5_500_000;
    let mut case = Case::new(78, "all: a body of exactly the most bytes allowed, and of one more");
    for target in Target::all().await {
        let (name, user) = (target.name, User::connected(&target.stack, "bodies").await);
        target.idle().await;
        let of_connector = |end: &str| format!("/api/connectors/{}{end}", user.connector);
        for (what, method, path, most, within) in [
            ("a change", Method::PATCH, of_connector(""), BODY, "400 invalid_connector"),
            ("a trigger", Method::POST, "/api/triggers".into(), BODY, "400 invalid_trigger"),
            (
                "an event",
                Method::POST,
                format!("/api/triggers/{}/events", user.trigger),
                BODY,
                "404 not_found",
            ),
            ("a code", Method::POST, "/api/auth/google/gmail".into(), BODY, "400 invalid_request"),
            ("a push", Method::POST, tests::deployed::PUSH_PATH.into(), BODY, "401 unauthorized"),
            (
                "labels",
                Method::POST,
                of_connector("/messages/unknown1/modify"),
                BODY,
                "400 invalid_request",
            ),
            ("a mail", Method::POST, of_connector("/messages"), MAIL, "400 invalid_request"),
            ("a draft", Method::POST, of_connector("/drafts"), MAIL, "400 invalid_request"),
            (
                "a draft's mail",
                Method::PUT,
                of_connector("/drafts/unknown1"),
                MAIL,
                "400 invalid_request",
            ),
        ] {
            target.stack.forget_calls_for(&user.email).await;
            for (which, length, expected) in [
                ("the most bytes allowed", most, within),
                ("a byte longer", most + 1, "413 body_too_large"),
            ] {
                let request = target
                    .stack
                    .request(method.clone(), &path)
                    .bearer_auth(&user.token)
                    .body(unknown_field(length));
                let request = request
                    .header("content-type", "application/json")
                    .header("x-requested-with", "x");
                let answer =
                    target.stack.answer(request.header("origin", tests::deployed::ORIGIN)).await;
                let (came, refused) = document(answer).await;
                case.check(format!("{name}: {what}, {which}"), expected.to_string(), came);
                if length > most {
                    let detail = refused["detail"].as_str().unwrap_or_default();
                    case.note(
                        format!("{name}: {what}, the bound in the answer"),
                        most,
                        detail,
                        detail.contains(&most.to_string()),
                    );
                }
            }
            case.check(
                format!("{name}: {what}: calls to Google"),
                0,
                target.stack.calls_for(&user.email).await.len(),
            );
        }
    }
}

/// An object of exactly this many bytes, with a field that no route accepts.
fn unknown_field(length: usize) -> String {
    let (before, after) = ("{\"planted_field\":\"", "\"}");
    format!("{before}{}{after}", "x".repeat(length - before.len() - after.len()))
}
