//! Consent, exchange, refresh, and what a refused grant says.

use email_connectors::ports::{ConsentRequest, EmailProvider, ProviderError};
use fake_microsoft::{OauthSettings, Revocation};
use secrecy::{ExposeSecret, SecretString};

use super::{ADA, Microsoft, now};

#[tokio::test]
async fn the_consent_page_is_asked_for_with_a_proof_key_and_a_nonce() {
    let microsoft = Microsoft::start().await;
    let verifier = SecretString::from("verifier");
    let scopes = ["openid".to_string(), "Mail.Read".to_string()];
    let consent = ConsentRequest {
        scopes: &scopes,
        redirect_uri: "https://app.example.com/callback",
        state: "s",
        nonce: "n",
        code_verifier: &verifier,
        login_hint: Some(ADA),
    };
    let url = reqwest::Url::parse(&microsoft.outlook.consent_url(&consent)).unwrap();
    assert!(url.path().ends_with("/common/oauth2/v2.0/authorize"), "{url}");
    let has =
        |name: &str, value: &str| url.query_pairs().any(|pair| pair == (name.into(), value.into()));
    for (name, value) in [
        ("response_type", "code"),
        ("scope", "openid Mail.Read"),
        ("state", "s"),
        ("nonce", "n"),
        ("code_challenge_method", "S256"),
        ("code_challenge", "iMnq5o6zALKXGivsnlom_0F5_WYda32GHkxlV7mq7hQ"),
        ("login_hint", ADA),
    ] {
        assert!(has(name, value), "{name} in {url}");
    }
    let admin = microsoft.outlook.admin_consent_url(None, "https://app.example.com/callback");
    let admin = reqwest::Url::parse(&admin).unwrap();
    assert!(admin.path().ends_with("/organizations/v2.0/adminconsent"), "{admin}");
}

#[tokio::test]
async fn a_grant_names_its_account_and_its_refresh_token_rotates() {
    let microsoft = Microsoft::start().await;
    let grant = microsoft.grant().await;
    let view = microsoft.fake.admin.mailbox(ADA).unwrap();
    assert_eq!(grant.identity["tid"], view.tid.as_str());
    assert_eq!(grant.identity["oid"], view.oid.as_str());
    assert!(grant.scopes.iter().any(|scope| scope == "Mail.ReadWrite"), "{:?}", grant.scopes);
    let first = grant.refresh_token.unwrap();
    let refreshed = microsoft.outlook.refresh(&first, now()).await.unwrap();
    assert_ne!(refreshed.access.secret.expose_secret(), grant.access_token.secret.expose_secret());
    let rotated = refreshed.refresh.unwrap();
    assert_ne!(rotated.0.expose_secret(), first.0.expose_secret());
    let adopted = microsoft.outlook.adopt(&first, now()).await.unwrap();
    assert_ne!(adopted.refresh_token.unwrap().0.expose_secret(), first.0.expose_secret());
    assert!(!microsoft.outlook.revoke(&first).await.unwrap(), "Microsoft has no revocation");
    let profile = microsoft.outlook.profile(&refreshed.access).await.unwrap();
    assert_eq!(profile.email_address.as_str(), ADA);
    let apart = i64::try_from(profile.mark.value()).unwrap() - now().millis();
    assert!(apart.abs() < 5_000, "{apart} ms");
    microsoft.end();
}

#[tokio::test]
async fn a_refused_refresh_says_whose_it_is_to_mend() {
    let microsoft = Microsoft::start().await;
    let token = microsoft.grant().await.refresh_token.unwrap();
    let expired = OauthSettings { secret_expired: true, ..OauthSettings::default() };
    microsoft.fake.admin.set_oauth(expired);
    let ours = microsoft.outlook.refresh(&token, now()).await.unwrap_err();
    assert!(
        matches!(&ours, ProviderError::ClientRefused(reason) if reason.contains("7000222")),
        "{ours}"
    );
    microsoft.fake.admin.set_oauth(OauthSettings::default());
    for (aadsts, expected) in
        [(50_173, "grant_revoked"), (700_082, "sign_in_again"), (53_003, "conditional_access")]
    {
        let why = Revocation { email: Some(ADA.into()), aadsts, ..Revocation::default() };
        microsoft.fake.admin.revoke(&why);
        let refused = microsoft.outlook.refresh(&token, now()).await.unwrap_err();
        let expected = |reason: &String| reason.starts_with(expected);
        assert!(
            matches!(&refused, ProviderError::GrantRefused(reason) if expected(reason)),
            "{refused}"
        );
    }
}

#[tokio::test]
async fn a_code_is_never_exchanged_twice() {
    let microsoft = Microsoft::start().await;
    microsoft.fail("token", 1, 503);
    let code = microsoft.fake.admin.create_code(fake_microsoft::NewCode::of(ADA)).unwrap();
    let unknown = microsoft.exchange(&code).await.unwrap_err();
    assert!(matches!(unknown, ProviderError::OutcomeUnknown(_)), "{unknown}");
    assert_eq!(microsoft.calls("token"), 1);
}

#[tokio::test]
async fn claims_that_the_api_demands_are_a_refused_grant() {
    let microsoft = Microsoft::start().await;
    let grant = microsoft.grant().await;
    let claims = r#"{"access_token":{"acrs":{"essential":true,"value":"c1"}}}"#;
    microsoft.fake.admin.demand_claims(ADA, Some(claims.into())).unwrap();
    let refused = microsoft.outlook.profile(&grant.access_token).await.unwrap_err();
    let is_claims = |reason: &String| reason.starts_with("claims_required");
    assert!(
        matches!(&refused, ProviderError::GrantRefused(reason) if is_claims(reason)),
        "{refused}"
    );
    microsoft.fake.admin.demand_claims(ADA, None).unwrap();
    microsoft.fake.admin.expire_access_tokens(Some(ADA));
    let stale = microsoft.outlook.profile(&grant.access_token).await.unwrap_err();
    assert!(matches!(stale, ProviderError::Unauthorized), "{stale}");
}
