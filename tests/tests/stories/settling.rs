//! History records may show late: listings begin at the settled history id, and handled messages
//! are not fetched again.

use std::time::Duration;

use email_connectors::domain::wake_up::Kind;
use email_connectors::flows::process::Outcome;
use tests::stage::{MINUTE, SETTLE, Scene, listed, subjects};
use tests::world::{Call, Mail, When};

#[tokio::test]
async fn what_was_handled_costs_no_second_fetch() {
    let scene = Scene::new().await;
    scene.deliver(&["One"]);
    scene.stage.wake(&scene.push()).await.unwrap();
    scene.deliver(&["Two"]);
    scene.stage.forget_calls();
    assert_eq!(scene.stage.wake(&scene.push()).await.unwrap(), [listed(1, 1)]);
    assert_eq!(
        scene.stage.calls_of(&["gmail"]),
        ["gmail.history after 1000", "gmail.messages m2"],
        "one step back, and only the new one"
    );
    assert_eq!(scene.stage.wake(&scene.own(Kind::Due)).await.unwrap(), [listed(0, 0)]);
    assert_eq!(scene.stage.calls_of(&["gmail"]), ["gmail.history after 1000"]);
}

#[tokio::test]
async fn a_cursor_settles_after_ten_minutes_and_then_nothing_is_owed() {
    let scene = Scene::new().await;
    scene.deliver(&["One"]);
    scene.stage.wake(&scene.push()).await.unwrap();
    let cursor = scene.cursor();
    assert_ne!(scene.connector().reading.position.settled, cursor);
    scene.stage.world.pass(SETTLE);
    assert_eq!(scene.stage.sweep().await.woken, 1);
    assert_eq!(scene.stage.work().await, [listed(0, 0)]);
    let position = scene.connector().reading.position;
    assert_eq!(
        (position.settled, position.handled.len(), position.look_at(SETTLE)),
        (cursor, 0, None)
    );
    scene.stage.forget_calls();
    scene.stage.wake(&scene.own(Kind::Due)).await.unwrap();
    assert_eq!(scene.stage.calls_of(&["gmail"]), [format!("gmail.history after {cursor}")]);
}

#[tokio::test]
async fn mail_whose_record_shows_after_its_successors_is_found() {
    let scene = Scene::new().await;
    scene.ada.deliver(Mail::new("Late").late(MINUTE));
    scene.deliver(&["In time"]);
    assert_eq!(scene.stage.wake(&scene.push()).await.unwrap(), [listed(1, 1)]);
    assert_eq!(scene.cursor(), scene.ada.history_id(), "the cursor is past the late one");
    scene.stage.world.pass(SETTLE);
    scene.stage.sweep().await;
    assert_eq!(scene.stage.work().await, [listed(1, 1)]);
    assert_eq!(subjects(&scene.stage.fired()), ["In time", "Late"]);
}

#[tokio::test]
async fn mail_that_is_listed_before_it_can_be_fetched_is_looked_at_again() {
    let scene = Scene::new().await;
    let soon = MINUTE / 3;
    scene.ada.deliver(Mail::new("Not there yet").fetched_late(soon));
    assert_eq!(scene.stage.wake(&scene.push()).await.unwrap(), [listed(0, 0)]);
    assert_eq!(scene.stage.sweep().await.woken, 0, "not at once");
    scene.stage.world.pass(soon);
    assert_eq!(scene.stage.sweep().await.woken, 1);
    assert_eq!(scene.stage.work().await, [listed(1, 1)]);
    scene.stage.world.pass(soon);
    assert_eq!(scene.stage.sweep().await.woken, 0, "and nothing more is looked for");
}

#[tokio::test]
async fn mail_that_is_there_only_after_the_soon_looks_is_found_when_its_record_settles() {
    let scene = Scene::new().await;
    scene.ada.deliver(Mail::new("Not there for long").fetched_late(SETTLE / 2));
    scene.stage.wake(&scene.push()).await.unwrap();
    assert_eq!(looks_within(&scene, 2 * SETTLE).await, 3 + 1);
    assert_eq!(subjects(&scene.stage.fired()), ["Not there for long"]);
}

#[tokio::test]
async fn mail_that_was_deleted_for_good_is_looked_for_a_few_times() {
    let scene = Scene::new().await;
    let gone = scene.ada.deliver(Mail::new("Deleted at once"));
    scene.ada.delete(&gone.message);
    scene.stage.wake(&scene.push()).await.unwrap();
    assert_eq!(
        looks_within(&scene, 3 * SETTLE).await,
        3 + 1,
        "three soon, and the one that settles"
    );
    assert_eq!(scene.connector().reading.position.look_at(SETTLE), None);
}

#[tokio::test]
async fn mail_that_cannot_be_fetched_yet_is_remembered_by_a_listing_of_several_runs() {
    let mut scene = Scene::new().await;
    scene.ada.page_size(1);
    scene.ada.deliver(Mail::new("Not there yet").fetched_late(MINUTE / 3));
    scene.deliver(&["On the next page"]);
    // The time is over after the first page.
    let limits = scene.stage.limits;
    scene.stage.limits.processor_timeout = Duration::ZERO;
    let push = scene.push();
    assert!(matches!(scene.stage.wake(&push).await.unwrap()[..], [Outcome::Interrupted { .. }]));
    scene.stage.limits = limits;
    assert_eq!(scene.stage.work().await, [listed(1, 1)]);
    scene.stage.world.pass(MINUTE / 3);
    assert_eq!(scene.stage.sweep().await.woken, 1);
    assert_eq!(scene.stage.work().await, [listed(1, 1)]);
}

/// How often the mailbox is listed in this time, with a sweep every twenty seconds.
async fn looks_within(scene: &Scene, time: Duration) -> usize {
    scene.stage.forget_calls();
    for _ in 0..time.as_secs() / 20 {
        scene.stage.world.pass(MINUTE / 3);
        scene.stage.sweep().await;
        scene.stage.work().await;
    }
    scene.stage.calls_of(&["gmail.history"]).len()
}

#[tokio::test]
async fn a_listing_that_is_behind_its_push_is_repeated_soon() {
    let scene = Scene::new().await;
    scene.deliver(&["One"]);
    scene.ada.lag(1);
    assert_eq!(scene.stage.wake(&scene.push()).await.unwrap(), [listed(0, 0)]);
    scene.ada.lag(0);
    assert_eq!(scene.stage.sweep().await.woken, 0, "not at once");
    scene.stage.world.pass(MINUTE / 3);
    assert_eq!(scene.stage.sweep().await.woken, 1);
    assert_eq!(scene.stage.work().await, [listed(1, 1)]);
}

#[tokio::test]
async fn page_tokens_that_are_lost_mean_listing_from_the_start() {
    let scene = Scene::new().await;
    scene.ada.page_size(2);
    scene.deliver(&["One", "Two", "Three", "Four", "Five"]);
    let ada = scene.ada.clone();
    scene.stage.world.meanwhile(Call::History, When::After, 2, move |_| ada.lose_page_tokens());
    assert_eq!(scene.stage.wake(&scene.push()).await.unwrap(), [listed(5, 5)]);
    assert_eq!(subjects(&scene.stage.fired()), ["One", "Two", "Three", "Four", "Five"]);
    assert_eq!(scene.cursor(), scene.ada.history_id());
    assert_eq!(
        scene.stage.calls_of(&["gmail.messages"]),
        ["gmail.messages m1 m2", "gmail.messages m3 m4", "gmail.messages m5"]
    );
}

#[tokio::test]
async fn the_look_that_settles_is_proof_against_a_listing_that_began_too_early() {
    let scene = Scene::new().await;
    scene.deliver(&["One"]);
    scene.stage.wake(&scene.push()).await.unwrap();
    let before = scene.connector().reading.position.settled;
    scene.stage.world.pass(SETTLE - MINUTE);
    // The listing begins a minute before the settling time is over, and ends after it.
    scene.stage.world.meanwhile(Call::History, When::After, 1, |world| world.pass(2 * MINUTE));
    scene.stage.wake(&scene.own(Kind::Due)).await.unwrap();
    assert_eq!(
        scene.connector().reading.position.settled,
        before,
        "it is measured from the listing's start"
    );
}
