//! Mail too large for one answer: how much of it is read, what the refusal names, and that nothing
//! is read twice.

use std::collections::BTreeSet;

use reqwest::{Method, Response};
use serde_json::{Value, json};
use tests::deployed::User;

use crate::security::case::Case;
use crate::security::target::{Target, document, summary};

/// Lambda's limit on a response, in bytes. The body is a string in it, escaped a second time.
const LONGEST_RESPONSE: usize = 6_291_556;
/// Room for ids, dates and headers.
const ROOM: usize = 20_000;

async fn get(target: &Target, user: &User, path: &str) -> Response {
    let path = format!("/api/connectors/{}{path}", user.connector);
    target.stack.api(Method::GET, &path, Some(&user.token), None).await
}

/// The calls of a Gmail method that read whole messages; the processor's own reads name `fields`.
async fn whole_reads(target: &Target, user: &User, method: &str) -> Vec<String> {
    let calls = target.stack.calls_for(&user.email).await;
    let of_method = calls
        .iter()
        .filter(|call| call["method"] == method)
        .map(|call| call["path"].as_str().unwrap().to_string());
    of_method.filter(|path| !path.contains("fields=id%2CthreadId%2ClabelIds%2Csnippet")).collect()
}

#[tokio::test]
async fn case_70_a_page_of_large_mails() {
    const MAILS: usize = 40;
    let mut case = Case::new(
        70,
        "API: a page of mails that are larger together than can be read for one answer",
    );
    for target in Target::all().await {
        let (name, user) = (target.name, User::connected(&target.stack, "large").await);
        let mail = json!({"subject": "lunch {n}", "text": "x".repeat(400_000), "silent": true});
        let mails: BTreeSet<String> =
            user.receive_many(&target.stack, MAILS, mail).await.into_iter().collect();
        target.idle().await;
        target.stack.forget_calls_for(&user.email).await;
        let answer = get(&target, &user, &format!("/messages?format=full&page_size={MAILS}")).await;
        case.check(
            format!("{name}: has Retry-After"),
            false,
            answer.headers().contains_key("retry-after"),
        );
        let (came, refused) = document(answer).await;
        case.check(
            format!("{name}: {MAILS} mails of 400 kB with their bodies"),
            "413 answer_too_large".to_string(),
            came,
        );
        let unread: BTreeSet<String> = refused["unread_ids"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|id| Some(id.as_str()?.to_string()))
            .collect();
        case.check(
            format!("{name}: ids in unread_ids, which is all but the first batch"),
            MAILS - 25,
            unread.len(),
        );
        case.check(
            format!("{name}: ids among them that are not of the page"),
            0,
            unread.difference(&mails).count(),
        );
        let reads = whole_reads(&target, &user, "messages.get").await;
        case.check(format!("{name}: messages read from Gmail"), MAILS, reads.len());
        case.check(
            format!("{name}: different messages among them"),
            MAILS,
            reads.iter().collect::<BTreeSet<_>>().len(),
        );
        case.check(format!("{name}: the same page without bodies"), "200".to_string(), {
            summary(
                get(&target, &user, &format!("/messages?format=metadata&page_size={MAILS}")).await,
            )
            .await
        });
        let smaller = get(&target, &user, "/messages?format=full&page_size=5").await;
        case.check(
            format!("{name}: a smaller page with bodies"),
            "200".to_string(),
            summary(smaller).await,
        );
    }
}

#[tokio::test]
async fn case_71_a_thread_that_is_too_large() {
    let mut case =
        Case::new(71, "API: a thread that is larger than can be read, or than can be answered");
    for target in Target::all().await {
        let (name, user) = (target.name, User::connected(&target.stack, "thread").await);
        for (thread, count, text) in [("19b0aaaa", 12, 1_100_000), ("19b0bbbb", 8, 800_000)] {
            let mail = json!({"subject": "lunch {n}", "text": "x".repeat(text), "thread_id": thread, "silent": true});
            user.receive_many(&target.stack, count, mail).await;
        }
        target.idle().await;
        for (what, thread) in
            [("more than is read", "19b0aaaa"), ("more than is answered", "19b0bbbb")]
        {
            target.stack.forget_calls_for(&user.email).await;
            let answer = get(&target, &user, &format!("/threads/{thread}")).await;
            case.check(
                format!("{name}: {what}, has Retry-After"),
                false,
                answer.headers().contains_key("retry-after"),
            );
            case.check(
                format!("{name}: {what}"),
                "413 answer_too_large".to_string(),
                summary(answer).await,
            );
            case.check(
                format!("{name}: {what}, reads of it"),
                1,
                whole_reads(&target, &user, "threads.get").await.len(),
            );
            let smaller = get(&target, &user, &format!("/threads/{thread}?format=metadata")).await;
            case.check(
                format!("{name}: {what}, without bodies"),
                "200".to_string(),
                summary(smaller).await,
            );
        }
    }
}

#[tokio::test]
async fn case_72_an_answer_is_measured_as_it_is_handed_over() {
    let mut case = Case::new(
        72,
        "API: mail that grows when it is escaped, just below and just above Lambda's response limit",
    );
    for target in Target::all().await {
        let (name, user) = (target.name, User::connected(&target.stack, "grows").await);
        // How many bytes one character becomes: escaped in the answer's JSON, and again in
        // Lambda's.
        for (what, sign, handed) in
            [("quotes", "\"", 4), ("backslashes", "\\", 4), ("control characters", "\u{1}", 7)]
        {
            for (which, bytes, expected) in [
                ("below", LONGEST_RESPONSE - ROOM, "200"),
                ("above", LONGEST_RESPONSE + handed, "413 answer_too_large"),
            ] {
                let mail = json!({"subject": "lunch", "text": sign.repeat(bytes / handed), "silent": true});
                let id = user.receive(&target.stack, mail).await;
                let (came, message) =
                    document(get(&target, &user, &format!("/messages/{id}")).await).await;
                case.check(format!("{name}: {what}, just {which}"), expected.to_string(), came);
                if expected == "200" {
                    let text = message["body"]["text"].as_str().unwrap_or_default();
                    case.check(
                        format!("{name}: {what}, just {which}: characters in the answer"),
                        bytes / handed,
                        text.trim_end().chars().count(),
                    );
                }
            }
        }
        let id = user
            .receive(
                &target.stack,
                json!({"subject": "lunch", "text": "x".repeat(5_510_000), "silent": true}),
            )
            .await;
        let (came, message) = document(get(&target, &user, &format!("/messages/{id}")).await).await;
        case.check(
            format!("{name}: letters alone, 5.5 MB of them"),
            "413 answer_too_large".to_string(),
            came,
        );
        case.check(
            format!("{name}: the body in that answer"),
            Value::Null,
            message["body"].clone(),
        );
    }
}
