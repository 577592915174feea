//! User tokens: which are accepted, for how long, and when the issuer's keys are fetched again.

use std::collections::BTreeSet;
use std::time::Duration;

use email_connectors::domain::claims::UserPolicy;
use email_connectors::domain::timestamp::Timestamp;
use reqwest::Method;
use serde_json::{Value, json};
use tests::deployed::{User, token_with};
use tests::inside::Options;

use crate::security::case::Case;
use crate::security::connecting::CONNECT;
use crate::security::forge::seconds;
use crate::security::signing::Hook;
use crate::security::target::{Target, status, summary};

async fn list(target: &Target, token: &str) -> String {
    summary(target.stack.api(Method::GET, "/api/connectors", Some(token), None).await).await
}

#[tokio::test]
async fn case_43_another_type_of_token() {
    let mut case =
        Case::new(43, "users: a good signature by the issuer's key under another kind of token");
    for target in Target::all().await {
        for (kind, expected) in [
            (json!("JWT"), "200"),
            (json!("jwt"), "200"),
            (json!("at+jwt"), "200"),
            (json!("application/at+jwt"), "200"),
            (Value::Null, "200"),
            (json!("secevent+jwt"), "401 unauthorized"),
            (json!("refresh+jwt"), "401 unauthorized"),
            (json!("dpop+jwt"), "401 unauthorized"),
            (json!("logout+jwt"), "401 unauthorized"),
            (json!("JWTs"), "401 unauthorized"),
            (json!(""), "401 unauthorized"),
        ] {
            let token =
                token_with(&target.stack, json!({"sub": "typed", "header": {"typ": kind}})).await;
            case.check(
                format!("{}: typ {kind}", target.name),
                expected.to_string(),
                list(&target, &token).await,
            );
        }
    }
}

#[tokio::test]
async fn case_44_how_long_and_whose() {
    let mut case = Case::new(
        44,
        "users: a token that lives longer than allowed; an owner whose email address is not verified",
    );
    let now = Timestamp::from_seconds(1_000_000);
    let policy = |owner_claim: &str, longest_life: Option<u64>| UserPolicy {
        issuer: "https://login.example".into(),
        audience: "api".into(),
        owner_claim: owner_claim.into(),
        role_claim: None,
        longest_life: longest_life.map(Duration::from_secs),
    };
    let mut check = |what: &str, policy: UserPolicy, change: Value, expected: &str| {
        let mut claims = json!({"iss": "https://login.example", "aud": "api", "sub": "u", "iat": 999_900, "exp": 1_003_500,
            "email": "a@example.com", "email_verified": true});
        claims.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        if change["iat"].is_null() && change.get("iat").is_some() {
            claims.as_object_mut().unwrap().remove("iat");
        }
        let got = policy
            .admit(claims.as_object().unwrap(), now)
            .map_or_else(|refused| refused.to_string(), |_| "admitted".into());
        case.check(what, expected.to_string(), got);
    };
    let refused = "the token's lifetime is not accepted";
    check("an hour, with a bound of an hour", policy("sub", Some(3600)), json!({}), "admitted");
    check(
        "an hour, without a bound",
        policy("sub", None),
        json!({"exp": 9_999_999_999_u64}),
        "admitted",
    );
    check(
        "an hour and a second, with a bound of an hour",
        policy("sub", Some(3600)),
        json!({"exp": 1_003_501}),
        refused,
    );
    check(
        "issued at the end of time",
        policy("sub", Some(3600)),
        json!({"iat": 1_000_059, "exp": 1_003_660}),
        refused,
    );
    check(
        "without iat, an hour from now",
        policy("sub", Some(3600)),
        json!({"iat": null, "exp": 1_003_601}),
        refused,
    );
    let unverified = "the token's email_verified is not accepted";
    check("an address that is verified", policy("email", None), json!({}), "admitted");
    for claim in [json!(false), json!(null), json!("true"), json!(1)] {
        check(
            &format!("email_verified {claim}"),
            policy("email", None),
            json!({"email_verified": claim}),
            unverified,
        );
    }
    check(
        "another claim needs no address",
        policy("sub", None),
        json!({"email_verified": false}),
        "admitted",
    );
}

#[tokio::test]
async fn case_45_keys_come_back() {
    let mut case = Case::new(
        45,
        "users: the issuer is down at the start: keys are fetched again after 1, 2, 4 … s; tokens pass once it is back",
    );
    let target = Target::inside().await;
    let token = token_with(&target.stack, json!({"sub": "early"})).await;
    target.fault(json!({"method": "certs", "status": 503, "times": 0})).await;
    target.forget_calls().await;
    let (mut waited, mut fetches) = (0_u64, Vec::new());
    for seconds in [0, 1, 2, 4, 8, 16, 32, 60, 60] {
        // No fetch before the delay is over, however many requests come.
        if seconds > 0 {
            target.pass(Duration::from_millis(seconds * 1000 - 500));
            case.check(
                format!("{waited} s and nearly {seconds} more"),
                "503 keys_unavailable".to_string(),
                list(&target, &token).await,
            );
            let early = target.fetches("users").await;
            case.check(
                format!("fetches by then, {waited} s and nearly {seconds} more"),
                fetches.len(),
                early,
            );
            target.pass(Duration::from_millis(500));
        }
        waited += seconds;
        case.check(
            format!("after {waited} s"),
            "503 keys_unavailable".to_string(),
            list(&target, &token).await,
        );
        fetches.push(waited);
        case.check(
            format!("fetches after {waited} s"),
            fetches.len(),
            target.fetches("users").await,
        );
    }
    target.mend().await;
    target.pass(Duration::from_secs(60));
    case.check("once it is back", "200".to_string(), list(&target, &token).await);
}

#[tokio::test]
async fn case_46_more_than_ones_share() {
    let mut case = Case::new(46, "users: one owner sends too many costly requests");
    let options = Options { requests_per_minute: Some(30), ..Options::default() };
    let target = Target::inside_with(options).await;
    let (user, other) = (
        User::connected(&target.stack, "busy").await,
        User::connected(&target.stack, "other").await,
    );
    let hook = Hook::of(&target, &user).await;
    let sync =
        |user: &User| (Method::POST, format!("/api/connectors/{}/sync", user.connector), None);
    let send = |user: &User| {
        let mail = json!({"to": ["bo@example.com"], "subject": "s", "text": "t"});
        (Method::POST, format!("/api/connectors/{}/messages", user.connector), Some(mail))
    };
    let start = |_: &User| (Method::GET, format!("{CONNECT}/start"), None);
    let erase = |_: &User| (Method::DELETE, "/api/owner/data".to_string(), None);
    let fire = |_: &User| {
        (
            Method::POST,
            format!("/api/triggers/{}/events", hook.trigger),
            Some(json!({"event_type": "e"})),
        )
    };
    type Request<'a> = &'a dyn Fn(&User) -> (Method, String, Option<Value>);
    let requests: [(&str, Request<'_>); 5] = [
        ("sync", &sync),
        ("fires", &fire),
        ("sends", &send),
        ("starts", &start),
        ("erasures", &erase),
    ];
    for (what, request) in requests {
        let (mut let_in, mut waits, mut others) = (0, 0, BTreeSet::new());
        for _ in 0..60 {
            let (method, path, body) = request(&user);
            let response = target.stack.api(method, &path, Some(&user.token), body).await;
            match status(&response) {
                429 if response.headers().contains_key("retry-after") => waits += 1,
                200..300 => let_in += 1,
                other => drop(others.insert(other)),
            }
        }
        case.note(
            format!("{what}: accepted, of 60 at once"),
            "20 to 31",
            let_in,
            (20..=31).contains(&let_in),
        );
        case.check(format!("{what}: 429 with Retry-After"), 60 - let_in, waits);
        case.check(format!("{what}: other statuses"), "{}".to_string(), format!("{others:?}"));
    }
    let (method, path, body) = sync(&other);
    case.check(
        "another owner meanwhile",
        202,
        status(&target.stack.api(method, &path, Some(&other.token), body).await),
    );
    let seen = target.stack.api(Method::GET, "/api/connectors", Some(&user.token), None).await;
    case.check("the owner still lists its connectors", 200, status(&seen));
}

#[tokio::test]
async fn case_47_forged_signatures_at_a_known_trigger() {
    const BODY: &str = r#"{"event_type":"paid"}"#;
    let mut case = Case::new(
        47,
        "API: forged signatures at a trigger whose id is known: not a call of KMS for each",
    );
    let target = Target::inside().await;
    let user = User::connected(&target.stack, "hooked").await;
    let hook = Hook::of(&target, &user).await;
    target.idle().await;
    let world = &target.inside.as_ref().unwrap().world;
    let opened = || {
        world
            .take_calls()
            .iter()
            .filter(|call| call.starts_with("vault.open_trigger_secret"))
            .count()
    };
    opened();
    let mut refused = 0;
    for number in 0..100 {
        let forged = format!("t={},v1={}", seconds(&target, 0), format!("{number:02x}").repeat(32));
        refused += usize::from(status(&hook.fire(&target, Some(&forged), BODY).await) == 401);
    }
    case.check("forged signatures refused", 100, refused);
    let calls = opened();
    case.note("calls of KMS for them", "at most 1", calls, calls <= 1);
    case.check(
        "a good signature after them",
        202,
        status(&hook.fire(&target, Some(&hook.sign(seconds(&target, 0), BODY)), BODY).await),
    );
    target.pass(Duration::from_secs(301));
    let later = hook.fire(&target, Some(&hook.sign(seconds(&target, 0), BODY)), BODY).await;
    case.check("another one five minutes later", 202, status(&later));
    case.check("calls of KMS for that one", 1, opened());
}
