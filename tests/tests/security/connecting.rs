//! A connect: the page's origin, the state's owner, and the code's owner.

use std::collections::BTreeMap;
use std::time::Duration;

use reqwest::{Method, Url};
use serde_json::{Value, json};
use tests::deployed::{ORIGIN, User, read};

use crate::security::case::Case;
use crate::security::forge::unique;
use crate::security::target::{Target, status, summary};

pub const CONNECT: &str = "/api/auth/google/gmail";
/// Where Outlook is connected; a stack that connects none refuses it.
pub const OUTLOOK: &str = "/api/auth/microsoft/outlook";

pub fn callback_url() -> String {
    format!("{ORIGIN}/auth/google/callback")
}

/// A user who was redirected to Google's consent page, as the frontend sees it.
pub struct Sent {
    pub state: String,
    url: Url,
}

impl Sent {
    pub async fn away(target: &Target, user: &User) -> Self {
        Self::to(target, user, CONNECT).await
    }

    /// Of the provider that is connected at this path.
    pub async fn to(target: &Target, user: &User, connect: &str) -> Self {
        let path = format!("{connect}/start?login_hint={}", user.email);
        let started = read(
            target.stack.api(Method::GET, &path, Some(&user.token), None).await,
            reqwest::StatusCode::OK,
        )
        .await;
        let url = Url::parse(started["authorization_url"].as_str().unwrap()).unwrap();
        Self { state: started["state"].as_str().unwrap().into(), url }
    }

    pub fn parameter(&self, name: &str) -> Option<String> {
        self.url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }

    /// The user consents; returns the query parameters of the redirect back.
    pub async fn consent(&self, target: &Target) -> BTreeMap<String, String> {
        let response = target.stack.visit(self.url.as_str()).await;
        let location = Url::parse(response.headers()["location"].to_str().unwrap()).unwrap();
        location.query_pairs().into_owned().collect()
    }
}

/// Redirects the user to Google and consents there; returns the state and the code.
pub async fn consented(target: &Target, user: &User) -> (String, String) {
    let sent = Sent::away(target, user).await;
    let code = sent.consent(target).await["code"].clone();
    (sent.state, code)
}

pub async fn post(target: &Target, user: &User, body: Value) -> String {
    summary(target.stack.api(Method::POST, CONNECT, Some(&user.token), Some(body)).await).await
}

pub fn redirect_body(code: &str, state: &str) -> Value {
    json!({"auth_code": code, "callback_url": callback_url(), "state": state})
}

/// How many connectors the API lists for the owner.
pub async fn connectors(target: &Target, user: &User) -> usize {
    let listed = read(
        target.stack.api(Method::GET, "/api/connectors", Some(&user.token), None).await,
        reqwest::StatusCode::OK,
    )
    .await;
    listed["connectors"].as_array().unwrap().len()
}

/// An authorization code that Google's fake issues for this account.
pub async fn issued_code(target: &Target, mut order: Value, email: &str) -> String {
    order["email"] = json!(email);
    target.stack.google(Method::POST, "/admin/codes", order).await["code"].as_str().unwrap().into()
}

#[tokio::test]
async fn case_20_states() {
    let mut case =
        Case::new(20, "connect: state missing, altered, expired, of another user, used twice");
    for target in Target::all().await {
        let (name, user) = (target.name, User::new(&target.stack, "state").await);
        let other = User::new(&target.stack, "other").await;
        let sent = Sent::away(&target, &user).await;
        let back = sent.consent(&target).await;
        case.check(
            format!("{name}: the state that Google sends back"),
            sent.state.clone(),
            back["state"].clone(),
        );
        let code = &back["code"];
        target.forget_calls().await;
        let altered =
            format!("{}{}", if sent.state.starts_with('A') { "B" } else { "A" }, &sent.state[1..]);
        let missing = json!({"auth_code": code, "callback_url": callback_url()});
        for (what, user, body) in [
            ("missing", &user, missing),
            ("empty", &user, redirect_body(code, "")),
            ("altered in one letter", &user, redirect_body(code, &altered)),
            ("made up", &user, redirect_body(code, &unique())),
            ("of another user", &other, redirect_body(code, &sent.state)),
        ] {
            case.check(
                format!("{name}: {what}"),
                "400 unknown_state".to_string(),
                post(&target, user, body).await,
            );
        }
        case.check(format!("{name}: exchanges meanwhile"), 0, exchanges(&target, &user).await);
        if target.inside.is_some() {
            let late = Sent::away(&target, &user).await;
            let back = late.consent(&target).await;
            target.pass(Duration::from_secs(601));
            let answer = post(&target, &user, redirect_body(&back["code"], &late.state)).await;
            case.check(format!("{name}: ten minutes old"), "400 unknown_state".to_string(), answer);
            case.check(format!("{name}: exchanges of it"), 0, exchanges(&target, &user).await);
        }
        let sent = Sent::away(&target, &user).await;
        let back = sent.consent(&target).await;
        case.check(
            format!("{name}: the user's own state"),
            "200".to_string(),
            post(&target, &user, redirect_body(&back["code"], &sent.state)).await,
        );
        let again =
            issued_code(&target, json!({"redirect_uri": callback_url()}), &user.email).await;
        // The connect's own wake-up fetches an access token.
        target.idle().await;
        target.forget_calls().await;
        let answer = post(&target, &user, redirect_body(&again, &sent.state)).await;
        case.check(
            format!("{name}: used twice, with another code"),
            "400 unknown_state".to_string(),
            answer,
        );
        case.check(
            format!("{name}: exchanges of the second use"),
            0,
            exchanges(&target, &user).await,
        );
    }
}

/// Code exchanges at Google: of this user's codes, and of unknown codes.
async fn exchanges(target: &Target, user: &User) -> usize {
    target
        .calls()
        .await
        .iter()
        .filter(|call| {
            call["method"] == "token" && (call["email"] == user.email || call["email"].is_null())
        })
        .count()
}

#[tokio::test]
async fn case_21_codes() {
    let mut case = Case::new(
        21,
        "connect: a code of another client, of another user, or with a wrong verifier",
    );
    for target in Target::all().await {
        let (name, user) = (target.name, User::new(&target.stack, "code").await);
        let stranger = User::new(&target.stack, "stranger").await;
        let refused = "400 invalid_grant".to_string();
        let of_other = issued_code(
            &target,
            json!({"client_id": "other-client.apps.googleusercontent.com"}),
            &user.email,
        )
        .await;
        case.check(
            format!("{name}: a code of another client"),
            refused.clone(),
            post(&target, &user, json!({"auth_code": of_other})).await,
        );
        case.check(
            format!("{name}: a code that Google did not issue"),
            refused.clone(),
            post(&target, &user, json!({"auth_code": "4/0unknown"})).await,
        );
        let sent = Sent::away(&target, &user).await;
        let back = sent.consent(&target).await;
        let mut wrong = redirect_body(&back["code"], &sent.state);
        wrong["code_verifier"] = json!("a".repeat(43));
        case.check(
            format!("{name}: a wrong verifier"),
            refused.clone(),
            post(&target, &user, wrong).await,
        );
        case.check(format!("{name}: connectors after these"), 0, connectors(&target, &user).await);

        let body = json!({"auth_code": user.code(&target.stack).await});
        let connect = async |user: &User, body: &Value| {
            let response = target
                .stack
                .api(Method::POST, CONNECT, Some(&user.token), Some(body.clone()))
                .await;
            (status(&response), response.text().await.unwrap())
        };
        let first = connect(&user, &body).await;
        case.check(format!("{name}: a good code"), 200, first.0);
        case.check(
            format!("{name}: a used code, from another user"),
            refused.clone(),
            post(&target, &stranger, body.clone()).await,
        );
        case.check(
            format!("{name}: connectors of that user"),
            0,
            connectors(&target, &stranger).await,
        );
        let mut other_state = body.clone();
        other_state["state"] = json!("another");
        case.check(
            format!("{name}: a used code, with another state"),
            refused.clone(),
            post(&target, &user, other_state).await,
        );
        let again = connect(&user, &body).await;
        case.check(
            format!("{name}: the same request again, the same answer"),
            true,
            again == first,
        );
        if target.inside.is_some() {
            target.pass(Duration::from_secs(601));
            case.check(
                format!("{name}: the same request after ten minutes"),
                refused,
                post(&target, &user, body).await,
            );
        }
        case.check(format!("{name}: connectors of the user"), 1, connectors(&target, &user).await);
    }
}

#[tokio::test]
async fn case_25_an_attackers_code_in_a_victims_session() {
    let mut case = Case::new(25, "connect: an attacker's code delivered into a victim's session");
    for target in Target::all().await {
        let name = target.name;
        let (attacker, victim) =
            (User::new(&target.stack, "attacker").await, User::new(&target.stack, "victim").await);
        let sent = Sent::away(&target, &attacker).await;
        let back = sent.consent(&target).await;
        case.check(
            format!("{name}: the challenge is S256"),
            "S256".to_string(),
            sent.parameter("code_challenge_method").unwrap_or_default(),
        );
        target.forget_calls().await;
        let answer = post(&target, &victim, redirect_body(&back["code"], &sent.state)).await;
        case.check(
            format!("{name}: the attacker's code and state"),
            "400 unknown_state".to_string(),
            answer,
        );
        case.check(format!("{name}: exchanges"), 0, exchanges(&target, &attacker).await);
        let own = Sent::away(&target, &victim).await;
        let answer = post(&target, &victim, redirect_body(&back["code"], &own.state)).await;
        case.check(
            format!("{name}: the attacker's code under the victim's own state"),
            "400 invalid_grant".to_string(),
            answer,
        );
        let fresh = Sent::away(&target, &attacker).await.consent(&target).await;
        let answer = post(&target, &victim, json!({"auth_code": fresh["code"]})).await;
        let refused = answer.starts_with("400 ");
        case.note(format!("{name}: the attacker's code without a state"), "400", answer, refused);
        // A code that was issued without a challenge passes PKCE; its id token lacks the victim's
        // nonce.
        let bare =
            issued_code(&target, json!({"redirect_uri": callback_url()}), &attacker.email).await;
        let own = Sent::away(&target, &victim).await;
        let answer = post(&target, &victim, redirect_body(&bare, &own.state)).await;
        case.check(
            format!("{name}: a code without a challenge under the victim's state"),
            "400 invalid_identity".to_string(),
            answer,
        );
        case.check(
            format!("{name}: connectors of the victim"),
            0,
            connectors(&target, &victim).await,
        );
        case.check(
            format!("{name}: connectors of the attacker"),
            0,
            connectors(&target, &attacker).await,
        );
    }
}

/// A connect with only what a form on another site's page can send.
#[tokio::test]
async fn case_22_a_connect_from_a_strangers_page() {
    let mut case = Case::new(22, "connect: wrong Origin or no custom header");
    for target in Target::all().await {
        let (name, user) = (target.name, User::new(&target.stack, "popup").await);
        target.forget_calls().await;
        for (what, origin, header) in [
            ("another origin", Some("https://evil.example"), true),
            ("the origin `null`", Some("null"), true),
            ("the origin with a suffix", Some("https://app.example.com.evil"), true),
            ("the origin over http", Some("http://app.example.com"), true),
            ("no origin", None, true),
            ("no custom header", Some(ORIGIN), false),
        ] {
            let request = target
                .stack
                .request(Method::POST, "/api/auth/google/gmail")
                .bearer_auth(&user.token);
            let request =
                origin.iter().fold(request, |request, origin| request.header("origin", *origin));
            let request =
                if header { request.header("x-requested-with", "XMLHttpRequest") } else { request };
            let answer = target
                .stack
                .answer(request.json(&json!({"auth_code": user.code(&target.stack).await})))
                .await;
            case.check(
                format!("{name}: {what}"),
                "403 forbidden".to_string(),
                summary(answer).await,
            );
        }
        case.check(
            format!("{name}: exchanges meanwhile"),
            0,
            target.called_for(&user.email, "token").await,
        );
        let connected = user.connect(&target.stack).await;
        case.check(
            format!("{name}: from the frontend's own page"),
            json!("connected"),
            connected["status"].clone(),
        );
    }
}
