//! What a wake-up costs: its calls in their order, and Gmail's quota units.

use email_connectors::domain::wake_up::Kind;
use email_connectors::flows::process::Outcome;
use tests::stage::{MINUTE, Scene, listed};

#[tokio::test]
async fn a_wake_up_costs_these_calls_and_units() {
    // A stale push, a wake-up without new mail, and wake-ups with this many new mails.
    for mails in [None, Some(0), Some(1), Some(10), Some(50)] {
        let scene = Scene::new().await;
        scene.stage.wake(&scene.push()).await.unwrap();
        let ids: Vec<String> =
            (1..=mails.unwrap_or(0)).map(|number| format!("m{number}")).collect();
        scene.deliver(&ids.iter().map(String::as_str).collect::<Vec<_>>());
        scene.stage.world.pass(MINUTE);
        scene.stage.forget_calls();
        scene.stage.world.take_units();

        let wake_up = if mails == Some(0) { scene.own(Kind::Due) } else { scene.push() };
        let outcomes = scene.stage.wake(&wake_up).await.unwrap();

        let fired = ids.len();
        assert_eq!(outcomes, [mails.map_or(Outcome::Stale, |_| listed(fired, fired))]);
        let mut expected = vec!["store.mailbox ada@example.com".to_string()];
        if mails.is_some() {
            expected
                .extend(["vault.open_access_token con".into(), "gmail.history after 1000".into()]);
        }
        if fired == 0 {
            expected.extend(mails.map(|_| "store.commit 0 events".into()));
        } else {
            expected.push(format!("gmail.messages {}", ids.join(" ")));
            expected.push(format!("store.decided {fired}"));
            expected
                .push(format!("store.commit {fired} events, cursor {}", scene.ada.history_id()));
            expected
                .extend([format!("bus.publish {fired}"), format!("store.mark_published {fired}")]);
        }
        assert_eq!(scene.stage.calls(), expected, "{mails:?}");
        let units = mails.map_or(0, |mails| 2 + 20 * mails);
        assert_eq!(scene.stage.world.take_units(), units, "{mails:?}");
        assert_eq!(
            u64::from(scene.connector().reading.spent.within(scene.stage.world.now())),
            units,
            "{mails:?}: as it is written down"
        );
    }
}
