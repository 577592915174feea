//! A busy mailbox: new mail is read from the cursor first, then the history is listed from the
//! settled history id.

use email_connectors::domain::wake_up::Kind;
use email_connectors::flows::process::Outcome;
use tests::stage::{MINUTE, Scene, listed, subjects};
use tests::world::{Call, Mail, Poison, When};

/// More than a page was handled since the settled history id.
async fn busy() -> Scene {
    let mut scene = Scene::new().await;
    scene.stage.limits.history_page = 2;
    scene.ada.page_size(2);
    scene.deliver(&["One", "Two", "Three"]);
    assert_eq!(scene.stage.wake(&scene.push()).await.unwrap(), [listed(3, 3)]);
    scene.stage.forget_calls();
    scene.stage.world.take_units();
    scene
}

#[tokio::test]
async fn a_push_is_answered_before_the_listing_ends_and_the_cursor_waits_for_that() {
    let scene = busy().await;
    let (before, settled) = (scene.cursor(), scene.connector().reading.position.settled);
    scene.deliver(&["Four"]);
    let after = scene.ada.history_id();
    assert_eq!(scene.stage.wake(&scene.push()).await.unwrap(), [listed(1, 1)]);
    let calls = [
        format!("gmail.history after {before}"),
        "gmail.messages m4".into(),
        "store.commit 1 events".into(),
        "bus.publish 1".into(),
        format!("gmail.history after {settled}"),
        format!("gmail.history after {settled}, page {settled}-{after}-2"),
        format!("store.commit 0 events, cursor {after}"),
    ];
    assert_eq!(scene.stage.calls_of(&["gmail", "store.commit", "bus"]), calls);
    assert_eq!(
        scene.stage.world.take_units(),
        2 + 20 + 2 * 2,
        "one listing more, and the message once"
    );
    assert_eq!(subjects(&scene.stage.fired()), ["One", "Two", "Three", "Four"]);
}

#[tokio::test]
async fn mail_without_a_push_is_only_listed() {
    let scene = busy().await;
    scene.deliver(&["Four"]);
    assert_eq!(scene.stage.wake(&scene.own(Kind::Due)).await.unwrap(), [listed(1, 1)]);
    let settled = scene.connector().reading.position.settled;
    assert_eq!(scene.stage.calls_of(&["gmail"])[0], format!("gmail.history after {settled}"));
    assert_eq!(subjects(&scene.stage.fired()), ["One", "Two", "Three", "Four"]);
}

#[tokio::test]
async fn what_shows_late_behind_the_cursor_is_found_by_the_listing() {
    let scene = busy().await;
    scene.ada.deliver(Mail::new("Late").late(MINUTE));
    scene.deliver(&["In time"]);
    assert_eq!(scene.stage.wake(&scene.push()).await.unwrap(), [listed(1, 1)]);
    scene.stage.world.pass(MINUTE);
    scene.deliver(&["Later"]);
    assert_eq!(scene.stage.wake(&scene.push()).await.unwrap(), [listed(2, 2)]);
    assert_eq!(subjects(&scene.stage.fired())[3..], ["In time", "Later", "Late"]);
    assert_eq!(scene.cursor(), scene.ada.history_id());
}

#[tokio::test]
async fn a_listing_that_fails_after_that_leaves_the_cursor_and_fires_nothing_twice() {
    // The second listing's two pages, and its commit.
    for (call, nth) in [(Call::History, 2), (Call::History, 3), (Call::Commit, 2)] {
        let scene = busy().await;
        let before = scene.cursor();
        scene.deliver(&["Four"]);
        scene.stage.world.fail(call, When::Before, nth);
        let ended = scene.stage.wake(&scene.push()).await;
        assert!(
            matches!(ended.as_deref(), Ok([Outcome::PutOff]) | Err(_)),
            "{call:?} {nth}: {ended:?}"
        );
        assert_eq!((scene.cursor(), scene.stage.fired().len()), (before, 4), "{call:?} {nth}");
        scene.stage.world.take_units();
        assert_eq!(
            scene.stage.wake(&scene.push()).await.unwrap(),
            [listed(0, 0)],
            "{call:?} {nth}"
        );
        assert_eq!(
            scene.stage.world.take_units(),
            2 * 3,
            "{call:?} {nth}: what was handled costs no second fetch"
        );
        assert_eq!(
            (scene.cursor(), scene.stage.fired().len()),
            (scene.ada.history_id(), 4),
            "{call:?} {nth}"
        );
    }
}

#[tokio::test]
async fn a_message_that_fails_fails_once_in_a_run_and_holds_the_cursor() {
    let scene = busy().await;
    let before = scene.cursor();
    let poison = scene.ada.deliver(Mail::new("Poison")).message;
    scene.ada.poison(&poison, Poison::Fails);
    scene.deliver(&["Well"]);
    assert_eq!(scene.stage.wake(&scene.push()).await.unwrap(), [listed(1, 1)]);
    let position = scene.connector().reading.position;
    assert_eq!(position.failing.values().map(|failed| failed.tries).collect::<Vec<_>>(), [1]);
    assert_eq!(position.cursor, before);
}

#[tokio::test]
async fn expired_history_is_left_to_the_listing() {
    let scene = busy().await;
    scene.deliver(&["Four"]);
    scene.ada.expire_history();
    assert!(scene.stage.wake(&scene.push()).await.is_ok());
    assert!(scene.connector().reading.position.gap.is_some(), "the gap is found as ever");
}
