//! Google's consent, as a person meets it in a browser: the page, and what each of its buttons does.

use fake_google::NextConsent;
use reqwest::Url;
use reqwest::header::{ACCEPT, CONTENT_SECURITY_POLICY, LOCATION};
use reqwest::redirect::Policy;

use super::client::{Client, EMAIL};

const CLIENT_ID: &str = "local-client.apps.googleusercontent.com";
const REDIRECT_URI: &str = "http://127.0.0.1:4566/console/auth/google/callback";
const MODIFY: &str = "https://www.googleapis.com/auth/gmail.modify";
const SEND: &str = "https://www.googleapis.com/auth/gmail.send";

fn http() -> reqwest::Client {
    reqwest::Client::builder().redirect(Policy::none()).build().unwrap()
}

fn asking(more: &[(&str, &str)]) -> Vec<(String, String)> {
    let scope = format!("openid email {MODIFY} {SEND}");
    let usual = [
        ("client_id", CLIENT_ID),
        ("response_type", "code"),
        ("redirect_uri", REDIRECT_URI),
        ("scope", &scope),
        ("access_type", "offline"),
        ("prompt", "consent"),
        ("state", "s/1"),
    ];
    let kept = usual.iter().filter(|(name, _)| !more.iter().any(|(other, _)| other == name));
    kept.chain(more).map(|(name, value)| ((*name).into(), (*value).into())).collect()
}

async fn page(client: &Client, more: &[(&str, &str)]) -> reqwest::Response {
    let url = format!("{}/o/oauth2/v2/auth", client.google.url);
    let url = Url::parse_with_params(&url, asking(more)).unwrap();
    let browsers = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
    http().get(url).header(ACCEPT, browsers).send().await.unwrap()
}

/// The status of the form's answer, and what the browser is sent back with.
async fn press(client: &Client, chosen: &[(&str, &str)]) -> (u16, Vec<(String, String)>) {
    let mut form = asking(&[]);
    form.extend(chosen.iter().map(|(name, value)| ((*name).into(), (*value).into())));
    let url = format!("{}/o/oauth2/v2/auth", client.google.url);
    let answer = http().post(url).form(&form).send().await.unwrap();
    let location = answer.headers().get(LOCATION);
    let location: Option<Url> = location.map(|to| to.to_str().unwrap().parse().unwrap());
    if let Some(location) = &location {
        assert!(location.as_str().starts_with(REDIRECT_URI), "{location}");
    }
    let pairs = location.iter().flat_map(|to| to.query_pairs().into_owned()).collect();
    (answer.status().as_u16(), pairs)
}

fn of(pairs: &[(String, String)], name: &str) -> Option<String> {
    pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone())
}

#[tokio::test]
async fn a_browser_is_asked_for_account_and_scopes_without_a_script() {
    let client = Client::start().await;
    let shown = page(&client, &[]).await;
    assert_eq!(shown.status().as_u16(), 200);
    let policy = shown.headers()[CONTENT_SECURITY_POLICY].to_str().unwrap().to_owned();
    assert!(policy.starts_with("default-src 'none'"), "{policy}");
    let text = shown.text().await.unwrap();
    for expected in [EMAIL, "sample@example.com", MODIFY, SEND, "Allow", "Cancel"] {
        assert!(text.contains(expected), "{expected}");
    }
    assert!(!text.contains("<script"), "{text}");
    let hinted = page(&client, &[("login_hint", "sample@example.com")]).await.text().await.unwrap();
    assert!(hinted.contains("value=\"sample@example.com\" checked"), "{hinted}");
    client
        .google
        .admin
        .set_next_consent(NextConsent {
            email: EMAIL.into(),
            untick: vec![SEND.into()],
            deny: false,
        })
        .unwrap();
    let preset = page(&client, &[("login_hint", EMAIL)]).await.text().await.unwrap();
    assert!(preset.contains(&format!("value=\"{MODIFY}\" checked")), "{preset}");
    assert!(preset.contains(&format!("value=\"{SEND}\">")), "{preset}");
}

#[tokio::test]
async fn what_is_ticked_is_granted_to_the_account_that_was_chosen() {
    let client = Client::start().await;
    let allow = ("decision", "allow");
    for (account, email) in [
        (vec![("account", EMAIL)], EMAIL),
        (vec![("account", EMAIL), ("new_account", "New@example.com")], "new@example.com"),
    ] {
        let chosen = [account, vec![("granted", MODIFY), allow]].concat();
        let (status, back) = press(&client, &chosen).await;
        assert_eq!((status, of(&back, "state").as_deref()), (302, Some("s/1")));
        let code = of(&back, "code").unwrap();
        let (status, tokens) = client.exchange(&code, &[("redirect_uri", REDIRECT_URI)]).await;
        assert_eq!(status, 200, "{tokens}");
        let scope = tokens["scope"].as_str().unwrap();
        assert!(scope.contains("openid") && scope.contains(MODIFY), "{scope}");
        assert!(!scope.contains(SEND), "unticked: {scope}");
        assert_eq!(client.google.admin.grants(Some(email)).last().unwrap().email, email);
    }
}

#[tokio::test]
async fn cancel_goes_back_with_an_error_and_an_administrators_refusal_ends_at_google() {
    let client = Client::start().await;
    let (status, back) = press(&client, &[("account", EMAIL), ("decision", "cancel")]).await;
    assert_eq!((status, of(&back, "error").as_deref()), (302, Some("access_denied")));
    assert_eq!((of(&back, "state").as_deref(), of(&back, "code")), (Some("s/1"), None));
    for chosen in [
        vec![("account", EMAIL), ("decision", "administrator")],
        vec![("decision", "allow")],
        vec![("account", "nobody@example.com"), ("decision", "allow")],
        vec![("new_account", "no address"), ("decision", "allow")],
    ] {
        assert_eq!(press(&client, &chosen).await, (400, Vec::new()), "{chosen:?}");
    }
}
