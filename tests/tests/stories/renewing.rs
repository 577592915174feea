//! The renewer renews watches and wakes silent mailboxes; it never moves the cursor.

use std::collections::BTreeSet;

use email_connectors::domain::connector::{Connector, Status};
use email_connectors::domain::event::DetailType;
use email_connectors::domain::wake_up::Kind;
use email_connectors::domain::watch::WatchStatus;
use email_connectors::flows::renew::RenewError;
use tests::world::{Call, Consent, Failure, Mail, WATCH_LIFE, When};

use tests::stage::{DAY, MINUTE, QUIET_AFTER, RENEWAL, Scene, Stage, listed, subjects};

/// The mailbox was just read, so that only its watch is due.
async fn three_days_later() -> Scene {
    let scene = Scene::new().await;
    scene.stage.world.pass(RENEWAL);
    scene.stage.wake(&scene.own(Kind::Sync)).await.unwrap();
    scene.stage.forget_calls();
    scene
}

#[tokio::test]
async fn a_watch_is_renewed_within_three_days_and_the_cursor_stays() {
    let scene = three_days_later().await;
    let before = scene.connector();
    // The watch's history id is past this mail, which no listing has read yet.
    scene.deliver(&["Unheard"]);
    let swept = scene.stage.sweep().await;
    assert_eq!((swept.renewed, swept.not_renewed, swept.woken, swept.failures.len()), (1, 0, 0, 0));
    let calls = [
        "store.connector_at con",
        "vault.open_access_token con",
        "gmail.watch",
        "store.record_watch con",
        "store.schedule con",
    ];
    assert_eq!(
        scene
            .stage
            .calls()
            .into_iter()
            .filter(|call| !call.starts_with("store.due"))
            .collect::<Vec<_>>(),
        calls
    );

    let now = scene.stage.world.now();
    let watch = before.watch.renewed(now.after(WATCH_LIFE), now);
    assert_eq!(scene.connector(), Connector { watch, ..before }, "nothing but the watch changed");
    scene.stage.wake(&scene.push()).await.unwrap();
    assert_eq!(subjects(&scene.stage.fired()), ["Unheard"]);
}

#[tokio::test]
async fn what_is_not_due_is_not_renewed() {
    let scene = three_days_later().await;
    scene.stage.sweep().await;
    for _ in 0..5 {
        scene.stage.world.pass(60 * MINUTE);
        scene.stage.forget_calls();
        let swept = scene.stage.sweep().await;
        assert_eq!((swept.renewed, swept.silent, swept.woken), (0, 1, 0));
        let calls =
            scene.stage.calls_of(&["gmail.profile", "gmail.watch", "gmail.history", "queue"]);
        assert_eq!(calls, ["gmail.profile"], "a look for one unit is all that silence costs");
    }
}

#[tokio::test]
async fn ten_days_of_sweeps_keep_the_watch_alive() {
    let scene = Scene::new().await;
    for _ in 0..10 * 24 {
        scene.stage.world.pass(60 * MINUTE);
        assert!(scene.stage.sweep().await.failures.is_empty());
        scene.stage.work().await;
        assert_eq!(scene.connector().watch.status(scene.stage.world.now()), WatchStatus::Active);
        assert!(scene.ada.watched_until().is_some());
    }
    let watches = scene.stage.calls_of(&["gmail.watch"]).len();
    assert!((3..=5).contains(&watches), "every two to three days: {watches} times in ten days");
}

#[tokio::test]
async fn a_renewal_that_fails_is_recorded_and_tried_again() {
    let scene = three_days_later().await;
    let before = scene.connector();
    scene.stage.world.fail(Call::Watch, When::Before, 1);
    scene.stage.world.fail(Call::Watch, When::Before, 2);
    let swept = scene.stage.sweep().await;
    assert_eq!((swept.renewed, swept.not_renewed), (0, 1));
    let connector = scene.connector();
    assert!(
        connector.watch.failure.as_ref().is_some_and(|failure| failure.reason.contains("503")),
        "{:?}",
        connector.watch
    );
    assert_eq!(
        (connector.reading.position.cursor, connector.reading.status),
        (before.reading.position.cursor, Status::Active)
    );
    assert_eq!(
        connector.watch.status(scene.stage.world.now()),
        WatchStatus::Active,
        "the old watch lives on"
    );

    scene.stage.world.pass(MINUTE);
    assert_eq!(scene.stage.sweep().await.renewed, 0, "not at once");
    scene.stage.world.pass(4 * MINUTE);
    assert_eq!(scene.stage.sweep().await.not_renewed, 1);
    scene.stage.world.pass(9 * MINUTE);
    let swept = scene.stage.sweep().await;
    assert_eq!(
        (swept.renewed, swept.not_renewed),
        (0, 0),
        "the second time it is left alone for longer"
    );
    scene.stage.world.pass(MINUTE);
    assert_eq!(scene.stage.sweep().await.renewed, 1);
    assert_eq!(scene.connector().watch.failure, None);
}

#[tokio::test]
async fn a_watch_that_is_refused_for_ever_costs_little_and_is_tried_before_it_ends() {
    let scene = three_days_later().await;
    for nth in 1..=1000 {
        scene.stage.world.fail(Call::Watch, When::Before, nth);
    }
    let ends = scene.connector().watch.expiration.expect("it is watched");
    let (mut tries, mut last_of_life) = (0, None);
    while scene.stage.world.now() < ends.after(7 * DAY) {
        scene.stage.world.pass(5 * MINUTE);
        tries += scene.stage.sweep().await.not_renewed;
        scene.stage.work().await;
        let failed_at = scene.connector().watch.failure.map(|failure| failure.at);
        last_of_life = last_of_life.max(failed_at.filter(|at| *at < ends));
    }
    assert!((45..65).contains(&tries), "{tries} tries in eleven days");
    let left = ends.millis() - last_of_life.expect("it was tried").millis();
    assert!(left <= 15 * 60_000, "the last try before its end was {} min before", left / 60_000);
    scene.stage.world.forget_scripts();
    scene.stage.world.pass(6 * 60 * MINUTE);
    assert_eq!(scene.stage.sweep().await.renewed, 1, "and it is found when it is mended");
}

#[tokio::test]
async fn a_renewal_that_finds_the_grant_revoked_asks_for_the_user() {
    let scene = three_days_later().await;
    let before = scene.cursor();
    scene.ada.revoke_grant();
    let swept = scene.stage.sweep().await;
    assert_eq!((swept.renewed, swept.not_renewed, swept.failures.len()), (0, 1, 0));
    assert_eq!((scene.connector().reading.status, scene.cursor()), (Status::NeedsReauth, before));

    scene.stage.world.pass(MINUTE);
    scene.stage.sweep().await;
    scene.stage.work().await;
    assert_eq!(
        scene.stage.notices(DetailType::ConnectorNeedsReauth).len(),
        1,
        "a wake-up publishes what the renewer found"
    );
    scene.stage.world.pass(DAY);
    scene.stage.forget_calls();
    scene.stage.sweep().await;
    assert!(
        scene.stage.calls().iter().all(|call| call.starts_with("store.due")),
        "nobody knocks at a closed door"
    );

    scene.stage.connect_with("owner", &scene.ada, Consent::default()).await.unwrap();
    scene.stage.work().await;
    scene.stage.world.pass(RENEWAL);
    scene.stage.wake(&scene.own(Kind::Sync)).await.unwrap();
    assert_eq!(scene.stage.sweep().await.renewed, 1, "after the reconnect it is renewed again");
}

#[tokio::test]
async fn a_silent_mailbox_is_woken() {
    let scene = Scene::new().await;
    scene.stage.world.pass(5 * MINUTE);
    scene.stage.sweep().await;
    scene.deliver(&["Its push was dropped"]);
    scene.stage.world.pass(QUIET_AFTER - 7 * MINUTE);
    assert_eq!(scene.stage.sweep().await.woken, 0, "not silent for long yet");
    scene.stage.world.pass(2 * MINUTE);
    let before = scene.cursor();
    assert_eq!(scene.stage.sweep().await.woken, 1);
    assert_eq!(scene.cursor(), before);
    let queued = scene.stage.world.wake_ups().queued();
    assert_eq!(
        queued.iter().map(|wake_up| (wake_up.kind, wake_up.mark)).collect::<Vec<_>>(),
        [(Kind::Due, None)]
    );
    assert_eq!(scene.stage.work().await, [listed(1, 1)]);
    assert_eq!(subjects(&scene.stage.fired()), ["Its push was dropped"]);
    assert_eq!(scene.stage.sweep().await.woken, 0, "it was looked at");
}

#[tokio::test]
async fn a_mailbox_whose_watch_cannot_be_renewed_is_still_looked_at() {
    let scene = Scene::new().await;
    for nth in 1..=400 {
        scene.stage.world.fail(Call::Watch, When::Before, nth);
    }
    scene.deliver(&["No push ever"]);
    for _ in 0..400 {
        scene.stage.world.pass(30 * MINUTE);
        scene.stage.sweep().await;
        scene.stage.work().await;
    }
    scene.stage.world.forget_scripts();
    assert_eq!(scene.ada.watched_until(), None, "the watch has lapsed");
    assert_eq!(scene.connector().watch.status(scene.stage.world.now()), WatchStatus::Failed);
    assert_eq!(subjects(&scene.stage.fired()), ["No push ever"]);
    assert_eq!(
        scene.stage.notices(DetailType::WatchLapsed).len(),
        1,
        "one notice, however often the renewal is retried"
    );
}

#[tokio::test]
async fn a_reconnect_during_a_renewal_keeps_its_own_watch() {
    let scene = three_days_later().await;
    let gate = scene.stage.world.hold(Call::Watch, When::After, 1);
    let (swept, connected) = tokio::join!(scene.stage.sweep(), async {
        scene.stage.world.pass(MINUTE);
        let connected =
            scene.stage.connect_with("owner", &scene.ada, Consent::default()).await.unwrap();
        gate.open();
        connected
    });
    assert_eq!(swept.renewed, 0);
    assert_eq!(scene.connector().watch, connected.watch);
}

#[tokio::test]
async fn an_unreadable_row_does_not_delay_the_others() {
    let scene = three_days_later().await;
    scene.stage.world.fail_with(Call::ConnectorAt, When::Before, 1, Failure::Unreadable);
    let swept = scene.stage.sweep().await;
    assert_eq!((swept.renewed, swept.failures.len()), (0, 1), "it is reported");
    let again = scene.stage.sweep().await;
    assert_eq!((again.renewed, again.failures.len()), (0, 0), "and it is not due again at once");
    scene.stage.world.pass(MINUTE);
    assert_eq!(scene.stage.sweep().await.renewed, 1, "a version that reads it finds it due");
}

#[tokio::test]
async fn one_connectors_trouble_does_not_stop_the_sweep() {
    let stage = Stage::new();
    for number in 0..20 {
        let account = stage.world.account(&format!("user{number}@example.com"));
        stage.connect_with(&format!("owner-{number}"), &account, Consent::default()).await.unwrap();
    }
    stage.work().await;
    stage.world.pass(RENEWAL);
    // One key service failure, one conflicting write, one refused watch.
    stage.world.fail(Call::OpenRefreshToken, When::Before, 4);
    stage.world.fail_with(Call::RecordWatch, When::Before, 9, Failure::Conflict);
    stage.world.fail_with(Call::Watch, When::Before, 7, Failure::Refused(403));
    let swept = stage.sweep().await;
    assert_eq!(
        (swept.renewed, swept.not_renewed, swept.failures.len()),
        (17, 1, 1),
        "a conflict is not a failure: {swept:?}"
    );
    stage.world.pass(MINUTE);
    let again = stage.sweep().await;
    assert_eq!(
        (again.renewed, again.failures.len()),
        (2, 0),
        "what failed is due again in a minute: {again:?}"
    );
}

#[tokio::test]
async fn a_shard_that_cannot_be_read_is_reported_and_the_others_are_swept() {
    let scene = three_days_later().await;
    scene.stage.world.fail(Call::Due, When::Before, 1);
    let swept = scene.stage.sweep().await;
    assert!(
        matches!(swept.failures.as_slice(), [RenewError::Shard { shard: 0, .. }]),
        "{:?}",
        swept.failures
    );
    let shards: BTreeSet<String> = scene.stage.calls_of(&["store.due"]).into_iter().collect();
    assert_eq!(shards.len(), 8, "{shards:?}");
    let swept_or_due = swept.renewed + scene.stage.sweep().await.renewed;
    assert_eq!(swept_or_due, 1);
}

#[tokio::test]
async fn a_queue_that_is_down_leaves_the_silent_mailbox_due() {
    let scene = Scene::new().await;
    scene.stage.world.pass(5 * MINUTE);
    scene.stage.sweep().await;
    scene.deliver(&["Its push was dropped"]);
    scene.stage.world.pass(QUIET_AFTER);
    scene.stage.world.fail(Call::Send, When::Before, 1);
    assert_eq!(scene.stage.sweep().await.failures.len(), 1);
    scene.stage.world.pass(MINUTE);
    assert_eq!(scene.stage.sweep().await.woken, 1);
}

#[tokio::test]
async fn firings_that_cannot_be_published_delay_no_renewal() {
    let scene = Scene::new().await;
    for number in 0..20 {
        let account = scene.stage.world.account(&format!("user{number}@example.com"));
        scene.stage.connect(&format!("owner-{number}"), &account).await;
    }
    for number in 0..250 {
        scene.ada.deliver(Mail::new(&format!("Number {number}")));
    }
    // Each commit succeeds, and each publication fails.
    for nth in 1..250 {
        scene.stage.world.fail(Call::Publish, When::Before, nth);
    }
    scene.stage.wake(&scene.own(Kind::Sync)).await.unwrap();
    scene.stage.world.forget_scripts();
    assert_eq!(scene.connector().outbox.unpublished.len(), 250);
    scene.stage.world.pass(RENEWAL);
    let swept = scene.stage.sweep().await;
    assert_eq!(
        (swept.renewed, swept.woken),
        (21, 1),
        "all watches, and one wake-up for all of the mailbox's firings: {swept:?}"
    );
    assert_eq!(scene.stage.world.wake_ups().queued().len(), 1);
    scene.stage.work().await;
    assert_eq!(scene.stage.fired().len(), 250);
}

#[tokio::test]
async fn waking_a_silent_mailbox_does_not_put_its_renewal_off() {
    let scene = Scene::new().await;
    let mut renewing = scene.stage.renewing();
    // Longer than a watch may go without renewal.
    renewing.sweep_times.quiet_after = 7 * DAY;
    for _ in 0..14 * 24 {
        scene.stage.world.pass(60 * MINUTE);
        renewing.run(scene.stage.world.now()).await;
        scene.stage.work().await;
        assert!(scene.ada.watched_until().is_some(), "the watch lapsed");
    }
}
