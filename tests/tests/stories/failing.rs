//! Failures: a message fails, Gmail is down, or Gmail answers Retry-After. Nothing is lost, and no
//! other mailbox waits.

use std::time::Duration;

use email_connectors::domain::circuit::{Circuit, CircuitState, FAILURES_TO_OPEN};
use email_connectors::domain::event::DetailType;
use email_connectors::domain::wake_up::Kind;
use email_connectors::flows::process::Outcome;
use email_connectors::flows::subscribe;
use serde_json::json;
use tests::stage::{COOLDOWN, MINUTE, SETTLE, Scene, listed, owner, subjects};
use tests::world::{ACCESS_TOKEN_LIFE, Call, Failure, Mail, Poison, When};

/// Sweeps and works every ten minutes for this many hours.
async fn for_hours(scene: &Scene, hours: u32) {
    for _ in 0..6 * hours {
        scene.stage.world.pass(10 * MINUTE);
        scene.stage.sweep().await;
        scene.stage.work().await;
    }
}

#[tokio::test]
async fn a_message_that_fails_while_others_succeed_is_parked_reported_and_retried() {
    let scene = Scene::new().await;
    let poison = scene.ada.deliver(Mail::new("Poison")).message;
    scene.ada.poison(&poison, Poison::Fails);
    let before = scene.cursor();
    for number in 1..=3 {
        assert_eq!(scene.cursor(), before, "what failed is not handled");
        scene.deliver(&[&format!("Good {number}")]);
        scene.stage.wake(&scene.push()).await.unwrap();
        scene.stage.world.pass(MINUTE);
    }
    assert_eq!(
        subjects(&scene.stage.fired()),
        ["Good 1", "Good 2", "Good 3"],
        "no other message waits for it"
    );
    let [notice] = scene.stage.notices(DetailType::MessageParked).try_into().expect("one notice");
    assert_eq!(
        (&notice["message"]["id"], &notice["reason"]),
        (&json!(poison), &json!("500 backendError"))
    );
    assert_eq!(scene.cursor(), scene.ada.history_id(), "once parked, it delays nothing");

    for_hours(&scene, 2).await;
    assert_eq!(scene.stage.notices(DetailType::MessageParked).len(), 1, "failing again is no news");
    scene.ada.heal(&poison);
    for_hours(&scene, 4).await;
    assert_eq!(subjects(&scene.stage.fired()[3..]), ["Poison"]);
    assert!(scene.connector().reading.position.parked.is_empty());
}

#[tokio::test]
async fn a_parked_message_is_retried_at_once_on_a_sync() {
    let scene = Scene::new().await;
    let poison = scene.ada.deliver(Mail::new("Poison")).message;
    scene.ada.poison(&poison, Poison::Fails);
    for number in 1..=3 {
        scene.deliver(&[&format!("Good {number}")]);
        scene.stage.wake(&scene.push()).await.unwrap();
    }
    scene.ada.heal(&poison);
    assert_eq!(
        scene.stage.wake(&scene.own(Kind::Due)).await.unwrap(),
        [listed(0, 0)],
        "its time has not come"
    );
    assert_eq!(scene.stage.wake(&scene.own(Kind::Sync)).await.unwrap(), [listed(1, 1)]);
}

#[tokio::test]
async fn a_message_that_fails_alone_is_set_aside_after_a_day() {
    let scene = Scene::new().await;
    let poison = scene.ada.deliver(Mail::new("Poison")).message;
    scene.ada.poison(&poison, Poison::Fails);
    let before = scene.cursor();
    scene.stage.wake(&scene.push()).await.unwrap();
    for_hours(&scene, 23).await;
    assert_eq!((scene.cursor(), scene.stage.notices(DetailType::MessageParked).len()), (before, 0));
    for_hours(&scene, 2).await;
    assert_eq!(scene.stage.notices(DetailType::MessageParked).len(), 1);
    assert_eq!(scene.cursor(), scene.ada.history_id());
}

#[tokio::test]
async fn an_outage_sets_nothing_aside_and_all_fires_after_it() {
    let scene = Scene::new().await;
    scene.deliver(&["One", "Two", "Three"]);
    for nth in 1..=1000 {
        scene.stage.world.fail(Call::Messages, When::Before, nth);
    }
    for_hours(&scene, 30).await;
    scene.stage.world.forget_scripts();
    assert_eq!(scene.stage.notices(DetailType::MessageParked).len(), 0);
    for_hours(&scene, 1).await;
    assert_eq!(subjects(&scene.stage.fired()), ["One", "Two", "Three"]);
    assert!(scene.connector().reading.position.failing.is_empty());
}

#[tokio::test]
async fn of_a_batch_that_is_throttled_halfway_the_good_half_fires() {
    let scene = Scene::new().await;
    let throttled = scene.ada.deliver(Mail::new("Throttled")).message;
    scene.deliver(&["One", "Two"]);
    scene.ada.poison(&throttled, Poison::Throttled);
    let before = scene.cursor();
    assert_eq!(scene.stage.wake(&scene.push()).await.unwrap(), [Outcome::PutOff]);
    assert_eq!(
        (subjects(&scene.stage.fired()), scene.cursor()),
        (vec!["One".to_string(), "Two".to_string()], before)
    );
    assert!(
        scene.connector().reading.position.failing.is_empty(),
        "it is the line's trouble, not the message's"
    );
    scene.ada.heal(&throttled);
    scene.stage.world.pass(MINUTE);
    scene.stage.forget_calls();
    scene.stage.sweep().await;
    assert_eq!(scene.stage.work().await, [listed(1, 1)]);
    assert_eq!(
        scene.stage.calls_of(&["gmail.messages"]),
        ["gmail.messages m1"],
        "the good half is not fetched again"
    );
}

#[tokio::test]
async fn after_five_failures_in_a_row_gmail_is_left_alone_and_one_try_decides() {
    let scene = Scene::new().await;
    scene.deliver(&["One"]);
    for nth in 1..=FAILURES_TO_OPEN + 1 {
        scene.stage.world.fail(Call::History, When::Before, nth);
    }
    let state = || scene.connector().reading.circuit.state(scene.stage.world.now());
    for _ in 0..FAILURES_TO_OPEN {
        assert_eq!(state(), CircuitState::Closed);
        assert_eq!(scene.stage.wake(&scene.push()).await.unwrap(), [Outcome::PutOff]);
    }
    let rests = async || {
        assert_eq!(state(), CircuitState::Open);
        scene.stage.forget_calls();
        assert_eq!(scene.stage.wake(&scene.push()).await.unwrap(), [Outcome::PutOff]);
        assert_eq!(
            scene.stage.calls(),
            ["store.mailbox ada@example.com"],
            "a push costs one read while it rests"
        );
        assert_eq!(scene.stage.sweep().await.woken, 0);
        scene.stage.world.pass(COOLDOWN);
        assert_eq!(state(), CircuitState::HalfOpen);
    };
    rests().await;
    assert_eq!(scene.stage.sweep().await.woken, 1, "it is tried without a push");
    assert_eq!(scene.stage.work().await, [Outcome::PutOff], "the one try fails");
    rests().await;
    assert_eq!(scene.stage.wake(&scene.push()).await.unwrap(), [listed(1, 1)]);
    assert_eq!(
        (scene.connector().reading.circuit, scene.connector().reading.last_error),
        (Circuit::default(), None)
    );
}

#[tokio::test]
async fn gmail_is_not_called_before_its_retry_after() {
    let scene = Scene::new().await;
    scene.deliver(&["One"]);
    scene.stage.world.fail_with(Call::History, When::Before, 1, Failure::RateLimited(5 * MINUTE));
    assert_eq!(scene.stage.wake(&scene.push()).await.unwrap(), [Outcome::PutOff]);
    let then = scene.stage.world.now().after(5 * MINUTE);
    assert_eq!(scene.stage.world.store().next_sweep(&scene.connector().location()), Some(then));
    for _ in 0..4 {
        scene.stage.world.pass(MINUTE);
        scene.stage.forget_calls();
        scene.stage.sweep().await;
        assert_eq!(scene.stage.wake(&scene.push()).await.unwrap(), [Outcome::PutOff]);
        assert!(scene.stage.calls_of(&["gmail", "queue"]).is_empty());
    }
    scene.stage.world.pass(MINUTE);
    assert_eq!(scene.stage.sweep().await.woken, 1);
    assert_eq!(scene.stage.work().await, [listed(1, 1)]);
}

#[tokio::test]
async fn keys_that_are_away_put_a_mailbox_off_and_open_no_circuit() {
    let scene = Scene::new().await;
    scene.deliver(&["One"]);
    scene.stage.world.pass(ACCESS_TOKEN_LIFE);
    for nth in 1..=2 * FAILURES_TO_OPEN {
        scene.stage.world.fail(Call::OpenRefreshToken, When::Before, nth);
    }
    for _ in 0..2 * FAILURES_TO_OPEN {
        assert_eq!(scene.stage.wake(&scene.push()).await.unwrap(), [Outcome::PutOff]);
    }
    assert_eq!(scene.connector().reading.circuit, Circuit::default());
    scene.stage.world.pass(SETTLE + Duration::from_secs(1));
    scene.stage.sweep().await;
    assert_eq!(scene.stage.work().await, [listed(1, 1)]);
}

#[tokio::test]
async fn what_was_set_aside_knocks_at_no_mailbox_without_triggers() {
    let scene = Scene::new().await;
    let poison = scene.ada.deliver(Mail::new("Poison")).message;
    scene.ada.poison(&poison, Poison::Fails);
    for number in 1..=3 {
        scene.deliver(&[&format!("Good {number}")]);
        scene.stage.wake(&scene.push()).await.unwrap();
    }
    subscribe::remove(&scene.stage.world.store(), &owner("owner"), &scene.trigger.id)
        .await
        .unwrap();
    for_hours(&scene, 1).await;
    scene.stage.forget_calls();
    for_hours(&scene, 10).await;
    let listings = scene.stage.calls_of(&["gmail.history"]).len();
    assert!(listings < 10, "{listings} listings in ten hours of silence");
}

#[tokio::test]
async fn units_that_were_spent_in_vain_are_counted_too() {
    let scene = Scene::new().await;
    scene.deliver(&["One", "Two", "Three"]);
    scene.stage.world.take_units();
    scene.stage.world.fail(Call::Messages, When::Before, 1);
    assert_eq!(scene.stage.wake(&scene.push()).await.unwrap(), [Outcome::PutOff]);
    assert_eq!(
        u64::from(scene.connector().reading.spent.within(scene.stage.world.now())),
        scene.stage.world.take_units()
    );
}
