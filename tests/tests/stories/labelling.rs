//! A label is added: mail rescued from spam was received, and a label that a trigger names may make
//! it fire.

use email_connectors::domain::event::LEDGER_HORIZON;
use serde_json::json;
use tests::world::Mail;

use tests::stage::{DAY, Scene, listed, subjects};

#[tokio::test]
async fn mail_rescued_from_spam_fires_once() {
    let scene = Scene::new().await;
    let spam = scene.ada.deliver(Mail::new("Rescued").labelled(&["SPAM"])).message;
    assert_eq!(scene.stage.wake(&scene.push()).await.unwrap(), [listed(0, 0)]);
    scene.ada.label(&spam, &["INBOX"], &["SPAM"]);
    assert_eq!(scene.stage.wake(&scene.push()).await.unwrap(), [listed(1, 1)]);
    // Archived, then moved back to the inbox.
    scene.ada.label(&spam, &[], &["INBOX"]);
    scene.ada.label(&spam, &["INBOX"], &[]);
    assert_eq!(scene.stage.wake(&scene.push()).await.unwrap(), [listed(1, 0)]);
    assert_eq!(subjects(&scene.stage.fired()), ["Rescued"]);
}

#[tokio::test]
async fn a_label_that_a_trigger_names_fires_when_it_is_added() {
    let scene = Scene::new().await;
    scene.stage.trigger(&scene.connector(), json!({"label_include": ["Label_7"]})).await;
    let mail = scene.ada.deliver(Mail::new("Labelled later")).message;
    assert_eq!(scene.stage.wake(&scene.push()).await.unwrap(), [listed(1, 1)]);
    scene.ada.label(&mail, &["Label_7"], &[]);
    assert_eq!(scene.stage.wake(&scene.push()).await.unwrap(), [listed(1, 1)]);
    assert_eq!(scene.stage.fired().len(), 2, "each of the two triggers once");
}

#[tokio::test]
async fn a_label_that_nobody_names_costs_no_fetch() {
    let scene = Scene::new().await;
    let mail = scene.ada.deliver(Mail::new("One")).message;
    scene.stage.wake(&scene.push()).await.unwrap();
    scene.stage.forget_calls();
    scene.ada.label(&mail, &["STARRED"], &["UNREAD"]);
    assert_eq!(scene.stage.wake(&scene.push()).await.unwrap(), [listed(0, 0)]);
    assert!(scene.stage.calls_of(&["gmail.messages", "store.decided"]).is_empty());
}

#[tokio::test]
async fn a_label_on_mail_that_the_ledger_has_forgotten_does_not_fire() {
    let scene = Scene::new().await;
    let spam = scene.ada.deliver(Mail::new("Old").labelled(&["SPAM"])).message;
    scene.stage.wake(&scene.push()).await.unwrap();
    scene.stage.world.pass(LEDGER_HORIZON - DAY);
    scene.stage.sweep().await;
    scene.stage.work().await;
    scene.stage.world.pass(DAY);
    scene.ada.label(&spam, &["INBOX"], &["SPAM"]);
    assert_eq!(scene.stage.wake(&scene.push()).await.unwrap(), [listed(1, 0)]);
}

#[tokio::test]
async fn mail_that_was_spam_before_the_trigger_does_not_fire_when_it_is_rescued() {
    let scene = Scene::new().await;
    let before = scene
        .ada
        .deliver(
            Mail::new("Before")
                .labelled(&["SPAM"])
                .received_at(scene.stage.world.now().before(DAY)),
        )
        .message;
    scene.stage.wake(&scene.push()).await.unwrap();
    scene.ada.label(&before, &["INBOX"], &["SPAM"]);
    assert_eq!(scene.stage.wake(&scene.push()).await.unwrap(), [listed(1, 0)]);
    assert_eq!(scene.stage.fired(), []);
}
