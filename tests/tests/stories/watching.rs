//! Watches: proven by a push, then trusted while silent; lapsed, taken over by another topic, and
//! renewed in time.

use std::time::Duration;

use email_connectors::domain::event::DetailType;
use email_connectors::domain::id::ConnectorId;
use email_connectors::domain::timestamp::Timestamp;
use email_connectors::domain::wake_up::WakeUp;
use email_connectors::domain::watch::{Watch, WatchFailure};
use email_connectors::flows::process::Outcome;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::json;
use tests::stage::{DAY, MINUTE, QUIET_AFTER, RENEWAL, Scene, Stage, subjects};
use tests::world::{Call, Consent, WATCH_LIFE, When};

#[tokio::test]
async fn only_a_push_that_was_published_since_the_renewal_proves_a_watch() {
    let scene = Scene::new().await;
    let renewed_at = scene.connector().watch.renewed_at.expect("it is watched");
    let push = |message: Option<&str>, published_at| {
        WakeUp::push(
            scene.ada.address(),
            scene.ada.history_id(),
            message.map(String::from),
            published_at,
        )
    };
    let (early, late) = (renewed_at.before(Duration::from_secs(11)), renewed_at.after(MINUTE));
    for (case, push, proves) in [
        ("published before the renewal, by more than clocks differ", push(Some("1"), early), false),
        ("legacy, which anybody's old channel may send", push(None, late), false),
        ("published since", push(Some("2"), late), true),
    ] {
        assert_eq!(scene.stage.wake(&push).await.unwrap(), [Outcome::Stale], "{case}");
        assert_eq!(scene.connector().is_verified(), proves, "{case}");
    }
    assert_eq!(scene.connector().reading.verified_at, Some(late));

    scene.stage.world.pass(RENEWAL);
    assert_eq!(scene.stage.sweep().await.renewed, 1);
    assert!(!scene.connector().is_verified(), "a new watch is proven anew");
}

/// How often the mailbox is read in this time, and the longest time between two reads.
async fn looks(scene: &Scene, span: Duration) -> (usize, Duration) {
    let (mut looks, mut silence, mut longest) = (0, Duration::ZERO, Duration::ZERO);
    for _ in 0..span.as_secs() / 60 {
        scene.stage.world.pass(MINUTE);
        silence += MINUTE;
        let swept = scene.stage.sweep().await;
        scene.stage.work().await;
        if swept.silent > 0 {
            looks += 1;
            longest = longest.max(std::mem::take(&mut silence));
        }
    }
    (looks, longest)
}

#[tokio::test]
async fn a_proven_watch_is_trusted_with_silence_and_another_is_not() {
    let scene = Scene::new().await;
    let (often, longest) = looks(&scene, DAY - 10 * MINUTE).await;
    assert!(
        often > 120 && longest <= QUIET_AFTER + MINUTE,
        "unproven: {often} looks, at most {longest:?} apart"
    );

    let scene = Scene::new().await;
    scene.stage.wake(&scene.push()).await.unwrap();
    let (seldom, longest) = looks(&scene, DAY - 10 * MINUTE).await;
    assert!(
        seldom < 20 && longest > 2 * 60 * MINUTE,
        "proven: {seldom} looks, at most {longest:?} apart"
    );
}

#[tokio::test]
async fn an_active_mailbox_is_read_after_ten_minutes_of_silence() {
    let scene = Scene::new().await;
    scene.stage.world.pass(12 * 60 * MINUTE);
    scene.deliver(&["One"]);
    scene.stage.wake(&scene.push()).await.unwrap();
    scene.stage.world.pass(QUIET_AFTER);
    scene.stage.sweep().await;
    scene.stage.work().await;
    scene.deliver(&["Its push was lost"]);
    scene.stage.world.pass(QUIET_AFTER);
    assert_eq!(scene.stage.sweep().await.woken, 1);
    scene.stage.work().await;
    assert_eq!(subjects(&scene.stage.fired()), ["One", "Its push was lost"]);
}

#[tokio::test]
async fn a_watch_that_lapses_is_reported_once_and_a_new_one_may_lapse_again() {
    let scene = Scene::new().await;
    for lapse in 1..=2 {
        let ended = scene.connector().watch.expiration.expect("it is watched");
        for nth in 1..=200 {
            scene.stage.world.fail(Call::Watch, When::Before, nth);
        }
        scene.stage.world.pass(WATCH_LIFE);
        for _ in 0..30 {
            scene.stage.world.pass(MINUTE);
            scene.stage.sweep().await;
            scene.stage.work().await;
        }
        let notices = scene.stage.notices(DetailType::WatchLapsed);
        assert_eq!(notices.len(), lapse);
        assert_eq!(notices[lapse - 1]["lapsed_at"], json!(ended));
        scene.stage.world.forget_scripts();
        scene.stage.world.pass(10 * MINUTE);
        assert_eq!(scene.stage.sweep().await.renewed, 1);
    }
}

#[tokio::test]
async fn a_watch_of_another_topic_is_stopped_first() {
    let scene = Scene::new().await;
    scene.ada.watch_is_taken();
    scene.stage.world.pass(RENEWAL);
    scene.stage.forget_calls();
    assert_eq!(scene.stage.sweep().await.renewed, 1);
    assert_eq!(
        scene.stage.calls_of(&["gmail.watch", "gmail.stop"]),
        ["gmail.watch", "gmail.stop", "gmail.watch"]
    );

    let stage = Stage::new();
    let bob = stage.world.account("bob@example.com");
    bob.watch_is_taken();
    let connected = stage.connect_with("owner", &bob, Consent::default()).await.unwrap();
    assert!(
        connected.watch.expiration.is_some() && bob.watched_until().is_some(),
        "as in a connect"
    );
}

#[tokio::test]
async fn a_renamed_mailbox_is_found_by_the_renewer() {
    let scene = Scene::new().await;
    scene.ada.rename("countess@example.com");
    scene.deliver(&["Under the new name"]);
    scene.stage.world.pass(QUIET_AFTER);
    assert_eq!(scene.stage.sweep().await.renamed, 1);
    assert_eq!(scene.connector().email_address, scene.ada.address());
    scene.stage.wake(&scene.push()).await.unwrap();
    assert_eq!(subjects(&scene.stage.fired()), ["Under the new name"]);
}

async fn connected(number: usize) -> Stage {
    let stage = Stage::new();
    for number in 0..number {
        let account = stage.world.account(&format!("user{number}@example.com"));
        stage.connect_with(&format!("owner-{number}"), &account, Consent::default()).await.unwrap();
    }
    stage.work().await;
    stage
}

#[tokio::test]
async fn more_than_a_page_of_due_rows_is_swept_in_one_run() {
    let stage = connected(1000).await;
    stage.world.pass(RENEWAL);
    assert_eq!(stage.sweep().await.renewed, 1000);
    assert_eq!(stage.sweep().await.renewed, 0);
}

#[tokio::test]
async fn a_renewer_that_runs_out_of_time_is_resumed_by_the_next() {
    let stage = connected(60).await;
    stage.world.pass(RENEWAL);
    stage.world.set_tick(Duration::from_secs(1));
    let mut renewed = Vec::new();
    while renewed.iter().sum::<usize>() < 60 {
        let began = stage.world.now();
        let swept = stage.sweep().await;
        assert!(
            swept.renewed + swept.silent > 0 && swept.failures.is_empty(),
            "{swept:?} after {renewed:?}"
        );
        let took = stage.world.now().seconds() - began.seconds();
        assert!(took < 180, "nothing new is begun after its time: {took} s");
        renewed.push(swept.renewed);
    }
    assert!(renewed.len() > 1, "{renewed:?}");
}

/// Whatever the watch's expiration and the number of failures, the next try comes soon enough, and
/// not at once.
#[test]
fn the_next_try_is_never_past_the_end_of_a_watch_that_lives_nor_too_far() {
    let config = Config { cases: 10_000, failure_persistence: None, ..Config::default() };
    let (now, five_minutes) = (Timestamp::from_seconds(1_900_000_000), 5 * 60_000_i64);
    let watches =
        (0_u32..40, 0_i64..8 * 86_400_000, 0_i64..8 * 86_400_000, any::<u32>(), any::<bool>());
    let holds = |(times, ago, left, id, ended): (u32, i64, i64, u32, bool)| {
        let at = |millis: i64| Timestamp::from_millis(now.millis() + millis);
        let ends = at(if ended { -left } else { left });
        let failure = |times| Some(WatchFailure { at: now, reason: "503".into(), times });
        let watch = Watch { failure: failure(times), ..Watch::default().renewed(ends, at(-ago)) };
        let of = ConnectorId::new(format!("con_{id}"));
        let (planned, next) =
            (watch.planned_renewal(&of).millis(), watch.next_renewal(&of).millis());
        // A failed watch of a connect is not retried before the planned renewal.
        let waits = next - planned.max(now.millis());
        prop_assert!(
            next >= planned && next >= now.millis() + five_minutes,
            "not at once: {watch:?}"
        );
        prop_assert!(waits <= 6 * 3_600_000, "six hours at most: {watch:?}");
        if !ended && left > 2 * five_minutes && planned <= now.millis() {
            prop_assert!(next <= now.millis() + left / 2, "again before it ends: {watch:?}");
        }
        let later =
            Watch { failure: failure(times + 1), ..watch.clone() }.next_renewal(&of).millis();
        prop_assert!(later >= next, "never sooner after one more failure: {watch:?}");
        Ok(())
    };
    TestRunner::new(config).run(&watches, holds).unwrap();
}
