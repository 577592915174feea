//! Every answer: its headers, what it must not reveal, and that a method which a route does not
//! have changes nothing.

use std::collections::BTreeSet;

use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};
use tests::deployed::{User, read};
use tests::gateway::invoke;

use crate::security::case::Case;
use crate::security::routes::{described, filled};
use crate::security::target::{Target, document, header, status};

/// The function behind a described route, by how its path begins.
fn function(path: &str) -> &'static str {
    match path {
        path if path.starts_with("/api/auth/") => "oauth-connect",
        path if path.starts_with("/api/connect-sessions") => "oauth-connect",
        path if path.starts_with("/api/email/webhook/") => "pubsub-webhook",
        _ => "connectors-api",
    }
}

fn event(method: &str, path: &str, token: &str) -> String {
    json!({"version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": "", "isBase64Encoded": false,
        "headers": {"authorization": format!("Bearer {token}"), "content-type": "application/json"}, "body": "{}",
        "requestContext": {"requestId": "r", "http": {"method": method, "path": path}}})
    .to_string()
}

/// Which of `no-store` and `nosniff` an answer lacks.
fn missing(cache_control: &str, content_type_options: &str) -> Option<String> {
    let complete = cache_control.contains("no-store") && content_type_options == "nosniff";
    (!complete).then(|| format!("`{cache_control}` `{content_type_options}`"))
}

/// The statuses of many answers, and which headers each lacks.
#[derive(Default)]
struct Seen {
    statuses: BTreeSet<u16>,
    wrong: Vec<String>,
}

impl Seen {
    fn add(&mut self, what: &str, answer: &Response) {
        self.statuses.insert(status(answer));
        let lacks =
            missing(&header(answer, "cache-control"), &header(answer, "x-content-type-options"));
        self.wrong.extend(lacks.map(|lacks| format!("{} {what}: {lacks}", status(answer))));
    }

    /// The first answers that lack a header.
    fn shown(&self) -> String {
        self.wrong.iter().take(3).cloned().collect::<Vec<_>>().join("; ")
    }
}

#[tokio::test]
async fn case_77_no_answer_is_kept_or_sniffed() {
    let mut case = Case::new(
        77,
        "API: no-store and nosniff on every answer of every route, whatever its status",
    );
    for target in Target::all().await {
        let (name, user) = (target.name, User::connected(&target.stack, "headers").await);
        let mut seen = Seen::default();
        let mut routes = described();
        // DELETE comes last: a deleted resource answers 404.
        routes.sort_by_key(|(method, _)| method == "DELETE");
        for (method, path) in routes {
            let id = if path.contains("triggers") { &user.trigger } else { &user.connector };
            let (what, path) = (format!("{method} {path}"), filled(&path, id));
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            // Without a token, and with one where that costs little; no route accepts this body.
            let body = (method != Method::GET && method != Method::DELETE).then(|| json!([]));
            seen.add(&what, &target.stack.api(method.clone(), &path, None, body.clone()).await);
            if target.inside.is_some() || method == Method::GET {
                seen.add(&what, &target.stack.api(method, &path, Some(&user.token), body).await);
            }
        }
        let redirect =
            target.stack.request(Method::GET, "/api/auth/google/gmail/callback?code=4&state=s");
        seen.add("the redirect", &target.stack.answer(redirect).await);
        let statuses = format!("{:?}", seen.statuses);
        case.note(
            format!("{name}: statuses that were seen"),
            "200, 302, 400, 401, 404",
            &statuses,
            [200, 302, 400, 401, 404].iter().all(|status| seen.statuses.contains(status)),
        );
        case.check(format!("{name}: answers without these headers"), String::new(), seen.shown());
    }
    let target = Target::configured(Default::default()).await;
    target.fault(json!({"method": "certs", "status": 503, "times": 0})).await;
    let mut seen = Seen::default();
    seen.add(
        "no keys",
        &target.stack.api(Method::GET, "/api/connectors", Some("a.b.c"), None).await,
    );
    let token = tests::deployed::token(&target.stack, "nobody").await;
    seen.add(
        "no keys",
        &target.stack.api(Method::GET, "/api/connectors", Some(&token), None).await,
    );
    case.check(
        "in process: statuses without keys",
        "{401, 503}".to_string(),
        format!("{:?}", seen.statuses),
    );
    case.check(
        "in process: answers without these headers, without keys",
        String::new(),
        seen.shown(),
    );
    let broken = axum::Router::new()
        .route("/panic", axum::routing::get(async || -> StatusCode { panic!("planted") }))
        .route("/headers", axum::routing::get(async || [("x-long", "a".repeat(10_000))]))
        .route("/long", axum::routing::get(async || "a".repeat(7_000_000)));
    for (path, expected) in [("/panic", 500), ("/headers", 500), ("/long", 413), ("/a%2Fb", 404)] {
        let handed = invoke(broken.clone(), event("GET", path, "")).await.unwrap();
        let answer: Value = serde_json::from_str(handed.get()).unwrap();
        let of = |name: &str| answer["headers"][name].as_str().unwrap_or_default().to_string();
        case.check(
            format!("in process: {path}"),
            expected,
            answer["statusCode"].as_u64().unwrap_or_default(),
        );
        let lacks = missing(&of("cache-control"), &of("x-content-type-options"));
        case.check(
            format!("in process: {path}: missing headers"),
            String::new(),
            lacks.unwrap_or_default(),
        );
    }
}

#[tokio::test]
async fn case_93_what_a_stranger_may_know() {
    let mut case = Case::new(
        93,
        "API: description, information and health show no secret, account, address or internal name",
    );
    for target in Target::all().await {
        let name = target.name;
        let stack = &target.stack;
        let names = [
            &stack.table,
            &stack.event_bus,
            &stack.quarantine_queue_url,
            &stack.watch_renewer_function,
            &stack.google_url,
        ];
        let secrets = [
            fake_google::Config::default().client_secret,
            fake_google::Config::default().client_id,
        ];
        for (path, fields) in [
            (
                "/api/system/info",
                "app_public_url callback_url connector_types name providers version",
            ),
            ("/api/system/health", "checked_at checks status"),
            ("/api/openapi.json", "components info openapi paths"),
        ] {
            let answer =
                read(target.stack.api(Method::GET, path, None, None).await, StatusCode::OK).await;
            let keys: BTreeSet<&str> =
                answer.as_object().unwrap().keys().map(String::as_str).collect();
            case.check(
                format!("{name}: {path}: its fields"),
                fields.to_string(),
                keys.into_iter().collect::<Vec<_>>().join(" "),
            );
            let text = answer.to_string();
            let mut found: Vec<String> =
                ["canary-", "arn:aws", "amazonaws.com", "execute-api", "sqs."]
                    .iter()
                    .filter(|word| text.contains(*word))
                    .map(|word| word.to_string())
                    .collect();
            found.extend(
                names
                    .iter()
                    .filter(|name| !name.is_empty() && text.contains(name.as_str()))
                    .map(|name| name.to_string()),
            );
            found.extend(secrets.iter().filter(|secret| text.contains(secret.as_str())).cloned());
            let digits =
                text.split(|sign: char| !sign.is_ascii_digit()).filter(|digits| digits.len() == 12);
            found.extend(digits.map(String::from));
            case.check(
                format!("{name}: {path}: what it reveals of the account"),
                String::new(),
                found.join(", "),
            );
        }
    }
    let target = Target::configured(Default::default()).await;
    target.fault(json!({"method": "certs", "status": 503, "times": 0})).await;
    let (came, health) =
        document(target.stack.api(Method::GET, "/api/system/health", None, None).await).await;
    case.check("in process: health while the keys cannot be fetched", "503".to_string(), came);
    let text = health.to_string();
    case.check(
        "in process: it shows the URL of the keys",
        false,
        text.contains("certs") || text.contains("127.0.0.1"),
    );
}

#[tokio::test]
async fn case_95_methods_that_a_route_does_not_know() {
    let mut case =
        Case::new(95, "API: a method that a route does not have is refused and changes nothing");
    for target in Target::all().await {
        let (name, user) = (target.name, User::connected(&target.stack, "methods").await);
        target.idle().await;
        target.stack.forget_calls_for(&user.email).await;
        for path in [
            format!("/api/connectors/{}", user.connector),
            format!("/api/triggers/{}", user.trigger),
            "/api/owner/data".into(),
        ] {
            // The server before the emulator's gateway may reject unknown methods, and writes known
            // ones in capitals.
            let lower_case = target.inside.iter().map(|_| "delete");
            for method in ["HEAD", "TRACE", "PUT", "BREW", "PROPFIND"].into_iter().chain(lower_case)
            {
                let request = target
                    .stack
                    .request(Method::from_bytes(method.as_bytes()).unwrap(), &path)
                    .bearer_auth(&user.token);
                let came = status(&target.stack.answer(request).await);
                let shown = path.replace(&user.connector, "{id}").replace(&user.trigger, "{id}");
                case.note(
                    format!("{name}: {method} {shown}"),
                    "400, 404, 405 or 501",
                    came,
                    matches!(came, 400 | 404 | 405 | 501),
                );
            }
        }
        case.check(
            format!("{name}: calls to Google"),
            0,
            target.stack.calls_for(&user.email).await.len(),
        );
        let kept = user.connector(&target.stack).await;
        case.check(
            format!("{name}: the connector's state"),
            json!("active"),
            kept["status"].clone(),
        );
    }
    let target = Target::configured(Default::default()).await;
    let user = User::connected(&target.stack, "direct").await;
    target.idle().await;
    let inside = target.inside.as_ref().unwrap();
    inside.world.take_calls();
    let (routes, functions) = (described(), inside.functions(None));
    let mut other = Vec::new();
    let mut sent = 0;
    for (_, path) in &routes {
        // A router answers HEAD as GET; the gateway has no route for it.
        for method in [
            "GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "BREW",
            "delete",
        ] {
            if routes.iter().any(|(known, of)| of == path && known == method) {
                continue;
            }
            let handed = invoke(
                functions[function(path)].clone(),
                event(method, &filled(path, &user.connector), &user.token),
            )
            .await
            .unwrap();
            let answer: Value = serde_json::from_str(handed.get()).unwrap();
            let problem: Value = serde_json::from_str(answer["body"].as_str().unwrap_or_default())
                .unwrap_or_default();
            sent += 1;
            if answer["statusCode"] != 405 || problem["code"] != "method_not_allowed" {
                other.push(format!("{} {method} {path}", answer["statusCode"]));
            }
        }
    }
    case.note("past the gateway: requests", "more than 100", sent, sent > 100);
    case.check(
        "past the gateway: answers that are not 405 method_not_allowed",
        String::new(),
        other.join("; "),
    );
    case.check(
        "past the gateway: calls to table, key and queue",
        String::new(),
        inside.world.take_calls().join("; "),
    );
}
