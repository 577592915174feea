//! A connect session: it connects one mailbox, once, and does nothing else.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tests::deployed::{ORIGIN, User, read};

use crate::security::case::Case;
use crate::security::connecting::{CONNECT, OUTLOOK, connectors};
use crate::security::target::{Target, summary};

const SESSIONS: &str = "/api/connect-sessions";

async fn opened(target: &Target, user: &User, mut body: Value) -> Value {
    body["origin"] = json!(ORIGIN);
    let answer = target.stack.api(Method::POST, SESSIONS, Some(&user.token), Some(body)).await;
    read(answer, StatusCode::CREATED).await
}

fn token(session: &Value) -> String {
    session["session_token"].as_str().unwrap().into()
}

async fn asked(
    target: &Target,
    method: Method,
    path: &str,
    token: &str,
    body: Option<Value>,
) -> String {
    summary(target.stack.api(method, path, Some(token), body).await).await
}

/// Every route that needs a user, but those of a connect, with the user's own ids in it.
fn others(user: &User) -> Vec<(Method, String, bool)> {
    let described = serde_json::to_value(connectors_api::openapi::description()).unwrap();
    let mut found = Vec::new();
    for (path, item) in described["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let connects = path.starts_with(CONNECT) || path.starts_with(OUTLOOK);
            if operation.get("security").is_none() || connects {
                continue;
            }
            let path = path
                .replace("{connector_id}", &user.connector)
                .replace("{trigger_id}", &user.trigger);
            let filled = path.split('/').map(|part| if part.starts_with('{') { "1" } else { part });
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            let body = operation.get("requestBody").is_some();
            found.push((method, filled.collect::<Vec<_>>().join("/"), body));
        }
    }
    found
}

#[tokio::test]
async fn case_98_a_connect_session() {
    let mut case = Case::new(
        98,
        "connect sessions: every other route; a used, late or made-up one; another account",
    );
    for target in Target::all().await {
        let (name, user) = (target.name, User::connected(&target.stack, "session").await);
        let over = "401 session_ended".to_string();
        for (what, body, expected) in [
            ("a foreign origin", json!({"origin": "https://evil.example"}), "400 invalid_request"),
            (
                "an unknown provider",
                json!({"origin": ORIGIN, "provider": "smtp"}),
                "400 invalid_request",
            ),
            (
                "another owner's connector",
                json!({"origin": ORIGIN, "connector_id": "con_1"}),
                "404 not_found",
            ),
            (
                "more than it knows",
                json!({"origin": ORIGIN, "replace": true}),
                "400 invalid_request",
            ),
        ] {
            case.check(
                format!("{name}: opened for {what}"),
                expected.to_string(),
                asked(&target, Method::POST, SESSIONS, &user.token, Some(body)).await,
            );
        }
        let session = opened(&target, &user, json!({"connector_id": user.connector})).await;
        let (own, current) = (token(&session), format!("{SESSIONS}/current"));
        case.check(
            format!("{name}: its page, with the token in the fragment"),
            format!("{}/console/connect#session={own}", target.stack.api_url),
            session["url"].as_str().unwrap_or_default().to_string(),
        );
        // A session does nothing but connect.
        let routes = others(&user);
        case.note(format!("{name}: other routes"), "more than 40", routes.len(), routes.len() > 40);
        for (method, path, body) in routes {
            case.check(
                format!("{name}: {method} {path}"),
                "403 session_not_allowed".to_string(),
                asked(&target, method, &path, &own, body.then(|| json!({}))).await,
            );
        }
        let shown = target.stack.api(Method::GET, &current, Some(&own), None).await;
        let shown = read(shown, StatusCode::OK).await;
        case.check(
            format!("{name}: what it shows"),
            json!({"origin": ORIGIN, "provider": "gmail", "done": false, "expires_at": session["expires_at"],
                "connector": {"id": user.connector, "email_address": user.email, "status": "active"}}),
            shown,
        );
        for (what, token) in [
            ("a user's token", user.token.clone()),
            (
                "altered in one letter",
                format!("{}{}", &own[..own.len() - 1], if own.ends_with('A') { "B" } else { "A" }),
            ),
            ("under another owner", own.replacen("cst_", "cst_eA", 1)),
            ("without a secret", "cst_dQ.".into()),
        ] {
            case.check(
                format!("{name}: {what}"),
                over.clone(),
                asked(&target, Method::GET, &current, &token, None).await,
            );
        }
        // What the page tells who needs an administrator first.
        let of_admin = format!("{OUTLOOK}/admin-consent");
        case.check(
            format!("{name}: where an administrator consents"),
            asked(&target, Method::GET, &of_admin, &user.token, None).await,
            asked(&target, Method::GET, &of_admin, &own, None).await,
        );
        // Another account, and more than a session may.
        let other = User::new(&target.stack, "other").await;
        let connect = async |token: &str, code: String, replace: bool| {
            let body = json!({"auth_code": code, "replace": replace});
            asked(&target, Method::POST, CONNECT, token, Some(body)).await
        };
        let code = other.code(&target.stack).await;
        case.check(
            format!("{name}: another account"),
            "409 account_mismatch".to_string(),
            connect(&own, code, false).await,
        );
        let code = other.code(&target.stack).await;
        case.check(
            format!("{name}: another account in its place"),
            "403 session_not_allowed".to_string(),
            connect(&own, code, true).await,
        );
        let code = user.code(&target.stack).await;
        case.check(
            format!("{name}: its own account"),
            "200".to_string(),
            connect(&own, code, false).await,
        );
        let code = user.code(&target.stack).await;
        case.check(format!("{name}: used twice"), over.clone(), connect(&own, code, false).await);
        let start = format!("{CONNECT}/start");
        for path in [&start, &of_admin] {
            case.check(
                format!("{name}: {path} after its use"),
                over.clone(),
                asked(&target, Method::GET, path, &own, None).await,
            );
        }
        case.check(format!("{name}: connectors"), 1, connectors(&target, &user).await);
        if target.inside.is_some() {
            let late = token(&opened(&target, &user, json!({})).await);
            target.pass(Duration::from_secs(15 * 60 + 1));
            for (method, path, body) in [
                (Method::GET, current.as_str(), None),
                (Method::GET, start.as_str(), None),
                (Method::POST, CONNECT, Some(json!({"auth_code": "4/0a"}))),
            ] {
                case.check(
                    format!("{name}: {method} {path} after a quarter of an hour"),
                    over.clone(),
                    asked(&target, method, path, &late, body).await,
                );
            }
        }
    }
}
