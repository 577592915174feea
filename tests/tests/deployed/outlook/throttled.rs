//! Graph takes four calls at once for a mailbox. Each invocation knows only of its own, so that
//! several at work for one mailbox are refused some: nothing is lost for that, and nothing done twice.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::join_all;
use reqwest::header::RETRY_AFTER;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tests::deployed::{Stack, same_set};

use super::user::User;

/// Requests at the same time, each in an invocation of its own.
const AT_ONCE: usize = 8;
/// Calls that are refused whether calls meet or not: the last one of a sending, and a look for mail.
const SURELY: [&str; 2] = ["messages.send", "messages.list"];
/// What is refused for its rate: by itself, or on the way to it.
const REFUSED: [StatusCode; 2] = [StatusCode::TOO_MANY_REQUESTS, StatusCode::SERVICE_UNAVAILABLE];
/// Of a client that waits as long as it is told to.
const MOST_TRIES: usize = 20;
/// That arrive meanwhile.
const MAILS: usize = 6;

/// Sends a request again while it is refused for its rate. Its answer says that nothing was done.
async fn persistently(stack: &Stack, user: &User, (method, path, body): (Method, String, Value)) {
    let body = Some(body).filter(|body| !body.is_null());
    for _ in 0..MOST_TRIES {
        let answer = user.request(stack, method.clone(), &path, body.clone()).await;
        let (status, headers) = (answer.status(), answer.headers().clone());
        if status.is_success() {
            return;
        }
        let problem = answer.text().await.unwrap();
        assert!(REFUSED.contains(&status), "{path}: {status} {problem}");
        // The circuit opens where Graph refuses again and again, as it may on a slow machine.
        let says = ["nothing was done", "nothing was sent"];
        assert!(says.iter().any(|words| problem.contains(words)), "{problem}");
        let wait = headers[RETRY_AFTER].to_str().unwrap().parse().unwrap();
        tokio::time::sleep(Duration::from_secs(wait)).await;
    }
    panic!("{path} is refused for ever");
}

#[tokio::test]
async fn what_comes_while_four_calls_are_at_work_is_done_once() {
    let stack = Stack::running();
    let user = User::connected(&stack, "throttled").await;
    user.receives(&stack, "a letter").await;
    let [letter] = &user.mails_in(&stack, "inbox").await[..] else { panic!("one letter") };
    let letter = user.below(&format!("messages/{}?format=full", letter["id"].as_str().unwrap()));
    for name in SURELY {
        let code = "ApplicationThrottled";
        let refusal = json!({"name": name, "status": 429, "code": code, "times": 2});
        user.fault(&stack, refusal).await;
    }
    // Long enough for calls to meet.
    user.fault(&stack, json!({"delay_ms": 400})).await;
    user.forget_calls(&stack).await;

    let mut subjects = Vec::new();
    // Beside these, some call must be refused since calls meet.
    let mut refused: BTreeMap<String, usize> = BTreeMap::new();
    while !SURELY.iter().all(|name| refused.contains_key(*name)) || refused.len() == SURELY.len() {
        assert!(
            subjects.len() < 20 * AT_ONCE,
            "Graph never had too many calls at once: {refused:?}"
        );
        let number = |at: usize| subjects.len() + at;
        let sent: Vec<String> =
            (0..AT_ONCE / 2).map(|at| format!("answer {}", number(at))).collect();
        let request = |subject: &String| {
            let mail = json!({"to": [user.email], "subject": subject, "text": "Thank you."});
            [
                (Method::POST, user.below("messages"), mail),
                (Method::GET, letter.clone(), Value::Null),
            ]
        };
        let requests = sent.iter().flat_map(request);
        let requests = join_all(requests.map(|request| persistently(&stack, &user, request)));
        let arrive = user.receives_many(&stack, MAILS, json!({"subject": "invoice {n}"}));
        tokio::join!(requests, arrive);
        subjects.extend(sent);
        refused.clear();
        for call in user.calls(&stack).await.iter().filter(|call| call["status"] == 429) {
            *refused.entry(call["name"].as_str().unwrap().into()).or_default() += 1;
        }
    }
    println!("refused after {} sent: {refused:?}", subjects.len());
    user.mend(&stack).await;

    let expected = user.expected(&stack).await;
    same_set(&stack.events_swept(&user.owner, expected.len()).await, &expected);
    user.nothing_else_fires(&stack).await;
    let mut sent: Vec<String> = Vec::new();
    for mail in user.mails_in(&stack, "sentitems").await {
        sent.push(mail["subject"].as_str().unwrap().into());
    }
    sent.sort();
    subjects.sort();
    assert_eq!(sent, subjects, "each answer was sent once");
    let connector = user.connector(&stack).await;
    assert_eq!(
        (&connector["status"], &connector["parked_messages"], &connector["circuit"]["state"]),
        (&json!("active"), &json!(0), &json!("closed")),
        "{connector}"
    );
}
