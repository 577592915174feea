//! Graph's handshake: what a stranger may have repeated, and who takes notifications at all.

use email_connectors::adapters::outlook::client_state::sign;
use email_connectors::domain::mailbox_key::MailboxKey;
use reqwest::{Method, Response};
use serde_json::json;
use tests::deployed::{GRAPH_PATH, User};
use tests::inside::Options;
use tests::stage::NOTIFICATION_KEY;
use tests::world::{Call, When};

use crate::security::case::Case;
use crate::security::connecting::OUTLOOK;
use crate::security::forge::{encoded, nobodys_push};
use crate::security::outlook::{
    changed, client_state, connected, notify, post, targets, targets_with, woken,
};
use crate::security::target::{Target, header, status, summary};

/// What Graph itself sends, once it is decoded.
const GRAPHS: &str =
    "Validation: Testing client application reachability for subscription Request-Id: 1a-2b";

/// Status, type and text; of a refusal its code, and whether it repeats what was sent.
async fn told(answer: Response, sent: &str) -> String {
    let (status, kind) = (status(&answer), header(&answer, "content-type"));
    let sniffed =
        if header(&answer, "x-content-type-options") == "nosniff" { "" } else { " sniffed" };
    let text = answer.text().await.unwrap();
    match status {
        200 if text == sent => format!("200 {kind}{sniffed}"),
        200 => format!("200 {kind}{sniffed}: another text"),
        _ if sent.len() > 1 && text.contains(sent) => format!("{status} repeats it"),
        _ => status.to_string(),
    }
}

#[tokio::test]
async fn case_99_tokens_of_a_handshake() {
    let mut case = Case::new(
        99,
        "notifications: a validationToken with script, line ends, other letters, or without end",
    );
    for target in targets().await {
        let name = target.name;
        let (echoed, refused) = ("200 text/plain; charset=utf-8", "400");
        let longest = "a".repeat(1024);
        for (what, token, expected) in [
            ("as Graph sends it", GRAPHS.to_string(), echoed),
            ("as long as may be", longest.clone(), echoed),
            ("one sign longer", format!("{longest}a"), refused),
            ("of 6,000 signs", "a".repeat(6000), refused),
            ("nothing", String::new(), refused),
            ("a script", "<script>alert(1)</script>".into(), refused),
            ("an attribute", "\" onload=alert(1) a=\"".into(), refused),
            ("an entity", "&#60;script&#62;".into(), refused),
            ("a header", "a\r\nSet-Cookie: a=b".into(), refused),
            ("a line end", "a\nb".into(), refused),
            ("a tabulator", "a\tb".into(), refused),
            ("a zero", "a\0".into(), refused),
            ("letters beyond ASCII", "pr\u{fc}fung".into(), refused),
            ("letters that turn around", "a\u{202e}b".into(), refused),
            ("a JSON document", "{\"value\":[]}".into(), refused),
        ] {
            let query = format!("?validationToken={}", encoded(&token));
            let answer = post(&target, &query, String::new()).await;
            case.check(format!("{name}: {what}"), expected.to_string(), told(answer, &token).await);
        }
        for (what, query, sent, expected) in [
            ("bytes that are no text", "?validationToken=%ff%fe", "\u{fffd}", refused),
            ("spaces in both spellings", "?validationToken=a+b%20c", "a b c", echoed),
            ("two tokens: the first counts", "?validationToken=a&validationToken=%3C", "a", echoed),
            ("another name beside it", "?a=%3Cb%3E&validationToken=a", "a", echoed),
            ("the name in other letters is none", "?VALIDATIONTOKEN=%3Cb%3E", "<b>", "202"),
        ] {
            let answer = post(&target, query, String::new()).await;
            case.check(format!("{name}: {what}"), expected.to_string(), told(answer, sent).await);
        }
        for method in [Method::GET, Method::PUT, Method::DELETE] {
            let path = format!("{GRAPH_PATH}?validationToken=a");
            let answer = target.stack.answer(target.stack.request(method.clone(), &path)).await;
            let came = status(&answer);
            let refused = matches!(came, 404 | 405);
            case.note(format!("{name}: by {method}"), "404 or 405", came, refused);
        }
    }
}

#[tokio::test]
async fn case_100_a_handshake_with_a_body() {
    let mut case = Case::new(
        100,
        "notifications: a validationToken and a body at once: the handshake alone is answered",
    );
    for target in targets().await {
        let (name, ada) = (target.name, connected(&target, "shaken").await);
        let state = client_state(&target, &ada).await;
        let good = json!({"value": [changed(&state)]}).to_string();
        let echoed = "200 text/plain; charset=utf-8".to_string();
        for (what, body) in [
            ("a good notification", good.clone()),
            ("one and a half", format!("{good}{{")),
            ("no JSON", "<html>".into()),
            ("a token in JSON", json!({"validationToken": "<script>"}).to_string()),
        ] {
            let answer = post(&target, "?validationToken=a-token", body).await;
            case.check(format!("{name}: {what}"), echoed.clone(), told(answer, "a-token").await);
        }
        let hostile = post(&target, "?validationToken=%3Cscript%3E", good.clone()).await;
        case.check(
            format!("{name}: a good notification under a token that is refused"),
            "400 invalid_request".to_string(),
            summary(hostile).await,
        );
        let token = json!({"validationToken": "a-token"}).to_string();
        case.check(
            format!("{name}: a token in the body alone"),
            202,
            status(&post(&target, "", token).await),
        );
        case.check(
            format!("{name}: the good notification without a token"),
            202,
            status(&post(&target, "", good).await),
        );
        case.check(
            format!("{name}: queued, the last one alone"),
            1,
            woken(&target, &state, 1).await,
        );
    }
}

/// A clientState of nobody's mailbox, under the key of the stack in this process.
fn own_state(number: u8) -> String {
    let mailbox = MailboxKey::parse(&format!("outlook:{number:032x}")).unwrap();
    sign(&NOTIFICATION_KEY.into(), &mailbox).unwrap()
}

#[tokio::test]
async fn case_110_a_stack_that_takes_no_notifications() {
    let mut case = Case::new(
        110,
        "notifications: a stack without a key, or without Microsoft, takes none and connects nobody",
    );
    let options = Options { no_notification_key: true, queue_only: true, ..Options::default() };
    let target = Target::inside_with(options).await;
    let inside = target.inside.as_ref().unwrap();
    let closed = "404 provider_not_configured".to_string();
    let mailbox = MailboxKey::parse(&format!("outlook:{:032x}", 1)).unwrap();
    for (what, query, body) in [
        ("a handshake", "?validationToken=a", String::new()),
        (
            "a notification under another stack's key",
            "",
            json!({"value": [changed(&own_state(1))]}).to_string(),
        ),
        (
            "a notification under an empty key",
            "",
            json!({"value": [changed(&sign(&"".into(), &mailbox).unwrap())]}).to_string(),
        ),
        ("nothing", "", String::new()),
    ] {
        case.check(what, closed.clone(), summary(post(&target, query, body).await).await);
    }
    let user = User::new(&target.stack, "without").await;
    for (method, path, body) in [
        (Method::GET, format!("{OUTLOOK}/start"), None),
        (Method::GET, format!("{OUTLOOK}/admin-consent"), None),
        (Method::GET, format!("{OUTLOOK}/callback?code=c&state=s"), None),
        (Method::POST, OUTLOOK.to_string(), Some(json!({"auth_code": "c"}))),
    ] {
        let what = format!("{method} {path}");
        let answer = target.stack.api(method, &path, Some(&user.token), body).await;
        case.check(what, closed.clone(), summary(answer).await);
    }
    let stranger = target.stack.api(Method::GET, &format!("{OUTLOOK}/start"), None, None).await;
    case.check("a stranger", "401 unauthorized".to_string(), summary(stranger).await);
    let good = target.good_token().await;
    case.check(
        "a push of the other provider",
        202,
        status(&target.stack.push(Some(&good), nobodys_push()).await),
    );
    case.check("queued, that push alone", 1, inside.world.wake_ups().queued().len());
}

#[tokio::test]
async fn case_111_notifications_that_the_queue_refuses() {
    let mut case = Case::new(
        111,
        "notifications: a queue that refuses one of several: 5xx, and all come again",
    );
    let options = Options { queue_only: true, ..Options::default() };
    let target = targets_with(options).await.remove(0);
    let world = &target.inside.as_ref().unwrap().world;
    let items: Vec<_> = (1..=3).map(|number| changed(&own_state(number))).collect();
    for refused in 1..=3 {
        world.fail(Call::Send, When::Before, refused);
        let what = format!("the wake-up of mailbox {refused} of three is refused");
        let answer = notify(&target, &items).await;
        case.check(what, "503 queue_unavailable".to_string(), summary(answer).await);
    }
    case.check("again", 202, status(&notify(&target, &items).await));
    let queued = world.wake_ups().queued();
    let mailboxes: std::collections::BTreeSet<_> =
        queued.iter().map(|wake_up| wake_up.mailbox.clone()).collect();
    case.check("mailboxes that are woken", 3, mailboxes.len());
    world.fail(Call::Send, When::Before, 1);
    let forged = [changed(&format!("{}.{}", "0".repeat(32), "A".repeat(43)))];
    case.check(
        "a forged one while the queue refuses",
        202,
        status(&notify(&target, &forged).await),
    );
    case.check("a good one", 503, status(&notify(&target, &items[..1]).await));
}
