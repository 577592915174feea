//! The signing keys: how often they are fetched, what happens when their endpoint is down, and how
//! they rotate.

use std::time::{Duration, Instant};

use email_connectors::ports::{Clock, TokenError, TokenVerifier};
use futures_util::StreamExt;
use futures_util::future::join_all;
use futures_util::stream;
use reqwest::Method;
use serde_json::{Value, json};
use tests::deployed::{Stack, kill, processes};

use crate::security::case::Case;
use crate::security::forge;
use crate::security::pushing::resident_kb;
use crate::security::target::{Target, status, summary};

/// Longer than the verifier waits between two fetches.
const MINUTE: Duration = Duration::from_secs(61);
const WEBHOOK: &str = "PubsubWebhook";

/// How many tokens are signed in one answer: a slow machine signs a hundred in a second.
const AT_ONCE: usize = 500;

async fn unknown(target: &Target, count: usize) -> Vec<String> {
    let mut tokens = Vec::with_capacity(count);
    while tokens.len() < count {
        let some = json!({ "count": AT_ONCE.min(count - tokens.len()) });
        let made = target.stack.google(Method::POST, "/admin/push-tokens/bulk", some).await;
        let made = made["tokens"].as_array().unwrap();
        tokens.extend(made.iter().map(|token| token.as_str().unwrap().to_owned()));
    }
    tokens
}

async fn push(target: &Target, token: &str) -> u16 {
    status(&target.stack.push(Some(token), forge::nobodys_push()).await)
}

#[tokio::test(flavor = "multi_thread")]
async fn case_08_ten_thousand_unknown_key_ids() {
    let mut case = Case::new(8, "webhook: 10,000 unknown key ids at once");
    let target = Target::inside().await;
    at_the_verifier(&mut case, &target).await;
    through_the_webhook(&mut case, &target).await;
    if let Some(target) = Target::deployed().await {
        through_the_webhook(&mut case, &target).await;
    }
}

async fn at_the_verifier(case: &mut Case, target: &Target) {
    let inside = target.inside.as_ref().unwrap();
    let (verifier, good) = (inside.keys("oauth2/v3/certs"), target.good_token().await);
    let (tokens, began, now) = (unknown(target, 10_000).await, resident_kb(), inside.machine.now());
    target.forget_calls().await;
    let refused = |answers: Vec<Result<_, TokenError>>| {
        answers.iter().filter(|answer| matches!(answer, Err(TokenError::Invalid(_)))).count()
    };
    let answers = join_all(tokens.iter().map(|token| verifier.verify(token, now)));
    let (answers, between) = tokio::join!(answers, verifier.verify(&good, now));
    case.check("the verifier: 10,000 at once, refused", 10_000, refused(answers));
    case.check("the verifier: a good token between them is believed", true, between.is_ok());
    case.check("the verifier: fetches, of the first minute", 1, target.fetches("google").await);
    for minute in 1..=5 {
        let at = |second| now.after(MINUTE * minute + Duration::from_secs(second));
        let of_minute = tokens
            .iter()
            .enumerate()
            .take(3000)
            .map(|(number, token)| verifier.verify(token, at(number as u64 % 50)));
        let (answers, between) = tokio::join!(join_all(of_minute), verifier.verify(&good, at(25)));
        let fetches = target.fetches("google").await;
        let shown = format!(
            "3000 refused: {}, good one believed: {}, fetches in all: {fetches}",
            refused(answers) == 3000,
            between.is_ok()
        );
        let most = 1 + minute as usize;
        let holds =
            shown.starts_with("3000 refused: true, good one believed: true") && fetches <= most;
        case.note(
            format!("the verifier: minute {minute} later"),
            format!("all refused, the good one believed, at most {most} fetches"),
            shown,
            holds,
        );
    }
    let grown = resident_kb().saturating_sub(began);
    case.note(
        "the verifier: memory after 25,000 unknown ids",
        "less than 32 MB more",
        format!("{grown} KB more"),
        grown < 32 * 1024,
    );
}

async fn through_the_webhook(case: &mut Case, target: &Target) {
    let (name, good) = (target.name, target.good_token().await);
    case.check(format!("{name}: a good push first"), 202, push(target, &good).await);
    let tokens = unknown(target, 200).await;
    target.forget_calls().await;
    let began = Instant::now();
    let flood = stream::iter(&tokens)
        .map(|token| push(target, token))
        .buffer_unordered(20)
        .collect::<Vec<u16>>();
    let between = async {
        target
            .stack
            .until("the flood on its way", async || {
                (began.elapsed() > Duration::from_millis(200)).then_some(())
            })
            .await;
        let sent = Instant::now();
        (push(target, &good).await, sent.elapsed())
    };
    let (answers, (answer, took)) = tokio::join!(flood, between);
    let minutes = began.elapsed().as_secs() as usize / 60 + 1;
    case.check(
        format!("{name}: 200 pushes under unknown key ids, refused"),
        200,
        answers.iter().filter(|answer| **answer == 401).count(),
    );
    case.check(format!("{name}: a good push between them"), 202, answer);
    case.note(
        format!("{name}: its answer came"),
        "within 10 s",
        format!("after {} ms", took.as_millis()),
        took < Duration::from_secs(10),
    );
    let (fetches, most) = (target.fetches("google").await, minutes * target.environments(WEBHOOK));
    case.note(
        format!("{name}: fetches of Google's keys in {minutes} min"),
        format!("at most {most}, one for each environment"),
        fetches,
        fetches <= most,
    );
}

/// Ends the webhook's environments: the next push starts a new one, without cached keys.
async fn renew(stack: &Stack) {
    stack
        .until("environments to end", async || kill(&processes(stack, WEBHOOK)).then_some(()))
        .await;
    stack.until("their end", async || processes(stack, WEBHOOK).is_empty().then_some(())).await;
}

#[tokio::test]
async fn case_10_the_key_endpoint_is_down() {
    let mut case = Case::new(10, "webhook: the key endpoint is down");
    for target in Target::all().await {
        let (name, good) = (target.name, target.good_token().await);
        if target.inside.is_none() {
            case.check(
                format!("{name}: an environment that has keys"),
                202,
                push(&target, &good).await,
            );
            target.fault(json!({"method": "certs", "path": "/oauth2/v3/certs", "times": 0, "status": 503})).await;
            case.check(format!("{name}: down, keys cached"), 202, push(&target, &good).await);
            renew(&target.stack).await;
        } else {
            target.fault(json!({"method": "certs", "path": "/oauth2/v3/certs", "times": 0, "status": 503})).await;
        }
        for attempt in ["first", "second"] {
            let answer = target.stack.push(Some(&good), forge::nobodys_push()).await;
            case.check(
                format!("{name}: down, no keys, {attempt} push"),
                "503 keys_unavailable".to_string(),
                summary(answer).await,
            );
        }
        target.mend().await;
        match target.inside {
            Some(_) => target.pass(MINUTE),
            None => renew(&target.stack).await,
        }
        case.check(format!("{name}: up again"), 202, push(&target, &good).await);
        if target.inside.is_some() {
            target.fault(json!({"method": "certs", "path": "/oauth2/v3/certs", "times": 0, "status": 503})).await;
            target.pass(MINUTE * 20);
            case.check(
                format!("{name}: down, the cached keys' time is over"),
                202,
                push(&target, &target.good_token().await).await,
            );
            target.pass(MINUTE * 300);
            let stranger = target.push_token(json!({"key": "unknown"})).await;
            case.check(
                format!("{name}: down for hours"),
                202,
                push(&target, &target.good_token().await).await,
            );
            case.check(
                format!("{name}: down for hours, an unknown key"),
                401,
                push(&target, &stranger).await,
            );
        }
        target.mend().await;
    }
}

#[tokio::test]
async fn case_11_a_new_key_appears() {
    let mut case = Case::new(11, "webhook: key rotation");
    for target in Target::all().await {
        let (name, old) = (target.name, target.good_token().await);
        if target.inside.is_none() {
            renew(&target.stack).await;
        }
        case.check(format!("{name}: under the old key"), 202, push(&target, &old).await);
        target
            .stack
            .google(
                Method::POST,
                "/admin/keys/rotate",
                json!({"key": "google", "forget_old": false}),
            )
            .await;
        target.forget_calls().await;
        let new = target.good_token().await;
        case.check(
            format!("{name}: under the new key, within the minute of the last fetch"),
            401,
            push(&target, &new).await,
        );
        // An environment that begins meanwhile fetches the keys once, whatever it is asked.
        let begun = || target.environments(WEBHOOK).saturating_sub(1);
        let (fetches, most) = (target.fetches("google").await, begun());
        case.note(
            format!("{name}: fetches yet"),
            format!("at most {most}"),
            fetches,
            fetches <= most,
        );
        match target.inside {
            Some(_) => target.pass(MINUTE),
            None => {
                let accepted = async || (push(&target, &new).await == 202).then_some(());
                target.stack.until_within(MINUTE * 2, "the new key's push", accepted).await;
            }
        }
        case.check(format!("{name}: under the new key, after it"), 202, push(&target, &new).await);
        let (fetches, most) = (target.fetches("google").await, 1 + begun());
        let within = (1..=most).contains(&fetches);
        case.note(format!("{name}: fetches"), format!("1 to {most}"), fetches, within);
        case.check(
            format!("{name}: under the old key, which is still published"),
            202,
            push(&target, &old).await,
        );
    }
}

/// User tokens under unknown key ids: the users' keys are fetched at most once a minute.
pub async fn users(case: &mut Case, target: &Target) {
    let (name, began) = (target.name, Instant::now());
    let mut tokens = Vec::new();
    for number in 0..50 {
        let order = json!({"sub": "flood", "key": "unknown", "header": {"kid": format!("unknown-{number}")}});
        tokens.push(tests::deployed::token_with(&target.stack, order).await);
    }
    let good = tests::deployed::token(&target.stack, "flood").await;
    let list = async |token: &str| {
        status(&target.stack.api(Method::GET, "/api/connectors", Some(token), None).await)
    };
    case.check(format!("{name}: a good token first"), 200, list(&good).await);
    target.forget_calls().await;
    let answers: Vec<u16> =
        stream::iter(&tokens).map(|token| list(token)).buffer_unordered(10).collect().await;
    case.check(
        format!("{name}: 50 tokens under unknown key ids, refused"),
        50,
        answers.iter().filter(|answer| **answer == 401).count(),
    );
    let most = (began.elapsed().as_secs() as usize / 60 + 1) * target.environments("ConnectorsApi");
    let fetches = target.fetches("users").await;
    case.note(
        format!("{name}: fetches of the users' keys"),
        format!("at most {most}"),
        fetches,
        fetches <= most,
    );
    let bait: Vec<Value> =
        target.calls().await.into_iter().filter(|call| call["method"] == "unknown").collect();
    case.check(format!("{name}: visits to the URLs in their headers"), 0, bait.len());
}
