//! Addresses and names that mean something to a browser, a header or a network.

use reqwest::Method;
use serde_json::json;
use tests::deployed::User;

use crate::security::case::Case;
use crate::security::connecting::{CONNECT, Sent, callback_url, post};
use crate::security::forge::encoded;
use crate::security::target::{Target, header, status, summary};

#[tokio::test]
async fn case_30_addresses_and_names() {
    let mut case = Case::new(
        30,
        "API: addresses and names with CRLF, javascript:, internal addresses, userinfo@host",
    );
    for target in Target::all().await {
        let (name, user) = (target.name, User::connected(&target.stack, "names").await);
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
            let answer = post(
                &target,
                &user,
                json!({"auth_code": "4/0a", "callback_url": url, "state": "s"}),
            )
            .await;
            case.check(
                format!("{name}: callback_url {url:?}"),
                "400 invalid_request".to_string(),
                answer,
            );
        }
        for query in [
            "code=a%0d%0aSet-Cookie:%20a=b&state=s",
            "code=a&state=s%0d%0aLocation:%20https://evil.example",
            "code=a%00&state=s",
            "code=a&code=b&state=s",
        ] {
            let answer = target
                .stack
                .answer(target.stack.request(Method::GET, &format!("{CONNECT}/callback?{query}")))
                .await;
            case.check(format!("{name}: callback with {query}"), 400, status(&answer));
        }
        let query =
            "code=4%2F0a&state=s&redirect_uri=https%3A%2F%2Fevil.example&next=//evil.example";
        let answer = target
            .stack
            .answer(target.stack.request(Method::GET, &format!("{CONNECT}/callback?{query}")))
            .await;
        let location = answer
            .headers()
            .get("location")
            .map(|location| location.to_str().unwrap().to_string())
            .unwrap_or_default();
        case.check(
            format!("{name}: a good callback leads to the frontend alone"),
            format!("{}?code=4%2F0a&state=s", callback_url()),
            location,
        );
        for hint in ["a%0d%0aSet-Cookie:a=b", "evil", "a%40b%20c", "a@b@c"] {
            let answer = target
                .stack
                .api(
                    Method::GET,
                    &format!("{CONNECT}/start?login_hint={hint}"),
                    Some(&user.token),
                    None,
                )
                .await;
            case.check(
                format!("{name}: login_hint {hint}"),
                "400 invalid_request".to_string(),
                summary(answer).await,
            );
        }
        let sent = Sent::away(&target, &user).await;
        case.check(
            format!("{name}: the consent page asks to return to"),
            callback_url(),
            sent.parameter("redirect_uri").unwrap_or_default(),
        );
        for label in ["a\r\nb", "\u{0}", ""] {
            let filters = json!({"label_include": [label]});
            let body = json!({"type": "email", "config": {"connector_id": user.connector, "filters": filters}});
            let answer = target
                .stack
                .api(Method::POST, "/api/triggers", Some(&user.token), Some(body))
                .await;
            case.check(
                format!("{name}: label {label:?}"),
                "400 invalid_trigger".to_string(),
                summary(answer).await,
            );
        }
        let agent = json!({"type": "email", "agent_id": "a\r\nb", "config": {"connector_id": user.connector}});
        let answer =
            target.stack.api(Method::POST, "/api/triggers", Some(&user.token), Some(agent)).await;
        case.check(
            format!("{name}: an agent's name with CRLF"),
            "400 invalid_trigger".to_string(),
            summary(answer).await,
        );
    }
    outbound(&mut case);
}

/// Outbound hosts come from settings, each a whole URL; a URL that could name another host is
/// refused at startup.
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
        let refused = GoogleSettings::read(&env)
            .map(|_| "read".to_string())
            .unwrap_or_else(|error| error.name.to_string());
        case.check(
            format!("settings: GOOGLE_TOKEN_URL={url}, refused by name"),
            "GOOGLE_TOKEN_URL".to_string(),
            refused,
        );
    }
}

#[tokio::test]
async fn case_92_what_google_is_said_to_send_back() {
    let mut case = Case::new(
        92,
        "connect: forged error, state and code in a callback: no page, and no redirect elsewhere",
    );
    const PLANTED: &str = "planted\"><script>alert(1)</script>";
    for target in Target::all().await {
        let name = target.name;
        let visit = async |query: String| {
            let request = target.stack.request(Method::GET, &format!("{CONNECT}/callback?{query}"));
            target.stack.answer(request).await
        };
        for (what, error) in [
            ("an HTML page", PLANTED.to_string()),
            ("an address", "https://evil.example".into()),
            ("more words", "access_denied&code=a".into()),
            ("capitals", "ACCESS_DENIED".into()),
            ("65 letters", "a".repeat(65)),
            ("nothing", String::new()),
        ] {
            let answer = visit(format!(
                "error={}&state=s&error_description={}",
                encoded(&error),
                encoded(PLANTED)
            ))
            .await;
            let kind = header(&answer, "content-type");
            let (came, text) = (status(&answer), answer.text().await.unwrap());
            case.check(format!("{name}: an error that is {what}"), 400, came);
            case.check(
                format!("{name}: an error that is {what}: content type"),
                "application/problem+json".to_string(),
                kind,
            );
            case.check(
                format!("{name}: an error that is {what}: repeated in the answer"),
                false,
                text.contains("planted") || text.contains("evil"),
            );
        }
        for state in [
            PLANTED,
            "https://evil.example/",
            "//evil.example",
            "@evil.example",
            "a#b",
            "a&next=//evil.example",
            "javascript:alert(1)",
            "ä\u{202e}",
        ] {
            for (what, value) in [("code", PLANTED), ("code", "4/0a"), ("error", "access_denied")] {
                let answer = visit(format!(
                    "{what}={}&state={}&error_uri=//evil.example&scope={}",
                    encoded(value),
                    encoded(state),
                    encoded(PLANTED)
                ))
                .await;
                let location = header(&answer, "location");
                let shown = format!("{name}: {what} {value:?} with the state {state:?}");
                let expected = format!(
                    "302 {}?{what}={}&state={}",
                    callback_url(),
                    encoded(value),
                    encoded(state)
                );
                case.check(&shown, expected, format!("{} {location}", status(&answer)));
                let leads = reqwest::Url::parse(&location).unwrap();
                case.check(
                    format!("{shown}: redirects to"),
                    "app.example.com".to_string(),
                    leads.host_str().unwrap_or_default().to_string(),
                );
                case.check(
                    format!("{shown}: the body"),
                    String::new(),
                    answer.text().await.unwrap(),
                );
            }
        }
    }
}
