//! The history is listed: all pages before the cursor, and errors leave it where it was.

use email_connectors::domain::mark::Mark;
use email_connectors::domain::wake_up::Kind;
use email_connectors::flows::process::Outcome;
use tests::world::{Call, Mail, When};

use tests::stage::{MINUTE, PROCESSOR_TIMEOUT, Scene, listed, subjects};

#[tokio::test]
async fn all_pages_are_listed_before_the_cursor_moves() {
    let scene = Scene::new().await;
    scene.ada.page_size(2);
    scene.deliver(&["One", "Two", "Three", "Four", "Five"]);
    assert_eq!(scene.stage.wake(&scene.push()).await.unwrap(), [listed(5, 5)]);
    let calls = [
        "gmail.history after 1000",
        "gmail.messages m1 m2",
        "gmail.history after 1000, page 1000-1035-2",
        "gmail.messages m3 m4",
        "gmail.history after 1000, page 1000-1035-4",
        "gmail.messages m5",
        "store.commit 5 events, cursor 1035",
    ];
    assert_eq!(scene.stage.calls_of(&["gmail", "store.commit"]), calls);
    assert_eq!(subjects(&scene.stage.fired()), ["One", "Two", "Three", "Four", "Five"]);
}

#[tokio::test]
async fn mail_that_comes_between_two_pages_is_not_lost_behind_the_later_ones_id() {
    let scene = Scene::new().await;
    scene.ada.page_size(2);
    scene.deliver(&["One", "Two", "Three"]);
    let first_page = scene.ada.history_id();
    let arriving = scene.ada.clone();
    scene.stage.world.meanwhile(Call::History, When::After, 1, move |_| {
        for subject in ["Four", "Five"] {
            arriving.deliver(Mail::new(subject));
        }
    });
    scene.stage.wake(&scene.push()).await.unwrap();
    assert_eq!(scene.cursor(), first_page, "the cursor is the lowest history id of all pages");
    scene.stage.wake(&scene.push()).await.unwrap();
    assert_eq!(scene.cursor(), scene.ada.history_id());
    let published = scene.stage.fired();
    assert_eq!(
        subjects(&published),
        ["One", "Two", "Three", "Four", "Five"],
        "none is lost behind a page's id, and each fires once"
    );
}

#[tokio::test]
async fn a_page_that_fails_leaves_the_cursor() {
    for nth in 1..=3 {
        let scene = Scene::new().await;
        scene.ada.page_size(2);
        scene.deliver(&["One", "Two", "Three", "Four", "Five"]);
        let before = scene.cursor();
        scene.stage.world.fail(Call::History, When::Before, nth);
        assert_eq!(scene.stage.wake(&scene.push()).await.unwrap(), [Outcome::PutOff]);
        assert_eq!(scene.cursor(), before, "page {nth}");
        assert!(scene.stage.fired().is_empty());

        assert_eq!(
            scene.stage.wake(&scene.push()).await.unwrap(),
            [listed(5, 5)],
            "the wake-up comes again"
        );
    }
}

#[tokio::test]
async fn whatever_fails_before_the_commit_leaves_the_cursor_and_nothing_is_lost() {
    let calls = [
        Call::Mailbox,
        Call::OpenAccessToken,
        Call::History,
        Call::Messages,
        Call::Decided,
        Call::Commit,
    ];
    for call in calls {
        let scene = Scene::new().await;
        scene.deliver(&["One"]);
        let before = scene.connector();
        scene.stage.world.fail(call, When::Before, 1);
        let ended = scene.stage.wake(&scene.push()).await;
        if call.to_string().starts_with("store") {
            assert!(ended.is_err(), "{call}: the wake-up must come again");
            assert_eq!(scene.connector(), before, "{call}");
        } else {
            assert_eq!(ended.unwrap(), [Outcome::PutOff], "{call}");
            assert_eq!(scene.cursor(), before.reading.position.cursor, "{call}");
            assert!(
                scene.connector().reading.position.put_off.is_some(),
                "{call}: it has a time to look again"
            );
        }
        assert!(scene.stage.fired().is_empty() && scene.stage.decided().is_empty(), "{call}");
        assert_eq!(scene.stage.wake(&scene.push()).await.unwrap(), [listed(1, 1)], "{call}");
    }
}

#[tokio::test]
async fn a_long_backlog_is_committed_in_steps_and_the_cursor_with_the_last() {
    let scene = Scene::new().await;
    for number in 0..250 {
        scene.ada.deliver(Mail::new(&format!("Number {number}")));
    }
    assert_eq!(scene.stage.wake(&scene.push()).await.unwrap(), [listed(250, 250)]);
    let commits = scene.stage.calls_of(&["store.commit"]);
    let (last, steps) = commits.split_last().expect("a commit");
    assert!(steps.len() >= 2, "more than two transactions' worth: {commits:?}");
    assert!(steps.iter().all(|step| step.ends_with("events")), "the cursor stays: {commits:?}");
    assert!(last.ends_with("cursor 2750"), "the cursor moves: {commits:?}");
    assert_eq!(scene.stage.fired().len(), 250);
}

#[tokio::test]
async fn a_crash_between_two_steps_doubles_nothing_and_loses_nothing() {
    for nth in 1..=3 {
        let scene = Scene::new().await;
        for number in 0..250 {
            scene.ada.deliver(Mail::new(&format!("Number {number}")));
        }
        let before = scene.cursor();
        scene.stage.world.crash(Call::Commit, When::Before, nth);
        let push = scene.push();
        assert!(scene.stage.world.until_crash(scene.stage.wake(&push)).await.is_none());
        assert_eq!(
            scene.cursor(),
            before,
            "a listing that is not handled to its end moves no cursor"
        );

        scene.stage.world.pass(PROCESSOR_TIMEOUT);
        scene.stage.wake(&push).await.unwrap();
        let mut events: Vec<_> =
            scene.stage.fired().into_iter().map(|firing| firing.event_id).collect();
        assert_eq!(events.len(), 250, "crash before commit {nth}");
        events.sort();
        events.dedup();
        assert_eq!(events.len(), 250, "crash before commit {nth}");
    }
}

#[tokio::test]
async fn nothing_new_still_says_that_the_mailbox_was_looked_at() {
    let scene = Scene::new().await;
    scene.stage.world.pass(MINUTE);
    assert_eq!(scene.stage.wake(&scene.own(Kind::Sync)).await.unwrap(), [listed(0, 0)]);
    let connector = scene.connector();
    assert_eq!(
        (connector.reading.position.cursor, connector.reading.position.listed_at),
        (Mark::new(1000), Some(scene.stage.world.now()))
    );
}
