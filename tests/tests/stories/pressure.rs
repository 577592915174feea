//! Too much work at once, or too little quota: the work is split, continues by itself, and is fair
//! to other mailboxes.

use std::time::Duration;

use email_connectors::domain::wake_up::Kind;
use email_connectors::flows::process::Outcome;
use tests::stage::{DAY, MINUTE, Scene, listed, subjects};
use tests::world::{Call, Mail, When};

fn deliver(scene: &Scene, mails: usize) {
    (0..mails).for_each(|number| drop(scene.ada.deliver(Mail::new(&format!("Number {number}")))));
}

#[tokio::test]
async fn a_long_backlog_is_read_over_several_runs_and_goes_on_by_itself() {
    let scene = Scene::new().await;
    scene.ada.page_size(2);
    deliver(&scene, 60);
    let before = scene.cursor();
    scene.stage.world.set_tick(Duration::from_secs(1));
    let outcomes = scene.stage.wake(&scene.push()).await.unwrap();
    assert!(
        matches!(outcomes[..], [Outcome::Interrupted { messages, fired }] if messages == fired && fired < 60),
        "{outcomes:?}"
    );
    let position = scene.connector().reading.position;
    assert_eq!(position.cursor, before, "the cursor waits for all pages");
    assert!(
        position.backlog.is_some_and(|listing| listing.page_token.is_some()),
        "where it goes on is written down"
    );
    let queued = scene.stage.world.wake_ups().queued();
    assert_eq!(
        queued.iter().map(|wake_up| (wake_up.kind, wake_up.mark)).collect::<Vec<_>>(),
        [(Kind::Due, None)]
    );

    scene.stage.forget_calls();
    assert!(scene.stage.work().await.len() > 1);
    assert!(
        !scene.stage.calls_of(&["gmail.history"]).contains(&"gmail.history after 1000".to_string()),
        "no page is read twice"
    );
    assert_eq!((scene.cursor(), scene.stage.fired().len()), (scene.ada.history_id(), 60));
}

#[tokio::test]
async fn a_continuation_that_cannot_be_sent_is_left_to_the_renewer() {
    let scene = Scene::new().await;
    scene.ada.page_size(2);
    deliver(&scene, 30);
    scene.stage.world.set_tick(Duration::from_secs(1));
    scene.stage.world.fail(Call::Send, When::Before, 1);
    assert!(matches!(
        scene.stage.wake(&scene.push()).await.unwrap()[..],
        [Outcome::Interrupted { .. }]
    ));
    scene.stage.world.set_tick(Duration::ZERO);
    assert_eq!(scene.stage.sweep().await.woken, 1);
    scene.stage.work().await;
    assert_eq!((scene.cursor(), scene.stage.fired().len()), (scene.ada.history_id(), 30));
}

#[tokio::test]
async fn a_page_token_that_dies_between_two_runs_costs_no_mail_and_no_fetch() {
    let scene = Scene::new().await;
    scene.ada.page_size(2);
    deliver(&scene, 30);
    scene.stage.world.set_tick(Duration::from_secs(1));
    scene.stage.wake(&scene.push()).await.unwrap();
    scene.stage.world.set_tick(Duration::ZERO);
    scene.ada.lose_page_tokens();
    scene.stage.work().await;
    assert_eq!((scene.cursor(), scene.stage.fired().len()), (scene.ada.history_id(), 30));
    assert_eq!(
        scene.stage.calls_of(&["gmail.messages"]).len(),
        15,
        "what was handled is not fetched again"
    );
}

#[tokio::test]
async fn a_minutes_quota_is_kept_and_the_rest_waits_for_the_next_one() {
    let mut scene = Scene::new().await;
    scene.stage.limits.units_per_minute = 2500;
    deliver(&scene, 200);
    scene.stage.world.take_units();
    let outcomes = scene.stage.wake(&scene.push()).await.unwrap();
    assert_eq!(outcomes, [Outcome::Interrupted { messages: 124, fired: 124 }]);
    assert_eq!(scene.stage.world.wake_ups().queued(), [], "no continuation: it would only knock");
    assert_eq!(
        scene.stage.wake(&scene.push()).await.unwrap(),
        [Outcome::Interrupted { messages: 0, fired: 0 }],
        "nor does a push help"
    );
    assert!(scene.stage.world.take_units() <= 2500);
    assert_eq!(scene.stage.sweep().await.woken, 0);

    scene.stage.world.pass(MINUTE);
    assert_eq!(scene.stage.sweep().await.woken, 1);
    assert_eq!(scene.stage.work().await, [listed(76, 76)]);
    assert_eq!((scene.cursor(), scene.stage.fired().len()), (scene.ada.history_id(), 200));
}

#[tokio::test]
async fn a_message_that_is_on_two_pages_fires_once() {
    let scene = Scene::new().await;
    scene.ada.page_size(1);
    let mail = scene.ada.deliver(Mail::new("One")).message;
    scene.ada.label(&mail, &["INBOX"], &["UNREAD"]);
    scene.stage.wake(&scene.push()).await.unwrap();
    assert_eq!(subjects(&scene.stage.fired()), ["One"]);
}

#[tokio::test]
async fn old_mail_that_is_moved_to_the_inbox_in_bulk_delays_no_other_mail() {
    let scene = Scene::new().await;
    let old = scene.trigger.created_at.before(DAY);
    let archived: Vec<_> = (0..400)
        .map(|_| scene.ada.deliver(Mail::new("Old").labelled(&[]).received_at(old)).message)
        .collect();
    scene.stage.world.pass(MINUTE);
    scene.stage.wake(&scene.own(Kind::Sync)).await.unwrap();
    scene.stage.world.pass(MINUTE);
    scene.stage.wake(&scene.own(Kind::Sync)).await.unwrap();
    archived.iter().for_each(|message| scene.ada.label(message, &["INBOX"], &[]));
    scene.deliver(&["New"]);
    for _ in 0..5 {
        scene.stage.world.pass(MINUTE);
        let outcome = scene.stage.wake(&scene.own(Kind::Due)).await.unwrap();
        if !matches!(outcome[..], [Outcome::Interrupted { .. }]) {
            break;
        }
    }
    assert_eq!(subjects(&scene.stage.fired()), ["New"]);
}
