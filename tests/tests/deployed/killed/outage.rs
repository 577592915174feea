//! A day in which a mailbox was not looked at: its mail is listed by time, though Graph tells of it
//! in part, or twice, or not, while the processor is killed again and again.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use reqwest::Method;
use serde_json::{Value, json};
use tests::deployed::{Stack, same_set};
use tests::depth;

use crate::deployed::killed::killing::{Moments, kill_when};
use crate::deployed::outlook::user::User;

const HOUR: Duration = Duration::from_secs(3600);

/// How Graph's notifications travel.
async fn notifications(stack: &Stack, mode: Value) {
    stack.microsoft(Method::PUT, "/admin/notifications", mode).await;
}

/// Mails of each hour, dated by the server's clock: fifty on average, so that pages of a hundred end
/// in the middle of a second.
async fn a_past(stack: &Stack, user: &User, hours: u32) {
    for (hour, invoices) in (1..=hours).rev().zip([16, 36, 56].into_iter().cycle()) {
        let behind = i64::try_from((hour * HOUR).as_millis()).unwrap();
        stack.microsoft(Method::PUT, "/admin/clock", json!({"ahead_ms": -behind})).await;
        user.receives_many(stack, invoices, json!({"subject": "invoice {n}"})).await;
        user.receives_many(stack, 10, json!({"subject": "lunch {n}"})).await;
        let junk = json!({"subject": "an invoice to pay at once {n}", "folder": "junkemail"});
        user.receives_many(stack, 4, junk).await;
    }
    stack.microsoft(Method::PUT, "/admin/clock", json!({})).await;
}

async fn listed_at(stack: &Stack, user: &User) -> Option<AttributeValue> {
    user.position(stack).await.remove("listed_at")
}

#[tokio::test]
async fn a_day_of_mail_is_made_up_for_while_the_processor_is_killed() {
    let stack = Stack::at_rest().await;
    let user = User::connected(&stack, "killed").await;
    stack.idle().await;

    // Meanwhile Graph answers nobody. Of what it will tell, every third is lost, and others come
    // twice.
    let (hours, kills) = depth::of((9, 2), (24, 6));
    user.fault(&stack, json!({"name": "messages.list", "status": 503})).await;
    notifications(&stack, json!({"paused": true, "lose_every": 3, "copies": 2})).await;
    user.age(&stack, (hours + 1) * HOUR).await;
    a_past(&stack, &user, hours).await;
    let expected = user.expected(&stack).await;
    assert_eq!(expected.len(), 36 * hours as usize);
    let before = listed_at(&stack, &user).await;

    // Slow enough to be killed while it lists. A run of five seconds commits after two pages: every
    // other kill falls into that, and the others before it.
    user.mend(&stack).await;
    user.fault(&stack, json!({"name": "messages.list", "delay_ms": 1300})).await;
    let lost =
        stack.microsoft(Method::GET, "/admin/notifications", Value::Null).await["lost"].clone();
    assert!(lost.as_u64() > Some(0));
    notifications(&stack, json!({"copies": 2})).await;
    let [subscription] = &user.subscriptions(&stack).await[..] else { panic!("one subscription") };
    let id = subscription["id"].as_str().unwrap();
    let missed = format!("/admin/subscriptions/{id}/lifecycle/missed");
    stack.microsoft(Method::POST, &missed, Value::Null).await;
    let mut moments = Moments::seeded();
    for kill in 1..=kills {
        user.forget_calls(&stack).await;
        let pages = 1 + kill % 2;
        let lists =
            async || (user.times_called(&stack, "messages.list").await >= pages).then_some(());
        kill_when(&stack, lists, moments.within(Duration::from_millis(800))).await;
        let handled = user.position(&stack).await.remove("handled");
        let handled = handled.and_then(|handled| handled.as_l().ok().map(Vec::len));
        println!("kill {kill}: {} changes are handled", handled.unwrap_or_default());
    }
    assert_eq!(listed_at(&stack, &user).await, before, "all was listed before the last kill");
    user.mend(&stack).await;

    same_set(&stack.events_swept(&user.owner, expected.len()).await, &expected);
    user.nothing_else_fires(&stack).await;
    // Wake-ups that were received ten times meanwhile, every six seconds of this stack, are set aside:
    // nothing is lost with them.
    assert_eq!(user.connector(&stack).await["parked_messages"], 0);
}
