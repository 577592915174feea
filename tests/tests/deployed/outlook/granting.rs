//! Grants at Microsoft: refresh tokens that rotate, a grant that is revoked, and an administrator who
//! has to consent first.

use reqwest::{Method, StatusCode, Url};
use serde_json::{Value, json};
use tests::deployed::{Stack, read, same_set};

use super::user::{CONNECT, User, parameter, posted, redirected};
use crate::deployed::bus::Notices;

/// Two refreshes meet within one or two rounds, unless the machine is very busy.
const MOST_ROUNDS: usize = 5;

#[tokio::test]
async fn the_api_and_the_processor_refresh_at_once_and_a_new_refresh_token_is_kept() {
    let stack = Stack::running();
    let user = User::connected(&stack, "rotating").await;
    let read_mail = async || {
        user.api(&stack, Method::GET, &user.below("messages?format=metadata"), None).await;
    };
    // So long that who comes second asks with the same refresh token.
    user.fault(&stack, json!({"name": "token", "delay_ms": 1500})).await;
    let mut raced = false;
    for round in 1..=MOST_ROUNDS {
        user.expire_access_tokens(&stack).await;
        user.forget_calls(&stack).await;
        let subject = format!("invoice {round}");
        tokio::join!(user.receives(&stack, &subject), read_mail());
        assert_eq!(user.fired(&stack, &subject).await, [subject]);
        raced = user.times_called(&stack, "token").await > 1;
        if raced {
            break;
        }
    }
    assert!(raced, "the two never refreshed at the same time");
    user.mend(&stack).await;

    // The token that both began with is valid no longer: what was stored is one that it led to.
    let body = json!({"email": user.email});
    stack.microsoft(Method::POST, "/admin/refresh-tokens/expire-used", body).await;
    user.expire_access_tokens(&stack).await;
    read_mail().await;
    user.expire_access_tokens(&stack).await;
    user.nothing_else_fires(&stack).await;
    let connector = user.connector(&stack).await;
    assert_eq!((&connector["status"], &connector["last_error"]), (&json!("active"), &Value::Null));
}

#[tokio::test]
async fn mail_that_came_while_microsoft_had_revoked_the_grant_fires_once_after_the_reconnect() {
    let stack = Stack::running();
    let user = User::connected(&stack, "revoked").await;
    let notices = Notices::of(&stack, &user.connector).await;
    let revoked = json!({"email": user.email, "aadsts": 50_173, "at_once": true});
    stack.microsoft(Method::POST, "/admin/grants/revoke", revoked).await;

    for number in 1..=20 {
        user.receives(&stack, &format!("invoice {number}")).await;
    }
    let waits =
        async || Some(user.connector(&stack).await).filter(|one| one["status"] == "needs_reauth");
    let waiting = stack.until("a connector that needs its user", waits).await;
    let advice = waiting["last_error"].as_str().unwrap_or_default();
    assert!(advice.contains("(grant_revoked: "), "{waiting}");
    assert_eq!(stack.events(&user.owner, 0).await, Vec::<Value>::new(), "nothing can be read");
    let health = user.api(&stack, Method::GET, &user.below("health"), None).await;
    assert_eq!(health["status"], "down", "{health}");

    let again = user.connect(&stack).await;

    assert_eq!(again["connector_id"], user.connector.as_str());
    let expected = user.expected(&stack).await;
    same_set(&stack.events(&user.owner, expected.len()).await, &expected);
    user.nothing_else_fires(&stack).await;
    let heard = notices.heard(&stack, &["CONNECTOR_NEEDS_REAUTH", "CONNECTOR_RECOVERED"]).await;
    let counts: Vec<_> =
        heard.iter().map(|(kind, notices)| (kind.as_str(), notices.len())).collect();
    assert_eq!(counts, [("CONNECTOR_NEEDS_REAUTH", 1), ("CONNECTOR_RECOVERED", 1)]);
    let connector = user.connector(&stack).await;
    assert_eq!((&connector["status"], &connector["last_error"]), (&json!("active"), &Value::Null));
    assert_eq!(user.subscriptions(&stack).await.len(), 1, "the watch of before goes on");
}

/// The error that the consent page sends a user back with whose administrator has not consented.
async fn is_sent_back(stack: &Stack, user: &User) {
    let back = user.consent(stack).await;
    let of = |name: &str| parameter(&back, name).unwrap_or_default();
    assert_eq!(of("error"), "access_denied", "{back}");
    assert!(of("error_description").starts_with("AADSTS90094: "), "{back}");
    assert_eq!(parameter(&back, "code"), None);
}

#[tokio::test]
async fn a_user_connects_once_the_administrator_who_refused_has_consented() {
    let stack = Stack::running();
    let own = uuid::Uuid::now_v7().simple();
    let user = User::of_organization(&stack, "member", &format!("{own}.example")).await;
    let tenant = format!("/admin/tenants/{}", user.tid);
    stack.microsoft(Method::PUT, &tenant, json!({"users_may_consent": false})).await;
    is_sent_back(&stack, &user).await;

    // The administrator declines.
    let path = format!("{CONNECT}/admin-consent");
    let nobody = stack.api(Method::GET, &path, None, None).await;
    assert_eq!(read(nobody, StatusCode::UNAUTHORIZED).await["code"], "unauthorized");
    let answer = user.api(&stack, Method::GET, &path, None).await;
    let page = Url::parse(answer["admin_consent_url"].as_str().unwrap()).unwrap();
    assert!(page.path().ends_with("/organizations/v2.0/adminconsent"), "{page}");
    let decides = async |decision: &str| {
        let mut form = page.clone();
        form.query_pairs_mut()
            .append_pair("account", &user.email)
            .append_pair("decision", decision);
        redirected(&stack.submit(&form).await)
    };
    let back = decides("cancel").await;
    let of = |back: &Url, name: &str| parameter(back, name).unwrap_or_default();
    assert_eq!(of(&back, "error"), "access_denied", "{back}");
    is_sent_back(&stack, &user).await;

    // Microsoft may also say it where the code is exchanged.
    let allowed = json!({"users_may_consent": true});
    stack.microsoft(Method::PUT, &tenant, allowed).await;
    user.fault(&stack, json!({"name": "token", "aadsts": 90_094})).await;
    let code = posted(&user.consent(&stack).await);
    let refused = user.request(&stack, Method::POST, CONNECT, Some(code)).await;
    let problem = read(refused, StatusCode::FORBIDDEN).await;
    assert_eq!(problem["code"], "admin_consent_required", "{problem}");
    assert!(problem["detail"].as_str().unwrap_or_default().contains(&path), "{problem}");
    user.mend(&stack).await;
    stack.microsoft(Method::PUT, &tenant, json!({"users_may_consent": false})).await;
    is_sent_back(&stack, &user).await;

    // And consents after all.
    let back = decides("accept").await;
    assert_eq!(
        (of(&back, "admin_consent"), of(&back, "tenant")),
        ("True".into(), user.tid.clone())
    );
    let user = user.connecting(&stack).await;
    user.receives(&stack, "the first invoice").await;
    assert_eq!(user.fired(&stack, "the first invoice").await, ["the first invoice"]);
}
