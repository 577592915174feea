//! A worker dies, or two work at once: each firing is decided once, and republished with the same
//! bytes.

use std::time::Duration;

use email_connectors::domain::event::DetailType;
use email_connectors::flows::process::Outcome;
use tests::world::{Call, Failure, When};

use tests::stage::{MINUTE, PROCESSOR_TIMEOUT, Scene, listed, subjects};

/// One mail was delivered, and its worker crashed at this call.
async fn crashed(call: Call, when: When) -> Scene {
    let scene = Scene::new().await;
    scene.deliver(&["One"]);
    scene.stage.world.crash(call, when, 1);
    let push = scene.push();
    assert!(
        scene.stage.world.until_crash(scene.stage.wake(&push)).await.is_none(),
        "{call} is reached"
    );
    scene
}

#[tokio::test]
async fn a_crash_before_the_commit_decides_nothing_and_the_wake_up_comes_again() {
    for call in [Call::History, Call::Messages, Call::Decided] {
        let scene = crashed(call, When::After).await;
        assert!(scene.stage.decided().is_empty());
        assert_eq!(scene.stage.wake(&scene.push()).await.unwrap(), [listed(1, 1)]);
        assert_eq!(subjects(&scene.stage.fired()), ["One"]);
    }
}

#[tokio::test]
async fn a_crash_after_the_commit_is_made_good_by_the_next_wake_up_even_a_stale_one() {
    let scene = crashed(Call::Commit, When::After).await;
    let decided = scene.stage.decided();
    assert_eq!(decided.len(), 1);
    assert_eq!(scene.cursor(), scene.ada.history_id());

    // An outbox younger than the processor's timeout may be another worker's, still in progress.
    scene.stage.world.pass(PROCESSOR_TIMEOUT - Duration::from_secs(1));
    assert_eq!(scene.stage.wake(&scene.push()).await.unwrap(), [Outcome::Stale]);
    assert_eq!(scene.stage.fired(), []);

    scene.stage.world.pass(Duration::from_secs(1));
    scene.stage.forget_calls();
    assert_eq!(scene.stage.wake(&scene.push()).await.unwrap(), [Outcome::Stale]);
    // The commit claims the publication: a second worker does not publish these.
    let calls = [
        "store.mailbox ada@example.com",
        "store.unpublished 1",
        "store.commit 0 events",
        "bus.publish 1",
        "store.mark_published 1",
    ];
    assert_eq!(scene.stage.calls(), calls);
    assert_eq!(scene.stage.fired(), decided, "the very bytes that were decided");
    assert!(scene.connector().outbox.unpublished.is_empty());
}

#[tokio::test]
async fn a_crash_between_publication_and_mark_repeats_the_same_bytes() {
    for (call, when) in [(Call::Publish, When::After), (Call::MarkPublished, When::Before)] {
        let scene = crashed(call, when).await;
        let [first] = scene.stage.fired().try_into().expect("it was published");
        scene.stage.world.pass(PROCESSOR_TIMEOUT);
        scene.stage.wake(&scene.push()).await.unwrap();
        assert_eq!(scene.stage.fired(), [first.clone(), first], "the same id, the same bytes");
        scene.stage.wake(&scene.push()).await.unwrap();
        assert_eq!(scene.stage.fired().len(), 2, "and then no more");
    }
}

#[tokio::test]
async fn a_crash_after_the_mark_owes_nothing() {
    let scene = crashed(Call::MarkPublished, When::After).await;
    scene.stage.world.pass(PROCESSOR_TIMEOUT);
    assert_eq!(scene.stage.wake(&scene.push()).await.unwrap(), [Outcome::Stale]);
    assert_eq!(scene.stage.fired().len(), 1);
}

#[tokio::test]
async fn a_commit_that_is_answered_with_an_error_and_landed_is_not_decided_again() {
    let scene = Scene::new().await;
    scene.deliver(&["One"]);
    scene.stage.world.fail(Call::Commit, When::After, 1);
    assert!(scene.stage.wake(&scene.push()).await.is_err());
    scene.stage.world.pass(PROCESSOR_TIMEOUT);
    assert_eq!(scene.stage.wake(&scene.push()).await.unwrap(), [Outcome::Stale]);
    assert_eq!(scene.stage.fired(), scene.stage.decided());
    assert_eq!(scene.stage.fired().len(), 1);
}

#[tokio::test]
async fn what_the_bus_refused_is_published_later_with_the_same_bytes() {
    let scene = Scene::new().await;
    scene.deliver(&["One", "Two", "Three"]);
    scene.stage.world.bus().take_only(1);
    assert_eq!(
        scene.stage.wake(&scene.push()).await.unwrap(),
        [listed(3, 3)],
        "the mail is decided; the bus is nobody's mail"
    );
    assert_eq!(subjects(&scene.stage.fired()), ["One"]);
    assert_eq!(scene.connector().outbox.unpublished.len(), 2, "what the bus took is marked");

    scene.stage.world.pass(PROCESSOR_TIMEOUT);
    scene.stage.wake(&scene.push()).await.unwrap();
    let mut published = scene.stage.fired();
    published.sort_by(|one, other| one.event_id.cmp(&other.event_id));
    assert_eq!(published, scene.stage.decided(), "each once, in the bytes that were decided");
}

#[tokio::test]
async fn a_bus_that_is_down_delays_neither_cursor_nor_outbox() {
    let scene = Scene::new().await;
    scene.deliver(&["One"]);
    for nth in 1..=3 {
        scene.stage.world.fail(Call::Publish, When::Before, nth);
    }
    assert_eq!(scene.stage.wake(&scene.push()).await.unwrap(), [listed(1, 1)]);
    scene.stage.world.pass(PROCESSOR_TIMEOUT);
    scene.deliver(&["Two"]);
    assert_eq!(scene.stage.wake(&scene.push()).await.unwrap(), [listed(1, 1)]);
    assert_eq!(scene.cursor(), scene.ada.history_id(), "new mail is decided all the same");
    assert_eq!(scene.connector().outbox.unpublished.len(), 2, "what is owed is not forgotten");

    scene.stage.world.pass(MINUTE);
    assert_eq!(scene.stage.sweep().await.woken, 1, "the renewer finds it without a push");
    scene.stage.work().await;
    let mut published = subjects(&scene.stage.fired());
    published.sort();
    assert_eq!(published, ["One", "Two"]);
}

#[tokio::test]
async fn what_is_owed_is_published_though_the_user_must_connect_again() {
    let scene = crashed(Call::Commit, When::After).await;
    scene.ada.revoke_grant();
    scene.deliver(&["Unseen"]);
    scene.stage.wake(&scene.push()).await.unwrap();
    scene.stage.world.pass(PROCESSOR_TIMEOUT);
    assert_eq!(scene.stage.wake(&scene.push()).await.unwrap(), [Outcome::NotActive]);
    assert_eq!(subjects(&scene.stage.fired()), ["One"]);
    assert_eq!(scene.stage.notices(DetailType::ConnectorNeedsReauth).len(), 1);
}

#[tokio::test]
async fn a_forgotten_firing_is_woken_and_published() {
    let scene = crashed(Call::Commit, When::After).await;
    scene.stage.world.pass(2 * PROCESSOR_TIMEOUT);
    let swept = scene.stage.sweep().await;
    assert_eq!((swept.woken, swept.failures.len()), (1, 0));
    assert_eq!(scene.stage.fired(), [], "the renewer publishes nothing itself");
    scene.stage.work().await;
    assert_eq!(subjects(&scene.stage.fired()), ["One"]);
    assert_eq!(scene.stage.sweep().await.woken, 0, "nothing is forgotten any more");
}

/// The first worker waits at this call while a second one handles the same push to its end.
async fn overtaken(scene: &Scene, call: Call, when: When) -> [Vec<Outcome>; 2] {
    let push = scene.push();
    let gate = scene.stage.world.hold(call, when, 1);
    let (first, second) = tokio::join!(scene.stage.wake(&push), async {
        let outcomes = scene.stage.wake(&push).await;
        gate.open();
        outcomes
    });
    [first.unwrap(), second.unwrap()]
}

#[tokio::test]
async fn two_workers_decide_each_firing_once() {
    for (call, when) in [
        (Call::Mailbox, When::After),
        (Call::History, When::After),
        (Call::Decided, When::After),
        (Call::Commit, When::Before),
    ] {
        let scene = Scene::new().await;
        scene.deliver(&["One", "Two"]);
        let [first, second] = overtaken(&scene, call, when).await;
        assert_eq!(
            (first, second),
            (vec![Outcome::Stale], vec![listed(2, 2)]),
            "{call}: the first is refused, and reads again"
        );
        assert_eq!(subjects(&scene.stage.fired()), ["One", "Two"], "{call}");
        assert_eq!(scene.stage.decided().len(), 2, "{call}");
        assert_eq!(scene.cursor(), scene.ada.history_id(), "{call}");
    }
}

#[tokio::test]
async fn a_second_worker_leaves_alone_what_the_first_is_publishing() {
    let scene = Scene::new().await;
    scene.deliver(&["One"]);
    let [first, second] = overtaken(&scene, Call::Publish, When::Before).await;
    assert_eq!((first, second), (vec![listed(1, 1)], vec![Outcome::Stale]));
    assert_eq!(subjects(&scene.stage.fired()), ["One"], "without a fault there is no repeat");
}

#[tokio::test]
async fn a_worker_that_always_comes_second_hands_the_wake_up_back() {
    let scene = Scene::new().await;
    scene.deliver(&["One"]);
    for nth in 1..=3 {
        scene.stage.world.fail_with(Call::Commit, When::Before, nth, Failure::Conflict);
    }
    assert!(scene.stage.wake(&scene.push()).await.is_err());
    assert_eq!(scene.stage.wake(&scene.push()).await.unwrap(), [listed(1, 1)]);
}

#[tokio::test]
async fn a_bus_that_is_down_stops_no_listing_halfway() {
    let scene = Scene::new().await;
    let subjects: Vec<String> = (0..250).map(|number| format!("mail {number}")).collect();
    scene.deliver(&subjects.iter().map(String::as_str).collect::<Vec<_>>());
    scene.stage.world.fail(Call::Publish, When::Before, 1);
    assert_eq!(scene.stage.wake(&scene.push()).await.unwrap(), [listed(250, 250)]);
    assert_eq!(scene.cursor(), scene.ada.history_id());
    let left = scene.connector().outbox.unpublished.len();
    assert_eq!(
        scene.stage.fired().len() + left,
        250,
        "each is decided, and published or known to be owed"
    );
    scene.stage.world.pass(PROCESSOR_TIMEOUT);
    scene.stage.wake(&scene.push()).await.unwrap();
    assert_eq!(scene.stage.fired().len(), 250);
}
