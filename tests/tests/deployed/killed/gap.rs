//! History that expired is replayed by date, while the processor is killed again and again.

use std::collections::BTreeSet;
use std::time::Duration;

use reqwest::Method;
use serde_json::json;
use tests::deployed::{Stack, User, same_set};
use tests::depth;

use crate::deployed::bus::Notices;
use crate::deployed::killed::killing::{Moments, kill_after};

#[tokio::test]
async fn history_that_expired_during_an_outage_is_replayed_whole_while_the_processor_is_killed() {
    let stack = Stack::at_rest().await;
    let user = User::connected(&stack, "killed").await;
    let notices = Notices::of(&stack, &user.connector).await;
    stack.idle().await;

    let mut expected = BTreeSet::new();
    for _ in 0..12 {
        let matching =
            user.receive_many(&stack, 75, json!({"subject": "invoice {n}", "silent": true})).await;
        user.receive_many(&stack, 25, json!({"subject": "lunch {n}", "silent": true})).await;
        expected.extend(matching.iter().map(|message| user.event_id(message)));
    }
    stack
        .google(Method::POST, &format!("/admin/mailboxes/{}/expire-history", user.email), json!({}))
        .await;
    // Slow enough to be killed while it fetches.
    stack
        .fault(&user.email, json!({"method": "batch", "times": 0, "status": 0, "delay_ms": 150}))
        .await;
    expected.insert(
        user.event_id(
            &user.receive(&stack, json!({"subject": "the invoice after the outage"})).await,
        ),
    );

    let mut moments = Moments::seeded();
    let mut owed = None;
    for kill in 1..=depth::of(2, 6) {
        stack.forget_calls_for(&user.email).await;
        kill_after(&stack, &user, "history.list", 0, moments.within(Duration::from_millis(2500)))
            .await;
        owed = user
            .position(&stack)
            .await
            .get("gap")
            .and_then(|gap| gap.as_m().ok()?.get("messages").cloned());
        println!("kill {kill}: replayed messages {owed:?}");
    }
    assert!(owed.is_some(), "the replay was over before the last kill");
    stack.mend(&user.email).await;

    let events = stack.events_swept(&user.owner, expected.len()).await;
    same_set(&events, &expected);
    let heard = notices.heard(&stack, &["HISTORY_GAP_RECOVERED"]).await;
    assert_eq!(
        heard.iter().map(|(kind, notices)| (kind.as_str(), notices.len())).collect::<Vec<_>>(),
        [("HISTORY_GAP_RECOVERED", 1)]
    );
    assert!(!user.position(&stack).await.contains_key("gap"), "the gap is closed");
    let again = user.receive(&stack, json!({"subject": "an invoice as ever"})).await;
    same_set(&stack.events(&user.owner, 1).await, &BTreeSet::from([user.event_id(&again)]));
    assert_eq!(user.connector(&stack).await["parked_messages"], 0);
}
