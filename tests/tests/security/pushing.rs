//! The webhook: which callers it accepts, and which bodies.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use reqwest::Method;
use serde_json::{Value, json};
use tests::deployed::PUSH_PATH;
use tests::stage::{PUSH_AUDIENCE, SUBSCRIPTION};

use crate::security::case::Case;
use crate::security::forge::{self, NOBODY};
use crate::security::target::{Target, status};

/// Pushes with each of these Authorization headers, between two good pushes; refused pushes are not
/// queued.
async fn pushes(
    case: &mut Case,
    target: &Target,
    headers: Vec<(&str, Option<String>, u16)>,
    most_fetches: usize,
) {
    let (name, good) = (target.name, target.good_token().await);
    let mut queued = 1;
    case.check(
        format!("{name}: a good push first"),
        202,
        status(&target.stack.push(Some(&good), forge::nobodys_push()).await),
    );
    target.forget_calls().await;
    for (what, header, expected) in headers {
        let request = target.stack.request(Method::POST, PUSH_PATH).body(forge::nobodys_push());
        let request =
            header.iter().fold(request, |request, header| request.header("authorization", header));
        case.check(
            format!("{name}: {what}"),
            expected,
            status(&target.stack.answer(request).await),
        );
        queued += u64::from(expected == 202);
    }
    let fetches = target.fetches("google").await;
    // An environment that begins meanwhile fetches the keys once, whatever it is asked.
    let most_fetches = match target.inside {
        Some(_) => most_fetches,
        None => most_fetches.max(target.environments("PubsubWebhook")),
    };
    case.note(
        format!("{name}: fetches of keys meanwhile"),
        format!("at most {most_fetches}"),
        fetches,
        fetches <= most_fetches,
    );
    case.check(
        format!("{name}: visits to the URLs in the tokens"),
        0,
        target.called("unknown").await,
    );
    case.check(
        format!("{name}: a good push after them"),
        202,
        status(&target.stack.push(Some(&good), forge::nobodys_push()).await),
    );
    queued += 1;
    case.check(format!("{name}: queued, the good ones alone"), queued, target.queued(queued).await);
}

async fn tokens(
    case: &mut Case,
    orders: impl Fn(&Target) -> Vec<(&'static str, Value, u16)>,
    most_fetches: usize,
) {
    for target in Target::all().await {
        let mut headers = Vec::new();
        for (what, order, expected) in orders(&target) {
            headers.push((
                what,
                Some(format!("Bearer {}", target.push_token(order).await)),
                expected,
            ));
        }
        pushes(case, &target, headers, most_fetches).await;
    }
}

/// Tokens that are good except for these claims.
async fn claims(case: &mut Case, claims: impl Fn(&Target) -> Vec<(&'static str, Value, u16)>) {
    let orders = |target: &Target| {
        claims(target)
            .into_iter()
            .map(|(what, claims, expected)| (what, json!({"claims": claims}), expected))
            .collect()
    };
    tokens(case, orders, 0).await;
}

#[tokio::test]
async fn case_01_no_authorization() {
    let mut case = Case::new(1, "webhook: no Authorization");
    for target in Target::all().await {
        let good = target.good_token().await;
        let headers = vec![
            ("no header", None, 401),
            ("an empty header", Some(String::new()), 401),
            ("Bearer and nothing", Some("Bearer ".into()), 401),
            ("Basic", Some("Basic dXNlcjpwYXNz".into()), 401),
            ("a good token under another scheme", Some(format!("Token {good}")), 401),
            ("a good token without a scheme", Some(good), 401),
        ];
        pushes(&mut case, &target, headers, 0).await;
    }
}

#[tokio::test]
async fn case_02_algorithms_that_we_did_not_choose() {
    let mut case = Case::new(2, "webhook: alg none, HS256 under the public key, ES256, PS256");
    tokens(
        &mut case,
        |_| forge::unsigned().into_iter().map(|(what, order)| (what, order, 401)).collect(),
        0,
    )
    .await;
}

#[tokio::test]
async fn case_03_another_service_accounts_email() {
    let mut case = Case::new(3, "webhook: a valid Google token of another service account");
    claims(&mut case, |_| {
        vec![
            (
                "another account of the project",
                json!({"email": "other@example-project.iam.gserviceaccount.com"}),
                403,
            ),
            (
                "the same name in another project",
                json!({"email": "gmail-push@evil-project.iam.gserviceaccount.com"}),
                403,
            ),
            (
                "other letter case",
                json!({"email": "Gmail-Push@example-project.iam.gserviceaccount.com"}),
                403,
            ),
            ("no email", json!({"email": null}), 403),
            (
                "a list that holds the right one",
                json!({"email": ["gmail-push@example-project.iam.gserviceaccount.com"]}),
                403,
            ),
        ]
    })
    .await;
}

#[tokio::test]
async fn case_04_an_email_that_is_not_verified() {
    let mut case = Case::new(4, "webhook: email_verified false, missing, or a text");
    claims(&mut case, |_| {
        let of = |value: Value| json!({ "email_verified": value });
        vec![
            ("false", of(json!(false)), 403),
            ("missing", of(Value::Null), 403),
            ("the text `true`", of(json!("true")), 403),
            ("1", of(json!(1)), 403),
        ]
    })
    .await;
}

#[tokio::test]
async fn case_05_another_audience() {
    let mut case = Case::new(5, "webhook: wrong audience, in every spelling");
    claims(&mut case, |_| {
        let of = |value: Value| json!({ "aud": value });
        vec![
            ("another service's", of(json!("https://other.example.com/pubsub")), 401),
            ("a list with ours", of(json!([PUSH_AUDIENCE])), 401),
            (
                "a list with ours and another",
                of(json!([PUSH_AUDIENCE, "https://other.example.com"])),
                401,
            ),
            ("a trailing slash", of(json!(format!("{PUSH_AUDIENCE}/"))), 401),
            ("other letter case", of(json!(PUSH_AUDIENCE.to_uppercase())), 401),
            ("the beginning of ours", of(json!(&PUSH_AUDIENCE[..PUSH_AUDIENCE.len() - 1])), 401),
            ("none", of(Value::Null), 401),
        ]
    })
    .await;
}

#[tokio::test]
async fn case_06_another_issuer() {
    let mut case = Case::new(6, "webhook: Google's issuer in its two forms, and no other");
    claims(&mut case, |_| {
        let of = |value: Value| json!({ "iss": value });
        vec![
            ("without a scheme", of(json!("accounts.google.com")), 202),
            ("with a suffix", of(json!("https://accounts.google.com.evil")), 401),
            ("with a slash", of(json!("https://accounts.google.com/")), 401),
            ("over http", of(json!("http://accounts.google.com")), 401),
            ("the users' issuer", of(json!("https://login.example.com")), 401),
            ("none", of(Value::Null), 401),
        ]
    })
    .await;
}

#[tokio::test]
async fn case_07_times() {
    let mut case = Case::new(7, "webhook: exp past, iat in the future, no exp");
    claims(&mut case, |target| forge::times(target, 202)).await;
}

#[tokio::test]
async fn case_09_keys_that_the_token_brings_or_points_to() {
    let mut case = Case::new(9, "webhook: kid as path or URL; jku, x5u, jwk");
    let orders = |target: &Target| {
        forge::pointing(target).into_iter().map(|(what, order)| (what, order, 401)).collect()
    };
    tokens(&mut case, orders, 1).await;
}

#[tokio::test]
async fn case_12_more_than_is_read() {
    let mut case =
        Case::new(12, "webhook: token over 8 KB, body over 256 KB, JSON nested 10,000 deep");
    // What comes with a good token is quarantined: refused, Pub/Sub would send it for a week.
    for target in Target::all().await {
        let (name, good) = (target.name, target.good_token().await);
        let longest = target.push_token(json!({"claims": {"padding": "a".repeat(9000)}})).await;
        let long = target.push_token(json!({"claims": {"padding": "a".repeat(6000)}})).await;
        let just = target.push_token(json!({"claims": {"padding": "a".repeat(5000)}})).await;
        let wide = |bytes: usize| json!({"padding": "a".repeat(bytes)}).to_string();
        let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
        let objects = format!("{}1{}", r#"{"a":"#.repeat(10_000), "}".repeat(10_000));
        let before = resident_kb();
        let of = |answer: reqwest::Response| status(&answer);
        case.check(
            format!("{name}: a token of 12 KB, refused by the gateway"),
            431,
            of(target.stack.push(Some(&longest), forge::nobodys_push()).await),
        );
        case.check(
            format!("{name}: a token of 8.7 KB"),
            401,
            of(target.stack.push(Some(&long), forge::nobodys_push()).await),
        );
        case.check(
            format!("{name}: a token of 7 KB"),
            202,
            of(target.stack.push(Some(&just), forge::nobodys_push()).await),
        );
        case.check(
            format!("{name}: a body of 300 KB"),
            202,
            of(target.stack.push(Some(&good), wide(300 * 1024)).await),
        );
        case.check(
            format!("{name}: the same from a stranger"),
            413,
            of(target.stack.push(None, wide(300 * 1024)).await),
        );
        case.check(
            format!("{name}: lists nested 10,000 deep"),
            202,
            of(target.stack.push(Some(&good), deep.clone()).await),
        );
        case.check(
            format!("{name}: the same from a stranger"),
            400,
            of(target.stack.push(None, deep).await),
        );
        case.check(
            format!("{name}: objects nested 10,000 deep"),
            202,
            of(target.stack.push(Some(&good), objects.clone()).await),
        );
        let mut quarantined = 3;
        if target.inside.is_some() {
            quarantined += 200;
            for _ in 0..100 {
                target.stack.push(Some(&good), wide(300 * 1024)).await;
                target.stack.push(Some(&good), objects.clone()).await;
            }
            let grown = resident_kb().saturating_sub(before);
            case.note(
                format!("{name}: memory after 200 more of them"),
                "less than 32 MB more",
                format!("{grown} KB more"),
                grown < 32 * 1024,
            );
        }
        case.check(format!("{name}: queued in all"), 1, target.queued(1).await);
        case.check(
            format!("{name}: quarantined in all"),
            quarantined,
            target.counted_to("PushMalformed", quarantined).await,
        );
    }
}

/// Resident memory of this process.
pub fn resident_kb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[tokio::test]
async fn case_13_another_subscription() {
    let mut case = Case::new(13, "webhook: a valid token and a subscription that is not ours");
    for target in Target::all().await {
        let (name, good) = (target.name, target.good_token().await);
        let data =
            BASE64_STANDARD.encode(json!({"emailAddress": NOBODY, "historyId": 7}).to_string());
        for (what, subscription) in [
            ("of another project", "projects/evil-project/subscriptions/gmail".to_string()),
            ("of the same project", "projects/example-project/subscriptions/other".into()),
            ("ours and more", format!("{SUBSCRIPTION}2")),
            ("none", String::new()),
        ] {
            let body = forge::enveloped(&data, &forge::unique(), &subscription);
            case.check(
                format!("{name}: {what}"),
                403,
                status(&target.stack.push(Some(&good), body).await),
            );
        }
        let ours = target.stack.push(Some(&good), forge::nobodys_push()).await;
        case.check(format!("{name}: ours"), 202, status(&ours));
        case.check(format!("{name}: queued, ours alone"), 1, target.queued(1).await);
    }
}
