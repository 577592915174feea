//! History has expired: mail that a search by date finds is replayed once, and the rest is reported
//! as not recovered.

use std::time::Duration;

use email_connectors::domain::event::DetailType;
use email_connectors::domain::wake_up::Kind;
use email_connectors::flows::process::Outcome;
use serde_json::json;
use tests::stage::{DAY, MINUTE, SETTLE, Scene, subjects};
use tests::world::{Call, Failure, Mail, When};

const HOUR: Duration = Duration::from_secs(3600);

/// Two mails of the last two hours, whose history records have expired.
async fn with_a_gap() -> Scene {
    let scene = Scene::new().await;
    scene.stage.world.pass(MINUTE);
    scene.stage.wake(&scene.own(Kind::Sync)).await.unwrap();
    scene.stage.world.pass(HOUR);
    scene.deliver(&["One"]);
    scene.stage.world.pass(HOUR);
    scene.deliver(&["Two"]);
    scene.stage.world.pass(MINUTE);
    scene.ada.expire_history();
    scene.stage.forget_calls();
    scene
}

/// Waits until the last slice of the gap is replayed; a due watch is renewed first.
async fn until_recovered(scene: &Scene) {
    for wait in [SETTLE, MINUTE] {
        scene.stage.world.pass(wait);
        scene.stage.sweep().await;
        scene.stage.work().await;
    }
}

#[tokio::test]
async fn a_gap_is_pinned_before_anything_is_replayed() {
    let scene = with_a_gap().await;
    let pinned = scene.ada.history_id();
    scene.stage.wake(&scene.own(Kind::Sync)).await.unwrap();
    let calls =
        scene.stage.calls_of(&["gmail.history", "gmail.profile", "store.commit", "gmail.list"]);
    let expected = [
        "gmail.history after 1000",
        "gmail.profile",
        &format!("store.commit 0 events, cursor {pinned}"),
    ];
    assert_eq!(calls[..3], expected);
    assert_eq!(calls[3], format!("gmail.history after {pinned}"), "listings go on from the pin");
    let mut fired = subjects(&scene.stage.fired());
    fired.sort();
    assert_eq!(fired, ["One", "Two"]);
    let position = scene.connector().reading.position;
    assert_eq!((position.cursor, position.settled), (pinned, pinned));
    assert!(position.gap.is_some(), "mail that may show late is still to be replayed");
}

#[tokio::test]
async fn a_closed_gap_is_reported_with_what_could_not_be_recovered() {
    let scene = with_a_gap().await;
    let (looked, pinned_at) = (
        scene.connector().reading.position.listed_at.expect("it was listed"),
        scene.stage.world.now(),
    );
    scene.stage.wake(&scene.own(Kind::Sync)).await.unwrap();
    assert_eq!(
        scene.stage.notices(DetailType::HistoryGapRecovered).len(),
        0,
        "not yet: mail may show late"
    );
    until_recovered(&scene).await;
    let [notice] =
        scene.stage.notices(DetailType::HistoryGapRecovered).try_into().expect("one notice");
    assert_eq!(
        (&notice["after"], &notice["before"]),
        (&json!(looked.before(HOUR)), &json!(pinned_at))
    );
    assert_eq!((&notice["messages"], &notice["fired"]), (&json!(2), &json!(2)));
    assert!(
        notice["not_recovered"][0].as_str().is_some_and(|lost| lost.contains("labels")),
        "{notice}"
    );
    assert_eq!(scene.connector().reading.position.gap, None);
    assert_eq!(scene.stage.fired().len(), 2, "each once");
}

#[tokio::test]
async fn mail_that_a_search_shows_late_is_in_the_last_slice() {
    let scene = with_a_gap().await;
    scene.ada.deliver(Mail::new("Ten seconds before the pin").late(MINUTE));
    scene.ada.expire_history();
    scene.stage.world.pass(MINUTE / 6);
    scene.stage.wake(&scene.own(Kind::Sync)).await.unwrap();
    assert_eq!(scene.stage.fired().len(), 2);
    until_recovered(&scene).await;
    assert_eq!(subjects(&scene.stage.fired()[2..]), ["Ten seconds before the pin"]);
}

#[tokio::test]
async fn mail_that_fired_before_the_gap_does_not_fire_again_and_new_mail_does_not_wait() {
    let scene = Scene::new().await;
    scene.deliver(&["Before"]);
    scene.stage.wake(&scene.push()).await.unwrap();
    scene.stage.world.pass(MINUTE);
    scene.ada.expire_history();
    scene.stage.world.pass(MINUTE);
    scene.stage.wake(&scene.own(Kind::Sync)).await.unwrap();
    scene.deliver(&["After"]);
    scene.stage.wake(&scene.push()).await.unwrap();
    assert_eq!(
        subjects(&scene.stage.fired()),
        ["Before", "After"],
        "while the replay is not closed"
    );
    until_recovered(&scene).await;
    assert_eq!(scene.stage.fired().len(), 2);
    assert_eq!(scene.stage.notices(DetailType::HistoryGapRecovered)[0]["fired"], json!(0));
}

#[tokio::test]
async fn a_crash_in_a_replay_resumes_from_what_was_written() {
    for (call, when) in
        [(Call::List, When::After), (Call::Decided, When::After), (Call::Commit, When::After)]
    {
        for nth in 1..=3 {
            let scene = with_a_gap().await;
            scene.ada.list_page_size(1);
            scene.stage.world.crash(call, when, nth);
            let wake_up = scene.own(Kind::Sync);
            assert!(
                scene.stage.world.until_crash(scene.stage.wake(&wake_up)).await.is_none(),
                "{call} {nth}"
            );
            scene.stage.world.pass(MINUTE);
            scene.stage.wake(&scene.own(Kind::Due)).await.unwrap();
            assert!(
                scene.stage.calls_of(&["gmail.profile"]).len() <= 1,
                "{call} {nth}: it is pinned once"
            );
            until_recovered(&scene).await;
            let mut fired = subjects(&scene.stage.fired());
            fired.sort();
            assert_eq!(fired, ["One", "Two"], "{call} {nth}");
            assert_eq!(
                scene.stage.notices(DetailType::HistoryGapRecovered).len(),
                1,
                "{call} {nth}"
            );
        }
    }
}

#[tokio::test]
async fn a_search_that_is_lost_begins_its_slice_again() {
    let scene = with_a_gap().await;
    scene.ada.list_page_size(1);
    scene.deliver(&["Three", "Four"]);
    scene.ada.expire_history();
    scene.stage.world.pass(MINUTE);
    let ada = scene.ada.clone();
    scene.stage.world.meanwhile(Call::List, When::After, 4, move |_| ada.lose_page_tokens());
    scene.stage.wake(&scene.own(Kind::Sync)).await.unwrap();
    until_recovered(&scene).await;
    let mut fired = subjects(&scene.stage.fired());
    fired.sort();
    assert_eq!(fired, ["Four", "One", "Three", "Two"]);
}

#[tokio::test]
async fn a_long_gap_is_replayed_over_several_runs() {
    let scene = Scene::new().await;
    for number in 0..9 * 24 {
        scene.stage.world.pass(HOUR);
        scene.ada.deliver(Mail::new(&format!("Hour {number}")));
    }
    scene.ada.expire_history();
    scene.stage.world.pass(DAY);
    scene.stage.world.set_tick(Duration::from_secs(1));
    scene.stage.world.wake_ups().put(&scene.own(Kind::Sync));
    assert!(scene.stage.work().await.len() > 2, "it goes on by itself");
    assert_eq!(scene.stage.fired().len(), 9 * 24);
    scene.stage.world.set_tick(Duration::ZERO);
    until_recovered(&scene).await;
    assert_eq!(scene.stage.notices(DetailType::HistoryGapRecovered)[0]["fired"], json!(9 * 24));
    assert_eq!(scene.stage.fired().len(), 9 * 24, "each once");
}

#[tokio::test]
async fn a_refused_replay_is_retried_less_and_less_often_and_delays_no_new_mail() {
    let scene = with_a_gap().await;
    let mut waits = Vec::new();
    for _ in 0..4 {
        scene.stage.world.fail_with(Call::List, When::Before, 1, Failure::Refused(403));
        scene.deliver(&["New"]);
        assert_eq!(scene.stage.wake(&scene.push()).await.unwrap(), [Outcome::PutOff]);
        let put_off = scene.connector().reading.position.put_off.expect("it is tried again");
        waits.push(put_off.until.seconds() - scene.stage.world.now().seconds());
        scene.stage.world.pass(MINUTE);
    }
    assert_eq!(waits, [20, 40, 80, 160]);
    assert_eq!(subjects(&scene.stage.fired()), ["New"; 3], "what came after the pin fires at once");
}
