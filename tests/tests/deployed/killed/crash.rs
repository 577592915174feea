//! The processor is killed in the middle of its work; the queue delivers again, and the set of
//! events is the same.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::json;

use crate::deployed::killed::killing::{calls, kill_after};
use tests::deployed::{Stack, User, same_set};

/// How many mails wait when the processor starts: several batches.
const MAILS: usize = 60;

#[tokio::test]
async fn killed_while_it_lists_and_fetches() {
    let stack = Stack::at_rest().await;
    // Nothing is published before the crash, so nothing may repeat: `each-event-once` checks this
    // owner too.
    let user = User::connected(&stack, "crashed").await;
    stack.idle().await;
    stack.forget_calls_for(&user.email).await;
    // Slow enough to be killed while it fetches.
    stack
        .fault(&user.email, json!({"method": "batch", "times": 0, "status": 0, "delay_ms": 500}))
        .await;
    let mut expected = BTreeSet::new();
    for number in 1..=MAILS {
        let mail = json!({"subject": format!("invoice {number}"), "silent": number < MAILS});
        expected.insert(user.event_id(&user.receive(&stack, mail).await));
    }
    kill_after(&stack, &user, "history.list", 0, Duration::ZERO).await;
    kill_after(&stack, &user, "batch", calls(&stack, &user, "batch").await, Duration::ZERO).await;
    stack.mend(&user.email).await;

    let events = stack.events(&user.owner, MAILS).await;

    same_set(&events, &expected);
    stack.quiet().await;
    assert_eq!(stack.messages_in(&stack.dead_letter_queue_url).await, 0);
}

/// Kills after different delays, which fall at different steps between fetching and marking.
#[tokio::test]
async fn killed_somewhere_between_fetching_and_marking() {
    let stack = Stack::at_rest().await;
    let user = User::connected(&stack, "killed").await;
    let mut expected = BTreeSet::new();
    for round in 0..4_u64 {
        let before = calls(&stack, &user, "batch").await;
        for number in 0..15 {
            let mail =
                json!({"subject": format!("invoice {round}.{number}"), "silent": number < 14});
            expected.insert(user.event_id(&user.receive(&stack, mail).await));
        }
        kill_after(&stack, &user, "batch", before, Duration::from_millis(round * 8)).await;
    }
    same_set(&stack.events(&user.owner, expected.len()).await, &expected);
    assert_eq!(stack.messages_in(&stack.dead_letter_queue_url).await, 0);
}
