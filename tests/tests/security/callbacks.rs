//! The console that the stack serves is the API's own page: where it stands is the gateway's word,
//! and no caller's.

use reqwest::{Method, RequestBuilder, Url};
use serde_json::{Value, json};
use tests::deployed::User;

use crate::security::case::Case;
use crate::security::connecting::{CONNECT, connectors};
use crate::security::target::{Target, summary};

/// The console's callback page on this API.
fn own_callback(target: &Target) -> String {
    format!("{}/console/auth/google/callback", target.stack.api_url)
}

/// Scheme, host and port of a URL.
fn origin(url: &str) -> String {
    Url::parse(url).unwrap().origin().ascii_serialization()
}

fn with(request: RequestBuilder, headers: &[(&str, &str)]) -> RequestBuilder {
    headers.iter().fold(request, |request, (name, value)| request.header(*name, *value))
}

/// Asks to be sent to Google with this callback, and with these headers.
async fn start(target: &Target, user: &User, callback: &str, headers: &[(&str, &str)]) -> Value {
    let query = [("login_hint", user.email.as_str()), ("callback_url", callback)];
    let url = Url::parse_with_params("http://api", query).unwrap();
    let path = format!("{CONNECT}/start?{}", url.query().unwrap());
    let request = with(target.stack.request(Method::GET, &path), headers).bearer_auth(&user.token);
    target.stack.answer(request).await.json().await.unwrap()
}

async fn connect(
    target: &Target,
    user: &User,
    body: &Value,
    origin: &str,
    headers: &[(&str, &str)],
) -> String {
    let request = with(target.stack.request(Method::POST, CONNECT), headers)
        .header("origin", origin)
        .header("x-requested-with", "XMLHttpRequest")
        .bearer_auth(&user.token);
    summary(target.stack.answer(request.json(body)).await).await
}

#[tokio::test]
async fn case_97_the_consoles_callback_is_the_apis_own() {
    let mut case = Case::new(
        97,
        "connect: a callback of a stranger, of another stage, or of a host that a header names",
    );
    for target in Target::all().await {
        let (name, user) = (target.name, User::new(&target.stack, "console").await);
        let (own, here) = (own_callback(&target), target.stack.api_url.clone());
        let evil = "https://evil.example/console/auth/google/callback";
        let lies = [
            ("x-forwarded-host", "evil.example"),
            ("x-forwarded-proto", "https"),
            ("forwarded", "host=evil.example;proto=https"),
            ("x-forwarded-prefix", "/evil"),
        ];
        let foreign = [
            ("a stranger's page", evil.to_string()),
            ("another stage", format!("{here}/other/console/auth/google/callback")),
            ("another page of the console", format!("{here}/console/connectors")),
            ("a longer host", own.replace("127.0.0.1", "127.0.0.1.evil.example")),
            ("a user before the host", own.replace("127.0.0.1", "evil@127.0.0.1")),
            ("with a query", format!("{own}?next=https://evil.example")),
            ("with a fragment", format!("{own}#a")),
            ("over https", own.replace("http://", "https://")),
            ("empty", String::new()),
        ];
        target.forget_calls().await;
        for (what, callback) in &foreign {
            for headers in [&[][..], &lies] {
                let lying = if headers.is_empty() { "" } else { ", with headers that lie" };
                let refused = start(&target, &user, callback, headers).await;
                case.check(
                    format!("{name}: start, {what}{lying}"),
                    "400 invalid_request callback_url".to_string(),
                    format!(
                        "{} {} {}",
                        refused["status"],
                        refused["code"].as_str().unwrap_or_default(),
                        refused["field"].as_str().unwrap_or_default()
                    ),
                );
                let body = json!({"auth_code": "4/0a", "callback_url": callback, "state": "s"});
                case.check(
                    format!("{name}: connect, {what}{lying}"),
                    "400 invalid_request".to_string(),
                    connect(&target, &user, &body, &origin(&here), headers).await,
                );
            }
        }
        let body = json!({"auth_code": "4/0a", "callback_url": own, "state": "s"});
        case.check(
            format!("{name}: from the origin that a header names"),
            "403 forbidden".to_string(),
            connect(&target, &user, &body, "https://evil.example", &lies).await,
        );
        case.check(
            format!("{name}: exchanges meanwhile"),
            0,
            target.called_for(&user.email, "token").await,
        );
        // The console itself, whatever headers say.
        for headers in [&[][..], &lies] {
            let started = start(&target, &user, &own, headers).await;
            let url = started["authorization_url"].as_str().unwrap_or_default();
            let url = Url::parse(url).expect("a URL of Google's");
            let redirect = url.query_pairs().find(|(key, _)| key == "redirect_uri").unwrap().1;
            case.check(format!("{name}: its redirect_uri"), own.clone(), redirect.into_owned());
            let response = target.stack.visit(url.as_str()).await;
            let back = Url::parse(response.headers()["location"].to_str().unwrap()).unwrap();
            let code = back.query_pairs().find(|(key, _)| key == "code").unwrap().1.into_owned();
            let body = json!({"auth_code": code, "callback_url": own, "state": started["state"]});
            case.check(
                format!("{name}: a connect from the console, by its own origin"),
                "200".to_string(),
                connect(&target, &user, &body, &origin(&here), headers).await,
            );
        }
        case.check(format!("{name}: connectors"), 1, connectors(&target, &user).await);
    }
}
