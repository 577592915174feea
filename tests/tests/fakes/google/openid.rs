//! The users' issuer, as a page without a secret meets it: what OpenID Connect and PKCE promise.

use fake_google::{Config, SignInChange};
use jsonwebtoken::decode_header;
use reqwest::header::{COOKIE, LOCATION, SET_COOKIE};
use reqwest::{Method, RequestBuilder, Response, Url};
use serde_json::{Value, json};

use super::client::{Client, read};
use super::oauth::{USER_CERTS, verified};

const BACK: &str = "http://127.0.0.1:4566/_aws/execute-api/a1/prod/console/auth/callback";
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const CLIENT_ID: &str = "local-console";

type Pairs<'a> = &'a [(&'a str, &'a str)];

/// What a library sends; `more` overrides or adds, and an empty value takes one out.
fn asking(more: &[(&str, &str)]) -> Vec<(String, String)> {
    let usual = [
        ("client_id", CLIENT_ID),
        ("response_type", "code"),
        ("redirect_uri", BACK),
        ("scope", "openid profile email"),
        ("state", "s/1"),
        ("nonce", "n-1"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ];
    let kept = usual.iter().filter(|(name, _)| !more.iter().any(|(other, _)| other == name));
    let all = kept.chain(more.iter().filter(|(_, value)| !value.is_empty()));
    all.map(|(name, value)| ((*name).into(), (*value).into())).collect()
}

struct Browser<'a> {
    client: &'a Client,
    cookie: Option<String>,
}

/// Where a browser was sent, or the page it was shown.
struct Seen {
    status: u16,
    location: Option<Url>,
    text: String,
}

impl Seen {
    fn sent(&self, name: &str) -> Option<String> {
        let location = self.location.as_ref()?;
        location.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }

    fn code(&self) -> String {
        self.sent("code").unwrap_or_else(|| panic!("no code: {} {}", self.status, self.text))
    }
}

impl Browser<'_> {
    fn url(&self, path: &str) -> String {
        format!("{}/users/{path}", self.client.google.url)
    }

    async fn go(&mut self, request: RequestBuilder) -> Seen {
        let request = self.cookie.iter().fold(request, |request, cookie| {
            request.header(COOKIE, format!("another=1; {cookie}"))
        });
        let answer: Response = request.send().await.unwrap();
        if let Some(set) = answer.headers().get(SET_COOKIE) {
            let set = set.to_str().unwrap();
            let pair = set.split(';').next().unwrap().to_owned();
            self.cookie = (!pair.ends_with('=')).then_some(pair);
        }
        let header = answer.headers().get(LOCATION);
        let location = header.map(|location| location.to_str().unwrap().parse().unwrap());
        let status = answer.status().as_u16();
        Seen { status, location, text: answer.text().await.unwrap() }
    }

    fn http(&self) -> reqwest::Client {
        reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap()
    }

    async fn ask(&mut self, more: &[(&str, &str)]) -> Seen {
        let url = Url::parse_with_params(&self.url("authorize"), asking(more)).unwrap();
        self.go(self.http().get(url)).await
    }

    /// Presses a button of the page that `ask` showed.
    async fn choose(&mut self, chosen: &[(&str, &str)]) -> Seen {
        let mut form = asking(&[]);
        form.extend(chosen.iter().map(|(name, value)| ((*name).into(), (*value).into())));
        self.go(self.http().post(self.url("authorize")).form(&form)).await
    }

    async fn exchange(&self, code: &str, more: &[(&str, &str)]) -> (u16, Value) {
        let usual = [
            ("grant_type", "authorization_code"),
            ("client_id", CLIENT_ID),
            ("code", code),
            ("redirect_uri", BACK),
            ("code_verifier", VERIFIER),
        ];
        let kept = usual.iter().filter(|(name, _)| !more.iter().any(|(other, _)| other == name));
        let form: Vec<_> = kept.chain(more.iter().filter(|(_, value)| !value.is_empty())).collect();
        read(self.http().post(self.url("token")).form(&form)).await
    }
}

fn browser(client: &Client) -> Browser<'_> {
    Browser { client, cookie: None }
}

#[tokio::test]
async fn the_metadata_is_what_discovery_requires_and_each_endpoint_answers() {
    let client = Client::start().await;
    let issuer = format!("{}/users", client.google.url);
    let (status, metadata) =
        read(client.http.get(format!("{issuer}/.well-known/openid-configuration"))).await;
    assert_eq!((status, &metadata["issuer"]), (200, &json!(issuer)));
    // OpenID Connect Discovery 1.0, section 3: the REQUIRED ones, and those that a page uses.
    for name in ["authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint"] {
        let url = metadata[name].as_str().unwrap();
        assert!(url.starts_with(&issuer), "{name}: {url}");
        let answered = client.http.get(url).send().await.unwrap().status().as_u16();
        assert_ne!(answered, 404, "{name}");
    }
    for (name, value) in [
        ("response_types_supported", "code"),
        ("subject_types_supported", "public"),
        ("id_token_signing_alg_values_supported", "RS256"),
        ("code_challenge_methods_supported", "S256"),
        ("token_endpoint_auth_methods_supported", "none"),
    ] {
        assert!(metadata[name].as_array().unwrap().contains(&json!(value)), "{name}");
    }
}

#[tokio::test]
async fn one_click_signs_in_and_both_tokens_are_the_users_issuers() {
    let client = Client::start().await;
    let mut browser = browser(&client);
    let shown = browser.ask(&[]).await;
    assert_eq!((shown.status, shown.location.is_none()), (200, true));
    for expected in ["admin", "operator", "viewer", "name=\"state\" value=\"s/1\""] {
        assert!(shown.text.contains(expected), "{expected}: {}", shown.text);
    }
    assert!(!shown.text.contains("<script"), "{}", shown.text);
    let back = browser.choose(&[("role", "operator")]).await;
    assert!(back.location.as_ref().unwrap().as_str().starts_with(BACK));
    let issuer = format!("{}/users", client.google.url);
    assert_eq!(
        (back.status, back.sent("state").as_deref(), back.sent("iss")),
        (303, Some("s/1"), Some(issuer.clone()))
    );
    let (status, tokens) = browser.exchange(&back.code(), &[]).await;
    assert_eq!(status, 200, "{tokens}");
    let [access, identity] =
        ["access_token", "id_token"].map(|name| tokens[name].as_str().unwrap());
    assert_eq!(decode_header(access).unwrap().typ.as_deref(), Some("at+jwt"));
    let claims = verified(&client, USER_CERTS, access, "email-connectors").await.unwrap();
    assert_eq!(
        (&claims["iss"], &claims["sub"], &claims["role"]),
        (&json!(issuer), &json!("local-owner"), &json!("operator"))
    );
    let claims = verified(&client, USER_CERTS, identity, CLIENT_ID).await.unwrap();
    assert_eq!(
        (&claims["iss"], &claims["nonce"], &claims["sub"]),
        (&json!(issuer), &json!("n-1"), &json!("local-owner"))
    );
    let info = client.http.get(browser.url("userinfo")).bearer_auth(access);
    assert_eq!(read(info).await.1["sub"], "local-owner");
    assert_eq!(read(client.http.get(browser.url("userinfo"))).await.0, 401);
}

#[tokio::test]
async fn somebody_else_signs_in_by_name_and_cancel_is_an_answer() {
    let client = Client::start().await;
    let mut browser = browser(&client);
    let back = browser.choose(&[("sub", " user-17 "), ("role", "viewer")]).await;
    let (_, tokens) = browser.exchange(&back.code(), &[]).await;
    let access = tokens["access_token"].as_str().unwrap();
    let claims = verified(&client, USER_CERTS, access, "email-connectors").await.unwrap();
    assert_eq!((&claims["sub"], &claims["role"]), (&json!("user-17"), &json!("viewer")));
    for chosen in [("decision", "cancel"), ("role", "root")] {
        let back = browser.choose(&[chosen]).await;
        assert_eq!(
            (back.sent("error").as_deref(), back.sent("code")),
            (Some("access_denied"), None)
        );
    }
}

#[tokio::test]
async fn a_code_is_good_once_for_its_page_and_its_verifier() {
    let client = Client::start().await;
    let mut browser = browser(&client);
    let wrong: [(Pairs<'_>, u16, &str); 7] = [
        (&[("code_verifier", CHALLENGE)], 400, "invalid_grant"),
        (&[("code_verifier", "")], 400, "invalid_request"),
        (&[("redirect_uri", "http://127.0.0.1:1/auth/callback")], 400, "invalid_grant"),
        (&[("client_id", "another")], 401, "invalid_client"),
        (&[("grant_type", "refresh_token")], 400, "unsupported_grant_type"),
        (&[("code", "made-up")], 400, "invalid_grant"),
        (&[("code", "")], 400, "invalid_request"),
    ];
    for (more, status, error) in wrong {
        let code = browser.choose(&[("role", "admin")]).await.code();
        let (got, answer) = browser.exchange(&code, more).await;
        assert_eq!((got, &answer["error"]), (status, &json!(error)), "{more:?}");
    }
    let code = browser.choose(&[("role", "admin")]).await.code();
    assert_eq!(browser.exchange(&code, &[("code_verifier", CHALLENGE)]).await.0, 400);
    assert_eq!(browser.exchange(&code, &[]).await.0, 400, "what was tried in vain is used");
    let code = browser.choose(&[("role", "admin")]).await.code();
    assert_eq!(browser.exchange(&code, &[]).await.0, 200);
    assert_eq!(browser.exchange(&code, &[]).await.0, 400, "a second time");
}

#[tokio::test]
async fn a_stranger_or_a_foreign_page_is_shown_an_error_and_sent_nowhere() {
    let client = Client::start().await;
    let mut browser = browser(&client);
    for wrong in [
        ("client_id", "another"),
        ("redirect_uri", ""),
        ("redirect_uri", "https://evil.example/auth/callback"),
        ("redirect_uri", "http://127.0.0.1.evil.example/auth/callback"),
        ("redirect_uri", "http://127.0.0.1@evil.example/auth/callback"),
        ("redirect_uri", "http://127.0.0.1:1/elsewhere"),
        ("redirect_uri", "http://127.0.0.1:1/auth/callback?next=1"),
        ("redirect_uri", "http://127.0.0.1:1/auth/callback#a"),
        ("redirect_uri", "javascript:alert(1)//auth/callback"),
    ] {
        let seen = browser.ask(&[wrong]).await;
        assert_eq!((seen.status, seen.location), (400, None), "{wrong:?}");
    }
    for (wrong, error) in [
        (("response_type", "token"), "unsupported_response_type"),
        (("response_type", ""), "invalid_request"),
        (("scope", "profile"), "invalid_scope"),
        (("code_challenge", ""), "invalid_request"),
        (("code_challenge_method", "plain"), "invalid_request"),
        (("prompt", "none login"), "invalid_request"),
        (("response_mode", "fragment"), "invalid_request"),
    ] {
        let seen = browser.ask(&[wrong]).await;
        assert_eq!(seen.sent("error").as_deref(), Some(error), "{wrong:?}");
        assert_eq!(seen.sent("state").as_deref(), Some("s/1"));
    }
    let text = browser.ask(&[("state", "\"><script>alert(1)</script>")]).await.text;
    assert!(!text.contains("<script"), "{text}");
    let config =
        Config { user_redirects: vec!["https://app.example.com/back".into()], ..Config::default() };
    let known = Client::with(config, fake_google::NewCode::of(super::client::EMAIL)).await;
    let mut browser = self::browser(&known);
    assert_eq!(browser.ask(&[("redirect_uri", "https://app.example.com/back")]).await.status, 200);
}

#[tokio::test]
async fn a_browser_that_signed_in_is_not_asked_again_until_it_signs_out() {
    let client = Client::start().await;
    let mut browser = browser(&client);
    let silent = [("prompt", "none")];
    assert_eq!(browser.ask(&silent).await.sent("error").as_deref(), Some("login_required"));
    browser.choose(&[("role", "viewer")]).await;
    let back = browser.ask(&silent).await;
    let (_, tokens) = browser.exchange(&back.code(), &[]).await;
    let access = tokens["access_token"].as_str().unwrap();
    let claims = verified(&client, USER_CERTS, access, "email-connectors").await.unwrap();
    assert_eq!(claims["role"], "viewer", "the same user");
    assert_eq!(browser.ask(&[]).await.status, 303);
    assert_eq!(browser.ask(&[("prompt", "login")]).await.status, 200, "unless it is asked for");
    let after = "http://127.0.0.1:4566/console/";
    let query = [("post_logout_redirect_uri", after), ("state", "s/2")];
    let url = Url::parse_with_params(&browser.url("logout"), query).unwrap();
    let out = browser.go(browser.http().get(url)).await;
    assert_eq!(out.location.unwrap().as_str(), format!("{after}?state=s%2F2"));
    assert_eq!(browser.cookie, None);
    assert_eq!(browser.ask(&silent).await.sent("error").as_deref(), Some("login_required"));
    let foreign = [("post_logout_redirect_uri", "https://evil.example/")];
    let url = Url::parse_with_params(&browser.url("logout"), foreign).unwrap();
    let seen = browser.go(browser.http().get(url)).await;
    assert_eq!((seen.status, seen.location), (400, None));
}

#[tokio::test]
async fn a_test_shortens_tokens_and_ends_sessions() {
    let client = Client::start().await;
    let mut browser = browser(&client);
    let change = json!({"expires_in": 7});
    let url = format!("{}/admin/sign-in", client.google.url);
    assert_eq!(read(client.http.put(&url).json(&change)).await.0, 200);
    let code = browser.choose(&[("role", "admin")]).await.code();
    assert_eq!(browser.exchange(&code, &[]).await.1["expires_in"], 7);
    client.google.admin.change_sign_in(&SignInChange { end_sessions: true, ..Default::default() });
    let silent = browser.ask(&[("prompt", "none")]).await;
    assert_eq!(silent.sent("error").as_deref(), Some("login_required"));
}

#[tokio::test]
async fn pages_of_every_origin_may_read_what_a_page_calls_by_itself() {
    let client = Client::start().await;
    for path in
        ["users/.well-known/openid-configuration", "users/certs", "users/token", "users/userinfo"]
    {
        let url = format!("{}/{path}", client.google.url);
        let asked = client.http.request(Method::OPTIONS, &url).send().await.unwrap();
        let header = |answer: &Response, name: &str| {
            answer.headers().get(name).map(|value| value.to_str().unwrap().to_owned())
        };
        assert_eq!(asked.status().as_u16(), 204, "{path}");
        assert_eq!(header(&asked, "access-control-allow-origin").as_deref(), Some("*"));
        let allowed = header(&asked, "access-control-allow-headers").unwrap();
        assert!(allowed.contains("authorization"), "{allowed}");
        let method = if path.ends_with("token") { Method::POST } else { Method::GET };
        let answered = client.http.request(method, &url).send().await.unwrap();
        assert_eq!(
            header(&answered, "access-control-allow-origin").as_deref(),
            Some("*"),
            "{path}"
        );
    }
}
