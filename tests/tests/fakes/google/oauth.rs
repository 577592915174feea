//! Codes, tokens and their ends.

use fake_google::{KeyName, NewCode, NewPushToken, NewUserToken};
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde_json::{Value, json};

use super::client::{Client, EMAIL, read};

pub const GOOGLE_CERTS: &str = "/oauth2/v3/certs";
pub const USER_CERTS: &str = "/users/certs";

/// The claims, if a published key has signed them.
pub async fn verified(client: &Client, certs: &str, token: &str, audience: &str) -> Option<Value> {
    let (_, keys) = read(client.http.get(format!("{}{certs}", client.google.url))).await;
    let keys: JwkSet = serde_json::from_value(keys).unwrap();
    let key = DecodingKey::from_jwk(keys.find(&decode_header(token).ok()?.kid?)?).ok()?;
    let mut validation = Validation::new(Algorithm::RS256);
    validation.set_audience(&[audience]);
    decode::<Value>(token, &key, &validation).ok().map(|token| token.claims)
}

#[tokio::test]
async fn a_code_becomes_tokens_once() {
    let client = Client::start().await;
    let code = NewCode { nonce: Some("n-1".into()), ..NewCode::of(EMAIL) };
    let code = client.google.admin.create_code(code).unwrap();
    let (status, tokens) = client.exchange(&code, &[]).await;
    assert_eq!(status, 200);
    assert_eq!(tokens["expires_in"], 3599);
    let scopes = "openid https://www.googleapis.com/auth/userinfo.email https://www.googleapis.com/auth/gmail.modify";
    assert_eq!(tokens["scope"], scopes);
    let audience = "local-client.apps.googleusercontent.com";
    let claims = verified(&client, GOOGLE_CERTS, tokens["id_token"].as_str().unwrap(), audience)
        .await
        .unwrap();
    assert_eq!(claims["sub"], client.google.admin.mailbox(EMAIL).unwrap().sub);
    assert_eq!((&claims["email"], &claims["nonce"]), (&json!(EMAIL), &json!("n-1")));
    let (status, again) = client.exchange(&code, &[]).await;
    assert_eq!((status, &again["error"]), (400, &json!("invalid_grant")));
    for _ in 0..2 {
        assert_eq!(client.exchange("sample-code", &[]).await.0, 200, "the sample code is reusable");
    }
}

#[tokio::test]
async fn an_exchange_must_match_its_code_and_client() {
    let client = Client::start().await;
    let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    let challenge = Some("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM".into());
    let code = client
        .google
        .admin
        .create_code(NewCode { code_challenge: challenge, ..NewCode::of(EMAIL) })
        .unwrap();
    let check = async |code: &str, more: &[(&str, &str)], expected: (u16, &str)| {
        let (status, answer) = client.exchange(code, more).await;
        assert_eq!((status, answer["error"].as_str().unwrap_or_default()), expected, "{more:?}");
    };
    check("unknown", &[], (400, "invalid_grant")).await;
    check(&code, &[("redirect_uri", "https://app.example.com")], (400, "redirect_uri_mismatch"))
        .await;
    check(&code, &[("client_secret", "guess")], (401, "invalid_client")).await;
    check(&code, &[], (400, "invalid_grant")).await;
    check(&code, &[("code_verifier", "wrong")], (400, "invalid_grant")).await;
    check(&code, &[("code_verifier", verifier)], (200, "")).await;
}

#[tokio::test]
async fn an_id_token_may_be_another_s_or_absent() {
    let client = Client::start().await;
    let url = format!("{}/admin/codes", client.google.url);
    let exchanged = async |body: Value| {
        let (_, made) = read(client.http.post(&url).json(&body)).await;
        let (status, tokens) = client.exchange(made["code"].as_str().unwrap(), &[]).await;
        assert_eq!(status, 200, "{tokens}");
        tokens
    };
    let changed = json!({ "aud": "another-client", "iss": "https://evil.example.com", "nonce": "n-2", "sub": "1", "email_verified": null });
    let tokens =
        exchanged(json!({ "email": EMAIL, "nonce": "n-1", "id_token_claims": changed })).await;
    let claims =
        verified(&client, GOOGLE_CERTS, tokens["id_token"].as_str().unwrap(), "another-client")
            .await
            .unwrap();
    assert_eq!(
        (&claims["iss"], &claims["nonce"], &claims["sub"]),
        (&changed["iss"], &changed["nonce"], &changed["sub"])
    );
    assert_eq!((&claims["email"], claims.get("email_verified")), (&json!(EMAIL), None));
    let tokens = exchanged(json!({ "email": EMAIL, "id_token": false })).await;
    assert_eq!(tokens.get("id_token"), None);
    assert!(tokens["scope"].as_str().unwrap().starts_with("openid "), "it was requested");
}

#[tokio::test]
async fn a_code_of_another_client_is_refused() {
    let client = Client::start().await;
    let code = client
        .google
        .admin
        .create_code(NewCode { client_id: Some("another".into()), ..NewCode::of(EMAIL) })
        .unwrap();
    let (status, answer) = client.exchange(&code, &[]).await;
    assert_eq!((status, &answer["error"]), (400, &json!("invalid_grant")));
}

#[tokio::test]
async fn every_secret_carries_the_canary_and_fits_where_google_s_do() {
    let client = Client::start().await;
    let code = client.google.admin.create_code(NewCode::of(EMAIL)).unwrap();
    let (_, tokens) = client.exchange(&code, &[]).await;
    let secret = |name: &str| tokens[name].as_str().unwrap().to_owned();
    let secrets = [
        (code, "4/0canary-", 60..=256),
        (secret("refresh_token"), "1//0canary-", 100..=512),
        (secret("access_token"), "ya29.canary-", 160..=2048),
    ];
    for (secret, prefix, lengths) in secrets {
        assert!(secret.starts_with(prefix) && lengths.contains(&secret.len()), "{secret}");
    }
    let form = [
        ("grant_type", "refresh_token"),
        ("refresh_token", tokens["refresh_token"].as_str().unwrap()),
    ];
    let refreshed = client.token(&form).await.1;
    assert!(refreshed["access_token"].as_str().unwrap().starts_with("ya29.canary-"));
}

#[tokio::test]
async fn grants_stand_in_order_with_the_calls_that_made_and_ended_them() {
    let client = Client::start().await;
    let admin = &client.google.admin;
    client.watch().await;
    let code = NewCode {
        scopes: Some(vec!["openid".into()]),
        with_refresh_token: false,
        ..NewCode::of(EMAIL)
    };
    client.exchange(&admin.create_code(code).unwrap(), &[]).await;
    client.post("stop", json!({})).await;
    let grants_url = format!("{}/admin/grants?email={EMAIL}", client.google.url);
    let (_, before) = read(client.http.get(&grants_url)).await;
    let alive: Vec<_> = before
        .as_array()
        .unwrap()
        .iter()
        .map(|grant| (&grant["alive"], &grant["has_refresh_token"]))
        .collect();
    assert_eq!(alive, [(&json!(true), &json!(true)), (&json!(true), &json!(false))]);
    assert_eq!(
        (&before[1]["scopes"], &before[1]["revoked_after_call"]),
        (&json!(["openid"]), &Value::Null)
    );
    client
        .http
        .post(format!("{}/revoke", client.google.url))
        .form(&[("token", &client.access_token)])
        .send()
        .await
        .unwrap();
    admin.revoke_grants(EMAIL);
    let calls = admin.calls();
    let number = |method: &str| calls.iter().rfind(|call| call.method == method).unwrap().n;
    let grants = admin.grants(Some(EMAIL));
    assert!(
        grants.iter().all(|grant| !grant.alive && grant.revoked_after_call == Some(number("stop"))),
        "{grants:?}"
    );
    assert_eq!(number("revoke"), number("stop") + 1);
    assert_eq!(grants[1].granted_after_call, number("watch"));
    assert_eq!(admin.grants(None).len(), 2);
    assert_eq!(admin.grants(Some("sample@example.com")), []);
}

#[tokio::test]
async fn a_refresh_brings_no_new_refresh_token_and_ends_with_the_grant() {
    let mut client = Client::start().await;
    let code = client.google.admin.create_code(NewCode::of(EMAIL)).unwrap();
    let (_, tokens) = client.exchange(&code, &[]).await;
    let refresh_token = tokens["refresh_token"].as_str().unwrap();
    let form = [("grant_type", "refresh_token"), ("refresh_token", refresh_token)];
    client.google.admin.expire_access_tokens(Some(EMAIL));
    assert_eq!(client.get("profile").await.0, 401);
    let (status, refreshed) = client.token(&form).await;
    assert_eq!((status, refreshed.get("refresh_token")), (200, None));
    client.access_token = refreshed["access_token"].as_str().unwrap().into();
    assert_eq!(client.get("profile").await.0, 200);

    let revoke = async |token: &str| {
        read(client.http.post(format!("{}/revoke", client.google.url)).form(&[("token", token)]))
            .await
    };
    assert_eq!(revoke("unknown").await.0, 400);
    assert_eq!(revoke(refresh_token).await, (200, json!({})));
    assert_eq!(client.get("profile").await.0, 401);
    let (status, answer) = client.token(&form).await;
    assert_eq!((status, &answer["error"]), (400, &json!("invalid_grant")));
    let grants = client.google.admin.mailbox(EMAIL).unwrap().grants;
    assert_eq!(grants.len(), 2);
    assert!(
        grants.iter().all(|grant| grant.revoked),
        "all that the user gave this client goes at once"
    );
}

#[tokio::test]
async fn tokens_made_to_order_verify_unless_they_should_not() {
    let client = Client::start().await;
    let admin = &client.google.admin;
    let user = admin.user_token(&NewUserToken { sub: "owner".into(), ..Default::default() });
    assert_eq!(
        verified(&client, USER_CERTS, &user, "email-connectors").await.unwrap()["sub"],
        "owner"
    );
    let push_audience = "https://connectors.example.com/pubsub";
    let push = admin.push_token(&NewPushToken::default());
    assert!(verified(&client, GOOGLE_CERTS, &push, push_audience).await.is_some());
    let stranger = admin.push_token(&NewPushToken { key: KeyName::Unknown, ..Default::default() });
    assert!(verified(&client, GOOGLE_CERTS, &stranger, push_audience).await.is_none());
    let expired = json!({ "exp": 1 });
    let expired =
        NewPushToken { claims: expired.as_object().unwrap().clone(), ..Default::default() };
    assert!(
        verified(&client, GOOGLE_CERTS, &admin.push_token(&expired), push_audience).await.is_none()
    );
    admin.rotate_key(KeyName::Google, true);
    assert!(
        verified(&client, GOOGLE_CERTS, &push, push_audience).await.is_none(),
        "its key is forgotten"
    );
}

#[tokio::test]
async fn the_sample_events_carry_tokens_that_verify() {
    let client = Client::start().await;
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/../events");
    let mut signed = 0;
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        let Ok(event) = serde_json::from_str::<Value>(&text) else { continue };
        let Some(token) = event["headers"]["authorization"].as_str() else { continue };
        let token = token.strip_prefix("Bearer ").unwrap();
        let (certs, audience) = match path.file_name().unwrap().to_str().unwrap() {
            "pubsub-webhook.wrong-audience.json" => {
                (GOOGLE_CERTS, "https://elsewhere.example.com/pubsub")
            }
            name if name.starts_with("pubsub-webhook.") => {
                (GOOGLE_CERTS, "https://connectors.example.com/pubsub")
            }
            _ => (USER_CERTS, "email-connectors"),
        };
        assert!(
            verified(&client, certs, token, audience).await.is_some(),
            "{}: run sign-samples.py",
            path.display()
        );
        signed += 1;
    }
    assert!(signed >= 8, "only {signed} sample events are signed");
}
