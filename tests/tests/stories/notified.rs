//! Graph's notifications: each item is judged by itself, and only this stack's subscriptions wake a
//! mailbox.

use email_connectors::adapters::outlook::client_state::sign;
use email_connectors::domain::mailbox_key::MailboxKey;
use email_connectors::domain::provider::outlook::notification::Kind;
use secrecy::SecretString;
use serde_json::{Value, json};
use tests::stage::{NOTIFICATION_KEY, Stage};
use tests::world::{Call, When};

fn mailbox(number: u8) -> MailboxKey {
    MailboxKey::parse(&format!("outlook:{number:032x}")).unwrap()
}

fn state(key: &str, mailbox: &MailboxKey) -> String {
    sign(&SecretString::from(key), mailbox).unwrap()
}

fn changed(client_state: &str) -> Value {
    json!({"subscriptionId": "s", "changeType": "updated", "clientState": client_state})
}

fn lifecycle(event: &str, client_state: &str) -> Value {
    json!({"subscriptionId": "s", "lifecycleEvent": event, "clientState": client_state})
}

fn post(items: &[Value]) -> Vec<u8> {
    json!({ "value": items }).to_string().into_bytes()
}

#[tokio::test]
async fn a_forged_item_wakes_nobody_and_stops_none_beside_it() {
    let stage = Stage::new();
    let (ada, bob) = (mailbox(1), mailbox(2));
    let good = state(NOTIFICATION_KEY, &ada);
    // Ada's MAC beside Bob's mailbox.
    let moved = good.replacen(&good[..32], &state(NOTIFICATION_KEY, &bob)[..32], 1);
    let items = [
        changed(&state("another-stack's-key-of-32-characters", &ada)),
        changed(&moved),
        json!({"changeType": "created"}),
        json!({"changeType": "created", "clientState": {"a": good}}),
        json!({"changeType": "another", "clientState": good}),
        lifecycle("another", &good),
        json!(7),
        changed(&good),
    ];
    let outcome = stage.notified().take(&post(&items), stage.world.now()).await.unwrap();
    assert_eq!(outcome.queued.len(), 1);
    assert_eq!(
        outcome.dropped,
        ["signature", "signature", "client_state", "client_state", "kind", "kind", "unreadable"]
    );
    let queued = stage.world.wake_ups().queued();
    assert_eq!(queued.iter().map(|wake_up| &wake_up.mailbox).collect::<Vec<_>>(), [&ada]);
}

#[tokio::test]
async fn a_mailbox_is_woken_once_for_all_that_is_told_of_it() {
    let stage = Stage::new();
    let (ada, bob) = (state(NOTIFICATION_KEY, &mailbox(1)), state(NOTIFICATION_KEY, &mailbox(2)));
    let table = [
        (vec![changed(&ada), changed(&ada)], vec![(Kind::Changed, false)]),
        (vec![lifecycle("missed", &ada), changed(&ada)], vec![(Kind::Missed, false)]),
        (
            vec![lifecycle("reauthorizationRequired", &ada), changed(&ada)],
            vec![(Kind::ReauthorizationRequired, true)],
        ),
        (
            vec![
                changed(&ada),
                lifecycle("reauthorizationRequired", &ada),
                lifecycle("subscriptionRemoved", &ada),
                changed(&bob),
            ],
            vec![(Kind::SubscriptionRemoved, true), (Kind::Changed, false)],
        ),
    ];
    for (items, expected) in table {
        let outcome = stage.notified().take(&post(&items), stage.world.now()).await.unwrap();
        let kinds: Vec<Kind> = outcome.queued.iter().map(|(_, kind)| *kind).collect();
        let mut renews = Vec::new();
        while let Some(received) = stage.world.wake_ups().receive() {
            renews.push(received.wake_up.renews_watch);
            stage.world.wake_ups().delete(&received);
        }
        assert_eq!(kinds.into_iter().zip(renews).collect::<Vec<_>>(), expected, "{items:?}");
    }
}

#[tokio::test]
async fn a_key_that_is_replaced_counts_until_it_is_gone() {
    let stage = Stage::new();
    let old = post(&[changed(&state(NOTIFICATION_KEY, &mailbox(1)))]);
    let keys = |keys: &[&str]| keys.iter().map(|key| SecretString::from(*key)).collect::<Vec<_>>();
    let table: [(&[&str], usize); 4] =
        [(&["new", NOTIFICATION_KEY], 1), (&[NOTIFICATION_KEY, "new"], 1), (&["new"], 0), (&[], 0)];
    for (verifying, expected) in table {
        let mut notified = stage.notified();
        notified.keys = keys(verifying);
        let outcome = notified.take(&old, stage.world.now()).await.unwrap();
        assert_eq!(outcome.queued.len(), expected, "{verifying:?}");
    }
}

#[tokio::test]
async fn what_the_queue_does_not_take_comes_again() {
    let stage = Stage::new();
    stage.world.fail(Call::Send, When::Before, 1);
    let body = post(&[changed(&state(NOTIFICATION_KEY, &mailbox(1)))]);
    assert!(stage.notified().take(&body, stage.world.now()).await.is_err());
    assert!(stage.notified().take(&body, stage.world.now()).await.is_ok());
    let strangers: [&[u8]; 4] = [b"", b"7", b"{\"value\": 7}", b"[]"];
    for body in strangers {
        let outcome = stage.notified().take(body, stage.world.now()).await.unwrap();
        assert_eq!((outcome.queued.len(), outcome.dropped), (0, vec!["unreadable"]));
    }
}
