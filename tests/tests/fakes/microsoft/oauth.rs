//! The identity platform: codes, tokens, rotation, consent, and its refusals.

use fake_microsoft::{
    Config, Fault, NewCode, NewMailbox, OauthSettings, PERSONAL_TENANT, Revocation, Tenant, Wish,
};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use reqwest::Url;
use serde_json::{Value, json};

use super::client::{CLIENT_ID, Client, EMAIL, IMMUTABLE, REDIRECT, code, read};

const SCOPE: &str = "openid profile email offline_access User.Read Mail.ReadWrite";

/// Where an authorization request leads, with the parameters there.
async fn authorized(client: &Client, tenant: &str, more: &[(&str, &str)]) -> Vec<(String, String)> {
    let mut url =
        Url::parse(&format!("{}/{tenant}/oauth2/v2.0/authorize", client.microsoft.url)).unwrap();
    let usual = [
        ("client_id", CLIENT_ID),
        ("redirect_uri", REDIRECT),
        ("response_type", "code"),
        ("scope", SCOPE),
        ("login_hint", EMAIL),
        ("state", "s"),
    ];
    let kept = usual.iter().filter(|(name, _)| !more.iter().any(|(other, _)| other == name));
    url.query_pairs_mut().extend_pairs(kept.chain(more));
    let answer = client.http.get(url).send().await.unwrap();
    let Some(target) = answer.headers().get("location") else {
        return vec![("blocked".into(), answer.text().await.unwrap())];
    };
    let target = Url::parse(target.to_str().unwrap()).unwrap();
    target.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
}

fn of<'a>(answer: &'a [(String, String)], name: &str) -> &'a str {
    answer.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str()).unwrap_or_default()
}

#[tokio::test]
async fn a_code_is_worth_tokens_once_to_whoever_has_its_verifier() {
    let client = Client::start().await;
    let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
    let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    let pkce = [("code_challenge", challenge), ("code_challenge_method", "S256"), ("nonce", "n")];
    let answer = authorized(&client, "common", &pkce).await;
    assert_eq!(of(&answer, "state"), "s");
    let code = of(&answer, "code");
    let wrong = "x".repeat(43);
    let table: [(&[(&str, &str)], u64); 5] = [
        (&[("code_verifier", &wrong)], 501_481),
        (&[], 900_144),
        (&[("code_verifier", verifier), ("redirect_uri", "http://localhost/other")], 500_112),
        (&[("code_verifier", verifier), ("client_secret", "wrong")], 7_000_215),
        (&[("code_verifier", verifier), ("client_id", "other")], 700_016),
    ];
    for (more, number) in table {
        let (_, refused) = client.exchange(code, more).await;
        assert_eq!(refused["error_codes"], json!([number]), "{refused}");
    }
    let (status, tokens) = client.exchange(code, &[("code_verifier", verifier)]).await;
    assert_eq!((status, &tokens["token_type"]), (200, &json!("Bearer")));
    assert!(!tokens["scope"].as_str().unwrap().contains("offline_access"));
    assert_eq!(id_claims(&client, &tokens).await["nonce"], json!("n"));
    let (status, used) = client.exchange(code, &[("code_verifier", verifier)]).await;
    assert_eq!(
        (status, &used["error"], &used["error_codes"]),
        (400, &json!("invalid_grant"), &json!([54_005]))
    );
}

/// The claims of an id token that a verifier accepts.
async fn id_claims(client: &Client, tokens: &Value) -> Value {
    let base = &client.microsoft.url;
    let (_, keys) = read(client.http.get(format!("{base}/common/discovery/v2.0/keys"))).await;
    let (n, e) = (keys["keys"][0]["n"].as_str().unwrap(), keys["keys"][0]["e"].as_str().unwrap());
    let user = client.microsoft.admin.mailbox(EMAIL).unwrap();
    let mut rules = Validation::new(Algorithm::RS256);
    rules.set_audience(&[CLIENT_ID]);
    rules.set_issuer(&[format!("{base}/{}/v2.0", user.tid)]);
    let key = DecodingKey::from_rsa_components(n, e).unwrap();
    decode::<Value>(tokens["id_token"].as_str().unwrap(), &key, &rules).unwrap().claims
}

#[tokio::test]
async fn the_id_token_names_tenant_and_object() {
    let client = Client::start().await;
    let code = client.microsoft.admin.create_code(NewCode::of(EMAIL)).unwrap();
    let (_, tokens) = client.exchange(&code, &[]).await;
    let claims = id_claims(&client, &tokens).await;
    let user = client.microsoft.admin.mailbox(EMAIL).unwrap();
    let named = [
        &claims["tid"],
        &claims["oid"],
        &claims["sub"],
        &claims["preferred_username"],
        &claims["email"],
    ];
    assert_eq!(
        named,
        [&user.tid, &user.oid, &user.sub, EMAIL, EMAIL].map(|one| json!(one)).each_ref()
    );
    let settings = json!({ "id_token_claims": { "tid": null } });
    client.microsoft.admin.set_oauth(serde_json::from_value::<OauthSettings>(settings).unwrap());
    let (_, again) = client.refresh(tokens["refresh_token"].as_str().unwrap()).await;
    assert!(id_claims(&client, &again).await["tid"].is_null());
}

#[tokio::test]
async fn a_refresh_answers_a_new_token_and_the_old_one_stays_valid() {
    let client = Client::start().await;
    let code = client.microsoft.admin.create_code(NewCode::of(EMAIL)).unwrap();
    let (_, first) = client.exchange(&code, &[]).await;
    let old = first["refresh_token"].as_str().unwrap();
    let (_, second) = client.refresh(old).await;
    let new = second["refresh_token"].as_str().unwrap();
    assert_ne!(old, new);
    assert_eq!((client.refresh(old).await.0, client.refresh(new).await.0), (200, 200));
    assert_eq!(client.refresh("nonsense").await.1["error"], json!("invalid_grant"));
    client.microsoft.admin.shift_clock(91 * 24 * 3_600_000);
    let (_, idle) = client.refresh(new).await;
    assert_eq!(
        (&idle["error"], &idle["error_codes"]),
        (&json!("invalid_grant"), &json!([700_082]))
    );
}

#[tokio::test]
async fn grants_end_for_a_user_or_for_an_organization() {
    let client = Client::start().await;
    let admin = &client.microsoft.admin;
    let code = admin.create_code(NewCode::of(EMAIL)).unwrap();
    let (_, tokens) = client.exchange(&code, &[]).await;
    let token = tokens["refresh_token"].as_str().unwrap();
    let tid = admin.mailbox(EMAIL).unwrap().tid;
    admin.revoke(&Revocation {
        email: Some("other@contoso.example".into()),
        ..Revocation::default()
    });
    assert_eq!(client.refresh(token).await.0, 200);
    admin.withdraw_admin_consent(&tid);
    let (_, withdrawn) = client.refresh(token).await;
    assert_eq!(
        (&withdrawn["error_codes"], &withdrawn["suberror"]),
        (&json!([65_001]), &json!("consent_required"))
    );
    assert_eq!(client.get("me").await.0, 200, "an access token lives on");
    admin.revoke(&Revocation {
        aadsts: 50_076,
        claims: Some("{}".into()),
        at_once: true,
        ..Revocation::default()
    });
    let (_, mfa) = client.refresh(token).await;
    assert_eq!(
        (&mfa["error_codes"], &mfa["suberror"], &mfa["claims"]),
        (&json!([50_076]), &json!("basic_action"), &json!("{}"))
    );
    assert_eq!(client.get("me").await.0, 401);
}

#[tokio::test]
async fn an_organization_may_want_its_administrators_consent() {
    let client = Client::start().await;
    let admin = &client.microsoft.admin;
    let tid = admin.mailbox(EMAIL).unwrap().tid;
    admin.set_tenant(&tid, Tenant { users_may_consent: false, admin_consented: false });
    let refused = authorized(&client, "common", &[]).await;
    assert_eq!(of(&refused, "error"), "access_denied");
    assert!(of(&refused, "error_description").starts_with("AADSTS90094: "));
    let url = format!("{}/organizations/v2.0/adminconsent", client.microsoft.url);
    let query = [
        ("client_id", CLIENT_ID),
        ("redirect_uri", REDIRECT),
        ("state", "a"),
        ("login_hint", EMAIL),
    ];
    let answer =
        client.http.get(Url::parse_with_params(&url, query).unwrap()).send().await.unwrap();
    let target = answer.headers()["location"].to_str().unwrap();
    assert_eq!(target, format!("{REDIRECT}?admin_consent=True&tenant={tid}&state=a"));
    assert!(!of(&authorized(&client, "common", &[]).await, "code").is_empty());
}

#[tokio::test]
async fn a_path_is_for_its_own_accounts() {
    let client = Client::start().await;
    let personal = NewMailbox { email: "cy@outlook.com".into(), ..NewMailbox::default() };
    assert_eq!(client.microsoft.admin.create_mailbox(personal).unwrap().tid, PERSONAL_TENANT);
    let tid = client.microsoft.admin.mailbox(EMAIL).unwrap().tid;
    let table = [
        ("common", EMAIL, true),
        ("organizations", EMAIL, true),
        ("consumers", EMAIL, false),
        (tid.as_str(), EMAIL, true),
        ("organizations", "cy@outlook.com", false),
        ("consumers", "cy@outlook.com", true),
    ];
    for (tenant, hint, fits) in table {
        let answer = authorized(&client, tenant, &[("login_hint", hint)]).await;
        assert_eq!(!of(&answer, "code").is_empty(), fits, "{hint} at {tenant}: {answer:?}");
    }
    let url = format!("{}/common/v2.0/.well-known/openid-configuration", client.microsoft.url);
    let (_, described) = read(client.http.get(url)).await;
    assert!(described["issuer"].as_str().unwrap().ends_with("/{tenantid}/v2.0"));
}

#[tokio::test]
async fn what_the_next_consent_ends_with_is_arranged() {
    let client = Client::start().await;
    let admin = &client.microsoft.admin;
    admin.set_next_consent(EMAIL, Wish { denied: true, ..Wish::default() }).unwrap();
    assert_eq!(of(&authorized(&client, "common", &[]).await, "error_subcode"), "cancel");
    admin.set_next_consent(EMAIL, Wish { aadsts: Some(53_003), ..Wish::default() }).unwrap();
    let refused = authorized(&client, "common", &[]).await;
    assert!(of(&refused, "error_description").starts_with("AADSTS53003"));
    let silent = authorized(&client, "common", &[("prompt", "none"), ("login_hint", "")]).await;
    assert_eq!(of(&silent, "error"), "login_required");
    let blocked = authorized(&client, "common", &[("client_id", "other")]).await;
    assert!(of(&blocked, "blocked").contains("AADSTS700016"));
}

#[tokio::test]
async fn a_person_consents_on_a_page() {
    let client = Client::start().await;
    let url = format!("{}/common/oauth2/v2.0/authorize", client.microsoft.url);
    let query = [
        ("client_id", CLIENT_ID),
        ("redirect_uri", REDIRECT),
        ("response_type", "code"),
        ("scope", SCOPE),
        ("state", "<s>"),
    ];
    let page =
        client.http.get(Url::parse_with_params(&url, query).unwrap()).header("Accept", "text/html");
    let page = page.send().await.unwrap().text().await.unwrap();
    assert!(
        page.contains("Mail.ReadWrite") && page.contains(EMAIL) && page.contains("&lt;s&gt;"),
        "{page}"
    );
    let decided = async |more: &[(&str, &str)]| {
        let form: Vec<_> = query.iter().chain(more).collect();
        let answer = client.http.post(&url).form(&form).send().await.unwrap();
        answer.headers()["location"].to_str().unwrap().to_owned()
    };
    let accept = [("decision", "accept"), ("account", EMAIL)];
    assert!(decided(&accept).await.starts_with(&format!("{REDIRECT}?code=")));
    let new = [("decision", "accept"), ("new_account", "new@contoso.example")];
    assert!(decided(&new).await.contains("?code="));
    assert!(client.microsoft.admin.mailbox("new@contoso.example").is_ok());
    assert!(decided(&[("decision", "cancel")]).await.contains("AADSTS65004"));
    assert!(decided(&[("decision", "administrator")]).await.contains("AADSTS90094"));
}

#[tokio::test]
async fn demanded_claims_need_a_new_consent() {
    let client = Client::start().await;
    let demand = r#"{"access_token":{"nbf":{"essential":true,"value":"1"}}}"#;
    client.microsoft.admin.demand_claims(EMAIL, Some(demand.into())).unwrap();
    let url = format!("{}/v1.0/me", client.microsoft.url);
    let answer = client.http.get(url).bearer_auth(&client.access_token).header("Prefer", IMMUTABLE);
    let answer = answer.send().await.unwrap();
    let said = answer.headers()["www-authenticate"].to_str().unwrap();
    assert!(
        said.contains(r#"error="insufficient_claims""#) && said.contains(r#"claims="eyJ"#),
        "{said}"
    );
    let given = authorized(&client, "common", &[("claims", demand)]).await;
    let (status, _) = client.exchange(of(&given, "code"), &[]).await;
    assert_eq!((answer.status().as_u16(), status), (401, 200));
    assert_eq!(client.get("me").await.0, 200);
}

#[tokio::test]
async fn the_token_endpoint_fails_on_demand() {
    let client = Client::start().await;
    let admin = &client.microsoft.admin;
    let code = admin.create_code(NewCode { reusable: true, ..NewCode::of(EMAIL) }).unwrap();
    admin.set_oauth(OauthSettings { secret_expired: true, ..OauthSettings::default() });
    let (status, expired) = client.exchange(&code, &[]).await;
    assert_eq!((status, &expired["error_codes"]), (401, &json!([7_000_222])));
    admin.set_oauth(OauthSettings { expires_in: 60, ..OauthSettings::default() });
    admin.add_fault(Fault { name: "token".into(), aadsts: Some(50_079), ..Fault::default() });
    assert_eq!(client.exchange(&code, &[]).await.1["error_codes"], json!([50_079]));
    admin.add_fault(Fault { name: "token".into(), status: 503, ..Fault::default() });
    assert_eq!(client.exchange(&code, &[]).await.0, 503);
    assert_eq!(client.exchange(&code, &[]).await.1["expires_in"], json!(60));
    admin.expire_access_tokens(Some(EMAIL));
    assert_eq!(code_of(&client).await, "InvalidAuthenticationToken");
}

async fn code_of(client: &Client) -> String {
    code(&client.get("me").await.1).to_owned()
}

#[tokio::test]
async fn a_token_reaches_no_further_than_its_scopes() {
    let narrow = NewCode { scopes: "openid User.Read Mail.Read".into(), ..NewCode::of(EMAIL) };
    let client = Client::with(Config::default(), narrow).await;
    assert_eq!(client.get("me/messages").await.0, 200);
    let (status, refused) = client.post("me/messages", json!({ "subject": "x" })).await;
    assert_eq!((status, code(&refused)), (403, "ErrorAccessDenied"));
}
