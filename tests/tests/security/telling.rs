//! Attacker-controlled text in logs and metrics: each event stays one line, and no metric is named
//! by it.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use reqwest::Method;
use serde_json::{Value, json};
use tests::deployed::{User, token_with};
use tests::stage::SUBSCRIPTION;

use crate::security::case::Case;
use crate::security::connecting::CONNECT;
use crate::security::forge;
use crate::security::signing::Hook;
use crate::security::target::Target;
use crate::security::{audits, counters};

/// Ends a line, forges one of our log lines, and contains terminal escapes.
const LINE: &str = "\r\n{\"level\":\"ERROR\",\"fields\":{\"message\":\"planted-line\",\"action\":\"owner.erase\"}}\r\n\u{1b}[2Jplanted";
/// The same for a header, which may not contain line ends.
const HEADER: &str = "\",\"fields\":{\"message\":\"planted-line\"},\"x\":\"\tplanted";

/// Requests with the planted text in every field that a caller controls.
async fn send_requests(target: &Target, user: &User, hook: &Hook) {
    let stack = &target.stack;
    let line = forge::encoded(LINE);
    let connector = format!("/api/connectors/{}", user.connector);
    for (method, path, body) in [
        (Method::GET, format!("/api/connectors?page_token={line}"), None),
        (Method::GET, format!("{connector}/messages?query={line}&{line}=1"), None),
        (Method::GET, format!("{CONNECT}/start?login_hint={line}"), None),
        (Method::GET, format!("{CONNECT}/callback?error={line}&state={line}"), None),
        (Method::POST, CONNECT.into(), Some(json!({"auth_code": LINE, "state": LINE}))),
        (Method::POST, CONNECT.into(), Some(json!({(LINE): LINE}))),
        (Method::PATCH, connector.clone(), Some(json!({"label": LINE}))),
        (Method::PATCH, connector.clone(), Some(json!({(LINE): LINE}))),
        (
            Method::POST,
            "/api/triggers".into(),
            Some(json!({"type": LINE, "agent_id": LINE, "config": {"connector_id": LINE}})),
        ),
        (
            Method::POST,
            hook.path(),
            Some(json!({"event_type": LINE, "resource_id": LINE, "data": {(LINE): LINE}})),
        ),
        (
            Method::POST,
            format!("{connector}/messages"),
            Some(json!({"to": [LINE], "subject": LINE})),
        ),
        (Method::POST, format!("{connector}/labels"), Some(json!({"name": LINE}))),
    ] {
        stack.api(method, &path, Some(&user.token), body).await;
    }
    for name in [
        "user-agent",
        "x-request-id",
        "x-amzn-trace-id",
        "idempotency-key",
        "range",
        "referer",
        "x-signature",
        "authorization",
    ] {
        let request =
            stack.request(Method::POST, &hook.path()).bearer_auth(&user.token).header(name, HEADER);
        stack.answer(request.body("{}")).await;
    }
    for claims in [
        json!({"jti": LINE}),
        json!({"role": LINE}),
        json!({"tenant": LINE}),
        json!({"aud": LINE}),
        json!({"iss": LINE}),
    ] {
        let token = token_with(stack, json!({"sub": user.owner, "claims": claims})).await;
        stack.api(Method::DELETE, "/api/triggers/trg_unknown", Some(&token), None).await;
    }
    let token = token_with(stack, json!({"sub": LINE, "header": {"kid": LINE}})).await;
    stack.api(Method::GET, "/api/connectors", Some(&token), None).await;
}

/// Pushes, mail and Google's errors with the planted text.
async fn receive(target: &Target, user: &User) {
    let good = target.good_token().await;
    let notification = json!({"emailAddress": LINE, "historyId": LINE}).to_string();
    for body in [
        json!({"message": LINE, "subscription": SUBSCRIPTION}).to_string(),
        json!({(LINE): LINE}).to_string(),
        forge::push_of(&notification),
        forge::enveloped(&BASE64_STANDARD.encode(LINE), LINE, SUBSCRIPTION),
        forge::enveloped(
            &BASE64_STANDARD
                .encode(json!({"emailAddress": user.email, "historyId": 1}).to_string()),
            LINE,
            SUBSCRIPTION,
        ),
        LINE.into(),
    ] {
        target.stack.push(Some(&good), body).await;
    }
    let of_other = target.push_token(json!({"claims": {"email": LINE, "aud": LINE}})).await;
    target.stack.push(Some(&of_other), "{}".into()).await;
    for method in ["messages.list", "history.list"] {
        target.stack.fault(&user.email, json!({"method": method, "status": 400, "reason": LINE, "message": LINE, "times": 1})).await;
    }
    target
        .stack
        .api(
            Method::GET,
            &format!("/api/connectors/{}/messages", user.connector),
            Some(&user.token),
            None,
        )
        .await;
    let attachment = json!({"filename": LINE, "mime_type": LINE, "size": 3});
    user.receive(&target.stack, json!({"subject": format!("invoice {LINE}"), "from": LINE, "text": LINE, "attachment": attachment})).await;
    target.idle().await;
    target.stack.mend(&user.email).await;
}

#[tokio::test]
async fn case_79_a_strangers_words_in_the_log() {
    let mut case = Case::new(
        79,
        "all: line ends, JSON and escapes in whatever a stranger writes forge no line and name no metric",
    );
    counters::start();
    audits::listen_to("debug");
    let mut targets = vec![Target::configured(Default::default()).await];
    targets.extend(Target::deployed().await);
    for target in targets {
        let (name, user) = (target.name, User::connected(&target.stack, "words").await);
        let hook = Hook::of(&target, &user).await;
        send_requests(&target, &user, &hook).await;
        receive(&target, &user).await;
        let lines = target.logged().await;
        let planted: Vec<&String> = lines.iter().filter(|line| line.contains("planted")).collect();
        case.note(
            format!("{name}: lines with planted text"),
            "at least 1",
            planted.len(),
            !planted.is_empty(),
        );
        let read: Vec<Value> = planted
            .iter()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
            .filter(Value::is_object)
            .collect();
        case.check(format!("{name}: of these, lines of JSON"), planted.len(), read.len());
        let forged = |line: &&Value| {
            line["fields"]["message"] == "planted-line" || line["fields"]["action"] == "owner.erase"
        };
        case.check(format!("{name}: forged lines"), 0, read.iter().filter(forged).count());
        let steering = lines
            .iter()
            .filter(|line| line.contains(|sign: char| sign.is_control() && sign != '\t'))
            .count();
        case.check(format!("{name}: lines with terminal escapes"), 0, steering);
        let metrics = match target.inside {
            Some(_) => counters::names(),
            None => lines.iter().filter(|line| line.contains("\"_aws\"")).cloned().collect(),
        };
        case.note(format!("{name}: metrics"), "at least 5", metrics.len(), metrics.len() >= 5);
        let named: Vec<String> =
            metrics.into_iter().filter(|metric| metric.contains("planted")).collect();
        case.check(
            format!("{name}: metrics named by planted text"),
            String::new(),
            named.join("; "),
        );
    }
}
