//! Outlook is connected: the state and the code of a consent, an administrator's consent, whose account
//! it is, and what the callback sends on.

use std::collections::BTreeMap;
use std::time::Duration;

use reqwest::{Method, Response, StatusCode, Url};
use serde_json::{Value, json};
use tests::deployed::{ORIGIN, User, read, token_with};

use crate::security::case::Case;
use crate::security::connecting::{
    CONNECT, OUTLOOK, Sent, callback_url as googles_callback_url, connectors,
};
use crate::security::forge::{encoded, seconds, unique};
use crate::security::outlook::{
    body, callback_url, calls, client_state, connect, connected, connecting, consented,
    forget_calls, issued_code, mailbox, mailbox_at, targets,
};
use crate::security::target::{Target, header, status, summary};

async fn answer(target: &Target, user: &User, body: &Value) -> String {
    summary(connect(target, user, body).await).await
}

/// Codes of a mailbox that were exchanged, and refreshes.
async fn exchanges(target: &Target, user: &User) -> usize {
    calls(target, user).await.iter().filter(|name| *name == "token").count()
}

#[tokio::test]
async fn case_112_states_and_codes_of_outlook() {
    let mut case = Case::new(
        112,
        "connect Outlook: no state, another's, the other provider's; another's code, a used one",
    );
    for target in targets().await {
        let name = target.name;
        let ada = mailbox(&target.stack, "consents").await;
        let eve = mailbox(&target.stack, "stranger").await;
        let sent = Sent::to(&target, &ada, OUTLOOK).await;
        let code = sent.consent(&target).await["code"].clone();
        let parameter = |name: &str| sent.parameter(name).unwrap_or_default();
        case.check(
            format!("{name}: the challenge is S256"),
            "S256".to_string(),
            parameter("code_challenge_method"),
        );
        let nonce = parameter("nonce");
        let apart = !nonce.is_empty() && nonce != sent.state;
        case.note(format!("{name}: a nonce that is not the state"), "true", apart, apart);
        let popups = issued_code(&target, "postmessage", &eve.email).await;
        let altered =
            format!("{}{}", if sent.state.starts_with('A') { "B" } else { "A" }, &sent.state[1..]);
        for (what, user, body, expected) in [
            ("no callback", &ada, json!({"auth_code": popups}), "400 invalid_request"),
            (
                "the popup's callback",
                &ada,
                json!({"auth_code": popups, "callback_url": "postmessage"}),
                "400 invalid_request",
            ),
            (
                "the other provider's callback",
                &ada,
                json!({"auth_code": code, "callback_url": googles_callback_url(), "state": sent.state}),
                "400 invalid_request",
            ),
            (
                "a foreign callback",
                &ada,
                json!({"auth_code": code, "callback_url": "https://evil.example/auth/microsoft/callback", "state": sent.state}),
                "400 invalid_request",
            ),
            (
                "no state",
                &ada,
                json!({"auth_code": code, "callback_url": callback_url()}),
                "400 unknown_state",
            ),
            ("an empty state", &ada, body(&code, ""), "400 unknown_state"),
            ("a state altered in one letter", &ada, body(&code, &altered), "400 unknown_state"),
            ("a state that is made up", &ada, body(&code, &unique()), "400 unknown_state"),
            ("another user's state", &eve, body(&code, &sent.state), "400 unknown_state"),
        ] {
            case.check(
                format!("{name}: {what}"),
                expected.to_string(),
                answer(&target, user, &body).await,
            );
        }
        case.check(format!("{name}: codes that were exchanged"), 0, {
            exchanges(&target, &ada).await + exchanges(&target, &eve).await
        });
        // Eve's codes in Ada's session: they lack the verifier's challenge, or the nonce.
        let eves = Sent::to(&target, &eve, OUTLOOK).await.consent(&target).await["code"].clone();
        let bare = issued_code(&target, &callback_url(), &eve.email).await;
        for (what, code, connect, expected) in [
            ("another's code", &eves, OUTLOOK, "400 invalid_grant"),
            ("another's code without a challenge", &bare, OUTLOOK, "400 invalid_identity"),
            ("the other provider's state", &eves, CONNECT, "400 unknown_state"),
        ] {
            let own = Sent::to(&target, &ada, connect).await;
            case.check(
                format!("{name}: {what}"),
                expected.to_string(),
                answer(&target, &ada, &body(code, &own.state)).await,
            );
        }
        let mut wrong = consented(&target, &ada).await;
        wrong["code_verifier"] = json!("a".repeat(43));
        case.check(
            format!("{name}: a wrong verifier"),
            "400 invalid_grant".to_string(),
            answer(&target, &ada, &wrong).await,
        );
        if target.inside.is_some() {
            let late = consented(&target, &ada).await;
            target.pass(Duration::from_secs(601));
            let late = answer(&target, &ada, &late).await;
            case.check(format!("{name}: ten minutes old"), "400 unknown_state".into(), late);
        }
        case.check(format!("{name}: connectors"), 0, connectors(&target, &ada).await);
        let own = consented(&target, &ada).await;
        let first = answer(&target, &ada, &own).await;
        case.check(format!("{name}: the user's own"), "200".to_string(), first);
        let mut again = consented(&target, &ada).await;
        again["state"] = own["state"].clone();
        case.check(
            format!("{name}: a state that was used, with another code"),
            "400 unknown_state".to_string(),
            answer(&target, &ada, &again).await,
        );
        let mut used = consented(&target, &ada).await;
        used["auth_code"] = own["auth_code"].clone();
        case.check(
            format!("{name}: a code that was used, with another state"),
            "400 invalid_grant".to_string(),
            answer(&target, &ada, &used).await,
        );
        case.check(format!("{name}: connectors of the stranger"), 0, {
            connectors(&target, &eve).await
        });
    }
}

#[tokio::test]
async fn case_113_an_administrators_consent() {
    let mut case = Case::new(
        113,
        "connect Outlook: what returns from an administrator's consent connects and sends on nothing",
    );
    for target in targets().await {
        let (name, ada) = (target.name, mailbox(&target.stack, "admin").await);
        let viewer = json!({"sub": ada.owner, "claims": {"role": "viewer"}});
        let viewer = token_with(&target.stack, viewer).await;
        let path = format!("{OUTLOOK}/admin-consent");
        let asked = async |query: &str, token: Option<&str>| {
            target.stack.api(Method::GET, &format!("{path}{query}"), token, None).await
        };
        let own = Some(ada.token.as_str());
        for (what, query, token, expected) in [
            ("nobody", "", None, "401 unauthorized"),
            ("a viewer", "", Some(viewer.as_str()), "403 role_not_allowed"),
            (
                "a foreign callback",
                "?callback_url=https://evil.example/",
                own,
                "400 invalid_request",
            ),
            (
                "ours with a suffix",
                "?callback_url=https://app.example.com.evil/auth/microsoft/callback",
                own,
                "400 invalid_request",
            ),
            (
                "another path of ours",
                "?callback_url=https://app.example.com/auth/microsoft/callback/x",
                own,
                "400 invalid_request",
            ),
            ("a script", "?callback_url=javascript:alert(1)", own, "400 invalid_request"),
        ] {
            let answer = summary(asked(query, token).await).await;
            case.check(format!("{name}: {what}"), expected.to_string(), answer);
        }
        let query = "?tenant=evil.example&redirect_uri=https://evil.example/&client_id=x&state=x";
        let answered = read(asked(query, own).await, StatusCode::OK).await;
        let url = Url::parse(answered["admin_consent_url"].as_str().unwrap()).unwrap();
        let sent: BTreeMap<String, String> = url.query_pairs().into_owned().collect();
        case.check(
            format!("{name}: where an administrator is sent"),
            format!("{}/organizations/v2.0/adminconsent", target.stack.microsoft_url),
            format!("{}{}", url.origin().ascii_serialization(), url.path()),
        );
        case.check(
            format!("{name}: what goes along"),
            "client_id redirect_uri scope state".to_string(),
            sent.keys().cloned().collect::<Vec<_>>().join(" "),
        );
        case.check(
            format!("{name}: where the browser returns"),
            callback_url(),
            sent["redirect_uri"].clone(),
        );
        let consent = format!("{url}&login_hint={}", ada.email);
        let back = header(&target.stack.visit(&consent).await, "location");
        case.note(
            format!("{name}: what returns"),
            "the tenant, and no code",
            &back,
            back.starts_with(&format!("{}?admin_consent=True&tenant=", callback_url()))
                && !back.contains("code="),
        );
        let returned = Url::parse(&back).unwrap().query().unwrap().to_string();
        let tenant = "tenant=00000000-0000-0000-0000-000000000000";
        for (what, query) in [
            ("it, at the API's callback", returned),
            (
                "it, with a foreign tenant",
                format!("admin_consent=True&{tenant}&state=admin-consent"),
            ),
            ("an error without a state", "admin_consent=True&error=access_denied".into()),
        ] {
            let (_, told) = returns(&target, OUTLOOK, &query).await;
            case.check(format!("{name}: {what}"), "400 ".to_string(), told);
        }
        let bare = issued_code(&target, &callback_url(), &ada.email).await;
        for (what, code) in [("a code", bare.as_str()), ("its tenant", tenant)] {
            case.check(
                format!("{name}: {what} under its state"),
                "400 unknown_state".to_string(),
                answer(&target, &ada, &body(code, &sent["state"])).await,
            );
        }
        case.check(format!("{name}: connectors"), 0, connectors(&target, &ada).await);
        case.check(format!("{name}: exchanges"), 0, exchanges(&target, &ada).await);
    }
}

#[tokio::test]
async fn case_114_id_tokens_of_microsoft() {
    let mut case = Case::new(
        114,
        "connect Outlook: an id_token of another tenant's issuer, audience, nonce or time",
    );
    for target in targets().await {
        let (name, ada) = (target.name, mailbox(&target.stack, "identity").await);
        let (base, (tenant, _)) = (&target.stack.microsoft_url, ada.sub.split_once('.').unwrap());
        let other = "00000000-0000-0000-0000-000000000001";
        let claim = async |claims: Value| {
            let order = json!({ "id_token_claims": claims });
            target.stack.microsoft(Method::PUT, "/admin/oauth", order).await;
        };
        for (what, claims) in [
            ("another application's", json!({"aud": other})),
            ("a list of audiences", json!({"aud": ["11111111-1111-4111-8111-111111111111"]})),
            ("no audience", json!({"aud": null})),
            ("another tenant's issuer", json!({"iss": format!("{base}/{other}/v2.0")})),
            ("an issuer with a suffix", json!({"iss": format!("{base}.evil/{tenant}/v2.0")})),
            ("the issuer of another version", json!({"iss": format!("{base}/{tenant}/")})),
            ("the issuer of any tenant", json!({"iss": format!("{base}/{{tenantid}}/v2.0")})),
            ("no issuer", json!({"iss": null})),
            ("another tenant under this issuer", json!({"tid": other})),
            (
                "a tenant that is all",
                json!({"tid": "common", "iss": format!("{base}/common/v2.0")}),
            ),
            ("no tenant", json!({"tid": null})),
            ("no object", json!({"oid": null})),
            ("an empty object", json!({"oid": ""})),
            ("an object with a separator", json!({"oid": "a.b#c"})),
            ("another nonce", json!({"nonce": unique()})),
            ("no nonce", json!({"nonce": null})),
            ("expired a day ago", json!({"exp": seconds(&target, -86_400)})),
            ("no end", json!({"exp": null})),
        ] {
            claim(claims).await;
            let consented = consented(&target, &ada).await;
            case.check(
                format!("{name}: {what}"),
                "400 invalid_identity".to_string(),
                answer(&target, &ada, &consented).await,
            );
        }
        claim(json!({})).await;
        case.check(format!("{name}: connectors"), 0, connectors(&target, &ada).await);
        let consented = consented(&target, &ada).await;
        case.check(
            format!("{name}: as Microsoft issues it"),
            "200".to_string(),
            answer(&target, &ada, &consented).await,
        );
    }
}

/// Somebody's account gets this address at Microsoft, as an administrator of any organization can have
/// it.
async fn renamed(target: &Target, user: &User, to: &str) {
    let path = format!("/admin/mailboxes/{}/rename", user.email);
    target.stack.microsoft(Method::POST, &path, json!({"email": to})).await;
}

async fn receives(target: &Target, user: &User) {
    let path = format!("/admin/mailboxes/{}/messages", user.email);
    let invoice = json!({"subject": "an invoice"});
    target.stack.microsoft(Method::POST, &path, invoice).await;
}

#[tokio::test]
async fn case_115_an_address_that_changes_hands() {
    let mut case = Case::new(
        115,
        "connect Outlook: another tenant's account with the user's address is another account",
    );
    for target in targets().await {
        let (name, ada) = (target.name, connected(&target, "address").await);
        let eve = mailbox_at(&target.stack, "usurper", "evil.example").await;
        renamed(&target, &eve, &ada.email).await;
        let before = ada.connector(&target.stack).await;
        // Eve's account, in Ada's session: by its own name, since both have the address now.
        let as_ada = User { token: ada.token.clone(), ..eve.clone() };
        let eves = consented(&target, &as_ada).await;
        case.check(
            format!("{name}: in the user's session"),
            "409 account_mismatch".to_string(),
            answer(&target, &ada, &eves).await,
        );
        let eve = connecting(&target, eve).await;
        let theirs = eve.connector(&target.stack).await;
        case.check(
            format!("{name}: the address of the other's connector"),
            json!(ada.email),
            theirs["email_address"].clone(),
        );
        case.check(
            format!("{name}: the user's connector"),
            json!([before["id"], before["email_address"], "active"]),
            {
                let after = ada.connector(&target.stack).await;
                json!([after["id"], after["email_address"], after["status"]])
            },
        );
        let (adas, eves) = (client_state(&target, &ada).await, client_state(&target, &eve).await);
        let apart = adas[..32] != eves[..32];
        case.note(format!("{name}: two mailboxes"), "true", apart, apart);
        for (what, to, own, other) in
            [("the user's", &ada, &ada, &eve), ("the other's", &eve, &eve, &ada)]
        {
            let before = fired(&target, other).await;
            receives(&target, to).await;
            let came = target.fired(&own.owner, 1).await.len();
            case.check(format!("{name}: {what} mail fires there"), 1, came);
            let elsewhere = fired(&target, other).await - before;
            case.check(format!("{name}: {what} mail fires elsewhere"), 0, elsewhere);
        }
        // The user's own address changes: the account stays.
        let moved = format!("moved-{}", ada.email);
        renamed(&target, &ada, &moved).await;
        let again = consented(&target, &ada).await;
        let again = read(connect(&target, &ada, &again).await, StatusCode::OK).await;
        case.check(
            format!("{name}: the user's account under another address"),
            json!([ada.connector, "connected", moved]),
            json!([again["connector_id"], again["status"], again["email_address"]]),
        );
        case.check(format!("{name}: connectors"), 1, connectors(&target, &ada).await);
        let shown = ada.connector(&target.stack).await["email_address"].clone();
        case.check(format!("{name}: the address of it"), json!(moved), shown);
    }
}

/// Events so far; the deployed stack tells each once.
async fn fired(target: &Target, user: &User) -> usize {
    match target.inside {
        Some(_) => target.fired_so_far(&user.owner).len(),
        None => target.stack.events(&user.owner, 0).await.len(),
    }
}

/// A browser comes back from a consent page; status and where it is sent.
async fn returns(target: &Target, connect: &str, query: &str) -> (Response, String) {
    let url = format!("{}{connect}/callback?{query}", target.stack.api_url);
    let answer = target.stack.visit(&url).await;
    let told = format!("{} {}", status(&answer), header(&answer, "location"));
    (answer, told)
}

#[tokio::test]
async fn case_116_what_the_callback_sends_on() {
    let mut case = Case::new(
        116,
        "connect Outlook: the redirect back names our page alone; another issuer, a script, a second code",
    );
    for target in targets().await {
        let name = target.name;
        let page = |query: &str| format!("302 {ORIGIN}/auth/microsoft/callback?{query}");
        let ours = encoded("https://login.microsoftonline.com/tenant/v2.0");
        let refused = || "400 ".to_string();
        for (what, query, expected) in [
            (
                "as Microsoft sends it",
                "code=c&state=s&session_state=x".into(),
                page("code=c&state=s"),
            ),
            ("with its issuer", format!("code=c&state=s&iss={ours}"), page("code=c&state=s")),
            ("an error", "error=access_denied&state=s".into(), page("error=access_denied&state=s")),
            (
                "another page",
                "code=c&state=s&redirect_uri=https://evil.example/&callback_url=//evil.example"
                    .into(),
                page("code=c&state=s"),
            ),
            (
                "a code that looks like one",
                "code=%2F%2Fevil.example%2F%23&state=%26code%3Dx".into(),
                page("code=%2F%2Fevil.example%2F%23&state=%26code%3Dx"),
            ),
            (
                "an issuer with a suffix",
                format!(
                    "code=c&state=s&iss={}",
                    encoded("https://login.microsoftonline.com.evil/t/v2.0")
                ),
                refused(),
            ),
            (
                "the other provider's issuer",
                format!("code=c&state=s&iss={}", encoded("https://accounts.google.com")),
                refused(),
            ),
            ("an empty issuer", "code=c&state=s&iss=".into(), refused()),
            ("two codes", "code=c&state=s&code=d".into(), refused()),
            ("a code and an error", "code=c&state=s&error=access_denied".into(), refused()),
            ("no state", "code=c".into(), refused()),
            (
                "line ends",
                "code=c%0d%0aLocation:%20https://evil.example/&state=s".into(),
                refused(),
            ),
            ("a script for an error", "error=%3Cscript%3E&state=s".into(), refused()),
            ("a code of 9,000 letters", format!("code={}&state=s", "a".repeat(9000)), refused()),
        ] {
            let (answer, told) = returns(&target, OUTLOOK, &query).await;
            case.check(format!("{name}: {what}"), expected, told);
            if status(&answer) == 302 {
                case.check(
                    format!("{name}: {what}: neither kept nor referred to"),
                    "no-store no-referrer".to_string(),
                    format!(
                        "{} {}",
                        header(&answer, "cache-control"),
                        header(&answer, "referrer-policy")
                    ),
                );
            }
        }
        let (_, told) = returns(&target, CONNECT, &format!("code=c&state=s&iss={ours}")).await;
        case.check(format!("{name}: Microsoft's issuer at the other provider's"), refused(), told);
        let ada = mailbox(&target.stack, "callback").await;
        forget_calls(&target, &ada).await;
        for callback in [
            "https://evil.example/auth/microsoft/callback".to_string(),
            format!("{ORIGIN}@evil.example/auth/microsoft/callback"),
            format!("{}/", callback_url()),
            googles_callback_url(),
        ] {
            let path = format!("{OUTLOOK}/start?callback_url={}", encoded(&callback));
            let answer = target.stack.api(Method::GET, &path, Some(&ada.token), None).await;
            case.check(
                format!("{name}: a consent that returns to {callback}"),
                "400 invalid_request".to_string(),
                summary(answer).await,
            );
        }
    }
}
