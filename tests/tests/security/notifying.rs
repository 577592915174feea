//! Graph's notifications: whose mailbox an item wakes, and what comes of one that is forged, doubled or
//! without end.

use std::collections::BTreeSet;

use email_connectors::adapters::outlook::client_state::sign;
use email_connectors::domain::mailbox_key::MailboxKey;
use reqwest::Response;
use serde_json::{Value, json};

use crate::security::case::Case;
use crate::security::forge::unique;
use crate::security::outlook::{
    calls, changed, client_state, connected, forget_calls, lifecycle, notify, post, silently,
    targets, woken,
};
use crate::security::target::{Target, status, summary};

/// A key of the right length that is not the stack's.
const ANOTHERS_KEY: &str = "another-stacks-notification-key-of-its-own";

/// The clientState that a stranger with this key would make for the mailbox of this one.
fn resigned(client_state: &str, key: &str) -> String {
    let mailbox = MailboxKey::parse(&format!("outlook:{}", digits(client_state))).unwrap();
    sign(&key.into(), &mailbox).unwrap()
}

fn digits(client_state: &str) -> &str {
    client_state.split_once('.').unwrap().0
}

fn mac(client_state: &str) -> &str {
    client_state.split_once('.').unwrap().1
}

/// With another letter in place of the first one.
fn altered(text: &str) -> String {
    format!("{}{}", if text.starts_with('a') { "b" } else { "a" }, &text[1..])
}

/// What somebody makes up who knows a mailbox's key, or has seen clientStates of other stacks.
fn forged(good: &str) -> Vec<(&'static str, Value)> {
    let (digits, mac) = (digits(good), mac(good));
    let text = |text: String| Value::from(text);
    vec![
        ("under another key", text(resigned(good, ANOTHERS_KEY))),
        ("under an empty key", text(resigned(good, ""))),
        ("a MAC of zeros", text(format!("{digits}.{}", "A".repeat(43)))),
        ("a MAC with another first letter", text(format!("{digits}.{}", altered(mac)))),
        ("a MAC that is cut", text(good[..good.len() - 1].into())),
        ("a MAC of sixteen bytes", text(format!("{digits}.{}", &mac[..22]))),
        ("a MAC that is padded", text(format!("{good}="))),
        ("a MAC twice", text(format!("{good}.{mac}"))),
        ("no MAC", text(format!("{digits}."))),
        ("the mailbox alone", text(digits.into())),
        ("another mailbox under this MAC", text(altered(good))),
        ("another letter case", text(format!("{}.{mac}", digits.to_uppercase()))),
        ("the mailbox's whole key", text(format!("outlook:{good}"))),
        ("another provider's address", text(format!("nobody@example.com.{mac}"))),
        ("a space before", text(format!(" {good}"))),
        ("a line end behind", text(format!("{good}\n"))),
        ("a zero behind", text(format!("{good}\0"))),
        ("a point", text(".".into())),
        ("nothing", text(String::new())),
        ("100,000 letters", text("a".repeat(100_000))),
        ("null", Value::Null),
        ("true", json!(true)),
        ("a number", json!(7)),
        ("a list", json!([good])),
        ("an object", json!({ "a": good })),
    ]
}

/// Upper-case letters change digits only if there are letters among them.
fn differs(good: &str, forged: &Value) -> bool {
    forged.as_str() != Some(good)
}

#[tokio::test]
async fn case_101_forged_client_states() {
    let mut case = Case::new(
        101,
        "notifications: a clientState that is forged in every way: 202, and nobody is woken",
    );
    for target in targets().await {
        let (name, ada) = (target.name, connected(&target, "forged").await);
        let good = client_state(&target, &ada).await;
        let mut forged = forged(&good);
        forged.retain(|(_, forged)| differs(&good, forged));
        let count = forged.len() as u64 + 1;
        for (what, forged) in forged {
            let item = json!({"changeType": "created", "clientState": forged});
            let answer = notify(&target, &[item]).await;
            case.check(format!("{name}: {what}"), "202".to_string(), summary(answer).await);
        }
        let without = notify(&target, &[json!({"changeType": "created"})]).await;
        case.check(format!("{name}: no clientState"), "202".to_string(), summary(without).await);
        let own = notify(&target, &[changed(&good)]).await;
        case.check(format!("{name}: Graph's own"), "202".to_string(), summary(own).await);
        case.check(format!("{name}: queued, Graph's own alone"), 1, woken(&target, &good, 1).await);
        let mut dropped = target.counted_to("NotificationDropped/client_state", 1).await;
        dropped += target.counted_to("NotificationDropped/signature", count - dropped).await;
        case.check(format!("{name}: counted as dropped"), count, dropped);
    }
}

#[tokio::test]
async fn case_102_anothers_client_state() {
    let mut case = Case::new(
        102,
        "notifications: one mailbox's clientState beside another's subscription, tenant and message",
    );
    for target in targets().await {
        let name = target.name;
        let (ada, eve) = (connected(&target, "ada").await, connected(&target, "eve").await);
        let (adas, eves) = (client_state(&target, &ada).await, client_state(&target, &eve).await);
        let (tenant, user) = ada.sub.split_once('.').unwrap();
        let about_ada = |client_state: &str| {
            json!({"subscriptionId": unique(), "changeType": "updated", "tenantId": tenant,
                "resource": format!("Users/{user}/Messages/1"), "clientState": client_state,
                "resourceData": {"id": "1", "@odata.id": format!("Users/{user}/Messages/1")}})
        };
        for (what, state) in [
            ("Eve's own", eves.clone()),
            ("Ada's mailbox under Eve's MAC", format!("{}.{}", digits(&adas), mac(&eves))),
            ("Eve's mailbox under Ada's MAC", format!("{}.{}", digits(&eves), mac(&adas))),
        ] {
            let answer = notify(&target, &[about_ada(&state)]).await;
            case.check(format!("{name}: {what}"), 202, status(&answer));
            let mut of_life = about_ada(&state);
            of_life["lifecycleEvent"] = json!("subscriptionRemoved");
            let answer = notify(&target, &[of_life]).await;
            case.check(format!("{name}: {what}, of its life"), 202, status(&answer));
        }
        case.check(format!("{name}: Eve is woken by her own"), 2, woken(&target, &eves, 2).await);
        case.check(format!("{name}: Ada is not"), 0, woken(&target, &adas, 0).await);
        notify(&target, &[about_ada(&adas)]).await;
        case.check(format!("{name}: Ada is by hers"), 1, woken(&target, &adas, 1).await);
    }
}

#[tokio::test]
async fn case_103_forged_ones_among_good_ones() {
    let mut case = Case::new(
        103,
        "notifications: forged items and items of foreign tenants among good ones, which count",
    );
    for target in targets().await {
        let name = target.name;
        let (ada, bob) = (connected(&target, "among").await, connected(&target, "beside").await);
        let (adas, bobs) = (client_state(&target, &ada).await, client_state(&target, &bob).await);
        let foreign = json!({"subscriptionId": unique(), "changeType": "created",
            "clientState": "secretClientValue", "tenantId": unique(), "resource": "me/messages"});
        let forged = [
            changed(&resigned(&adas, ANOTHERS_KEY)),
            foreign,
            lifecycle("subscriptionRemoved", &resigned(&bobs, ANOTHERS_KEY)),
            json!({"changeType": "created"}),
            json!(7),
            Value::Null,
        ];
        let mut expected = 0;
        for (what, items) in [
            ("forged ones first", [&forged[..], &[changed(&adas), changed(&bobs)]].concat()),
            ("forged ones last", [&[changed(&adas), changed(&bobs)], &forged[..]].concat()),
            (
                "forged ones in between",
                [&[changed(&adas)], &forged[..], &[changed(&bobs)]].concat(),
            ),
        ] {
            silently(&target, &ada).await;
            silently(&target, &bob).await;
            expected += 1;
            let answer = notify(&target, &items).await;
            case.check(format!("{name}: {what}"), "202".to_string(), summary(answer).await);
            for (whose, state, owner) in [("Ada", &adas, &ada.owner), ("Bob", &bobs, &bob.owner)] {
                case.check(
                    format!("{name}: {what}: {whose} is woken"),
                    expected,
                    woken(&target, state, expected).await,
                );
                // The deployed stack forgets events that were taken.
                let since = if target.inside.is_some() { expected } else { 1 };
                case.check(
                    format!("{name}: {what}: {whose}'s mail fires"),
                    since,
                    target.fired(owner, since).await.len(),
                );
            }
        }
        let answer = notify(&target, &forged).await;
        case.check(
            format!("{name}: forged ones alone: the same answer"),
            "202".to_string(),
            summary(answer).await,
        );
    }
}

#[tokio::test]
async fn case_104_doubled_and_replayed() {
    let mut case = Case::new(
        104,
        "notifications: an item many times in one POST, and the POST again and again: one event",
    );
    for target in targets().await {
        let (name, ada) = (target.name, connected(&target, "replayed").await);
        let state = client_state(&target, &ada).await;
        silently(&target, &ada).await;
        let item = changed(&state);
        for time in 1..=3 {
            let answer = notify(&target, &vec![item.clone(); 200]).await;
            case.check(format!("{name}: 200 of one item, time {time}"), 202, status(&answer));
        }
        case.check(
            format!("{name}: queued once for each POST"),
            3,
            woken(&target, &state, 3).await,
        );
        let fired = ids(&target.fired(&ada.owner, 1).await);
        case.check(format!("{name}: events"), 1, fired.len());
        for _ in 0..5 {
            notify(&target, std::slice::from_ref(&item)).await;
        }
        case.check(
            format!("{name}: queued after it was captured and sent again"),
            8,
            woken(&target, &state, 8).await,
        );
        let again = ids(&target.fired(&ada.owner, 0).await);
        case.check(format!("{name}: other events"), 0, again.difference(&fired).count());
        case.check(
            format!("{name}: the connector"),
            json!("active"),
            ada.connector(&target.stack).await["status"].clone(),
        );
    }
}

fn ids(events: &[Value]) -> BTreeSet<String> {
    events.iter().map(|event| event["event_id"].as_str().unwrap().to_string()).collect()
}

#[tokio::test]
async fn case_105_more_than_is_taken() {
    let mut case = Case::new(
        105,
        "notifications: too many items, too long, too deep, of other shapes: bounded, and no error",
    );
    for target in targets().await {
        let (name, ada) = (target.name, connected(&target, "many").await);
        let state = client_state(&target, &ada).await;
        let after = |count: usize| {
            let items: Vec<Value> =
                std::iter::repeat_n(json!({}), count).chain([changed(&state)]).collect();
            json!({ "value": items }).to_string()
        };
        let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
        let in_item = format!("{{\"value\":[{{\"changeType\":{deep}}}]}}");
        for (what, body, expected) in [
            ("the 1,001st item", after(1000), "202"),
            ("40,000 items before it", after(40_000), "202"),
            ("257 KB", " ".repeat(257 * 1024), "413 body_too_large"),
            ("2 MB", after(700_000), "413 body_too_large"),
            ("lists 10,000 deep", deep, "400 body_too_deep"),
            ("a list 10,000 deep in an item", in_item, "400 body_too_deep"),
            ("nothing", String::new(), "202"),
            ("no JSON", "<html>".into(), "202"),
            ("a broken document", "{\"value\":[".into(), "202"),
            ("null", "null".into(), "202"),
            ("a list", "[]".into(), "202"),
            ("no items", "{\"value\":[]}".into(), "202"),
            ("items that are an object", "{\"value\":{}}".into(), "202"),
            ("items that are text", "{\"value\":\"x\"}".into(), "202"),
            ("a number without end", "{\"value\":[1e999999]}".into(), "202"),
            ("items twice", "{\"value\":[],\"value\":[]}".into(), "202"),
            ("half a surrogate", "{\"value\":[{\"changeType\":\"\\ud800\"}]}".into(), "202"),
        ] {
            let answer = summary(post(&target, "", body).await).await;
            case.check(format!("{name}: {what}"), expected.to_string(), answer);
        }
        let last = post(&target, "", after(999)).await;
        case.check(format!("{name}: the 1,000th item"), 202, status(&last));
        case.check(format!("{name}: queued, that one alone"), 1, woken(&target, &state, 1).await);
        case.check(format!("{name}: panics"), 0, target.counted("Panics").await);
    }
}

/// All of an answer that a stranger could compare: status, headers and body.
async fn seen(answer: Response) -> String {
    let volatile = ["date", "apigw-requestid", "x-amzn-requestid", "x-amzn-trace-id"];
    let headers = answer.headers().iter();
    let headers: BTreeSet<String> = headers
        .filter(|(name, _)| !volatile.contains(&name.as_str()))
        .map(|(name, value)| format!("{name}: {}", String::from_utf8_lossy(value.as_bytes())))
        .collect();
    let (status, headers) = (status(&answer), Vec::from_iter(headers).join(", "));
    format!("{status} {headers} {:?}", answer.text().await.unwrap())
}

/// The MAC alone decides, without a table: there is nothing that could take longer for a mailbox that
/// is known.
#[tokio::test]
async fn case_108_what_an_answer_tells() {
    let mut case = Case::new(
        108,
        "notifications: the answer is the same for a known mailbox, an unknown one, and nonsense",
    );
    for target in targets().await {
        let (name, ada) = (target.name, connected(&target, "known").await);
        let known = client_state(&target, &ada).await;
        let unknown = format!("{}.{}", "0".repeat(32), mac(&known));
        let expected = seen(notify(&target, &[changed(&known)]).await).await;
        case.note(
            format!("{name}: Graph's own"),
            "202 without a body",
            &expected,
            expected.starts_with("202 ") && expected.ends_with(" \"\""),
        );
        forget_calls(&target, &ada).await;
        for (what, items) in [
            ("a known mailbox, forged", vec![changed(&resigned(&known, ANOTHERS_KEY))]),
            ("an unknown mailbox, forged", vec![changed(&resigned(&unknown, ANOTHERS_KEY))]),
            ("an unknown mailbox under a true MAC", vec![changed(&unknown)]),
            ("a known one's end", vec![lifecycle("subscriptionRemoved", &altered(&known))]),
            ("another kind", vec![lifecycle("another", &known)]),
            ("no clientState", vec![json!({"changeType": "created"})]),
            ("no item", vec![]),
            ("nonsense", vec![json!(7)]),
        ] {
            let answer = seen(notify(&target, &items).await).await;
            case.check(format!("{name}: {what}"), expected.clone(), answer);
        }
        let answer = seen(post(&target, "", "<html>".into()).await).await;
        case.check(format!("{name}: no JSON"), expected.clone(), answer);
        case.check(format!("{name}: woken by Graph's own"), 1, woken(&target, &known, 1).await);
        let asked = calls(&target, &ada).await;
        let renewed = asked.iter().filter(|name| name.starts_with("subscriptions")).count();
        case.check(format!("{name}: subscriptions asked for"), 0, renewed);
    }
}

#[tokio::test]
async fn case_109_what_the_log_tells_of_notifications() {
    let mut case = Case::new(
        109,
        "notifications: no text of an item in a log or metric, and no clientState or address",
    );
    for target in targets().await {
        let (name, ada) = (target.name, connected(&target, "logged").await);
        let state = client_state(&target, &ada).await;
        let planted = format!("planted{}", unique());
        let everywhere = |client_state: &str| {
            json!({"subscriptionId": planted, "changeType": planted, "lifecycleEvent": planted,
                "resource": planted, "tenantId": planted, "clientState": client_state,
                "resourceData": {"id": planted}, planted.clone(): planted})
        };
        let mut with_change = everywhere(&state);
        with_change["changeType"] = json!("created");
        with_change["lifecycleEvent"] = Value::Null;
        let items = [
            everywhere(&planted),
            everywhere(&state),
            changed(&planted),
            json!(planted),
            with_change,
        ];
        notify(&target, &items).await;
        post(&target, &format!("?validationToken=%3C{planted}"), String::new()).await;
        post(&target, &format!("?validationToken={planted}"), String::new()).await;
        post(&target, &format!("?a={planted}"), planted.clone()).await;
        woken(&target, &state, 1).await;
        target.idle().await;
        let lines = target.logged().await;
        let having = |text: &str| lines.iter().filter(|line| line.contains(text)).count();
        let dropped = having("notification dropped");
        case.note(format!("{name}: items that are told of"), "at least 4", dropped, dropped >= 4);
        for (what, text) in [
            ("planted text", planted.as_str()),
            ("the MAC", mac(&state)),
            ("the address", ada.email.as_str()),
        ] {
            case.check(format!("{name}: lines with {what}"), 0, having(text));
        }
        let Target { inside: Some(_), .. } = target else { continue };
        let named = crate::security::counters::names();
        let named = named.iter().filter(|metric| metric.contains(&planted)).count();
        case.check(format!("{name}: metrics with planted text"), 0, named);
    }
}
