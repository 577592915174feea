//! Outages at Gmail: grants end, every call is refused for minutes. No mail is lost or fires twice,
//! and no wake-up becomes a dead letter.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};

use crate::deployed::bus::Notices;
use tests::deployed::{Stack, User, same_set};
use tests::depth;

#[tokio::test]
async fn mail_that_came_while_the_grant_was_revoked_fires_once_after_the_reconnect() {
    let stack = Stack::running();
    let user = User::connected(&stack, "ada").await;
    let notices = Notices::of(&stack, &user.connector).await;
    stack.google(Method::POST, "/admin/grants/revoke", json!({"email": user.email})).await;

    let mut expected = BTreeSet::new();
    for number in 1..=20 {
        expected.insert(user.event_id(
            &user.receive(&stack, json!({"subject": format!("invoice {number}")})).await,
        ));
    }
    let status =
        async |wanted: &str| (user.connector(&stack).await["status"] == wanted).then_some(());
    stack.until("a connector that needs its user", async || status("needs_reauth").await).await;
    assert_eq!(
        stack.events(&user.owner, 0).await,
        Vec::<Value>::new(),
        "nothing can be read without a grant"
    );

    let again = user.connect(&stack).await;

    assert_eq!(again["connector_id"], user.connector);
    status("active").await.expect("an active connector");
    let events = stack.events(&user.owner, expected.len()).await;
    same_set(&events, &expected);
    assert_eq!(user.rest(&stack).await, Vec::<Value>::new(), "each once");
    let heard = notices.heard(&stack, &["CONNECTOR_NEEDS_REAUTH", "CONNECTOR_RECOVERED"]).await;
    let counts: Vec<_> =
        heard.iter().map(|(kind, notices)| (kind.as_str(), notices.len())).collect();
    assert_eq!(counts, [("CONNECTOR_NEEDS_REAUTH", 1), ("CONNECTOR_RECOVERED", 1)]);
    assert_eq!(user.connector(&stack).await["last_error"], Value::Null);
    assert_eq!(stack.messages_in(&stack.dead_letter_queue_url).await, 0);
}

#[tokio::test]
async fn a_storm_of_refusals_loses_nothing_doubles_nothing_and_sets_nothing_aside() {
    let fronts = [
        vec![json!({"method": "history.list", "status": 429, "retry_after": 2})],
        vec![json!({"method": "messages.get", "status": 503})],
        vec![json!({"method": "history.list", "status": 503})],
        // The batch is answered, but every part after the tenth is refused.
        vec![
            json!({"method": "messages.get", "status": 429, "after": 10, "reason": "userRateLimitExceeded"}),
        ],
        vec![
            json!({"method": "batch", "status": 429, "retry_after": 7}),
            json!({"method": "messages.get", "status": 429}),
        ],
        vec![
            json!({"method": "batch", "status": 503}),
            json!({"method": "messages.get", "status": 503, "retry_after": 5}),
        ],
    ];
    let stack = Stack::running();
    let users = [User::connected(&stack, "ada").await, User::connected(&stack, "bob").await];

    let mut expected = [BTreeSet::new(), BTreeSet::new()];
    let (began, storm) = (Instant::now(), Duration::from_secs(depth::of(30, 180)));
    // Each kind of refusal comes at least once, however short the storm.
    let seconds = (storm.as_secs() / fronts.len() as u64).clamp(1, 10);
    for front in fronts.iter().cycle() {
        for user in &users {
            stack.mend(&user.email).await;
            for refusal in front {
                let mut refusal = refusal.clone();
                refusal["times"] = 0.into();
                stack.fault(&user.email, refusal).await;
            }
        }
        for second in 0..seconds as usize {
            let number = second % users.len();
            let mails = users[number]
                .receive_many(&stack, 1 + second % 3, json!({"subject": "invoice {n}"}))
                .await;
            expected[number].extend(mails.iter().map(|message| users[number].event_id(message)));
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        if began.elapsed() >= storm {
            break;
        }
    }
    for user in &users {
        stack.mend(&user.email).await;
    }

    for (user, expected) in users.iter().zip(&expected) {
        let events = stack.events_swept(&user.owner, expected.len()).await;
        same_set(&events, expected);
        assert_eq!(user.rest(&stack).await, Vec::<Value>::new(), "each once");
        let well = async || {
            let connector = user.connector(&stack).await;
            assert_eq!(
                (&connector["status"], &connector["parked_messages"]),
                (&json!("active"), &json!(0)),
                "{connector}"
            );
            (connector["circuit"]["state"] == "closed" && connector["last_error"].is_null())
                .then_some(())
        };
        stack.until("a connector that is well again", well).await;
    }
    assert_eq!(stack.messages_in(&stack.dead_letter_queue_url).await, 0);
}
