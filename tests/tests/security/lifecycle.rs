//! The life of a subscription: events that are forged, a storm of true ones, and notifications after
//! the connector's end.

use reqwest::Method;
use serde_json::{Value, json};
use tests::deployed::User;

use crate::security::case::Case;
use crate::security::outlook::{
    calls, changed, client_state, connected, forget_calls, lifecycle, notify, silently,
    subscriptions, targets, woken,
};
use crate::security::target::{Target, status, summary};

const EVENTS: [&str; 3] = ["subscriptionRemoved", "reauthorizationRequired", "missed"];

/// One tick of the renewer.
async fn sweep(target: &Target) {
    match &target.inside {
        Some(inside) => drop(inside.sweep().await),
        None => target.stack.sweep().await,
    }
}

async fn asked(target: &Target, user: &User, method: &str) -> usize {
    calls(target, user).await.iter().filter(|name| *name == method).count()
}

async fn ids(target: &Target, user: &User) -> Value {
    subscriptions(target, user).await.iter().map(|one| one["id"].clone()).collect()
}

/// Its status and its end.
async fn watch(target: &Target, user: &User) -> Value {
    let connector = user.connector(&target.stack).await;
    json!([connector["watch"]["status"], connector["watch"]["expiration"]])
}

#[tokio::test]
async fn case_106_forged_events_of_a_life() {
    let mut case = Case::new(
        106,
        "notifications: forged lifecycle events, and true clientStates under events that are none",
    );
    for target in targets().await {
        let (name, ada) = (target.name, connected(&target, "life").await);
        let state = client_state(&target, &ada).await;
        let (before, watch) = (ids(&target, &ada).await, watch(&target, &ada).await);
        forget_calls(&target, &ada).await;
        let forged = format!("{}.{}", &state[..32], "A".repeat(43));
        for event in EVENTS {
            for (what, client_state) in [("forged", forged.as_str()), ("without one", "")] {
                let answer = notify(&target, &[lifecycle(event, client_state)]).await;
                case.check(format!("{name}: {event}, {what}"), 202, status(&answer));
            }
        }
        for event in ["subscriptionremoved", "SubscriptionRemoved ", "deleted", "subscription", ""]
        {
            let answer = notify(&target, &[lifecycle(event, &state)]).await;
            case.check(format!("{name}: the event `{event}`"), 202, status(&answer));
        }
        let mut shapeless = vec![];
        for event in [json!(7), json!(["missed"]), json!({"missed": true}), Value::Null] {
            shapeless.push(json!({"clientState": state, "lifecycleEvent": event}));
        }
        let answer = notify(&target, &shapeless).await;
        case.check(format!("{name}: events that are no text"), 202, status(&answer));
        let answer = notify(&target, &[changed(&state)]).await;
        case.check(format!("{name}: a true change"), 202, status(&answer));
        case.check(format!("{name}: queued, that one alone"), 1, woken(&target, &state, 1).await);
        target.idle().await;
        sweep(&target).await;
        case.check(
            format!("{name}: renewals"),
            0,
            asked(&target, &ada, "subscriptions.update").await,
        );
        case.check(format!("{name}: the subscription"), before, ids(&target, &ada).await);
        case.check(format!("{name}: the watch"), watch, self::watch(&target, &ada).await);
    }
}

#[tokio::test]
async fn case_107_a_storm_of_events() {
    let mut case = Case::new(
        107,
        "notifications: a storm of lifecycle events with a captured clientState: one renewal a sweep",
    );
    for target in targets().await {
        let (name, ada) = (target.name, connected(&target, "storm").await);
        let state = client_state(&target, &ada).await;
        let before = ids(&target, &ada).await;
        forget_calls(&target, &ada).await;
        silently(&target, &ada).await;
        let mut taken = 0;
        for _ in 0..20 {
            for event in EVENTS {
                let answer = notify(&target, &vec![lifecycle(event, &state); 20]).await;
                taken += usize::from(status(&answer) == 202);
            }
        }
        case.check(format!("{name}: POSTs that were taken"), 60, taken);
        case.check(format!("{name}: queued"), 60, woken(&target, &state, 60).await);
        let fired = target.fired(&ada.owner, 1).await;
        case.check(format!("{name}: the mail of meanwhile fires"), 1, fired.len());
        sweep(&target).await;
        // Of the deployed stack the schedule sweeps as well, each minute.
        let most = if target.inside.is_some() { 1 } else { 4 };
        let renewed = asked(&target, &ada, "subscriptions.update").await;
        case.note(
            format!("{name}: renewals"),
            format!("1 to {most}"),
            renewed,
            (1..=most).contains(&renewed),
        );
        case.check(
            format!("{name}: new subscriptions"),
            0,
            asked(&target, &ada, "subscriptions.create").await,
        );
        case.check(format!("{name}: the subscription"), before, ids(&target, &ada).await);
        let connector = ada.connector(&target.stack).await;
        case.check(
            format!("{name}: the connector"),
            json!(["active", "active"]),
            json!([connector["status"], connector["watch"]["status"]]),
        );
    }
}

#[tokio::test]
async fn case_117_a_client_state_that_outlives_its_connector() {
    let mut case = Case::new(
        117,
        "notifications: a captured clientState after the disconnect: nothing is asked of Microsoft",
    );
    for target in targets().await {
        let (name, ada) = (target.name, connected(&target, "left").await);
        let state = client_state(&target, &ada).await;
        let path = format!("/api/connectors/{}", ada.connector);
        let gone = target.stack.api(Method::DELETE, &path, Some(&ada.token), None).await;
        case.check(format!("{name}: the disconnect"), "200".to_string(), summary(gone).await);
        case.check(format!("{name}: subscriptions"), json!([]), ids(&target, &ada).await);
        target.idle().await;
        forget_calls(&target, &ada).await;
        silently(&target, &ada).await;
        let items: Vec<Value> = EVENTS.map(|event| lifecycle(event, &state)).into();
        for item in [&items[..], &[changed(&state)]].concat() {
            let answer = notify(&target, &[item]).await;
            case.check(format!("{name}: sent again"), 202, status(&answer));
        }
        case.check(format!("{name}: queued"), 4, woken(&target, &state, 4).await);
        target.idle().await;
        let unknown = target.counted_to("WakeUps/unknown_mailbox", 1).await;
        case.note(
            format!("{name}: of a mailbox that nobody has"),
            "1 or more",
            unknown,
            unknown > 0,
        );
        sweep(&target).await;
        case.check(
            format!("{name}: calls at Microsoft"),
            String::new(),
            calls(&target, &ada).await.join(" "),
        );
        case.check(format!("{name}: events"), 0, fired(&target, &ada).await);
    }
}

/// Events of mail.
async fn fired(target: &Target, user: &User) -> usize {
    match target.inside {
        Some(_) => target.fired_so_far(&user.owner).len(),
        None => target.stack.events(&user.owner, 0).await.len(),
    }
}
