//! Addresses and names that mean something to a browser, a header or a network.

use reqwest::Method;
use serde_json::json;
use tests::deployed::User;

use crate::security::case::Case;
use crate::security::connecting::{CONNECT, Sent, callback_url, post};
use crate::security::place::{Place, status, told};

#[tokio::test]
async fn case_30_addresses_and_names() {
    let mut case = Case::new(30, "API: addresses and names with CRLF, javascript:, internal addresses, userinfo@host");
    for place in Place::all().await {
        let (name, user) = (place.name, User::connected(&place.stack, "names").await);
        for url in [
            "https://evil.example/auth/google/callback",
            "https://app.example.com.evil/auth/google/callback",
            "https://app.example.com@evil.example/auth/google/callback",
            "https://app.example.com/auth/google/callback/../../evil",
            "https://app.example.com/auth/google/callback?next=https://evil.example",
            "https://app.example.com/auth/google/callback\r\nSet-Cookie: a=b",
            "http://app.example.com/auth/google/callback",
            "javascript:alert(1)",
            "http://169.254.169.254/latest/meta-data",
            "http://127.0.0.1:4566/auth/google/callback",
            "//evil.example",
            "",
        ] {
            let answer = post(&place, &user, json!({"auth_code": "4/0a", "callback_url": url, "state": "s"})).await;
            case.check(format!("{name}: callback_url {url:?}"), "400 invalid_request".to_string(), answer);
        }
        for query in [
            "code=a%0d%0aSet-Cookie:%20a=b&state=s",
            "code=a&state=s%0d%0aLocation:%20https://evil.example",
            "code=a%00&state=s",
            "code=a&code=b&state=s",
        ] {
            let answer = place.stack.answer(place.stack.request(Method::GET, &format!("{CONNECT}/callback?{query}"))).await;
            case.check(format!("{name}: callback with {query}"), 400, status(&answer));
        }
        let query = "code=4%2F0a&state=s&redirect_uri=https%3A%2F%2Fevil.example&next=//evil.example";
        let answer = place.stack.answer(place.stack.request(Method::GET, &format!("{CONNECT}/callback?{query}"))).await;
        let location = answer.headers().get("location").map(|location| location.to_str().unwrap().to_string()).unwrap_or_default();
        case.check(
            format!("{name}: a good callback leads to the frontend alone"),
            format!("{}?code=4%2F0a&state=s", callback_url()),
            location,
        );
        for hint in ["a%0d%0aSet-Cookie:a=b", "evil", "a%40b%20c", "a@b@c"] {
            let answer = place.stack.api(Method::GET, &format!("{CONNECT}/start?login_hint={hint}"), Some(&user.token), None).await;
            case.check(format!("{name}: login_hint {hint}"), "400 invalid_request".to_string(), told(answer).await);
        }
        let sent = Sent::away(&place, &user).await;
        case.check(
            format!("{name}: the consent page asks to return to"),
            callback_url(),
            sent.parameter("redirect_uri").unwrap_or_default(),
        );
        for label in ["a\r\nb", "\u{0}", ""] {
            let filters = json!({"label_include": [label]});
            let body = json!({"type": "email", "config": {"connector_id": user.connector, "filters": filters}});
            let answer = place.stack.api(Method::POST, "/api/triggers", Some(&user.token), Some(body)).await;
            case.check(format!("{name}: label {label:?}"), "400 invalid_trigger".to_string(), told(answer).await);
        }
        let agent = json!({"type": "email", "agent_id": "a\r\nb", "config": {"connector_id": user.connector}});
        let answer = place.stack.api(Method::POST, "/api/triggers", Some(&user.token), Some(agent)).await;
        case.check(format!("{name}: an agent's name with CRLF"), "400 invalid_trigger".to_string(), told(answer).await);
    }
    outbound(&mut case);
}

/// The hosts that are called are settings, each a whole URL; what could smuggle another host stops the function.
fn outbound(case: &mut Case) {
    use email_connectors::config::{Environment, GoogleSettings};
    for url in [
        "https://user@evil.example/token",
        "https://oauth2.googleapis.com@evil.example/token",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "//evil.example",
        "https://a/token#b",
    ] {
        let env = Environment::new(move |name| {
            let set = match name {
                "GOOGLE_TOKEN_URL" => url,
                "GMAIL_RETRY_STATUS" => "429",
                "RETRY_MAX_ATTEMPTS" => "3",
                name if name.starts_with("GOOGLE_CLIENT") => "a",
                _ => "https://google.example",
            };
            Some(set.to_string())
        });
        let refused = GoogleSettings::read(&env).map(|_| "read".to_string()).unwrap_or_else(|error| error.name.to_string());
        case.check(format!("settings: GOOGLE_TOKEN_URL={url}, refused by name"), "GOOGLE_TOKEN_URL".to_string(), refused);
    }
}
