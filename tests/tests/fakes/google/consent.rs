//! The authorization endpoint: what it grants, which errors it redirects, and which it shows only
//! to the user.

use fake_google::NextConsent;
use reqwest::Url;
use reqwest::redirect::Policy;
use serde_json::{Value, json};

use super::client::{Client, EMAIL, read};
use super::oauth::{GOOGLE_CERTS, verified};

const CLIENT_ID: &str = "local-client.apps.googleusercontent.com";
const REDIRECT_URI: &str = "https://app.example.com/callback?tenant=7";
const MODIFY: &str = "https://www.googleapis.com/auth/gmail.modify";
const SEND: &str = "https://www.googleapis.com/auth/gmail.send";
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

struct Page {
    status: u16,
    location: Option<Url>,
}

impl Page {
    fn forwarded(&self, name: &str) -> Option<String> {
        let location = self.location.as_ref()?;
        location.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }

    fn code(&self) -> String {
        self.forwarded("code")
            .unwrap_or_else(|| panic!("no code: {} {:?}", self.status, self.location))
    }
}

/// A well formed request; `more` overrides or adds parameters, and an empty value takes one out.
async fn authorize(client: &Client, more: &[(&str, &str)]) -> Page {
    let scope = format!("openid email {MODIFY}");
    let usual = [
        ("client_id", CLIENT_ID),
        ("response_type", "code"),
        ("redirect_uri", REDIRECT_URI),
        ("scope", &scope),
        ("access_type", "offline"),
        ("login_hint", EMAIL),
        ("state", "s/1"),
    ];
    let mut query: Vec<(&str, &str)> = usual
        .into_iter()
        .filter(|(name, _)| !more.iter().any(|(other, _)| other == name))
        .collect();
    query.extend(more.iter().filter(|(_, value)| !value.is_empty()));
    let http = reqwest::Client::builder().redirect(Policy::none()).build().unwrap();
    let url =
        Url::parse_with_params(&format!("{}/o/oauth2/v2/auth", client.google.url), query).unwrap();
    let answer = http.get(url).send().await.unwrap();
    let location = answer
        .headers()
        .get("location")
        .map(|location| location.to_str().unwrap().parse().unwrap());
    Page { status: answer.status().as_u16(), location }
}

async fn exchanged(client: &Client, page: &Page) -> Value {
    let (status, tokens) = client
        .exchange(&page.code(), &[("redirect_uri", REDIRECT_URI), ("code_verifier", VERIFIER)])
        .await;
    assert_eq!(status, 200, "{tokens}");
    tokens
}

#[tokio::test]
async fn a_code_is_bound_to_its_authorization_request() {
    let client = Client::start().await;
    let page = authorize(
        &client,
        &[("nonce", "n-1"), ("code_challenge", CHALLENGE), ("code_challenge_method", "S256")],
    )
    .await;
    assert_eq!(page.status, 302);
    let location = page.location.as_ref().unwrap().as_str();
    assert!(
        location.starts_with("https://app.example.com/callback?tenant=7&code=4%2F0canary-"),
        "{location}"
    );
    assert!(location.ends_with("&state=s%2F1&iss=https%3A%2F%2Faccounts.google.com"), "{location}");
    let code = page.code();
    let check = async |more: &[(&str, &str)], expected: (u16, &str)| {
        let (status, answer) = client.exchange(&code, more).await;
        assert_eq!((status, answer["error"].as_str().unwrap_or_default()), expected, "{more:?}");
        answer
    };
    let (right_uri, right_verifier) = (("redirect_uri", REDIRECT_URI), ("code_verifier", VERIFIER));
    check(&[right_verifier], (400, "redirect_uri_mismatch")).await;
    check(&[right_uri], (400, "invalid_grant")).await;
    check(&[right_uri, ("code_verifier", CHALLENGE)], (400, "invalid_grant")).await;
    let tokens = check(&[right_uri, right_verifier], (200, "")).await;
    check(&[right_uri, right_verifier], (400, "invalid_grant")).await;
    let claims = verified(&client, GOOGLE_CERTS, tokens["id_token"].as_str().unwrap(), CLIENT_ID)
        .await
        .unwrap();
    assert_eq!((&claims["email"], &claims["nonce"]), (&json!(EMAIL), &json!("n-1")));
    assert_eq!(
        tokens["scope"],
        format!("openid https://www.googleapis.com/auth/userinfo.email {MODIFY}")
    );
    let calls = client.google.admin.calls();
    let call = calls.iter().find(|call| call.method == "authorize").unwrap();
    assert_eq!(
        (call.path.as_str(), call.status, call.email.as_deref()),
        ("/o/oauth2/v2/auth", 302, Some(EMAIL))
    );
}

#[tokio::test]
async fn a_plain_challenge_is_its_own_verifier() {
    let client = Client::start().await;
    for method in ["plain", ""] {
        let page =
            authorize(&client, &[("code_challenge", CHALLENGE), ("code_challenge_method", method)])
                .await;
        let exchange = async |verifier: &str| {
            client
                .exchange(
                    &page.code(),
                    &[("redirect_uri", REDIRECT_URI), ("code_verifier", verifier)],
                )
                .await
                .0
        };
        assert_eq!((exchange(VERIFIER).await, exchange(CHALLENGE).await), (400, 200));
    }
}

#[tokio::test]
async fn a_refresh_token_comes_with_the_first_offline_consent_or_with_prompt_consent() {
    let client = Client::start().await;
    let has_refresh_token = async |more: &[(&str, &str)]| {
        let page = authorize(&client, more).await;
        exchanged(&client, &page).await.get("refresh_token").is_some()
    };
    client.google.admin.revoke_grants(EMAIL);
    assert!(has_refresh_token(&[]).await, "the first");
    assert!(!has_refresh_token(&[]).await, "a second");
    assert!(has_refresh_token(&[("prompt", "select_account consent")]).await);
    assert!(!has_refresh_token(&[("prompt", "consent"), ("access_type", "online")]).await);
    assert!(!has_refresh_token(&[("prompt", "consent"), ("access_type", "")]).await);
    assert!(!has_refresh_token(&[("prompt", "none")]).await);
    client.google.admin.revoke_grants(EMAIL);
    assert_eq!(
        authorize(&client, &[("prompt", "none")]).await.forwarded("error").as_deref(),
        Some("interaction_required")
    );
    assert!(has_refresh_token(&[]).await, "the first after all was taken back");
}

#[tokio::test]
async fn a_user_may_untick_scopes_or_refuse_once() {
    let client = Client::start().await;
    let both = format!("openid {MODIFY} {SEND}");
    let query = [("scope", both.as_str())];
    let set = async |wish: Value| {
        read(client.http.post(format!("{}/admin/consents", client.google.url)).json(&wish)).await.0
    };
    assert_eq!(set(json!({ "email": EMAIL, "untick": [SEND, "email"] })).await, 200);
    let fewer = exchanged(&client, &authorize(&client, &query).await).await;
    assert_eq!(fewer["scope"], format!("openid {MODIFY}"));
    let all = exchanged(&client, &authorize(&client, &query).await).await;
    assert_eq!(all["scope"], both, "only the next consent is unticked");
    client
        .google
        .admin
        .set_next_consent(NextConsent { email: EMAIL.into(), deny: true, ..Default::default() })
        .unwrap();
    let refused = authorize(&client, &query).await;
    assert_eq!(
        (refused.forwarded("error").as_deref(), refused.forwarded("code")),
        (Some("access_denied"), None)
    );
    assert_eq!(set(json!({ "email": "nobody@example.com", "untick": [] })).await, 404);
    let added =
        authorize(&client, &[("scope", "openid"), ("include_granted_scopes", "true")]).await;
    let scope = exchanged(&client, &added).await["scope"].as_str().unwrap().to_owned();
    assert!(scope.contains(MODIFY) && scope.contains(SEND), "{scope}");
}

#[tokio::test]
async fn errors_are_redirected_to_a_known_client() {
    let client = Client::start().await;
    let refused = async |more: &[(&str, &str)], error: &str| {
        let page = authorize(&client, more).await;
        let got = (
            page.status,
            page.forwarded("error"),
            page.forwarded("state"),
            page.forwarded("tenant"),
            page.forwarded("code"),
        );
        assert_eq!(
            got,
            (302, Some(error.into()), Some("s/1".into()), Some("7".into()), None),
            "{more:?}"
        );
    };
    refused(&[("response_type", "")], "invalid_request").await;
    refused(&[("response_type", "token")], "unsupported_response_type").await;
    refused(&[("scope", "")], "invalid_scope").await;
    refused(&[("scope", "openid everything")], "invalid_scope").await;
    refused(&[("access_type", "always")], "invalid_request").await;
    refused(&[("prompt", "login")], "invalid_request").await;
    refused(&[("prompt", "none consent")], "invalid_request").await;
    refused(&[("include_granted_scopes", "yes")], "invalid_request").await;
    refused(&[("code_challenge", "short")], "invalid_request").await;
    refused(&[("code_challenge", CHALLENGE), ("code_challenge_method", "S512")], "invalid_request")
        .await;
    refused(&[("code_challenge_method", "S256")], "invalid_request").await;
    refused(&[("nonce", "1"), ("nonce", "2")], "invalid_request").await;
}

#[tokio::test]
async fn a_stranger_a_bad_target_or_no_account_gets_a_page_and_no_redirect() {
    let client = Client::start().await;
    let uris = [
        "",
        "postmessage",
        "/callback",
        "javascript:alert(1)",
        "https://a@example.com/",
        "https://example.com/#here",
    ];
    let mut requests: Vec<(&str, &str)> = uris.map(|uri| ("redirect_uri", uri)).to_vec();
    requests.extend([
        ("client_id", ""),
        ("client_id", "another"),
        ("login_hint", ""),
        ("login_hint", "nobody@example.com"),
    ]);
    for request in requests {
        let page = authorize(&client, &[request]).await;
        assert_eq!((page.status, page.location), (400, None), "{request:?}");
    }
}
