//! A connect: what Google's answer must contain before anything is stored.

use reqwest::Method;
use serde_json::{Value, json};
use tests::deployed::User;

use crate::security::case::Case;
use crate::security::connecting::{
    CONNECT, Sent, callback_url, connectors, issued_code, post, redirect_body,
};
use crate::security::forge::seconds;
use crate::security::target::{Target, status};

const MODIFY: &str = "https://www.googleapis.com/auth/gmail.modify";

/// Grants of an account that are alive at Google.
pub async fn alive(target: &Target, email: &str) -> usize {
    let grants = target
        .stack
        .google(Method::GET, &format!("/admin/grants?email={email}"), Value::Null)
        .await;
    grants.as_array().unwrap().iter().filter(|grant| grant["alive"] == true).count()
}

pub fn ids(fired: &[Value]) -> Value {
    fired.iter().map(|event| event["message"]["id"].clone()).collect()
}

#[tokio::test]
async fn case_23_a_scope_that_the_user_unticks() {
    let mut case = Case::new(23, "connect: the user unticks a scope");
    for target in Target::all().await {
        let (name, user) = (target.name, User::new(&target.stack, "unticks").await);
        let connect = async |user: &User| {
            let code =
                issued_code(&target, json!({"scopes": ["openid", "email"]}), &user.email).await;
            let response = target
                .stack
                .api(Method::POST, CONNECT, Some(&user.token), Some(json!({"auth_code": code})))
                .await;
            let (status, body) = (status(&response), response.text().await.unwrap());
            let problem: Value = serde_json::from_str(&body).unwrap();
            let named = problem["detail"].as_str().unwrap_or_default().contains(MODIFY);
            format!(
                "{status} {} {}",
                problem["code"].as_str().unwrap_or_default(),
                if named { "named" } else { "not named" }
            )
        };
        let expected = "400 missing_scopes named".to_string();
        case.check(
            format!("{name}: the only connector of the account"),
            expected.clone(),
            connect(&user).await,
        );
        case.check(
            format!("{name}: its grants alive at Google"),
            0,
            alive(&target, &user.email).await,
        );
        case.check(format!("{name}: connectors"), 0, connectors(&target, &user).await);

        let holder = User::connected(&target.stack, "holder").await;
        let second = holder.beside(&target.stack, "second").await;
        target.forget_calls().await;
        case.check(
            format!("{name}: another connector shares the grant"),
            expected,
            connect(&second).await,
        );
        case.check(
            format!("{name}: revocations of the shared grant"),
            0,
            target.called_for(&holder.email, "revoke").await,
        );
        let message = holder.receive(&target.stack, json!({"subject": "invoice"})).await;
        let fired = target.fired(&holder.owner, 1).await;
        case.check(format!("{name}: the other connector fires on"), json!([message]), ids(&fired));
    }
}

#[tokio::test]
async fn case_24_no_refresh_token() {
    let mut case = Case::new(24, "connect: no refresh_token in the answer");
    for target in Target::all().await {
        let (name, user) = (target.name, User::new(&target.stack, "refresh").await);
        let none = async || json!({"auth_code": issued_code(&target, json!({"with_refresh_token": false}), &user.email).await});
        case.check(
            format!("{name}: no refresh token stored"),
            "400 no_refresh_token".to_string(),
            post(&target, &user, none().await).await,
        );
        case.check(format!("{name}: connectors"), 0, connectors(&target, &user).await);
        let user = user.connecting(&target.stack).await;
        let again = json!({"auth_code": issued_code(&target, json!({"with_refresh_token": false}), &user.email).await});
        case.check(
            format!("{name}: a refresh token stored"),
            "200".to_string(),
            post(&target, &user, again).await,
        );
        target.idle().await;
        // Only the stored refresh token can bring another access token.
        target
            .stack
            .google(Method::POST, "/admin/access-tokens/expire", json!({"email": user.email}))
            .await;
        let message = user.receive(&target.stack, json!({"subject": "invoice"})).await;
        case.check(
            format!("{name}: the stored refresh token still works, and mail fires"),
            json!([message]),
            ids(&target.fired(&user.owner, 1).await),
        );

        target
            .stack
            .google(Method::POST, "/admin/grants/revoke", json!({"email": user.email}))
            .await;
        user.receive(&target.stack, json!({"subject": "invoice"})).await;
        let needs = async || {
            (user.connector(&target.stack).await["status"] == "needs_reauth").then_some(())
        };
        target.stack.until("a connector that needs its user", needs).await;
        let again = json!({"auth_code": issued_code(&target, json!({"with_refresh_token": false}), &user.email).await});
        let answer = post(&target, &user, again).await;
        case.check(
            format!("{name}: the stored refresh token is revoked"),
            "400 no_refresh_token".to_string(),
            answer,
        );
    }
}

#[tokio::test]
async fn case_26_id_tokens() {
    let mut case = Case::new(26, "connect: an id_token of another audience, nonce or issuer");
    for target in Target::all().await {
        let (name, user) = (target.name, User::new(&target.stack, "identity").await);
        for (what, claims) in [
            ("another audience", json!({"aud": "other-client.apps.googleusercontent.com"})),
            ("a list of audiences", json!({"aud": ["local-client.apps.googleusercontent.com"]})),
            ("another issuer", json!({"iss": "https://accounts.google.com.evil"})),
            ("no issuer", json!({"iss": null})),
            ("no account", json!({"sub": null})),
            ("an empty account", json!({"sub": ""})),
            ("expired a day ago", json!({"exp": seconds(&target, -86_400)})),
        ] {
            let code =
                issued_code(&target, json!({ "id_token_claims": claims }), &user.email).await;
            let answer = post(&target, &user, json!({"auth_code": code})).await;
            case.check(format!("{name}: {what}"), "400 invalid_identity".to_string(), answer);
        }
        for (what, claims) in
            [("another nonce", json!({"nonce": "other"})), ("no nonce", json!({"nonce": null}))]
        {
            let sent = Sent::away(&target, &user).await;
            let mut order = json!({"redirect_uri": callback_url(), "code_challenge": sent.parameter("code_challenge")});
            order["nonce"] = json!(sent.parameter("nonce"));
            order["id_token_claims"] = claims;
            let code = issued_code(&target, order, &user.email).await;
            let answer = post(&target, &user, redirect_body(&code, &sent.state)).await;
            case.check(format!("{name}: {what}"), "400 invalid_identity".to_string(), answer);
        }
        let none = issued_code(&target, json!({"id_token": false}), &user.email).await;
        let answer = post(&target, &user, json!({"auth_code": none})).await;
        let refused = !answer.starts_with('2');
        case.note(format!("{name}: no id_token at all"), "no connect", answer, refused);
        case.check(format!("{name}: connectors"), 0, connectors(&target, &user).await);
        let sent = Sent::away(&target, &user).await;
        let back = sent.consent(&target).await;
        case.check(
            format!("{name}: as Google issues it"),
            "200".to_string(),
            post(&target, &user, redirect_body(&back["code"], &sent.state)).await,
        );
    }
}
